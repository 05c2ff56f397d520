//! The secrets of one client, masked in what a vendor sends back.
//!
//! A vendor, a proxy or a token endpoint may echo what it was sent, in an encoding of its own.

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use memchr::memmem;
use secrecy::{ExposeSecret, SecretString};

use crate::escapes::Decoded;

/// What stands in place of a secret.
const MASK: &str = "***";
/// Secrets from this length on are masked wherever they are; shorter ones only as whole words, so that a short secret does not mask
/// parts of unrelated words.
const MIN_LEN_INSIDE_WORDS: usize = 8;
/// Shorter secrets are not masked: they are too likely to be common words.
const MIN_LEN: usize = 4;
/// How many tokens are remembered; a response may come after its token has been replaced.
const MAX_TOKENS: usize = 4;

/// How often escapes are decoded: JSON in JSON in a URL.
const MAX_LAYERS: usize = 3;
/// Stands where [`printable`](crate::printable) has cut a text.
const ELLIPSIS: &str = "…";

/// Secrets that the client sends. Shared by all that may fail with text of the vendor.
#[derive(Default)]
pub(crate) struct KnownSecrets(Mutex<Secrets>);

#[derive(Default)]
struct Secrets {
    fixed: Vec<SecretString>,
    tokens: Vec<SecretString>,
}

impl KnownSecrets {
    /// Adds a secret that stays the same.
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

    /// What replaces the secrets in texts. Made for a failure only.
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

/// What the secrets look like in a text without escapes, longest first: one may be part of another.
pub(crate) struct Masks(Vec<String>);

impl Masks {
    fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut forms: Vec<_> =
            secrets.flat_map(forms).filter(|form| form.chars().count() >= MIN_LEN && form != MASK).collect();
        forms.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        forms.dedup();
        Self(forms)
    }

    /// The text without secrets, also without those that are cut off by an ellipsis, as [`printable`](crate::printable) does it.
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

    /// The text without secrets; its end may have been cut off.
    pub(crate) fn apply_to_prefix(&self, text: &str) -> String {
        self.masked(&self.apply(text), true)
    }

    /// The first bytes of a response's body without secrets: it may have been cut off anywhere. A body without any stays as it is, byte
    /// for byte.
    pub(crate) fn apply_to_body(&self, body: &Bytes) -> Bytes {
        let text = String::from_utf8_lossy(body);
        // The end may be within a character.
        let text = text.trim_end_matches('\u{fffd}');
        let masked = self.apply_to_prefix(text);
        if masked == text { body.clone() } else { masked.into() }
    }

    fn masked(&self, text: &str, is_truncated: bool) -> String {
        let mut ranges = self.find(text, is_truncated);
        let mut decoded = Decoded::new(text);
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

    /// Where secrets are.
    fn find(&self, text: &str, is_truncated: bool) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for form in &self.0 {
            let found = memmem::find_iter(text.as_bytes(), form).map(|start| start..start + form.len());
            ranges.extend(found.filter(|range| form.len() >= MIN_LEN_INSIDE_WORDS || is_word(text, range)));
        }
        if is_truncated {
            ranges.extend(self.0.iter().filter_map(|form| truncated_form(text, form)));
        }
        ranges
    }
}

/// The beginning of a form at the end of a text.
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

/// The secret as it is, and as it may come back but for escapes.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), secret.replace(' ', "+")];
    // What decoding makes of a secret that holds an escape itself.
    let decoded = std::iter::successors(Decoded::new(secret), Decoded::decode_again);
    forms.extend(decoded.take(MAX_LAYERS).map(|decoded| decoded.text));
    forms.extend([STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(secret)));
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|before| within_base64(&engine, before, secret)));
    }
    forms
}

/// Those characters in the base64 of a longer text that depend on the secret in it alone, if it comes `before` bytes after a multiple of
/// three.
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
    fn a_short_secret_is_masked_as_a_word_only() {
        let masks = masks(&["hush", "no", "e"]);
        assert_eq!(masks.apply("hush! hushed, no reason (hush)"), "***! hushed, no reason (***)");
    }

    #[test]
    fn a_secret_that_contains_another_is_masked_as_a_whole() {
        assert_eq!(masks(&["hush-hush", "hush-hush-hush"]).apply("hush-hush-hush"), "***");
        assert_eq!(masks(&["********"]).apply("********"), "***");
    }

    #[test]
    fn a_body_is_masked_in_escaped_json_and_at_its_truncated_end() {
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
        // Not valid JSON any more.
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
    fn a_secret_that_was_cut_before_is_masked() {
        let secret = "hush".repeat(300);
        let masks = masks(&[&secret]);
        for text in [secret.clone(), format!("Bearer {secret}"), format!("a {}", STANDARD.encode(&secret))] {
            let cut = printable(&text).to_string();
            let masked = masks.apply(&format!("{cut} and {cut}"));
            assert!(masked.contains("***… and ") && masked.len() < 60, "{masked}");
        }
        assert_eq!(masks.apply("thrush… hus… hush…"), "thrush… hus… ***…");
    }

    /// The secret with some of its characters escaped, in a way for each.
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
        fn no_secret_survives_in_any_text(secret in "[ -~]{8,40}", before in ".{0,20}", after in ".{0,20}") {
            let masks = masks(&[&secret]);
            for form in forms(&secret) {
                let masked = masks.apply(&format!("{before}{form}{after}"));
                prop_assert!(!masked.contains(&secret), "{masked}");
            }
        }

        /// Of characters that begin no escape themselves, so that what is left of it can be found.
        #[test]
        fn no_escape_hides_a_secret(
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
        fn no_base64_of_more_than_the_secret_hides_it(
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
