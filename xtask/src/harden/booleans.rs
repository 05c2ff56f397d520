//! Booleans are read by core: some services send those back as strings that they were sent as strings.

use syn::{Field, File, parse_quote, visit_mut::VisitMut};

use super::lists::{argument, has_default};
use super::{last_name, module};

/// Has core read the fields that are a boolean, or may be one.
pub(crate) fn read_leniently(file: &mut File) {
    for item in module(&mut file.items, "types").into_iter().flatten() {
        if let syn::Item::Struct(item) = item {
            Booleans.visit_item_struct_mut(item);
        }
    }
}

struct Booleans;

impl VisitMut for Booleans {
    fn visit_field_mut(&mut self, field: &mut Field) {
        let is = |of: &syn::Type, name| last_name(of).is_some_and(|last| last == name);
        // A newtype's field has no name: serde's `transparent` takes no attributes.
        if field.ident.is_none() {
        } else if is(&field.ty, "bool") {
            field.attrs.push(parse_quote!(#[serde(deserialize_with = "progenitor_client::boolean")]));
        } else if is(&field.ty, "Option") && argument(&field.ty, 0).is_some_and(|of| is(of, "bool")) {
            field.attrs.push(parse_quote!(#[serde(deserialize_with = "progenitor_client::optional_boolean")]));
            // With a function of its own, a field is no longer optional by its type.
            if !field.attrs.iter().any(has_default) {
                field.attrs.push(parse_quote!(#[serde(default)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_that_are_needed_and_that_may_be_absent_are_read_by_core() {
        let mut file = syn::parse_file(
            r#"mod types {
                struct A {
                    enabled: bool,
                    #[serde(skip_serializing_if = "::std::option::Option::is_none")]
                    locked: ::std::option::Option<bool>,
                    flags: ::std::vec::Vec<bool>,
                }
                struct B(bool);
            }"#,
        )
        .expect("it is Rust");
        read_leniently(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("\"progenitor_client::boolean\"").count(), 1, "{code}");
        assert_eq!(code.matches("\"progenitor_client::optional_boolean\"").count(), 1, "{code}");
        assert_eq!(code.matches("default").count(), 1, "{code}");
    }
}
