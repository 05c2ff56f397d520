//! Lists and maps: services in Go send `null` for an empty one, whatever their document states.

use std::collections::BTreeSet;

use openapi_document::{operations, pointer::child};
use serde_json::Value;
use syn::{Field, File, ImplItemFn, ReturnType, Type, parse_quote, visit_mut::VisitMut};

use super::{argument, foreign_name, has_option, last_name, module, successes::Reader};
use crate::codegen::identifiers::{component_name, schema_field_names};

/// Reads `null` as an empty list or map: in fields, in maps of lists, and as a complete body. A missing one is empty as well, but for the
/// list of a page that the document requires: an error with a success status would read as an empty page, and end the list.
pub(crate) fn tolerate_null(file: &mut File, root: &Value) {
    let pages = page_lists(root);
    for item in module(&mut file.items, "types").into_iter().flatten() {
        if let syn::Item::Struct(item) = item {
            let of_page = |(name, field): &(String, String)| (item.ident == name).then(|| field.clone());
            Lists { required: pages.iter().find_map(of_page) }.visit_item_struct_mut(item);
        }
    }
    ListResponses.visit_file_mut(file);
}

/// Returns the required lists of pages, as type and field: those that `x-pagination` names.
fn page_lists(root: &Value) -> BTreeSet<(String, String)> {
    let list = |operation: openapi_document::Operation<'_>| {
        let items = operation.value.get("x-pagination")?.get("items")?.as_str()?;
        let success = operation.value.get("responses")?.get("200")?;
        let name = success.pointer("/content/application~1json/schema/$ref")?.as_str()?.rsplit('/').next()?;
        let schema = root.pointer(&child("/components/schemas", name))?;
        let is_required = schema.get("required")?.as_array()?.iter().any(|field| field == items);
        let field = schema_field_names(schema).remove(items)?;
        is_required.then(|| (component_name(name), field))
    };
    operations(root).into_iter().filter_map(list).collect()
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
    /// The field that has to be there.
    required: Option<String>,
}

impl VisitMut for Lists {
    fn visit_field_mut(&mut self, field: &mut Field) {
        // A newtype's field has no name: serde's `transparent` takes no attributes.
        if field.ident.is_some() && is_collection(&field.ty) {
            let function = match argument(&field.ty, 1) {
                Some(value) if is_collection(value) => "null_entries_are_default",
                _ => "null_is_default",
            };
            field.attrs.push(parse_quote!(#[serde(deserialize_with = #function)]));
            let is_required =
                self.required.as_ref().is_some_and(|name| field.ident.as_ref().is_some_and(|it| it == name));
            if !is_required && !has_option(&field.attrs, "default") {
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
    use serde_json::json;

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

    #[test]
    fn required_list_of_a_page_has_to_be_there_and_may_be_null() {
        let operation = |name: &str| {
            let schema = json!({"$ref": format!("#/components/schemas/{name}")});
            json!({"get": {
                "operationId": name, "x-pagination": {"items": "rowList"},
                "responses": {"200": {"content": {"application/json": {"schema": schema}}}},
            }})
        };
        let root = json!({
            "paths": {"/a": operation("Page"), "/b": operation("Open")},
            "components": {"schemas": {
                "Page": {"required": ["rowList", "others"], "properties": {"rowList": {}, "others": {}}},
                "Open": {}, "Other": {"required": ["rowList"]},
            }},
        });
        let fields =
            |name: &str| format!("struct {name} {{ row_list: ::std::vec::Vec<u8>, others: ::std::vec::Vec<u8> }}");
        let code = ["Page", "Open", "Other"].map(fields).join(" ");
        let mut file = syn::parse_file(&format!("mod types {{ {code} }}")).expect("it is Rust");
        tolerate_null(&mut file, &root);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("null_is_default").count(), 6, "{code}");
        assert_eq!(code.matches("#[serde(default)]").count(), 5, "{code}");
        let (page, _) = code.split_once("struct Open").expect("the second type");
        let (row_list, _) = page.split_once("row_list").expect("the field");
        assert!(!row_list.contains("default)]"), "{code}");
    }
}
