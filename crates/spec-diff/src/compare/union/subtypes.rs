//! Subtypes: components that include another one with `allOf`.

use std::collections::{BTreeSet, HashMap};

use openapi_document::DocumentTree;
use serde_json::Value;

/// The largest number of subtypes of a component, direct and indirect.
const DESCENDANTS: usize = 1_000;

/// Components by the component that they include with `allOf`: its subtypes, if it has a discriminator.
pub(in crate::compare) type Subtypes<'a> = HashMap<&'a str, Vec<&'a str>>;

/// Returns the subtypes of a document's components.
pub(in crate::compare) fn subtypes<'a>(document: &DocumentTree<'a>) -> Subtypes<'a> {
    let mut subtypes = Subtypes::new();
    for (name, schema) in document.components("schemas").into_iter().flatten() {
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            let reference = part.get("$ref").and_then(Value::as_str);
            if let Some(parent) = reference.and_then(|reference| reference.strip_prefix(openapi_document::SCHEMAS)) {
                subtypes.entry(parent).or_default().push(name.as_str());
            }
        }
    }
    subtypes
}

/// Returns the subtypes of a component, and theirs.
pub(in crate::compare) fn descendants<'a>(subtypes: &Subtypes<'a>, parent: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![parent];
    while let Some(parent) = next.pop() {
        for child in subtypes.get(parent).into_iter().flatten() {
            if found.len() < DESCENDANTS && found.insert(*child) {
                next.push(child);
            }
        }
    }
    found
}
