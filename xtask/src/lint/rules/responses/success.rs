//! `success`: an operation has no success response, or several of different types, or JSON without a schema.

use super::{Responses, only_media_type, read_type, responses};
use crate::{
    codegen::normalize::is_json,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "success",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "An operation has no success response, or several of different types, or JSON without a schema.",
    why: "A method returns one type.",
    instead: "Keep the response that the client reads, and mention the others in the description.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/responses/204",
        value: r#"{"description": "Nothing."}"#,
        found_at: "/paths/~1orders~1{orderId}/get/responses",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for Responses { at, successes, download, .. } in responses(context) {
        let mut types = successes.iter().map(|success| read_type(success.value, download)).collect::<Vec<_>>();
        types.dedup();
        match types.len() {
            0 => findings.add(&at, "no success response", "add the 2xx that the vendor documents"),
            1 => {}
            _ => {
                let help = "keep the one that the client reads, and mention the others in the description";
                findings.add(&at, "success responses of different types", help);
            }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::{NONE, broken};

    #[test]
    fn operation_without_success_is_found() {
        assert_eq!(broken("/paths/~1orders~1{orderId}/get/responses/200", Value::Null), ["success"]);
    }

    #[test]
    fn same_type_with_two_statuses_is_one_type() {
        let answer = json!({"description": "d", "content": {"application/json": {"example": {}, "schema": {"$ref": "#/components/schemas/Order"}}}});
        assert_eq!(broken("/paths/~1orders~1{orderId}/get/responses/201", answer), NONE);
    }
}
