//! Decimals whose parse errors do not fail the complete body.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::DecimalString;

/// Characters that are kept of an invalid value.
const MAX_EXCERPT_CHARS: usize = 60;

/// A decimal in a JSON string that may be invalid, in an array whose other elements have to be read.
///
/// Reads any JSON value without an error. Strings and numbers are read exactly, as by [`DecimalString`]; an empty string is absent; of other
/// values an excerpt is kept, and [`value`](Self::value) returns an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LenientDecimal(Content);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Absent,
    Number(Decimal),
    Unreadable(Box<str>),
}

impl LenientDecimal {
    /// Returns the number, or `None` for an empty string.
    ///
    /// # Errors
    /// For a value that is not a decimal number, with an excerpt of it.
    pub fn value(&self) -> Result<Option<Decimal>, String> {
        match &self.0 {
            Content::Absent => Ok(None),
            Content::Number(number) => Ok(Some(*number)),
            Content::Unreadable(excerpt) => Err(format!("not a decimal number: {excerpt}")),
        }
    }

    /// Parses the text of a number.
    fn read(text: &str) -> Self {
        match text.trim() {
            "" => Self(Content::Absent),
            digits => match digits.parse::<DecimalString>() {
                Ok(number) => Self(Content::Number(number.0)),
                Err(_) => Self::unreadable(text),
            },
        }
    }

    fn unreadable(text: &str) -> Self {
        let excerpt = match text.char_indices().nth(MAX_EXCERPT_CHARS) {
            Some((end, _)) => format!("{}…", &text[..end]).into(),
            None => text.into(),
        };
        Self(Content::Unreadable(excerpt))
    }
}

impl From<Decimal> for LenientDecimal {
    fn from(number: Decimal) -> Self {
        Self(Content::Number(number))
    }
}

impl FromStr for LenientDecimal {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::read(text))
    }
}

impl fmt::Display for LenientDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Content::Absent => Ok(()),
            Content::Number(number) => number.fmt(f),
            Content::Unreadable(excerpt) => f.write_str(excerpt),
        }
    }
}

impl Serialize for LenientDecimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LenientDecimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        // The digits of a string may be escaped; a number has no escapes.
        Ok(match (raw.get().as_bytes().first(), serde_json::from_str::<String>(raw.get())) {
            (_, Ok(text)) => Self::read(&text),
            (Some(b'-' | b'0'..=b'9'), _) => Self::read(raw.get()),
            _ => Self::unreadable(raw.get()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> LenientDecimal {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_are_exact_as_strings_and_as_json_numbers() {
        for (json, number) in [
            (r#""20451.50""#, "20451.50"),
            ("12345678901234567.123456789", "12345678901234567.123456789"),
            (r#"" 7 ""#, "7"),
            (r#""1e3""#, "1000"),
            (r#""\u0031\u0030""#, "10"),
            ("-0.5", "-0.5"),
        ] {
            assert_eq!(read(json).value().unwrap().unwrap().to_string(), number, "{json}");
            let value: serde_json::Value = serde_json::from_str(r#""7""#).unwrap();
            assert_eq!(serde_json::from_value::<LenientDecimal>(value).unwrap(), read("7"));
        }
    }

    #[test]
    fn an_empty_string_is_absent() {
        assert_eq!((read(r#""""#).value(), read(r#""  ""#).value()), (Ok(None), Ok(None)));
        assert_eq!(serde_json::from_str::<Option<LenientDecimal>>("null").unwrap(), None);
    }

    #[test]
    fn a_value_that_is_not_a_number_is_an_error_only_when_asked_for() {
        let long = format!("\"{}\"", "9".repeat(400));
        for json in
            [r#""n/a""#, r#""1,250""#, r#""1_000""#, "true", r#"{"amount": 1}"#, "[1]", r#""NaN""#, "1e400", &long]
        {
            let message = read(json).value().unwrap_err();
            assert!(message.starts_with("not a decimal number: ") && message.len() < 100, "{json} {message}");
        }
    }

    #[test]
    fn a_number_is_written_as_a_string_with_its_digits() {
        for json in [r#""20451.50""#, r#""""#, r#""n/a""#] {
            assert_eq!(serde_json::to_string(&read(json)).unwrap(), json);
        }
    }
}
