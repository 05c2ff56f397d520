//! `media-type`: a success response is neither JSON alone nor marked as a download.

use super::{BYTES, Responses, read_type, responses};
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "media-type",
    level: Level::Warning,
    scope: Scope::Generator,
    finds: "A success response is neither JSON alone nor marked as a download.",
    why: "The client returns it as bytes.",
    instead: "Keep JSON alone, or write `x-download: true` at the operation.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/responses/200/content",
        value: r##"{"application/xml": {"schema": {"$ref": "#/components/schemas/Order"}, "example": {"id": "a"}}}"##,
        found_at: "/paths/~1orders~1{orderId}/get/responses/200",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for Responses { successes, download, .. } in responses(context) {
        for success in successes.iter().filter(|_| !download) {
            if read_type(success.value, download) == BYTES {
                let help = "keep JSON alone, or write `x-download: true` at the operation";
                findings.add(&success.at, "this success response is returned as bytes", help);
            }
        }
    }
}
