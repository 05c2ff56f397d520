//! Foreign text on a line of a terminal or of a report.

/// Returns whether a character controls the terminal, ends a line, changes the direction of text or has no width. Tabs and line feeds
/// are not among them.
#[must_use]
pub fn is_unsafe(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\t') || is_invisible(letter)
}

/// Returns whether a character is invisible.
///
/// rustc denies the first two ranges (`text_direction_codepoint_in_comment`); the marks and the byte order mark deceive as well.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{feff}')
        || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// Returns whether a character leaves no mark where it is: what is unsafe, and what has no width.
#[must_use]
pub fn is_unseen(letter: char) -> bool {
    is_unsafe(letter)
        || matches!(letter, '\n' | '\t' | '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200d}')
        || matches!(letter, '\u{2060}'..='\u{2064}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns a text in one line that a terminal shows as it is: unseen characters are escaped.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unseen(letter) { out.extend(letter.escape_default()) } else { out.push(letter) }
    }
    out
}

/// Returns a text as [`printable`] does, cut after a number of characters.
#[must_use]
pub fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => printable(text.get(..end).unwrap_or_default()) + "…",
        None => printable(text),
    }
}

/// Returns a text in quotes, as TOML and YAML read it: their escapes are the same. What leaves no mark is escaped.
#[must_use]
pub fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match u32::from(letter) {
            _ if !is_unseen(letter) => out.push(letter),
            code @ ..=0xffff => out.push_str(&format!("\\u{code:04x}")),
            code => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out
}

/// Returns a count with its noun: `1 line`, `2 lines`.
#[must_use]
pub fn pluralize(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_characters_are_escaped() {
        let text = printable("a\u{1b}[2K\nerror: \r\u{202e}\u{85}\u{2028}\tü\u{200b}");
        assert_eq!(text, "a\\u{1b}[2K\\nerror: \\r\\u{202e}\\u{85}\\u{2028}\\tü\\u{200b}");
    }

    #[test]
    fn quoted_text_has_no_unseen_characters() {
        let text = quoted("a\u{200b}\u{ad}\u{85}\u{e0041}\"\t\u{202e}é");
        assert_eq!(text, r#""a\u200b\u00ad\u0085\U000e0041\"\t\u202eé""#);
    }

    #[test]
    fn excerpt_counts_characters() {
        assert_eq!((excerpt("üüü", 3), excerpt("üüüü", 3)), ("üüü".to_owned(), "üüü…".to_owned()));
    }
}
