//! Fields that core reads in place of serde.

use syn::{Field, File, parse_quote, visit_mut::VisitMut};

use super::{argument, foreign_name, has_option, module};

/// By the name of the type: core's function for a field of it, and for one that may be absent.
const READERS: [(&str, &str, &str); 2] = [
    // chrono's own reader would take a sixth of the time of decoding a list.
    ("DateTime", "date_time", "optional_date_time"),
    // Some services send those back as strings that they were sent as strings.
    ("bool", "boolean", "optional_boolean"),
];

/// Has core read the fields of these types.
pub(crate) fn set(file: &mut File) {
    for item in module(&mut file.items, "types").into_iter().flatten() {
        if let syn::Item::Struct(item) = item {
            Fields.visit_item_struct_mut(item);
        }
    }
}

struct Fields;

impl VisitMut for Fields {
    fn visit_field_mut(&mut self, field: &mut Field) {
        // A newtype's field has no name: serde's `transparent` takes no attributes.
        if field.ident.is_none() {
            return;
        }
        let is = |of: &syn::Type, name: &str| {
            foreign_name(of).is_some_and(|last| last == name) || name == "bool" && *of == parse_quote!(bool)
        };
        for (name, required, optional) in READERS {
            if is(&field.ty, name) {
                field.attrs.push(parse_quote!(#[serde(deserialize_with = #required)]));
            } else if is(&field.ty, "Option") && argument(&field.ty, 0).is_some_and(|of| is(of, name)) {
                field.attrs.push(parse_quote!(#[serde(deserialize_with = #optional)]));
                // With a function of its own, a field is no longer optional by its type.
                if !has_option(&field.attrs, "default") {
                    field.attrs.push(parse_quote!(#[serde(default)]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_and_optional_date_times_are_read_by_core() {
        let mut file = syn::parse_file(
            r#"mod types {
                struct A {
                    made: ::chrono::DateTime<::chrono::offset::Utc>,
                    #[serde(skip_serializing_if = "::std::option::Option::is_none")]
                    reported: ::std::option::Option<::chrono::DateTime<::chrono::offset::Utc>>,
                    lenient: ::std::option::Option<::progenitor_client::LenientDateTime>,
                }
            }"#,
        )
        .expect("it is Rust");
        set(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("\"date_time\"").count(), 1, "{code}");
        assert_eq!(code.matches("\"optional_date_time\"").count(), 1, "{code}");
        assert_eq!(code.matches("default").count(), 1, "{code}");
    }

    #[test]
    fn required_and_optional_booleans_are_read_by_core() {
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
        set(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("\"boolean\"").count(), 1, "{code}");
        assert_eq!(code.matches("\"optional_boolean\"").count(), 1, "{code}");
        assert_eq!(code.matches("default").count(), 1, "{code}");
    }
}
