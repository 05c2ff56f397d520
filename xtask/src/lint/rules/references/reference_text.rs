//! `reference-text`: a field that only documents or limits the value is beside a `$ref`.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "reference-text",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "A field that only documents or limits the value is beside a `$ref`.",
    why: "OpenAPI 3.0 ignores it: readers do not see it.",
    instead: "Write `allOf: [{$ref: …}]` instead of the `$ref`.",
    example: Example {
        pointer: "/paths/~1orders/get/responses/429",
        value: r##"{"$ref": "#/components/responses/Busy", "description": "d"}"##,
        found_at: "/paths/~1orders/get/responses/429",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    super::siblings(context, findings, false);
}
