//! Decimals as strings in every format: most JSON parsers read a number as a float.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serializer, de};
use usage_billing_core::{Decimal, DecimalNumber};

pub(crate) fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    parse(&Cow::<str>::deserialize(deserializer)?)
}

fn parse<E: de::Error>(text: &str) -> Result<Decimal, E> {
    let number = text.parse::<DecimalNumber>();
    number.map(Decimal::from).map_err(|reason| E::custom(format_args!("`{text}` is not a decimal number ({reason})")))
}

pub(crate) mod option {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
        Option::<Cow<str>>::deserialize(deserializer)?.map(|text| parse(&text)).transpose()
    }
}
