//! The curation rules of `openapi/README.md`: what would harm the client is refused, with its place and what to change.

mod anything;
mod exchanges;
mod formats;
#[cfg(test)]
mod fuzz;
mod keys;
mod kinds;
mod marks;
mod names;
mod operations;
mod parameters;
mod references;
mod schemas;
mod tree;

use std::fmt::{self, Write as _};

use crate::document::Document;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Generation stops.
    Error,
    /// The client works; the document is not as it should be.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    /// The rule's name, for search.
    pub(crate) rule: &'static str,
    pointer: String,
    message: String,
    help: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let text = format!("{level}[{}] at {}: {}; {}", self.rule, self.pointer, self.message, self.help);
        // Keys and values of the document are quoted in it, and may hold anything.
        text.chars().try_for_each(|letter| {
            if letter.is_control() { write!(f, "{}", letter.escape_default()) } else { f.write_char(letter) }
        })
    }
}

/// What was found so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, rule: &'static str, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.add(Level::Error, rule, pointer, message.into(), help.into());
    }

    fn warning(&mut self, rule: &'static str, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.add(Level::Warning, rule, pointer, message.into(), help.into());
    }

    fn add(&mut self, level: Level, rule: &'static str, pointer: &str, message: String, help: String) {
        self.0.push(Finding { level, rule, pointer: pointer.to_owned(), message, help });
    }
}

/// Checks a document against all rules.
pub(crate) fn lint(document: &Document) -> Vec<Finding> {
    let root = &document.root;
    let mut findings = Findings::default();
    references::check(root, &mut findings);
    keys::check(root, &mut findings);
    operations::check_document(root, &mut findings);
    operations::check(root, &mut findings);
    marks::check(root, &mut findings);
    parameters::check(root, &mut findings);
    exchanges::check(root, &mut findings);
    formats::check(root, &mut findings);
    anything::check(root, &mut findings);
    schemas::check(root, &mut findings);
    names::check(root, &mut findings);
    findings.0
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::{changed, mini};

    /// The rules that a change to the small document breaks, each once.
    pub(crate) fn broken(pointer: &str, value: Value) -> Vec<&'static str> {
        let mut rules = lint(&changed(pointer, value)).iter().map(|finding| finding.rule).collect::<Vec<_>>();
        rules.dedup();
        rules
    }

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
