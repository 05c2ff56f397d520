//! Prints foreign text on one line of bounded length: values of a vendor, a file or the environment in errors, logs and tables.
//!
//! Such text may contain line breaks, terminal escape sequences, characters that reorder or hide other text, or megabytes. Printed
//! unchanged, it could forge a line of a log or a row of a table.

use std::borrow::Cow;
use std::fmt;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Maximum characters of one value.
pub(crate) const MAX_VALUE_CHARS: usize = 200;
/// Maximum bytes of a string in which secrets are masked.
const MAX_MASKED_BYTES: usize = 64 * 1024;
/// Maximum characters of one message, including its values.
pub(crate) const MAX_MESSAGE_CHARS: usize = 2000;

/// Displays a foreign value on one line of at most 200 characters.
///
/// Control characters, line and paragraph separators, and characters that are invisible or change the direction of text are written
/// as escapes such as `\n` and `\u{202e}`; a longer value ends with `…`. Other characters are unchanged.
///
/// ```
/// # use usage_billing_core::printable;
/// assert_eq!(printable("RUN\nerror: forged line").to_string(), r"RUN\nerror: forged line");
/// ```
pub fn printable(text: &str) -> impl fmt::Display + fmt::Debug {
    Printable { text, max_chars: MAX_VALUE_CHARS }
}

/// Displays a foreign message on one line of at most 2,000 characters; otherwise like [`printable`].
///
/// ```
/// # use usage_billing_core::printable_message;
/// assert_eq!(printable_message(&"x".repeat(3000)).to_string().chars().count(), 2000);
/// ```
pub fn printable_message(text: &str) -> impl fmt::Display + fmt::Debug {
    Printable { text, max_chars: MAX_MESSAGE_CHARS }
}

struct Printable<'a> {
    text: &'a str,
    max_chars: usize,
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&one_line(self.text, self.max_chars))
    }
}

impl fmt::Debug for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns the text with escapes, in at most `max_chars` characters. The function is idempotent: escaped text is unchanged.
pub(crate) fn one_line(text: &str, max_chars: usize) -> Cow<'_, str> {
    if text.len() <= max_chars && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut line = String::new();
    // The end of the line if an ellipsis has to follow.
    let (mut count, mut end) = (0, 0);
    for character in text.chars() {
        if is_escaped(character) {
            let escape = character.escape_default();
            count += escape.len();
            line.extend(escape);
        } else {
            count += 1;
            line.push(character);
        }
        if count > max_chars {
            line.truncate(end);
            line.push('…');
            break;
        }
        if count < max_chars {
            end = line.len();
        }
    }
    Cow::Owned(line)
}

/// Returns the prefix of a string in which secrets are masked before it is truncated for display; ends with `…` if there is more.
pub(crate) fn maskable_prefix(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_MASKED_BYTES {
        return Cow::Borrowed(text);
    }
    let end = (0..=MAX_MASKED_BYTES).rev().find(|end| text.is_char_boundary(*end));
    Cow::Owned(format!("{}…", &text[..end.unwrap_or_default()]))
}

/// Returns whether a character is printed as an escape: controls, format characters (including bidirectional controls and tags), line and
/// paragraph separators, and characters that are invisible or not assigned.
pub(crate) fn is_escaped(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned};
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(character),
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Unassigned
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_and_invisible_characters_are_escaped() {
        let hostile = (0..0x20)
            .chain(0x7f..0xa0)
            .chain(0x200b..=0x200f)
            .chain(0x2028..=0x202e)
            .chain(0x2060..=0x206f)
            .chain(0xfe00..=0xfe0f)
            .chain(0xe0000..=0xe0fff)
            .chain([0xad, 0x61c, 0x115f, 0x180e, 0x3164, 0xfeff, 0xffa0, 0xfff9, 0x1d173, 0xe000, 0xfffe])
            .map(|code| char::from_u32(code).unwrap());
        for character in hostile {
            let text = printable(&character.to_string()).to_string();
            assert!(text.starts_with('\\') && text.is_ascii(), "{text}");
        }
        assert_eq!(printable("a\r\n\t\0\u{1b}[2K\u{202e}").to_string(), r"a\r\n\t\u{0}\u{1b}[2K\u{202e}");
    }

    #[test]
    fn letters_of_any_script_are_unchanged() {
        for text in ["株式会社　山田", "Müller & Söhne", "हिन्दी", "ภาษาไทย", "עברית", "naïve — “quoted” \\n 😀", ""]
        {
            assert_eq!(printable(text).to_string(), text);
        }
    }

    #[test]
    fn long_value_ends_with_an_ellipsis() {
        assert_eq!(printable(&"x".repeat(200)).to_string(), "x".repeat(200));
        assert_eq!(printable(&"ü".repeat(201)).to_string(), format!("{}…", "ü".repeat(199)));
        assert_eq!(printable(&"x".repeat(5_000_000)).to_string().chars().count(), 200);
        // An escape is not split.
        assert_eq!(printable(&format!("{}\u{202e}", "x".repeat(195))).to_string(), format!("{}…", "x".repeat(195)));
        assert_eq!(printable_message(&"\n".repeat(5000)).to_string().chars().count(), 1999);
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_bounded_line(text in any::<String>(), max_chars in 1usize..300) {
            let line = one_line(&text, max_chars);
            prop_assert!(line.chars().count() <= max_chars);
            prop_assert!(!line.chars().any(is_escaped));
            prop_assert_eq!(&one_line(&line, max_chars), &line);
        }
    }
}
