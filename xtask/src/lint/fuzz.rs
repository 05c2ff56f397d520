//! Documents that were damaged at random: what passes the rules generates, and what does not is told in lines.

use std::panic::{AssertUnwindSafe, catch_unwind};

use openapi_document::{
    Document, Positions,
    pointer::{child, item},
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

/// Marsaglia's xorshift: the same damage in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap_or(1)).unwrap_or_default()
    }
}

/// All places but the root.
fn places(node: &Value, pointer: &str, found: &mut Vec<String>) {
    let mut place = |pointer: String, value: &Value| {
        found.push(pointer.clone());
        places(value, &pointer, found);
    };
    match node {
        Value::Object(map) => map.iter().for_each(|(key, value)| place(child(pointer, key), value)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, value)| place(item(pointer, index), value)),
        _ => {}
    }
}

/// Takes the value at a place out, or puts another in; says what it did, or nothing if the place is of another kind by now.
fn damage(root: &mut Value, pointer: &str, dice: &mut Dice, other: &str) -> Option<String> {
    let other = root.pointer(other).cloned();
    let (parent, key) = pointer.rsplit_once('/')?;
    if dice.below(3) == 0 {
        match root.pointer_mut(parent)? {
            Value::Object(map) => drop(map.remove(&openapi_document::pointer::unescape(key))),
            Value::Array(list) => {
                let index = key.parse().ok().filter(|index| *index < list.len())?;
                drop(list.remove(index));
            }
            _ => return None,
        }
        return Some(format!("{pointer} gone"));
    }
    let values =
        [json!(null), json!([]), json!({}), json!(""), json!("a\nb"), json!(0), json!(-1.5), json!(true), json!([{}])];
    // The last one stands for a value from elsewhere in the document.
    let value = values.get(dice.below(values.len() + 3)).cloned().or(other)?;
    let text = format!("{pointer} is {value}");
    *root.pointer_mut(pointer)? = value;
    Some(text)
}

/// Damages a document so many times, each time anew, at one place or at several; whether it generates is asked of the first
/// that pass.
fn fuzz(original: &Document, times: usize, most: usize, mut generated: usize) {
    let mut dice = Dice(0x5eed);
    let mut all = Vec::new();
    places(&original.root, "", &mut all);
    for _ in 0..times {
        let mut root = original.root.clone();
        let mut done = Vec::new();
        for _ in 0..=dice.below(most) {
            let (place, other) = (dice.below(all.len()), dice.below(all.len()));
            done.extend(damage(&mut root, &all[place], &mut dice, &all[other]));
        }
        let document = Document { name: original.name.clone(), sha256: String::new(), root };
        let said = catch_unwind(AssertUnwindSafe(|| {
            let findings = lint(&document);
            for finding in findings.iter().map(ToString::to_string) {
                assert_eq!(finding.lines().count(), 1, "{finding}");
            }
            if generated > 0 && findings.iter().all(|finding| finding.rule.level != Level::Error) {
                generated -= 1;
                let failed = render(&document).err();
                assert_eq!(failed, None, "it passed");
            }
        }));
        assert!(said.is_ok(), "{done:?} in {}", document.name);
    }
}

#[test]
fn what_passes_the_rules_generates() {
    fuzz(&mini(), 300, 1, 10);
}

#[test]
fn a_ruin_of_a_document_is_told_in_lines() {
    fuzz(&mini(), 200, 40, 0);
}

#[test]
fn a_damaged_specification_is_told_in_lines() {
    for (name, text) in SPECIFICATIONS {
        fuzz(&Document::parse(name, text).expect("it is YAML"), 3, 5, 0);
    }
}

/// What means something to a parser of YAML or JSON.
const LETTERS: [&str; 24] = [
    "{", "}", "[", "]", ":", ": ", ",", "-", "- ", "? ", "&a", "*a", "!!t", "|", ">", "'", "\"", "#", "%", "\t", "\n",
    "\\u0", "\0", "<<: ",
];

#[test]
fn a_garbled_text_is_told_in_lines_with_places_inside_it() {
    let mut dice = Dice(0x5eed);
    for _ in 0..300 {
        let mut text = MINI.to_owned();
        for _ in 0..=dice.below(3) {
            let (at, gone) = (dice.below(text.len()), dice.below(20));
            let end = (at + gone).min(text.len());
            text.replace_range(at..end, LETTERS[dice.below(LETTERS.len())]);
        }
        for name in ["a.yaml", "a.json"] {
            let said = catch_unwind(|| {
                let positions = Positions::of(&text);
                match Document::parse(name, &text) {
                    Ok(document) => {
                        for finding in lint(&document) {
                            let line = positions.at(&finding.pointer).line;
                            assert!((1..=text.lines().count()).contains(&line), "{line}: {finding}");
                        }
                    }
                    Err(error) => assert_eq!(error.lines().count(), 1, "{error}"),
                }
            });
            assert!(said.is_ok(), "{text}");
        }
    }
}
