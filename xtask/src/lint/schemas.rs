//! Schemas: what would make a type that refuses answers, loses digits, or has no name.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Findings,
    tree::{self, Node, Place},
};
use crate::{enums, pointer::child};

/// What may stand beside `allOf`. Of anything else a type would be made that is neither the one nor the other.
const BESIDE_ALL_OF: [&str; 9] =
    ["allOf", "description", "title", "nullable", "deprecated", "readOnly", "writeOnly", "example", "default"];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    for node in tree::schemas(root) {
        if node.schema.contains_key("$ref") {
            continue;
        }
        combined(&node, findings);
        objects(&node, findings);
        listed(&node, findings);
        described(root, &node, findings);
    }
    unused(root, findings);
}

fn text<'a>(schema: &'a Map<String, Value>, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn combined(node: &Node<'_>, findings: &mut Findings) {
    for key in ["oneOf", "anyOf", "not"] {
        if node.schema.contains_key(key) {
            let help = "describe one object with what all have, and the rest optional";
            findings.error("one-of", &node.pointer, format!("{key} makes types that do not decode"), help);
        }
    }
    let Some(parts) = node.schema.get("allOf").and_then(Value::as_array) else { return };
    if parts.len() != 1 || parts[0].get("$ref").is_none() {
        findings.error("all-of", &node.pointer, "allOf of something else than one $ref", "write the properties out");
    }
    for key in node.schema.keys().filter(|key| !BESIDE_ALL_OF.contains(&key.as_str()) && !key.starts_with("x-")) {
        let message = format!("{key:?} beside allOf");
        findings.error("all-of", &node.pointer, message, "leave it out: what is referred to says it");
    }
}

fn objects(node: &Node<'_>, findings: &mut Findings) {
    let (schema, at) = (node.schema, &node.pointer);
    let properties = schema.get("properties").and_then(Value::as_object);
    if properties.is_some() && node.place != Place::Component {
        findings.error("inline-object", at, "an object without a name", "make it a component and refer to it");
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => {
            findings.warning(
                "closed-object",
                at,
                "additionalProperties: false is not honoured: a new field must not break a client",
                "leave it out",
            );
        }
        Some(Value::Object(_)) if properties.is_some() => {
            findings.error(
                "open-object",
                at,
                "properties and a map in one: decimals would lose digits",
                "leave one out",
            );
        }
        None if text(schema, "type") == "object" && properties.is_none() && !schema.contains_key("allOf") => {
            findings.error(
                "free-object",
                at,
                "an object without properties would read nothing",
                "write `additionalProperties: true`, or its schema",
            );
        }
        _ => {}
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| properties.is_none_or(|properties| !properties.contains_key(*name))) {
        findings.error(
            "required",
            at,
            format!("{name:?} is required, but no property"),
            "describe it, or take it from `required`",
        );
    }
}

fn listed(node: &Node<'_>, findings: &mut Findings) {
    let (schema, at) = (node.schema, &node.pointer);
    let Some(list) = schema.get("enum").and_then(Value::as_array) else { return };
    if list.iter().all(Value::is_null) {
        return findings.error("enum", at, "an enum without values", "list them, or leave `enum` out");
    }
    if node.place != Place::Component {
        return findings.error("inline-enum", at, "an enum without a name", "make it a component and refer to it");
    }
    if text(schema, "type") != "string" {
        return findings.error(
            "enum",
            at,
            "an enum of other than text",
            "leave `enum` out and list the values in the description",
        );
    }
    if let Some(odd) = list.iter().find(|value| !value.is_string() && !value.is_null()) {
        return findings.error("enum", at, format!("the value {odd} is no text"), "write it in quotes");
    }
    let schema = Value::Object(schema.clone());
    let (values, names) = (enums::values(&schema), enums::variant_names(&schema));
    let help = "name them all in `x-enum-varnames`, in their order";
    if values.len() != names.len() {
        return findings.error("enum", at, format!("{} values and {} names", values.len(), names.len()), help);
    }
    let mut seen = BTreeSet::new();
    for (value, name) in values.iter().zip(&names) {
        let usable = syn::parse_str::<syn::Ident>(name).is_ok() && name.starts_with(char::is_uppercase);
        if !usable || name == "Unknown" || value.is_empty() && name == "X" {
            findings.error("enum", at, format!("the value {value:?} makes no name of its own ({name})"), help);
        }
        if !seen.insert(name) {
            findings.error("enum", at, format!("two values make the name {name}"), help);
        }
    }
    if values.iter().collect::<BTreeSet<_>>().len() != values.len() {
        findings.error("enum", at, "a value stands twice", "list each once");
    }
}

fn described(root: &Value, node: &Node<'_>, findings: &mut Findings) {
    let by_reference = node.schema.get("allOf").is_some_and(|parts| {
        parts.get(0).is_some_and(|part| crate::document::resolve(root, part).get("description").is_some())
    });
    if matches!(node.place, Place::Property | Place::Component)
        && text(node.schema, "description").is_empty()
        && !by_reference
    {
        findings.warning("description", &node.pointer, "no description", "say what it is, with its unit");
    }
}

/// A component that nothing refers to is a type that nobody gets.
fn unused(root: &Value, findings: &mut Findings) {
    let mut used = BTreeSet::new();
    references(root, &mut used);
    for (name, _) in crate::document::schemas(root) {
        if !used.contains(child("#/components/schemas", name).as_str()) {
            findings.warning(
                "unused",
                &child("/components/schemas", name),
                "nothing refers to it",
                "use it or remove it",
            );
        }
    }
}

fn references<'a>(node: &'a Value, found: &mut BTreeSet<&'a str>) {
    match node {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::broken;

    const NOTE: &str = "/components/schemas/Order/properties/note";
    const STATUS: &str = "/components/schemas/Status";

    fn note(value: Value) -> Vec<&'static str> {
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
    fn enum_values_have_names_of_their_own() {
        let status = |values: Value, names: Value| {
            broken(STATUS, json!({"type": "string", "description": "d", "enum": values, "x-enum-varnames": names}))
        };
        assert_eq!(status(json!(["a", "A"]), json!(["A", "A"])), ["enum"]);
        assert_eq!(status(json!(["a", "b"]), json!(["A"])), ["enum"]);
        assert_eq!(status(json!(["<"]), json!(["<"])), ["enum"]);
        assert_eq!(status(json!(["unknown"]), json!(["Unknown"])), ["enum"]);
        assert_eq!(broken(STATUS, json!({"type": "string", "description": "d", "enum": ["", "a"]})), ["enum"]);
        assert_eq!(broken(STATUS, json!({"type": "integer", "description": "d", "enum": [1]})), ["enum"]);
    }

    #[test]
    fn enums_have_values_and_these_are_texts() {
        for values in [json!([]), json!([null]), json!(["a", 1]), json!([true])] {
            let schema = json!({"type": "string", "description": "d", "enum": values});
            assert_eq!(broken(STATUS, schema), ["enum"], "{values}");
        }
    }

    #[test]
    fn what_is_referred_to_says_all() {
        let status = json!([{"$ref": "#/components/schemas/Status"}]);
        assert_eq!(note(json!({"description": "d", "type": "string", "allOf": status})), ["all-of"]);
    }

    #[test]
    fn what_is_not_described_or_not_used_is_warned_of() {
        assert_eq!(note(json!({"type": "string"})), ["description"]);
        assert_eq!(broken("/components/schemas/Alone", json!({"type": "string", "description": "d"})), ["unused"]);
    }
}
