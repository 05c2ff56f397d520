//! The admin API, and the faults that it adds.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::call::{Call, call};
use super::found_ids::FoundIds;
use super::values::{edit, one_of, value, word};
use super::{REQUESTS, Target, check, excerpt, parsed, runtime};
use crate::builder;

const KINDS: [&str; 15] = [
    "status",
    "replace_response",
    "replace_value",
    "latency",
    "reset_before",
    "reset_after",
    "cut_body",
    "slow_body",
    "malformed_json",
    "unknown_enum",
    "extra_fields",
    "null_lists",
    "duplicated_page",
    "clock_skew",
    "odd",
];

/// Returns a field with one of some values, or none.
fn field<T: Clone + std::fmt::Debug + Into<Value> + 'static>(
    name: &'static str,
    values: &'static [T],
) -> BoxedStrategy<Option<(&'static str, Value)>> {
    field_of(name, select(values).prop_map(Into::into))
}

fn field_of(
    name: &'static str,
    value: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Option<(&'static str, Value)>> {
    weighted(0.25, value.prop_map(move |value| (name, value))).boxed()
}

/// Returns a fault, perhaps an invalid one, with short delays only.
fn fault() -> BoxedStrategy<Value> {
    let optional = vec![
        field("status", &[0, 200, 400, 429, 503, 599, 600]),
        field("retry_after", &[0, 1, u32::MAX]),
        field("as_date", &[true, false]),
        field("after_effect", &[true, false]),
        field("millis", &[0, 1]),
        field("bytes", &[0, 1, 100, u32::MAX]),
        field("pointer", &["", "/", "/items", "/a/0", "x", "/~2"]),
        field_of("value", word().prop_map(Value::from)),
        field_of("body", value()),
        field("content_type", &["text/html", "application/json", "a\u{0}"]),
        field("seconds", &[0, -1, i32::MAX, i32::MIN]),
        field("operation", &["suger", "listBuyers", "GET /tenants", "x", ""]),
        field("times", &[0, 1, u32::MAX]),
        field("skip", &[0, 1, u32::MAX]),
        field("percent", &[0, 50, 100, 101]),
    ];
    let invalid = weighted(0.1, (select(vec!["retry_after", "status", "times", "percent", "x"]), value()));
    let fault = (select(&KINDS[..]), optional, invalid).prop_map(|(kind, optional, invalid)| {
        // With the default piece size, a large response would take minutes.
        let quick = [("millis", json!(0)), ("bytes", json!(1_000))].into_iter().filter(|_| kind == "slow_body");
        let fields =
            [("kind", json!(kind))].into_iter().chain(optional.into_iter().flatten()).chain(quick).chain(invalid);
        Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect())
    });
    fault.boxed()
}

fn request() -> impl Strategy<Value = Bytes> {
    let paths = one_of(&[
        "/_sandbox/faults",
        "/_sandbox/faults",
        "/_sandbox/faults/1",
        "/_sandbox/faults/%00",
        "/_sandbox/clock",
        "/_sandbox/log",
        "/_sandbox/reset",
        "/_sandbox/bill?period=2026-10",
        "/_sandbox/assets/page.js",
        "/_sandbox/state",
        "/_sandbox/x",
        "/openapi/suger.json",
        "/openapi/..%2f",
        "/",
    ]);
    let methods = one_of(&["POST", "POST", "POST", "GET", "DELETE", "PUT"]);
    let short = (select(&KINDS[..5]), 0..3, word());
    let bodies = prop_oneof![
        6 => fault(),
        1 => select(&[0, 1, 86_400, u64::MAX]).prop_map(|seconds| json!({"advance_seconds": seconds})),
        1 => value(),
        1 => vec(fault(), 0..20).prop_map(Value::from),
        1 => short.prop_map(|(kind, times, word)| json!(format!("{kind}; times={times}; {word}"))),
    ];
    let edits = weighted(0.05, edit(&[b"\"", b"[[[[", b"\xff"]));
    (methods, paths, bodies, edits).prop_map(|(method, path, body, edited)| {
        let mut body = body.to_string().into_bytes();
        if let Some(edit) = edited {
            edit.apply(&mut body);
        }
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        Bytes::from([head.as_bytes(), &body].concat())
    })
}

#[test]
fn random_admin_requests_leave_a_working_sandbox() {
    check(&runtime(), 20, vec((request(), call()), 1..=REQUESTS), async |requests: Vec<(Bytes, Call)>| {
        let (target, found) = (Target::start(builder()).await, FoundIds::default());
        for (request, call) in requests {
            let response = target.ask(&request).await;
            let status = parsed(&response).map(|(status, _)| status);
            assert!(status.is_some_and(|status| status < 500), "{status:?}: {}", excerpt(&request));
            // With these faults any response is possible, but it must end.
            target.ask(&call.request(&target, &found)).await;
        }
        target.sandbox.clear_faults();
        target.assert_alive().await;
    });
}
