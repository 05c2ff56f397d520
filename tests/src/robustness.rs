//! Checks of every operation of a vendor. Each check covers all operations before it fails.

use std::time::Duration;

use serde_json::Value;
use usage_billing_core::{Error, ErrorKind, RetryPolicy};

use crate::{
    Call, Document, ErrorExample, MockVendor, Operation, ScriptedResponse, Variation, Vendor, added_and_missing_fields,
    is_equivalent, unnamed_nulls,
};

const HTML_PAGE: &str = "<html><head><title>503 Service Unavailable</title></head><body>nginx</body></html>";

/// Checks the request and the decoded response of every operation for each of its examples.
pub async fn examples_round_trip<V: Vendor>() {
    let vendor = MockVendor::<V>::new(RetryPolicy::none());
    let base = V::document().value_at("/servers/0/url").as_str().and_then(|url| url.split_once("}/"));
    let base = base.map(|(_, path)| format!("/{path}")).unwrap_or_default();
    let mut wrong = Vec::new();
    for (call, operation) in operations::<V>() {
        for (status, _, example) in operation.successes() {
            vendor.respond(response(&operation, status, example));
            match vendor.call(&call).await {
                Ok(value) if is_equivalent(&value, example) => {}
                Ok(value) => wrong.push(format!("{} {status}: {example} became {value}", call.operation)),
                Err(error) => wrong.push(error.to_string()),
            }
        }
        let request = vendor.requests().pop().expect("the call was sent");
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let expected = (operation.method.to_uppercase(), true, !operation.body_example().is_null());
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        if (request.method.clone(), matches_template(&base, operation.path, path), !body.is_null()) != expected
            || !is_equivalent(&body, operation.body_example())
        {
            wrong.push(format!("{}: sent {request:?}", call.operation));
        }
        for name in query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0)) {
            assert!(operation.query().contains(&name), "{}: {name}", call.operation);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Checks every documented error status: kind, status, the vendor's code and message, request id, `Retry-After`, body.
pub async fn documented_errors_are_reported<V: Vendor>() {
    let vendor = MockVendor::<V>::new(RetryPolicy::none());
    let mut wrong = Vec::new();
    for (call, operation) in operations::<V>() {
        for (status, example) in operation.errors() {
            let expected = if example.is_null() { V::error(status) } else { error_example(example) };
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(V::REQUEST_ID.map(|name| (name, "r-7")));
            if status == 429 {
                headers.push(("retry-after", "7"));
            }
            // After a 429 a client delays its requests: each has its own client.
            let delayed = (status == 429).then(|| MockVendor::<V>::new(RetryPolicy::none()));
            let vendor = delayed.as_ref().unwrap_or(&vendor);
            vendor.respond(ScriptedResponse::new(status, &headers, &expected.body));
            let error = vendor.call(&call).await.expect_err(call.operation);
            let kind = match status {
                401 => ErrorKind::Auth,
                403 => ErrorKind::Permission,
                _ => ErrorKind::Api,
            };
            let is_reported = error.kind() == kind
                && error.status().is_some_and(|reported| reported == status)
                && error.code() == expected.code.as_deref()
                && error.message() == expected.message
                && error.operation() == Some(call.operation)
                && error.request_id() == V::REQUEST_ID.map(|_| "r-7")
                && error.retry_after() == (status == 429).then_some(Duration::from_secs(7))
                && error.body() == expected.body.as_bytes();
            if !is_reported {
                wrong.push(format!("{} {status}: {error}", call.operation));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Checks that the status of a proxy's page is reported, and that retries are limited to those that the document permits.
pub async fn proxy_page_keeps_its_status<V: Vendor>() {
    check_failures::<V>(
        |_, _| Some(ScriptedResponse::new(503, &[("content-type", "text/html")], HTML_PAGE)),
        |operation, sent| if operation.is_repeatable(sent) { 2 } else { 1 },
        |error| error.kind() == ErrorKind::Api && error.status().is_some_and(|status| status == 503),
    )
    .await;
}

/// Checks that a 500 is retried unless the document declares it final.
pub async fn status_500_is_retried_where_safe<V: Vendor>() {
    check_failures::<V>(
        |_, _| Some(ScriptedResponse::json(500, "\"out of order\"")),
        |operation, sent| if operation.is_repeatable(sent) && !operation.is_final(500) { 2 } else { 1 },
        |error| error.kind() == ErrorKind::Api && error.status().is_some_and(|status| status == 500),
    )
    .await;
}

/// Checks that a success with a truncated body is a lost connection; a download reports it while it is read.
pub async fn truncated_body_is_a_lost_connection<V: Vendor>() {
    check_failures::<V>(
        // The first half, split at a character boundary.
        |operation, body| operation.has_body().then(|| ScriptedResponse::truncated(200, body.split_at(middle(body)).0)),
        |operation, sent| if !operation.flag("x-download") && operation.is_repeatable(sent) { 2 } else { 1 },
        |error| error.kind() == ErrorKind::Connection && error.status().is_none(),
    )
    .await;
}

/// Checks that the status of an error with a truncated body is reported.
pub async fn truncated_error_keeps_its_status<V: Vendor>() {
    check_failures::<V>(
        |_, _| Some(ScriptedResponse::truncated(400, "{\"mess")),
        |_, _| 1,
        |error| error.kind() == ErrorKind::Api && error.status().is_some_and(|status| status == 400),
    )
    .await;
}

/// Checks that an HTML page with status 200, such as a proxy's login page, is rejected.
pub async fn html_with_status_200_is_rejected<V: Vendor>() {
    check_failures::<V>(
        // A downloaded file may be HTML.
        |operation, _| {
            let is_json = operation.has_body() && !operation.flag("x-download");
            is_json.then(|| ScriptedResponse::new(200, &[("content-type", "text/html")], HTML_PAGE))
        },
        |_, _| 1,
        |error| error.kind() == ErrorKind::Decode && error.body() == HTML_PAGE.as_bytes(),
    )
    .await;
}

/// Checks that an empty success is reported as such, unless the schema is a string.
pub async fn empty_success_is_rejected<V: Vendor>() {
    check_failures::<V>(
        |operation, example| {
            let is_empty_invalid = operation.has_body() && !operation.flag("x-download") && !example.starts_with('"');
            is_empty_invalid.then(|| ScriptedResponse::new(200, &[], ""))
        },
        |_, _| 1,
        |error| error.kind() == ErrorKind::Decode && error.message() == "the body is empty",
    )
    .await;
}

/// Checks that unknown enum values, new fields, `null` and missing fields decode, and that known fields encode unchanged.
pub async fn added_and_missing_fields_decode<V: Vendor>() {
    check_variations::<V>(added_and_missing_fields).await;
}

/// Checks that `null` is accepted for an array that is the complete response, and for an array or object in an object: Go encodes empty slices
/// so.
pub async fn unnamed_list_may_be_null<V: Vendor>() {
    check_variations::<V>(unnamed_nulls).await;
}

async fn check_variations<V: Vendor>(variations: fn(&Operation<'_>, &Value, &Value) -> Vec<Variation>) {
    let vendor = MockVendor::<V>::new(RetryPolicy::none());
    let mut wrong = Vec::new();
    for (call, operation) in
        operations::<V>().filter(|(_, operation)| operation.has_body() && !operation.flag("x-download"))
    {
        for (status, schema, example) in operation.successes() {
            for variation in variations(&operation, schema, example) {
                vendor.respond(ScriptedResponse::json(status, &variation.sent.to_string()));
                match vendor.call(&call).await {
                    Ok(kept) if is_equivalent(&kept, &variation.kept) => {}
                    Ok(kept) => wrong.push(format!("{}: {} became {kept}", call.operation, variation.name)),
                    Err(error) => wrong.push(format!("{}: {error}", variation.name)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Calls every operation for which `response` returns a response, and checks the number of attempts and the error.
async fn check_failures<V: Vendor>(
    response: impl Fn(&Operation<'_>, &str) -> Option<ScriptedResponse>,
    attempts: impl Fn(&Operation<'_>, &str) -> usize,
    is_expected: impl Fn(&Error) -> bool,
) {
    let retry = RetryPolicy::default().max_attempts(2).backoff(Duration::ZERO, Duration::ZERO);
    let vendor = MockVendor::<V>::new(retry);
    let mut wrong = Vec::new();
    for (call, operation) in operations::<V>() {
        let Some((_, _, example)) = operation.successes().first().copied() else { continue };
        let Some(response) = response(&operation, &example.to_string()) else { continue };
        vendor.respond(response);
        let before = vendor.requests().len();
        match vendor.call(&call).await {
            Ok(value) => wrong.push(format!("{} succeeded with {value}", call.operation)),
            Err(error) => {
                let requests = vendor.requests().split_off(before);
                let expected = attempts(&operation, &requests[0].body);
                let named = error.operation() == Some(call.operation) && error.attempts() as usize == requests.len();
                if requests.len() != expected || !named || !is_expected(&error) {
                    wrong.push(format!(
                        "{}: {} attempts, expected {expected}: {error:?}",
                        call.operation,
                        requests.len()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn operations<V: Vendor>() -> impl Iterator<Item = (Call<V::Client>, Operation<'static>)> {
    let document: &'static Document = V::document();
    V::calls().into_iter().map(move |call| {
        let operation = document.operation(call.operation);
        (call, operation)
    })
}

/// Sends a file unchanged, everything else as JSON.
fn response(operation: &Operation<'_>, status: u16, example: &Value) -> ScriptedResponse {
    match example {
        Value::Null => ScriptedResponse::new(status, &[], ""),
        Value::String(file) if operation.flag("x-download") => ScriptedResponse::new(status, &[], file),
        other => ScriptedResponse::json(status, &other.to_string()),
    }
}

fn matches_template(base: &str, template: &str, path: &str) -> bool {
    let Some(path) = path.strip_prefix(base) else { return false };
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(path).all(|(name, is)| name.starts_with('{') || *name == is)
}

fn middle(text: &str) -> usize {
    (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Reads a documented example of an error.
fn error_example(example: &Value) -> ErrorExample {
    let inner = example.get("error").unwrap_or(example);
    ErrorExample {
        body: example.to_string(),
        code: inner["code"].as_str().map_or_else(|| Some(inner["code"].to_string()), |code| Some(code.to_owned())),
        message: inner["message"].as_str().unwrap_or_default().to_owned(),
    }
}
