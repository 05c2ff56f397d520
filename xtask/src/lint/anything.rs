//! Schemas without a type: they read any JSON, and the numbers in it as floats.

use std::collections::BTreeSet;

use openapi_document::{operations, reachable};
use serde_json::Value;

use super::{Findings, Rule};

/// Keywords that say what a value is. What is wrong with some of them is said by other rules.
const SAYING: [&str; 9] =
    ["type", "$ref", "allOf", "oneOf", "anyOf", "not", "properties", "items", "additionalProperties"];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let errors = only_in_errors(root);
    for node in openapi_document::schemas(root) {
        let said = SAYING.iter().find(|key| node.schema.contains_key(**key));
        match (said, node.schema.get("x-any")) {
            // A part of a union or of `allOf` only adds to the others.
            (None, None) if node.place != openapi_document::Place::Part && !in_errors(&node.pointer, &errors) => {
                findings.add(
                    Rule::Any,
                    &node.pointer,
                    "no `type`: it would be any JSON, where numbers lose digits",
                    "write its type, or `x-any: true` if the vendor does send anything",
                )
            }
            (Some(said), Some(_)) => {
                findings.add(Rule::Any, &node.pointer, format!("`x-any` beside {said:?}"), "leave one out");
            }
            _ => {}
        }
    }
}

/// Whether a schema stands in one of these components, or in an answer that is an error itself.
fn in_errors(pointer: &str, components: &BTreeSet<&str>) -> bool {
    let parts = pointer.split('/').collect::<Vec<_>>();
    match parts.as_slice() {
        ["", "components", section @ ("schemas" | "responses"), name, ..] => {
            components.contains(format!("#/components/{section}/{name}").as_str())
        }
        ["", "paths", _, _, "responses", status, ..] => !status.starts_with('2'),
        _ => false,
    }
}

/// The components that error answers refer to and nothing else does. What a job computes with does not come from there.
fn only_in_errors(root: &Value) -> BTreeSet<&str> {
    let (mut good, mut bad) = (in_requests(root), BTreeSet::new());
    for operation in operations(root) {
        let answers = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        for (status, answer) in answers {
            let found = if status.starts_with('2') { &mut good } else { &mut bad };
            found.extend(reachable(root, [answer], |_| true));
        }
    }
    &bad - &good
}

/// The components that requests refer to.
pub(super) fn in_requests(root: &Value) -> BTreeSet<&str> {
    let parts = operations(root).into_iter().flat_map(|operation| {
        let of_item = operation.item.get("parameters");
        [of_item, operation.value.get("parameters"), operation.value.get("requestBody")]
    });
    reachable(root, parts.flatten(), |_| true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::{NONE, broken};

    const NOTE: &str = "/components/schemas/Order/properties/note";

    #[test]
    fn what_has_no_type_is_marked() {
        assert_eq!(broken(NOTE, json!({"description": "d"})), ["any"]);
        assert_eq!(broken(NOTE, json!({"description": "d", "type": "array", "items": {}})), ["any"]);
        let map = json!({"description": "d", "type": "object", "additionalProperties": {}});
        assert_eq!(broken(NOTE, map), ["any"]);
        let marked = json!({"description": "d", "x-any": true});
        assert_eq!(broken(NOTE, marked), NONE);
        let marked = json!({"description": "d", "type": "array", "items": {"x-any": true}});
        assert_eq!(broken(NOTE, marked), NONE);
    }

    #[test]
    fn the_mark_is_true_and_stands_where_there_is_no_type() {
        assert_eq!(broken(NOTE, json!({"description": "d", "x-any": false})), ["mark"]);
        assert_eq!(broken(NOTE, json!({"description": "d", "x-any": true, "type": "string"})), ["any"]);
    }

    #[test]
    fn what_only_errors_hold_needs_no_mark() {
        let answer = json!({"description": "d", "content": {"application/json": {"schema": {}}}});
        assert_eq!(broken("/components/responses/Busy", answer.clone()), NONE);
        assert_eq!(broken("/paths/~1orders/get/responses/429", answer.clone()), NONE);
        assert_eq!(broken("/components/responses/Made", answer), ["example", "any"]);
    }
}
