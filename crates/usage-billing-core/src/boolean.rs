//! Booleans that some services send as strings.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A boolean, or the string `"true"` or `"false"`, in any case.
pub(crate) struct Boolean(pub(crate) bool);

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

    #[test]
    fn booleans_are_read_from_json_booleans_and_strings() {
        for (json, expected) in [
            ("true", true),
            (r#""true""#, true),
            (r#""False""#, false),
            (r#"" TRUE ""#, true),
            (r#""\u0074rue""#, true),
            ("false", false),
        ] {
            assert_eq!(serde_json::from_str::<Boolean>(json).unwrap().0, expected, "{json}");
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_value::<Boolean>(value).unwrap().0, expected, "{json}");
        }
    }

    #[test]
    fn other_values_are_errors() {
        for value in ["1", "\"yes\"", "\"\"", "null", "[]", "\"true false\""] {
            assert!(serde_json::from_str::<Boolean>(value).is_err(), "{value}");
        }
    }
}
