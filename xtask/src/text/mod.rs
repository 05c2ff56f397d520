//! Strings of documents as plain text: in one line, as a sentence, in quotes.

pub(crate) mod markdown;

pub(crate) use openapi_document::text::{printable, quoted};

/// Returns a text in one line, whatever breaks and indents it had.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a text as one sentence: in one line, with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let line = one_line(text);
    if line.is_empty() || line.ends_with(['.', '!', '?', ':']) { line } else { format!("{line}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openapi_document::text::is_unsafe;

    #[test]
    fn a_sentence_is_one_line_and_ends() {
        assert_eq!(sentence("a\n  b"), "a b.");
        assert_eq!(sentence("Why?"), "Why?");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn quoted_text_is_read_alike_by_json_toml_and_yaml() {
        let text = "a\"b\\c\n\u{1}\u{7f}\u{85}\u{202e}\u{feff}\u{1f600}";
        let quoted = quoted(text);
        assert!(quoted.chars().all(|letter| !is_unsafe(letter)), "{quoted}");
        assert_eq!(serde_json::from_str::<String>(&quoted).expect("JSON"), text);
        assert_eq!(toml::from_str::<toml::Table>(&format!("k = {quoted}")).expect("TOML")["k"].as_str(), Some(text));
        assert_eq!(serde_saphyr::from_str::<String>(&quoted).expect("YAML"), text);
    }
}
