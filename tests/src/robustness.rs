//! Checks of every operation of a vendor. Each check covers all operations before it fails.

use std::time::Duration;

use serde_json::Value;
use usage_billing_core::{Error, ErrorKind, RetryPolicy};

use crate::{Call, Document, Operation, Reply, Said, Stage, Variation, Vendor, nameless_nulls, same, variations};

const PAGE: &str = "<html><head><title>503 Service Unavailable</title></head><body>nginx</body></html>";

/// Every documented error status: kind, status, the vendor's code and words, request id, `Retry-After`, body.
pub async fn documented_errors_are_reported<V: Vendor>() {
    let stage = Stage::<V>::new(RetryPolicy::none());
    let mut wrong = Vec::new();
    for (call, operation) in operations::<V>() {
        for (status, example) in operation.errors() {
            let said = if example.is_null() { V::error(status) } else { read(example) };
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(V::REQUEST_ID.map(|name| (name, "r-7")));
            if status == 429 {
                headers.push(("retry-after", "7"));
            }
            // A 429 pauses its client: each has one of its own.
            let paused = (status == 429).then(|| Stage::<V>::new(RetryPolicy::none()));
            let stage = paused.as_ref().unwrap_or(&stage);
            stage.answer(Reply::new(status, &headers, &said.body));
            let error = stage.call(&call).await.expect_err(call.operation);
            let kind = match status {
                401 => ErrorKind::Auth,
                403 => ErrorKind::Permission,
                _ => ErrorKind::Api,
            };
            let told = error.kind() == kind
                && error.status().is_some_and(|told| told == status)
                && error.code() == said.code.as_deref()
                && error.message() == said.message
                && error.operation() == Some(call.operation)
                && error.request_id() == V::REQUEST_ID.map(|_| "r-7")
                && error.retry_after() == (status == 429).then_some(Duration::from_secs(7))
                && error.body() == said.body.as_bytes();
            if !told {
                wrong.push(format!("{} {status}: {error}", call.operation));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A proxy's page keeps its status, and only what the document allows is sent again.
pub async fn proxy_page_keeps_its_status<V: Vendor>() {
    fails_alike::<V>(
        |_, _| Some(Reply::new(503, &[("content-type", "text/html")], PAGE)),
        |operation, sent| if operation.is_repeatable(sent) { 2 } else { 1 },
        |error| error.kind() == ErrorKind::Api && error.status().is_some_and(|status| status == 503),
    )
    .await;
}

/// A 500 is transient, unless the document marks it as a response of the operation.
pub async fn status_500_is_retried_where_safe<V: Vendor>() {
    fails_alike::<V>(
        |_, _| Some(Reply::json(500, "\"out of order\"")),
        |operation, sent| if operation.is_repeatable(sent) && !operation.is_final(500) { 2 } else { 1 },
        |error| error.kind() == ErrorKind::Api && error.status().is_some_and(|status| status == 500),
    )
    .await;
}

/// A success whose body ends early is a lost connection, for downloads while they are read.
pub async fn truncated_body_is_a_lost_connection<V: Vendor>() {
    fails_alike::<V>(
        // Half of it, at a character.
        |operation, body| operation.has_body().then(|| Reply::cut_off(200, body.split_at(middle(body)).0)),
        |operation, sent| if !operation.is_download() && operation.is_repeatable(sent) { 2 } else { 1 },
        |error| error.kind() == ErrorKind::Connection && error.status().is_none(),
    )
    .await;
}

/// An error whose body ends early still has its status.
pub async fn truncated_error_keeps_its_status<V: Vendor>() {
    fails_alike::<V>(
        |_, _| Some(Reply::cut_off(400, "{\"mess")),
        |_, _| 1,
        |error| error.kind() == ErrorKind::Api && error.status().is_some_and(|status| status == 400),
    )
    .await;
}

/// A page with status 200, as a proxy's login has it, is not taken for an answer.
pub async fn html_with_status_200_is_rejected<V: Vendor>() {
    fails_alike::<V>(
        // A file may well be a page.
        |operation, _| {
            let is_json = operation.has_body() && !operation.is_download();
            is_json.then(|| Reply::new(200, &[("content-type", "text/html")], PAGE))
        },
        |_, _| 1,
        |error| error.kind() == ErrorKind::Decode && error.body() == PAGE.as_bytes(),
    )
    .await;
}

/// A success without a byte is told as that, where the document says more than a text.
pub async fn empty_success_is_rejected<V: Vendor>() {
    fails_alike::<V>(
        |operation, example| {
            let says_more = operation.has_body() && !operation.is_download() && !example.starts_with('"');
            says_more.then(|| Reply::new(200, &[], ""))
        },
        |_, _| 1,
        |error| error.kind() == ErrorKind::Decode && error.message() == "the body is empty",
    )
    .await;
}

/// Unknown enum values, new fields, `null` and missing fields decode, and what is left goes back as it came.
pub async fn added_and_missing_fields_decode<V: Vendor>() {
    vary::<V>(variations).await;
}

/// A list that is the whole answer, and a list or map in a map, may be `null` as a field may be: Go writes its empty lists so.
pub async fn unnamed_list_may_be_null<V: Vendor>() {
    vary::<V>(nameless_nulls).await;
}

async fn vary<V: Vendor>(variations: fn(&Operation<'_>, &Value, &Value) -> Vec<Variation>) {
    let stage = Stage::<V>::new(RetryPolicy::none());
    let mut wrong = Vec::new();
    for (call, operation) in operations::<V>().filter(|(_, operation)| operation.has_body() && !operation.is_download())
    {
        for (status, schema, example) in operation.successes() {
            for variation in variations(&operation, schema, example) {
                stage.answer(Reply::json(status, &variation.sent.to_string()));
                match stage.call(&call).await {
                    Ok(kept) if same(&kept, &variation.kept) => {}
                    Ok(kept) => wrong.push(format!("{}: {} became {kept}", call.operation, variation.name)),
                    Err(error) => wrong.push(format!("{}: {error}", variation.name)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every operation that has a reply made of its example: how often it is sent, and how the error is.
async fn fails_alike<V: Vendor>(
    reply: impl Fn(&Operation<'_>, &str) -> Option<Reply>,
    copies: impl Fn(&Operation<'_>, &str) -> usize,
    is_told: impl Fn(&Error) -> bool,
) {
    let again = RetryPolicy::default().max_attempts(2).backoff(Duration::ZERO, Duration::ZERO);
    let stage = Stage::<V>::new(again);
    let mut wrong = Vec::new();
    for (call, operation) in operations::<V>() {
        let Some((_, _, example)) = operation.successes().first().copied() else { continue };
        let Some(reply) = reply(&operation, &example.to_string()) else { continue };
        stage.answer(reply);
        let before = stage.requests().len();
        match stage.call(&call).await {
            Ok(value) => wrong.push(format!("{} succeeded with {value}", call.operation)),
            Err(error) => {
                let requests = stage.requests().split_off(before);
                let expected = copies(&operation, &requests[0].body);
                let named = error.operation() == Some(call.operation) && error.attempts() as usize == requests.len();
                if requests.len() != expected || !named || !is_told(&error) {
                    wrong.push(format!("{} sent {} times, not {expected}: {error:?}", call.operation, requests.len()));
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

fn middle(text: &str) -> usize {
    (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A documented example of an error.
fn read(example: &Value) -> Said {
    let inner = example.get("error").unwrap_or(example);
    Said {
        body: example.to_string(),
        code: inner["code"].as_str().map_or_else(|| Some(inner["code"].to_string()), |code| Some(code.to_owned())),
        message: inner["message"].as_str().unwrap_or_default().to_owned(),
    }
}
