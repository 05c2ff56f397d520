//! Stage 2: rewrites a document into what progenitor handles well. Each step has its reason; `lint` has already rejected what cannot
//! be rewritten. Documentation of operations is dropped: [`docs`](super::docs::operations) writes it from the document itself.

pub(super) mod empty_collections;
pub(super) mod page_lists;
mod responses;
mod schema;

use openapi_document::{operations, pointer::child};
use serde_json::{Map, Value, json};

use super::{
    media_types::BodyKind,
    parameter_names,
    successes::{self, Successes},
};

pub(crate) use responses::Success;
pub(crate) use schema::IGNORED_KEYWORDS;

/// Returns the document as progenitor gets it.
pub(crate) fn normalize(root: &Value, success: Success) -> Value {
    let mut normal = json!({
        "openapi": root.get("openapi"),
        "info": root.get("info"),
        "paths": {},
        "components": {"schemas": root.pointer("/components/schemas").cloned().unwrap_or_else(|| json!({}))},
    });
    let mut paths = Map::new();
    for source in operations(root).into_iter().filter(|operation| !operation.is_sent_by_core()) {
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), json!(source.id()));
        let parameters = parameter_names::of_operation(root, &source);
        operation.insert("parameters".to_owned(), parameters.iter().map(parameter).collect());
        if let Some(body) = source.body(root) {
            operation.insert("requestBody".to_owned(), json!({"required": true, "content": request_content(body)}));
        }
        let download = source.flag("x-download");
        let responses = match successes::successes(root, &source) {
            Successes::ByStatus(statuses) if success == Success::Any => {
                let name = successes::component(root, &source);
                let reference = json!({"$ref": child("#/components/schemas", &name)});
                normal["components"]["schemas"][&name] = successes::schema(&statuses);
                json!({"2XX": {"description": "", "content": {"application/json": {"schema": reference}}}})
            }
            _ => responses::responses(&source.responses(root), download, success),
        };
        operation.insert("responses".to_owned(), responses);
        let item = paths.entry(parameter_names::path(source.path, &parameters)).or_insert_with(|| json!({}));
        item[source.method] = Value::Object(operation);
    }
    normal["paths"] = Value::Object(paths);
    schema::for_each_schema(&mut normal, &mut schema::normalize_schema);
    // Whether serde_json keeps or sorts keys depends on who else is in the build; the generated order must not.
    normal.sort_all_objects();
    normal
}

fn parameter((source, name): &(&Value, String)) -> Value {
    let mut parameter = json!({
        "name": name,
        "in": source.get("in"),
        "schema": source.get("schema"),
    });
    if source.get("required").and_then(Value::as_bool).unwrap_or_default() {
        parameter["required"] = json!(true);
    }
    parameter
}

/// Returns the media types of a body with their schemas only: examples are not checked here.
fn request_content(body: &Value) -> Value {
    let media = body.get("content").and_then(Value::as_object).into_iter().flatten();
    let name = |name: &str| BodyKind::of(name).map_or_else(|| name.to_owned(), |kind| kind.of_progenitor().to_owned());
    media.map(|(media, body)| (name(media), json!({"schema": body.get("schema")}))).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{changed, mini};

    fn normal() -> Value {
        normalize(&mini().root, Success::Any)
    }

    fn property(name: &str, schema: Value) -> Value {
        let document = changed(&format!("/components/schemas/Order/properties/{name}"), schema);
        normalize(&document.root, Success::Any)["components"]["schemas"]["Order"]["properties"][name].clone()
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
        let normal = normalize(&mini().root, Success::AsDocumented);
        let responses = normal["paths"]["/orders"]["post"]["responses"]
            .as_object()
            .map(|all| all.keys().cloned().collect::<Vec<_>>());
        assert_eq!(responses, Some(vec!["200".to_owned(), "201".to_owned()]));
    }

    #[test]
    fn downloads_and_responses_of_several_types_are_bytes() {
        let bytes = json!({"*/*": {"schema": {"type": "string", "format": "binary"}}});
        assert_eq!(normal()["paths"]["/export"]["get"]["responses"]["2XX"]["content"], bytes);
        let both = changed(
            "/paths/~1orders~1{orderId}/get/responses/200/content/text~1csv",
            json!({"schema": {"type": "string"}}),
        );
        let normal = normalize(&both.root, Success::Any);
        assert_eq!(normal["paths"]["/orders/{orderId}"]["get"]["responses"]["2XX"]["content"], bytes);
    }

    #[test]
    fn operation_that_core_sends_is_left_out() {
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
        let document = changed("/components/schemas/Line/additionalProperties", json!(false));
        let normal = normalize(&document.root, Success::Any);
        assert_eq!(normal["components"]["schemas"]["Line"].get("additionalProperties"), None);
        let free = json!({"type": "object", "additionalProperties": true});
        assert_eq!(property("note", free.clone()), free);
    }

    #[test]
    fn nullable_is_dropped_where_anything_is_allowed() {
        let any = json!({"description": "Anything.", "nullable": true, "x-any": true});
        assert_eq!(property("note", any), json!({"description": "Anything."}));
    }

    #[test]
    fn nullable_field_is_not_required() {
        assert_eq!(normal()["components"]["schemas"]["Order"]["required"], json!(["id"]));
    }
}
