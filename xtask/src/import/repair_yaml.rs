//! YAML that is broken in places, such as the examples that some generators write: blocks that cannot be read are
//! blanked and reported.

use std::collections::BTreeSet;

use openapi_document::{Budget, Unread, YamlError};
use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;

/// The maximum number of blocks that are blanked: a text with more is not YAML.
const MAX_REPAIRS: usize = 200;

/// Reads YAML. What was passed over is added to `skipped`, a line each.
pub(super) fn yaml(
    file: &str,
    text: &str,
    (budget, unread): (&Budget, Unread),
    skipped: &mut Vec<String>,
) -> Result<Value, String> {
    let mut lines = Vec::new();
    let mut blanked = Vec::new();
    let mut tried = BTreeSet::new();
    let mut read = parse(text, (budget, unread), skipped, file);
    loop {
        let (line, message) = match read {
            Ok(value) => {
                skipped.extend(blanked);
                return Ok(value);
            }
            Err(failure) => failure,
        };
        let error = format!("{file}:{line}: {message}");
        if budget.is_exceeded() {
            return Err(error);
        }
        if lines.is_empty() {
            lines.extend(text.lines());
        }
        let block = if blanked.len() < MAX_REPAIRS { block(&lines, line, &tried) } else { None };
        let Some((key, first, last)) = block else {
            return Err(blanked.into_iter().next().unwrap_or(error));
        };
        tried.insert(first);
        blanked.push(format!("{error}; passed over `{key}`, lines {} to {}", first + 1, last + 1));
        // Emptied, not removed: the numbers of the lines below stay.
        lines[first] = &lines[first][..lines[first].find(':').map_or(0, |colon| colon + 1)];
        lines[first + 1..=last].fill("");
        read = parse(&lines.join("\n"), (budget, unread), &mut blanked, file);
    }
}

/// Parses a text. A key that is there twice is noted, and the last one counts.
fn parse(
    text: &str,
    (budget, unread): (&Budget, Unread),
    notes: &mut Vec<String>,
    file: &str,
) -> Result<Value, (u64, String)> {
    let failure = |error: YamlError| (error.position.map_or(0, |(line, _)| line), error.message);
    budget.yaml_without(text, DuplicateKeyPolicy::Error, unread).map_err(failure).or_else(|(line, message)| {
        if !message.contains("duplicate") {
            return Err((line, message));
        }
        let value = budget.yaml_without(text, DuplicateKeyPolicy::LastWins, unread).map_err(failure)?;
        notes.push(format!("{file}:{line}: {message}: the last one counts; others may follow"));
        Ok(value)
    })
}

/// Returns the block to blank for an error in a line (from 1): the outermost example that the line is in, else the innermost
/// block with a key. Its key, first and last line (from 0). What was `tried` did not help: the fault began further up.
fn block(lines: &[&str], line: u64, tried: &BTreeSet<usize>) -> Option<(String, usize, usize)> {
    let at = usize::try_from(line).ok()?.checked_sub(1)?.min(lines.len().checked_sub(1)?);
    let mut ancestors = Vec::new();
    let mut indent = usize::MAX;
    for index in (0..=at).rev() {
        let text = lines[index];
        let own = indentation(text);
        let item = text.trim_start().starts_with("- ");
        if text.trim().is_empty() || own >= indent {
            continue;
        }
        indent = own;
        if let Some(key) = key(text).filter(|_| !item) {
            ancestors.push((key, index));
        }
    }
    // The first level is the document itself.
    ancestors.retain(|(_, index)| indentation(lines[*index]) > 0 && !tried.contains(index));
    let example = ancestors.iter().rev().find(|(key, _)| matches!(*key, "example" | "examples" | "x-example"));
    let (key, first) = *example.or_else(|| ancestors.iter().find(|(_, index)| end(lines, *index) >= at))?;
    Some((key.to_owned(), first, end(lines, first)))
}

/// Returns the last line of the block that begins with a key in this line. A list may stand as deep as its key.
fn end(lines: &[&str], first: usize) -> usize {
    let indent = indentation(lines[first]);
    let inside = |text: &&str| {
        let own = indentation(text);
        text.trim().is_empty() || own > indent || own == indent && text.trim_start().starts_with("- ")
    };
    first + lines[first + 1..].iter().take_while(|text| inside(text)).count()
}

fn indentation(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

fn key(text: &str) -> Option<&str> {
    let (key, _) = text.trim_start().split_once(':')?;
    (!key.is_empty() && !key.contains(['{', '[', '#', '"', '\''])).then_some(key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_broken_example_is_passed_over_and_said() {
        let text = "a:\n  b: 1\n  example:\n    list:\n    - x\n      - y: 1\n      z: 2\n  c: 3\n";
        let mut skipped = Vec::new();
        let value = yaml("f.yaml", text, (&Budget::from_env(), |_| false), &mut skipped);
        assert_eq!(value, Ok(json!({"a": {"b": 1, "example": null, "c": 3}})));
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        assert!(
            skipped[0].starts_with("f.yaml:") && skipped[0].ends_with("passed over `example`, lines 3 to 7"),
            "{skipped:?}"
        );
    }

    #[test]
    fn elsewhere_the_innermost_block_is_passed_over() {
        let text = "paths:\n  /a:\n    get:\n      tags: [x\n      summary: s\n  /b: {}\n";
        let mut skipped = Vec::new();
        let value = yaml("f.yaml", text, (&Budget::from_env(), |_| false), &mut skipped)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(value["paths"]["/b"], json!({}), "{value}");
        // The fault began above the line that shows it.
        assert!(skipped.last().is_some_and(|line| line.ends_with("passed over `get`, lines 3 to 5")), "{skipped:?}");
    }

    #[test]
    fn key_that_is_there_twice_is_noted_in_yaml_and_json() {
        for text in ["a:\n  b: 1\n  b: 2\n", "{\"a\": {\n\"b\": 1,\n\"b\": 2}}"] {
            let mut skipped = Vec::new();
            let value = crate::import::parse::tree("f", text, (&Budget::from_env(), |_| false), &mut skipped);
            assert_eq!(value, Ok(json!({"a": {"b": 2}})));
            let notes = skipped.iter().map(String::as_str).collect::<Vec<_>>();
            assert!(
                matches!(notes.as_slice(), [note] if note.starts_with("f:3: duplicate") && note.contains("`b`")),
                "{notes:?}"
            );
        }
    }

    #[test]
    fn text_that_is_not_yaml_is_reported_with_its_first_error() {
        let error = yaml("f.yaml", "{a: [b\n", (&Budget::from_env(), |_| false), &mut Vec::new()).unwrap_err();
        assert!(error.starts_with("f.yaml:") && error.lines().count() == 1, "{error}");
    }

    #[test]
    fn of_two_same_keys_the_last_counts() {
        assert_eq!(yaml("f", "a: 1\na: 2\n", (&Budget::from_env(), |_| false), &mut Vec::new()), Ok(json!({"a": 2})));
    }
}
