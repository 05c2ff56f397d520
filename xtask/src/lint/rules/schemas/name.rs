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
    finds: "Two types make the same Rust name, or two fields differ only in case.",
    why: "Two types of one name do not compile, and of two fields that differ in case the vendor sends only one. Other fields of one Rust name are numbered.",
    instead: "Leave one out, or rename the component.",
    example: Example {
        pointer: "/components/schemas/Line/properties/coUnt",
        value: r#"{"type": "string", "description": "d"}"#,
        found_at: "/components/schemas/Line/properties/count",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut types = BTreeMap::<String, &str>::new();
    for (name, _) in component_schemas(context.root) {
        if let Some(other) = types.insert(component_name(name).to_lowercase(), name) {
            let message = format!("{other:?} and {name:?} make the same type {}", component_name(name));
            findings.add(&child("/components/schemas", name), message, "rename the component");
        }
    }
    for node in &context.schemas {
        let mut cases = BTreeMap::<String, &String>::new();
        for (name, _) in properties(node).into_iter().flatten() {
            if let Some(other) = cases.insert(name.to_lowercase(), name)
                && value_name(other) != value_name(name)
            {
                let message = format!("{other:?} and {name:?} differ in case only");
                findings.add(
                    &child(&child(&node.pointer, "properties"), name),
                    message,
                    "keep the one that the vendor sends",
                );
            }
        }
    }
}
