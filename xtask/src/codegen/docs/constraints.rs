//! Documented limits as text: generated types do not check them, so the reader has to see them.

use serde_json::{Map, Value};

use crate::text::{
    markdown::{code_span, ends_with_paragraph},
    one_line,
};

/// Returns the description with the default, the limits and the deprecation that it does not mention itself.
pub(crate) fn with_limits(description: &str, schema: &Map<String, Value>) -> String {
    let mut text = description.trim_end().to_owned();
    for (key, label) in LABELS {
        let Some(value) = schema.get(key).filter(|value| !value.is_boolean() || key == "default").map(plain) else {
            continue;
        };
        if mentions(description, &value) || key == "pattern" && value.len() > READABLE {
            continue;
        }
        if !text.is_empty() {
            // Behind a list or a block of code it would be a part of that.
            text.push_str(if ends_with_paragraph(&text) { " " } else { "\n\n" });
        }
        let shown = if key == "pattern" { code_span(&value) } else { value };
        text.push_str(&label.replace("{}", &shown));
    }
    if schema.get("deprecated") == Some(&Value::Bool(true)) && !text.to_lowercase().contains("deprecated") {
        let gap = if text.is_empty() {
            ""
        } else if ends_with_paragraph(&text) {
            " "
        } else {
            "\n\n"
        };
        text.push_str(&format!("{gap}Deprecated."));
    }
    text
}

/// A longer pattern does not help a reader.
const READABLE: usize = 120;

const LABELS: [(&str, &str); 9] = [
    ("default", "Default: {}."),
    ("minimum", "At least {}."),
    ("maximum", "At most {}."),
    ("minLength", "At least {} characters."),
    ("maxLength", "At most {} characters."),
    ("minItems", "At least {} entries."),
    ("maxItems", "At most {} entries."),
    ("multipleOf", "A multiple of {}."),
    ("pattern", "Matches {}."),
];

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => one_line(text),
        other => other.to_string(),
    }
}

/// Returns whether a text has a value as a word of its own, with or without separators of thousands.
fn mentions(text: &str, value: &str) -> bool {
    let text = text.replace([',', '_', '\u{a0}'], "");
    text.match_indices(value).any(|(at, _)| {
        let word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        !word(text[..at].chars().next_back()) && !word(text[at + value.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn documented(description: &str, schema: Value) -> String {
        with_limits(description, schema.as_object().expect("it is an object"))
    }

    #[test]
    fn limits_and_defaults_are_added() {
        assert_eq!(
            documented("Page size.", json!({"default": 100, "maximum": 1000})),
            "Page size. Default: 100. At most 1000."
        );
    }

    #[test]
    fn constraint_that_the_description_states_is_not_repeated() {
        assert_eq!(
            documented("Page size, 100 to 1,000.", json!({"default": 100, "maximum": 1000})),
            "Page size, 100 to 1,000."
        );
        assert_eq!(documented("Version 1000a.", json!({"maximum": 1000})), "Version 1000a. At most 1000.");
    }

    #[test]
    fn deprecation_is_stated_once() {
        assert_eq!(documented("The unit.", json!({"deprecated": true})), "The unit. Deprecated.");
        assert_eq!(documented("", json!({"deprecated": true})), "Deprecated.");
        assert_eq!(documented("DEPRECATED: use b.", json!({"deprecated": true})), "DEPRECATED: use b.");
    }

    #[test]
    fn a_list_at_the_end_stays_a_list() {
        assert_eq!(documented("One of:\n\n- a", json!({"default": false})), "One of:\n\n- a\n\nDefault: false.");
    }
}
