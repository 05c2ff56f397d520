//! `any`: a schema has no type, or `x-any` is beside one.

use std::collections::BTreeSet;

use openapi_document::{SchemaLocation, reachable};
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "any",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A schema has no type, or `x-any` is beside one.",
    why: "A schema without a type reads any JSON, and the numbers in it as floats.",
    instead: "Write its type, or `x-any: true` if the vendor does send any JSON.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/type",
        value: "null",
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

/// Keywords that state what a value is. Other rules check some of them.
const TYPED_BY: [&str; 9] =
    ["type", "$ref", "allOf", "oneOf", "anyOf", "not", "properties", "items", "additionalProperties"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let errors = only_in_errors(context);
    for node in &context.schemas {
        let typed_by = TYPED_BY.iter().find(|key| node.schema.contains_key(**key));
        match (typed_by, node.schema.get("x-any")) {
            // A part of a union or of `allOf` only adds to the others.
            (None, None) if node.location != SchemaLocation::Subschema && !is_in_error(&node.pointer, &errors) => {
                findings.add(
                    &node.pointer,
                    "no `type`: it would be any JSON, where numbers lose digits",
                    "write its type, or `x-any: true` if the vendor does send any JSON",
                )
            }
            (Some(key), Some(_)) => {
                findings.add(&node.pointer, format!("`x-any` beside {key:?}"), "leave one out");
            }
            _ => {}
        }
    }
}

/// Returns whether a schema is in one of these components, or in an error response.
fn is_in_error(pointer: &str, components: &BTreeSet<&str>) -> bool {
    let parts = pointer.split('/').collect::<Vec<_>>();
    match parts.as_slice() {
        ["", "components", section @ ("schemas" | "responses"), name, ..] => {
            components.contains(format!("#/components/{section}/{name}").as_str())
        }
        ["", "paths", _, _, "responses", status, ..] => !status.starts_with('2'),
        _ => false,
    }
}

/// Returns the components that only error responses refer to. A job does not compute with their values.
fn only_in_errors<'a>(context: &Context<'a>) -> BTreeSet<&'a str> {
    let (mut good, mut bad) = (context.in_requests(), BTreeSet::new());
    for operation in &context.operations {
        let responses = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        for (status, response) in responses {
            let found = if status.starts_with('2') { &mut good } else { &mut bad };
            found.extend(reachable(context.root, [response], |_| true));
        }
    }
    &bad - &good
}
