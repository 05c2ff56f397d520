//! Pairs of small documents, each after something that went wrong for users of tools like this one, with the levels that are right for
//! a program that calls the API.

use serde::Deserialize;
use serde_json::{Map, Value};

use spec_diff::{Options, diff};

use crate::support::lines;

/// One line of `cases.jsonl`. Members of the document that are the same on both sides are in `both`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    what: String,
    right: Vec<String>,
    both: Map<String, Value>,
    base: Map<String, Value>,
    revision: Map<String, Value>,
}

/// Cases that are judged otherwise, each with the reason. At most five.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn every_case_has_one_of_its_right_levels() {
    assert!(EXCEPTIONS.len() <= 5);
    let options = Options { today: Some("2026-11-29".to_owned()), ..Options::default() };
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in include_str!("cases.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let document = |own: &Map<String, Value>| {
            let mut document = case.both.clone();
            document.extend(own.clone());
            Value::from(document)
        };
        let report = diff(&document(&case.base), &document(&case.revision), &options).unwrap();
        let is_right = case.right.iter().any(|level| *level == report.wire.to_string());
        let is_exception = EXCEPTIONS.iter().any(|(name, _)| *name == case.name);
        if is_right == is_exception {
            wrong.push(format!(
                "{} ({}): {}, right {:?}: {:#?}",
                case.name,
                case.what,
                report.wire,
                case.right,
                lines(&report)
            ));
        }
        count += 1;
    }
    assert_eq!(count, 190);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
