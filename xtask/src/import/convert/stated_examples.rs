//! The vendor's examples: those of bodies, compared with the drafted schemas, as what contradicts them shows what is on the wire; and those
//! of parameters.

use std::borrow::Cow;

use openapi_document::{
    Operation,
    pointer::{child, unescape},
    resolve, resolve_at,
};
use serde_json::{Map, Value};

use super::{Converter, parameters::Parameter, responses::numeric};
use crate::{
    example_mismatches::{UNLISTED, mismatch_text, mismatches},
    import::{self, losses::Kind},
};

/// A path of an example is followed through this many parts and fields of its schema.
const DEPTH: usize = 10;

/// An example, the published schema, the example's location, and the pointer to the body in the drafted operation.
type Stated<'a> = (&'a Value, &'a Value, String, String);

impl Converter<'_> {
    /// Notes the examples of an operation's bodies that contradict the drafted ones.
    pub(super) fn compare_examples_of_bodies(&mut self, operation: &Operation<'_>, drafted: &Value) {
        for (example, published, at, pointer) in stated(self.root, operation) {
            let content = drafted.pointer(&format!("{pointer}/content")).and_then(Value::as_object);
            for (_, media) in content.into_iter().flatten().filter(|(name, _)| import::is_json(name)) {
                let component = |name: &str| self.named(name).map(Cow::Owned);
                // A field of the other direction is listed.
                let is_listed =
                    |at: &str| is_described(self.root, published, &at.split('/').skip(1).collect::<Vec<_>>(), 0);
                let found = mismatches(&media["schema"], example, &component).into_iter();
                for mismatch in found.filter(|(at, why)| why != UNLISTED || !is_listed(at)) {
                    self.losses.add(Kind::Evidence, &at, mismatch_text(&mismatch));
                }
            }
        }
    }

    /// Returns the vendor's example of a string or an integer, unless a URL would encode it.
    pub(super) fn stated_example(&self, parameter: &Parameter<'_>, converted: &Value) -> Option<Value> {
        let published = parameter.value.get("schema").map(|schema| resolve(self.root, schema));
        let own = ["example", "x-example"].iter().filter_map(|key| parameter.value.get(*key));
        let named = parameter.value.get("examples").and_then(Value::as_object).into_iter().flat_map(Map::values);
        let named = named.filter_map(|named| resolve(self.root, named).get("value"));
        let of_schema = published.and_then(|schema| schema.get("example").or_else(|| schema.get("examples")?.get(0)));
        let is_plain = |text: &str| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&letter);
            (1..=64).contains(&text.len()) && text.chars().all(plain) && text.contains(|letter: char| letter != '.')
        };
        let fits = |example: &&Value| match (converted["type"].as_str(), converted.get("format")) {
            (Some("string"), None) => example.as_str().is_some_and(is_plain),
            (Some("integer"), _) => example.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            _ => false,
        };
        own.chain(named).chain(of_schema).find(fits).cloned()
    }
}

/// Returns whether a schema or one of its parts describes what is at a path of an example.
fn is_described(root: &Value, schema: &Value, path: &[&str], depth: usize) -> bool {
    let schema = resolve(root, schema);
    let Some((first, rest)) = path.split_first() else { return true };
    let field = schema.get("properties").and_then(|fields| fields.get(unescape(first)));
    let below = field.or_else(|| schema.get("items")).filter(|_| depth < DEPTH);
    let mut parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    below.is_some_and(|below| is_described(root, below, rest, depth + 1))
        || depth < DEPTH && parts.any(|part| is_described(root, part, path, depth + 1))
}

/// Returns the examples of JSON of the request body and of each success.
fn stated<'a>(root: &'a Value, operation: &Operation<'a>) -> Vec<Stated<'a>> {
    let mut found = Vec::new();
    if let Some(body) = operation.value.get("requestBody") {
        let (at, body) = resolve_at(root, child(&operation.pointer, "requestBody"), body);
        let all = of_content(root, body, &at).into_iter();
        found.extend(all.map(|(value, schema, at)| (value, schema, at, "/requestBody".to_owned())));
    }
    let responses = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
    for (status, response) in responses.filter(|(status, _)| status.starts_with('2')) {
        let at = child(&child(&operation.pointer, "responses"), status);
        let (at, response) = resolve_at(root, at, response);
        let pointer = child("/responses", &numeric(status));
        // Swagger 2 has one example for each media type.
        let by_media = response.get("examples").and_then(Value::as_object).into_iter().flatten();
        let by_media = by_media.filter(|(media, _)| import::is_json(media));
        let schema = response.get("schema").unwrap_or(&Value::Null);
        let by_media = by_media.map(|(media, value)| (value, schema, child(&child(&at, "examples"), media)));
        let all = of_content(root, response, &at).into_iter().chain(by_media);
        found.extend(all.map(|(value, schema, at)| (value, schema, at, pointer.clone())));
    }
    found
}

/// Returns the examples of the JSON of a body, with their schemas and locations.
fn of_content<'a>(root: &'a Value, holder: &'a Value, at: &str) -> Vec<(&'a Value, &'a Value, String)> {
    let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
    let mut found = Vec::new();
    for (media, body) in content.filter(|(media, _)| import::is_json(media)) {
        let at = child(&child(at, "content"), media);
        let body = resolve(root, body);
        let schema = body.get("schema").unwrap_or(&Value::Null);
        found.extend(body.get("example").map(|example| (example, schema, child(&at, "example"))));
        let named = body.get("examples").and_then(Value::as_object).into_iter().flatten();
        let named = named.map(|(name, example)| (resolve(root, example), child(&child(&at, "examples"), name)));
        found.extend(named.filter_map(|(example, at)| Some((example.get("value")?, schema, at))));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::import::convert::tests::{drafted, responding};

    #[test]
    fn example_of_a_body_may_have_fields_of_the_other_direction() {
        let meter = json!({"type": "object", "properties": {"id": {"type": "string", "readOnly": true}, "name": {"type": "string"}}});
        let reference = json!({"$ref": "#/components/schemas/Meter"});
        let mut root = responding(reference.clone(), json!({"Meter": meter}));
        let content = json!({"application/json": {"schema": reference, "example": {"id": "7", "name": 7, "more": 1}}});
        let body = json!({"required": true, "content": content});
        root["paths"]["/a"]["post"] =
            json!({"operationId": "make", "requestBody": body, "responses": {"204": {"description": "d"}}});
        let draft = drafted(root).expect("it converts");
        let found = draft.losses.iter().filter(|loss| loss.kind == Kind::Evidence).map(|loss| loss.text.as_str());
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                "the example at /more is a field that the schema does not list",
                "the example at /name is of the type integer, and the schema's is string"
            ]
        );
    }

    #[test]
    fn each_example_of_each_body_is_compared() {
        let meter = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}});
        let reference = json!({"$ref": "#/components/schemas/Meter"});
        let content = |examples: Value| json!({"description": "d", "content": {"application/json": {"schema": reference, "examples": examples}}});
        let mut root = responding(reference.clone(), json!({"Meter": meter}));
        root["components"]["examples"] = json!({"Text": {"value": {"a": "x"}}});
        root["paths"]["/a"]["get"]["responses"] = json!({
            "200": content(json!({"fits": {"value": {"a": 1}}, "lacks": {"value": {}}, "named": {"$ref": "#/components/examples/Text"}})),
            "2XX": {"description": "d", "content": {"application/json": {"schema": reference, "example": {"a": null}}}},
        });
        root["paths"]["/a"]["post"] = json!({
            "operationId": "make", "requestBody": content(json!({"one": {"value": {"a": 1}}, "two": {"value": {"a": true}}})),
            "responses": {"204": {"description": "d"}},
        });
        let draft = drafted(root).expect("it converts");
        let found = draft.losses.iter().filter(|loss| loss.kind == Kind::Evidence).map(|loss| loss.at.as_str());
        let body = "content/application~1json";
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                format!("/paths/~1a/get/responses/200/{body}/examples/lacks"),
                format!("/paths/~1a/get/responses/200/{body}/examples/named"),
                format!("/paths/~1a/get/responses/2XX/{body}/example"),
                format!("/paths/~1a/post/requestBody/{body}/examples/two"),
            ]
        );
    }
}
