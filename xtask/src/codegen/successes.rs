//! The success responses of an operation: of one type, of one type that may be absent, or of a type for each status.

use openapi_document::{Operation, operations};
use serde_json::{Map, Value, json};

use super::identifiers::{component_name, type_name};

/// The type that a client reads of the success responses of an operation.
pub(crate) enum Successes {
    /// The same for all: JSON, bytes, or nothing.
    One,
    /// JSON, or no body, or null.
    Optional,
    /// By status: the schema of the JSON, or nothing.
    ByStatus(Vec<(u16, Option<Value>)>),
    /// JSON and bytes, which have no type in common.
    Mixed,
}

/// Returns whether a media type is JSON: progenitor gets `application/json` for it, and the call sends its own name.
pub(crate) fn is_json(media: &str) -> bool {
    let name = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name.ends_with("/json") || name.ends_with("+json")
}

/// The type that a client reads of one response.
#[derive(PartialEq)]
enum Read {
    Nothing,
    Json(Value),
    Bytes,
}

/// Returns the success responses of an operation by their content.
pub(crate) fn successes(root: &Value, operation: &Operation<'_>) -> Successes {
    let download = operation.flag("x-download");
    let all = operation.responses(root).into_iter().filter(|(status, _)| status.starts_with('2'));
    let all = all.map(|(status, response)| (status.parse::<u16>().ok(), read(response, download))).collect::<Vec<_>>();
    let responses = operation.responses(root).into_iter().filter(|(status, _)| status.starts_with('2'));
    let may_be_null = responses.filter_map(|(_, response)| json_schema(response)).any(is_nullable);
    let has_nothing = may_be_null || all.iter().any(|(_, read)| *read == Read::Nothing);
    let mut kinds = all.iter().map(|(_, read)| read).filter(|read| **read != Read::Nothing).collect::<Vec<_>>();
    kinds.dedup();
    match kinds.as_slice() {
        [] | [Read::Bytes] => Successes::One,
        [_] if !has_nothing => Successes::One,
        [_] => Successes::Optional,
        several if several.contains(&&Read::Bytes) => Successes::Mixed,
        _ => {
            let typed = all.into_iter().map(|(status, read)| match read {
                Read::Json(schema) => Some((status?, Some(schema))),
                _ => Some((status?, None)),
            });
            typed.collect::<Option<_>>().map_or(Successes::Mixed, Successes::ByStatus)
        }
    }
}

fn read(response: &Value, download: bool) -> Read {
    let content = response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
    match content.map(|content| (content.len(), content.iter().next())) {
        None => Read::Nothing,
        Some((1, Some((media, json)))) if is_json(media) && !download => {
            Read::Json(json.get("schema").map(not_null).unwrap_or_default())
        }
        Some(_) => Read::Bytes,
    }
}

fn json_schema(response: &Value) -> Option<&Value> {
    let content = response.get("content")?.as_object()?;
    content.iter().find(|(media, _)| is_json(media))?.1.get("schema")
}

/// Returns whether a body may be null.
pub(crate) fn is_nullable(schema: &Value) -> bool {
    schema.get("nullable") == Some(&Value::Bool(true))
}

/// Returns the schema of a body that is there: the type that is optional where the body may be null.
pub(crate) fn not_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(map) = schema.as_object_mut() {
        map.remove("nullable");
        if let (1, Some(Value::Array(parts))) = (map.len(), map.get("allOf")) {
            return parts.first().cloned().unwrap_or_default();
        }
    }
    schema
}

/// The keyword of the name of an operation's component.
const NAME: &str = "x-success-type";

/// Names the components of all operations with successes of several types. The document has to be whole: a part of it may lack the schema
/// that has the name already.
pub(super) fn name_components(root: &mut Value) {
    let several = operations(root).into_iter().filter(|one| matches!(successes(root, one), Successes::ByStatus(_)));
    let names = several.map(|operation| (operation.pointer.clone(), component(root, &operation))).collect::<Vec<_>>();
    for (pointer, name) in names {
        root.pointer_mut(&pointer).into_iter().for_each(|operation| operation[NAME] = json!(name));
    }
}

/// Returns the name of the component that stands for the types of an operation by status; its fields are called as
/// [`field`] states.
pub(crate) fn component(root: &Value, operation: &Operation<'_>) -> String {
    if let Some(name) = operation.value.get(NAME).and_then(Value::as_str) {
        return name.to_owned();
    }
    let wanted = format!("{}Success", type_name(operation.id()));
    let taken = |name: &String| {
        openapi_document::component_schemas(root).any(|(known, _)| component_name(known).eq_ignore_ascii_case(name))
    };
    let mut candidates = [wanted.clone()].into_iter().chain((2..).map(|number| format!("{wanted}{number}")));
    candidates.find(|name| !taken(name)).unwrap_or(wanted)
}

/// Returns the schema of that component: a field for each status that has a body.
pub(crate) fn schema(statuses: &[(u16, Option<Value>)]) -> Value {
    let bodies = statuses.iter().filter_map(|(status, schema)| Some((field(*status), schema.clone()?)));
    json!({"type": "object", "properties": bodies.collect::<Map<_, _>>()})
}

/// Returns the field of a status.
pub(crate) fn field(status: u16) -> String {
    format!("status_{status}")
}

/// Returns a status as the mock's functions and the variants of types by status are called: by its reason phrase.
pub(crate) fn status_name(status: u16) -> String {
    match status {
        200 => "ok".to_owned(),
        201 => "created".to_owned(),
        202 => "accepted".to_owned(),
        203 => "non_authoritative_information".to_owned(),
        204 => "no_content".to_owned(),
        205 => "reset_content".to_owned(),
        206 => "partial_content".to_owned(),
        207 => "multi_status".to_owned(),
        208 => "already_reported".to_owned(),
        226 => "im_used".to_owned(),
        other => field(other),
    }
}
