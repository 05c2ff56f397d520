//! The admin API, and the faults that it adds.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::operations::{Found, operations};
use super::values::{self, chance, pick, word};
use super::{REQUESTS, Target, named, parsed, seeds};
use crate::builder;

const KINDS: &str = "status replace_response replace_value latency reset_before reset_after cut_body slow_body malformed_json unknown_enum \
    extra_fields null_lists duplicated_page clock_skew odd";

/// Returns one of the first kinds.
fn kind(random: &mut Rng, count: usize) -> &'static str {
    random.choice(KINDS.split(' ').take(count).collect::<Vec<_>>()).unwrap_or_default()
}

/// Returns a fault, perhaps an invalid one, with short delays only.
fn fault(random: &mut Rng) -> Value {
    let mut fields = Map::new();
    fields.insert("kind".to_owned(), json!(kind(random, usize::MAX)));
    let optional = [
        ("status", json!(pick(random, &[0, 200, 400, 429, 503, 599, 600]))),
        ("retry_after", json!(pick(random, &[0, 1, u32::MAX]))),
        ("as_date", json!(random.bool())),
        ("after_effect", json!(random.bool())),
        ("millis", json!(random.u8(..2))),
        ("bytes", json!(pick(random, &[0, 1, 100, u32::MAX]))),
        ("pointer", json!(pick(random, &["", "/", "/items", "/a/0", "x", "/~2"]))),
        ("value", json!(word(random))),
        ("body", values::value(random, 2)),
        ("content_type", json!(pick(random, &["text/html", "application/json", "a\u{0}"]))),
        ("seconds", json!(pick(random, &[0, -1, i32::MAX, i32::MIN]))),
        ("operation", json!(pick(random, &["suger", "listBuyers", "GET /tenants", "x", ""]))),
        ("times", json!(pick(random, &[0, 1, u32::MAX]))),
        ("skip", json!(pick(random, &[0, 1, u32::MAX]))),
        ("percent", json!(pick(random, &[0, 50, 100, 101]))),
    ];
    for (name, value) in optional {
        if chance(random, 25) {
            fields.insert(name.to_owned(), value);
        }
    }
    if fields["kind"] == "slow_body" {
        // With the default piece size, a large response would take minutes.
        fields.extend([("millis".to_owned(), json!(0)), ("bytes".to_owned(), json!(1_000))]);
    }
    if chance(random, 10) {
        let name = pick(random, &["retry_after", "status", "times", "percent", "x"]);
        fields.insert((*name).to_owned(), values::value(random, 2));
    }
    Value::Object(fields)
}

fn request(random: &mut Rng) -> Vec<u8> {
    let paths = [
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
    ];
    let path = pick(random, &paths);
    let method = pick(random, &["GET", "POST", "POST", "POST", "DELETE", "PUT"]);
    let body = match random.u8(..10) {
        0 => json!({"advance_seconds": pick(random, &[0, 1, 86_400, u64::MAX])}),
        1 => values::value(random, 3),
        2 => (0..random.usize(..20)).map(|_| fault(random)).collect(),
        3 => json!(format!("{}; times={}; {}", kind(random, 5), random.u8(..3), word(random))),
        _ => fault(random),
    };
    let mut body = body.to_string().into_bytes();
    if chance(random, 5) {
        values::garble(random, &mut body, &[b"\"", b"[[[[", b"\xff"]);
    }
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

#[tokio::test]
async fn random_admin_requests_leave_a_working_sandbox() {
    let operations = operations();
    for seed in seeds(4) {
        let target = Target::start(builder()).await;
        let (mut random, found) = (Rng::with_seed(seed), Found::default());
        for number in 0..REQUESTS {
            let request = request(&mut random);
            let said = named(seed, number, &request);
            let response = target.ask(&request, &said).await;
            let status = parsed(&response).map(|(status, _)| status);
            assert!(status.is_some_and(|status| status < 500), "{said}: {status:?}");
            // With these faults any response is possible, but it must end.
            let operation = random.choice(&operations).unwrap();
            let request = operation.request(&mut random, &found, target.authorization(operation));
            target.ask(&request, &named(seed, number, &request)).await;
        }
        target.sandbox.clear_faults();
        target.assert_alive(&format!("after seed {seed}")).await;
    }
}
