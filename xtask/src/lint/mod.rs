//! The curation rules of `openapi/README.md`: what would harm the client is refused, with its place and what to change.

mod answers;
mod anything;
mod document;
mod enums;
#[cfg(test)]
mod examples;
mod exchanges;
pub(crate) mod facade;
mod formats;
#[cfg(test)]
mod fuzz;
mod jobs;
mod keys;
mod kinds;
mod marks;
mod names;
mod operations;
mod paging;
mod parameters;
mod references;
mod rule;
mod schemas;
mod texts;

use std::{collections::BTreeSet, fmt};

use openapi_document::{Document, Position};

use crate::text::printable;

pub(crate) use rule::{Level, Rule};

/// One thing that is wrong.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    /// Where, as a JSON pointer.
    pub(crate) pointer: String,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Finding {
    pub(crate) fn level(&self) -> Level {
        self.rule.level()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (level, rule) = (self.level().name(), self.rule.id());
        let text = format!("{level}[{rule}] at {}: {}; {}", self.pointer, self.message, self.help);
        // Keys and values of the document are quoted in it, and may hold anything.
        f.write_str(&printable(&text))
    }
}

/// What was found so far. What several operations share is found once.
#[derive(Default)]
pub(crate) struct Findings(pub(crate) BTreeSet<Finding>);

impl Findings {
    pub(crate) fn add(&mut self, rule: Rule, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        let (message, help) = (message.into(), help.into());
        self.0.insert(Finding { rule, pointer: pointer.to_owned(), message, help });
    }
}

/// Formats a finding with file, line and column in front.
pub(crate) fn finding_line(name: &str, position: Position, finding: &Finding) -> String {
    format!("{}:{position}: {finding}", printable(name))
}

/// Whether a text is a day, `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
    let parts = text.split('-').collect::<Vec<_>>();
    let [year, month, day] = parts.as_slice() else { return false };
    let in_range =
        |part: &str, range: std::ops::RangeInclusive<u32>| number(part).is_some_and(|part| range.contains(&part));
    (year.len(), month.len(), day.len()) == (4, 2, 2)
        && in_range(year, 0..=9999)
        && in_range(month, 1..=12)
        && in_range(day, 1..=31)
}

/// Checks a document against all rules but those that need more than it.
pub(crate) fn lint(document: &Document) -> Vec<Finding> {
    let root = &document.root;
    let mut findings = Findings::default();
    if !document::check(root, &mut findings) {
        return findings.0.into_iter().collect();
    }
    references::check(root, &mut findings);
    keys::check(root, &mut findings);
    operations::check(root, &mut findings);
    marks::check(root, &mut findings);
    paging::check(root, &mut findings);
    jobs::check(root, &mut findings);
    parameters::check(root, &mut findings);
    exchanges::check(root, &mut findings);
    formats::check(root, &mut findings);
    anything::check(root, &mut findings);
    schemas::check(root, &mut findings);
    enums::check(root, &mut findings);
    answers::check(root, &mut findings);
    names::check(root, &mut findings);
    texts::check(root, "", &mut findings);
    findings.0.into_iter().collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::test_support::{changed, mini};

    /// The rules that a change to the small document breaks, each once.
    pub(crate) fn broken(pointer: &str, value: Value) -> Vec<String> {
        let mut rules = lint(&changed(pointer, value)).iter().map(|finding| finding.rule.id()).collect::<Vec<_>>();
        rules.dedup();
        rules
    }

    pub(crate) const NONE: [&str; 0] = [];

    #[test]
    fn the_small_document_breaks_no_rule() {
        let findings = lint(&mini()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn a_finding_is_one_line_whatever_it_quotes() {
        let findings = lint(&changed("/paths/~1orders/get/parameters/3/in", "a\nb".into()));
        assert!(findings.iter().all(|finding| finding.to_string().lines().count() == 1), "{findings:?}");
    }

    #[test]
    fn a_finding_is_one_line_with_rule_place_and_help() {
        let findings = lint(&changed("/paths/~1orders~1{orderId}/get/operationId", Value::Null));
        assert_eq!(
            findings[0].to_string(),
            "error[operation-id] at /paths/~1orders~1{orderId}/get: no operationId; give it the name that the vendor's SDK uses"
        );
    }
}
