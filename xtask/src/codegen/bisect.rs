//! Finds the part of a document that cannot be generated.

use std::collections::BTreeSet;

use openapi_document::{
    Operation, SCHEMAS, component_schemas, operations,
    pointer::{child, unescape},
    reachable,
};
use serde_json::{Map, Value, json};

/// Runs the stages for a document or a part of it. If they fail, the message names what fails alone.
pub(super) fn with_cause<T>(root: &Value, run: &dyn Fn(&Value) -> Result<T, String>) -> Result<T, String> {
    run(root).map_err(|message| {
        let fails = |part: &Value| run(part).err();
        bisect_failure(root, &fails).unwrap_or_else(|| format!("{message}; nothing in it fails alone"))
    })
}

/// Returns the message of the part that fails alone, with its location: the head of the document, else a schema, else an operation. A whole
/// document may take many seconds, so that operations are not tried one by one but by halves, each with the schemas that it
/// reaches.
fn bisect_failure(root: &Value, run: &dyn Fn(&Value) -> Option<String>) -> Option<String> {
    // Swapped in, not copied with the rest for each try.
    let mut head = root.clone();
    head["paths"] = json!({});
    head["components"]["schemas"] = json!({});
    let with = |paths: Value, schemas: Map<String, Value>| {
        let mut part = head.clone();
        part["paths"] = paths;
        part["components"]["schemas"] = Value::Object(schemas);
        run(&part)
    };
    if let Some(message) = with(json!({}), Map::new()) {
        return Some(format!("{message}; look at `openapi` and at /info"));
    }
    let all = root.pointer("/components/schemas").cloned().unwrap_or_else(|| json!({}));
    let whole = |schemas: &Value| {
        let mut part = head.clone();
        part["components"] = json!({"schemas": schemas});
        run(&part)
    };
    let of_schemas = whole(&all);
    if of_schemas.is_some() {
        let alone = component_schemas(root).find_map(|(name, schema)| {
            // What it refers to is there, but is anything.
            let mut some = Map::new();
            for target in referenced_schemas(root, [schema], false) {
                some.insert(target, json!({}));
            }
            some.insert(name.to_owned(), schema.clone());
            let message = whole(&Value::Object(some))?;
            Some(format!("{message}; schema {name} at {}", child("/components/schemas", name)))
        });
        if alone.is_some() {
            return alone;
        }
    }
    let all = operations(root).into_iter().filter(|operation| !operation.is_sent_by_core()).collect::<Vec<_>>();
    let fails = |some: &[Operation<'_>]| {
        let mut paths = json!({});
        let mut nodes = Vec::new();
        for operation in some {
            let shared = operation.item.get("parameters").cloned().unwrap_or_else(|| json!([]));
            paths[operation.path]["parameters"] = shared;
            paths[operation.path][operation.method] = Value::Object(operation.value.clone());
        }
        nodes.push(&paths);
        let names = referenced_schemas(root, nodes, true);
        let schemas = names.into_iter().filter_map(|name| {
            let schema = root.pointer(&child("/components/schemas", &name))?.clone();
            Some((name, schema))
        });
        let schemas = schemas.collect();
        with(paths, schemas)
    };
    let mut some = all.as_slice();
    let Some(mut message) = fails(some) else {
        return of_schemas.map(|message| format!("{message}; a schema in /components/schemas"));
    };
    while let (count @ 2.., Some(first), Some(last)) = (some.len(), some.first(), some.last()) {
        let (one, other) = some.split_at(count / 2);
        let halves = [one, other].into_iter().find_map(|half| Some((half, fails(half)?)));
        let Some((half, reported)) = halves else {
            let (first, last) = (&first.pointer, &last.pointer);
            return Some(format!("{message}; only together: {count} operations from {first} to {last}"));
        };
        (some, message) = (half, reported);
    }
    let operation = some.first()?;
    Some(format!("{message}; operation {} at {}", operation.id(), operation.pointer))
}

/// Returns the names of the schemas that nodes refer to, also by way of other components; and, if asked, of those that these refer
/// to.
fn referenced_schemas<'a>(
    root: &'a Value,
    nodes: impl IntoIterator<Item = &'a Value>,
    transitive: bool,
) -> BTreeSet<String> {
    let name = |reference: &str| reference.strip_prefix(SCHEMAS).filter(|name| !name.contains('/')).map(unescape);
    let found = reachable(root, nodes, |reference| transitive || name(reference).is_none());
    found.into_iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use openapi_document::Document;

    use super::*;
    use crate::{
        codegen::generate,
        test_support::{changed, mini},
    };

    fn failure(document: &Document) -> String {
        generate(document).err().unwrap_or_default()
    }

    #[test]
    fn a_panic_becomes_a_line_that_names_the_operation() {
        let document = changed("/paths/~1orders~1{orderId}/get/parameters/0/required", json!(false));
        let error = failure(&document);
        assert!(
            error.starts_with(
                "openapi/mini.yaml: progenitor could not generate: assertion failed: parameter_data.required"
            ),
            "{error}"
        );
        assert!(error.ends_with("; operation getOrder at /paths/~1orders~1{orderId}/get"), "{error}");
    }

    #[test]
    fn an_error_becomes_a_line_that_names_the_operation() {
        let document =
            changed("/paths/~1orders/post/requestBody/content", json!({"image/*": {"schema": {"type": "string"}}}));
        let error = failure(&document);
        assert!(
            error.contains("unexpected content type: image/*; operation createOrder at /paths/~1orders/post"),
            "{error}"
        );
    }

    #[test]
    fn document_that_is_not_openapi_is_an_error() {
        let document = changed("/info/title", json!([]));
        let error = failure(&document);
        assert!(error.starts_with("openapi/mini.yaml: progenitor could not generate: not OpenAPI 3.0: "), "{error}");
        assert!(error.ends_with("; look at `openapi` and at /info"), "{error}");
    }

    #[test]
    fn a_schema_that_fails_is_named_and_no_operation() {
        for (pointer, value) in [
            ("/components/schemas/Line/properties/sku/type", json!("strng")),
            ("/components/schemas/Line/required", json!("id")),
            ("/components/schemas/Line/allOf", json!("")),
            ("/components/schemas/Line/description", json!(["d"])),
            ("/components/schemas/Line", json!("")),
            ("/components/schemas/Line/properties/sku", json!({"$ref": "#/components/responses/Made"})),
        ] {
            let error = failure(&changed(pointer, value));
            assert!(error.ends_with("; schema Line at /components/schemas/Line"), "{pointer}: {error}");
        }
    }

    #[test]
    fn failure_of_several_together_is_reported_with_their_range() {
        let tries = std::cell::Cell::new(0);
        // As if two operations made the same method.
        let run = |root: &Value| {
            tries.set(tries.get() + 1);
            let both = root["paths"].get("/orders").is_some() && root["paths"].get("/export").is_some();
            both.then(|| "twice".to_owned())
        };
        let reported = bisect_failure(&mini().root, &run).unwrap_or_default();
        assert!(
            reported.starts_with("twice; only together: ") && reported.contains(" operations from /paths/"),
            "{reported}"
        );
        assert!(tries.get() < 8, "{}", tries.get());
    }
}
