//! For code scanning: SARIF 2.1.0, with a suppression for each finding that is accepted.

use std::{
    collections::BTreeMap,
    io::{Result, Write},
};

use openapi_document::text::printable;
use serde_json::{Value, json};

use super::escaping::percent_encoded;
use crate::{
    Level,
    review::{ApiDiff, Finding, Review},
    rules,
};

/// GitHub shows no more results of a run, and rejects files with more than five times as many.
const MOST: usize = 5_000;

pub(super) fn write(review: &Review, out: &mut dyn Write) -> Result<()> {
    let mut findings =
        review.apis.iter().flat_map(|api| api.findings.iter().map(move |one| (api, one))).collect::<Vec<_>>();
    findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.change.level));
    findings.truncate(MOST);
    let mut rules = BTreeMap::new();
    for (_, finding) in &findings {
        let help = rules::rule(finding.change.rule)
            .map_or_else(Default::default, |rule| rule.help_for(finding.change.direction));
        rules
            .entry(finding.change.id.as_str())
            .or_insert_with(|| json!({"id": finding.change.id, "shortDescription": {"text": help}}));
    }
    let problems = review
        .problems
        .iter()
        .chain(&review.failures)
        .map(|problem| json!({"level": "error", "message": {"text": printable(problem)}}));
    let run = json!({
        "tool": {"driver": {
            "name": "spec-diff",
            "version": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules.into_values().collect::<Vec<_>>(),
        }},
        "invocations": [{
            "executionSuccessful": review.problems.is_empty(),
            "toolExecutionNotifications": problems.collect::<Vec<_>>(),
        }],
        "results": findings.iter().map(|(api, finding)| result(api, finding)).collect::<Vec<_>>(),
    });
    let root = json!({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]});
    serde_json::to_writer_pretty(&mut *out, &root)?;
    writeln!(out)
}

/// Returns a URI of a file: a URL as it is, a path relative to the working directory or absolute.
fn uri(name: &str) -> String {
    match name.strip_prefix("./").unwrap_or(name) {
        url if url.contains("://") => url.to_owned(),
        absolute if absolute.starts_with('/') => format!("file://{}", percent_encoded(absolute)),
        relative => percent_encoded(relative),
    }
}

fn result(api: &ApiDiff, finding: &Finding) -> Value {
    let change = &finding.change;
    let level = match change.level {
        Level::Breaking => "error",
        Level::Warning => "warning",
        Level::Info => "note",
        Level::None => "none",
    };
    let position = api.first_position(change);
    let region = json!({"startLine": position.line, "startColumn": position.column});
    let uri = uri(position.name);
    let suppressions = finding.accepted.iter().map(
        |accepted| json!({"kind": "external", "status": "accepted", "justification": printable(&accepted.to_string())}),
    );
    json!({
        "ruleId": change.id,
        "level": level,
        "message": {"text": printable(&change.message)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
        "partialFingerprints": {"specDiff/v1": change.fingerprint},
        "suppressions": suppressions.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_uris() {
        for (name, expected) in [
            ("./w x/b#1.json", "w%20x/b%231.json"),
            ("../a b.yaml", "../a%20b.yaml"),
            ("/tmp/a b.yaml", "file:///tmp/a%20b.yaml"),
            ("https://a.example/b?c", "https://a.example/b?c"),
        ] {
            assert_eq!(uri(name), expected);
        }
    }
}
