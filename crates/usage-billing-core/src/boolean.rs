//! Booleans that some services send as strings.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a boolean or the string `"true"` or `"false"`, in any case. Generated code calls it.
///
/// # Errors
/// For any other value.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Boolean::deserialize(deserializer).map(|boolean| boolean.0)
}

/// Reads a [`boolean`] or `null`. Generated code calls it.
///
/// # Errors
/// For any other value.
pub fn optional_boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(Option::<Boolean>::deserialize(deserializer)?.map(|boolean| boolean.0))
}

struct Boolean(bool);

impl<'de> Deserialize<'de> for Boolean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BooleanVisitor).map(Self)
    }
}

struct BooleanVisitor;

impl Visitor<'_> for BooleanVisitor {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
        match text.trim() {
            word if word.eq_ignore_ascii_case("true") => Ok(true),
            word if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Flags {
        #[serde(deserialize_with = "boolean")]
        needed: bool,
        #[serde(default, deserialize_with = "optional_boolean")]
        optional: Option<bool>,
    }

    #[test]
    fn booleans_are_read_from_json_booleans_and_strings() {
        for (json, needed, optional) in [
            (r#"{"needed": true}"#, true, None),
            (r#"{"needed": "true", "optional": null}"#, true, None),
            (r#"{"needed": "False", "optional": " TRUE "}"#, false, Some(true)),
            (r#"{"needed": "\u0074rue", "optional": false}"#, true, Some(false)),
        ] {
            assert_eq!(serde_json::from_str::<Flags>(json).unwrap(), Flags { needed, optional }, "{json}");
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_value::<Flags>(value).unwrap(), Flags { needed, optional }, "{json}");
        }
    }

    #[test]
    fn other_values_are_errors() {
        for value in ["1", "\"yes\"", "\"\"", "null", "[]", "\"true false\""] {
            assert!(serde_json::from_str::<Flags>(&format!("{{\"needed\": {value}}}")).is_err(), "{value}");
        }
        assert!(serde_json::from_str::<Flags>(r#"{"needed": true, "optional": 0}"#).is_err());
        assert!(serde_json::from_str::<Flags>("{}").is_err());
    }
}
