//! Builders of types: core's `builder!`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use syn::{Expr, Field, Fields, Ident, Item, ItemStruct, Member, visit::Visit};

use super::{
    objects::boxed,
    rust_text::{attributes, indented, one_line, qualified},
};
use crate::codegen::rewrite::{argument, builders::owner, foreign_name, has_option, last_name, module};

/// Takes the builders of the types of requests out of the code, and returns their definitions by name.
pub(super) fn define(types: &mut Vec<Item>, sent: &BTreeSet<String>) -> BTreeMap<String, String> {
    let objects = types.iter().filter_map(|item| match item {
        Item::Struct(item) if sent.contains(&item.ident.to_string()) && matches!(item.fields, Fields::Named(_)) => {
            Some(item.clone())
        }
        _ => None,
    });
    let objects = objects.collect::<Vec<_>>();
    let Some(builders) = module(types, "builder") else { return BTreeMap::new() };
    let mut defined = BTreeMap::new();
    for object in objects {
        let name = object.ident.to_string();
        let own = |item: &Item| owner(item).is_some_and(|owner| owner == name);
        if !builders.iter().any(own) {
            continue;
        }
        let mut required = Required(Vec::new());
        builders.iter().filter(|item| own(item)).for_each(|item| required.visit_item(item));
        let text = builder(&object, true, |name, _| required.0.contains(name));
        builders.retain(|item| !own(item));
        defined.insert(name, text);
    }
    if builders.is_empty() {
        types.retain(|item| !matches!(item, Item::Mod(module) if module.ident == "builder"));
    }
    // The macro defines this function.
    types.retain(|item| match item {
        Item::Impl(block) if block.trait_.is_none() => {
            !last_name(&block.self_ty).is_some_and(|name| defined.contains_key(&name))
        }
        _ => true,
    });
    defined
}

/// Returns the builders of the types that no request reaches, by name: a mock responds with these types.
pub(super) fn of_responses(types: &[Item], sent: &BTreeSet<String>) -> BTreeMap<String, String> {
    let builders = types.iter().filter_map(|item| match item {
        Item::Struct(item) if matches!(item.fields, Fields::Named(_)) && !sent.contains(&item.ident.to_string()) => {
            let has_default =
                |field: &Field| ["default", "flatten"].iter().any(|option| has_option(&field.attrs, option));
            // An open object has no other fields until some are given.
            Some((item.ident.to_string(), builder(item, false, |_, field| !has_default(field))))
        }
        _ => None,
    });
    builders.collect()
}

/// The module of builders of requests, below that of the types.
pub(super) const OF_REQUESTS: &str = "/// Types for composing complex structures.
pub mod builder {
    use super::super::types;
";

/// The module of builders of responses.
pub(super) const OF_RESPONSES: &str = "
/// Builders of the types of responses, with which a mock responds: `types::X::builder()`.
pub mod builder {
    #[allow(unused_imports)]
    use crate::types;
";

/// Returns the text of a module of builders; nothing if there are none.
pub(super) fn module_text(head: &str, builders: &BTreeMap<String, String>) -> String {
    let text = builders.values().map(|text| indented(text)).collect::<String>();
    if text.is_empty() { text } else { format!("{head}{text}}}\n") }
}

/// Returns the definition of the builder of a type. The fields of a request have their documentation.
fn builder(object: &ItemStruct, has_docs: bool, is_required: impl Fn(&Ident, &Field) -> bool) -> String {
    let mut out = format!("::progenitor_client::builder!({} {{\n", object.ident);
    for field in &object.fields {
        let Some(name) = &field.ident else { continue };
        let optional = argument(&field.ty, 0).filter(|_| foreign_name(&field.ty).is_some_and(|of| of == "Option"));
        let (kind, of) = match optional {
            // JSON is made of an `Option` too: as null.
            Some(inner) if foreign_name(inner).is_some_and(|of| of == "Value") => ("default", &field.ty),
            Some(inner) => boxed(inner).map_or(("optional", inner), |object| ("boxed", object)),
            None if is_required(name, field) => ("required", &field.ty),
            None => ("default", &field.ty),
        };
        if has_docs {
            attributes(&mut out, "    ", field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")));
        }
        // Writing to a string cannot fail.
        _ = writeln!(out, "    {kind} {name}: {},", one_line(&qualified(of)));
    }
    out + "});"
}

/// The fields that a builder starts with as an error.
struct Required(Vec<Ident>);

impl Visit<'_> for Required {
    fn visit_field_value(&mut self, field: &syn::FieldValue) {
        if let (Member::Named(name), Expr::Call(call)) = (&field.member, &field.expr)
            && let Expr::Path(function) = &*call.func
            && function.path.segments.last().is_some_and(|last| last.ident == "Err")
        {
            self.0.push(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builders_of_requests_have_the_fields_of_their_types() {
        let mut file = syn::parse_file(
            r#"
            pub struct Sent {
                /// Its id.
                #[serde(rename = "Id")]
                pub id: ::uuid::Uuid,
                pub part: ::std::option::Option<Part>,
                pub any: ::std::option::Option<::serde_json::Value>,
            }
            impl Sent { pub fn builder() -> builder::Sent { Default::default() } }
            pub struct Got {}
            pub mod builder {
                pub struct Sent { id: u8 }
                impl Default for Sent { fn default() -> Self { Self { id: Err("no".to_string()), part: Ok(Default::default()) } } }
                impl TryFrom<Sent> for super::Sent {}
                impl From<super::Sent> for Sent {}
            }"#,
        )
        .expect("it is Rust");
        let builders = define(&mut file.items, &BTreeSet::from(["Sent".to_owned()]));
        let expected = "::progenitor_client::builder!(Sent {
    /// Its id.
    required id: ::uuid::Uuid,
    optional part: types::Part,
    default any: ::std::option::Option<::serde_json::Value>,
});";
        assert_eq!(builders, BTreeMap::from([("Sent".to_owned(), expected.to_owned())]));
        let code = prettyplease::unparse(&file);
        assert!(!code.contains("builder") && !code.contains("impl Sent"), "{code}");
    }

    #[test]
    fn fields_of_responses_are_required_optional_or_have_a_default() {
        let file = syn::parse_file(
            r#"struct Sent { id: u8 }
            struct Page {
                id: ::uuid::Uuid,
                next: ::std::option::Option<::std::string::String>,
                any: ::std::option::Option<::serde_json::Value>,
                #[serde(default)] items: ::std::vec::Vec<Item>,
                #[serde(flatten, skip_deserializing)] extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
            }"#,
        )
        .expect("it is Rust");
        let builders = of_responses(&file.items, &BTreeSet::from(["Sent".to_owned()]));
        let text = module_text(OF_RESPONSES, &builders);
        let fields = "    ::progenitor_client::builder!(Page {
        required id: ::uuid::Uuid,
        optional next: ::std::string::String,
        default any: ::std::option::Option<::serde_json::Value>,
        default items: ::std::vec::Vec<types::Item>,
        default extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
    });
}
";
        assert!(text.ends_with(fields) && !text.contains("Sent"), "{text}");
        assert_eq!(module_text(OF_RESPONSES, &BTreeMap::new()), "");
    }
}
