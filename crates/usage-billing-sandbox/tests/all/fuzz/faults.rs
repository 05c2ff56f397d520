//! Random requests while faults change responses: no panic, and no undocumented 500.

use reqwest::Method;
use serde_json::{Value, json};
use usage_billing_core::Operation;
use usage_billing_sandbox::{self as demo, Vendor};

use crate::{Caller, builder};

/// Operations with a documented 500: Suger's batch validation reports each violation with it.
const MEANT: [&str; 1] = ["batchValidateUsageRecordGroups"];

const WORDS: [&str; 24] = [
    "x",
    "",
    "0",
    "-1",
    "1000",
    "99999999999999999999",
    "sgr-demo1",
    "ent-azu01",
    "ent-aws01",
    "%00",
    "%FF",
    "株",
    "a%2Fb",
    "2026-10-01",
    "2026-10-31T23:59:59Z",
    "9999-12-31",
    "-9999-01-01",
    "null",
    "true",
    "1e400",
    "2026-10/2026-10",
    "..",
    "CREATED",
    "day",
];
const NAMES: [&str; 24] = [
    "id",
    "limit",
    "offset",
    "startDate",
    "endDate",
    "status",
    "records",
    "organizationID",
    "entitlementID",
    "interval",
    "groupBy",
    "metrics",
    "granularity",
    "parameters",
    "period",
    "formats",
    "kind",
    "level",
    "tenant_id",
    "pageSize",
    "after",
    "uuids",
    "billingPeriodIndex",
    "schedule",
];

fn value(dice: &mut fastrand::Rng, depth: u32) -> Value {
    match dice.u8(..if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(dice.bool()),
        2 => json!(dice.i64(..)),
        3 => json!(1e300),
        4 | 5 => json!(WORDS[dice.usize(..WORDS.len())]),
        6 => (0..dice.u8(..4)).map(|_| value(dice, depth - 1)).collect(),
        _ => (0..dice.u8(..6)).map(|_| (NAMES[dice.usize(..NAMES.len())].to_owned(), value(dice, depth - 1))).collect(),
    }
}

fn path(dice: &mut fastrand::Rng, template: &str) -> String {
    let part = |part: &str, dice: &mut fastrand::Rng| match part {
        "{orgId}" if dice.u8(..8) > 0 => demo::SUGER_ORG_ID.to_owned(),
        "{tenant_id}" if dice.bool() => demo::ACRONIS_TENANT_ID.to_owned(),
        "{trustorOrgId}" if dice.bool() => demo::GENESYS_TRUSTOR_ORG_ID.to_owned(),
        "{entitlementId}" if dice.bool() => "ent-azu01".to_owned(),
        name if name.starts_with('{') => WORDS[dice.usize(..WORDS.len())].to_owned(),
        other => other.to_owned(),
    };
    let path = template.split('/').map(|one| part(one, dice)).collect::<Vec<_>>().join("/");
    let mut query = String::new();
    for at in 0..dice.usize(..4) {
        let (name, value) = (NAMES[dice.usize(..NAMES.len())], WORDS[dice.usize(..WORDS.len())]);
        query.push_str(&format!("{}{name}={value}", if at == 0 { '?' } else { '&' }));
    }
    format!("{path}{query}")
}

async fn throw(seed: u64, requests: usize) {
    let sandbox = builder()
        .requests_per_minute(Vendor::Genesys, None)
        .fault(demo::Fault::new(demo::FaultKind::ExtraFields {}).percent(10))
        .fault(demo::Fault::new(demo::FaultKind::UnknownEnum { pointer: None, value: "Q".to_owned() }).percent(10))
        .fault_seed(seed)
        .start()
        .await
        .unwrap();
    let callers = [
        (Caller::genesys(&sandbox).await, usage_billing_genesys::OPERATIONS),
        (Caller::suger(&sandbox), usage_billing_suger::OPERATIONS),
        (Caller::acronis(&sandbox).await, usage_billing_acronis::OPERATIONS),
    ];
    let mut dice = fastrand::Rng::with_seed(seed);
    for number in 0..requests {
        let (caller, operations) = &callers[dice.usize(..3)];
        let operation: &Operation = &operations[dice.usize(..operations.len())];
        let path = path(&mut dice, operation.path);
        let method = if dice.u8(..20) == 0 { "PUT" } else { operation.method };
        let mut request = caller.request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
        if method != "GET" {
            let mut text = value(&mut dice, 5).to_string();
            if dice.u8(..10) == 0 {
                text.pop();
            }
            request = request.header("content-type", "application/json").body(text);
        }
        if dice.u8(..50) == 0 {
            sandbox.advance(std::time::Duration::from_secs(dice.u64(..4_000)));
        }
        let said = format!("seed {seed}, request {number}: {method} {path}");
        let response = request.send().await.unwrap_or_else(|error| panic!("{said}: {error}"));
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap_or_else(|error| panic!("{said}: {error}"));
        assert!(status < 500 || MEANT.contains(&operation.name), "{said}: {status} {body:?}");
    }
}

#[tokio::test]
async fn random_requests_under_faults_are_answered_without_500() {
    for seed in 0..4 {
        throw(seed, 200).await;
    }
}

#[tokio::test]
async fn random_faults_are_parsed_or_rejected() {
    let sandbox = builder().start().await.unwrap();
    let caller = Caller::suger(&sandbox);
    let mut dice = fastrand::Rng::with_seed(3);
    let words = [
        "503",
        "latency",
        "reset_before",
        "slow_body",
        "unknown_enum",
        ";",
        "=",
        "times=1",
        "percent=50",
        "{",
        "}",
        "\"kind\"",
        ":",
        "status",
        ",",
        "null",
        "-",
        "pointer=/a",
        "as_date",
        "retry_after=4294967295",
        "clock_skew; seconds=2147483647",
        "clock_skew;seconds=-2147483648",
        "429",
        "null_lists",
    ];
    for _ in 0..500 {
        let text: String = (0..dice.usize(1..6)).map(|_| words[dice.usize(..words.len())].to_owned() + ";").collect();
        if let Ok(response) =
            caller.request(Method::GET, "/org/sgr-demo1/buyer").header("x-sandbox-fault", &text).send().await
        {
            let status = response.status().as_u16();
            assert!([200, 400, 429, 503].contains(&status), "{text}: {status}");
        }
    }
    assert_eq!(caller.get("/org/sgr-demo1/buyer").await.0, 200);
}
