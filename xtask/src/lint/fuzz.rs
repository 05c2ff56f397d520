//! Documents that are damaged at random: what passes the rules generates, and everything else is reported in lines.

use std::cell::Cell;

use openapi_document::{
    Document, Positions,
    pointer::{child, item, unescape},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use super::{Level, lint};
use crate::{
    codegen::render,
    test_support::{MINI, mini},
};

const SPECIFICATIONS: [(&str, &str); 3] = [
    ("openapi/acronis.yaml", include_str!("../../../openapi/acronis.yaml")),
    ("openapi/genesys.yaml", include_str!("../../../openapi/genesys.yaml")),
    ("openapi/suger.yaml", include_str!("../../../openapi/suger.yaml")),
];

/// Runs a test with the same values in every run.
fn check<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&strategy, |value| {
        test(value);
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}

/// Collects the pointers of all values but the root.
fn pointers(node: &Value, pointer: &str, found: &mut Vec<String>) {
    let mut add = |pointer: String, value: &Value| {
        found.push(pointer.clone());
        pointers(value, &pointer, found);
    };
    match node {
        Value::Object(map) => map.iter().for_each(|(key, value)| add(child(pointer, key), value)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, value)| add(item(pointer, index), value)),
        _ => {}
    }
}

/// Removes the value at a pointer, or replaces it by another value or by one from elsewhere in the document.
fn damage(root: &mut Value, pointer: &str, other: &str, kind: usize) {
    let values =
        [json!(null), json!([]), json!({}), json!(""), json!("a\nb"), json!(0), json!(-1.5), json!(true), json!([{}])];
    let value = values.get(kind).cloned().or_else(|| root.pointer(other).cloned());
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    match root.pointer_mut(parent) {
        Some(Value::Object(map)) if kind >= REMOVAL => drop(map.remove(&unescape(key))),
        Some(Value::Array(list)) if kind >= REMOVAL => {
            if let Some(index) = key.parse().ok().filter(|index| *index < list.len()) {
                list.remove(index);
            }
        }
        _ => {
            if let (Some(target), Some(value)) = (root.pointer_mut(pointer), value) {
                *target = value;
            }
        }
    }
}

/// The kinds of damage: nine values, three times a value from elsewhere, six times the removal.
const KINDS: usize = 18;
const REMOVAL: usize = 12;

/// Damages a document at up to `most` locations. The first documents without errors have to generate.
fn fuzz(original: &Document, cases: u32, most: usize, generated: usize) {
    let generated = Cell::new(generated);
    let mut all = Vec::new();
    pointers(&original.root, "", &mut all);
    check(cases, vec((any::<Index>(), any::<Index>(), 0..KINDS), 1..=most), |damages| {
        let mut root = original.root.clone();
        for (at, other, kind) in damages {
            damage(&mut root, at.get::<String>(&all), other.get::<String>(&all), kind);
        }
        let document = Document { name: original.name.clone(), sha256: String::new(), root };
        let findings = lint(&document);
        for finding in findings.iter().map(ToString::to_string) {
            assert_eq!(finding.lines().count(), 1, "{finding}");
        }
        if generated.get() > 0 && findings.iter().all(|finding| finding.rule.level != Level::Error) {
            generated.set(generated.get() - 1);
            assert_eq!(render(document).err(), None, "it passed");
        }
    });
}

#[test]
fn document_without_errors_generates() {
    fuzz(&mini(), 300, 1, 10);
}

#[test]
fn damaged_document_is_reported_in_lines() {
    fuzz(&mini(), 200, 40, 0);
}

#[test]
fn damaged_specification_is_reported_in_lines() {
    for (name, text) in SPECIFICATIONS {
        fuzz(&Document::parse(name, text).expect("it is YAML"), 3, 5, 0);
    }
}

/// Strings that mean something to a parser of YAML or JSON.
const TOKENS: [&str; 24] = [
    "{", "}", "[", "]", ":", ": ", ",", "-", "- ", "? ", "&a", "*a", "!!t", "|", ">", "'", "\"", "#", "%", "\t", "\n",
    "\\u0", "\0", "<<: ",
];

#[test]
fn garbled_text_is_reported_in_lines_with_positions_inside_it() {
    check(300, vec((any::<Index>(), 0..20_usize, select(&TOKENS[..])), 1..4), |edits| {
        let mut text = MINI.to_owned();
        for (at, removed, token) in edits {
            let at = at.index(text.len());
            text.replace_range(at..(at + removed).min(text.len()), token);
        }
        let positions = Positions::of(&text);
        for name in ["a.yaml", "a.json"] {
            match Document::parse(name, &text) {
                Ok(document) => {
                    for finding in lint(&document) {
                        let line = positions.at(&finding.pointer).line;
                        assert!((1..=text.lines().count()).contains(&line), "{line}: {finding}");
                    }
                }
                Err(error) => assert_eq!(error.lines().count(), 1, "{error}"),
            }
        }
    });
}
