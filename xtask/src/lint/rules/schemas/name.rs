//! `name`: two types or fields make the same Rust name, or differ only in case.

use std::collections::BTreeMap;

use openapi_document::{component_schemas, pointer::child};

use super::properties;
use crate::{
    codegen::identifiers::{component_name, value_name},
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "name",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "Two types or fields make the same Rust name, or differ only in case.",
    why: "The code would not compile.",
    instead: "Leave one out, or rename the component.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note_",
        value: r#"{"type": "string", "description": "d"}"#,
        found_at: "/components/schemas/Order/properties/note_",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let types = component_schemas(context.root).map(|(name, _)| name);
    collisions(types, component_name, "/components/schemas", "type", findings);
    for node in &context.schemas {
        let names = properties(node).into_iter().flatten().map(|(name, _)| name.as_str());
        collisions(names, value_name, &child(&node.pointer, "properties"), "field", findings);
    }
}

fn collisions<'a>(
    names: impl Iterator<Item = &'a str>,
    rust: fn(&str) -> String,
    pointer: &str,
    what: &str,
    findings: &mut Findings,
) {
    let (mut seen, mut cases) = (BTreeMap::<String, &str>::new(), BTreeMap::<String, &str>::new());
    for name in names {
        if let Some(other) = seen.insert(rust(name), name) {
            let message = format!("{other:?} and {name:?} make the same {what} {}", rust(name));
            findings.add(&child(pointer, name), message, "leave one out, or rename the component");
        } else if let Some(other) = cases.insert(name.to_lowercase(), name) {
            let message = format!("{other:?} and {name:?} differ in case only");
            findings.add(&child(pointer, name), message, "keep the one that the vendor sends");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    #[test]
    fn types_of_one_name_are_found() {
        let schema = json!({"type": "string", "description": "d"});
        assert_eq!(broken("/components/schemas/order", schema), ["unused", "name"]);
    }

    #[test]
    fn fields_of_one_name_are_found() {
        let schema = json!({"type": "string", "description": "d"});
        for twin in ["Note", "NOTE"] {
            let rules = broken(&format!("/components/schemas/Order/properties/{twin}"), schema.clone());
            assert_eq!(rules, ["name"], "{twin}");
        }
        assert_eq!(broken("/components/schemas/Line/properties/coUnt", schema), ["name"]);
    }
}
