//! The lists of pages, which `x-pagination` names. One that the document does not require may be absent from an error with a success status,
//! which would read as an empty page, and end the list: readers need to distinguish it from an empty one.

use openapi_document::{
    Operation, operations,
    pointer::{child, item},
    resolve_at,
};
use serde_json::{Map, Value};

use super::empty_collections::EMPTY_IS_SENT;

/// Returns the path of an operation's list that has to be in each page: not one that `x-pagination` states to be left out if it is empty.
pub(in crate::codegen) fn needed_list<'a>(operation: &Operation<'a>) -> Option<&'a str> {
    let paging = operation.value.get("x-pagination")?;
    let is_left_out = paging.get("optional") == Some(&Value::Bool(true));
    paging.get("items")?.as_str().filter(|path| !path.is_empty() && !is_left_out)
}

/// Marks the lists that the document does not require.
pub(in crate::codegen) fn mark(root: &mut Value) {
    let lists = operations(root).iter().flat_map(|operation| lists(root, operation)).collect::<Vec<_>>();
    for list in lists {
        if let Some(Value::Object(list)) = root.pointer_mut(&list) {
            list.insert(EMPTY_IS_SENT.to_owned(), Value::Bool(true));
        }
    }
}

/// Returns the pointers of an operation's list in its successes, where the document does not require it.
fn lists(root: &Value, operation: &Operation<'_>) -> Vec<String> {
    let Some(path) = needed_list(operation) else { return Vec::new() };
    let at = child(&operation.pointer, "responses");
    let responses = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
    let successes = responses.filter(|(status, _)| status.starts_with('2'));
    let successes = successes.map(|(status, response)| (child(&at, status), response));
    let schemas = successes.flat_map(|(at, response)| {
        let (at, response) = resolve_at(root, at, response);
        let content = child(&at, "content");
        let media = response.get("content").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        media.map(|media| child(&child(&content, media), "schema")).collect::<Vec<_>>()
    });
    schemas.filter_map(|schema| optional_field(root, schema, path)).collect()
}

/// Returns the pointer of a field below others, unless it is required.
fn optional_field(root: &Value, schema: String, path: &str) -> Option<String> {
    let mut found = (schema, true);
    for name in path.split('.') {
        found = property(root, &found.0, name, 8)?;
    }
    Some(found.0).filter(|_| !found.1)
}

/// Returns the pointer of a property, and whether it is required: of a schema, or of a part that it consists of.
fn property(root: &Value, schema: &str, name: &str, depth: u8) -> Option<(String, bool)> {
    let (at, schema) = resolve_at(root, schema.to_owned(), root.pointer(schema)?);
    if schema.get("properties").is_some_and(|properties| properties.get(name).is_some()) {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = required.is_some_and(|required| required.iter().any(|one| one == name));
        return Some((child(&child(&at, "properties"), name), is_required));
    }
    let depth = depth.checked_sub(1)?;
    let parts = schema.get("allOf").and_then(Value::as_array)?;
    (0..parts.len()).find_map(|part| property(root, &item(&child(&at, "allOf"), part), name, depth))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{codegen::render, test_support::mini};

    /// The code of the type `Paged`, whose field `data` is the list of `response`.
    fn page(response: Value, paging: Value, required: &[&str]) -> String {
        let mut document = mini();
        let text = json!({"type": "string", "description": "d"});
        let list = json!({"type": "array", "description": "d", "items": text});
        document.root["components"]["schemas"]["Paged"] = json!({"type": "object", "description": "d", "required": required, "properties": {"next": text, "data": list, "others": list}});
        let mut operation = json!({
            "operationId": "listPaged", "parameters": [{"name": "cursor", "in": "query", "description": "d", "schema": {"type": "string"}}],
            "x-pagination": {"style": "cursor", "param": "cursor", "next": "next", "items": "data"},
            "responses": {"200": {"description": "d", "content": {"application/json": {"schema": response}}}},
        });
        for (key, value) in paging.as_object().into_iter().flatten() {
            operation["x-pagination"][key] = value.clone();
        }
        document.root["paths"]["/paged"]["get"] = operation;
        let files = render(document).expect("it generates");
        assert!(files.omitted.is_empty(), "{}", files.client);
        let (_, fields) = files.client.split_once("pub struct Paged {").expect("the type");
        fields.split_once("    }\n").expect("its end").0.to_owned()
    }

    #[test]
    fn optional_list_of_a_page_differs_from_an_absent_one() {
        let page_type = json!({"$ref": "#/components/schemas/Paged"});
        let optional = page(page_type.clone(), json!({}), &[]);
        assert!(optional.contains("data: optional_page_items ::std::vec::Vec<"), "{optional}");
        assert!(optional.contains("others: collection ::std::vec::Vec<"), "{optional}");
        let required = page(page_type.clone(), json!({}), &["data"]);
        assert!(required.contains("data: page_items ::std::vec::Vec<"), "{required}");
        let left_out = page(page_type.clone(), json!({"optional": true}), &[]);
        assert!(left_out.contains("data: collection ::std::vec::Vec<"), "{left_out}");
        let inner = json!({"type": "object", "description": "d", "properties": {"page": page_type}});
        let paging = json!({"items": "page.data", "next": "page.next"});
        let nested = page(inner, paging, &[]);
        assert!(nested.contains("data: optional_page_items ::std::vec::Vec<"), "{nested}");
    }
}
