//! Exact decimals in JSON.
//!
//! Vendors send quantities and money as JSON numbers or as JSON strings, and some mix both. The digits of a JSON number are read from its
//! text: it is never converted to a float.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use crate::printable;

/// Digits after the 28th decimal place are rounded (half to even). No unit or currency is that precise, but float arithmetic of a vendor
/// leaves residues such as `5.551115123125783e-17`.
const MAX_PLACES: u32 = Decimal::MAX_SCALE;

/// A [`Decimal`] whose wire format is a JSON number: `12.5`.
///
/// Reads JSON numbers and strings. Values of up to 28 digits (and some of 29) are exact. Larger values are errors; decimal places after the
/// 28th are rounded.
///
/// ```
/// # use usage_billing_core::DecimalNumber;
/// let quantity: DecimalNumber = "12345678901234567.123456789".parse()?;
/// assert_eq!(quantity.to_string(), "12345678901234567.123456789");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecimalNumber(pub Decimal);

/// A [`Decimal`] whose wire format is a JSON string: `"12.5"`.
///
/// Reads and rounds as [`DecimalNumber`] does.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecimalString(pub Decimal);

// The two types differ only in how they are serialized.
macro_rules! wire_decimal {
    ($name:ident) => {
        impl Deref for $name {
            type Target = Decimal;
            fn deref(&self) -> &Decimal {
                &self.0
            }
        }
        impl From<Decimal> for $name {
            fn from(value: Decimal) -> Self {
                Self(value)
            }
        }
        impl From<$name> for Decimal {
            fn from(value: $name) -> Self {
                value.0
            }
        }
        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self(value.into())
            }
        }
        impl FromStr for $name {
            type Err = rust_decimal::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse(text).map(Self)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer).map(Self)
            }
        }
    };
}
wire_decimal!(DecimalNumber);
wire_decimal!(DecimalString);

impl Serialize for DecimalNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl Serialize for DecimalString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The name by which serde_json requests a [`RawValue`] from a deserializer. It is private to serde_json. If it changes, numbers are read as
/// [`RawValue`]s, each with an allocation, as they are from other deserializers.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    deserializer.deserialize_newtype_struct(RAW_VALUE, DecimalVisitor)
}

/// Reads the text of a JSON value without copying it.
struct DecimalVisitor;

impl<'de> Visitor<'de> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Decimal, D::Error> {
        parse_json(Box::<RawValue>::deserialize(deserializer)?.get()).map_err(de::Error::custom)
    }

    // serde_json passes a raw value as a map of one entry, from its private name to the text.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decimal, A::Error> {
        match map.next_key::<&str>()? {
            // Parse errors are returned here and not below: otherwise the path in an error would contain the private name.
            Some(RAW_VALUE) => map.next_value_seed(NumberText)?.map_err(de::Error::custom),
            _ => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        }
    }
}

/// Reads the text of a number.
struct NumberText;

impl<'de> DeserializeSeed<'de> for NumberText {
    type Value = Result<Decimal, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NumberText {
    type Value = Result<Decimal, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a number")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(parse_json(text))
    }
}

fn parse_json(text: &str) -> Result<Decimal, String> {
    let digits = match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        // A number contains no escapes, so the text between the quotes is the string.
        Some(inner) => inner.trim(),
        None if text.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => text,
        None => return Err(format!("expected a decimal number, not {}", printable(text))),
    };
    parse(digits).map_err(|reason| format!("not a decimal number: {} ({reason})", printable(text)))
}

fn parse(text: &str) -> Result<Decimal, rust_decimal::Error> {
    match parse_short(text) {
        Some(number) => Ok(number),
        None => parse_long(text),
    }
}

/// Parses longer numbers. Not inlined: it needs much more stack than short numbers do.
#[inline(never)]
fn parse_long(text: &str) -> Result<Decimal, rust_decimal::Error> {
    let plain = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => &*plain_notation(mantissa, exponent)?,
        None => text,
    };
    // rust_decimal accepts `1_000`, which is not valid in JSON.
    if plain.contains('_') {
        return Err(rust_decimal::Error::ConversionTo("Decimal".into()));
    }
    // Trailing zeros are kept where they fit ("1.50"), and removed where they do not.
    let trimmed = if plain.contains('.') { plain.trim_end_matches('0') } else { plain };
    Decimal::from_str_exact(plain).or_else(|_| Decimal::from_str_exact(trimmed)).or_else(
        |error| match Decimal::from_str(trimmed) {
            Ok(rounded) if rounded.scale() == MAX_PLACES => Ok(rounded),
            _ => Err(error),
        },
    )
}

/// Parses up to 18 digits, which fit into 64 bits, in one pass: nearly all numbers are that short.
fn parse_short(text: &str) -> Option<Decimal> {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let ([b'0'..=b'9', .., b'0'..=b'9'] | [b'0'..=b'9']) = digits else { return None };
    if digits.len() > 18 {
        return None;
    }
    let (mut number, mut point) = (0, None);
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let places = point.map_or(0, |at| digits.len() - 1 - at);
    Some(Decimal::new(if is_negative { -number } else { number }, places as u32))
}

/// Returns `0.0055` for `5.5e-3`.
fn plain_notation(mantissa: &str, exponent: &str) -> Result<String, rust_decimal::Error> {
    let shift: i32 = exponent.parse().map_err(|_| rust_decimal::Error::ConversionTo("Decimal".into()))?;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(rust_decimal::Error::ConversionTo("Decimal".into()));
    }
    // A larger exponent does not fit, and a smaller one leaves only zeros. Unlimited, the string could be of any length.
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX / 4);
    let shift = shift.clamp(-100 - length, 100 + length);
    let point = i32::try_from(whole.len()).unwrap_or(i32::MAX / 4).saturating_add(shift);
    Ok(match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{sign}{digits:0<point$}"),
        Ok(point) if point > 0 => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        _ => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(json: &str) -> Result<DecimalNumber, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn twenty_six_digits_are_exact_as_number_and_string() {
        for json in ["12345678901234567.123456789", "\"12345678901234567.123456789\""] {
            let value = number(json).unwrap();
            assert_eq!(value.to_string(), "12345678901234567.123456789");
            assert_eq!(serde_json::to_string(&value).unwrap(), "12345678901234567.123456789");
            assert_eq!(serde_json::to_string(&DecimalString(value.0)).unwrap(), "\"12345678901234567.123456789\"");
        }
    }

    #[test]
    fn scientific_notation_is_exact() {
        let cases = [
            ("1e3", "1000"),
            ("1E+3", "1000"),
            ("1.25e1", "12.5"),
            ("-1.25e-1", "-0.125"),
            ("1.5e0", "1.5"),
            ("12e-1", "1.2"),
            ("0e5", "0"),
            ("\"2.5E2\"", "250"),
            (&format!("0.{}1e201", "0".repeat(200)), "1"),
            ("12345678901234567890.1000000000000", "12345678901234567890.1"),
        ];
        for (json, plain) in cases {
            assert_eq!(number(json).unwrap().normalize().to_string(), plain, "{json}");
        }
    }

    #[test]
    fn only_places_after_the_twenty_eighth_are_rounded() {
        assert_eq!(number("5.551115123125783e-17").unwrap().to_string(), "0.0000000000000000555111512313");
        assert_eq!(number("1e-99").unwrap().normalize().to_string(), "0");
        for too_large in ["12345678901234567.1234567890123456789", "1e29", "1e999999", "99999999999999999999999999999"]
        {
            assert!(number(too_large).is_err(), "{too_large}");
        }
    }

    #[test]
    fn invalid_number_is_named_in_the_error() {
        for json in ["true", "[]", "{}", "\"\"", "\"1,5\"", "\"NaN\"", "\"1_000\"", "\"1e\"", "\"e5\"", "\"0x10\""] {
            assert!(number(json).is_err(), "{json}");
        }
        let error = number("\"a dozen\"").unwrap_err().to_string();
        assert!(error.contains("not a decimal number: \"a dozen\""), "{error}");
        assert_eq!(serde_json::from_str::<Option<DecimalNumber>>("null").unwrap(), None);
    }

    #[test]
    fn decimal_decodes_from_untyped_value() {
        let value = serde_json::json!({"quantity": "1.10"});
        assert_eq!(DecimalNumber::deserialize(&value["quantity"]).unwrap().to_string(), "1.10");
    }

    proptest! {
        #[test]
        fn short_parser_returns_the_same_as_rust_decimal(text in "-?[0-9]{0,20}([.][0-9]{0,20})?") {
            if let Some(short) = parse_short(&text) {
                let read = Decimal::from_str_exact(&text).unwrap();
                prop_assert_eq!((short, short.scale()), (read, read.scale()));
            }
        }

        #[test]
        fn decimal_round_trips_as_number_and_string(mantissa in -(1i128 << 95)..(1i128 << 95), scale in 0u32..=28) {
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            let json = serde_json::to_string(&DecimalNumber(value)).unwrap();
            prop_assert_eq!(number(&json).unwrap().0, value);
            let json = serde_json::to_string(&DecimalString(value)).unwrap();
            prop_assert_eq!(serde_json::from_str::<DecimalString>(&json).unwrap().0, value);
        }

        #[test]
        fn printed_float_is_read_within_the_last_place(float in proptest::num::f64::NORMAL) {
            if float.abs() < 1e27 {
                let read = number(&serde_json::to_string(&float).unwrap()).unwrap();
                let plain = Decimal::from_str(&format!("{float:.28}")).unwrap();
                prop_assert!((read.0 - plain).abs() <= plain.abs() * Decimal::new(1, 14) + Decimal::new(1, 27));
            }
        }

        #[test]
        fn parser_never_panics(text in ".*") {
            let _ = parse(&text);
            let _ = number(&text);
        }
    }
}
