//! Request bodies and answers: one kind each, in a media type that the generator writes.

use openapi_document::{Operation, operations, pointer::child, resolve_at};
use serde_json::{Value, json};

use super::{Findings, Rule};
use crate::codegen::normalize::is_json;

const BODIES: [&str; 5] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "text/plain",
    "text/x-markdown",
];

/// The statuses of success that have a reason phrase, of which the mock helpers make a name; and all of them.
const REGISTERED: [&str; 11] = ["200", "201", "202", "203", "204", "205", "206", "207", "208", "226", "2XX"];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    // What core sends itself may be of any kind.
    for operation in operations(root).into_iter().filter(|operation| !operation.is_sent_by_core()) {
        if let Some(body) = operation.value.get("requestBody") {
            let (at, body) = resolve_at(root, child(&operation.pointer, "requestBody"), body);
            request(body, &at, findings);
        }
        answers(root, &operation, findings);
    }
}

fn request(body: &Value, at: &str, findings: &mut Findings) {
    if body.get("required").and_then(Value::as_bool) != Some(true) {
        findings.add(
            Rule::OptionalBody,
            at,
            "the body is optional, but would always be sent",
            "write `required: true`, or make a second operation without it",
        );
    }
    let content = body.get("content").and_then(Value::as_object);
    let media = content.into_iter().flatten().collect::<Vec<_>>();
    let [(name, media)] = media.as_slice() else {
        return findings.add(
            Rule::Body,
            at,
            format!("{} media types", media.len()),
            "keep the one that the client sends",
        );
    };
    let kind = name.split(';').next().unwrap_or_default().trim();
    let schema = media.get("schema");
    if !BODIES.contains(&kind) {
        return findings.add(
            Rule::Body,
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
        (None, _) => findings.add(Rule::Body, at, "no schema", "give it one"),
        (Some(schema), Some(needed)) if *schema != needed => {
            findings.add(Rule::Body, at, format!("{name} with another schema than {needed}"), "write exactly that");
        }
        _ => {}
    }
}

fn answers(root: &Value, operation: &Operation<'_>, findings: &mut Findings) {
    let at = child(&operation.pointer, "responses");
    let all = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
    let (successes, errors) = all
        .map(|(status, answer)| (status, resolve_at(root, child(&at, status), answer)))
        .partition::<Vec<_>, _>(|(status, _)| status.starts_with('2'));
    for (_, (at, answer)) in successes.iter().chain(&errors) {
        if answer.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
            findings.add(Rule::Description, at, "an answer without a description", "say when it comes");
        }
    }
    if errors.is_empty() {
        let help = "add what the vendor documents: the method's comment lists it";
        findings.add(Rule::Errors, &at, "no error is documented", help);
    }
    let download = operation.flag("x-download");
    let mut kinds = successes.iter().map(|(_, (_, answer))| kind(answer, download)).collect::<Vec<_>>();
    kinds.dedup();
    match kinds.len() {
        0 => findings.add(Rule::Success, &at, "no answer of success", "add the 2xx that the vendor documents"),
        1 => {}
        _ => findings.add(
            Rule::Success,
            &at,
            "successes of different kinds",
            "keep the one that the client reads, and say so in the description",
        ),
    }
    for (status, (place, answer)) in successes {
        if !REGISTERED.contains(&status.as_str()) {
            let help = format!("known are {}", REGISTERED.join(", "));
            findings.add(
                Rule::Status,
                &child(&at, status),
                format!("{status} is no registered status of success"),
                help,
            );
        }
        success(answer, download, &place, findings);
    }
}

fn success(answer: &Value, download: bool, at: &str, findings: &mut Findings) {
    if !download && kind(answer, download) == json!(BYTES) {
        let help = "keep `application/json` alone, or write `x-download: true` at the operation";
        findings.add(Rule::MediaType, at, "this success comes as bytes", help);
    }
    let media = answer.get("content").and_then(Value::as_object).into_iter().flatten().collect::<Vec<_>>();
    let [(name, media)] = media.as_slice() else { return };
    if !is_json(name) {
        return;
    }
    if media.get("schema").is_none() {
        findings.add(Rule::Success, at, "JSON without a schema", "give it one");
    }
    if media.get("example").is_none() && media.get("examples").is_none() {
        let help = "add one with every field that a job uses: the tests decode it";
        findings.add(Rule::Example, at, "no example", help);
    }
}

const BYTES: &str = "bytes";

/// What a client reads of a success: nothing, JSON of a schema, or bytes.
fn kind(answer: &Value, download: bool) -> Value {
    let media = answer.get("content").and_then(Value::as_object).into_iter().flatten().collect::<Vec<_>>();
    match media.as_slice() {
        [] => Value::Null,
        [(name, media)] if is_json(name) && !download => media.get("schema").cloned().unwrap_or_default(),
        _ => json!(BYTES),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::{NONE, broken};

    const BODY: &str = "/paths/~1orders/post/requestBody";
    const ANSWERS: &str = "/paths/~1orders~1{orderId}/get/responses";

    #[test]
    fn a_body_is_required_and_of_one_supported_type() {
        assert_eq!(broken(&format!("{BODY}/required"), json!(false)), ["optional-body"]);
        let order = json!({"schema": {"$ref": "#/components/schemas/Order"}});
        assert_eq!(broken(&format!("{BODY}/content"), json!({"multipart/form-data": order})), ["body"]);
        assert_eq!(
            broken(&format!("{BODY}/content"), json!({"application/json": order, "text/plain": order})),
            ["body"]
        );
        // Other rules miss what the body would have referred to.
        assert_eq!(broken(&format!("{BODY}/content"), json!({"application/json": {}}))[0], "body");
        let raw = json!({"application/octet-stream": {"schema": {"type": "string"}}});
        assert_eq!(broken(&format!("{BODY}/content"), raw)[0], "body");
    }

    #[test]
    fn successes_are_of_one_kind() {
        assert_eq!(broken(&format!("{ANSWERS}/204"), json!({"description": "Nothing."})), ["success"]);
        assert_eq!(broken(&format!("{ANSWERS}/200"), Value::Null), ["success"]);
    }

    #[test]
    fn the_same_success_with_two_statuses_is_one_kind() {
        let answer = json!({"description": "d", "content": {"application/json": {"example": {}, "schema": {"$ref": "#/components/schemas/Order"}}}});
        assert_eq!(broken(&format!("{ANSWERS}/201"), answer), NONE);
    }

    #[test]
    fn a_success_in_json_has_an_example() {
        assert_eq!(broken(&format!("{ANSWERS}/200/content/application~1json/example"), Value::Null), ["example"]);
    }

    #[test]
    fn what_comes_as_bytes_is_marked_as_a_download() {
        let content = "/paths/~1orders~1{orderId}/get/responses/200/content";
        let order = json!({"schema": {"$ref": "#/components/schemas/Order"}, "example": {"id": "a"}});
        let both = json!({"application/json": order, "text/csv": {"schema": {"type": "string"}}});
        assert_eq!(broken(content, both), ["media-type"]);
        assert_eq!(broken(content, json!({"application/vnd.shop+json": order})), ["media-type"]);
        assert_eq!(broken("/paths/~1export/get/x-download", Value::Null), ["media-type"]);
    }

    #[test]
    fn a_success_has_a_registered_status() {
        let made = json!({"$ref": "#/components/responses/Made"});
        assert_eq!(broken("/paths/~1orders/post/responses/299", made.clone()), ["status"]);
        assert_eq!(broken("/paths/~1orders/post/responses/2XX", made), NONE);
    }

    #[test]
    fn an_operation_documents_how_it_fails_and_what_each_answer_says() {
        assert_eq!(broken(&format!("{ANSWERS}/404"), Value::Null), ["errors"]);
        assert_eq!(broken(&format!("{ANSWERS}/404/description"), json!("")), ["description"]);
    }
}
