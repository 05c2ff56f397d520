//! Examples: what the vendor shows, as far as it fits the types; made up where it shows nothing.

use std::collections::BTreeMap;

use openapi_document::{Operation, resolve};
use serde_json::{Map, Value, json};

use super::parse::Edition;
use crate::{example_mismatches::is_uuid, packed::Packed};

/// So deep are optional parts filled in.
const DEPTH: usize = 6;
/// An example of this many values gets no more optional ones.
const SIZE: usize = 300;
/// An example that needs more values is not made: what is required can double with every level.
const MAX_SIZE: usize = 10_000;
/// The same for the bytes of names and strings.
const MAX_BYTES: usize = 1 << 20;

/// The vendor's examples for an operation.
#[derive(Default)]
pub(super) struct VendorExamples<'a> {
    pub(super) body: Hint<'a>,
    pub(super) response: Hint<'a>,
}

/// The vendor's examples of a body.
#[derive(Default)]
pub(super) struct Hint<'a> {
    example: Option<&'a Value>,
    /// The published schema: it and its parts may have examples.
    schema: Option<&'a Value>,
}

/// Returns the vendor's own examples of an operation's bodies.
pub(super) fn vendor_examples<'a>(root: &'a Value, edition: Edition, operation: &Operation<'a>) -> VendorExamples<'a> {
    let success =
        operation.responses(root).into_iter().find(|(status, _)| status.starts_with('2')).map(|(_, response)| response);
    if edition == Edition::Swagger2 {
        let parameters = operation.parameters_at(root).into_iter();
        let body = parameters.map(|(_, parameter)| parameter).find(|parameter| parameter["in"] == "body");
        let example = success.and_then(|response| response.get("examples")?.as_object()?.values().next());
        let schema = |holder: Option<&'a Value>| holder.and_then(|holder| holder.get("schema"));
        return VendorExamples {
            body: Hint { example: None, schema: schema(body) },
            response: Hint { example, schema: schema(success) },
        };
    }
    let of = |holder: &'a Value| {
        let media = holder.get("content")?.as_object()?;
        let media = media.iter().find(|(name, _)| name.contains("json")).or_else(|| media.iter().next())?.1;
        let named = || resolve(root, media.get("examples")?.as_object()?.values().next()?).get("value");
        Some(Hint { example: media.get("example").or_else(named), schema: media.get("schema") })
    };
    VendorExamples {
        body: operation.body(root).and_then(of).unwrap_or_default(),
        response: success.and_then(of).unwrap_or_default(),
    }
}

/// The vendor's examples of a value: the values, the nearest first, and the published schemas of it.
#[derive(Default)]
struct Hints<'a> {
    examples: Vec<&'a Value>,
    schemas: Vec<&'a Value>,
}

/// Published schemas of one value and parts of these are looked at up to this many, and as many of their examples.
const MAX_HINTS: usize = 32;

impl<'a> Hints<'a> {
    /// Follows references to parts of the schemas, and adds the examples of all.
    fn of(root: &'a Value, examples: Vec<&'a Value>, mut schemas: Vec<&'a Value>) -> Self {
        let mut hints = Self { examples, schemas: Vec::new() };
        schemas.reverse();
        while let Some(schema) = schemas.pop().filter(|_| hints.schemas.len() < MAX_HINTS) {
            let list = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
            let own = schema.get("example").into_iter().chain(list("examples"));
            let left = MAX_HINTS.saturating_sub(hints.examples.len());
            hints.examples.extend(own.filter(|example| !example.is_null()).take(left));
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            let parts = target.and_then(|pointer| root.pointer(pointer)).into_iter();
            let parts = parts.chain(["allOf", "oneOf", "anyOf"].into_iter().flat_map(list)).collect::<Vec<_>>();
            schemas.extend(parts.into_iter().rev());
            hints.schemas.push(schema);
        }
        hints
    }

    /// Returns the hints for a part of the value.
    fn part(
        &self,
        root: &'a Value,
        example: impl Fn(&'a Value) -> Option<&'a Value>,
        schema: impl Fn(&'a Value) -> Option<&'a Value>,
    ) -> Self {
        let examples = self.examples.iter().filter_map(|whole| example(whole)).filter(|example| !example.is_null());
        Self::of(root, examples.collect(), self.schemas.iter().filter_map(|whole| schema(whole)).collect())
    }

    fn find(&self, fits: impl Fn(&Value) -> bool) -> Option<&'a Value> {
        self.examples.iter().copied().find(|example| fits(example))
    }

    fn find_text(&self, fits: impl Fn(&str) -> bool) -> Option<&'a str> {
        let strings = self.examples.iter().filter_map(|example| example.as_str());
        strings.filter(|text| !text.is_empty() && text.chars().count() < 200).find(|text| fits(text))
    }
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

/// Returns a value of a drafted schema.
pub(super) fn sample<'a>(
    root: &'a Value,
    schema: &Value,
    hint: &Hint<'a>,
    components: &'a BTreeMap<String, (usize, Packed)>,
) -> Result<Value, NoSample> {
    let hints = Hints::of(root, hint.example.into_iter().collect(), hint.schema.into_iter().collect());
    let mut sampler = Sampler { root, components, values: 0, bytes: 0, within: Vec::new() };
    let value = sampler.value(schema, &hints, 0);
    if sampler.is_too_large() { Err(NoSample::TooLarge) } else { value.ok_or(NoSample::Endless) }
}

struct Sampler<'a> {
    root: &'a Value,
    components: &'a BTreeMap<String, (usize, Packed)>,
    values: usize,
    bytes: usize,
    within: Vec<String>,
}

impl<'a> Sampler<'a> {
    fn is_too_large(&self) -> bool {
        self.values > MAX_SIZE || self.bytes > MAX_BYTES
    }

    fn value(&mut self, schema: &Value, hints: &Hints<'a>, depth: usize) -> Option<Value> {
        self.values += 1;
        if self.is_too_large() {
            return None;
        }
        if let Some(name) = openapi_document::component_of(schema) {
            if self.within.iter().any(|outer| outer == name) {
                return None;
            }
            let schema = self.components.get(name)?.1.value();
            self.within.push(name.to_owned());
            let value = self.value(&schema, hints, depth);
            self.within.pop();
            return value;
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        Some(match text("type") {
            "object" => return self.object(schema, hints, depth),
            "array" => {
                let entry = schema.get("items").and_then(|items| {
                    let hints = hints.part(self.root, |list| list.get(0), |schema| schema.get("items"));
                    self.value(items, &hints, depth + 1)
                });
                // An empty list is left out where it is optional; where it is not, it states that nothing can be in it.
                Value::Array(entry.into_iter().collect())
            }
            "boolean" => hints.find(Value::is_boolean).cloned().unwrap_or(json!(true)),
            "integer" => {
                let fits = |hint: &Value| {
                    hint.as_i64().is_some_and(|number| text("format") != "int32" || i32::try_from(number).is_ok())
                };
                hints.find(fits).cloned().unwrap_or(json!(1))
            }
            "number" => hints.find(plain_number).cloned().unwrap_or(json!(12.5)),
            "string" => string(schema, hints),
            _ => {
                let hint = hints.find(plain);
                self.bytes += hint.map_or(0, |hint| hint.to_string().len());
                hint.cloned().unwrap_or(json!("anything"))
            }
        })
    }

    fn object(&mut self, schema: &Value, hints: &Hints<'a>, depth: usize) -> Option<Value> {
        let mut object = Map::new();
        let root = self.root;
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            let shown = hints.examples.iter().find_map(|hint| hint.as_object()?.keys().next());
            let key = shown.map_or("key", String::as_str);
            match schema.get("additionalProperties") {
                Some(values @ Value::Object(_)) => {
                    let hints = hints.part(root, |map| map.get(key), |schema| schema.get("additionalProperties"));
                    object.extend(self.value(values, &hints, depth + 1).map(|value| (key.to_owned(), value)));
                }
                _ => drop(object.insert("key".to_owned(), json!("value"))),
            }
            return Some(Value::Object(object));
        };
        let required = schema.get("required").and_then(Value::as_array);
        let required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
        for (name, property) in properties {
            // Absent and null are the same to a reader: such a field is optional, also if `required` names it.
            let needed = required(name) && property.get("nullable") != Some(&json!(true));
            if !needed && (depth >= DEPTH || self.values > SIZE) {
                continue;
            }
            let hints = hints.part(root, |object| object.get(name), |schema| schema.get("properties")?.get(name));
            match self.value(property, &hints, depth + 1) {
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
}

fn string(schema: &Value, hints: &Hints<'_>) -> Value {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let shown = hints.find(|hint| values.contains(hint));
        return shown.or_else(|| values.first()).cloned().unwrap_or_default();
    }
    let text = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
        "date" => hints.find_text(|day| shaped(day, "2000-00-00") && real_day(day)).unwrap_or("2026-10-01"),
        "date-time" | "lenient-date-time" => hints
            .find_text(|time| shaped(time, "2000-00-00T00:00:00Z") && real_day(time) && real_time(time))
            .unwrap_or("2026-10-01T00:00:00Z"),
        "uuid" => hints.find_text(is_uuid).unwrap_or("7b0e6b6e-91f5-4f5e-9a0a-3f1c2d4b5a69"),
        "decimal" => hints.find_text(is_decimal).unwrap_or("12.5"),
        "lenient-decimal" => "12.5",
        _ => hints.find_text(|_| true).unwrap_or("text"),
    };
    json!(text)
}

/// Returns whether a number comes back with the same digits.
fn plain_number(value: &Value) -> bool {
    value.is_number() && plain_text(&value.to_string())
}

fn plain_text(number: &str) -> bool {
    number.len() < 16
        && number.chars().all(|letter| letter.is_ascii_digit() || "-.".contains(letter))
        && !number.ends_with(".0")
}

/// Returns whether a text is a number that a decimal writes in the same way.
fn is_decimal(text: &str) -> bool {
    plain_text(text) && !text.starts_with("-0") && serde_json::from_str::<serde_json::Number>(text).is_ok()
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

/// Returns whether a text is like a pattern, in which a digit stands for any.
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
