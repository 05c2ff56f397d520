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

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Group {
        about: String,
        violates: Vec<String>,
        changes: Vec<(String, Value)>,
    }

    #[test]
    fn changes_of_the_small_document_violate_the_listed_rules() {
        let groups: Vec<Group> = serde_saphyr::from_str(include_str!("violations.yaml")).expect("it is YAML");
        let mut wrong = Vec::new();
        for Group { about, violates, changes } in groups {
            for (pointer, value) in changes {
                let findings = lint(&changed(&pointer, value.clone()));
                let mut rules = findings.iter().map(|finding| finding.rule.id).collect::<Vec<_>>();
                rules.dedup();
                if rules != violates {
                    wrong.push(format!("{about}: {pointer}: {value} violates {rules:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

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
