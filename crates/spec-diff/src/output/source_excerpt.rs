//! The part of a document's text that a finding is about, to be shown beside its counterpart.

use std::collections::HashMap;

use serde_json::{Deserializer, Value};

use crate::{Member, input::Parsed, review::ApiDiff};

/// The number of lines that are shown at most.
const LINES: usize = 14;

/// The number of characters of a line that are shown.
const LETTERS: usize = 240;

/// The number of bytes that a line may have before its values are shown on lines of their own, and the number that are then read.
const LONG: usize = 300;
const READ: usize = 16 * 1024;

/// The sources of both sides, split into lines once.
pub(super) struct Excerpts<'a>([(&'a Parsed, HashMap<&'a str, Vec<&'a str>>); 2]);

impl<'a> Excerpts<'a> {
    pub(super) fn of(api: &'a ApiDiff) -> Self {
        Self([&api.base, &api.revision].map(|parsed| (parsed, HashMap::new())))
    }

    /// Returns the text of a member before and after; nothing where it is not there.
    pub(super) fn of_member(&mut self, member: &Member) -> [Vec<String>; 2] {
        let [base, revision] = &mut self.0;
        [(base, &member.base), (revision, &member.revision)].map(|((parsed, lines), location)| {
            let Some(location) = location else { return Vec::new() };
            let source = parsed.source_of(location.file.as_deref());
            let lines = lines.entry(source.name.as_str()).or_insert_with(|| source.text.lines().collect());
            block(lines, location.line.unwrap_or(1), location.column.unwrap_or(1))
        })
    }
}

/// Returns the line and what is indented below it, without the common indentation. Holds for YAML, and for JSON that is not on one
/// line; of a value in a long line, the value itself.
fn block(text: &[&str], line: u32, column: u32) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.iter().copied().skip((line as usize).saturating_sub(1));
    let Some(first) = lines.next() else { return Vec::new() };
    if first.len() > LONG {
        return limited(value_at(first, column));
    }
    let depth = indent(first);
    let mut block = vec![first.get(depth..).unwrap_or_default().to_owned()];
    // Entries of a list may stand as deep as the key of the list.
    let is_key = !first.trim_start().starts_with("- ");
    let belongs = |line: &&str| {
        line.trim().is_empty()
            || indent(line) > depth
            || is_key && indent(line) == depth && line.trim_start().starts_with("- ")
    };
    let below = lines.take_while(belongs).take(LINES);
    block.extend(below.map(|line| line.get(depth..).unwrap_or_default().to_owned()));
    limited(block)
}

fn limited(mut block: Vec<String>) -> Vec<String> {
    if block.len() > LINES {
        block.truncate(LINES);
        block.push("…".to_owned());
    }
    while block.last().is_some_and(|line| line.trim().is_empty()) {
        block.pop();
    }
    for line in &mut block {
        if let Some((end, _)) = line.char_indices().nth(LETTERS) {
            line.truncate(end);
            line.push('…');
        }
    }
    block
}

/// Returns the JSON value at a column, on lines of its own; what is there, if it is not a value or too large.
fn value_at(line: &str, column: u32) -> Vec<String> {
    let rest = line.get(offset(line, column)..).unwrap_or_default();
    let end = (0..=READ.min(rest.len())).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or_default();
    let rest = rest.get(..end).unwrap_or_default();
    let value = Deserializer::from_str(rest).into_iter::<Value>().next();
    match value.and_then(Result::ok).and_then(|value| serde_json::to_string_pretty(&value).ok()) {
        Some(pretty) => pretty.lines().map(str::to_owned).collect(),
        None => vec![rest.to_owned()],
    }
}

/// Returns the byte at which a column begins. Counts in blocks: a line may have many megabytes.
fn offset(line: &str, column: u32) -> usize {
    let (mut left, mut at) = ((column as usize).saturating_sub(1), 0);
    for block in line.as_bytes().chunks(4096) {
        let begins = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
        match left.checked_sub(block.iter().filter(begins).count()) {
            Some(less) => (left, at) = (less, at + block.len()),
            None => break,
        }
    }
    // A block may end within a character, which then is counted already.
    let at = (at..line.len()).find(|at| line.is_char_boundary(*at)).unwrap_or(line.len());
    line[at..].char_indices().nth(left).map_or(line.len(), |(more, _)| at + more)
}

#[cfg(test)]
mod tests {
    fn block(text: &str, line: u32, column: u32) -> String {
        super::block(&text.lines().collect::<Vec<_>>(), line, column).join("\n")
    }

    #[test]
    fn block_is_a_line_with_the_lines_below_it() {
        let text = "a:\n  b:\n    c: 1\n\n    d: 2\n  e: 3\n";
        assert_eq!(block(text, 2, 3), "b:\n  c: 1\n\n  d: 2");
        assert_eq!(block(text, 6, 3), "e: 3");
        assert_eq!(block(text, 99, 1), "");
        assert_eq!(block("a:\n- b\n- c\nd: 1\n", 1, 1), "a:\n- b\n- c");
        assert_eq!(block("a:\n- b: 1\n  c: 2\n- d\n", 2, 3), "- b: 1\n  c: 2");
    }

    #[test]
    fn long_blocks_and_lines_are_cut() {
        let text = format!("a:\n{}", "  - ü\n".repeat(100));
        assert_eq!((block(&text, 1, 1).lines().count(), block(&text, 1, 1).lines().last()), (15, Some("…")));
        assert_eq!(block(&"ü".repeat(1000), 1, 1).chars().count(), 241);
    }

    #[test]
    fn offsets_are_those_of_the_characters() {
        let line = "aü€😀".repeat(2_000);
        for (column, (at, _)) in line.char_indices().enumerate() {
            assert_eq!(super::offset(&line, column as u32 + 1), at);
        }
        assert_eq!(super::offset("ab", 9), 2);
    }

    #[test]
    fn value_in_a_minified_document_is_shown_by_itself() {
        let text = format!("{{\"ü\":\"{}\",\"b\":{{\"c\":[1]}},\"d\":2}}", "x".repeat(400));
        let column = text.chars().position(|letter| letter == '[').unwrap() as u32 + 1;
        assert_eq!(block(&text, 1, column), "[\n  1\n]");
        assert!(block(&text, 1, 1).starts_with("{\n  \"b\": {"));
    }
}
