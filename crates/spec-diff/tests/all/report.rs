//! The report's form: its JSON, its fingerprints, its lines.

use serde_json::{Value, json};
use spec_diff::{Accepted, AcceptedKind, JSON_SCHEMA, NotOpenApi, Options, Report, Side, diff, to_json};

use crate::support::{compare, in_response, yaml};

/// A report with findings of several kinds.
fn report(api: &str) -> Report {
    let base = in_response(&yaml("{properties: {a: {type: string}, b: {type: string}}, required: [b]}"), &json!({}));
    let mut revision = in_response(&yaml("{properties: {a: {type: integer}, c: {enum: [x]}}}"), &json!({}));
    revision["servers"] = json!([{"url": "https://example.com"}]);
    revision["paths"]["/thing"]["get"]["operationId"] = json!("thing");
    diff(&base, &revision, &Options { api: api.into(), ..Options::default() }).unwrap()
}

#[test]
fn the_json_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut one = report("one");
    one.changes[0].accepted = Some(Accepted { kind: AcceptedKind::Vendor, reason: "known".into(), until: None });
    let json = to_json(&[one, report("two")]);
    let errors: Vec<_> =
        validator.iter_errors(&json).map(|error| format!("{error} at {}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{json:#}");
    assert_eq!(json["schema"], 1);
    assert_eq!(json["apis"].as_array().map(Vec::len), Some(2));
    assert!(
        json["changes"]
            .as_array()
            .is_some_and(|changes| changes.len() >= 10 && changes.iter().any(|change| change["api"] == "two"))
    );
    assert!(!validator.is_valid(&json!({"schema": 2, "apis": [], "changes": []})));
}

#[test]
fn fingerprints_stay_when_lines_and_order_move_and_differ_when_the_change_does() {
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
fn lines_are_filled_in_on_both_sides() {
    let mut report = report("one");
    report.locate(|side, pointer| (side == Side::Base && pointer.starts_with("/components")).then_some(7));
    let members: Vec<_> = report.changes.iter().flat_map(|change| &change.members).collect();
    assert!(members.iter().filter_map(|member| member.base.as_ref()).any(|location| location.line == Some(7)));
    assert!(members.iter().filter_map(|member| member.revision.as_ref()).all(|location| location.line.is_none()));
}

#[test]
fn accepted_findings_are_not_open() {
    let mut report = report("one");
    let all = report.open().count();
    report.changes[0].accepted =
        Some(Accepted { kind: AcceptedKind::Correction, reason: "ours was wrong".into(), until: None });
    assert_eq!(report.open().count(), all - 1);
}

#[test]
fn what_is_no_openapi_document_is_refused_by_name() {
    let good = in_response(&json!({}), &json!({}));
    let refused = diff(&good, &json!({"swagger": "2.0", "paths": {}}), &Options::default());
    assert_eq!(refused, Err(NotOpenApi { side: Side::Revision, found: "it is Swagger 2.0; convert it first".into() }));
}
