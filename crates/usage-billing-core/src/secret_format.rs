//! Checks the format of secrets: most invalid keys are valid ones with extra characters that were copied with them.

use icu_properties::CodePointSetData;
use icu_properties::props::QuotationMark;

use crate::foreign_text::is_escaped;
use crate::{Error, ErrorKind, Result};

/// Schemes that belong to the header and not to the secret, if white space follows.
const SCHEMES: [&str; 4] = ["Basic", "Bearer", "Key", "Token"];
/// Characters that are used as quotation marks but have another category in Unicode: accents and primes.
const QUOTES: [char; 4] = ['`', '´', '′', '″'];

/// How a secret is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretUse {
    /// Unchanged in a header, usually after the name of a scheme.
    Header,
    /// Encoded, as a password. It may begin with the name of a scheme.
    Password,
}

/// Suffixes of names of settings that contain secrets, and the use of each secret.
const SUFFIXES: [(&str, SecretUse); 4] = [
    ("_KEY", SecretUse::Header),
    ("_PASSWORD", SecretUse::Password),
    ("_SECRET", SecretUse::Password),
    ("_TOKEN", SecretUse::Header),
];

impl SecretUse {
    /// Returns the use of the secret of a setting, such as `SUGER_API_KEY` or `client_secret`; `None` for a setting without a secret.
    pub(crate) fn from_setting(setting: &str) -> Option<Self> {
        let ends_with = |suffix: &str| {
            let start = setting.len().checked_sub(suffix.len());
            start.and_then(|start| setting.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        };
        SUFFIXES.iter().find(|(suffix, _)| ends_with(suffix)).map(|(_, usage)| *usage)
    }
}

/// Checks the format of a secret that comes from elsewhere than the environment, such as from a command. The suffix of `setting` states how it is
/// sent, as for environment variables: `client_secret`, `api_key`.
///
/// # Errors
/// [`ErrorKind::Config`] with the setting and what is wrong, such as quotes around the secret; never with the secret.
pub fn check_secret(setting: &str, secret: &str) -> Result<()> {
    match problem(SecretUse::from_setting(setting).unwrap_or(SecretUse::Password), secret) {
        Some(problem) => Err(Error::new(ErrorKind::Config, format!("{setting} {problem}"))),
        None => Ok(()),
    }
}

/// Returns the problem of a secret and a hint, as the end of a sentence that begins with the secret's name.
pub(crate) fn problem(usage: SecretUse, secret: &str) -> Option<String> {
    let inner = secret.strip_prefix('\u{feff}').unwrap_or(secret);
    if secret.trim().is_empty() || inner.is_empty() {
        return Some("is empty".to_owned());
    }
    if inner.len() < secret.len() {
        return Some("begins with a byte order mark: save its file as UTF-8 without BOM".to_owned());
    }
    if secret.starts_with(char::is_whitespace) || secret.ends_with(char::is_whitespace) {
        return Some("begins or ends with a space or line break: remove it".to_owned());
    }
    if secret.chars().any(char::is_control) {
        return Some(
            "contains a line break or another control character, which headers cannot contain: copy it again"
                .to_owned(),
        );
    }
    if secret.chars().any(is_escaped) {
        return Some("contains an invisible character: copy it again".to_owned());
    }
    if secret.starts_with(is_quote) || secret.ends_with(is_quote) {
        return Some("begins or ends with a quotation mark: remove it".to_owned());
    }
    let prefix = header_prefix(secret).filter(|_| usage == SecretUse::Header)?;
    Some(format!("begins with `{prefix}`, which the client adds itself: remove it"))
}

fn is_quote(character: char) -> bool {
    QUOTES.contains(&character) || CodePointSetData::new::<QuotationMark>().contains(character)
}

fn header_prefix(secret: &str) -> Option<&'static str> {
    let after = |prefix: &str| {
        secret
            .split_at_checked(prefix.len())
            .filter(|(start, _)| start.eq_ignore_ascii_case(prefix))
            .map(|(_, end)| end)
    };
    let begins = |scheme: &&str| after(scheme).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    let name = Some("Authorization:").filter(|name| after(name).is_some());
    name.or_else(|| SCHEMES.into_iter().find(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_characters_are_named() {
        for (secret, expected) in [
            ("", "is empty"),
            (" \t", "is empty"),
            ("\u{feff}", "is empty"),
            ("\u{feff}hush", "byte order mark"),
            (" hush", "begins or ends with a space"),
            ("hush\n", "begins or ends with a space or line break"),
            ("hush\u{a0}", "begins or ends with a space"),
            ("hu\nsh", "control character"),
            ("hu\u{1b}sh", "control character"),
            ("hu\u{200b}sh", "invisible"),
            ("hush\u{feff}", "invisible"),
            ("Key hush", "begins with `Key`"),
            ("bearer hush", "begins with `Bearer`"),
            ("BASIC hush", "begins with `Basic`"),
            ("Key\u{a0}hush", "begins with `Key`"),
            ("token\u{2003}hush", "begins with `Token`"),
            ("Authorization: Key hush", "begins with `Authorization:`"),
        ] {
            let problem = problem(SecretUse::Header, secret).unwrap_or_default();
            assert!(problem.contains(expected) && !problem.contains("hush"), "{secret:?}: {problem}");
        }
    }

    #[test]
    fn use_of_a_secret_follows_from_the_name_of_its_setting() {
        for (setting, usage) in [
            ("SUGER_API_KEY", Some(SecretUse::Header)),
            ("api_key", Some(SecretUse::Header)),
            ("client_secret", Some(SecretUse::Password)),
            ("client_id", None),
            ("é_", None),
            ("", None),
        ] {
            assert_eq!(SecretUse::from_setting(setting), usage, "{setting}");
        }
        assert_eq!(
            check_secret("api_key", "Key hush").unwrap_err().to_string(),
            "api_key begins with `Key`, which the client adds itself: remove it"
        );
        assert!(check_secret("client_secret", "Key hush").is_ok());
    }

    #[test]
    fn quotation_mark_at_either_end_is_rejected() {
        for quote in "\"'`´“”„‟‘’‚‛«»‹›′″＂＇「」『』〝〞".chars() {
            for secret in [format!("{quote}hush"), format!("hush{quote}"), format!("{quote}hush\""), quote.to_string()]
            {
                for usage in [SecretUse::Header, SecretUse::Password] {
                    let problem = problem(usage, &secret).unwrap_or_default();
                    assert!(problem.contains("quotation mark") && !problem.contains("hush"), "{secret}: {problem}");
                }
            }
        }
    }

    #[test]
    fn password_may_begin_with_a_scheme() {
        for secret in ["Key west", "Basic\u{a0}hush", "Authorization: hush"] {
            assert_eq!(problem(SecretUse::Password, secret), None, "{secret}");
            assert!(problem(SecretUse::Header, secret).is_some(), "{secret}");
        }
    }

    #[test]
    fn valid_secrets_are_accepted() {
        for secret in ["hush", "a b", "Keyhush", "it's", "a\"b", "p@ss/+=word", "ключ", "eyJhbGciOi.J9-_"] {
            assert_eq!(problem(SecretUse::Header, secret), None, "{secret}");
        }
    }
}
