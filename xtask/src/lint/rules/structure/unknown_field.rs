//! `unknown-field`: a field is not known where it is.

use openapi_document::pointer::child;

use super::for_each_object;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "unknown-field",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "A field is not known where it is.",
    why: "The generator ignores it, and with it what the document means.",
    instead: "Correct the spelling or the depth, or remove the field.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/sumary",
        value: r#""One order""#,
        found_at: "/paths/~1orders~1{orderId}/get/sumary",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for_each_object(context, &mut |map, shape, pointer| {
        let is_known = |key: &str| key.starts_with("x-") || shape.type_of(key).is_some();
        for key in map.keys().filter(|key| !is_known(key)) {
            let message = format!("{key:?} is not read in {}", shape.0);
            findings.add(&child(pointer, key), message, "is it misspelt or at the wrong depth?");
        }
    });
}
