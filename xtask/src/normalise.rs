//! Rewrites a document into what progenitor handles well. Each step has its reason; `lint` has already refused what cannot
//! be rewritten. Texts of operations are dropped: [`docs`](crate::docs) writes them from the document itself.

use serde_json::{Map, Value, json};

use crate::{
    document::{METHODS, operations},
    limits::with_limits,
};

/// Which statuses the success answers keep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Success {
    /// Any 2xx: a vendor that answers 201 for a documented 200 has still succeeded.
    Any,
    /// The documented ones, so that mocks have a function for each.
    AsDocumented,
}

/// The document as progenitor gets it.
pub(crate) fn normalise(root: &Value, success: Success) -> Value {
    let mut normal = json!({
        "openapi": root.get("openapi"),
        "info": root.get("info"),
        "paths": {},
        "components": {"schemas": root.pointer("/components/schemas").cloned().unwrap_or_else(|| json!({}))},
    });
    let mut paths = Map::new();
    for source in operations(root).into_iter().filter(|operation| !operation.of_core()) {
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), json!(source.id()));
        operation.insert("parameters".to_owned(), source.parameters(root).into_iter().map(parameter).collect());
        if let Some(body) = source.body(root) {
            operation.insert("requestBody".to_owned(), json!({"required": true, "content": request_content(body)}));
        }
        let download = source.is("x-download");
        operation.insert("responses".to_owned(), responses(&source.responses(root), download, success));
        let item = paths.entry(source.path).or_insert_with(|| json!({}));
        item[source.method] = Value::Object(operation);
    }
    normal["paths"] = Value::Object(paths);
    schemas_in(&mut normal, &mut schema);
    // Whether serde_json keeps or sorts keys depends on who else is in the build; the generated order must not.
    normal.sort_all_objects();
    normal
}

fn parameter(source: &Value) -> Value {
    let mut parameter = json!({
        "name": source.get("name"),
        "in": source.get("in"),
        "schema": source.get("schema"),
    });
    if source.get("required").and_then(Value::as_bool).unwrap_or_default() {
        parameter["required"] = json!(true);
    }
    parameter
}

/// Media types with their schemas only: examples would be checked by nobody here.
fn request_content(body: &Value) -> Value {
    let media = body.get("content").and_then(Value::as_object).into_iter().flatten();
    media.map(|(name, media)| (name.clone(), json!({"schema": media.get("schema")}))).collect::<Map<_, _>>().into()
}

/// Success only. progenitor panics on two kinds of error, and loses status and headers of an error whose body is not what was
/// promised; core reads error answers itself.
fn responses(all: &[(&str, &Value)], download: bool, success: Success) -> Value {
    let successes = all.iter().filter(|(status, _)| status.starts_with('2'));
    let mut kept = Map::new();
    for (status, response) in successes {
        let status = if success == Success::Any { "2XX" } else { status };
        let mut entry = json!({"description": ""});
        if let Some(content) = response_content(response, download) {
            entry["content"] = content;
        }
        kept.insert(status.to_owned(), entry);
    }
    Value::Object(kept)
}

fn response_content(response: &Value, download: bool) -> Option<Value> {
    let media = response.get("content")?.as_object().filter(|media| !media.is_empty())?;
    let json = media.iter().find(|(name, _)| is_json(name));
    Some(match json {
        Some((_, json)) if media.len() == 1 && !download => json!({"application/json": {"schema": json.get("schema")}}),
        // Of several media types progenitor takes JSON, whatever comes.
        _ => json!({"*/*": {"schema": {"type": "string", "format": "binary"}}}),
    })
}

/// Whether a media type is JSON as progenitor sees it.
pub(crate) fn is_json(media: &str) -> bool {
    media.split(';').next().map(str::trim) == Some("application/json")
}

/// What typify would make a validating type of, or use for something else than we mean. A vendor's limits are the vendor's to
/// judge: a name that is one letter too long must not fail a page.
pub(crate) const DROPPED: [&str; 19] = [
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "default",
    "example",
    "discriminator",
    "title",
    "externalDocs",
    "xml",
];

/// Rewrites one schema; those below it come on their own.
fn schema(schema: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = schema.get("description") {
        let text = with_limits(description, schema);
        schema.insert("description".to_owned(), Value::String(text));
    }
    schema.retain(|key, _| !DROPPED.contains(&key.as_str()) && !key.starts_with("x-"));
    // Without a type it would allow null only.
    if !["type", "$ref", "allOf"].iter().any(|key| schema.contains_key(*key)) {
        schema.remove("nullable");
    }
    // Only texts have names; an integer enum would be a closed type.
    if schema.get("type").and_then(Value::as_str) != Some("string") {
        schema.remove("enum");
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(Value::is_string);
    }
    // `false` refuses fields that a vendor adds; `true` beside properties would gather them in a field of its own, where
    // numbers lose their digits.
    let open = schema.get("additionalProperties") == Some(&Value::Bool(true));
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    if closed || (open && schema.contains_key("properties")) {
        schema.remove("additionalProperties");
    }
    optional_if_nullable(schema);
}

/// A required property that may be null becomes optional: absent and null are the same to a reader.
fn optional_if_nullable(schema: &mut Map<String, Value>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let nullable = |name: &Value| {
        let property = properties.and_then(|properties| properties.get(name.as_str()?));
        property.and_then(|property| property.get("nullable")).and_then(Value::as_bool).unwrap_or_default()
    };
    let required = schema.get("required").and_then(Value::as_array);
    let Some(required) = required.map(|all| all.iter().filter(|name| !nullable(name)).cloned().collect::<Vec<_>>())
    else {
        return;
    };
    if required.is_empty() {
        schema.remove("required");
    } else {
        schema.insert("required".to_owned(), Value::Array(required));
    }
}

/// Applies a change to every schema of a document: those of components, parameters, bodies and answers, and all inside them.
fn schemas_in(root: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    if let Some(Value::Object(components)) = root.pointer_mut("/components/schemas") {
        components.values_mut().for_each(|component| schema_tree(component, change));
    }
    let items = root.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
    let operations = items.filter_map(Value::as_object_mut).flat_map(Map::iter_mut);
    for (_, operation) in operations.filter(|(method, _)| METHODS.contains(&method.as_str())) {
        holders(operation, &mut |schema| schema_tree(schema, change));
    }
}

/// Applies a change to each value under a key `schema`, wherever an operation holds one.
fn holders(node: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match node {
        Value::Object(map) => {
            map.iter_mut().for_each(|(key, value)| if key == "schema" { change(value) } else { holders(value, change) })
        }
        Value::Array(list) => list.iter_mut().for_each(|value| holders(value, change)),
        _ => {}
    }
}

fn schema_tree(node: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(map) = node else { return };
    change(map);
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = map.get_mut(key) {
            schema_tree(inner, change);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        if let Some(Value::Array(parts)) = map.get_mut(key) {
            parts.iter_mut().for_each(|part| schema_tree(part, change));
        }
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(|property| schema_tree(property, change));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{changed, mini};

    fn normal() -> Value {
        normalise(&mini().root, Success::Any)
    }

    fn property(name: &str, schema: Value) -> Value {
        let document = changed(&format!("/components/schemas/Order/properties/{name}"), schema);
        normalise(&document.root, Success::Any)["components"]["schemas"]["Order"]["properties"][name].clone()
    }

    #[test]
    fn errors_go_and_successes_of_one_kind_become_any_2xx() {
        let normal = normal();
        let responses = |path: &str, method: &str| normal["paths"][path][method]["responses"].clone();
        let order = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}});
        assert_eq!(responses("/orders/{orderId}", "get"), json!({"2XX": {"description": "", "content": order}}));
        assert_eq!(responses("/orders", "post"), json!({"2XX": {"description": "", "content": order}}));
    }

    #[test]
    fn mocks_keep_the_documented_statuses() {
        let normal = normalise(&mini().root, Success::AsDocumented);
        let responses = normal["paths"]["/orders"]["post"]["responses"]
            .as_object()
            .map(|all| all.keys().cloned().collect::<Vec<_>>());
        assert_eq!(responses, Some(vec!["200".to_owned(), "201".to_owned()]));
    }

    #[test]
    fn downloads_and_answers_of_several_types_are_bytes() {
        let bytes = json!({"*/*": {"schema": {"type": "string", "format": "binary"}}});
        assert_eq!(normal()["paths"]["/export"]["get"]["responses"]["2XX"]["content"], bytes);
        let both = changed(
            "/paths/~1orders~1{orderId}/get/responses/200/content/text~1csv",
            json!({"schema": {"type": "string"}}),
        );
        let normal = normalise(&both.root, Success::Any);
        assert_eq!(normal["paths"]["/orders/{orderId}"]["get"]["responses"]["2XX"]["content"], bytes);
    }

    #[test]
    fn what_core_sends_is_left_out() {
        assert_eq!(normal()["paths"].get("/token"), None);
    }

    #[test]
    fn references_to_parameters_are_followed() {
        let normal = normal();
        let parameters = normal["paths"]["/orders"]["get"]["parameters"].as_array().cloned().unwrap_or_default();
        assert_eq!(
            parameters[1],
            json!({"name": "limit", "in": "query", "schema": {"type": "integer", "format": "int64"}})
        );
        assert_eq!(normal["components"].get("parameters"), None);
    }

    #[test]
    fn limits_become_text() {
        let normal = property(
            "note",
            json!({"type": "string", "description": "Words.", "maxLength": 50, "pattern": "^a", "default": "a"}),
        );
        assert_eq!(
            normal,
            json!({"type": "string", "description": "Words. Default: a. At most 50 characters. Matches `^a`."})
        );
    }

    #[test]
    fn limits_of_lists_and_numbers_go() {
        let list = json!({"type": "array", "minItems": 1, "uniqueItems": true, "items": {"type": "integer", "minimum": 1, "enum": [1, 2], "example": 1}});
        assert_eq!(property("lines", list), json!({"type": "array", "items": {"type": "integer"}}));
    }

    #[test]
    fn objects_stay_open() {
        for open in [json!(true), json!(false)] {
            let document = changed("/components/schemas/Line/additionalProperties", open);
            let normal = normalise(&document.root, Success::Any);
            assert_eq!(normal["components"]["schemas"]["Line"].get("additionalProperties"), None);
        }
        let free = json!({"type": "object", "additionalProperties": true});
        assert_eq!(property("note", free.clone()), free);
    }

    #[test]
    fn what_may_be_anything_may_be_null_already() {
        let any = json!({"description": "Anything.", "nullable": true, "x-any": true});
        assert_eq!(property("note", any), json!({"description": "Anything."}));
    }

    #[test]
    fn what_may_be_null_is_not_required() {
        assert_eq!(normal()["components"]["schemas"]["Order"]["required"], json!(["id"]));
    }
}
