//! `status`: the status of a success response is not registered.

use openapi_document::pointer::child;

use super::{Responses, responses};
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "status",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "The status of a success response is not registered.",
    why: "The mock helpers panic on others.",
    instead: "Write one of the registered statuses of success, or `2XX`.",
    example: Example {
        pointer: "/paths/~1orders/post/responses/299",
        value: r##"{"$ref": "#/components/responses/Made"}"##,
        found_at: "/paths/~1orders/post/responses/299",
    },
    check,
};

/// The statuses of success that have a reason phrase, of which the mock helpers make a name; and all of them.
const REGISTERED: [&str; 11] = ["200", "201", "202", "203", "204", "205", "206", "207", "208", "226", "2XX"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for Responses { at, successes, .. } in responses(context) {
        for status in successes.iter().map(|success| success.status).filter(|status| !REGISTERED.contains(status)) {
            let message = format!("{status} is not a registered status of success");
            findings.add(&child(&at, status), message, format!("known are {}", REGISTERED.join(", ")));
        }
    }
}
