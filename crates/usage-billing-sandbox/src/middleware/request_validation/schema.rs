//! Validates values against schemas.
//!
//! The curated documents use a small part of OpenAPI 3.0 (`openapi/README.md`: no `oneOf`, no `pattern`, no inline objects; `nullable` and
//! `format` have meanings of their own). Translating it to JSON Schema would be more code than this validator, and the crate `jsonschema` depends
//! on some forty others.

use chrono::{DateTime, NaiveDate};
use openapi_document::pointer::{child, item};
use openapi_document::resolve;
use serde_json::Value;
use uuid::Uuid;

use super::violation::{Violation, ViolationKind};
use crate::vendors::document::Location;

/// Violations that are reported: the first one to the caller, the others in the log.
const MAX_VIOLATIONS: usize = 16;
/// Deeper than any value that serde_json parses.
const MAX_DEPTH: usize = 200;

pub(super) struct Validator {
    /// Resolves references.
    pub(super) root: &'static Value,
    pub(super) location: Location,
    /// Whether undocumented fields are violations.
    pub(super) strict: bool,
    /// Whether unlisted values of enums are violations.
    pub(super) closed_enums: bool,
    /// Whether the strings `"true"` and `"false"` are booleans.
    pub(super) string_booleans: bool,
    pub(super) violations: Vec<Violation>,
}

impl Validator {
    pub(super) fn report(&mut self, pointer: &str, kind: ViolationKind, message: impl Into<String>) {
        if self.violations.len() < MAX_VIOLATIONS {
            let (pointer, message) = (pointer.to_owned(), message.into());
            self.violations.push(Violation { location: self.location, pointer, kind, message });
        }
    }

    /// Validates a JSON value.
    pub(super) fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        self.value_at(schema, value, at, 0);
    }

    fn value_at(&mut self, schema: &Value, value: &Value, at: &str, depth: usize) {
        if depth > MAX_DEPTH || self.violations.len() >= MAX_VIOLATIONS {
            return;
        }
        let schema = resolve(self.root, schema);
        if value.is_null() && schema.get("nullable").and_then(Value::as_bool) == Some(true) {
            return;
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.value_at(part, value, at, depth + 1);
        }
        let expected = schema.get("type").and_then(Value::as_str);
        match (expected, value) {
            (Some("object"), Value::Object(fields)) => self.object(schema, fields, at, depth),
            (Some("array"), Value::Array(items)) => {
                let of = schema.get("items").unwrap_or(&Value::Null);
                for (index, value) in items.iter().enumerate() {
                    self.value_at(of, value, &item(at, index), depth + 1);
                }
            }
            (Some("string"), Value::String(text)) => self.text(schema, text, at),
            (Some("integer"), Value::Number(number)) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => self.integer(schema, number, at),
                (None, Some(_)) => self.report(at, ViolationKind::Range, "is too large"),
                (None, None) => self.report(at, ViolationKind::Type, "must be an integer"),
            },
            // The handlers parse the digits of decimals.
            (Some("number"), Value::Number(_)) | (Some("boolean"), Value::Bool(_)) => {}
            (Some("boolean"), Value::String(text))
                if self.string_booleans && ["true", "false"].contains(&text.as_str()) => {}
            (Some(expected @ ("object" | "array" | "string" | "integer" | "number" | "boolean")), _) => {
                let article = if expected.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
                self.report(at, ViolationKind::Type, format!("must be {article} {expected}"));
            }
            _ => {}
        }
    }

    fn object(&mut self, schema: &Value, fields: &serde_json::Map<String, Value>, at: &str, depth: usize) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for name in &required {
            let property = properties.and_then(|properties| properties.get(*name)).unwrap_or(&Value::Null);
            let nullable = || resolve(self.root, property).get("nullable").and_then(Value::as_bool) == Some(true);
            if fields.get(*name).is_none_or(|value| value.is_null() && !nullable()) {
                self.report(&child(at, name), ViolationKind::Missing, "is missing");
            }
        }
        let others = schema.get("additionalProperties");
        for (name, value) in fields {
            let pointer = child(at, name);
            match (properties.and_then(|properties| properties.get(name)), others) {
                // All vendors read `null` as a missing field, and generated clients may send it.
                (Some(_), _) if value.is_null() => {}
                (Some(property), _) => self.value_at(property, value, &pointer, depth + 1),
                (None, Some(Value::Object(of))) if !of.is_empty() => {
                    self.value_at(others.unwrap_or(&Value::Null), value, &pointer, depth + 1);
                }
                (None, Some(Value::Object(_) | Value::Bool(true))) => {}
                (None, _) if self.strict => self.report(&pointer, ViolationKind::Unknown, "is not known"),
                (None, _) => {}
            }
        }
    }

    /// Validates a parameter in a path, query or header.
    pub(super) fn parameter(&mut self, schema: &Value, text: &str, at: &str) {
        let schema = resolve(self.root, schema);
        match schema.get("type").and_then(Value::as_str) {
            Some("integer") => match text.parse() {
                Ok(number) => self.integer(schema, number, at),
                Err(_) => self.report(at, ViolationKind::Type, "must be an integer"),
            },
            // Go and Python also accept 1 and 0, which are not in the document.
            Some("boolean") => match text {
                "true" | "false" => {}
                "1" | "0" if !self.strict => {}
                _ => self.report(at, ViolationKind::Type, "must be true or false"),
            },
            _ => self.text(schema, text, at),
        }
    }

    fn integer(&mut self, schema: &Value, number: i64, at: &str) {
        let limit = |name: &str| schema.get(name).and_then(Value::as_i64);
        if let Some(least) = limit("minimum").filter(|least| number < *least) {
            self.report(at, ViolationKind::Range, format!("must be at least {least}"));
        } else if let Some(most) = limit("maximum").filter(|most| number > *most) {
            self.report(at, ViolationKind::Range, format!("must be at most {most}"));
        } else if format(schema) == "int32" && i32::try_from(number).is_err() {
            self.report(at, ViolationKind::Range, "must have 32 bits at most");
        }
    }

    fn text(&mut self, schema: &Value, text: &str, at: &str) {
        if let Some(listed) = schema.get("enum").and_then(Value::as_array).filter(|_| self.closed_enums)
            && !listed.iter().any(|value| value.as_str() == Some(text))
        {
            self.report(at, ViolationKind::Unlisted, format!("is not one of the known values: {}", excerpt(text)));
        }
        let characters = || u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
        if let Some(most) = limit("maxLength").filter(|most| characters() > *most) {
            self.report(at, ViolationKind::Range, format!("must have at most {most} characters"));
        }
        if let Some(least) = limit("minLength").filter(|least| characters() < *least) {
            self.report(at, ViolationKind::Range, format!("must have at least {least} characters"));
        }
        let (is_valid, expected) = match format(schema) {
            // The vendors respond with 404 to an invalid id in a path.
            "uuid" => (self.location == Location::Path || Uuid::try_parse(text).is_ok(), "a UUID"),
            "date" => (text.parse::<NaiveDate>().is_ok(), "a date such as 2026-11-21"),
            "date-time" => (DateTime::parse_from_rfc3339(text).is_ok(), "a date-time such as 2026-11-21T09:00:00Z"),
            "decimal" | "lenient-decimal" => (is_decimal(text), "a decimal number"),
            _ => (true, ""),
        };
        if !is_valid {
            self.report(at, ViolationKind::Format, format!("must be {expected}: {}", excerpt(text)));
        }
    }
}

fn format(schema: &Value) -> &str {
    schema.get("format").and_then(Value::as_str).unwrap_or_default()
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the part of a value that an error repeats.
fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(schema: &Value, value: &Value, strict: bool) -> Vec<String> {
        let mut validator = Validator {
            root: &Value::Null,
            location: Location::Body,
            strict,
            closed_enums: true,
            string_booleans: false,
            violations: Vec::new(),
        };
        validator.value(schema, value, "");
        validator.violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn keywords_of_the_documents_are_checked() {
        let object = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "integer", "format": "int32", "minimum": 1},
            "b": {"type": "array", "items": {"type": "string", "enum": ["x"]}},
            "c": {"type": "string", "format": "date", "nullable": true},
            "d": {"allOf": [{"type": "string", "maxLength": 2, "minLength": 1}]},
            "e": {"type": "object", "additionalProperties": {"type": "number"}},
            "f": {"type": "string", "format": "decimal"},
            "g": {"type": "string", "format": "uuid"},
            "h": {"type": "string", "format": "date-time"},
            "i": {"type": "boolean"},
            "a/~": {"type": "boolean"},
        }});
        let cases = [
            (json!({"a": 1, "b": ["x"], "c": null, "d": "é株", "e": {"k": 0.1}, "f": "-1.50", "i": true}), vec![]),
            (json!({"a": 1, "b": null, "later": 1}), vec![]),
            (json!({}), vec!["body#/a: is missing"]),
            (json!({"a": null}), vec!["body#/a: is missing"]),
            (json!([]), vec!["body#: must be an object"]),
            (json!({"a": "1"}), vec!["body#/a: must be an integer"]),
            (json!({"a": 1.5}), vec!["body#/a: must be an integer"]),
            (json!({"a": 0}), vec!["body#/a: must be at least 1"]),
            (json!({"a": 2_147_483_648_i64}), vec!["body#/a: must have 32 bits at most"]),
            (json!({"a": u64::MAX}), vec!["body#/a: is too large"]),
            (json!({"a": 1, "b": ["x", "y"]}), vec!["body#/b/1: is not one of the known values: y"]),
            (json!({"a": 1, "b": {}}), vec!["body#/b: must be an array"]),
            (json!({"a": 1, "c": "2026-02-30"}), vec!["body#/c: must be a date such as 2026-11-21: 2026-02-30"]),
            (json!({"a": 1, "d": "abc"}), vec!["body#/d: must have at most 2 characters"]),
            (json!({"a": 1, "d": ""}), vec!["body#/d: must have at least 1 characters"]),
            (json!({"a": 1, "e": {"k": "1"}}), vec!["body#/e/k: must be a number"]),
            (json!({"a": 1, "f": "1e3"}), vec!["body#/f: must be a decimal number: 1e3"]),
            (json!({"a": 1, "g": "x"}), vec!["body#/g: must be a UUID: x"]),
            (json!({"a": 1, "h": "noon"}), vec!["body#/h: must be a date-time such as 2026-11-21T09:00:00Z: noon"]),
            (json!({"a": 1, "a/~": 1}), vec!["body#/a~1~0: must be a boolean"]),
        ];
        for (value, expected) in cases {
            assert_eq!(checked(&object, &value, false), expected, "{value}");
        }
        assert_eq!(checked(&object, &json!({"a": 1, "z": 1, "e": {"k": 1}}), true), ["body#/z: is not known"]);
    }

    #[test]
    fn number_of_violations_is_limited() {
        let schema = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(checked(&schema, &json!(vec![1; 1000]), false).len(), MAX_VIOLATIONS);
    }

    #[test]
    fn parameter_is_parsed_as_its_type() {
        for (schema, text, good, strictly) in [
            (json!({"type": "integer", "maximum": 10}), "10", true, true),
            (json!({"type": "integer", "maximum": 10}), "11", false, false),
            (json!({"type": "integer"}), "1e3", false, false),
            (json!({"type": "integer"}), "99999999999999999999", false, false),
            (json!({"type": "boolean"}), "true", true, true),
            (json!({"type": "boolean"}), "1", true, false),
            (json!({"type": "boolean"}), "yes", false, false),
            (json!({"type": "string", "format": "date"}), "2026-11-21", true, true),
            (json!({"type": "string"}), "", true, true),
        ] {
            for (strict, expected) in [(false, good), (true, strictly)] {
                let mut validator = Validator {
                    root: &Value::Null,
                    location: Location::Query,
                    strict,
                    closed_enums: true,
                    string_booleans: false,
                    violations: vec![],
                };
                validator.parameter(&schema, text, "/x");
                assert_eq!(validator.violations.is_empty(), expected, "{schema} {text} {strict}");
            }
        }
    }
}
