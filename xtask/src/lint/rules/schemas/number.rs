//! `number`: a number has no `format: decimal`.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "number",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A number has no `format: decimal`.",
    why: "It would become a float, and lose digits.",
    instead: "Write `format: decimal`, or `type: integer`.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/type",
        value: r#""number""#,
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        if node.text("type") == "number" && node.text("format") != "decimal" {
            let help = "write `format: decimal`, or `type: integer`";
            findings.add(&node.pointer, "a number without `format: decimal` would become a float", help);
        }
    }
}
