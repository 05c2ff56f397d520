//! Lists and maps: services in Go send `null` for an empty one, whatever their document says.

use syn::{Attribute, Field, File, Type, parse_quote, visit_mut::VisitMut};

use super::{last_name, module};

/// Lets `null` stand for an empty list or map in every field of one.
pub(crate) fn tolerate_null(file: &mut File) {
    for item in module(&mut file.items, "types").into_iter().flatten() {
        if let syn::Item::Struct(item) = item {
            Lists.visit_item_struct_mut(item);
        }
    }
}

struct Lists;

impl VisitMut for Lists {
    fn visit_field_mut(&mut self, field: &mut Field) {
        // A newtype's field has no name: serde's `transparent` takes no attributes.
        if field.ident.is_some() && is_collection(&field.ty) {
            field.attrs.push(parse_quote!(#[serde(deserialize_with = "progenitor_client::null_is_default")]));
            if !field.attrs.iter().any(has_default) {
                field.attrs.push(parse_quote!(#[serde(default)]));
            }
        }
    }
}

fn is_collection(of: &Type) -> bool {
    last_name(of).is_some_and(|name| matches!(name.as_str(), "Vec" | "BTreeMap" | "Map"))
}

fn has_default(attribute: &Attribute) -> bool {
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
