//! Schemas: what would make a type that refuses answers, loses digits, or has no name.

use std::collections::BTreeSet;

use openapi_document::{Place, SchemaNode, component_schemas, pointer::child, references, resolve};
use serde_json::Value;

use super::{Findings, Rule};
use crate::codegen::normalize::IGNORED_KEYWORDS;

/// What may stand beside `allOf`, with what the generator does not get to see. Of anything else a type would be made that is
/// neither the one nor the other.
const BESIDE_ALL_OF: [&str; 6] = ["allOf", "description", "nullable", "deprecated", "readOnly", "writeOnly"];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    for node in openapi_document::schemas(root) {
        if node.schema.contains_key("$ref") {
            continue;
        }
        combined(root, &node, findings);
        objects(&node, findings);
        described(root, &node, findings);
    }
    unused(root, findings);
}

fn combined(root: &Value, node: &SchemaNode<'_>, findings: &mut Findings) {
    for (key, harm) in [
        ("oneOf", "a value that fits none of its parts, such as one that the vendor adds, would fail the answer"),
        ("anyOf", "its type takes only what fits objects of all parts at once: a text never decodes"),
        ("not", "its type refuses answers"),
    ] {
        if node.schema.contains_key(key) {
            let help = "describe one object with what all have, and the rest optional";
            findings.add(Rule::OneOf, &node.pointer, format!("{key}: {harm}"), help);
        }
    }
    let Some(parts) = node.schema.get("allOf").and_then(Value::as_array) else { return };
    if parts.len() != 1 || parts[0].get("$ref").is_none() {
        findings.add(Rule::AllOf, &node.pointer, "allOf of something else than one $ref", "write the properties out");
    }
    // Written by many generators, and harmless: the type is that of the component.
    let is_object = node.text("type") == "object"
        && parts.first().is_some_and(|part| resolve(root, part).get("type").and_then(Value::as_str) == Some("object"));
    let odd = |key: &&String| {
        let kept = BESIDE_ALL_OF.contains(&key.as_str()) || IGNORED_KEYWORDS.contains(&key.as_str());
        !(kept || key.starts_with("x-") || is_object && *key == "type")
    };
    for key in node.schema.keys().filter(odd) {
        let message = format!("{key:?} beside allOf");
        findings.add(Rule::AllOf, &node.pointer, message, "leave it out: what is referred to says it");
    }
}

fn objects(node: &SchemaNode<'_>, findings: &mut Findings) {
    let (schema, at) = (node.schema, &node.pointer);
    let properties = schema.get("properties").and_then(Value::as_object);
    if properties.is_some() && node.place != Place::Component {
        findings.add(Rule::InlineObject, at, "an object without a name", "make it a component and refer to it");
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => {
            findings.add(
                Rule::ClosedObject,
                at,
                "additionalProperties: false is not honoured: a new field must not break a client",
                "leave it out",
            );
        }
        Some(Value::Object(_)) if properties.is_some() => {
            findings.add(
                Rule::OpenObject,
                at,
                "properties and a map in one: decimals would lose digits",
                "leave one out",
            );
        }
        None if node.text("type") == "object" && properties.is_none() && !schema.contains_key("allOf") => {
            findings.add(
                Rule::FreeObject,
                at,
                "an object without properties is any JSON, where numbers lose digits",
                "describe them, or write `additionalProperties: true` if the vendor does send anything",
            );
        }
        _ => {}
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    // A part may require what another part describes.
    let elsewhere = node.place == Place::Part || schema.contains_key("allOf");
    let described = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
    for name in required.filter(|name| !elsewhere && !described(name)) {
        findings.add(
            Rule::Required,
            at,
            format!("{name:?} is required, but no property"),
            "describe it, or take it from `required`",
        );
    }
}

fn described(root: &Value, node: &SchemaNode<'_>, findings: &mut Findings) {
    let by_reference = node
        .schema
        .get("allOf")
        .is_some_and(|parts| parts.get(0).is_some_and(|part| resolve(root, part).get("description").is_some()));
    if matches!(node.place, Place::Property | Place::Component) && node.text("description").is_empty() && !by_reference
    {
        findings.add(Rule::Description, &node.pointer, "no description", "say what it is, with its unit");
    }
}

/// A component that nothing refers to is a type that nobody gets.
fn unused(root: &Value, findings: &mut Findings) {
    let used = references(root).into_iter().collect::<BTreeSet<_>>();
    for (name, _) in component_schemas(root) {
        if !used.contains(child("#/components/schemas", name).as_str()) {
            findings.add(
                Rule::Unused,
                &child("/components/schemas", name),
                "nothing refers to it",
                "use it or remove it",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::{NONE, broken};

    const NOTE: &str = "/components/schemas/Order/properties/note";

    fn note(value: Value) -> Vec<String> {
        broken(NOTE, value)
    }

    #[test]
    fn unions_are_refused() {
        assert_eq!(note(json!({"description": "d", "anyOf": [{"type": "string"}]})), ["one-of"]);
        assert_eq!(note(json!({"description": "d", "allOf": [{"type": "string"}]})), ["all-of"]);
    }

    #[test]
    fn objects_and_enums_have_names() {
        assert_eq!(
            note(
                json!({"description": "d", "type": "object", "properties": {"a": {"type": "string", "description": "d"}}})
            ),
            ["inline-object"]
        );
        assert_eq!(note(json!({"description": "d", "type": "string", "enum": ["a"]})), ["inline-enum"]);
    }

    #[test]
    fn objects_are_open_but_not_maps_at_the_same_time() {
        assert_eq!(broken("/components/schemas/Line/additionalProperties", json!(false)), ["closed-object"]);
        assert_eq!(broken("/components/schemas/Line/additionalProperties", json!({"type": "string"})), ["open-object"]);
        assert_eq!(note(json!({"description": "d", "type": "object"})), ["free-object"]);
    }

    #[test]
    fn what_is_required_is_described() {
        assert_eq!(broken("/components/schemas/Order/required/0", json!("nothing")), ["required"]);
    }

    #[test]
    fn what_is_referred_to_says_all() {
        let status = json!([{"$ref": "#/components/schemas/Status"}]);
        assert_eq!(note(json!({"description": "d", "type": "string", "allOf": status})), ["all-of"]);
        assert_eq!(note(json!({"description": "d", "type": "object", "allOf": status})), ["all-of"]);
        assert_eq!(note(json!({"description": "d", "maximum": 1, "allOf": status})), NONE);
        let line = json!([{"$ref": "#/components/schemas/Line"}]);
        assert_eq!(note(json!({"description": "d", "type": "object", "allOf": line})), NONE);
    }

    #[test]
    fn what_is_not_described_or_not_used_is_warned_of() {
        assert_eq!(note(json!({"type": "string"})), ["description"]);
        assert_eq!(broken("/components/schemas/Alone", json!({"type": "string", "description": "d"})), ["unused"]);
    }
}
