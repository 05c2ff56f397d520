//! The alternatives of a union: their names, forms and types.

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use crate::schema::{Schema, Types, Union, Usage};

/// Returns the types of all alternatives.
pub(super) fn types_of<'a>(document: &DocumentTree<'a>, variants: &[Node<'a>]) -> Types<'a> {
    Types::union(variants.iter().map(|variant| normal(document, variant).types)).unwrap_or_default()
}

/// The depth to which unnamed alternatives are flattened.
const FLAT_DEPTH: u8 = 6;

/// Returns the union with the alternatives of nested ones in their place: `anyOf` in `anyOf` takes the same values. Components remain, because
/// they are paired by name.
pub(super) fn flat<'a>(document: &DocumentTree<'a>, union: &Union<'a>) -> Union<'a> {
    let mut variants = Vec::with_capacity(union.variants.len());
    flatten(document, union, FLAT_DEPTH, &mut variants);
    Union { any: union.any, at: union.at.clone(), variants }
}

fn flatten<'a>(document: &DocumentTree<'a>, union: &Union<'a>, depth: u8, variants: &mut Vec<Node<'a>>) {
    for variant in &union.variants {
        let usage = Usage::of(document, std::slice::from_ref(variant));
        let schema = Schema::of(document, &usage.core);
        match schema.unions.as_slice() {
            [nested]
                if union.any
                    && nested.any
                    && depth > 0
                    && usage.nullable.is_none()
                    && name(variant).is_none()
                    && schema.is_bare_union() =>
            {
                flatten(document, nested, depth - 1, variants);
            }
            _ => variants.push(variant.clone()),
        }
    }
}

/// Returns the component that an alternative is, if it is one: a reference, bare or in a single `allOf`.
pub(super) fn name<'a>(variant: &Node<'a>) -> Option<&'a str> {
    let wrapped = || match variant.value.get("allOf")?.as_array()?.as_slice() {
        [only] => only.get("$ref")?.as_str(),
        _ => None,
    };
    variant.text("$ref").or_else(wrapped)?.strip_prefix(openapi_document::SCHEMAS)
}

/// Returns what to call an alternative.
pub(super) fn label(variant: &Node<'_>) -> Value {
    let title = variant.text("$ref").map(|reference| reference.rsplit('/').next().unwrap_or(reference));
    let title = title.or(variant.text("title")).or(variant.text("type"));
    Value::from(title.unwrap_or("an unnamed alternative"))
}

pub(super) fn labels(variants: &[Node<'_>]) -> Value {
    Value::from(variants.iter().take(8).map(label).collect::<Vec<_>>())
}

pub(super) fn normal<'a>(document: &DocumentTree<'a>, variant: &Node<'a>) -> Schema<'a> {
    Schema::of(document, &Usage::of(document, std::slice::from_ref(variant)).core)
}
