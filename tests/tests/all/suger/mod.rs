//! Suger's wrappers against the sandbox and against responses that the sandbox never sends.

mod concurrency;
mod duplicates;
mod late_attempts;
mod late_usage;
mod lists;
mod lookups;
mod lost_responses;
mod operations;
mod proof;
mod reconciliation;
mod rejections;
mod responses;
mod rows;
mod sender;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use usage_billing::RetryPolicy;
use usage_billing::suger::types::MeteringUsageRecordGroup as Group;
use usage_billing::suger::{Client, Receipt, UsageEvent, UsageQueue, reconcile};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, now, untimed};
use uuid::Uuid;

const ORG: &str = demo::SUGER_ORG_ID;
/// Entitlements that accept usage, with a dimension of each.
const ENTITLEMENTS: [(&str, &str); 3] =
    [("ent-aws01", "ingest_gb"), ("ent-azu01", "seats"), ("ent-gcp01", "node_hours")];

async fn sandbox() -> Sandbox {
    Sandbox::builder().today(now().date_naive()).start().await.expect("a free port")
}

fn with_retries(sandbox: &Sandbox, retry: RetryPolicy) -> Client {
    let builder = Client::builder(ORG, demo::SUGER_API_KEY.to_owned()).base_url(sandbox.url());
    untimed(builder).retry(retry).build().expect("a client").with_now(now()).with_list_timeout(None)
}

fn client(sandbox: &Sandbox) -> Client {
    with_retries(sandbox, RetryPolicy::default())
}

fn scripted(server: &ScriptedServer) -> Client {
    let client = untimed(Client::builder("acme", "hush").base_url(server.url())).build().expect("a client");
    client.with_now(now()).with_list_timeout(None)
}

/// Starts a server that returns `page` to each list, and the response of `other` to everything else.
fn listing(page: String, other: impl Fn(&Request) -> ScriptedResponse + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => ScriptedResponse::json(200, &page),
        _ => other(request),
    })
}

fn new_queue(server: &ScriptedServer) -> UsageQueue {
    scripted(server).usage_queue().flush_timeout(None)
}

/// Returns the receipt of a flush that sends the events.
async fn flushed<'a>(mut queue: UsageQueue, events: impl IntoIterator<Item = &'a UsageEvent>) -> Receipt {
    events.into_iter().for_each(|event| _ = queue.push(event.clone()).expect("a good event"));
    queue.flush().await
}

/// Returns the response to an event that is stored as it was sent.
fn stored_as_sent(request: &Request) -> ScriptedResponse {
    ScriptedResponse::json(200, &group_of(request, json!({})).to_string())
}

/// Returns the group of an event that was sent, with other fields in place of its own.
fn group_of(request: &Request, other: Value) -> Value {
    let sent: Value = serde_json::from_str(&request.body).expect("an event");
    let info = json!({"timestamp": sent["timestamp"], "originRecords": sent["records"]});
    let mut group = json!({
        "id": sent["id"], "entitlementID": sent["entitlementID"], "status": "CREATED", "records": sent["records"],
        "creationTime": now(), "metaInfo": info,
    });
    group.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
    group
}

/// Returns the group of an event as it is listed, with other fields in place of its own.
fn group_for(event: &UsageEvent, other: Value) -> Value {
    let records: Map<_, _> =
        event.quantities().iter().map(|(name, it)| (name.clone(), json!(it.to_string()))).collect();
    let info = json!({"timestamp": event.timestamp(), "originRecords": records});
    let mut group = json!({
        "id": event.id("acme"), "entitlementID": event.entitlement_id(), "status": "CREATED", "records": records,
        "creationTime": now(), "metaInfo": info,
    });
    group.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
    group
}

/// Returns a page of groups.
fn page_of(groups: &[Value]) -> String {
    json!({"usageRecordGroups": groups}).to_string()
}

/// Returns timestamps that no group of the sandbox's dataset has: those are whole minutes.
fn timestamp(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_600_407, 0).expect("a time") + TimeDelta::hours(number)
}

fn events(number: i64) -> Vec<UsageEvent> {
    let quantity = |index: i64| Decimal::new(100_001 + number + index, 4);
    ENTITLEMENTS
        .iter()
        .zip(0..)
        .map(|((id, dimension), index)| UsageEvent::new(*id, timestamp(number)).quantity(*dimension, quantity(index)))
        .collect()
}

fn push_all(queue: &mut UsageQueue, events: &[UsageEvent]) -> BTreeSet<Uuid> {
    events.iter().map(|event| queue.push(event.clone()).expect("a good event")).collect()
}

/// Returns the groups of the vendor with timestamps of these tests.
async fn stored(client: &Client) -> Vec<Group> {
    let groups = client.usage_record_groups(|request| request).try_collect().await.unwrap();
    let ours = |group: &Group| {
        let used = group.meta_info.as_ref().and_then(|info| info.timestamp);
        used.is_some_and(|used| used.timestamp().rem_euclid(60) == timestamp(0).timestamp().rem_euclid(60))
    };
    groups.into_iter().filter(ours).collect()
}

/// Asserts that Suger has each event once, with its quantities, and nothing else.
async fn assert_there_once(client: &Client, events: &[UsageEvent]) {
    let groups = stored(client).await;
    assert_eq!(groups.len(), events.len());
    let all = reconcile(ORG, events, &groups, &[]).unwrap();
    assert!(all.agrees(), "{all:?}");
    let sum: Decimal = events.iter().flat_map(|event| event.quantities().values()).sum();
    let there: Decimal = groups.iter().flat_map(|group| group.records.values().map(|quantity| quantity.0)).sum();
    assert_eq!(sum, there);
}

fn ids<'a>(undelivered: impl IntoIterator<Item = &'a usage_billing::suger::UndeliveredEvent>) -> BTreeSet<Uuid> {
    undelivered.into_iter().map(|one| one.id).collect()
}
