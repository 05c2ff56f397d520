//! Parameters: what can be sent in path, query and headers, and in which form.

use openapi_document::{Operation, component_of, is_same_parameter, pointer::child};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    keywords::{describe, kinds},
    path_template::template_names,
};
use crate::import::{bundle::display_pointer, losses::Kind, parse::Edition};

/// Headers that the HTTP client writes: for the credentials, the connection, the body, and responses that it can read.
const OF_THE_CLIENT: [&str; 13] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The keyword of a converted array whose parameter is not exploded, until the parameter states it.
const NOT_EXPLODED: &str = "x-not-exploded";

/// Begins the sentence that states how callers join the items of an array that is one string.
const JOINED: &str = "Several are joined by ";

/// Returns the separator of a parameter's items, where its description states one.
pub(crate) fn separator(parameter: &Value) -> Option<&str> {
    let (_, stated) = parameter.get("description")?.as_str()?.rsplit_once(JOINED)?;
    stated.split('.').next()
}

/// Returns what is between the items of a list that is one string, by its style or by the `collectionFormat` of Swagger 2.
pub(super) fn joined_by(style: &str, collection_format: &str) -> &'static str {
    match (style, collection_format) {
        ("pipeDelimited", _) | (_, "pipes") => "`|`",
        ("spaceDelimited", _) | (_, "ssv") => "a space",
        (_, "tsv") => "a tab",
        _ => "a comma",
    }
}

/// Returns whether a header can have this name (RFC 9110, `token`).
fn is_token(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter))
}

/// Removes null from what a parameter may be, and the wrapper of a reference that only states it.
fn without_null(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("nullable");
    if let (1, Some(Value::Array(parts))) = (map.len(), map.get("allOf").cloned()) {
        *schema = parts.into_iter().next().unwrap_or_default();
    }
}

/// A parameter with references followed.
pub(super) struct Parameter<'a> {
    pub(super) value: &'a Map<String, Value>,
    pub(super) at: String,
}

impl Parameter<'_> {
    pub(super) fn text(&self, key: &str) -> &str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn required(&self) -> bool {
        self.value.get("required").and_then(Value::as_bool).unwrap_or_default() || self.text("in") == "path"
    }
}

/// Returns the parameters of an operation: those of its path, then its own, which win.
pub(super) fn parameters<'a>(root: &'a Value, operation: &Operation<'a>) -> Vec<Parameter<'a>> {
    let all = operation.parameters_at(root).into_iter();
    all.filter_map(|(at, value)| Some(Parameter { value: value.as_object()?, at })).collect()
}

impl Converter<'_> {
    /// Returns the drafted parameters. The error states why no client can send the operation.
    pub(super) fn parameters(&mut self, operation: &Operation<'_>, id: &str) -> Result<Vec<Value>, String> {
        let root = self.root;
        let mut drafted = Vec::<Value>::new();
        let named = template_names(operation.path)?;
        for (at, value) in operation.parameters_at(root) {
            let reference = value.get("$ref").and_then(Value::as_str).map(display_pointer);
            let (None, Some(value)) = (&reference, value.as_object()) else {
                let why = reference.map(|target| format!("unresolved reference {target:?}"));
                let why = why.unwrap_or_else(|| "it is not an object".to_owned());
                self.losses.add(Kind::Parameter, &at, format!("a parameter is left out: {why}"));
                continue;
            };
            let parameter = Parameter { value, at };
            let name = parameter.text("name");
            if parameter.text("in") == "path" && !named.contains(&name) {
                self.losses.add(Kind::Parameter, &parameter.at, format!("{name:?} is left out: it is not in the path"));
                continue;
            }
            for one in self.parameter(&parameter, id)? {
                if drafted.iter().any(|other| is_same_parameter(other, &one)) {
                    let text = format!("{} is left out: it is listed twice", one["name"]);
                    self.losses.add(Kind::Parameter, &parameter.at, text);
                } else {
                    drafted.push(one);
                }
            }
        }
        for name in named {
            if !drafted.iter().any(|one| one["in"] == "path" && one["name"] == name) {
                let text = format!("{name:?} in the path is not described: converted to a string");
                self.losses.add(Kind::Parameter, &operation.pointer, text);
                drafted.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
            }
        }
        Ok(drafted)
    }

    /// Converts a parameter: to several, if it is an object whose fields are sent one by one; to none, if it cannot be sent.
    fn parameter(&mut self, parameter: &Parameter<'_>, id: &str) -> Result<Vec<Value>, String> {
        let (name, location, at) = (parameter.text("name"), parameter.text("in"), parameter.at.as_str());
        let leave_out = |converter: &mut Self, why: &str| {
            if parameter.required() {
                return Err(format!("its required parameter {name:?} {why}"));
            }
            converter.losses.add(Kind::Parameter, at, format!("{name:?} is left out: it {why}"));
            Ok(vec![])
        };
        match location {
            "body" | "formData" => return Ok(vec![]),
            "query" | "path" => {}
            "header" if OF_THE_CLIENT.contains(&name.to_lowercase().as_str()) => {
                self.losses.add(Kind::Parameter, at, format!("the header {name:?} is the client's to write"));
                return Ok(vec![]);
            }
            "header" => {}
            "cookie" => return leave_out(self, "is a cookie"),
            _ => return leave_out(self, &format!("is in {location:?}: expected query, path, header or cookie")),
        }
        if name.is_empty() || name.contains(char::is_control) {
            return leave_out(self, "has no name");
        }
        let style = parameter.text("style");
        match (location, style) {
            ("header", _) if !is_token(name) => {
                return leave_out(self, "has a name that no HTTP header can have");
            }
            (_, "") | ("path" | "header", "simple") => {}
            ("query", "form" | "deepObject" | "spaceDelimited" | "pipeDelimited") => {}
            _ => return leave_out(self, &format!("has the style {style:?}, which is not supported")),
        }
        if parameter.value.get("allowEmptyValue") == Some(&json!(true)) {
            self.losses.add(Kind::Parameter, at, format!("{name:?} without a value is not sent"));
        }
        if parameter.value.get("allowReserved") == Some(&json!(true)) {
            self.losses.add(Kind::Parameter, at, format!("{name:?}: reserved characters are percent-encoded"));
        }
        let (schema, schema_at) = match (self.edition, parameter.value.get("schema"), parameter.value.get("content")) {
            // Swagger 2 writes the schema's keywords beside the parameter's.
            (Edition::Swagger2, None, _) => (Value::Object(parameter.value.clone()), at.to_owned()),
            (_, Some(schema), _) => (schema.clone(), child(at, "schema")),
            (_, None, Some(_)) => {
                self.losses.add(Kind::Parameter, at, format!("{name:?} is sent as given: encode it as documented"));
                (json!({"type": "string"}), child(at, "content"))
            }
            (_, None, None) => {
                self.losses.add(Kind::Parameter, at, format!("{name:?} has no schema: converted to a string"));
                (json!({"type": "string"}), at.to_owned())
            }
        };
        let deep = style == "deepObject";
        if let Some(fields) = self.parameter_fields(&schema, &schema_at, if deep { name } else { "" }) {
            if location != "query" {
                return leave_out(self, "is an object outside of the query");
            }
            let joined = parameter.value.get("explode") == Some(&json!(false)) || style.ends_with("Delimited");
            if joined && !deep {
                let by = match style {
                    "spaceDelimited" => "a space",
                    "pipeDelimited" => "a pipe",
                    _ => "a comma",
                };
                let text = format!(
                    "callers pass the object {name:?} as one string: names and values by turns, joined by {by}, which is percent-encoded"
                );
                self.losses.add(Kind::Parameter, at, text);
                let text = self.as_text(&schema);
                return Ok(vec![self.drafted(parameter, name, text, parameter.required())]);
            }
            return self.flat(parameter, fields);
        }
        let (hint, mark) = (format!("{id}-{name}"), self.losses.len());
        let Some(converted) = self.parameter_schema((name, &schema, &schema_at), parameter, &hint) else {
            self.losses.truncate_but_schemas(mark);
            return leave_out(self, "has a type without a single form as a string");
        };
        if deep && converted["type"] != "array" {
            let text = format!("{name:?} is sent in the style form: deepObject is for objects with described fields");
            self.losses.add(Kind::Parameter, at, text);
        }
        Ok(vec![self.drafted(parameter, name, converted, parameter.required())])
    }

    pub(super) fn drafted(&self, parameter: &Parameter<'_>, name: &str, mut schema: Value, required: bool) -> Value {
        let mut drafted = json!({"name": name, "in": parameter.text("in")});
        if required {
            drafted["required"] = json!(true);
        }
        // Text and limits of the schema are the parameter's; a reference states its own.
        let own = parameter.text("description").trim().to_owned();
        let text = schema.as_object_mut().and_then(|map| map.remove("description"));
        let text = text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default();
        let text = if own.is_empty() || text.starts_with(&own) {
            text
        } else if text.is_empty() || own.contains(&text) {
            own
        } else {
            format!("{own} {text}")
        };
        if !text.is_empty() {
            drafted["description"] = json!(text);
        }
        if parameter.value.get("deprecated") == Some(&json!(true)) {
            drafted["deprecated"] = json!(true);
        }
        schema.as_object_mut().map(|map| map.remove("deprecated"));
        if name == parameter.text("name")
            && let Some(example) = self.stated_example(parameter, &schema)
        {
            drafted["example"] = example;
        }
        // A parameter that is null is one that is not sent.
        without_null(&mut schema);
        if schema.as_object_mut().and_then(|map| map.remove(NOT_EXPLODED)).is_some() {
            drafted["explode"] = json!(false);
        }
        drafted["schema"] = schema;
        drafted
    }

    /// Returns the schema of something that is sent as text under a name; nothing, if it is not simple.
    pub(super) fn parameter_schema(
        &mut self,
        (name, schema, at): (&str, &Value, &str),
        parameter: &Parameter<'_>,
        hint: &str,
    ) -> Option<Value> {
        let location = parameter.text("in");
        let mark = self.losses.len();
        let mut converted = self.schema(schema, at, hint);
        if at == child(&parameter.at, "schema") {
            self.compare_examples(&Value::Object(parameter.value.clone()), &converted, &parameter.at);
        }
        if converted.get("x-any").is_some() {
            // Whatever its kind, it is sent as text; a list as several.
            let why = self.losses.take_untyped(mark);
            self.losses.truncate_but_schemas(mark);
            self.losses.add(Kind::Parameter, at, format!("callers pass {name:?} as a string: {why}"));
            converted = self.as_text(&converted);
        }
        if converted["type"] == "array" {
            let style = parameter.text("style");
            let explode = parameter.value.get("explode").and_then(Value::as_bool);
            // By default, all styles but form are not exploded.
            let delimited = ["spaceDelimited", "pipeDelimited"].contains(&style);
            let joined = !explode.unwrap_or(!delimited)
                || self.edition == Edition::Swagger2 && parameter.text("collectionFormat") != "multi";
            let by = joined_by(style, parameter.text("collectionFormat"));
            if location == "query" && (!joined || by == "a comma") {
                let items = converted["items"].clone();
                if items.get("nullable").is_some() {
                    self.losses.add(Kind::Parameter, at, format!("{name:?}: an item that is null cannot be sent"));
                }
                if items.get("x-any").is_some() {
                    let why = self.losses.take_untyped(mark);
                    let text = format!("callers pass the items of {name:?} as strings: {why}");
                    self.losses.add(Kind::Parameter, at, text);
                }
                converted["items"] = self.simple(&items, at, name)?;
                if joined {
                    converted[NOT_EXPLODED] = json!(true);
                }
                if style == "deepObject" {
                    let form = if joined { "joined by commas" } else { "a parameter for each item" };
                    let text = format!(
                        "the list {name:?} is sent in the style form, {form}: deepObject states none for lists"
                    );
                    self.losses.add(Kind::Parameter, at, text);
                }
                return Some(converted);
            }
            self.losses.take_untyped(mark);
            // RFC 6570 has the comma itself in a path, and percent-encodes those in items.
            let encoded = if location == "path" { ", which is percent-encoded" } else { "" };
            let text = format!("callers pass the array {name:?} as one string, joined by {by}{encoded}");
            self.losses.add(Kind::Parameter, at, text);
            let mut text = self.as_text(&converted);
            super::primitive::add_text(&mut text, &format!("{JOINED}{by}."));
            return Some(text);
        }
        let simple = self.simple(&converted, at, name)?;
        let dated = ["date-time", "lenient-date-time"].iter().any(|format| simple["format"] == *format);
        if location != "query" && dated {
            self.losses.add(Kind::Parameter, at, format!("callers pass the time {name:?} as a string, in RFC 3339"));
            return Some(self.as_text(&simple));
        }
        Some(simple)
    }

    /// Converts a value that is sent as text.
    fn simple(&mut self, converted: &Value, at: &str, name: &str) -> Option<Value> {
        let mut converted = if converted.get("x-any").is_some() { self.as_text(converted) } else { converted.clone() };
        without_null(&mut converted);
        if let Some(name) = component_of(&converted) {
            return self.lists_values(name).then_some(converted);
        }
        match kinds(converted.as_object()?).as_slice() {
            ["number"] => {
                self.losses.add(
                    Kind::Parameter,
                    at,
                    format!("callers pass the number {name:?} as a string, so that no digit is lost"),
                );
                Some(self.as_text(&converted))
            }
            ["string"]
                if ["decimal", "lenient-decimal", "password", "binary", "byte"]
                    .iter()
                    .any(|format| converted["format"] == *format) =>
            {
                Some(self.as_text(&converted))
            }
            ["string" | "integer" | "boolean"] => Some(converted),
            _ => None,
        }
    }

    /// Returns a text in place of a schema, with its description.
    fn as_text(&self, schema: &Value) -> Value {
        let mut text = json!({"type": "string"});
        if let Some(map) = schema.as_object() {
            describe(&mut text, map);
        }
        text
    }
}
