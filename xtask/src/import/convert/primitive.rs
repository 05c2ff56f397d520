//! Strings, numbers and booleans.

use openapi_document::pointer::child;
use serde_json::{Map, Value, json};

use super::{Converter, keywords::describe};
use crate::{
    codegen::{identifiers::type_name, open_enum},
    import::losses::Kind,
};

/// The formats of strings that the generator supports.
const OF_TEXT: [&str; 12] = [
    "date",
    "date-time",
    "decimal",
    "uuid",
    "uri",
    "uri-reference",
    "email",
    "password",
    "binary",
    "byte",
    "lenient-date-time",
    "lenient-decimal",
];

/// The maximum number of values that a description lists.
const LISTED: usize = 20;

impl Converter<'_> {
    /// Returns a schema of one simple type.
    pub(super) fn scalar(&mut self, map: &Map<String, Value>, kind: &str, at: &str) -> Value {
        match kind {
            "string" => self.text(map, at),
            "integer" if exceeds_64_bits(map) => {
                self.losses.add(Kind::Type, at, "integers of more than 64 bits: read as decimals");
                self.number(map, at)
            }
            "integer" => self.integer(map, at),
            "number" => self.number(map, at),
            "boolean" => {
                let mut flag = json!({"type": "boolean"});
                describe(&mut flag, map);
                let listed = values(map);
                if listed.len() == 1 {
                    self.losses.add(Kind::Enum, at, "a boolean of one value: read as any boolean");
                }
                if listed.iter().any(|value| !["true", "false"].contains(&value.as_str())) {
                    self.losses.add(
                        Kind::Enum,
                        at,
                        "listed values that are not booleans: left out, as the type requires",
                    );
                }
                flag
            }
            "file" => {
                self.losses.add(Kind::Type, at, "a file outside of a form and of a response: converted to a string");
                json!({"type": "string"})
            }
            other => self.any(map, at, &format!("unknown type {other:?}")),
        }
    }

    fn number(&mut self, map: &Map<String, Value>, at: &str) -> Value {
        let mut number = json!({"type": "number", "format": "decimal"});
        describe(&mut number, map);
        self.listed(&mut number, map, at);
        number
    }

    fn integer(&mut self, map: &Map<String, Value>, at: &str) -> Value {
        let format = map.get("format").and_then(Value::as_str).unwrap_or("int64");
        let format = match format {
            "int32" | "int64" => format,
            other => {
                self.losses.add(
                    Kind::Type,
                    &child(at, "format"),
                    format!("integer of the format {other:?}: read as int64"),
                );
                "int64"
            }
        };
        let mut integer = json!({"type": "integer", "format": format});
        describe(&mut integer, map);
        self.listed(&mut integer, map, at);
        integer
    }

    /// Adds the values of an enum of numbers to the description: only values of strings have names.
    fn listed(&mut self, number: &mut Value, map: &Map<String, Value>, at: &str) {
        let values = map.get("enum").and_then(Value::as_array).into_iter().flatten().chain(map.get("const"));
        let (values, others): (Vec<_>, Vec<_>) =
            values.filter(|value| !value.is_null()).partition(|value| value.is_number());
        let values = values.into_iter().map(ToString::to_string).collect::<Vec<_>>();
        let key = if map.contains_key("const") { "const" } else { "enum" };
        if !others.is_empty() {
            self.losses.add(
                Kind::Enum,
                &child(at, key),
                "listed values that are not numbers: left out, as the type requires",
            );
        }
        if !values.is_empty() {
            self.losses.add(Kind::Enum, &child(at, key), "an enum of numbers: its values are in the description");
            add_text(number, &one_of(&values));
        }
    }

    fn text(&mut self, map: &Map<String, Value>, at: &str) -> Value {
        let values = values(map);
        let listed = map.get("enum").and_then(Value::as_array);
        if listed.is_some_and(|all| {
            all.iter().any(|value| value.as_str().is_some_and(|text| text.contains(char::is_control)))
        }) {
            let text = "values with control characters are not listed: they are read as unknown values";
            self.losses.add(Kind::Enum, &child(at, "enum"), text);
        }
        if map.get("type").is_none() && is_mixed(map) {
            let mut any = self.any(map, &child(at, "enum"), "an enum of strings and of other values");
            add_text(&mut any, &one_of(&listed.into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>()));
            return any;
        }
        let is_other = |value: &Value| value.is_number() || value.is_boolean();
        if map.get("type").is_some() && listed.into_iter().flatten().chain(map.get("const")).any(is_other) {
            let key = if map.contains_key("const") { "const" } else { "enum" };
            let why = "listed values that are not strings: sent and read as strings, as the type requires";
            self.losses.add(Kind::Enum, &child(at, key), why);
        }
        for key in ["contentEncoding", "contentMediaType"] {
            if let Some(content) = map.get(key).and_then(Value::as_str) {
                let why = format!("a string with content of {content:?}: callers encode and decode it");
                self.losses.add(Kind::Type, &child(at, key), why);
            }
        }
        let mut text = json!({"type": "string"});
        describe(&mut text, map);
        match values.as_slice() {
            [] => self.format(&mut text, map, at),
            // Others cannot be typed.
            [only]
                if listed
                    .is_some_and(|all| all.iter().filter(|value| value.is_string()).any(|value| value != only)) =>
            {
                add_text(&mut text, &one_of(std::slice::from_ref(only)));
            }
            [only] => {
                let key = if map.contains_key("const") { "const" } else { "enum" };
                self.losses.add(Kind::Enum, &child(at, key), "one value alone: converted to a plain string");
                if !only.is_empty() {
                    add_text(&mut text, &format!("Always `{only}`."));
                }
            }
            several => {
                text["enum"] = json!(several);
                if let Some(names) = names(several) {
                    text["x-enum-varnames"] = json!(names);
                }
            }
        }
        text
    }

    fn format(&mut self, text: &mut Value, map: &Map<String, Value>, at: &str) {
        match map.get("format").and_then(Value::as_str) {
            Some(known) if OF_TEXT.contains(&known) => text["format"] = json!(known),
            Some("datetime" | "rfc3339" | "iso8601" | "timestamp") | None => {}
            Some(other) => {
                let note = format!("string of the format {other:?}: converted to a plain string");
                self.losses.add(Kind::Type, &child(at, "format"), note);
            }
        }
    }
}

/// Returns whether an integer states values that 64 bits do not hold.
fn exceeds_64_bits(map: &Map<String, Value>) -> bool {
    let bounds = ["minimum", "maximum"].iter().filter_map(|key| map.get(*key));
    let listed = map.get("enum").and_then(Value::as_array).into_iter().flatten();
    bounds.chain(listed).chain(map.get("const")).any(|value| {
        // A bound may be written as a number without a fraction, such as 1e3.
        value.is_number() && value.as_i64().is_none() && value.as_f64().is_some_and(|value| value.abs() > 9.3e18)
            || value.as_u64().is_some_and(|value| i64::try_from(value).is_err())
    })
}

/// Returns whether an enum lists values of several types.
fn is_mixed(map: &Map<String, Value>) -> bool {
    let listed = map.get("enum").and_then(Value::as_array).into_iter().flatten().filter(|value| !value.is_null());
    let (strings, others): (Vec<_>, Vec<_>) = listed.partition(|value| value.is_string());
    !strings.is_empty() && !others.is_empty()
}

/// Returns the listed values of a text, each once.
pub(super) fn values(map: &Map<String, Value>) -> Vec<String> {
    let listed = map.get("enum").and_then(Value::as_array).into_iter().flatten();
    let listed = listed.chain(map.get("const"));
    let mut values = Vec::new();
    for value in listed {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => continue,
        };
        // A value that cannot be typed is left out.
        if !values.contains(&text) && !text.contains(char::is_control) {
            values.push(text);
        }
    }
    values
}

pub(super) fn one_of(values: &[String]) -> String {
    let shown = values.iter().take(LISTED).map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    let more = values.len().saturating_sub(LISTED);
    if more == 0 { format!("One of {shown}.") } else { format!("One of {shown} and {more} more.") }
}

/// Adds a sentence to a schema's description.
pub(super) fn add_text(schema: &mut Value, sentence: &str) {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let text = if text.is_empty() { sentence.to_owned() } else { format!("{text} {sentence}") };
    schema["description"] = json!(text);
}

/// Names for the values, if those that the generator would make are not valid.
fn names(values: &[String]) -> Option<Vec<String>> {
    let plain = open_enum::variant_names(&json!({"enum": values}));
    let good = |name: &String| {
        name.starts_with(char::is_uppercase)
            && name != "Unknown"
            && name != "X"
            && syn::parse_str::<syn::Ident>(name).is_ok()
    };
    let mut sorted = plain.clone();
    sorted.sort();
    sorted.dedup();
    if plain.iter().all(good) && sorted.len() == values.len() {
        return None;
    }
    let mut given = Vec::<String>::new();
    for value in values {
        let name = spelt(value);
        let mut candidates = [name.clone()].into_iter().chain((2..).map(|number| format!("{name}{number}")));
        given.extend(candidates.find(|candidate| !given.contains(candidate)));
    }
    Some(given)
}

/// Returns a name for a value, with its signs spelt out.
fn spelt(value: &str) -> String {
    let spelt = value.chars().map(|letter| match letter {
        '<' => "-Less-".to_owned(),
        '>' => "-Greater-".to_owned(),
        '=' => "-Equal-".to_owned(),
        '!' => "-Not-".to_owned(),
        '*' => "-Star-".to_owned(),
        '+' => "-Plus-".to_owned(),
        '%' => "-Percent-".to_owned(),
        '-' if value.starts_with('-') && value.len() > 1 => "-Minus-".to_owned(),
        letter if letter.is_ascii_alphanumeric() => letter.to_string(),
        _ => "-".to_owned(),
    });
    // `X` stands for nothing at all.
    let words = spelt.collect::<String>();
    let named = words.chars().any(|letter| letter.is_ascii_alphanumeric());
    let name = type_name(&words);
    let name = name.trim_matches('_');
    if value.is_empty() {
        "Empty".to_owned()
    } else if !named {
        "Other".to_owned()
    } else if name.starts_with(char::is_uppercase) && !["Unknown", "Self"].contains(&name) {
        name.to_owned()
    } else {
        format!("Value{name}")
    }
}
