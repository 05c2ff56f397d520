//! `info-version`: `info.version` is not the date of the last check against the sources.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, context::is_date};

pub(crate) static RULE: Rule = Rule {
    id: "info-version",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "`info.version` is not the date of the last check against the sources.",
    why: "It becomes the build metadata of the crate's version.",
    instead: "Write the date as a string, `YYYY-MM-DD`.",
    example: Example { pointer: "/info/version", value: r#""v2""#, found_at: "/info/version" },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let version = context.text("/info/version");
    if !is_date(version) {
        let message = format!("invalid date {version:?}");
        let help = "write the date of the last check against the sources as a string, YYYY-MM-DD";
        findings.add("/info/version", message, help);
    }
}
