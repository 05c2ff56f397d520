//! Builders of types: core's `builder!`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use syn::{Expr, Field, Fields, Ident, Item, ItemStruct, Member, parse_quote, visit::Visit};

use super::{
    definitions::Definitions,
    objects::boxed,
    rust_text::{attributes, one_line, qualified},
};
use crate::codegen::rewrite::{builders::owner, foreign_name, last_name, module, null_collections::argument};

/// Defines the builders of the types of requests.
pub(super) fn define(types: &mut Vec<Item>, sent: &BTreeSet<String>, definitions: &mut Definitions) {
    let objects = types.iter().filter_map(|item| match item {
        Item::Struct(item) if sent.contains(&item.ident.to_string()) && matches!(item.fields, Fields::Named(_)) => {
            Some(item.clone())
        }
        _ => None,
    });
    let objects = objects.collect::<Vec<_>>();
    let Some(builders) = module(types, "builder") else { return };
    let mut defined = BTreeSet::new();
    for object in objects {
        let name = object.ident.to_string();
        let own = |item: &Item| owner(item).is_some_and(|owner| owner == name);
        let Some(at) = builders.iter().position(own) else { continue };
        let mut required = Required(Vec::new());
        builders.iter().filter(|item| own(item)).for_each(|item| required.visit_item(item));
        let text = builder(&object, true, |name, _| required.0.contains(name));
        builders[at] = definitions.add(text);
        builders.retain(|item| !own(item));
        defined.insert(name);
    }
    builders.insert(
        0,
        parse_quote!(
            use super::super::types;
        ),
    );
    // The macro defines this function.
    types.retain(|item| match item {
        Item::Impl(block) if block.trait_.is_none() => {
            !last_name(&block.self_ty).is_some_and(|name| defined.contains(&name))
        }
        _ => true,
    });
}

/// Returns the definition of the builder of a type. The fields of a request have their documentation.
pub(in crate::codegen) fn builder(
    object: &ItemStruct,
    has_docs: bool,
    is_required: impl Fn(&Ident, &Field) -> bool,
) -> String {
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
    fn builders_of_requests_are_defined_by_the_fields_of_their_types() {
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
        let mut definitions = Definitions::default();
        define(&mut file.items, &BTreeSet::from(["Sent".to_owned()]), &mut definitions);
        let code = definitions.splice(&prettyplease::unparse(&file));
        let expected = "pub mod builder {
    use super::super::types;
    ::progenitor_client::builder!(Sent {
        /// Its id.
        required id: ::uuid::Uuid,
        optional part: types::Part,
        default any: ::std::option::Option<::serde_json::Value>,
    });
}
";
        assert!(code.ends_with(expected) && !code.contains("impl Sent"), "{code}");
    }
}
