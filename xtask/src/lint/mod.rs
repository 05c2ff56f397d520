//! The rules of `openapi/README.md`: a document that would harm the client is rejected, with the location and what to change.

mod context;
mod diagnostic;
#[cfg(test)]
mod fuzz;
mod registry;
mod rules;

use openapi_document::Document;

use context::Context;
use diagnostic::{Example, Findings};

pub(crate) use diagnostic::{Finding, Level, Rule, Scope};
pub(crate) use registry::{RULES, rules_markdown};

/// Checks a document against all rules that need nothing else.
pub(crate) fn lint(document: &Document) -> Vec<Finding> {
    lint_with_facade(document, None)
}

/// Checks a document against all rules; against that about the facade if its source is given.
pub(crate) fn lint_with_facade(document: &Document, facade: Option<&str>) -> Vec<Finding> {
    let context = Context::new(&document.root, facade);
    let mut all = Vec::new();
    for rule in RULES {
        let mut findings = Findings::default();
        (rule.check)(&context, &mut findings);
        all.extend(findings.of(rule));
        // The other rules are those of OpenAPI 3.0.
        if rule.id == rules::document::openapi_version::RULE.id && !all.is_empty() {
            break;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::test_support::{changed, mini};

    /// Returns the rules that a change of the small document violates, each once.
    pub(super) fn broken(pointer: &str, value: Value) -> Vec<&'static str> {
        let mut rules = lint(&changed(pointer, value)).iter().map(|finding| finding.rule.id).collect::<Vec<_>>();
        rules.dedup();
        rules
    }

    /// The same for another schema of an order's note.
    pub(super) fn note(schema: Value) -> Vec<&'static str> {
        broken("/components/schemas/Order/properties/note", schema)
    }

    pub(super) const NONE: [&str; 0] = [];

    #[test]
    fn small_document_violates_no_rule() {
        let findings = lint(&mini()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn finding_with_any_quote_is_one_line() {
        let findings = lint(&changed("/paths/~1orders/get/parameters/3/in", "a\nb".into()));
        assert!(findings.iter().all(|finding| finding.to_string().lines().count() == 1), "{findings:?}");
    }

    #[test]
    fn finding_has_rule_pointer_and_help() {
        let findings = lint(&changed("/paths/~1orders~1{orderId}/get/operationId", Value::Null));
        assert_eq!(
            findings[0].to_string(),
            "error[operation-id] at /paths/~1orders~1{orderId}/get: no operationId; give it the name that the vendor's SDK uses"
        );
    }
}
