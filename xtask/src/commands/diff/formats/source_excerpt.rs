//! The part of a document's text that a finding is about, to be shown beside its counterpart.

/// How many lines are shown at most.
const LINES: usize = 14;

/// The line and what is indented below it, without the common indentation. Holds for YAML, and for JSON that is not on one line.
pub(super) fn block(text: &[&str], line: u32) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.iter().copied().skip((line as usize).saturating_sub(1));
    let Some(first) = lines.next() else { return Vec::new() };
    let depth = indent(first);
    let cut = |line: &str| {
        let line = line.get(depth..).unwrap_or_default();
        match line.char_indices().nth(240) {
            Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
            None => line.to_owned(),
        }
    };
    let mut block = vec![cut(first)];
    // Entries of a list may stand as deep as the key of the list.
    let is_key = !first.trim_start().starts_with("- ");
    let belongs = |line: &&str| {
        line.trim().is_empty()
            || indent(line) > depth
            || is_key && indent(line) == depth && line.trim_start().starts_with("- ")
    };
    block.extend(lines.take_while(belongs).take(LINES).map(cut));
    if block.len() > LINES {
        block.truncate(LINES);
        block.push("…".to_owned());
    }
    while block.last().is_some_and(|line| line.trim().is_empty()) {
        block.pop();
    }
    block
}

#[cfg(test)]
mod tests {
    fn block(text: &str, line: u32) -> String {
        super::block(&text.lines().collect::<Vec<_>>(), line).join("\n")
    }

    #[test]
    fn a_block_is_a_line_with_what_is_below_it() {
        let text = "a:\n  b:\n    c: 1\n\n    d: 2\n  e: 3\n";
        assert_eq!(block(text, 2), "b:\n  c: 1\n\n  d: 2");
        assert_eq!(block(text, 6), "e: 3");
        assert_eq!(block(text, 99), "");
        assert_eq!(block("a:\n- b\n- c\nd: 1\n", 1), "a:\n- b\n- c");
        assert_eq!(block("a:\n- b: 1\n  c: 2\n- d\n", 2), "- b: 1\n  c: 2");
    }

    #[test]
    fn long_blocks_and_lines_are_cut() {
        let text = format!("a:\n{}", "  - ü\n".repeat(100));
        assert_eq!((block(&text, 1).lines().count(), block(&text, 1).lines().last()), (15, Some("…")));
        assert_eq!(block(&"ü".repeat(1000), 1).chars().count(), 241);
    }
}
