//! `info-title`: `info.title` is missing.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "info-title",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "`info.title` is missing.",
    why: "The generator needs it.",
    instead: "Write the name of the vendor's API.",
    example: Example { pointer: "/info/title", value: "null", found_at: "/info" },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.text("/info/title").is_empty() {
        findings.add("/info", "no title", "write the name of the vendor's API");
    }
}
