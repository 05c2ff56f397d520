//! Lists and maps: services in Go send `null` for an empty one, whatever their document states.

use std::collections::BTreeSet;

use openapi_document::operations;
use serde_json::Value;
use syn::{Field, File, ImplItemFn, ReturnType, Type, parse_quote, visit_mut::VisitMut};

use super::{
    argument,
    call_model::{CallModel, option_of},
    foreign_name, has_option, last_name, module,
    successes::Reader,
};
use crate::codegen::{identifiers::type_name, normalize::page_lists::needed_list};

/// Reads `null` as an empty list or map: in fields, in maps of lists, and as a complete body. A missing one is empty as well, but for the
/// list of a page: an error with a success status would read as an empty page, and end the list.
pub(crate) fn tolerate_null(file: &mut File, root: &Value) {
    let pages = page_lists(file, root);
    for item in module(&mut file.items, "types").into_iter().flatten() {
        if let syn::Item::Struct(item) = item {
            let of_page = pages.iter().filter(|(owner, _)| item.ident == owner).map(|(_, field)| field.clone());
            Lists { of_pages: of_page.collect() }.visit_item_struct_mut(item);
        }
    }
    ListResponses.visit_file_mut(file);
}

/// Returns the lists of pages, as type and field: those that `x-pagination` names.
fn page_lists(file: &mut File, root: &Value) -> BTreeSet<(String, String)> {
    let paged = operations(root);
    let paged = paged.iter().filter_map(|operation| Some((type_name(operation.id()), needed_list(operation)?)));
    let paged = paged.collect::<Vec<_>>();
    if paged.is_empty() {
        return BTreeSet::new();
    }
    let model = CallModel::new(file);
    let owner = |(call, path): (String, &str)| model.owner(model.call(&call)?.response().ok()?, path);
    paged.into_iter().filter_map(owner).collect()
}

/// Responses that are a list.
struct ListResponses;

impl VisitMut for ListResponses {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let ReturnType::Type(_, of) = &function.sig.output else { return };
        let response = argument(of, 0).filter(|of| last_name(of).is_some_and(|name| name == "ResponseValue"));
        if response.and_then(|of| argument(of, 0)).and_then(foreign_name).is_some_and(|name| name == "Vec") {
            Reader("from_list_response").visit_block_mut(&mut function.block);
        }
    }
}

struct Lists {
    /// The fields that are lists of pages.
    of_pages: Vec<String>,
}

impl VisitMut for Lists {
    fn visit_field_mut(&mut self, field: &mut Field) {
        // A newtype's field has no name: serde's `transparent` takes no attributes.
        let Some(name) = field.ident.as_ref().map(ToString::to_string) else { return };
        let is_of_page = self.of_pages.contains(&name);
        if is_of_page && option_of(&field.ty).is_some_and(is_collection) {
            field.attrs.push(parse_quote!(#[serde(deserialize_with = "null_is_default")]));
            if !has_option(&field.attrs, "default") {
                field.attrs.push(parse_quote!(#[serde(default)]));
            }
        }
        if is_collection(&field.ty) {
            let function = match argument(&field.ty, 1) {
                Some(value) if is_collection(value) => "null_entries_are_default",
                _ => "null_is_default",
            };
            field.attrs.push(parse_quote!(#[serde(deserialize_with = #function)]));
            if !is_of_page && !has_option(&field.attrs, "default") {
                field.attrs.push(parse_quote!(#[serde(default)]));
            }
        }
    }
}

fn is_collection(of: &Type) -> bool {
    foreign_name(of).is_some_and(|name| matches!(name.as_str(), "Vec" | "BTreeMap" | "Map"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_within_maps_and_lists_as_responses_take_null() {
        let mut file = syn::parse_file(
            "mod types { struct A { a: ::std::collections::BTreeMap<String, ::std::vec::Vec<u8>> } }
            impl Call {
                async fn send(self) -> Result<ResponseValue<::std::vec::Vec<A>>, Error> { ResponseValue::from_response(r).await }
            }
            impl Other {
                async fn send(self) -> Result<ResponseValue<A>, Error> { ResponseValue::from_response(r).await }
            }",
        )
        .expect("it is Rust");
        tolerate_null(&mut file, &Value::Null);
        let code = prettyplease::unparse(&file);
        assert!(code.contains("null_entries_are_default"), "{code}");
        assert_eq!(code.matches("ResponseValue::from_list_response(r)").count(), 1, "{code}");
        assert_eq!(code.matches("ResponseValue::from_response(r)").count(), 1, "{code}");
    }

    #[test]
    fn lists_and_maps_take_null_and_options_stay() {
        let mut file = syn::parse_file(
            r#"mod types {
                struct A {
                    #[serde(default, skip_serializing_if = "Vec::is_empty")]
                    a: ::std::vec::Vec<u8>,
                    b: ::std::collections::BTreeMap<String, u8>,
                    c: Option<::std::vec::Vec<u8>>,
                }
                struct B(pub ::std::vec::Vec<u8>);
            }"#,
        )
        .expect("it is Rust");
        tolerate_null(&mut file, &Value::Null);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("null_is_default").count(), 2, "{code}");
        assert_eq!(code.matches("default)]").count() + code.matches("(default,").count(), 2, "{code}");
    }
}
