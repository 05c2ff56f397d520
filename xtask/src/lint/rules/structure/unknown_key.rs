//! `unknown-key`: a field is not known where it is.

use openapi_document::pointer::child;

use super::{for_each_object, grammar::Shape};
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "unknown-key",
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
    for_each_object(context, &mut |map, Shape(what, keys), pointer| {
        let is_known = |key: &str| key.starts_with("x-") || keys.iter().any(|(known, _)| *known == key);
        for key in map.keys().filter(|key| !is_known(key)) {
            let message = format!("{key:?} is not read in {what}");
            findings.add(&child(pointer, key), message, "is it misspelt or at the wrong depth?");
        }
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    #[test]
    fn misspelt_key_is_found_in_every_object() {
        for place in [
            "/servres",
            "/info/titel",
            "/servers/0/urll",
            "/paths/~1orders/gett",
            "/paths/~1orders~1{orderId}/get/sumary",
            "/paths/~1orders~1{orderId}/get/responses/404/desciption",
            "/paths/~1orders~1{orderId}/get/responses/200/content/application~1json/exampel",
            "/paths/~1orders~1{orderId}/get/parameters/0/requierd",
            "/components/schemes",
            "/components/parameters/Limit/exampel",
            "/components/schemas/Order/properties/note/desciption",
        ] {
            assert_eq!(broken(place, json!("x")), ["unknown-key"], "{place}");
        }
    }
}
