//! Boxes in types: those of types that contain themselves, and of large objects.

use std::collections::BTreeSet;

use syn::{Field, Fields, File, Item, Type, parse_quote, visit_mut::VisitMut};

use super::{argument, builders, foreign_name, has_option, last_name, module};

/// Moves the boxes by which types contain themselves into options. Typify boxes the option of a field where a cycle of several
/// types first returns to it, and serde writes `null` for such a field that is absent.
pub(crate) fn move_into_options(file: &mut File) {
    if let Some(types) = module(&mut file.items, "types") {
        types.iter_mut().for_each(|item| BoxedOptions.visit_item_mut(item));
    }
}

struct BoxedOptions;

impl VisitMut for BoxedOptions {
    fn visit_field_mut(&mut self, field: &mut Field) {
        let was = field.ty.clone();
        syn::visit_mut::visit_field_mut(self, field);
        if field.ty != was && has_option(&field.attrs, "default") {
            field.attrs.push(parse_quote!(#[serde(skip_serializing_if = "::std::option::Option::is_none")]));
        }
    }

    fn visit_type_mut(&mut self, of: &mut Type) {
        syn::visit_mut::visit_type_mut(self, of);
        if foreign_name(of).is_some_and(|name| name == "Box")
            && let Some(option) = argument(of, 0)
            && foreign_name(option).is_some_and(|name| name == "Option")
            && let Some(inner) = argument(option, 0)
        {
            *of = parse_quote!(::std::option::Option<::std::boxed::Box<#inner>>);
        }
    }
}

/// An object of this number of fields is large. The field that makes it so is a breaking change of the fields that hold it (record 41).
const LARGE: usize = 16;

/// Boxes the optional fields of responses whose type has many fields: an item of a list that holds them in place is copied often, and is
/// as large without them. Those of requests stay in place: callers write them.
pub(crate) fn set_of_large_objects(file: &mut File) {
    let sent = builders::sent(file);
    let Some(types) = module(&mut file.items, "types") else { return };
    let large = types
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) if item.fields.len() >= LARGE => Some(item.ident.to_string()),
            _ => None,
        })
        .collect::<BTreeSet<_>>();
    for item in types {
        let Item::Struct(item) = item else { continue };
        if sent.contains(&item.ident.to_string()) || !matches!(item.fields, Fields::Named(_)) {
            continue;
        }
        for field in item.fields.iter_mut().filter(|field| has_option(&field.attrs, "skip_serializing_if")) {
            if foreign_name(&field.ty).is_some_and(|name| name == "Option")
                && let Some(of) = argument(&field.ty, 0)
                && foreign_name(of).is_none()
                && last_name(of).is_some_and(|name| large.contains(&name))
            {
                field.ty = parse_quote!(::std::option::Option<::std::boxed::Box<#of>>);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_optional_large_objects_of_responses_are_boxed() {
        let fields = (0..LARGE).map(|number| format!("f{number}: u8")).collect::<Vec<_>>().join(", ");
        let skip = "#[serde(skip_serializing_if = \"::std::option::Option::is_none\")]";
        let mut file = syn::parse_file(&format!(
            "mod types {{
                struct Large {{ {fields} }}
                struct Small {{ a: u8 }}
                struct Sent {{ {skip} a: ::std::option::Option<Large> }}
                struct Got {{
                    {skip} a: ::std::option::Option<Large>,
                    {skip} b: ::std::option::Option<Small>,
                    {skip} c: ::std::option::Option<crate::types::Large>,
                    {skip} d: ::std::option::Option<::std::vec::Vec<Large>>,
                    e: Large,
                }}
            }}
            mod builder {{ struct Send<'a> {{ body: Result<types::builder::Sent, String> }} }}"
        ))
        .expect("it is Rust");
        set_of_large_objects(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("Box<").count(), 2, "{code}");
        for field in [
            "a: ::std::option::Option<::std::boxed::Box<Large>>",
            "c: ::std::option::Option<::std::boxed::Box<crate::types::Large>>",
        ] {
            assert!(code.contains(field), "{code}");
        }
    }

    #[test]
    fn boxed_option_of_a_cycle_becomes_an_optional_box() {
        let mut file = syn::parse_file(
            "mod types {
                struct Node {
                    #[serde(rename = \"endPoint\", default)]
                    end: ::std::boxed::Box<::std::option::Option<Node>>,
                    null: ::std::boxed::Box<::std::option::Option<Node>>,
                    list: ::std::vec::Vec<::std::boxed::Box<::std::option::Option<Node>>>,
                    #[serde(default)]
                    required: ::std::boxed::Box<Node>,
                }
            }",
        )
        .expect("it is Rust");
        move_into_options(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("::std::option::Option<::std::boxed::Box<Node>>").count(), 3, "{code}");
        assert_eq!(code.matches("skip_serializing_if").count(), 1, "{code}");
    }
}
