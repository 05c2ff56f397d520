//! `success`: an operation has no success response, or both JSON and bytes, or JSON without a schema.

use openapi_document::pointer::child;

use super::{Responses, only_media_type, responses};
use crate::{
    codegen::successes::{Successes, is_json, successes},
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "success",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "An operation has no success response, or both JSON and bytes, or JSON without a schema.",
    why: "A method returns one type: an `Option` if a body may be missing, an enum if the status decides between several types of JSON.",
    instead: "Keep the responses that the client reads, and mention the others in the description.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/responses/200/content/application~1json/schema",
        value: "null",
        found_at: "/paths/~1orders~1{orderId}/get/responses/200",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in context.generated_operations() {
        if matches!(successes(context.root, operation), Successes::Mixed) {
            let help = "keep those that the client reads, or write `x-download: true` to read all as bytes";
            findings.add(&child(&operation.pointer, "responses"), "success responses of JSON and of bytes", help);
        }
    }
    for Responses { at, successes, .. } in responses(context) {
        if successes.is_empty() {
            findings.add(&at, "no success response", "add the 2xx that the vendor documents");
        }
        for success in successes {
            if let Some((name, media)) = only_media_type(success.value)
                && is_json(name)
                && media.get("schema").is_none()
            {
                findings.add(&success.at, "JSON without a schema", "give it one");
            }
        }
    }
}
