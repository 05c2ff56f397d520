//! Date-times that a vendor sends now with an offset and now without.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de};

/// An instant in UTC. Reads `2026-10-01T00:00:00Z`, `…+02:00`, `…+0200` and `2026-10-01T00:00:00` (which means UTC), with or
/// without a fraction, with `T` or a blank; writes RFC 3339 with `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct LenientDateTime(pub DateTime<Utc>);

impl Deref for LenientDateTime {
    type Target = DateTime<Utc>;
    fn deref(&self) -> &DateTime<Utc> {
        &self.0
    }
}

impl From<DateTime<Utc>> for LenientDateTime {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant)
    }
}

impl From<LenientDateTime> for DateTime<Utc> {
    fn from(instant: LenientDateTime) -> Self {
        instant.0
    }
}

impl fmt::Display for LenientDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl FromStr for LenientDateTime {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
            .map(|instant| instant.to_utc())
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|local| local.and_utc()))
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|local| local.and_utc()))
            .map(Self)
    }
}

impl<'de> Deserialize<'de> for LenientDateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|reason| de::Error::custom(format_args!("not a date-time: {text:?} ({reason})")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_offset_and_without_mean_the_same_instant() {
        for text in [
            "2026-10-01T00:00:00Z",
            "2026-10-01T02:00:00+02:00",
            "2026-10-01T02:00:00+0200",
            "2026-10-01T00:00:00",
            "2026-10-01T00:00:00.000",
            "2026-10-01 00:00:00",
        ] {
            let json = serde_json::to_string(text).unwrap();
            let read: LenientDateTime = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), "\"2026-10-01T00:00:00Z\"", "{text}");
            assert_eq!(read.to_string(), "2026-10-01T00:00:00Z");
        }
    }

    #[test]
    fn a_day_is_no_instant() {
        assert!(serde_json::from_str::<LenientDateTime>("\"2026-10-01\"").is_err());
    }
}
