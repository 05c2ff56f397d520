//! Whether a secret is of a form that a vendor may have issued: most wrong keys are right ones with something copied along.

use crate::foreign_text::is_escaped;

/// Prefixes that belong to the header and not to the secret.
const PREFIXES: [&str; 5] = ["Authorization:", "Basic ", "Bearer ", "Key ", "Token "];
/// Typed, and as word processors and chats make them.
const QUOTES: [(char, char); 6] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’'), ('«', '»')];

/// What is wrong with a secret, as the end of a sentence that begins with its name, and what to do.
pub(crate) fn problem(secret: &str) -> Option<String> {
    let inner = secret.strip_prefix('\u{feff}').unwrap_or(secret);
    if secret.trim().is_empty() || inner.is_empty() {
        return Some("is empty".to_owned());
    }
    if inner.len() < secret.len() {
        return Some("begins with a byte order mark: save its file as UTF-8 without BOM".to_owned());
    }
    if secret.starts_with(char::is_whitespace) || secret.ends_with(char::is_whitespace) {
        return Some("begins or ends with a blank or line break: remove it".to_owned());
    }
    if secret.chars().any(char::is_control) {
        return Some(
            "holds a line break or another control character, which no header can carry: copy it again".to_owned(),
        );
    }
    if secret.chars().any(is_escaped) {
        return Some("holds an invisible character: copy it again".to_owned());
    }
    let quoted = |(open, close): &(char, char)| {
        secret.chars().count() > 1 && secret.starts_with(*open) && secret.ends_with(*close)
    };
    if QUOTES.iter().any(quoted) {
        return Some("is enclosed in quotes: remove them".to_owned());
    }
    let begins = |prefix: &&&str| secret.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let prefix = PREFIXES.iter().find(begins)?.trim_end();
    Some(format!("begins with `{prefix}`, which the client adds itself: remove it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_along_is_named() {
        for (secret, expected) in [
            ("", "is empty"),
            (" \t", "is empty"),
            ("\u{feff}", "is empty"),
            ("\u{feff}hush", "byte order mark"),
            (" hush", "begins or ends with a blank"),
            ("hush\n", "begins or ends with a blank or line break"),
            ("hush\u{a0}", "begins or ends with a blank"),
            ("hu\nsh", "control character"),
            ("hu\u{1b}sh", "control character"),
            ("hu\u{200b}sh", "invisible"),
            ("hush\u{feff}", "invisible"),
            ("\"hush\"", "enclosed in quotes"),
            ("'hush'", "enclosed in quotes"),
            ("“hush”", "enclosed in quotes"),
            ("Key hush", "begins with `Key`"),
            ("bearer hush", "begins with `Bearer`"),
            ("BASIC hush", "begins with `Basic`"),
            ("Authorization: Key hush", "begins with `Authorization:`"),
        ] {
            let problem = problem(secret).unwrap_or_default();
            assert!(problem.contains(expected) && !problem.contains("hush"), "{secret:?}: {problem}");
        }
    }

    #[test]
    fn secrets_as_vendors_issue_them_pass() {
        for secret in ["hush", "a b", "Keyhush", "it's", "\"", "p@ss/+=word", "ключ", "eyJhbGciOi.J9-_"] {
            assert_eq!(problem(secret), None, "{secret}");
        }
    }
}
