//! Faults, and their two forms: JSON, or short as `503; retry_after=5; times=2`.

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::fault_error::FaultError;
use crate::vendors::Vendor;

/// Milliseconds of a latency or of a delay within a slow body.
const MAX_DELAY_MILLIS: u64 = 3_600_000;

/// A fault, the requests that it is injected into, and how often.
///
/// It is parsed from JSON, `{"kind": "status", "status": 503, "retry_after": 5, "operation": "create_report", "times": 2}`, or from
/// the short form `status; status=503; retry_after=5; …`, in which `503; retry_after=5; …` means the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    terms: Terms,
}

/// The effect of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FaultKind {
    /// Responds with the vendor's error body and a status.
    Status {
        /// 400 to 599.
        status: u16,
        /// `Retry-After`, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
        /// Whether `Retry-After` is sent as the date that many seconds from now.
        #[serde(default, skip_serializing_if = "is_false")]
        as_date: bool,
        /// Whether the request still takes effect.
        #[serde(default, skip_serializing_if = "is_false")]
        after_effect: bool,
    },
    /// Responds with a body that is not the vendor's: a maintenance page, a body of another shape, the error of a gateway.
    ReplaceResponse {
        /// 200 to 599.
        #[serde(default = "ok")]
        status: u16,
        /// The body: a string as it is, other values as JSON.
        #[serde(default)]
        body: Value,
        /// Media type; by default JSON, or HTML for a string.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// Whether the request still takes effect.
        #[serde(default, skip_serializing_if = "is_false")]
        after_effect: bool,
    },
    /// Delays the request.
    Latency {
        /// Milliseconds, at most an hour.
        millis: u64,
    },
    /// Resets the connection before the request takes effect.
    ResetBefore {},
    /// Resets the connection instead of responding, after the request took effect.
    ResetAfter {},
    /// Truncates the body, and closes the connection.
    CutBody {
        /// Bytes that are sent; half of the body by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
    },
    /// Sends the body in small pieces.
    SlowBody {
        /// Bytes of a piece; 16 by default.
        #[serde(default = "piece")]
        bytes: usize,
        /// Milliseconds before each piece; 100 by default.
        #[serde(default = "delay")]
        millis: u64,
    },
    /// Replaces the last byte of the JSON with a comma.
    MalformedJson {},
    /// Replaces a string with a value that the document does not list.
    UnknownEnum {
        /// JSON pointer; by default the first string with an enum.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pointer: Option<String>,
        /// The value; `SANDBOX_UNKNOWN` by default.
        #[serde(default = "unknown")]
        value: String,
    },
    /// Replaces a value of the body, or adds a missing field of an object.
    ReplaceValue {
        /// JSON pointer.
        pointer: String,
        /// The value.
        value: Value,
    },
    /// Adds a field to the outermost object and to the objects in arrays.
    ExtraFields {},
    /// Replaces arrays with `null`.
    NullLists {
        /// JSON pointer; all arrays by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pointer: Option<String>,
    },
    /// Replaces the cursor to the next page with that of this page. Applies to pages that have both.
    DuplicatedPage {},
    /// Shifts the `Date` of the response and the expiry of a new token.
    ClockSkew {
        /// Seconds; negative for a slow clock.
        seconds: i32,
    },
}

/// The requests that a fault matches, and how often it is injected.
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

fn delay() -> u64 {
    100
}

fn unknown() -> String {
    "SANDBOX_UNKNOWN".to_owned()
}

impl Fault {
    /// Creates a fault for all requests.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, terms: Terms::default() }
    }

    /// Restricts the fault to one operation, by its `operationId` or by method and path template (`POST /reports`), or to the operations of a
    /// vendor, by the vendor's name.
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.terms.operation = Some(operation.into());
        self
    }

    /// Injects the fault into at most this number of requests.
    pub fn times(mut self, times: u32) -> Self {
        self.terms.times = Some(times);
        self
    }

    /// Skips this number of matching requests first.
    pub fn skip(mut self, requests: u32) -> Self {
        self.terms.skip = Some(requests);
        self
    }

    /// Injects the fault into a percentage of the matching requests, drawn from the sandbox's fault seed.
    pub fn percent(mut self, percent: u8) -> Self {
        self.terms.percent = Some(percent);
        self
    }

    /// Returns the effect.
    pub fn kind(&self) -> &FaultKind {
        &self.kind
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Parses an object, or a string in either form.
    pub(crate) fn from_value(value: Value) -> Result<Self, FaultError> {
        match value {
            Value::Object(object) => Self::from_object(object),
            Value::String(text) => text.parse(),
            _ => Err(FaultError::Syntax("expected an object or a string".to_owned())),
        }
    }

    fn from_object(mut object: Map<String, Value>) -> Result<Self, FaultError> {
        let terms: Map<_, _> = ["operation", "times", "skip", "percent"]
            .into_iter()
            .filter_map(|name| object.remove_entry(name))
            .collect();
        let syntax = |error: serde_json::Error| FaultError::Syntax(error.to_string());
        let terms = serde_json::from_value(Value::Object(terms)).map_err(syntax)?;
        let kind = serde_json::from_value(Value::Object(object)).map_err(syntax)?;
        Ok(Self { kind, terms })
    }

    /// Checks the operation and the ranges of numbers.
    pub(crate) fn validate(&self) -> Result<(), FaultError> {
        if let Some(operation) = self.terms.operation.as_ref().filter(|operation| !Vendor::is_known_selector(operation))
        {
            return Err(FaultError::UnknownOperation(operation.clone()));
        }
        let invalid = |field, expected: &str| Err(FaultError::InvalidField { field, expected: expected.to_owned() });
        match self.kind {
            _ if self.terms.percent.is_some_and(|percent| percent > 100) => invalid("percent", "0 to 100"),
            FaultKind::Status { status, .. } if !(400..600).contains(&status) => invalid("status", "400 to 599"),
            FaultKind::ReplaceResponse { status, .. } if !(200..600).contains(&status) => {
                invalid("status", "200 to 599")
            }
            FaultKind::ReplaceResponse { content_type: Some(ref text), .. } if HeaderValue::from_str(text).is_err() => {
                invalid("content_type", "a value of a header")
            }
            FaultKind::Latency { millis } | FaultKind::SlowBody { millis, .. } if millis > MAX_DELAY_MILLIS => {
                invalid("millis", &format!("at most {MAX_DELAY_MILLIS}"))
            }
            FaultKind::SlowBody { bytes: 0, .. } => invalid("bytes", "at least 1"),
            _ => Ok(()),
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
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let text = text.trim();
        if text.starts_with('{') {
            let object = serde_json::from_str(text).map_err(|error| FaultError::Syntax(error.to_string()))?;
            return Self::from_object(object);
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
    /// Formats the fault as JSON, from which it can be parsed again.
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
    fn short_form_is_equivalent_to_json() {
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
            assert_eq!(fault.validate(), Ok(()), "{short}");
        }
    }

    #[test]
    fn invalid_faults_are_rejected() {
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
            assert!(text.parse::<Fault>().unwrap().validate().is_err(), "{text}");
        }
    }
}
