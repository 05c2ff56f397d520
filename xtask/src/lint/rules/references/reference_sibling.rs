//! `reference-sibling`: a field that changes the value is beside a `$ref`.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "reference-sibling",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A field that changes the value is beside a `$ref`.",
    why: "OpenAPI 3.0 ignores it.",
    instead: "Write `allOf: [{$ref: …}]` instead of the `$ref`.",
    example: Example {
        pointer: "/components/schemas/Order/properties/status",
        value: r##"{"$ref": "#/components/schemas/Status", "nullable": true}"##,
        found_at: "/components/schemas/Order/properties/status",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    super::siblings(context, findings, true);
}
