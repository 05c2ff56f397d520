//! Tables of edits, each made in documents of a kind. What is found there and back is in a snapshot for each table.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use spec_diff::{Change, Options, Report, diff};

use crate::support::line;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "shared")]
    _anchors: IgnoredAny,
    tables: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    about: String,
    /// Members of documents, with `EDIT` in place of either side of an edit.
    #[serde(rename = "in")]
    documents: Vec<Value>,
    /// Versions of OpenAPI, each for both sides or as `base -> revision`, that have the same findings.
    #[serde(default = "usual_versions")]
    versions: Vec<String>,
    #[serde(default)]
    expect: Expected,
    edits: Vec<[Value; 2]>,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    #[default]
    Snapshot,
    Nothing,
}

fn usual_versions() -> Vec<String> {
    vec!["3.0.3".to_owned()]
}

/// Replaces `EDIT` in a document's members.
fn filled(template: &Value, edit: &Value) -> Value {
    match template {
        Value::String(text) if text == "EDIT" => edit.clone(),
        Value::Array(items) => items.iter().map(|item| filled(item, edit)).collect(),
        Value::Object(members) => members.iter().map(|(key, member)| (key.clone(), filled(member, edit))).collect(),
        other => other.clone(),
    }
}

/// A document with these members, whose operations respond with something.
fn document(version: &str, members: Value) -> Value {
    let mut document = json!({"openapi": version, "info": {"title": "Test", "version": "1"}});
    if let (Value::Object(document), Value::Object(members)) = (&mut document, members) {
        document.extend(members);
    }
    let items = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for (method, operation) in items.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten()) {
        if let (Value::Object(operation), "get" | "post" | "put") = (operation, method.as_str()) {
            operation.entry("responses").or_insert(json!({"204": {"description": "done"}}));
        }
    }
    document
}

/// `breaking request-body-type-changed (POST /thing)`, for all findings but those that only concern names.
fn lines(prefix: &str, report: &Report) -> String {
    let operations = |change: &Change| change.operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let line = |change: &Change| format!("  {prefix}{} ({})\n", line(change), operations(change)).replace(" ()", "");
    report.changes.iter().filter(|change| !change.id.starts_with("api-schema-")).map(line).collect()
}

impl Table {
    /// Lists the findings in a document: there, back, and those that are there without the edit.
    fn found(&self, version: &str, template: &Value, [base, revision]: &[Value; 2]) -> String {
        let (old_version, new_version) = version.split_once(" -> ").unwrap_or((version, version));
        let [old, new] = [base, revision].map(|edit| filled(template, edit));
        assert_eq!(old == new, base == revision, "{}: no EDIT in {template}", self.about);
        let (old, new) = (document(old_version, old), document(new_version, new));
        let options = Options { today: Some("2026-11-22".to_owned()), ..Options::default() };
        [("", &old, &new), ("back: ", &new, &old), ("unchanged: ", &old, &old)]
            .map(|(prefix, base, revision)| lines(prefix, &diff(base, revision, &options).unwrap()))
            .concat()
    }

    fn findings(&self, edit: &[Value; 2]) -> String {
        let mut text = String::new();
        for (index, template) in self.documents.iter().enumerate() {
            let found = self.found(&self.versions[0], template, edit);
            for version in &self.versions[1..] {
                assert_eq!(self.found(version, template, edit), found, "{}, {version}: {edit:?}", self.about);
            }
            if self.documents.len() > 1 && !found.is_empty() {
                text += &format!("in {}:\n", index + 1);
            }
            text += &found;
        }
        text
    }

    fn check(&self) {
        if self.expect == Expected::Nothing {
            self.edits.iter().for_each(|edit| assert_eq!(self.findings(edit), "", "{}: {edit:?}", self.about));
            return;
        }
        let row = |edit: &[Value; 2]| format!("{}\n{}\n{}\n", edit[0], edit[1], self.findings(edit));
        let text: String = self.edits.iter().map(row).collect();
        let name = self.about.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        insta::assert_snapshot!(name, text);
    }
}

fn check(text: &str) {
    let file: File = serde_saphyr::from_str(text).unwrap();
    file.tables.iter().for_each(Table::check);
}

#[test]
fn edits_of_schemas_have_the_expected_findings() {
    check(include_str!("schemas.yaml"));
}

#[test]
fn edits_of_operations_have_the_expected_findings() {
    check(include_str!("api.yaml"));
}
