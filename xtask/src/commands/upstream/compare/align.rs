//! Alignment: differences of documents that are not on the wire are made equal before the comparison.

use openapi_document::resolve;
use serde_json::{Map, Value, json};

use crate::import;

const ANY_OBJECT: &str = "any object";
const SECRET: &str = "hidden password";
/// Marks a list of one value that [`mark`] adds.
const ALWAYS: &str = "x-always";

/// Returns our path with the vendor's names of its parameters, which are matched by their order.
pub(super) fn with_names(own: &str, theirs: &str) -> String {
    let mut names = theirs.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name);
    let mut parts = own.split('{');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, constant) = part.split_once('}').unwrap_or((part, ""));
        path.extend(["{", names.next().unwrap_or(name), "}", constant]);
    }
    path
}

/// Gives the vendor's operation our status of success and our media types, which are compared apart, and removes the
/// statuses that the other document covers by a class or by `default`.
pub(super) fn align(own: &mut Map<String, Value>, theirs: &mut Value, ours: &Value) {
    same_media(own.get("requestBody").map(|body| resolve(ours, body)), theirs.get_mut("requestBody"));
    let Some(own) = own.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let Some(theirs) = theirs.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let success = |all: &Map<String, Value>| all.keys().find(|status| status.starts_with('2')).cloned();
    if let (Some(here), Some(there)) = (success(own), success(theirs))
        && let Some(response) = theirs.remove(&there)
    {
        theirs.insert(here.clone(), response);
        same_media(own.get(&here).map(|response| resolve(ours, response)), theirs.get_mut(&here));
    }
    let (before, stated) = (own.clone(), theirs.clone());
    own.retain(|status, _| stated.contains_key(status) || !is_covered(&stated, status));
    theirs.retain(|status, _| before.contains_key(status) || !is_covered(&before, status));
}

/// Returns whether a status is documented by its class or by `default`.
fn is_covered(all: &Map<String, Value>, status: &str) -> bool {
    let class = status.get(..1).map(|digit| format!("{digit}XX")).unwrap_or_default();
    let success = status.starts_with('2') && all.keys().any(|other| other.starts_with('2'));
    let default = all.contains_key("default") && !status.starts_with('2');
    default || status == "default" || all.contains_key(&class) || success
}

/// Names the vendor's one media type as ours.
fn same_media(own: Option<&Value>, theirs: Option<&mut Value>) {
    let own = own.and_then(|own| own.get("content")).and_then(Value::as_object);
    let theirs = theirs.and_then(|theirs| theirs.get_mut("content")).and_then(Value::as_object_mut);
    let (Some(own), Some(theirs)) = (own, theirs) else { return };
    let main = |all: &Map<String, Value>| {
        all.keys().find(|media| import::is_json(media)).or_else(|| all.keys().next()).cloned()
    };
    if let (Some(here), Some(there)) = (main(own), main(theirs))
        && let Some(value) = theirs.remove(&there)
    {
        theirs.insert(here, value);
    }
}

/// Gives secrets a format and objects of any fields a type of their own: to spec-diff the former are strings, and of the latter
/// it lists all fields that the other document has.
pub(super) fn mark(node: &mut Value) {
    match node {
        Value::Object(fields) => {
            if fields.get("additionalProperties") == Some(&Value::Bool(true)) && !fields.contains_key("properties") {
                fields.remove("additionalProperties");
                fields.insert("type".to_owned(), json!(ANY_OBJECT));
            } else if fields.get("format") == Some(&json!("password")) {
                fields.insert("format".to_owned(), json!(SECRET));
            } else if let Some(only) = only_value(fields) {
                fields.insert("enum".to_owned(), json!([only]));
                fields.insert(ALWAYS.to_owned(), json!(true));
            }
            fields.values_mut().for_each(mark);
        }
        Value::Array(items) => items.iter_mut().for_each(mark),
        _ => {}
    }
}

/// Returns the one value of a string, where the description states it: drafts have no lists of one value.
fn only_value(schema: &Map<String, Value>) -> Option<String> {
    let is_text = schema.get("type") == Some(&json!("string")) && !schema.contains_key("enum");
    let (_, value) = schema.get("description").filter(|_| is_text)?.as_str()?.rsplit_once("Always `")?;
    Some(value.split_once("`.")?.0.to_owned())
}

/// Returns whether the one value of a schema is stated in words only.
pub(super) fn is_always(root: &Value, at: &str) -> bool {
    root.pointer(at).is_some_and(|schema| schema.get(ALWAYS).is_some())
}

/// Returns a text of spec-diff without the format that [`mark`] gives to secrets.
pub(super) fn unmarked(text: &str) -> String {
    text.replace(SECRET, "password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_with_parameters_in_segments_has_the_vendors_names() {
        for (own, theirs, expected) in [
            ("/orders", "/v2/orders", "/orders"),
            ("/orders/{orderId}/items/{item}", "/orders/{id}/items/{n}", "/orders/{id}/items/{n}"),
            ("/orders/{orderId}.pdf", "/orders/{id}.pdf", "/orders/{id}.pdf"),
            ("/{orderId}:cancel/{from}-{until}", "/{id}:cancel/{a}-{b}", "/{id}:cancel/{a}-{b}"),
            ("/orders/{orderId}/{item}", "/orders/{id}", "/orders/{id}/{item}"),
        ] {
            assert_eq!(with_names(own, theirs), expected, "{own} {theirs}");
        }
    }
}
