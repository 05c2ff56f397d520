//! Characters that rustc rejects in comments and literals, or that hide what a line states.

use openapi_document::text::is_unsafe;

/// Returns the text without unsafe characters, with `\n` as the only line break. Separators become spaces.
pub(crate) fn safe_characters(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let letters = text.chars().filter_map(|letter| match letter {
        '\r' => Some('\n'),
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        letter if is_unsafe(letter) => None,
        letter => Some(letter),
    });
    letters.collect()
}

/// Returns the unsafe characters of a text as `U+202E`, each once. A line break of Windows is not one.
pub(crate) fn unsafe_characters(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let mut found = text.chars().filter(|letter| is_unsafe(*letter)).collect::<Vec<_>>();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|letter| format!("U+{:04X}", u32::from(letter))).collect()
}
