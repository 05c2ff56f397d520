//! `name`: two types make the same Rust name, or names that differ only in case.

use std::collections::BTreeMap;

use openapi_document::{component_schemas, pointer::child};

use crate::{
    codegen::identifiers::component_name,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "name",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "Two types make the same Rust name, or names that differ only in case.",
    why: "Two types of one name do not compile. Fields of one Rust name are numbered.",
    instead: "Rename one of the components.",
    example: Example {
        pointer: "/components/schemas/line",
        value: r##"{"type": "array", "description": "d", "items": {"$ref": "#/components/schemas/line"}}"##,
        found_at: "/components/schemas/line",
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
}
