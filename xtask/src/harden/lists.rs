//! Lists and maps: services in Go send `null` for an empty one, whatever their document says.

use syn::{
    Attribute, ExprPath, Field, File, GenericArgument, ImplItemFn, PathArguments, ReturnType, Type, parse_quote,
    visit_mut::VisitMut,
};

use super::{last_name, module};

/// Lets `null` stand for an empty list or map: in fields, in maps of lists, and as a whole answer.
pub(crate) fn tolerate_null(file: &mut File) {
    for item in module(&mut file.items, "types").into_iter().flatten() {
        if let syn::Item::Struct(item) = item {
            Lists.visit_item_struct_mut(item);
        }
    }
    Answers.visit_file_mut(file);
}

/// Answers that are a list.
struct Answers;

impl VisitMut for Answers {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let ReturnType::Type(_, of) = &function.sig.output else { return };
        let answer = argument(of, 0).filter(|of| last_name(of).is_some_and(|name| name == "ResponseValue"));
        if answer.and_then(|of| argument(of, 0)).and_then(last_name).is_some_and(|name| name == "Vec") {
            ListAnswer.visit_block_mut(&mut function.block);
        }
    }
}

struct ListAnswer;

impl VisitMut for ListAnswer {
    fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
        if let Some(last) = path.path.segments.last_mut()
            && last.ident == "from_response"
        {
            last.ident = syn::Ident::new("from_list_response", last.ident.span());
        }
    }
}

/// The type that a generic type is given at `index`.
pub(super) fn argument(of: &Type, index: usize) -> Option<&Type> {
    let Type::Path(path) = of else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.get(index)? {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    }
}

struct Lists;

impl VisitMut for Lists {
    fn visit_field_mut(&mut self, field: &mut Field) {
        // A newtype's field has no name: serde's `transparent` takes no attributes.
        if field.ident.is_some() && is_collection(&field.ty) {
            let function = match argument(&field.ty, 1) {
                Some(value) if is_collection(value) => "progenitor_client::null_entries_are_default",
                _ => "progenitor_client::null_is_default",
            };
            field.attrs.push(parse_quote!(#[serde(deserialize_with = #function)]));
            if !field.attrs.iter().any(has_default) {
                field.attrs.push(parse_quote!(#[serde(default)]));
            }
        }
    }
}

fn is_collection(of: &Type) -> bool {
    last_name(of).is_some_and(|name| matches!(name.as_str(), "Vec" | "BTreeMap" | "Map"))
}

pub(super) fn has_default(attribute: &Attribute) -> bool {
    let mut found = false;
    if attribute.path().is_ident("serde") {
        // The attributes' values are read only to get past them.
        _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("default");
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_within_maps_and_lists_as_answers_take_null() {
        let mut file = syn::parse_file(
            "mod types { struct A { a: BTreeMap<String, Vec<u8>> } }
            impl Call {
                async fn send(self) -> Result<ResponseValue<::std::vec::Vec<A>>, Error> { ResponseValue::from_response(r).await }
            }
            impl Other {
                async fn send(self) -> Result<ResponseValue<A>, Error> { ResponseValue::from_response(r).await }
            }",
        )
        .expect("it is Rust");
        tolerate_null(&mut file);
        let code = prettyplease::unparse(&file);
        assert!(code.contains("progenitor_client::null_entries_are_default"), "{code}");
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
                    b: BTreeMap<String, u8>,
                    c: Option<Vec<u8>>,
                }
                struct B(pub Vec<u8>);
            }"#,
        )
        .expect("it is Rust");
        tolerate_null(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("progenitor_client::null_is_default").count(), 2, "{code}");
        assert_eq!(code.matches("default)]").count() + code.matches("(default,").count(), 2, "{code}");
    }
}
