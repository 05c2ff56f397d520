//! References: the generator panics on one that leads nowhere or to something else, and OpenAPI 3.0 ignores what stands beside
//! one.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{
    component_schemas, operations,
    pointer::{child, item},
};
use serde_json::Value;

use super::{Findings, Rule};

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let places = places(root);
    for (pointer, (node, section)) in &places {
        reference(root, node, Some(section), pointer, findings);
    }
    others(root, root, "", &places, findings);
    circles(root, findings);
}

/// Where references are expected: what stands there, and the section of components that it has to lead to.
type Places<'a> = BTreeMap<String, (&'a Value, &'static str)>;

fn places(root: &Value) -> Places<'_> {
    let mut places = Places::new();
    let mut at = |pointer: String, section: &'static str| {
        if let Some(node) = root.pointer(&pointer) {
            places.insert(pointer, (node, section));
        }
    };
    let entries = |list: Option<&Value>| list.and_then(Value::as_array).map_or(0, Vec::len);
    for operation in operations(root) {
        let path = child("/paths", operation.path);
        for (holder, map) in [(&path, operation.item), (&operation.pointer, operation.value)] {
            let list = child(holder, "parameters");
            (0..entries(map.get("parameters"))).for_each(|index| at(item(&list, index), "parameters"));
        }
        at(child(&operation.pointer, "requestBody"), "requestBodies");
        let answers = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        for (status, _) in answers {
            at(child(&child(&operation.pointer, "responses"), status), "responses");
        }
    }
    for section in ["parameters", "requestBodies", "responses"] {
        let pointer = child("/components", section);
        let components = root.pointer(&pointer).and_then(Value::as_object).into_iter().flatten();
        components.for_each(|(name, _)| at(child(&pointer, name), section));
    }
    for node in openapi_document::schemas(root).into_iter().filter(|node| node.schema.contains_key("$ref")) {
        at(node.pointer, "schemas");
    }
    places
}

/// References elsewhere: they have at least to lead somewhere.
fn others(root: &Value, node: &Value, pointer: &str, places: &Places<'_>, findings: &mut Findings) {
    if !places.contains_key(pointer) {
        reference(root, node, None, pointer, findings);
    }
    match node {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| !matches!(key.as_str(), "example" | "examples")) {
                others(root, value, &child(pointer, key), places, findings);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                others(root, value, &item(pointer, index), places, findings);
            }
        }
        _ => {}
    }
}

fn reference(root: &Value, node: &Value, section: Option<&str>, pointer: &str, findings: &mut Findings) {
    let Some((target, map)) = node.as_object().and_then(|map| Some((map.get("$ref")?.as_str()?, map))) else { return };
    if target.strip_prefix('#').and_then(|place| root.pointer(place)).is_none() {
        findings.add(
            Rule::Reference,
            pointer,
            format!("{target:?} leads nowhere"),
            "refer to a component of this document",
        );
    } else if let Some(section) = section {
        let name = target.strip_prefix(&format!("#/components/{section}/"));
        if name.is_none_or(|name| name.is_empty() || name.contains('/')) {
            findings.add(
                Rule::Reference,
                pointer,
                format!("{target:?} is none of the components' {section}"),
                format!("refer to `#/components/{section}/…`"),
            );
        }
    }
    let beside = |changes: bool| map.keys().find(|key| *key != "$ref" && CHANGES.contains(&key.as_str()) == changes);
    for (rule, key) in [(Rule::ReferenceSibling, beside(true)), (Rule::ReferenceText, beside(false))] {
        if let Some(key) = key {
            let message = format!("{key:?} beside a $ref is ignored");
            findings.add(rule, pointer, message, "write `allOf: [{$ref: …}]` instead of the $ref");
        }
    }
}

/// What means another value than that of the component, or another parameter. Texts and limits only say more of the same.
const CHANGES: [&str; 14] = [
    "nullable",
    "type",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "enum",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "schema",
    "name",
    "in",
];

/// A component that is, in the end, itself: the generator follows it for ever.
fn circles(root: &Value, findings: &mut Findings) {
    let next = |schema: &Value| {
        let part = schema.get("allOf").and_then(|parts| parts.get(0));
        let target = schema.get("$ref").or_else(|| part?.get("$ref"))?.as_str()?;
        target.strip_prefix("#/components/schemas/").map(str::to_owned)
    };
    // Each component is walked through once, however long the chains are.
    let mut done = BTreeSet::new();
    for (name, _) in component_schemas(root) {
        let (mut path, mut on_path) = (Vec::<String>::new(), BTreeMap::<String, usize>::new());
        let mut at = Some(name.to_owned());
        while let Some(target) = at.take_if(|target| !done.contains(target)) {
            if let Some(start) = on_path.get(&target) {
                for name in &path[*start..] {
                    let place = child("/components/schemas", name);
                    findings.add(Rule::Reference, &place, "it refers to itself", "say what it is");
                }
                break;
            }
            at = root.pointer(&child("/components/schemas", &target)).and_then(next);
            on_path.insert(target.clone(), path.len());
            path.push(target);
        }
        done.extend(path);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::broken;

    const LINES: &str = "/components/schemas/Order/properties/lines/items";

    #[test]
    fn a_reference_has_to_lead_somewhere() {
        assert_eq!(broken(LINES, json!({"$ref": "#/components/schemas/Nothing"})), ["reference", "unused"]);
        assert_eq!(broken(LINES, json!({"$ref": "other.yaml#/A"})), ["reference", "unused"]);
    }

    #[test]
    fn a_reference_has_to_lead_to_what_belongs_there() {
        for target in ["#/components/responses/Made", "#/paths", "#", "#/components/schemas/Line/properties/sku"] {
            assert_eq!(broken(LINES, json!({"$ref": target})), ["reference", "unused"], "{target}");
        }
        let answer = json!({"$ref": "#/components/schemas/Order"});
        assert_eq!(broken("/paths/~1orders/get/responses/429", answer), ["reference"]);
        let parameter = json!({"$ref": "#/components/responses/Busy"});
        assert!(broken("/paths/~1orders/get/parameters/1", parameter).contains(&"reference".to_owned()));
    }

    #[test]
    fn a_component_is_not_itself() {
        let schema = json!({"$ref": "#/components/schemas/Line"});
        assert_eq!(broken("/components/schemas/Line", schema), ["reference"]);
        let schema = json!({"description": "d", "allOf": [{"$ref": "#/components/schemas/Line"}]});
        assert_eq!(broken("/components/schemas/Line", schema), ["reference"]);
    }

    #[test]
    fn long_chains_of_references_end_neither_the_stack_nor_the_patience() {
        const LAST: usize = 20_000;
        let mut schemas = serde_json::Map::new();
        for index in 0..LAST {
            let target = json!({"$ref": format!("#/components/schemas/S{}", index + 1)});
            schemas.insert(format!("S{index}"), json!({"type": "object", "properties": {"next": target}}));
            schemas.insert(format!("A{index}"), json!({"$ref": format!("#/components/schemas/A{}", index + 1)}));
        }
        let mut document = crate::test_support::changed("/components/schemas", Value::Object(schemas));
        document.root["paths"]["/orders"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] =
            json!({"$ref": "#/components/schemas/S0"});
        assert!(!crate::lint::lint(&document).is_empty());
    }

    #[test]
    fn nothing_may_stand_beside_a_reference() {
        for (key, value, rule) in [
            ("description", json!("A line."), "reference-text"),
            ("nullable", json!(true), "reference-sibling"),
            ("required", json!(["sku"]), "reference-sibling"),
        ] {
            let mut schema = json!({"$ref": "#/components/schemas/Line"});
            schema[key] = value;
            assert_eq!(broken(LINES, schema), [rule], "{key}");
        }
    }
}
