//! The report's form: its JSON, its fingerprints, its lines.

use serde_json::{Value, json};
use spec_diff::{JSON_SCHEMA, Level, NotOpenApi, Options, Owner, Report, Side, diff, to_json};

use crate::support::{compare, in_request, in_response, lines, yaml};

/// A report with findings of several kinds.
fn report(api: &str) -> Report {
    let base = in_response(&yaml("{properties: {a: {type: string}, b: {type: string}}, required: [b]}"), &json!({}));
    let mut revision = in_response(&yaml("{properties: {a: {type: integer}, c: {enum: [x]}}}"), &json!({}));
    revision["servers"] = json!([{"url": "https://example.com"}]);
    revision["paths"]["/thing"]["get"]["operationId"] = json!("thing");
    diff(&base, &revision, &Options { api: api.into(), ..Options::default() }).unwrap()
}

#[test]
fn json_of_the_library_is_as_its_schema_describes() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let json = to_json(&[report("one"), report("two")]);
    assert_eq!(mismatch(&schema, &schema, &json), None, "{json:#}");
    assert_eq!(json["schema"], 1);
    assert_eq!(json["apis"].as_array().map(Vec::len), Some(2));
    assert!(
        json["changes"]
            .as_array()
            .is_some_and(|changes| changes.len() >= 10 && changes.iter().any(|change| change["api"] == "two"))
    );
    for wrong in [
        json!({"schema": 2, "apis": [], "changes": []}),
        json!({"schema": 1, "apis": []}),
        json!({"schema": 1, "apis": [], "changes": [{"api": 1}]}),
    ] {
        assert!(mismatch(&schema, &schema, &wrong).is_some(), "{wrong}");
    }
}

/// What of a value is not as the schema states, for the few keywords that ours has: a validator of everything would be forty more crates
/// in the lock file for this one test. Members that the schema does not describe are a mismatch too.
pub(crate) fn mismatch(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let reject = |why: &str| Some(format!("{why}: {value} is not as {schema}"));
    if let Some(reference) = schema["$ref"].as_str() {
        return mismatch(root, root.pointer(&reference[1..]).expect("a target"), value);
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return reject("const");
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return reject("enum");
    }
    if let Some(forms) = schema["oneOf"].as_array() {
        let fitting = forms.iter().filter(|form| mismatch(root, form, value).is_none()).count();
        return if fitting == 1 { None } else { reject("oneOf") };
    }
    let is = |name: &Value| match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(_) => name == "integer",
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    };
    let types = schema.get("type").map_or(vec![], |name| name.as_array().cloned().unwrap_or(vec![name.clone()]));
    if !types.is_empty() && !types.iter().any(is) {
        return reject("type");
    }
    if let Some(items) = value.as_array() {
        return items.iter().find_map(|item| mismatch(root, &schema["items"], item));
    }
    let members = value.as_object().filter(|_| schema.get("properties").is_some())?;
    let missing =
        schema["required"].as_array()?.iter().find(|name| !members.contains_key(name.as_str().unwrap_or_default()));
    if let Some(name) = missing {
        return reject(&format!("{name} is missing"));
    }
    members.iter().find_map(|(name, member)| match schema["properties"].get(name) {
        Some(schema) => mismatch(root, schema, member),
        None => reject(&format!("{name} is not described")),
    })
}

#[test]
fn fingerprint_depends_on_the_change_only() {
    let print = |base: &str, revision: &str| {
        let report = compare(&in_response(&yaml(base), &json!({})), &in_response(&yaml(revision), &json!({})));
        report.changes[0].fingerprint.clone()
    };
    let first = print("{properties: {a: {type: string}}}", "{properties: {a: {type: integer}}}");
    // Another property before it, and a description, are not part of the change.
    let moved = print(
        "{properties: {A: {type: string}, a: {type: string}}}",
        "{properties: {A: {type: string}, a: {type: integer, description: now a number}}}",
    );
    assert_eq!(first, moved);
    assert_ne!(first, print("{properties: {a: {type: string}}}", "{properties: {a: {type: boolean}}}"));
    assert_ne!(report("one").changes[0].fingerprint, report("two").changes[0].fingerprint);
    assert_eq!(first.len(), 12);
}

#[test]
fn positions_are_filled_in_on_both_sides() {
    let mut report = report("one");
    report
        .locate(|side, location| (side == Side::Base && location.pointer.starts_with("/components")).then_some((7, 3)));
    let members: Vec<_> = report.changes.iter().flat_map(|change| &change.members).collect();
    assert!(members.iter().filter_map(|member| member.base.as_ref()).any(|location| location.line == Some(7)));
    assert!(members.iter().filter_map(|member| member.revision.as_ref()).all(|location| location.line.is_none()));
}

#[test]
fn document_that_is_not_openapi_is_an_error() {
    let good = in_response(&json!({}), &json!({}));
    let rejected = diff(&good, &json!({"swagger": "2.0", "paths": {}}), &Options::default());
    assert_eq!(rejected, Err(NotOpenApi { side: Side::Revision, found: "it is Swagger 2.0; convert it first".into() }));
}

#[test]
fn messages_stay_short_and_on_one_line() {
    let schema = |count: usize, text: &str| {
        let properties: serde_json::Map<_, _> =
            (0..count).map(|index| (format!("p{index:02}"), json!({"type": "string", "default": text}))).collect();
        in_response(&json!({"type": "object", "properties": properties}), &json!({}))
    };
    let report = compare(&schema(12, "a"), &schema(12, &format!("b\n\u{202e}{}", "x".repeat(100))));
    let message = &report.changes[0].message;
    assert!(message.contains(r"p00 (a → b\n\u{202e}xxx"), "{message}");
    assert!(message.contains("xxx…), p01"), "{message}");
    assert!(message.contains("xxx…) and 2 more: "), "{message}");
    assert!(!message.contains("p10") && message.lines().count() == 1, "{message}");
    assert_eq!(report.changes[0].members.len(), 12, "the members themselves are all there");
}

#[test]
fn same_edit_in_many_owners_is_one_finding_of_the_document() {
    let thing = |index: usize, more: &str| json!({"type": "object", "properties": {"id": {"type": "string"}, format!("p{index}"): yaml(more)}});
    let document = |count: usize, closed: bool, more: &str| {
        let mut others = json!({});
        for index in 0..count {
            others[format!("T{index:02}")] = thing(index, more);
            if closed {
                others[format!("T{index:02}")]["additionalProperties"] = json!(false);
            }
        }
        let uses: serde_json::Map<_, _> = (0..count)
            .map(|index| (format!("t{index}"), json!({"$ref": format!("#/components/schemas/T{index:02}")})))
            .collect();
        in_request(&json!({"type": "object", "properties": uses}), &others)
    };
    let report = compare(&document(9, false, "{}"), &document(9, true, "{}"));
    assert_eq!(report.changes.len(), 9);
    let report = compare(&document(10, false, "{}"), &document(10, true, "{}"));
    assert_eq!(report.changes.len(), 1);
    let change = &report.changes[0];
    assert_eq!((change.owner.clone(), change.level), (Owner::Document, Level::Breaking));
    assert_eq!((change.members.len(), change.members[9].name.as_str()), (10, "T09"));
    assert_eq!(change.operations.len(), 1);
    // The members have other names: not the same edit, unless it is one of an enum's values.
    let report = compare(&document(10, false, "{type: string}"), &document(10, false, "{type: integer}"));
    assert_eq!(report.changes.len(), 10);
    let values = |values: &str| document(10, false, &format!("{{type: string, enum: [{values}]}}"));
    let report = compare(&values("a, b"), &values("a"));
    assert_eq!(lines(&report).len(), 1);
    assert_eq!(report.changes[0].members[0].name, "T00: p0");
}

#[test]
fn message_on_a_schema_that_another_one_replaces_states_that() {
    let schema = |name: &str| yaml(&format!("{{properties: {{x: {{$ref: '#/components/schemas/{name}'}}}}}}"));
    let others = yaml("{A: {properties: {a: {type: string}, c: {}}}, B: {properties: {c: {}}}}");
    let report = compare(&in_response(&schema("A"), &others), &in_response(&schema("B"), &others));
    assert_eq!(
        report.changes[0].message,
        "A, in responses: a (string): an optional property was removed (the schema still has it; another one is used in its place)"
    );
    let less = yaml("{A: {properties: {c: {}}}, B: {properties: {c: {}}}}");
    let report = compare(&in_response(&schema("A"), &others), &in_response(&schema("A"), &less));
    assert!(report.changes[0].message.ends_with("was removed"), "{}", report.changes[0].message);
}
