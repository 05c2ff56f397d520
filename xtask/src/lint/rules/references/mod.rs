//! Rules about references.

pub(in crate::lint) mod reference;
pub(in crate::lint) mod reference_sibling;
pub(in crate::lint) mod reference_text;
pub(in crate::lint) mod unused;

use crate::lint::{Context, Findings, context::Reference};

/// Fields that state another value than that of the component, or another parameter.
const CHANGES: [&str; 14] = [
    "nullable",
    "type",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "enum",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "schema",
    "name",
    "in",
];

/// Finds a field beside each reference: one that changes the value, or one that does not.
fn siblings(context: &Context<'_>, findings: &mut Findings, changing: bool) {
    for Reference { pointer, node, .. } in &context.references {
        let mut keys = node.keys().filter(|key| *key != "$ref");
        if let Some(key) = keys.find(|key| CHANGES.contains(&key.as_str()) == changing) {
            let message = format!("{key:?} beside a $ref is ignored");
            findings.add(pointer, message, "write `allOf: [{$ref: …}]` instead of the $ref");
        }
    }
}
