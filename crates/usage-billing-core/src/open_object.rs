//! Objects with fields that their document does not list.

use std::collections::BTreeMap;

use serde::de::value::MapDeserializer;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The listed fields of an object, for the deserializer of its type.
#[doc(hidden)]
pub type KnownFields<'a> = MapDeserializer<'a, std::vec::IntoIter<(&'a str, &'a RawValue)>, serde_json::Error>;

/// Named by generated code: reads the listed fields, and all others as any JSON. serde's own `flatten` would pass the numbers of the
/// listed fields through floats.
///
/// # Errors
/// The object's own.
#[doc(hidden)]
pub fn open_object<'de, D, T>(
    deserializer: D,
    listed: &[&str],
    read: impl FnOnce(KnownFields<'_>) -> serde_json::Result<T>,
) -> Result<(T, Map<String, Value>), D::Error>
where
    D: Deserializer<'de>,
{
    let fields = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
    let (known, others): (Vec<_>, Vec<_>) = fields.iter().partition(|(name, _)| listed.contains(&name.as_str()));
    let known = known.into_iter().map(|(name, value)| (name.as_str(), &**value)).collect::<Vec<_>>();
    let value = read(MapDeserializer::new(known.into_iter())).map_err(de::Error::custom)?;
    let others = others.into_iter().map(|(name, value)| Ok((name.clone(), serde_json::from_str(value.get())?)));
    let others = others.collect::<serde_json::Result<_>>().map_err(de::Error::custom)?;
    Ok((value, others))
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::DecimalNumber;

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(remote = "Self")]
    struct Record {
        hours: DecimalNumber,
        #[serde(flatten, skip_deserializing)]
        extra: Map<String, Value>,
    }

    impl<'de> Deserialize<'de> for Record {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (value, extra) = open_object(deserializer, &["hours"], |fields| Self::deserialize(fields))?;
            Ok(Self { extra, ..value })
        }
    }

    impl Serialize for Record {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            Self::serialize(self, serializer)
        }
    }

    #[test]
    fn listed_fields_keep_their_digits_and_others_survive_both_ways() {
        let json = r#"{"hours":0.12345678901234567890,"region":"eu","tags":[1]}"#;
        let record = serde_json::from_str::<Record>(json).unwrap();
        assert_eq!(record.hours.to_string(), "0.12345678901234567890");
        assert_eq!(serde_json::to_string(&record).unwrap(), json);
        let error = serde_json::from_str::<Record>(r#"{"region":"eu"}"#).unwrap_err();
        assert!(error.to_string().contains("missing field `hours`"), "{error}");
    }
}
