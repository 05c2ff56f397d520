//! The operations of a document.

use serde_json::{Map, Value};

use crate::{
    pointer::{child, item},
    reach::SCHEMAS,
    resolve::{resolve, resolve_at},
};

/// The fields of a path item that hold operations, in the order of the OpenAPI specification.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

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
        let own = list(self.value, &self.pointer);
        let mut all = list(self.item, &child("/paths", self.path));
        all.retain(|(_, shared)| !own.iter().any(|(_, parameter)| is_same_parameter(parameter, shared)));
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

    /// Returns the JSON media type of the request body: schema and example.
    #[must_use]
    pub fn json_body(&self, root: &'a Value) -> Option<&'a Value> {
        self.body(root)?.pointer("/content/application~1json")
    }
}

/// Returns whether two parameters are one: names of headers have no case. Without a name, as unresolved references are, none is another.
#[must_use]
pub fn is_same_parameter(one: &Value, other: &Value) -> bool {
    let text = |key| (one.get(key).and_then(Value::as_str), other.get(key).and_then(Value::as_str));
    let is_same_name = match text("name") {
        (Some(one), Some(other)) if text("in").0 == Some("header") => one.eq_ignore_ascii_case(other),
        (one, other) => one.is_some() && one == other,
    };
    is_same_name && one.get("in") == other.get("in")
}

/// Returns all operations under `paths`, by path, then method.
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

/// Returns the schemas under `components`, with their names, by name.
pub fn component_schemas(root: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let schemas = root.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    schemas.map(|(name, schema)| (name.as_str(), schema))
}

/// Returns the name of the component schema that a schema is: by a reference, or by one in an `allOf` that has annotations beside it.
#[must_use]
pub fn component_of(schema: &Value) -> Option<&str> {
    let target = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref"))?;
    target.as_str()?.strip_prefix(SCHEMAS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn component_is_named_by_a_reference_or_in_an_all_of() {
        let reference = json!({"$ref": "#/components/schemas/Order"});
        assert_eq!(component_of(&reference), Some("Order"));
        assert_eq!(component_of(&json!({"allOf": [reference], "description": "d"})), Some("Order"));
        for other in [json!({"$ref": "other.yaml#/Order"}), json!({"allOf": []}), json!({"type": "string"}), json!(1)] {
            assert_eq!(component_of(&other), None, "{other}");
        }
    }

    #[test]
    fn parameters_of_an_operation_override_those_of_its_path() {
        let root = json!({
            "paths": {"/a": {
                "parameters": [{"name": "p", "in": "query", "description": "shared"}, {"name": "q", "in": "query"}],
                "get": {"parameters": [{"$ref": "#/components/parameters/P"}]},
            }},
            "components": {"parameters": {"P": {"name": "p", "in": "query", "description": "own"}}},
        });
        let operations = operations(&root);
        let parameters = operations[0].parameters(&root);
        let names = parameters.iter().map(|parameter| parameter["name"].as_str()).collect::<Vec<_>>();
        assert_eq!(names, [Some("q"), Some("p")]);
        assert_eq!(parameters[1]["description"], "own");
    }

    #[test]
    fn header_of_an_operation_overrides_that_of_its_path_in_any_case() {
        let parameter = |name: &str, place: &str| json!({"name": name, "in": place});
        let root = json!({"paths": {"/a": {
            "parameters": [parameter("X-Id", "header"), parameter("Page", "query")],
            "get": {"parameters": [parameter("x-id", "header"), parameter("page", "query")]},
        }}});
        let parameters = operations(&root)[0].parameters_at(&root).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(
            parameters,
            ["/paths/~1a/parameters/1", "/paths/~1a/get/parameters/0", "/paths/~1a/get/parameters/1"]
        );
    }

    #[test]
    fn json_body_is_found_through_reference() {
        let body = json!({"content": {"text/csv": {}, "application/json": {"example": 7}}});
        let root = json!({
            "paths": {"/a": {"post": {"requestBody": {"$ref": "#/components/requestBodies/B"}}, "get": {}}},
            "components": {"requestBodies": {"B": body}},
        });
        let bodies = operations(&root).iter().map(|operation| operation.json_body(&root)).collect::<Vec<_>>();
        assert_eq!(bodies, [None, Some(&json!({"example": 7}))]);
    }
}
