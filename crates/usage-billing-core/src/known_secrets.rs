//! The secrets of one client, masked in what a vendor sends back.
//!
//! A vendor, a proxy or a token endpoint may echo what it was sent, in an encoding of its own.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::answer::KEPT_BODY;

/// What stands in place of a secret.
const MASK: &str = "***";
/// Secrets from this length on are masked wherever they are; shorter ones only as whole words, so that a short secret does not mask
/// parts of unrelated words.
const MASKED_IN_WORDS: usize = 8;
/// Shorter secrets are not masked: they are too likely to be common words.
const SHORTEST: usize = 4;
/// How many tokens are remembered; a response may come after its token has been replaced.
const TOKENS: usize = 4;

/// As JavaScript's `encodeURIComponent` and most languages' URL functions have it.
const URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The characters that `encodeURIComponent` leaves and others escape.
const URI_COMPONENT_LENIENT: &AsciiSet =
    &URI_COMPONENT.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');

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
        if tokens.len() >= TOKENS {
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

/// All forms of the secrets, longest first: a form may be part of another.
pub(crate) struct Masks(Vec<String>);

impl Masks {
    fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut forms: Vec<_> =
            secrets.flat_map(forms).filter(|form| form.chars().count() >= SHORTEST && form != MASK).collect();
        forms.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        forms.dedup();
        Self(forms)
    }

    /// The text without secrets.
    pub(crate) fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, form| match replaced(&text, form) {
            Some(masked) => masked,
            None => text,
        })
    }

    /// The first bytes of a response's body without secrets, also if they are escaped in its JSON. A body without any stays as it is,
    /// byte for byte.
    pub(crate) fn apply_to_body(&self, body: &Bytes) -> Bytes {
        let text = String::from_utf8_lossy(body);
        let mut masked = self.apply(&text);
        if body.len() >= KEPT_BODY {
            self.mask_truncated_end(&mut masked);
        }
        if masked.contains('\\')
            && let Ok(mut value) = serde_json::from_str::<Value>(&masked)
            && self.apply_to_json(&mut value)
        {
            masked = value.to_string();
        }
        if masked == text { body.clone() } else { masked.into() }
    }

    /// A body that was truncated may end with the first part of a secret.
    fn mask_truncated_end(&self, text: &mut String) {
        let longest = self.0.iter().filter_map(|form| {
            let ends = form.char_indices().map(|(end, _)| end).filter(|end| *end >= SHORTEST);
            ends.rev().find(|end| text.ends_with(&form[..*end]))
        });
        if let Some(length) = longest.max() {
            text.truncate(text.len() - length);
            text.push_str(MASK);
        }
    }

    /// Masks in all keys and strings; returns whether there was anything to mask.
    fn apply_to_json(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let masked = self.apply(text);
                let changed = masked != *text;
                *text = masked;
                changed
            }
            Value::Array(items) => items.iter_mut().fold(false, |changed, item| self.apply_to_json(item) | changed),
            Value::Object(fields) => {
                let mut changed = false;
                let masked = std::mem::take(fields).into_iter().map(|(name, mut field)| {
                    let masked = self.apply(&name);
                    changed |= self.apply_to_json(&mut field) | (masked != name);
                    (masked, field)
                });
                *fields = masked.collect();
                changed
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

fn replaced(text: &str, form: &str) -> Option<String> {
    let anywhere = form.len() >= MASKED_IN_WORDS;
    let mut masked = String::new();
    let mut copied = 0;
    for (start, _) in text.match_indices(form) {
        let end = start + form.len();
        let in_word = text[..start].ends_with(char::is_alphanumeric) || text[end..].starts_with(char::is_alphanumeric);
        if anywhere || !in_word {
            masked.push_str(&text[copied..start]);
            masked.push_str(MASK);
            copied = end;
        }
    }
    (copied > 0).then(|| masked + &text[copied..])
}

/// The secret as it is, and in the encodings in which it may come back.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    forms.extend([STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(secret)));
    for set in [NON_ALPHANUMERIC, URI_COMPONENT, URI_COMPONENT_LENIENT] {
        let encoded = utf8_percent_encode(secret, set).to_string();
        forms.push(encoded.replace("%20", "+"));
        forms.push(lower_case_escapes(&encoded));
        forms.push(encoded);
    }
    if let Ok(json) = serde_json::to_string(secret) {
        let json = &json[1..json.len() - 1];
        forms.push(json.replace('/', "\\/"));
        forms.push(json.to_owned());
    }
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    forms.push(html.replace('\'', "&#39;"));
    forms.push(html);
    forms
}

/// `%2f` for `%2F`: both are valid.
fn lower_case_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_at_checked(2) {
        Some((digits, rest)) => text + "%" + &digits.to_ascii_lowercase() + rest,
        None => text + "%" + part,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let masks = masks(&["hush-secret"]);
        let body = |text: &str| {
            let masked = masks.apply_to_body(&Bytes::copy_from_slice(text.as_bytes()));
            String::from_utf8(masked.to_vec()).unwrap()
        };
        assert_eq!(body(r#"{"a":"\u0068ush-secret","b":[{"hush\u002dsecret":1}]}"#), r#"{"a":"***","b":[{"***":1}]}"#);
        assert_eq!(body(r#"{"a":"\u0068ush-"}"#), r#"{"a":"\u0068ush-"}"#);
        let truncated = format!("{}hush-sec", "x".repeat(KEPT_BODY - 8));
        assert!(body(&truncated).ends_with("xx***"));
        let binary = Bytes::from_static(b"\xff\xfe");
        assert_eq!(masks.apply_to_body(&binary), binary);
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
    }
}
