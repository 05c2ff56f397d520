//! `unused`: nothing refers to a component schema.

use std::collections::BTreeSet;

use openapi_document::{component_schemas, pointer::child, references};

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "unused",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "Nothing refers to a component schema.",
    why: "It becomes a type that no operation takes or returns.",
    instead: "Use it, or remove it.",
    example: Example {
        pointer: "/components/schemas/Alone",
        value: r#"{"type": "string", "description": "d"}"#,
        found_at: "/components/schemas/Alone",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let used = references(context.root).into_iter().collect::<BTreeSet<_>>();
    for (name, _) in component_schemas(context.root) {
        if !used.contains(child("#/components/schemas", name).as_str()) {
            findings.add(&child("/components/schemas", name), "nothing refers to it", "use it or remove it");
        }
    }
}
