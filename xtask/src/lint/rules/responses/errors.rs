//! `errors`: an operation documents no error response.

use super::{Responses, responses};
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "errors",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "An operation documents no error response.",
    why: "The method's documentation lists them.",
    instead: "Add the error statuses that the vendor documents.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/responses/404",
        value: "null",
        found_at: "/paths/~1orders~1{orderId}/get/responses",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for Responses { at, errors, .. } in responses(context) {
        if errors.is_empty() {
            let help = "add what the vendor documents: the method's comment lists it";
            findings.add(&at, "no error is documented", help);
        }
    }
}
