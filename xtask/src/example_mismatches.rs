//! Examples that contradict their schema: they show what is on the wire.

use std::borrow::Cow;

use openapi_document::pointer::{child, item};
use serde_json::Value;

/// Of one example, this many are reported.
const MOST: usize = 20;
/// Schemas within schemas are followed this far: they may hold themselves.
const DEPTH: usize = 40;

/// Why a field of an example does not fit.
pub(crate) const UNLISTED: &str = "a field that the schema does not list";

/// Returns the parts of an example that do not fit its schema: pointers into the example, and the reasons. `component` returns the schema
/// of a name.
pub(crate) fn mismatches<'a>(
    schema: &Value,
    example: &Value,
    component: &dyn Fn(&str) -> Option<Cow<'a, Value>>,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    Check { component, found: &mut found }.value(schema, example, "", 0);
    found
}

/// Returns one of them in words.
pub(crate) fn mismatch_text((at, why): &(String, String)) -> String {
    if at.is_empty() { format!("the example is {why}") } else { format!("the example at {at} is {why}") }
}

struct Check<'a, 'c> {
    component: &'c dyn Fn(&str) -> Option<Cow<'a, Value>>,
    found: &'c mut Vec<(String, String)>,
}

impl Check<'_, '_> {
    fn add(&mut self, at: &str, why: &str) {
        if self.found.len() < MOST {
            self.found.push((at.to_owned(), why.to_owned()));
        }
    }

    fn value(&mut self, schema: &Value, value: &Value, at: &str, depth: usize) {
        if depth > DEPTH || schema.get("x-any").is_some() {
            return;
        }
        if value.is_null() {
            if schema.get("nullable") != Some(&Value::Bool(true)) {
                self.add(at, "null, which the schema does not allow");
            }
            return;
        }
        if let Some(name) = openapi_document::component_of(schema) {
            if let Some(schema) = (self.component)(name) {
                self.value(&schema, value, at, depth + 1);
            }
            return;
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        let (expected, format) = (text("type"), text("format"));
        let fits = match expected {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            _ => return,
        };
        if !fits {
            return self.add(at, &format!("of the type {}, and the schema's is {expected}", type_of(value)));
        }
        match value {
            Value::String(string) => self.string(schema, string, format, at),
            Value::Array(entries) => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                let each = entries.iter().enumerate();
                each.for_each(|(index, entry)| self.value(items, entry, &item(at, index), depth + 1));
            }
            Value::Object(fields) => self.object(schema, fields, at, depth),
            _ => {}
        }
    }

    fn string(&mut self, schema: &Value, string: &str, format: &str, at: &str) {
        let fits = match format {
            "date" => string.parse::<chrono::NaiveDate>().is_ok(),
            "date-time" => chrono::DateTime::parse_from_rfc3339(string).is_ok(),
            "uuid" => is_uuid(&string.to_ascii_lowercase()),
            _ => true,
        };
        if !fits {
            self.add(at, &format!("not a {format}, which is the schema's format"));
        }
        let listed = schema.get("enum").and_then(Value::as_array);
        if listed.is_some_and(|values| !values.iter().any(|value| value == string)) {
            self.add(at, "not one of the listed values");
        }
    }

    fn object(&mut self, schema: &Value, fields: &serde_json::Map<String, Value>, at: &str, depth: usize) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").filter(|others| !others.is_boolean());
        let is_open = schema.get("additionalProperties") == Some(&Value::Bool(true));
        for (name, value) in fields {
            match properties.and_then(|properties| properties.get(name)).or(others) {
                Some(schema) => self.value(schema, value, &child(at, name), depth + 1),
                None if is_open || properties.is_none() => {}
                None => self.add(&child(at, name), UNLISTED),
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let is_described = |name: &&str| properties.is_some_and(|properties| properties.contains_key(*name));
        for name in required.filter(is_described).filter(|name| !fields.contains_key(*name)) {
            self.add(&child(at, name), "missing, and required by the schema");
        }
    }
}

/// Returns whether this is a UUID in lower case.
pub(crate) fn is_uuid(text: &str) -> bool {
    let parts = text.split('-').collect::<Vec<_>>();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.chars().all(|letter| letter.is_ascii_digit() || ('a'..='f').contains(&letter)))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn contradiction_of_the_schema_is_reported_with_its_place() {
        let schema = json!({"type": "object", "required": ["id", "total"], "properties": {
            "id": {"type": "string", "format": "uuid"}, "total": {"type": "integer"},
            "at": {"type": "string", "format": "date-time"}, "state": {"$ref": "#/components/schemas/State"},
            "lines": {"type": "array", "items": {"type": "number"}},
        }});
        let state = json!({"type": "string", "enum": ["open", "done"]});
        let component = |name: &str| (name == "State").then_some(Cow::Borrowed(&state));
        let found = |example| {
            let lines = mismatches(&schema, example, &component).into_iter();
            lines.map(|(at, why)| format!("{at} is {why}")).collect::<Vec<_>>()
        };
        let example = json!({"id": "ord-17", "at": "2026-10-01", "state": "new", "lines": [1, "2"], "currency": null});
        assert_eq!(
            found(&example),
            [
                "/at is not a date-time, which is the schema's format",
                "/currency is a field that the schema does not list",
                "/id is not a uuid, which is the schema's format",
                "/lines/1 is of the type string, and the schema's is number",
                "/state is not one of the listed values",
                "/total is missing, and required by the schema",
            ]
        );
        let good = json!({"id": "7B0E6B6E-91f5-4f5e-9a0a-3f1c2d4b5a69", "total": 1, "at": "2026-10-01T00:00:00+02:00", "state": "open"});
        assert_eq!(found(&good), [""; 0]);
    }
}
