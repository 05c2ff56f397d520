//! Request bodies and answers: one kind each, in a media type that the generator writes.

use serde_json::{Value, json};

use super::Findings;
use crate::{
    document::{Operation, operations},
    normalise::is_json,
    pointer::child,
};

const BODIES: [&str; 5] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "text/plain",
    "text/x-markdown",
];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    // What core sends itself may be of any kind.
    for operation in operations(root).into_iter().filter(|operation| !operation.of_core()) {
        if let Some(body) = operation.body(root) {
            request(body, &child(&operation.pointer, "requestBody"), findings);
        }
        answers(root, &operation, findings);
    }
}

fn request(body: &Value, at: &str, findings: &mut Findings) {
    if body.get("required").and_then(Value::as_bool) != Some(true) {
        findings.error(
            "body",
            at,
            "the body is optional, but would always be sent",
            "write `required: true`, or make a second operation without it",
        );
    }
    let content = body.get("content").and_then(Value::as_object);
    let media = content.into_iter().flatten().collect::<Vec<_>>();
    let [(name, media)] = media.as_slice() else {
        return findings.error(
            "body",
            at,
            format!("{} media types", media.len()),
            "keep the one that the client sends",
        );
    };
    let kind = name.split(';').next().unwrap_or_default().trim();
    let schema = media.get("schema");
    if !BODIES.contains(&kind) {
        return findings.error(
            "body",
            at,
            format!("{name} is not supported"),
            "write that call by hand, or send one of the supported types",
        );
    }
    let needed = match kind {
        "application/octet-stream" => Some(json!({"type": "string", "format": "binary"})),
        "text/plain" | "text/x-markdown" => Some(json!({"type": "string"})),
        _ => None,
    };
    match (schema, needed) {
        (None, _) => findings.error("body", at, "no schema", "give it one"),
        (Some(schema), Some(needed)) if *schema != needed => {
            findings.error("body", at, format!("{name} with another schema than {needed}"), "write exactly that");
        }
        _ => {}
    }
}

fn answers(root: &Value, operation: &Operation<'_>, findings: &mut Findings) {
    let at = child(&operation.pointer, "responses");
    let successes =
        operation.responses(root).into_iter().filter(|(status, _)| status.starts_with('2')).collect::<Vec<_>>();
    let mut kinds =
        successes.iter().map(|(_, response)| kind(response, operation.is("x-download"))).collect::<Vec<_>>();
    kinds.dedup();
    match kinds.len() {
        0 => findings.error("success", &at, "no answer of success", "add the 2xx that the vendor documents"),
        1 => {}
        _ => findings.error(
            "success",
            &at,
            "successes of different kinds",
            "keep the one that the client reads, and say so in the description",
        ),
    }
    for (status, response) in successes {
        let at = child(&at, status);
        let media = response.get("content").and_then(Value::as_object).into_iter().flatten().collect::<Vec<_>>();
        if let [(name, media)] = media.as_slice()
            && is_json(name)
        {
            if media.get("schema").is_none() {
                findings.error("success", &at, "JSON without a schema", "give it one");
            }
            if media.get("example").is_none() && media.get("examples").is_none() {
                findings.warning(
                    "example",
                    &at,
                    "no example",
                    "add one with every field that a job uses: the tests decode it",
                );
            }
        }
    }
}

/// What a client reads of a success: nothing, JSON of a schema, or bytes.
fn kind(response: &Value, download: bool) -> Value {
    let media = response.get("content").and_then(Value::as_object).into_iter().flatten().collect::<Vec<_>>();
    match media.as_slice() {
        [] => Value::Null,
        [(name, media)] if is_json(name) && !download => media.get("schema").cloned().unwrap_or_default(),
        _ => json!("bytes"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::broken;

    const BODY: &str = "/paths/~1orders/post/requestBody";
    const ANSWERS: &str = "/paths/~1orders~1{orderId}/get/responses";

    #[test]
    fn a_body_is_required_and_of_one_supported_type() {
        assert_eq!(broken(&format!("{BODY}/required"), json!(false)), ["body"]);
        let order = json!({"schema": {"$ref": "#/components/schemas/Order"}});
        assert_eq!(broken(&format!("{BODY}/content"), json!({"multipart/form-data": order})), ["body"]);
        assert_eq!(
            broken(&format!("{BODY}/content"), json!({"application/json": order, "text/plain": order})),
            ["body"]
        );
        assert_eq!(broken(&format!("{BODY}/content"), json!({"application/json": {}})), ["body"]);
        assert_eq!(
            broken(&format!("{BODY}/content"), json!({"application/octet-stream": {"schema": {"type": "string"}}})),
            ["body"]
        );
    }

    #[test]
    fn successes_are_of_one_kind() {
        assert_eq!(broken(&format!("{ANSWERS}/204"), json!({"description": "Nothing."})), ["success"]);
        assert_eq!(broken(&format!("{ANSWERS}/200"), Value::Null), ["success"]);
    }

    #[test]
    fn the_same_success_with_two_statuses_is_one_kind() {
        let answer = json!({"description": "d", "content": {"application/json": {"example": {}, "schema": {"$ref": "#/components/schemas/Order"}}}});
        assert_eq!(broken(&format!("{ANSWERS}/201"), answer), Vec::<&str>::new());
    }

    #[test]
    fn a_success_in_json_has_an_example() {
        assert_eq!(broken(&format!("{ANSWERS}/200/content/application~1json/example"), Value::Null), ["example"]);
    }
}
