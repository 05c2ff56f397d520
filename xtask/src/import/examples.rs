//! Examples: what the vendor shows, as far as it fits the types; made up where it shows nothing.

use std::collections::BTreeMap;

use openapi_document::{Operation, resolve};
use serde_json::{Map, Value, json};

use super::parse::Edition;

/// So deep are optional parts filled in.
const DEPTH: usize = 6;
/// An example of this many values gets no more optional ones.
const SIZE: usize = 300;
/// An example that needs more values is not made: what is required can double with every level.
const MAX_SIZE: usize = 10_000;
/// The same for the bytes of names and strings.
const MAX_BYTES: usize = 1 << 20;

/// What the vendor shows for an operation.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) body: Option<Value>,
    pub(super) response: Option<Value>,
}

/// The vendor's own examples of an operation's bodies.
pub(super) fn shown(root: &Value, edition: Edition, operation: &Operation<'_>) -> Shown {
    let success =
        operation.responses(root).into_iter().find(|(status, _)| status.starts_with('2')).map(|(_, response)| response);
    if edition == Edition::Swagger2 {
        let response = success.and_then(|response| response.get("examples")?.as_object()?.values().next());
        return Shown { body: None, response: response.cloned() };
    }
    let of = |holder: &Value| {
        let media = holder.get("content")?.as_object()?;
        let media = media.iter().find(|(name, _)| name.contains("json")).or_else(|| media.iter().next())?.1;
        let named = || resolve(root, media.get("examples")?.as_object()?.values().next()?).get("value");
        media.get("example").or_else(named).cloned()
    };
    Shown { body: operation.body(root).and_then(of), response: success.and_then(of) }
}

/// Why a schema has no example.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoSample {
    /// No value can end: an object that needs itself.
    Endless,
    TooLarge,
}

impl NoSample {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Endless => "no example: what is required needs itself".to_owned(),
            Self::TooLarge => {
                format!("no example: what is required is more than {MAX_SIZE} values or {} MiB", MAX_BYTES >> 20)
            }
        }
    }
}

/// A value of a drafted schema.
pub(super) fn sample(
    schema: &Value,
    hint: Option<&Value>,
    components: &BTreeMap<String, (usize, Value)>,
) -> Result<Value, NoSample> {
    let mut sampler = Sampler { components, values: 0, bytes: 0, within: Vec::new() };
    let value = sampler.value(schema, hint, 0);
    if sampler.is_too_large() { Err(NoSample::TooLarge) } else { value.ok_or(NoSample::Endless) }
}

struct Sampler<'a> {
    components: &'a BTreeMap<String, (usize, Value)>,
    values: usize,
    bytes: usize,
    within: Vec<String>,
}

impl<'a> Sampler<'a> {
    fn is_too_large(&self) -> bool {
        self.values > MAX_SIZE || self.bytes > MAX_BYTES
    }

    fn value(&mut self, schema: &'a Value, hint: Option<&Value>, depth: usize) -> Option<Value> {
        self.values += 1;
        if self.is_too_large() {
            return None;
        }
        let target = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref")).and_then(Value::as_str);
        if let Some(name) = target.and_then(|target| target.strip_prefix(openapi_document::SCHEMAS)) {
            if self.within.iter().any(|outer| outer == name) {
                return None;
            }
            let (_, schema) = self.components.get(name)?;
            self.within.push(name.to_owned());
            let value = self.value(schema, hint, depth);
            self.within.pop();
            return value;
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        Some(match text("type") {
            "object" => return self.object(schema, hint, depth),
            "array" => {
                let first = hint.and_then(|hint| hint.get(0));
                let entry = schema.get("items").and_then(|items| self.value(items, first, depth + 1));
                // An empty list is left out where it is optional; where it is not, it says that nothing can be in it.
                Value::Array(entry.into_iter().collect())
            }
            "boolean" => hint.filter(|hint| hint.is_boolean()).cloned().unwrap_or(json!(true)),
            "integer" => {
                let fits = |hint: &&Value| {
                    hint.as_i64().is_some_and(|number| text("format") != "int32" || i32::try_from(number).is_ok())
                };
                hint.filter(fits).cloned().unwrap_or(json!(1))
            }
            "number" => hint.filter(|hint| plain_number(hint)).cloned().unwrap_or(json!(12.5)),
            "string" => self.text(schema, hint),
            _ => {
                let hint = hint.filter(|hint| !hint.is_null() && plain(hint));
                self.bytes += hint.map_or(0, |hint| hint.to_string().len());
                hint.cloned().unwrap_or(json!("anything"))
            }
        })
    }

    fn object(&mut self, schema: &'a Value, hint: Option<&Value>, depth: usize) -> Option<Value> {
        let mut object = Map::new();
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            let shown = hint.and_then(Value::as_object).and_then(|map| map.iter().next());
            let (key, hint) = shown.map_or(("key", None), |(key, value)| (key.as_str(), Some(value)));
            match schema.get("additionalProperties") {
                Some(values @ Value::Object(_)) => {
                    object.extend(self.value(values, hint, depth + 1).map(|value| (key.to_owned(), value)));
                }
                _ => drop(object.insert("key".to_owned(), json!("value"))),
            }
            return Some(Value::Object(object));
        };
        let required = schema.get("required").and_then(Value::as_array);
        let required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
        for (name, property) in properties {
            // Absent and null are the same to a reader: such a field is optional, whatever is said of it.
            let needed = required(name) && property.get("nullable") != Some(&json!(true));
            if !needed && (depth >= DEPTH || self.values > SIZE) {
                continue;
            }
            let hint = hint.and_then(|hint| hint.get(name)).or_else(|| property.get("example"));
            match self.value(property, hint, depth + 1) {
                Some(Value::Array(entries)) if entries.is_empty() && !needed => {}
                Some(Value::Object(fields)) if fields.is_empty() && !needed && property["type"] == "object" => {}
                Some(value) => {
                    self.bytes += name.len();
                    object.insert(name.clone(), value);
                }
                None if needed => return None,
                None => {}
            }
        }
        Some(Value::Object(object))
    }

    fn text(&self, schema: &Value, hint: Option<&Value>) -> Value {
        let hint = hint.and_then(Value::as_str).filter(|text| !text.is_empty() && text.chars().count() < 200);
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let shown = hint.and_then(|hint| values.iter().find(|value| *value == hint));
            return shown.or_else(|| values.first()).cloned().unwrap_or_default();
        }
        let of_shape = |shape: &str| hint.filter(|hint| shaped(hint, shape));
        let text = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
            "date" => of_shape("2000-00-00").filter(|day| real_day(day)).unwrap_or("2026-10-01"),
            "date-time" | "lenient-date-time" => of_shape("2000-00-00T00:00:00Z")
                .filter(|time| real_day(time) && real_time(time))
                .unwrap_or("2026-10-01T00:00:00Z"),
            "uuid" => hint.filter(|hint| is_uuid(hint)).unwrap_or("7b0e6b6e-91f5-4f5e-9a0a-3f1c2d4b5a69"),
            "decimal" | "lenient-decimal" => "12.5",
            _ => hint.unwrap_or("text"),
        };
        json!(text)
    }
}

/// Whether a number comes back with the same digits.
fn plain_number(value: &Value) -> bool {
    value.is_number() && plain_text(&value.to_string())
}

fn plain_text(number: &str) -> bool {
    number.len() < 16
        && number.chars().all(|letter| letter.is_ascii_digit() || "-.".contains(letter))
        && !number.ends_with(".0")
}

fn plain(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(plain),
        Value::Array(list) => list.iter().all(plain),
        Value::Number(_) => plain_number(value),
        Value::String(_) | Value::Bool(_) => true,
        Value::Null => false,
    }
}

/// Whether a text is like a pattern, in which a digit stands for any.
fn shaped(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text
            .bytes()
            .zip(pattern.bytes())
            .all(|(is, like)| if like.is_ascii_digit() { is.is_ascii_digit() } else { is == like })
}

fn real_day(text: &str) -> bool {
    let part = |range| text.get(range).and_then(|part: &str| part.parse::<u32>().ok()).unwrap_or_default();
    (1970..2200).contains(&part(0..4)) && (1..=12).contains(&part(5..7)) && (1..=28).contains(&part(8..10))
}

fn real_time(text: &str) -> bool {
    let part = |range| text.get(range).and_then(|part: &str| part.parse::<u32>().ok()).unwrap_or(99);
    part(11..13) < 24 && part(14..16) < 60 && part(17..19) < 60
}

pub(super) fn is_uuid(text: &str) -> bool {
    let parts = text.split('-').collect::<Vec<_>>();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.chars().all(|letter| letter.is_ascii_digit() || ('a'..='f').contains(&letter)))
}
