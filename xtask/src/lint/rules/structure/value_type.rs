//! `value-type`: a value does not have the JSON type that its field takes.

use openapi_document::pointer::{child, item};
use serde_json::Value;

use super::{for_each_object, grammar::ValueType};
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "value-type",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A value does not have the JSON type that its field takes.",
    why: "The generator fails on it, with a message about something else.",
    instead: "Write a value of the type that the message names, or leave the field out.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/tags",
        value: r#""orders""#,
        found_at: "/paths/~1orders~1{orderId}/get/tags",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.root.as_object();
    for key in ["info", "paths"].into_iter().filter(|key| document.is_some_and(|map| !map.contains_key(*key))) {
        findings.add("", format!("no `{key}`"), "write it");
    }
    for_each_object(context, &mut |map, shape, pointer| {
        for (key, value) in map {
            if let Some(expected) = shape.type_of(key).filter(|expected| !expected.fits(value)) {
                mismatch(expected, value, &child(pointer, key), findings);
            }
        }
    });
}

/// Adds a finding at the entry that is wrong, if only one of several is.
fn mismatch(expected: ValueType, value: &Value, pointer: &str, findings: &mut Findings) {
    let mut at = |at: &str, expected: ValueType| {
        findings.add(at, format!("not {}", expected.name()), format!("write {}, or leave it out", expected.name()));
    };
    match (expected, value) {
        (ValueType::NamedObjects, Value::Object(map)) => {
            for (name, _) in map.iter().filter(|(_, value)| !value.is_object()) {
                at(&child(pointer, name), ValueType::Object);
            }
        }
        (ValueType::Strings | ValueType::Objects, Value::Array(list)) => {
            let expected = if expected == ValueType::Strings { ValueType::String } else { ValueType::Object };
            for (index, _) in list.iter().enumerate().filter(|(_, value)| !expected.fits(value)) {
                at(&item(pointer, index), expected);
            }
        }
        _ => at(pointer, expected),
    }
}
