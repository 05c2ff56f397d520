//! What only answers hold: the vendor is the judge of its own limits, and secrets in it must not be logged.

use openapi_document::pointer::{child, last_token};
use serde_json::Value;

use super::{Findings, Rule, anything};
use crate::codegen::identifiers::value_name;

const LIMITS: [&str; 9] =
    ["pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "multipleOf"];

const SECRETS: [&str; 9] = [
    "password",
    "secret",
    "client_secret",
    "api_key",
    "private_key",
    "access_token",
    "refresh_token",
    "id_token",
    "token",
];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let requests = anything::in_requests(root);
    for node in openapi_document::schemas(root) {
        let of_answers = match node.pointer.split('/').collect::<Vec<_>>().as_slice() {
            ["", "components", "schemas", name, ..] => {
                !requests.contains(format!("#/components/schemas/{name}").as_str())
            }
            ["", "components", "responses", ..] | ["", "paths", _, _, "responses", ..] => true,
            _ => false,
        };
        if of_answers && let Some(key) = LIMITS.iter().find(|key| node.schema.contains_key(**key)) {
            let help = "leave it out, or say it in the description: an answer that breaks it is still an answer";
            findings.add(Rule::AnswerLimit, &child(&node.pointer, key), format!("{key:?} on an answer"), help);
        }
        let name = last_token(&node.pointer);
        if node.place == openapi_document::Place::Property
            && node.text("type") == "string"
            && node.text("format").is_empty()
            && SECRETS.contains(&value_name(name).as_str())
        {
            findings.add(
                Rule::Secret,
                &node.pointer,
                format!("{name:?} looks like a secret, and would be shown in logs"),
                "write `format: password`",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::{NONE, broken};

    #[test]
    fn answers_have_no_limits_but_requests_may() {
        assert_eq!(broken("/components/schemas/OrderPage/properties/next/maxLength", json!(9)), ["answer-limit"]);
        assert_eq!(broken("/components/schemas/Line/properties/sku/maxLength", json!(9)), NONE);
    }

    #[test]
    fn what_is_named_like_a_secret_is_one() {
        let secret = |schema| broken("/components/schemas/Order/properties/clientSecret", schema);
        assert_eq!(secret(json!({"type": "string", "description": "d"})), ["secret"]);
        assert_eq!(secret(json!({"type": "string", "description": "d", "format": "password"})), NONE);
    }
}
