//! Decodes escapes of JSON, of debug output, of URLs and of HTML, in any combination.

use std::ops::Range;

/// Bytes of the longest escape: a surrogate pair of JSON.
const MAX_ESCAPE_LEN: usize = 12;

/// A string with its escapes decoded once, and the origin of each part.
pub(crate) struct UnescapedText {
    pub(crate) text: String,
    /// The start of each byte of `text` in the original, and the end of the original.
    origins: Vec<usize>,
}

impl UnescapedText {
    /// Decodes a string; `None` if it contains no escapes. An incomplete escape at the end is dropped: the string was truncated.
    pub(crate) fn new(original: &str) -> Option<Self> {
        let mut at = original.find(['\\', '%', '&'])?;
        let mut text = original[..at].to_owned();
        let mut origins: Vec<_> = (0..at).collect();
        let mut is_decoded = false;
        while let Some(next) = original[at..].chars().next() {
            let (character, length) = match escape(&original[at..]) {
                Escape::Char(character, length) => {
                    is_decoded = true;
                    (character, length)
                }
                Escape::Truncated => {
                    is_decoded = true;
                    break;
                }
                Escape::None => (next, next.len_utf8()),
            };
            text.push(character);
            let is_itself = length == character.len_utf8();
            origins.extend((0..character.len_utf8()).map(|byte| if is_itself { at + byte } else { at }));
            at += length;
        }
        origins.push(original.len());
        is_decoded.then_some(Self { text, origins })
    }

    /// Decodes the result once more, with origins in the first string.
    pub(crate) fn decode_again(&self) -> Option<Self> {
        let Self { text, origins } = Self::new(&self.text)?;
        Some(Self { text, origins: origins.into_iter().map(|at| self.origins[at]).collect() })
    }

    /// Returns the range of the original that a range of `text` came from.
    pub(crate) fn original_range(&self, part: Range<usize>) -> Range<usize> {
        self.origins[part.start]..self.origins[part.end]
    }
}

enum Escape {
    /// The character, and the length of its escape in bytes.
    Char(char, usize),
    /// The string ends within the escape.
    Truncated,
    None,
}

impl Escape {
    fn from_char(character: Option<char>, length: usize) -> Self {
        character.map_or(Self::None, |character| Self::Char(character, length))
    }
}

/// Returns the escape at the start of a string.
fn escape(text: &str) -> Escape {
    let bytes = &text.as_bytes()[..text.len().min(MAX_ESCAPE_LEN)];
    match bytes {
        [b'\\', rest @ ..] => backslash(rest),
        [b'%', ..] => percent(bytes),
        [b'&', rest @ ..] => entity(rest, text.len() <= MAX_ESCAPE_LEN),
        _ => Escape::None,
    }
}

/// Returns an escape of JSON or of Rust's debug output (`\u{7b}`, `\'`, `\0`). `rest` follows the backslash.
fn backslash(rest: &[u8]) -> Escape {
    let simple = |character| Escape::Char(character, 2);
    match rest {
        [] => Escape::Truncated,
        [b'n', ..] => simple('\n'),
        [b'r', ..] => simple('\r'),
        [b't', ..] => simple('\t'),
        [b'0', ..] => simple('\0'),
        [b'b', ..] => simple('\u{8}'),
        [b'f', ..] => simple('\u{c}'),
        [character @ (b'"' | b'\'' | b'/' | b'\\'), ..] => simple(char::from(*character)),
        [b'u', b'{', digits @ ..] => match digits.iter().position(|byte| *byte == b'}') {
            Some(end) => Escape::from_char(hex(&digits[..end]).and_then(char::from_u32), end + 4),
            None if digits.len() < 7 && digits.iter().all(u8::is_ascii_hexdigit) => Escape::Truncated,
            None => Escape::None,
        },
        [b'u', digits @ ..] if digits.len() < 4 => match digits.iter().all(u8::is_ascii_hexdigit) {
            true => Escape::Truncated,
            false => Escape::None,
        },
        [b'u', digits @ ..] => match (hex(&digits[..4]), &digits[4..]) {
            (Some(high @ 0xd800..0xdc00), [b'\\', b'u', low @ ..]) if low.len() >= 4 => {
                let pair = hex(&low[..4]).filter(|low| (0xdc00..0xe000).contains(low));
                let code = pair.map(|low| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                Escape::from_char(code.and_then(char::from_u32), 12)
            }
            (code, _) => Escape::from_char(code.and_then(char::from_u32), 6),
        },
        _ => Escape::None,
    }
}

/// Returns an escaped character of a URL, which is one to four bytes of UTF-8.
fn percent(bytes: &[u8]) -> Escape {
    let mut decoded = Vec::new();
    for three in bytes.chunks(3).take(4) {
        match three {
            [b'%', digits @ ..] if digits.len() == 2 => {
                let Some(byte) = hex(digits).and_then(|byte| u8::try_from(byte).ok()) else { return Escape::None };
                decoded.push(byte);
            }
            [b'%', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit) => return Escape::Truncated,
            _ => return Escape::None,
        }
        match std::str::from_utf8(&decoded) {
            Ok(text) => return Escape::from_char(text.chars().next(), 3 * decoded.len()),
            Err(error) if error.error_len().is_some() => return Escape::None,
            Err(_) => {}
        }
    }
    Escape::Truncated
}

/// Returns an escape of HTML. `rest` follows the `&`; it is the complete rest of the string if `is_all`.
fn entity(rest: &[u8], is_all: bool) -> Escape {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let Some(end) = rest.iter().position(|byte| !is_name(byte)) else {
        return if is_all { Escape::Truncated } else { Escape::None };
    };
    if rest[end] != b';' {
        return Escape::None;
    }
    let character = match &rest[..end] {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x' | b'X', digits @ ..] => hex(digits).and_then(char::from_u32),
        [b'#', digits @ ..] => {
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).and_then(char::from_u32)
        }
        _ => None,
    };
    Escape::from_char(character, end + 2)
}

fn hex(digits: &[u8]) -> Option<u32> {
    // `from_str_radix` accepts a sign.
    let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with(['+', '-']))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_decoded_with_their_origin() {
        for (escaped, character) in [
            (r"\u0068", "h"),
            (r"\u{68}", "h"),
            (r"\ud83d\uDE00", "😀"),
            (r"\/", "/"),
            (r#"\""#, "\""),
            (r"\\", "\\"),
            (r"\n", "\n"),
            ("%68", "h"),
            ("%c3%BC", "ü"),
            ("%F0%9F%98%80", "😀"),
            ("&quot;", "\""),
            ("&#39;", "'"),
            ("&#x68;", "h"),
        ] {
            let text = format!("ü{escaped}z");
            let decoded = UnescapedText::new(&text).unwrap();
            assert_eq!(decoded.text, format!("ü{character}z"), "{escaped}");
            assert_eq!(&text[decoded.original_range(2..2 + character.len())], escaped);
        }
        let twice = UnescapedText::new(r"a\\u0068b").and_then(|once| once.decode_again()).unwrap();
        assert_eq!((twice.text.as_str(), twice.original_range(1..2)), ("ahb", 1..8));
    }

    #[test]
    fn other_text_stays_and_truncated_escape_is_dropped() {
        for text in ["plain", "50% of it", "a & b", r"\x \u{110000}", "%zz%+1", "&nbsp;", "&#;", r"\ud83d", "%ff%"] {
            let decoded = UnescapedText::new(text).map(|decoded| decoded.text);
            assert!(decoded.is_none_or(|decoded| text.starts_with(&decoded)), "{text}");
        }
        for cut in ["\\", r"\u", r"\u00", r"\u{6", "%", "%6", "%c3%", "&", "&quo", "&#x6"] {
            let decoded = UnescapedText::new(&format!("abc{cut}")).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.original_range(0..3)), ("abc", 0..3 + cut.len()), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn decoding_keeps_character_boundaries(text in r#"([\\%&u{}#;x0-9a-fdD"ü😀]|.){0,60}"#) {
            let mut decoded = UnescapedText::new(&text);
            while let Some(now) = decoded {
                prop_assert!(now.text.len() <= text.len());
                for (start, character) in now.text.char_indices() {
                    let range = now.original_range(start..start + character.len_utf8());
                    prop_assert!(text.get(range.clone()).is_some() && !range.is_empty(), "{:?}", range);
                }
                decoded = now.decode_again();
            }
        }
    }
}
