//! What can go wrong on purpose, and how it is written down: as JSON, or short as `503; retry_after=5; times=2`.

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::vendors::Vendor;

/// A latency, or a pause within a slow body, is an hour at most.
const LONGEST_PAUSE: u64 = 3_600_000;

/// A fault, which requests it meets, and how often.
///
/// Written as JSON, `{"kind": "status", "status": 503, "retry_after": 5, "operation": "create_report", "times": 2}`, or
/// short, `status; status=503; retry_after=5; …`, for which `503; retry_after=5; …` is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    terms: Terms,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FaultKind {
    /// The vendor's own error body with a status, in place of the answer.
    Status {
        /// 400 to 599.
        status: u16,
        /// `Retry-After`, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
        /// Whether `Retry-After` is sent as the date that many seconds from now.
        #[serde(default, skip_serializing_if = "is_false")]
        as_date: bool,
        /// Whether the request is carried out nevertheless.
        #[serde(default, skip_serializing_if = "is_false")]
        after_effect: bool,
    },
    /// Another response in place of the vendor's own: a maintenance page, a body of another shape, a gateway's error.
    ReplaceResponse {
        /// 200 to 599.
        #[serde(default = "ok")]
        status: u16,
        /// The body: a string as it is, anything else as JSON.
        #[serde(default)]
        body: Value,
        /// Media type; JSON, or HTML of a string, if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// Whether the request is carried out nevertheless.
        #[serde(default, skip_serializing_if = "is_false")]
        after_effect: bool,
    },
    /// The request waits before anything is done with it.
    Latency {
        /// At most an hour.
        millis: u64,
    },
    /// The connection is reset, and nothing was done.
    ResetBefore {},
    /// The request is carried out, and the connection reset in place of the answer.
    ResetAfter {},
    /// The body ends early, and with it the connection.
    CutBody {
        /// Bytes that are sent; half of the body if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
    },
    /// The body comes in small pieces.
    SlowBody {
        /// Bytes of a piece.
        #[serde(default = "piece")]
        bytes: usize,
        /// Pause before each piece.
        #[serde(default = "pause")]
        millis: u64,
    },
    /// The last byte of the JSON is a comma.
    MalformedJson {},
    /// A value that no document lists.
    UnknownEnum {
        /// Where; the first string that is one of an enum if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pointer: Option<String>,
        /// The value.
        #[serde(default = "unknown")]
        value: String,
    },
    /// Another value in the body; a field that is missing in an object is added.
    ReplaceValue {
        /// Where, as a JSON pointer.
        pointer: String,
        /// The value.
        value: Value,
    },
    /// A field more in the outermost object and in the members of lists.
    ExtraFields {},
    /// `null` in place of lists.
    NullLists {
        /// Where; all of them if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pointer: Option<String>,
    },
    /// The cursor to the next page is that of this page. Meets pages that have both.
    DuplicatedPage {},
    /// What the answer says of time is wrong: its `Date`, and when a new token ends.
    ClockSkew {
        /// Negative for a clock that is slow.
        seconds: i32,
    },
}

/// Which requests, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Terms {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) skip: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) percent: Option<u8>,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn ok() -> u16 {
    200
}

fn piece() -> usize {
    16
}

fn pause() -> u64 {
    100
}

fn unknown() -> String {
    "SANDBOX_UNKNOWN".to_owned()
}

impl Fault {
    /// Meets every request, each time.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, terms: Terms::default() }
    }

    /// Only requests of one operation: its `operationId`, its method and path template (`POST /reports`), or the name of
    /// a vendor for all of its operations.
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.terms.operation = Some(operation.into());
        self
    }

    /// Not more often than so.
    pub fn times(mut self, times: u32) -> Self {
        self.terms.times = Some(times);
        self
    }

    /// The first requests that it would meet are spared.
    pub fn skip(mut self, requests: u32) -> Self {
        self.terms.skip = Some(requests);
        self
    }

    /// How many of a hundred, drawn from the sandbox's fault seed.
    pub fn percent(mut self, percent: u8) -> Self {
        self.terms.percent = Some(percent);
        self
    }

    /// What goes wrong.
    pub fn kind(&self) -> &FaultKind {
        &self.kind
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// From an object, or from a text in the short form.
    pub(crate) fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(object) => Self::from_object(object),
            Value::String(text) => text.parse(),
            _ => Err("A fault is an object or a text.".to_owned()),
        }
    }

    fn from_object(mut object: Map<String, Value>) -> Result<Self, String> {
        let terms: Map<_, _> = ["operation", "times", "skip", "percent"]
            .into_iter()
            .filter_map(|name| object.remove_entry(name))
            .collect();
        let read = |error: serde_json::Error| error.to_string();
        let terms = serde_json::from_value(Value::Object(terms)).map_err(read)?;
        let kind = serde_json::from_value(Value::Object(object)).map_err(read)?;
        Ok(Self { kind, terms })
    }

    /// What is wrong with the fault itself.
    pub(crate) fn objection(&self) -> Option<String> {
        let unknown = self.terms.operation.as_ref().filter(|operation| !Vendor::is_known(operation));
        if let Some(operation) = unknown {
            return Some(format!("There is no such operation: {operation}"));
        }
        if self.terms.percent.is_some_and(|percent| percent > 100) {
            return Some("percent is at most 100.".to_owned());
        }
        match self.kind {
            FaultKind::Status { status, .. } if !(400..600).contains(&status) => {
                Some("status is one of 400 to 599.".to_owned())
            }
            FaultKind::ReplaceResponse { status, .. } if !(200..600).contains(&status) => {
                Some("status is one of 200 to 599.".to_owned())
            }
            FaultKind::ReplaceResponse { content_type: Some(ref text), .. } if HeaderValue::from_str(text).is_err() => {
                Some("content_type holds a character that no header can carry.".to_owned())
            }
            FaultKind::Latency { millis } | FaultKind::SlowBody { millis, .. } if millis > LONGEST_PAUSE => {
                Some(format!("millis is at most {LONGEST_PAUSE}."))
            }
            FaultKind::SlowBody { bytes: 0, .. } => Some("A piece has one byte at least.".to_owned()),
            _ => None,
        }
    }

    fn to_object(&self) -> Map<String, Value> {
        let object = |value: Result<Value, serde_json::Error>| match value {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        };
        let mut all = object(serde_json::to_value(&self.kind));
        all.extend(object(serde_json::to_value(&self.terms)));
        all
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with('{') {
            return Self::from_object(serde_json::from_str(text).map_err(|error| error.to_string())?);
        }
        let mut parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let first = parts.next().unwrap_or_default();
        let mut object = Map::new();
        match first.parse::<u16>() {
            Ok(status) => object.extend([("kind".to_owned(), "status".into()), ("status".to_owned(), status.into())]),
            Err(_) => object.extend([("kind".to_owned(), first.into())]),
        }
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, "true"));
            let (name, value) = (name.trim(), value.trim());
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            object.insert(name.to_owned(), value);
        }
        Self::from_object(object)
    }
}

impl fmt::Display for Fault {
    /// As JSON, from which the same fault can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Value::Object(self.to_object()))
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_says_the_same_as_json() {
        for (short, json) in [
            ("503", r#"{"kind":"status","status":503}"#),
            (
                " 429 ; retry_after=5;as_date;times=2; operation=POST /org/{orgId}/batchCreateUsageRecordGroups",
                r#"{"kind":"status","status":429,"retry_after":5,"as_date":true,"times":2,"operation":"POST /org/{orgId}/batchCreateUsageRecordGroups"}"#,
            ),
            ("reset_after; percent=50; skip=1", r#"{"kind":"reset_after","percent":50,"skip":1}"#),
            ("unknown_enum; pointer=/a/0", r#"{"kind":"unknown_enum","pointer":"/a/0","value":"SANDBOX_UNKNOWN"}"#),
            ("slow_body", r#"{"kind":"slow_body","bytes":16,"millis":100}"#),
            (
                "replace_response; status=410; body=<html>Gone</html>",
                r#"{"kind":"replace_response","status":410,"body":"<html>Gone</html>"}"#,
            ),
            (
                r#"replace_response; body={"error": "maintenance"}; after_effect"#,
                r#"{"kind":"replace_response","body":{"error":"maintenance"},"after_effect":true}"#,
            ),
            ("replace_value; pointer=/a; value=-1", r#"{"kind":"replace_value","pointer":"/a","value":-1}"#),
            ("clock_skew; seconds=-30", r#"{"kind":"clock_skew","seconds":-30}"#),
        ] {
            let fault: Fault = short.parse().unwrap();
            assert_eq!(fault, json.parse().unwrap(), "{short}");
            assert_eq!(fault, fault.to_string().parse().unwrap(), "{short}");
            assert_eq!(fault.objection(), None, "{short}");
        }
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in [
            "",
            ";",
            "nonsense",
            "{",
            "{}",
            "[]",
            "503; often",
            "latency",
            "latency; millis=soon",
            "reset_after; bytes=1",
            "503; percent=-1",
            "503; times=1; status",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
        for text in
            ["200", "600", "0", "latency; millis=3600001", "slow_body; bytes=0", "503; percent=101", "503; operation=x"]
        {
            assert!(text.parse::<Fault>().unwrap().objection().is_some(), "{text}");
        }
    }
}
