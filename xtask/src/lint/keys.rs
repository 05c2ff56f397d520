//! Keys: the generator ignores one that it does not know, and with it what the document meant.

use serde_json::{Map, Value};

use super::{Findings, tree};
use crate::{
    document::operations,
    pointer::{child, entry},
};

const DOCUMENT: &[&str] = &["openapi", "info", "servers", "tags", "security", "paths", "components", "externalDocs"];
const OPERATION: &[&str] = &[
    "operationId",
    "tags",
    "summary",
    "description",
    "parameters",
    "requestBody",
    "responses",
    "deprecated",
    "security",
    "servers",
    "externalDocs",
];
const PARAMETER: &[&str] = &[
    "$ref",
    "name",
    "in",
    "required",
    "description",
    "schema",
    "example",
    "examples",
    "style",
    "explode",
    "allowReserved",
    "allowEmptyValue",
    "deprecated",
    "content",
];
const BODY: &[&str] = &["$ref", "description", "content", "required"];
const RESPONSE: &[&str] = &["$ref", "description", "content", "headers"];
const SCHEMA: &[&str] = &[
    "$ref",
    "type",
    "format",
    "title",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "nullable",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "default",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "discriminator",
    "externalDocs",
    "xml",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    known(root.as_object(), DOCUMENT, "", "a document", findings);
    for operation in operations(root) {
        known(Some(operation.value), OPERATION, &operation.pointer, "an operation", findings);
        list(operation.value.get("parameters"), &operation.pointer, findings);
        let body = operation.value.get("requestBody").and_then(Value::as_object);
        known(body, BODY, &child(&operation.pointer, "requestBody"), "a request body", findings);
        map(operation.value.get("responses"), RESPONSE, &child(&operation.pointer, "responses"), "an answer", findings);
    }
    for (section, keys, what) in [
        ("parameters", PARAMETER, "a parameter"),
        ("requestBodies", BODY, "a request body"),
        ("responses", RESPONSE, "an answer"),
    ] {
        let pointer = format!("/components/{section}");
        map(root.pointer(&pointer), keys, &pointer, what, findings);
    }
    for node in tree::schemas(root) {
        known(Some(node.schema), SCHEMA, &node.pointer, "a schema", findings);
    }
}

fn list(parameters: Option<&Value>, pointer: &str, findings: &mut Findings) {
    let pointer = child(pointer, "parameters");
    for (index, parameter) in parameters.and_then(Value::as_array).into_iter().flatten().enumerate() {
        known(parameter.as_object(), PARAMETER, &entry(&pointer, index), "a parameter", findings);
    }
}

fn map(values: Option<&Value>, keys: &[&str], pointer: &str, what: &str, findings: &mut Findings) {
    for (name, value) in values.and_then(Value::as_object).into_iter().flatten() {
        known(value.as_object(), keys, &child(pointer, name), what, findings);
    }
}

fn known(map: Option<&Map<String, Value>>, keys: &[&str], pointer: &str, what: &str, findings: &mut Findings) {
    let unknown =
        map.into_iter().flat_map(Map::keys).filter(|key| !keys.contains(&key.as_str()) && !key.starts_with("x-"));
    for key in unknown {
        findings.error(
            "unknown-key",
            &child(pointer, key),
            format!("{key:?} is no key of {what}"),
            "is it misspelt or at the wrong depth?",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    #[test]
    fn a_misspelt_key_is_an_error_wherever_it_stands() {
        for place in [
            "/servres",
            "/paths/~1orders~1{orderId}/get/sumary",
            "/paths/~1orders~1{orderId}/get/responses/404/desciption",
            "/paths/~1orders~1{orderId}/get/parameters/0/requierd",
            "/components/parameters/Limit/exampel",
            "/components/schemas/Order/properties/note/desciption",
        ] {
            assert_eq!(broken(place, json!("x")), ["unknown-key"], "{place}");
        }
    }
}
