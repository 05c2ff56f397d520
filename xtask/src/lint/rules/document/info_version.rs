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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    #[test]
    fn version_that_is_not_a_date_is_found() {
        for version in [json!("v2"), json!("2026-13-01"), json!("2026-02-30"), json!("2026-1-1"), json!(2)] {
            assert_eq!(broken("/info/version", version), ["info-version"]);
        }
    }
}
