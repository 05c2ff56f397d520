//! A document as it was parsed.

use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;
use sha2::{Digest, Sha256};

use crate::budget::Budget;

/// A parsed document.
#[derive(Debug)]
pub struct Document {
    /// The name in messages: a path.
    pub name: String,
    /// The SHA-256 of the text, in hexadecimal digits.
    pub sha256: String,
    /// The document itself.
    pub root: Value,
}

impl Document {
    /// Parses JSON or YAML; see [`is_json`].
    ///
    /// # Errors
    /// One line with name, line, column and message.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        Self::parse_within(&Budget::from_env(), name, text)
    }

    /// Parses one of several files that have a budget in common.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub fn parse_within(budget: &Budget, name: &str, text: &str) -> Result<Self, String> {
        let root = if is_json(name, text) { json(budget, text) } else { yaml(budget, text) };
        let root = root.map_err(|error| format!("{name}:{error}"))?;
        let sha256 = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name: name.to_owned(), sha256, root })
    }

    /// Returns `info.version`, or an empty string.
    #[must_use]
    pub fn version(&self) -> &str {
        self.root.pointer("/info/version").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Returns whether a text is read as JSON: by the end of its name, else by its first character.
#[must_use]
pub fn is_json(name: &str, text: &str) -> bool {
    let is_yaml = || name.ends_with(".yaml") || name.ends_with(".yml");
    name.ends_with(".json") || !is_yaml() && text.trim_start().starts_with('{')
}

fn json(budget: &Budget, text: &str) -> Result<Value, String> {
    budget.json(text).map_err(|error| {
        // A column of 0 is the end of the line before.
        let (line, column, message) = (error.line(), error.column().max(1), error.to_string());
        // The position is in the form that editors follow.
        let message = message.split(" at line ").next().unwrap_or(&message);
        format!("{line}:{column}: {message}")
    })
}

fn yaml(budget: &Budget, text: &str) -> Result<Value, String> {
    budget.yaml(text, DuplicateKeyPolicy::Error).map_err(|error| {
        let position = error.position.map_or(" ".to_owned(), |(line, column)| format!("{line}:{column}: "));
        format!("{position}{}", error.message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Document::parse("openapi/x.yaml", text).err().unwrap_or_default()
    }

    #[test]
    fn syntax_error_states_file_line_and_column() {
        let error = error("info:\n  title: [a, b\n");
        assert!(error.starts_with("openapi/x.yaml:"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!error.contains(" at line "), "{error}");
        let error = Document::parse("x.json", "{\n").err().unwrap_or_default();
        assert!(error.starts_with("x.json:2:1: "), "{error}");
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error() {
        let error = error("a: 1\nb:\n  c: 2\n  c: 3\n");
        assert!(error.starts_with("openapi/x.yaml:4:3: duplicate"), "{error}");
    }

    #[test]
    fn words_that_yaml_once_took_for_booleans_are_text() {
        let document = Document::parse("x", "a: n\nb: on\n200: ok\n").expect("it is YAML");
        assert_eq!(document.root, serde_json::json!({"a": "n", "b": "on", "200": "ok"}));
    }
}
