//! `example`: a success response in JSON has no example.

use super::{only_media_type, responses};
use crate::{
    codegen::successes::is_json,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "example",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "A success response in JSON has no example.",
    why: "The tests decode it.",
    instead: "Add one with every field that a job uses.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/responses/200/content/application~1json/example",
        value: "null",
        found_at: "/paths/~1orders~1{orderId}/get/responses/200",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for success in responses(context).flat_map(|responses| responses.successes) {
        if let Some((name, media)) = only_media_type(success.value)
            && is_json(name)
            && media.get("example").is_none()
            && media.get("examples").is_none()
        {
            let help = "add one with every field that a job uses: the tests decode it";
            findings.add(&success.at, "no example", help);
        }
    }
}
