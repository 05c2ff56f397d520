//! A document as it was parsed, and its operations.

use serde_json::{Map, Value};
use serde_saphyr::DuplicateKeyPolicy;
use sha2::{Digest, Sha256};

use crate::{
    budget::Budget,
    pointer::{child, item},
    resolve::{resolve, resolve_at},
};

/// The fields of a path item that hold operations, in the order of the OpenAPI specification.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A parsed document.
#[derive(Debug)]
pub struct Document {
    /// The name in messages: a path.
    pub name: String,
    /// The SHA-256 of the text, in hexadecimal digits.
    pub sha256: String,
    /// The document itself.
    pub root: Value,
}

/// One operation of a document.
#[derive(Debug)]
pub struct Operation<'a> {
    /// The path's template.
    pub path: &'a str,
    /// The HTTP method in lower case.
    pub method: &'static str,
    /// The JSON pointer of the operation.
    pub pointer: String,
    /// The operation object.
    pub value: &'a Map<String, Value>,
    /// The path item, which holds the parameters that all its operations share.
    pub item: &'a Map<String, Value>,
}

impl Document {
    /// Parses JSON or YAML; see [`is_json`].
    ///
    /// # Errors
    /// One line with name, line, column and message.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        Self::parse_within(&Budget::from_env(), name, text)
    }

    /// Parses one of several files that have a budget in common.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub fn parse_within(budget: &Budget, name: &str, text: &str) -> Result<Self, String> {
        let root = if is_json(name, text) { json(budget, text) } else { yaml(budget, text) };
        let root = root.map_err(|error| format!("{name}:{error}"))?;
        let sha256 = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name: name.to_owned(), sha256, root })
    }

    /// Returns `info.version`, or an empty string.
    #[must_use]
    pub fn version(&self) -> &str {
        self.root.pointer("/info/version").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Returns whether a text is read as JSON: by the end of its name, else by its first character.
#[must_use]
pub fn is_json(name: &str, text: &str) -> bool {
    let is_yaml = || name.ends_with(".yaml") || name.ends_with(".yml");
    name.ends_with(".json") || !is_yaml() && text.trim_start().starts_with('{')
}

fn json(budget: &Budget, text: &str) -> Result<Value, String> {
    budget.json(text).map_err(|error| {
        // A column of 0 is the end of the line before.
        let (line, column, message) = (error.line(), error.column().max(1), error.to_string());
        // The place is said in the form that editors follow.
        let message = message.split(" at line ").next().unwrap_or(&message);
        format!("{line}:{column}: {message}")
    })
}

fn yaml(budget: &Budget, text: &str) -> Result<Value, String> {
    budget.yaml(text, DuplicateKeyPolicy::Error).map_err(|error| {
        let place = error.place.map_or(" ".to_owned(), |(line, column)| format!("{line}:{column}: "));
        format!("{place}{}", error.message)
    })
}

impl<'a> Operation<'a> {
    /// Returns `operationId`, or an empty string.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.text("operationId")
    }

    /// Returns a field that is a string, or an empty string.
    #[must_use]
    pub fn text(&self, key: &str) -> &'a str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the strings of a field that is an array.
    pub fn strings(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.value.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Returns whether a field is `true`.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns whether the runtime sends the operation itself, so that no client has it (`x-client: core`).
    #[must_use]
    pub fn is_sent_by_core(&self) -> bool {
        self.text("x-client") == "core"
    }

    /// Returns the resolved parameters: those of the path, then the operation's own, which replace the path's.
    #[must_use]
    pub fn parameters(&self, root: &'a Value) -> Vec<&'a Value> {
        self.parameters_at(root).into_iter().map(|(_, parameter)| parameter).collect()
    }

    /// Returns [`parameters`](Self::parameters) with their pointers: a component's, if the parameter is one.
    #[must_use]
    pub fn parameters_at(&self, root: &'a Value) -> Vec<(String, &'a Value)> {
        let list = |of: &'a Map<String, Value>, holder: &str| {
            let entries = of.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate();
            let at = child(holder, "parameters");
            entries.map(|(index, parameter)| resolve_at(root, item(&at, index), parameter)).collect::<Vec<_>>()
        };
        let identity = |parameter: &Value| (parameter.get("name").cloned(), parameter.get("in").cloned());
        let own = list(self.value, &self.pointer);
        let mut all = list(self.item, &child("/paths", self.path));
        all.retain(|(_, shared)| own.iter().all(|(_, parameter)| identity(parameter) != identity(shared)));
        all.extend(own);
        all
    }

    /// Returns the resolved responses with their statuses.
    #[must_use]
    pub fn responses(&self, root: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let entries = self.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        entries.map(|(status, response)| (status.as_str(), resolve(root, response))).collect()
    }

    /// Returns the resolved schema of the first success in JSON.
    #[must_use]
    pub fn success(&self, root: &'a Value) -> Option<&'a Value> {
        let successes = self.responses(root).into_iter().filter(|(status, _)| status.starts_with('2'));
        let schemas = successes.map(|(_, response)| response.pointer("/content/application~1json/schema"));
        schemas.flatten().map(|schema| resolve(root, schema)).next()
    }

    /// Returns the resolved request body.
    #[must_use]
    pub fn body(&self, root: &'a Value) -> Option<&'a Value> {
        self.value.get("requestBody").map(|body| resolve(root, body))
    }
}

/// Returns all operations under `paths`, in the document's order.
#[must_use]
pub fn operations(root: &Value) -> Vec<Operation<'_>> {
    let paths = root.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths
        .filter_map(|(path, item)| Some((path, item.as_object()?)))
        .flat_map(|(path, item)| {
            METHODS.into_iter().filter_map(move |method| {
                let value = item.get(method)?.as_object()?;
                let pointer = child(&child("/paths", path), method);
                Some(Operation { path, method, pointer, value, item })
            })
        })
        .collect()
}

/// Returns the schemas under `components`, with their names, in the document's order.
pub fn component_schemas(root: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let schemas = root.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    schemas.map(|(name, schema)| (name.as_str(), schema))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Document::parse("openapi/x.yaml", text).err().unwrap_or_default()
    }

    #[test]
    fn syntax_error_states_file_line_and_column() {
        let error = error("info:\n  title: [a, b\n");
        assert!(error.starts_with("openapi/x.yaml:"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!error.contains(" at line "), "{error}");
        let error = Document::parse("x.json", "{\n").err().unwrap_or_default();
        assert!(error.starts_with("x.json:2:1: "), "{error}");
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error() {
        let error = error("a: 1\nb:\n  c: 2\n  c: 3\n");
        assert!(error.starts_with("openapi/x.yaml:4:3: duplicate"), "{error}");
    }

    #[test]
    fn words_that_yaml_once_took_for_booleans_are_text() {
        let document = Document::parse("x", "a: n\nb: on\n200: ok\n").expect("it is YAML");
        assert_eq!(document.root, serde_json::json!({"a": "n", "b": "on", "200": "ok"}));
    }

    #[test]
    fn operation_has_the_parameters_of_its_path_unless_it_states_its_own() {
        let document = Document::parse(
            "x",
            "
paths:
  /a:
    parameters: [{name: p, in: query, description: shared}, {name: q, in: query}]
    get: {parameters: [{$ref: '#/components/parameters/P'}]}
components:
  parameters:
    P: {name: p, in: query, description: own}
",
        )
        .expect("it is YAML");
        let operations = operations(&document.root);
        let parameters = operations[0].parameters(&document.root);
        let names = parameters.iter().map(|parameter| parameter["name"].as_str()).collect::<Vec<_>>();
        assert_eq!(names, [Some("q"), Some("p")]);
        assert_eq!(parameters[1]["description"], "own");
    }
}
