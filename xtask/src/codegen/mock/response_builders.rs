//! Builders of the types of responses: core's `response_builder!` for each type that no request reaches.

use std::fmt::Write as _;

use syn::{Fields, File, Ident, Item, ItemStruct, Path, Type, parse_quote, visit_mut::VisitMut};

use crate::codegen::rewrite::{builders::sent, foreign_name, has_option, module, null_collections::argument};

const MODULE: &str = "
/// Builders of the types of responses, with which a mock responds: `types::X::builder()`.
pub mod builder {
    #[allow(unused_imports)]
    use crate::types;
";

/// Returns the module of builders as text; nothing if no type needs one.
pub(crate) fn response_builders(client: &mut File) -> String {
    let sent = sent(client);
    let types = module(&mut client.items, "types").into_iter().flatten();
    let builders = types.filter_map(|item| match item {
        Item::Struct(item) if matches!(item.fields, Fields::Named(_)) && !sent.contains(&item.ident.to_string()) => {
            Some(builder(item))
        }
        _ => None,
    });
    let builders = builders.collect::<String>();
    if builders.is_empty() { builders } else { format!("{MODULE}{builders}}}\n") }
}

fn builder(item: &ItemStruct) -> String {
    let mut out = format!("    ::progenitor_client::response_builder!({} {{\n", item.ident);
    for field in &item.fields {
        let Some(name) = &field.ident else { continue };
        let optional = argument(&field.ty, 0).filter(|_| foreign_name(&field.ty).is_some_and(|of| of == "Option"));
        let (kind, of) = match optional {
            // JSON is made of an `Option` too: as null.
            Some(inner) if foreign_name(inner).is_some_and(|of| of == "Value") => ("default", &field.ty),
            Some(inner) => ("optional", inner),
            // An open object has no other fields until some are given.
            None if ["default", "flatten"].iter().any(|option| has_option(&field.attrs, option)) => {
                ("default", &field.ty)
            }
            None => ("required", &field.ty),
        };
        // Writing to a string cannot fail.
        _ = writeln!(out, "        {kind} {name}: {},", one_line(of));
    }
    out + "    });\n"
}

/// Writes a path for types of the document that have none: in the builders' module, their names are those of builders.
struct Qualified;

impl VisitMut for Qualified {
    fn visit_path_mut(&mut self, path: &mut Path) {
        syn::visit_mut::visit_path_mut(self, path);
        let is_primitive = |name: &Ident| name.to_string().starts_with(|first: char| first.is_lowercase());
        if path.leading_colon.is_none()
            && let Some(name) = path.get_ident().filter(|name| !is_primitive(name))
        {
            *path = parse_quote!(types::#name);
        }
    }
}

/// A type as people write it, on one line.
fn one_line(of: &Type) -> String {
    let mut of = of.clone();
    Qualified.visit_type_mut(&mut of);
    let file = File { shebang: None, attrs: Vec::new(), items: vec![parse_quote!(type X = #of;)] };
    let text = prettyplease::unparse(&file);
    let text = text.trim().trim_start_matches("type X =").trim_end_matches(';');
    let joined = text.lines().map(str::trim).collect::<String>();
    joined.trim().replace(",>", ">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_responses_are_required_optional_or_have_a_default() {
        let mut client = syn::parse_file(
            r#"mod types {
                struct Sent { id: u8 }
                struct Page {
                    id: ::uuid::Uuid,
                    next: ::std::option::Option<::std::string::String>,
                    any: ::std::option::Option<::serde_json::Value>,
                    #[serde(default)] items: ::std::vec::Vec<Item>,
                    #[serde(flatten, skip_deserializing)] extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
                }
            }
            mod builder { struct Send<'a> { body: Result<types::builder::Sent, String> } }"#,
        )
        .expect("it is Rust");
        let text = response_builders(&mut client);
        let fields = "    ::progenitor_client::response_builder!(Page {
        required id: ::uuid::Uuid,
        optional next: ::std::string::String,
        default any: ::std::option::Option<::serde_json::Value>,
        default items: ::std::vec::Vec<types::Item>,
        default extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
    });
}
";
        assert!(text.ends_with(fields) && !text.contains("Sent"), "{text}");
    }
}
