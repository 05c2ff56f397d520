//! `format`: a format is unknown, or does not belong to the type.

use openapi_document::pointer::child;

use crate::{
    codegen::formats::FORMATS,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "format",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "A format is unknown, or does not belong to the type.",
    why: "The generator ignores it.",
    instead: "Write one of the known formats beside its type.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/format",
        value: r#""decmal""#,
        found_at: "/components/schemas/Order/properties/note/format",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas().filter(|node| node.schema.contains_key("format")) {
        let (at, kind, format) = (&node.pointer, node.text("type"), node.text("format"));
        if ["array", "boolean", "object"].contains(&kind) {
            // The rule `schema-type` finds it.
            continue;
        }
        match FORMATS.iter().find(|known| known.name == format) {
            Some(known) if !known.types.iter().any(|(of, _)| *of == kind) => {
                let types = known.types.iter().map(|(of, _)| *of).collect::<Vec<_>>().join("` or `type: ");
                let help = format!("write `type: {types}`, as the vendor sends it");
                findings.add(at, format!("format {format} of type {kind:?}"), help);
            }
            None => {
                let known = FORMATS.iter().map(|known| known.name).collect::<Vec<_>>().join(", ");
                findings.add(&child(at, "format"), format!("unknown format {format:?}"), format!("known are {known}"));
            }
            _ => {}
        }
    }
}
