//! Masks the secrets of a client in text of the vendor.
//!
//! A vendor, a proxy or a token endpoint may echo a request in any encoding.

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use memchr::memmem;
use secrecy::{ExposeSecret, SecretString};

use crate::escapes::UnescapedText;

/// The replacement of a secret.
const MASK: &str = "***";
/// Secrets of at least this many bytes are masked anywhere; shorter ones only as complete words, so that they do not mask parts of
/// unrelated words.
const MIN_LEN_INSIDE_WORDS: usize = 8;
/// Shorter secrets are not masked: they are too likely to be common words.
const MIN_LEN: usize = 4;
/// Number of tokens that are kept: a response may arrive after its token has been replaced.
const MAX_TOKENS: usize = 4;

/// Number of times that escapes are decoded: JSON in JSON in a URL.
const MAX_LAYERS: usize = 3;
/// The end of a string that [`printable`](crate::printable) has truncated.
const ELLIPSIS: &str = "…";

/// The secrets that a client sends.
#[derive(Default)]
pub(crate) struct KnownSecrets(Mutex<Secrets>);

#[derive(Default)]
struct Secrets {
    fixed: Vec<SecretString>,
    tokens: Vec<SecretString>,
}

impl KnownSecrets {
    /// Adds a secret that does not change.
    pub(crate) fn add(&self, secret: &str) {
        self.secrets().fixed.push(secret.into());
    }

    /// Adds an issued token; only the last few are kept.
    pub(crate) fn add_token(&self, token: &SecretString) {
        let tokens = &mut self.secrets().tokens;
        if tokens.len() >= MAX_TOKENS {
            tokens.remove(0);
        }
        tokens.push(token.clone());
    }

    /// Returns the masks of the current secrets. Created only for failures.
    pub(crate) fn masks(&self) -> Masks {
        let secrets = self.secrets();
        Masks::new(secrets.fixed.iter().chain(&secrets.tokens).map(ExposeSecret::expose_secret))
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        // No code that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownSecrets")
    }
}

/// The forms of the secrets in text without escapes, longest first: one may be part of another.
pub(crate) struct Masks(Vec<(String, memmem::Finder<'static>)>);

impl Masks {
    fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut forms: Vec<_> =
            secrets.flat_map(forms).filter(|form| form.chars().count() >= MIN_LEN && form != MASK).collect();
        forms.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        forms.dedup();
        let with_finder = |form: String| {
            let finder = memmem::Finder::new(&form).into_owned();
            (form, finder)
        };
        Self(forms.into_iter().map(with_finder).collect())
    }

    /// Masks secrets in a string, also those that end in an ellipsis because [`printable`](crate::printable) truncated them.
    pub(crate) fn apply(&self, text: &str) -> String {
        let masked = self.masked(text, false);
        match masked.rsplit_once(ELLIPSIS) {
            Some((cut, rest)) => {
                let parts: Vec<_> = cut.split(ELLIPSIS).map(|part| self.masked(part, true)).collect();
                parts.join(ELLIPSIS) + ELLIPSIS + rest
            }
            None => masked,
        }
    }

    /// Masks secrets in a string that may have been truncated.
    pub(crate) fn apply_to_prefix(&self, text: &str) -> String {
        self.masked(&self.apply(text), true)
    }

    /// Masks secrets in the first bytes of a response body, which may have been truncated anywhere. A body without secrets is unchanged.
    pub(crate) fn apply_to_body(&self, body: &Bytes) -> Bytes {
        let text = String::from_utf8_lossy(body);
        // The body may end within a character.
        let text = text.trim_end_matches('\u{fffd}');
        let masked = self.apply_to_prefix(text);
        if masked == text { body.clone() } else { masked.into() }
    }

    fn masked(&self, text: &str, is_truncated: bool) -> String {
        let mut ranges = self.find(text, is_truncated);
        let mut decoded = UnescapedText::new(text);
        for _ in 0..MAX_LAYERS {
            let Some(layer) = decoded else { break };
            ranges.extend(self.find(&layer.text, is_truncated).into_iter().map(|range| layer.original_range(range)));
            decoded = layer.decode_again();
        }
        ranges.sort_by_key(|range| range.start);
        let (mut masked, mut copied) = (String::new(), 0);
        for range in ranges {
            if range.start >= copied {
                masked.push_str(&text[copied..range.start]);
                masked.push_str(MASK);
            }
            copied = copied.max(range.end);
        }
        masked + &text[copied..]
    }

    /// Returns the ranges of secrets.
    fn find(&self, text: &str, is_truncated: bool) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for (form, finder) in &self.0 {
            let found = finder.find_iter(text.as_bytes()).map(|start| start..start + form.len());
            ranges.extend(found.filter(|range| form.len() >= MIN_LEN_INSIDE_WORDS || is_word(text, range)));
        }
        if is_truncated {
            ranges.extend(self.0.iter().filter_map(|(form, _)| truncated_form(text, form)));
        }
        ranges
    }
}

/// Returns the range of a truncated form at the end of a string.
fn truncated_form(text: &str, form: &str) -> Option<Range<usize>> {
    let longest = form.len().min(text.len());
    let starts = (text.len() - longest..text.len()).filter(|start| text.is_char_boundary(*start));
    let mut ranges = starts.map(|start| start..text.len());
    let range = ranges.find(|range| form.as_bytes().starts_with(&text.as_bytes()[range.clone()]))?;
    let length = text[range.clone()].chars().count();
    (length >= MIN_LEN && (form.len() >= MIN_LEN_INSIDE_WORDS || is_word(text, &range))).then_some(range)
}

fn is_word(text: &str, range: &Range<usize>) -> bool {
    !text[..range.start].ends_with(char::is_alphanumeric) && !text[range.end..].starts_with(char::is_alphanumeric)
}

/// Returns the forms in which a secret may be echoed, without escapes.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), secret.replace(' ', "+")];
    // Decoding also changes secrets that contain escapes.
    let decoded = std::iter::successors(UnescapedText::new(secret), UnescapedText::decode_again);
    forms.extend(decoded.take(MAX_LAYERS).map(|decoded| decoded.text));
    forms.extend([STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(secret)));
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|before| within_base64(&engine, before, secret)));
    }
    forms
}

/// Returns the characters in the base64 of a longer string that depend only on the secret in it, if the secret starts `before` bytes after
/// a multiple of three.
fn within_base64(engine: &impl Engine, before: usize, secret: &str) -> String {
    let encoded = engine.encode([&[0; 2][..before], secret.as_bytes()].concat());
    let (start, end) = ((before * 8).div_ceil(6), (before + secret.len()) * 8 / 6);
    encoded[start..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign_text::printable;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    fn masks(secrets: &[&str]) -> Masks {
        Masks::new(secrets.iter().copied())
    }

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let secret = "p/q+r s\"t&ü=hush";
        let masks = masks(&[secret]);
        for form in [
            secret,
            "p%2Fq%2Br%20s%22t%26%C3%BC%3Dhush",
            "p%2fq%2br%20s%22t%26%c3%bc%3dhush",
            "p%2Fq%2Br+s%22t%26%C3%BC%3Dhush",
            r#"p/q+r s\"t&ü=hush"#,
            r#"p\/q+r s\"t&ü=hush"#,
            "p/q+r s&quot;t&amp;ü=hush",
            "cC9xK3IgcyJ0JsO8PWh1c2g",
            "cC9xK3IgcyJ0JsO8PWh1c2g=",
        ] {
            assert_eq!(masks.apply(&format!("a{form}b {form}")), "a***b ***", "{form}");
        }
    }

    #[test]
    fn short_secret_is_masked_as_a_word_only() {
        let masks = masks(&["hush", "no", "e"]);
        assert_eq!(masks.apply("hush! hushed, no reason (hush)"), "***! hushed, no reason (***)");
    }

    #[test]
    fn secret_containing_another_is_masked_completely() {
        assert_eq!(masks(&["hush-hush", "hush-hush-hush"]).apply("hush-hush-hush"), "***");
        assert_eq!(masks(&["********"]).apply("********"), "***");
    }

    #[test]
    fn body_is_masked_in_escapes_and_at_truncated_end() {
        let masks = masks(&["hush-secret-ü"]);
        let body = |bytes: &[u8]| {
            let masked = masks.apply_to_body(&Bytes::copy_from_slice(bytes));
            String::from_utf8(masked.to_vec()).unwrap()
        };
        assert_eq!(
            body(br#"{"a":"\u0068ush-secret-\u00fc","b":[{"hush\u002dsecret-%c3%bc":1}]}"#),
            r#"{"a":"***","b":[{"***":1}]}"#
        );
        assert_eq!(body(br#"{"a":"\u0068ush-"}"#), r#"{"a":"\u0068ush-"}"#);
        // Truncated JSON.
        assert_eq!(body(br#"{"a":"\u0068ush-secret-\u00fc","b"#), r#"{"a":"***","b"#);
        for end in
            ["hush-sec", "hush", "hush-secret-", r"hush-secret-\u", r"hush-\u0073ec", "%68ush-secret-%c3", "aHVzaC1zZW"]
        {
            assert_eq!(body(format!("x {end}").as_bytes()), "x ***", "{end}");
        }
        assert_eq!(body(b"x hush-secret-\xc3"), "x ***");
        let binary = Bytes::from_static(b"\xff\xfe");
        assert_eq!(masks.apply_to_body(&binary), binary);
    }

    #[test]
    fn truncated_secret_is_masked() {
        let secret = "hush".repeat(300);
        let masks = masks(&[&secret]);
        for text in [secret.clone(), format!("Bearer {secret}"), format!("a {}", STANDARD.encode(&secret))] {
            let cut = printable(&text).to_string();
            let masked = masks.apply(&format!("{cut} and {cut}"));
            assert!(masked.contains("***… and ") && masked.len() < 60, "{masked}");
        }
        assert_eq!(masks.apply("thrush… hus… hush…"), "thrush… hus… ***…");
    }

    /// Escapes some characters of a secret, each in one of several ways.
    fn escaped(secret: &str, ways: &[u8]) -> String {
        let one = |(character, way): (char, &u8)| match way % 6 {
            0 => utf8_percent_encode(&character.to_string(), NON_ALPHANUMERIC).to_string(),
            1 if character.is_ascii() => format!("%{:02x}", character as u32),
            2 => format!("\\u{:04x}", character as u32),
            3 => format!("&#{};", character as u32),
            _ => character.to_string(),
        };
        secret.chars().zip(ways.iter().cycle()).map(one).collect()
    }

    proptest! {
        #[test]
        fn secret_is_masked_in_any_text(secret in "[ -~]{8,40}", before in ".{0,20}", after in ".{0,20}") {
            let masks = masks(&[&secret]);
            for form in forms(&secret) {
                let masked = masks.apply(&format!("{before}{form}{after}"));
                prop_assert!(!masked.contains(&secret), "{masked}");
            }
        }

        /// The secrets contain no characters that begin an escape, so that a remaining part can be found.
        #[test]
        fn escaped_secret_is_masked(
            secret in "[a-zA-Z0-9ü~=/+._ -]{12,40}",
            ways in prop::collection::vec(any::<u8>(), 1..50),
            twice in 0u8..5,
            cut in 0usize..12,
        ) {
            let masks = masks(&[&secret]);
            let text = escaped(&escaped(&secret, &ways), &[twice]);
            prop_assert_eq!(masks.apply(&format!("<{text}>")), "<***>");
            let json = serde_json::json!({ "a": text }).to_string();
            prop_assert_eq!(masks.apply(&json), r#"{"a":"***"}"#);
            let kept: String = text.chars().take(text.chars().count() - cut.min(text.chars().count() / 3)).collect();
            prop_assert_eq!(masks.apply_to_prefix(&format!("<{kept}")), "<***");
        }

        #[test]
        fn secret_is_masked_in_base64_of_longer_text(
            secret in "[ -~]{12,40}", before in "[ -~]{0,9}", after in "[ -~]{0,9}", url_safe: bool,
        ) {
            let masks = masks(&[&secret]);
            let engine = if url_safe { URL_SAFE_NO_PAD } else { STANDARD_NO_PAD };
            let masked = masks.apply(&engine.encode(format!("{before}{secret}{after}")));
            let rest: usize = masked.split("***").map(str::len).sum();
            prop_assert!(rest <= (before.len() + after.len()) * 4 / 3 + 4, "{}", masked);
        }
    }
}
