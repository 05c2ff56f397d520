//! A curated OpenAPI document: loaded, fingerprinted, and walked.

pub(crate) mod positions;

use serde_json::{Map, Value};
use serde_saphyr::DuplicateKeyPolicy;
use sha2::{Digest, Sha256};

use crate::{
    bounded::Budget,
    pointer::{child, entry},
};

/// The keys of a path item that hold operations, in the order of the OpenAPI specification.
pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A document as it was read.
pub(crate) struct Document {
    /// How messages name it: its path from the repository's root.
    pub(crate) name: String,
    /// Of the text, in hex.
    pub(crate) sha256: String,
    pub(crate) root: Value,
}

/// One operation of a document.
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    /// In lower case, as the document has it.
    pub(crate) method: &'static str,
    /// Where it is.
    pub(crate) pointer: String,
    pub(crate) value: &'a Map<String, Value>,
    /// The path item it belongs to, for the parameters that all its operations share.
    pub(crate) item: &'a Map<String, Value>,
}

impl Document {
    /// Reads JSON, if that is the name's ending, else YAML. The error is a whole line: file, place, what is wrong.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let root = if name.ends_with(".json") { json(text) } else { yaml(text) };
        let root = root.map_err(|error| format!("{name}:{error}"))?;
        let sha256 = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name: name.to_owned(), sha256, root })
    }

    /// `info.version`: the date of the last check against the vendor's sources.
    pub(crate) fn version(&self) -> &str {
        self.root.pointer("/info/version").and_then(Value::as_str).unwrap_or_default()
    }
}

fn json(text: &str) -> Result<Value, String> {
    Budget::from_env().json(text).map_err(|error| {
        let (line, column, message) = (error.line(), error.column(), error.to_string());
        // The place is said in the form that editors follow.
        let message = message.split(" at line ").next().unwrap_or(&message);
        format!("{line}:{column}: {message}")
    })
}

fn yaml(text: &str) -> Result<Value, String> {
    Budget::from_env().yaml(text, DuplicateKeyPolicy::Error).map_err(|error| {
        let place = error.place.map_or(" ".to_owned(), |(line, column)| format!("{line}:{column}: "));
        format!("{place}{}", error.message)
    })
}

impl<'a> Operation<'a> {
    /// `operationId`, or nothing if it has none.
    pub(crate) fn id(&self) -> &'a str {
        self.text("operationId")
    }

    /// A text, or nothing if it is missing.
    pub(crate) fn text(&self, key: &str) -> &'a str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The entries of a list, none if there is no list.
    pub(crate) fn texts(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.value.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether a mark is set.
    pub(crate) fn is(&self, mark: &str) -> bool {
        self.value.get(mark).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether core sends it itself, so that no client has it (`x-client: core`).
    pub(crate) fn of_core(&self) -> bool {
        self.text("x-client") == "core"
    }

    /// Its parameters with references followed: those of the path, then its own, which win over the path's.
    pub(crate) fn parameters(&self, root: &'a Value) -> Vec<&'a Value> {
        self.placed_parameters(root).into_iter().map(|(_, parameter)| parameter).collect()
    }

    /// The same with the pointer of each: a component's, if it is one.
    pub(crate) fn placed_parameters(&self, root: &'a Value) -> Vec<(String, &'a Value)> {
        let list = |of: &'a Map<String, Value>, holder: &str| {
            let entries = of.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate();
            let at = child(holder, "parameters");
            entries.map(|(index, parameter)| placed(root, entry(&at, index), parameter)).collect::<Vec<_>>()
        };
        let identity = |parameter: &Value| (parameter.get("name").cloned(), parameter.get("in").cloned());
        let own = list(self.value, &self.pointer);
        let mut all = list(self.item, &child("/paths", self.path));
        all.retain(|(_, shared)| own.iter().all(|(_, parameter)| identity(parameter) != identity(shared)));
        all.extend(own);
        all
    }

    /// Its responses with references followed: status and response.
    pub(crate) fn responses(&self, root: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let entries = self.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        entries.map(|(status, response)| (status.as_str(), resolve(root, response))).collect()
    }

    /// The schema of its success in JSON, with references followed.
    pub(crate) fn success(&self, root: &'a Value) -> Option<&'a Value> {
        let successes = self.responses(root).into_iter().filter(|(status, _)| status.starts_with('2'));
        let schemas = successes.map(|(_, response)| response.pointer("/content/application~1json/schema"));
        schemas.flatten().map(|schema| resolve(root, schema)).next()
    }

    /// Its request body with references followed.
    pub(crate) fn body(&self, root: &'a Value) -> Option<&'a Value> {
        self.value.get("requestBody").map(|body| resolve(root, body))
    }
}

/// All operations of a document's tree, in its order.
pub(crate) fn operations(root: &Value) -> Vec<Operation<'_>> {
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

/// What a node refers to, if it is a reference within the document; else the node.
pub(crate) fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    placed(root, String::new(), node).1
}

/// The same with the pointer of what was found.
pub(crate) fn placed<'a>(root: &'a Value, pointer: String, node: &'a Value) -> (String, &'a Value) {
    let target = |node: &'a Value| {
        let place = node.get("$ref")?.as_str()?.strip_prefix('#')?;
        Some((place, root.pointer(place)?))
    };
    // A reference may lead to a reference; a chain that is longer goes in a circle.
    let (mut pointer, mut node) = (pointer, node);
    for _ in 0..8 {
        match target(node) {
            Some((place, next)) => (pointer, node) = (place.to_owned(), next),
            None => break,
        }
    }
    (pointer, node)
}

/// A document's component schemas, in its order.
pub(crate) fn schemas(root: &Value) -> impl Iterator<Item = (&str, &Value)> {
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
    fn a_syntax_error_says_file_line_and_column() {
        let error = error("info:\n  title: [a, b\n");
        assert!(error.starts_with("openapi/x.yaml:"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!error.contains(" at line "), "{error}");
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
    fn an_operation_has_the_parameters_of_its_path_unless_it_says_them_again() {
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
