//! Metering against the sandbox: whatever goes wrong on the way, the vendor has each report once, and the receipt tells the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use usage_billing::suger::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};
use usage_billing::suger::{Client, Delivery, Receipt, Reporter, UsageReport, reconcile, types};
use usage_billing::{ErrorKind, RateLimit, RetryPolicy};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{Reply, ScriptedServer, http};
use uuid::Uuid;

#[path = "../../../crates/usage-billing/examples/isv_hourly_report.rs"]
#[allow(dead_code, reason = "its main is for the example itself")]
mod isv_hourly_report;

const ORG: &str = demo::SUGER_ORG_ID;
/// Entitlements that take usage, with a dimension of each.
const DEALS: [(&str, &str); 3] = [("ent-aws01", "ingest_gb"), ("ent-azu01", "seats"), ("ent-gcp01", "node_hours")];

async fn sandbox() -> Sandbox {
    Sandbox::builder().today("2026-11-21".parse().expect("a day")).start().await.expect("a free port")
}

fn with_retries(sandbox: &Sandbox, retry: RetryPolicy) -> Client {
    let builder = Client::builder(ORG, demo::SUGER_API_KEY.to_owned()).base_url(sandbox.url());
    builder.http_client(http()).retry(retry).build().expect("a client")
}

fn client(sandbox: &Sandbox) -> Client {
    with_retries(sandbox, RetryPolicy::default())
}

fn scripted(server: &ScriptedServer) -> Client {
    Client::builder("acme", "hush").base_url(server.url()).http_client(http()).build().expect("a client")
}

/// Windows that no group of the sandbox's world has: those are whole minutes.
fn window(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_600_407, 0).expect("a time") + TimeDelta::hours(number)
}

fn reports(number: i64) -> Vec<UsageReport> {
    let quantity = |place: i64| Decimal::new(100_001 + number + place, 4);
    DEALS
        .iter()
        .zip(0..)
        .map(|((id, dimension), place)| UsageReport::new(*id, window(number)).quantity(*dimension, quantity(place)))
        .collect()
}

fn queue(reporter: &mut Reporter, reports: &[UsageReport]) -> BTreeSet<Uuid> {
    reports.iter().map(|report| reporter.push(report.clone()).expect("a good report")).collect()
}

/// What the vendor has of the windows of these tests.
async fn stored(client: &Client) -> Vec<Group> {
    let groups = client.usage_record_groups(|request| request).collect_all().await.unwrap();
    let ours = |group: &Group| {
        let used = group.meta_info.as_ref().and_then(|info| info.timestamp);
        used.is_some_and(|used| used.timestamp().rem_euclid(60) == window(0).timestamp().rem_euclid(60))
    };
    groups.into_iter().filter(ours).collect()
}

/// Each report is there once, with its quantities, and nothing else is.
async fn assert_there_once(client: &Client, reports: &[UsageReport]) {
    let groups = stored(client).await;
    assert_eq!(groups.len(), reports.len());
    let all = reconcile(ORG, reports, &groups).unwrap();
    assert!(all.is_clean(), "{all:?}");
    let sum: Decimal = reports.iter().flat_map(|report| report.quantities().values()).sum();
    let there: Decimal = groups.iter().flat_map(|group| group.records.values().map(|quantity| quantity.0)).sum();
    assert_eq!(sum, there);
}

fn ids<'a>(undelivered: impl IntoIterator<Item = &'a usage_billing::suger::Undelivered>) -> BTreeSet<Uuid> {
    undelivered.into_iter().map(|one| one.id).collect()
}

/// Polls a future so many times and then drops it.
async fn dropped_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_ridden_out_and_every_report_is_there_once() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let mut sent = Vec::new();
    let faults = [
        // Fault, outcome of the first flush: delivered, already delivered, unsent.
        ("429; retry_after=7; times=2", (3, 0, 0)),
        ("429; retry_after=7; as_date; times=2", (3, 0, 0)),
        ("429; retry_after=3600; times=1", (0, 0, 3)),
        ("503; times=3", (3, 0, 0)),
        ("503; after_effect; times=3", (2, 1, 0)),
        ("500; times=1", (2, 0, 1)),
        ("500; after_effect; times=1", (2, 0, 1)),
        ("reset_before; times=1", (3, 0, 0)),
        ("reset_after; times=1", (2, 1, 0)),
        ("cut_body; times=1", (2, 1, 0)),
        ("malformed_json; times=1", (2, 0, 1)),
        ("slow_body; bytes=64; millis=5000; times=1", (3, 0, 0)),
        ("unknown_enum; times=1", (3, 0, 0)),
        ("null_lists; times=1", (3, 0, 0)),
        ("extra_fields; times=1", (3, 0, 0)),
    ];
    for ((fault, expected), number) in faults.into_iter().zip(0..) {
        sandbox.clear_faults();
        sandbox.inject(format!("{fault}; operation=reportUsageRecordGroup").parse().unwrap()).unwrap();
        let mut reporter = client.reporter().concurrency(1);
        let all = queue(&mut reporter, &reports(number));
        let first = reporter.flush().await;
        let told = (first.delivered.len(), first.already_delivered.len(), first.unsent.len());
        assert_eq!((told, first.total()), (expected, 3), "{fault}: {first:?}");
        assert_eq!((reporter.pending(), ids(&first.unsent).len()), (expected.2, expected.2));
        let second = reporter.flush().await;
        assert!(second.is_complete() && second.total() == expected.2, "{fault}: {second}");
        let settled = [first.delivered, first.already_delivered, second.delivered, second.already_delivered].concat();
        assert_eq!(BTreeSet::from_iter(settled), all);
        sent.extend(reports(number));
    }
    assert_there_once(&client, &sent).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_is_cut_and_wherever_the_vendor_has_what_was_sent_once_and_the_receipt_tells_the_truth() {
    const KINDS: [&str; 9] = [
        "429; retry_after=1",
        "500",
        "500; after_effect",
        "503",
        "503; after_effect",
        "reset_before",
        "reset_after",
        "cut_body",
        "malformed_json",
    ];
    let sandbox = sandbox().await;
    let clients = [RetryPolicy::default(), RetryPolicy::none()].map(|retry| with_retries(&sandbox, retry));
    let mut dice = fastrand::Rng::with_seed(20_261_121);
    let (mut sent, mut dropped, mut left) = (Vec::new(), 0, 0);
    for case in 0..60 {
        sandbox.clear_faults();
        for _ in 0..dice.u32(1..4) {
            let (kind, percent) = (dice.choice(KINDS).unwrap(), dice.u8(5..70));
            let fault = format!("{kind}; percent={percent}; operation=reportUsageRecordGroup");
            sandbox.inject(fault.parse().unwrap()).unwrap();
        }
        let client = dice.choice(&clients).unwrap();
        let mut reporter = client.reporter().concurrency(dice.usize(1..6));
        if dice.u8(..4) == 0 {
            reporter = reporter.confirm_duplicates();
        }
        let mut all = BTreeSet::new();
        for hour in 0..dice.i64(1..4) {
            let reports = reports(case * 10 + hour);
            all.append(&mut queue(&mut reporter, &reports));
            sent.extend(reports);
        }
        let mut settled = BTreeSet::new();
        for round in 0.. {
            if dice.u8(..3) == 0 {
                // Nothing is said of a flush that is dropped; what it settled is in the next receipt.
                match dropped_after(dice.u32(1..40), reporter.flush()).await {
                    Some(receipt) => take(&receipt, &mut settled),
                    None => dropped += 1,
                }
                // A process that ends here loses its queue, and starts again with the same reports.
                if dice.bool() {
                    reporter = client.reporter();
                    settled.clear();
                    queue(&mut reporter, &sent[sent.len() - all.len()..]);
                }
            }
            if round == 3 {
                sandbox.clear_faults();
            }
            let before = all.len() - settled.len();
            let receipt = reporter.flush().await;
            assert_eq!(receipt.total(), before, "case {case}: {receipt}");
            assert!(receipt.rejected.is_empty(), "case {case}: {receipt:?}");
            take(&receipt, &mut settled);
            let unsent = ids(&receipt.unsent);
            assert!(unsent.is_disjoint(&settled) && &unsent | &settled == all, "case {case}: {receipt:?}");
            left += unsent.len();
            if reporter.pending() == 0 {
                break;
            }
            assert!(round < 4, "case {case}: {receipt:?}");
        }
        assert_eq!(settled, all);
    }
    assert!(dropped >= 10 && left > 100, "the faults were of no use: {dropped} dropped, {left} left");
    sandbox.clear_faults();
    assert_there_once(&clients[0], &sent).await;
}

/// Moves what a receipt settles; nothing is settled twice.
fn take(receipt: &Receipt, settled: &mut BTreeSet<Uuid>) {
    for id in receipt.delivered.iter().chain(&receipt.already_delivered) {
        assert!(settled.insert(*id), "{id} is settled twice");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_entitlement_stops_no_other_and_the_vendors_words_are_told() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let mut reporter = client.reporter().concurrency(1);
    let at = window(0);
    let bad = [
        (UsageReport::new("no-such-1", at).quantity("ingest_gb", 1), "entitlement not found"),
        (UsageReport::new("ent-aws02", at).quantity("ingest_gb", 1), "as INVALID: it will not be billed"),
        (UsageReport::new("ent-aws01", at).quantity("ingest", 1), "as INVALID: it will not be billed"),
    ];
    for (report, _) in &bad {
        reporter.push(report.clone()).unwrap();
    }
    queue(&mut reporter, &reports(0));
    let receipt = reporter.flush().await;
    assert_eq!(receipt.to_string(), "3 delivered, 0 already delivered, 3 rejected, 0 unsent");
    for (report, words) in &bad {
        let told = receipt.rejected.iter().find(|one| one.report == *report).unwrap();
        assert!(told.error.to_string().contains(words), "{}", told.error);
    }
    // An id that is used up is refused; one that Suger never had is free, with other quantities too.
    let error = reporter.push(bad[1].0.clone()).unwrap_err();
    assert!(error.to_string().starts_with("the report's id is used up at Suger (ent-aws02, "), "{error}");
    reporter.push(bad[0].0.clone().quantity("ingest_gb", 2)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_entitlement_that_brings_no_answers_is_left_alone_and_holds_up_no_other() {
    let server = ScriptedServer::start(|request| match request.target.contains("/ent-bad/") {
        true => Reply::json(500, "\"out of order\""),
        false => Reply::json(200, "{}"),
    });
    let mut reporter = scripted(&server).reporter().concurrency(1);
    for hour in 0..10 {
        for entitlement in ["ent-bad", "ent-good"] {
            reporter.push(UsageReport::new(entitlement, window(hour)).quantity("gb", 1)).unwrap();
        }
    }
    let receipt = reporter.flush().await;
    assert_eq!(receipt.to_string(), "10 delivered, 0 already delivered, 0 rejected, 10 unsent");
    assert_eq!(server.requests().len(), 10 + 3);
    let last = &receipt.unsent[9].error;
    let expected =
        "not sent, after 3 others of ent-bad failed: reportUsageRecordGroup: 500 Internal Server Error: out of order";
    assert!(last.to_string().starts_with(expected), "{last}");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_is_down_or_refuses_the_key_is_not_asked_for_every_report() {
    let many: Vec<_> =
        (0..40).map(|number| UsageReport::new(format!("ent-{number}"), window(0)).quantity("gb", 1)).collect();
    for (reply, asked) in
        [(Reply::json(401, "\"no\""), 1), (Reply::json(500, "\"down\""), 3), (Reply::json(403, "\"no\""), 3)]
    {
        let server = ScriptedServer::in_turn(vec![reply]);
        let mut reporter = scripted(&server).reporter().concurrency(1);
        queue(&mut reporter, &many);
        let receipt = reporter.flush().await;
        assert_eq!((receipt.unsent.len(), reporter.pending(), server.requests().len()), (40, 40, asked));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_resolved_with_the_same_id_and_the_same_bytes() {
    let replies = vec![
        Reply::dropped(),
        Reply::json(503, "\"\""),
        Reply::cut_off(200, "{"),
        Reply::json(500, "\"\""),
        Reply::json(409, "\"usage record group exists already\""),
    ];
    let server = ScriptedServer::in_turn(replies);
    let mut reporter = scripted(&server).reporter();
    let id = reporter.push(UsageReport::new("e-1", window(0)).quantity("gb", Decimal::new(1_2500, 4))).unwrap();
    let first = reporter.flush().await;
    assert_eq!((ids(&first.unsent), first.total()), ([id].into(), 1));
    let second = reporter.flush().await;
    assert_eq!((second.already_delivered, reporter.pending()), (vec![id], 0));
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    let expected = format!(
        r#"{{"entitlementID":"e-1","id":"{id}","organizationID":"acme","records":{{"gb":1.25}},"timestamp":"2025-11-20T01:00:07Z"}}"#
    );
    assert!(requests.iter().all(|request| request.body == expected), "{expected}: {requests:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_after_a_lost_answer_may_have_arrived_and_is_looked_up() {
    let report = UsageReport::new("e-1", window(0)).quantity("gb", 1);
    for (listed, expected) in [
        (true, "0 delivered, 1 already delivered, 0 rejected, 0 unsent"),
        (false, "0 delivered, 0 already delivered, 1 rejected, 0 unsent"),
    ] {
        let groups = if listed { json!([{"id": report.id("acme"), "records": {"gb": 1}}]) } else { json!([]) };
        let page = json!({"usageRecordGroups": groups}).to_string();
        let replies = vec![Reply::dropped(), Reply::json(404, "\"entitlement not found\""), Reply::json(200, &page)];
        let server = ScriptedServer::in_turn(replies);
        let mut reporter = scripted(&server).reporter();
        reporter.push(report.clone()).unwrap();
        assert_eq!(reporter.flush().await.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_valid_after_a_lost_answer_may_have_arrived_and_is_looked_up() {
    let report = UsageReport::new("e-1", window(0)).quantity("gb", 1);
    for (listed, restarted, expected) in [
        (true, false, "0 delivered, 1 already delivered, 0 rejected, 0 unsent"),
        (true, true, "0 delivered, 1 already delivered, 0 rejected, 0 unsent"),
        (false, false, "0 delivered, 0 already delivered, 1 rejected, 0 unsent"),
        (false, true, "0 delivered, 0 already delivered, 1 rejected, 0 unsent"),
    ] {
        let groups = if listed { json!([{"id": report.id("acme"), "records": {"gb": 1}}]) } else { json!([]) };
        let page = json!({"usageRecordGroups": groups}).to_string();
        let checks = AtomicUsize::new(0);
        let server = ScriptedServer::start(move |request| match request.target.split_once('?') {
            Some(_) => Reply::json(200, &page),
            None if !request.target.ends_with("/batchValidateUsageRecordGroups") => Reply::dropped(),
            // Valid at first, cancelled since.
            None if request.body == "[]" || checks.fetch_add(1, Ordering::SeqCst) == 0 => Reply::json(200, ""),
            None => Reply::json(500, "\"the entitlement is not active\""),
        });
        let client = scripted(&server);
        let mut reporter = client.reporter().validate_first();
        reporter.push(report.clone()).unwrap();
        assert_eq!(reporter.flush().await.unsent.len(), 1);
        if restarted {
            reporter = client.reporter().validate_first().confirm_duplicates();
            reporter.push(report.clone()).unwrap();
        }
        assert_eq!(reporter.flush().await.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_id_with_other_quantities_is_refused_before_it_is_sent() {
    let sandbox = sandbox().await;
    let mut reporter = client(&sandbox).reporter();
    let report = UsageReport::new("ent-aws01", window(0)).quantity("ingest_gb", 5);
    let id = reporter.push(report.clone()).unwrap();
    assert_eq!(reporter.push(report.clone().quantity("ingest_gb", Decimal::new(500, 2))).unwrap(), id);
    assert_eq!(reporter.pending(), 1);
    let other = report.clone().quantity("ingest_gb", 6);
    assert_eq!(reporter.push(other.clone()).unwrap_err().kind(), ErrorKind::Request);
    // Never sent, it can be taken back.
    assert_eq!(reporter.remove(id), Some(report.clone()));
    reporter.push(report.clone()).unwrap();
    assert!(reporter.flush().await.is_complete());
    let error = reporter.push(other).unwrap_err();
    assert!(error.to_string().starts_with("a report with this id has other quantities (ent-aws01, "), "{error}");
    reporter.push(report.clone()).unwrap();
    reporter.push(report.sequence(1)).unwrap();
    assert_eq!(reporter.flush().await.to_string(), "1 delivered, 1 already delivered, 0 rejected, 0 unsent");
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_read_back_where_that_is_asked_for() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let [same, other, deleted] = &reports(0)[..] else { panic!("three reports") };
    let others_quantity = other.clone().quantity("seats", 999);
    for report in [same, &others_quantity, deleted] {
        let Delivery::Delivered(group) = client.report(report).await.unwrap() else { panic!("it is new") };
        if report == deleted {
            assert_eq!(client.delete_group(&group).await.unwrap().status, Some(Status::Deleted));
        }
    }
    let mut reporter = client.reporter().confirm_duplicates();
    let all = queue(&mut reporter, &reports(0));
    let receipt = reporter.flush().await;
    assert_eq!(receipt.to_string(), "0 delivered, 1 already delivered, 2 rejected, 0 unsent");
    assert_eq!(receipt.already_delivered, [same.id(ORG)]);
    let words: BTreeMap<_, _> =
        receipt.rejected.iter().map(|one| (one.report.entitlement_id(), one.error.to_string())).collect();
    assert!(words["ent-azu01"].contains("with other quantities: seats is 999 there, not 10.0002"), "{words:?}");
    assert!(words["ent-gcp01"].contains("was deleted at Suger"), "{words:?}");

    assert_eq!(client.confirm(same).await.unwrap().id, Some(same.id(ORG).to_string()));
    assert_eq!(client.confirm(other).await.unwrap_err().kind(), ErrorKind::Failed);
    let error = client.confirm(&same.clone().sequence(9)).await.unwrap_err();
    assert!(error.to_string().contains("is not among those that Suger lists"), "{error}");

    // What cannot be read back now is not settled.
    sandbox.inject("503; operation=listUsageRecordGroups".parse().unwrap()).unwrap();
    let mut reporter = client.reporter().confirm_duplicates();
    assert_eq!(queue(&mut reporter, &reports(0)), all);
    assert_eq!(reporter.flush().await.unsent.len(), 3);
    // Nor is it asked for without need.
    let mut reporter = client.reporter();
    queue(&mut reporter, &reports(0));
    assert_eq!(reporter.flush().await.already_delivered.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn checked_first_a_bad_report_is_rejected_and_never_stored() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let bad = |number: i64| {
        [
            UsageReport::new("ent-aws02", window(number)).quantity("ingest_gb", 1),
            UsageReport::new("ent-gcp01", window(number)).quantity("no_such", 1),
            UsageReport::new("no-such-1", window(number)).quantity("ingest_gb", 1),
        ]
    };
    let mut reporter = client.reporter().validate_first();
    let mut good = Vec::new();
    for number in 0..60 {
        good.extend(reports(number));
        queue(&mut reporter, &reports(number));
        if number % 20 == 0 {
            queue(&mut reporter, &bad(number));
        }
    }
    // One that the server is at fault for says nothing of the reports.
    sandbox.inject("500; times=1; operation=batchValidateUsageRecordGroups".parse().unwrap()).unwrap();
    let receipt = reporter.flush().await;
    assert_eq!(receipt.to_string(), "180 delivered, 0 already delivered, 9 rejected, 0 unsent");
    let words: BTreeSet<_> = receipt.rejected.iter().map(|one| one.error.message().to_owned()).collect();
    let expected = ["entitlement no-such-1 not found", "the entitlement is not active", "unknown dimension no_such"];
    assert_eq!(words, expected.map(|reason| format!("usage record group 0 is not valid: {reason}")).into());
    assert_there_once(&client, &good).await;

    // Not stored, so the id is free.
    reporter.push(bad(0)[0].clone().quantity("ingest_gb", 2)).unwrap();
    let sent = sandbox.requests().len();
    for fault in ["500", "503", "reset_before"] {
        sandbox.clear_faults();
        sandbox.inject(format!("{fault}; operation=batchValidateUsageRecordGroups").parse().unwrap()).unwrap();
        let receipt = reporter.flush().await;
        assert_eq!(receipt.to_string(), "0 delivered, 0 already delivered, 0 rejected, 1 unsent", "{fault}");
        assert!(receipt.unsent[0].error.to_string().starts_with("not sent, because Suger could not check it: "));
    }
    assert!(sandbox.requests()[sent..].iter().all(|request| request.path.ends_with("/batchValidateUsageRecordGroups")));
}

#[tokio::test(start_paused = true)]
async fn so_many_requests_are_under_way_at_a_time_and_no_more() {
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static ARRIVED: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let server = ScriptedServer::start(|_| {
        MOST.fetch_max(UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let number = ARRIVED.fetch_add(1, Ordering::SeqCst);
        // Answers none of a wave of three before all three have come.
        while ARRIVED.load(Ordering::SeqCst) < (number / 3 + 1) * 3 {
            std::thread::yield_now();
        }
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        Reply::json(200, "{}")
    });
    let mut reporter = scripted(&server).reporter().concurrency(3);
    for number in 0..9 {
        reporter.push(UsageReport::new("e-1", window(number)).quantity("gb", 1)).unwrap();
    }
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    assert_eq!(is_send(reporter.flush()).await.delivered.len(), 9);
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_flush_keeps_to_the_clients_rate_limit() {
    let server = ScriptedServer::in_turn(vec![Reply::json(200, "{}")]);
    let builder = Client::builder("acme", "hush").base_url(server.url()).http_client(http());
    let client = builder.rate_limit(RateLimit::per_minute(60).burst(2)).build().unwrap();
    let mut reporter = client.reporter();
    for number in 0..6 {
        reporter.push(UsageReport::new("e-1", window(number)).quantity("gb", 1)).unwrap();
    }
    let start = tokio::time::Instant::now();
    assert_eq!(reporter.flush().await.delivered.len(), 6);
    assert_eq!(start.elapsed().as_secs(), 4, "two at once, then one a second");
}

#[tokio::test(start_paused = true)]
async fn groups_are_put_back_and_deleted_by_status_even_if_answers_get_lost() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let listed = async |status: Status| {
        let day = "2026-11-18".parse::<chrono::NaiveDate>().unwrap();
        let groups = client.usage_record_groups(move |request| request.status(status.clone()).start_date(day));
        groups.collect_all().await.unwrap()
    };
    for fault in [
        "reset_after; times=2; operation=retryUsageRecordGroup",
        "reset_after; times=2; operation=deleteUsageRecordGroup",
    ] {
        sandbox.inject(fault.parse().unwrap()).unwrap();
    }
    let failed = listed(Status::ReportFailed).await;
    assert!(failed.len() > 2);
    let changes = client.retry_groups(failed.clone()).await;
    assert_eq!((changes.changed.len(), changes.failed.len()), (failed.len(), 0), "{changes:?}");
    assert!(listed(Status::ReportFailed).await.is_empty());
    // A second time they are no longer failed: so it is told, with what they were.
    let changes = client.retry_groups(failed.clone()).await;
    assert_eq!((changes.changed.len(), changes.failed.len()), (0, failed.len()));
    assert_eq!(changes.failed[0].1.status().map(|status| status.as_u16()), Some(400));

    let mut invalid = listed(Status::Invalid).await;
    let count = invalid.len();
    invalid.extend(listed(Status::Reported).await.into_iter().take(1));
    let changes = client.delete_groups(invalid).await;
    assert_eq!((changes.changed.len(), changes.failed.len()), (count, 1), "{changes:?}");
    assert!(changes.changed.iter().all(|group| group.status == Some(Status::Deleted)));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_goes_round_in_circles_is_an_error() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    for operation in ["listUsageRecordGroups", "listUsageRecordReports"] {
        sandbox.inject(format!("duplicated_page; operation={operation}").parse().unwrap()).unwrap();
    }
    let error = client
        .usage_record_groups(|request| request.start_date("2026-09-22".parse::<chrono::NaiveDate>().unwrap()))
        .collect_all()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    let error = client
        .usage_record_reports(|request| request.start_date("2026-09-22".parse::<chrono::NaiveDate>().unwrap()))
        .collect_all()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[tokio::test(start_paused = true)]
async fn who_buys_what_and_the_marketplaces_own_count_are_listed_by_their_filters() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let buyers = client.buyers(|request| request).collect_all().await.unwrap();
    let aws = client.buyers(|request| request.partner("AWS")).collect_all().await.unwrap();
    assert!(!aws.is_empty() && aws.len() < buyers.len(), "{} of {}", aws.len(), buyers.len());
    let entitlements = client.entitlements(|request| request.buyer_id("buy-aws01")).collect_all().await.unwrap();
    assert!(entitlements.iter().any(|one| one.id.as_deref() == Some("ent-aws01")), "{entitlements:?}");
    let products = client.products(|request| request.partner("AWS")).collect_all().await.unwrap();
    assert!(!products.is_empty() && products.iter().all(|product| product.partner == Some(types::Partner::Aws)));
    let days = client.daily_records(types::Partner::Aws, |request| request.entitlement_id("ent-aws01"));
    let days = days.collect_all().await.unwrap();
    assert!(!days.is_empty() && days.iter().all(|day| day.entitlement_id.as_deref() == Some("ent-aws01")));
}

#[tokio::test(start_paused = true)]
async fn what_the_marketplaces_were_told_comes_as_rows_with_keys_of_their_own() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let october = "2026-10".parse().unwrap();
    let rows = client.reported_usage(october).await.unwrap();
    let keys: BTreeSet<_> = rows.iter().map(|row| row.key).collect();
    assert!(rows.len() > 1000 && keys.len() == rows.len(), "{} rows, {} keys", rows.len(), keys.len());
    assert!(rows.iter().all(|row| row.is_final && october.contains(row.start) && row.customer_name.is_some()));
    // AWS is told whole units; over a month less than one is carried.
    let sum = |rows: &[usage_billing::UsageRow], sku: &str| -> Decimal {
        rows.iter().filter(|row| row.sku == sku).map(|row| row.quantity).sum()
    };
    let usage = client.usage(october).await.unwrap();
    for sku in ["ent-aws01/ingest_gb", "ent-azu01/seats", "ent-gcp01/node_hours"] {
        let (told, used) = (sum(&rows, sku), sum(&usage, sku));
        assert!(
            used > Decimal::ZERO && (told - used).abs() <= used / Decimal::from(100),
            "{sku}: {told} told, {used} used"
        );
    }
    assert!(rows.iter().filter(|row| row.sku.starts_with("ent-aws01/")).all(|row| row.quantity.fract().is_zero()));
}

#[tokio::test(start_paused = true)]
async fn events_of_a_metric_that_does_not_add_up_are_read_from_the_reports() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let metric = types::BillableMetric::builder()
        .id("peak_users".to_owned())
        .name("Peak of users".to_owned())
        .aggregation_type(types::BillableMetricAggregationType::Max);
    client.api().create_billable_metric().org_id(ORG).body(metric).send().await.unwrap();
    for quantity in [3i64, 8, 5] {
        let event = types::MeteringUsageRecord {
            key: Some("peak_users".to_owned()),
            quantity: Some(quantity.into()),
            ..Default::default()
        };
        let body = types::CreateUsageRecordGroupParams::builder()
            .organization_id(ORG)
            .entitlement_id("ent-gcp01")
            .billable_records(vec![event]);
        client
            .api()
            .report_usage_record_group()
            .org_id(ORG)
            .entitlement_id("ent-gcp01")
            .body(body)
            .send()
            .await
            .unwrap();
    }
    let today = "2026-11-21/2026-11-22".parse().unwrap();
    let peaks = async || {
        let rows = client.usage(today).await.unwrap();
        rows.into_iter()
            .filter(|row| row.metric == "peak_users")
            .map(|row| (row.quantity, row.is_final))
            .collect::<Vec<_>>()
    };
    assert_eq!(peaks().await, [(Decimal::ZERO, false)], "open until the hourly run");
    sandbox.advance(std::time::Duration::from_secs(2 * 3600));
    assert_eq!(peaks().await, [(Decimal::from(8), true)]);
}

#[tokio::test(start_paused = true)]
async fn the_hourly_report_survives_a_crash() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let hour = window(0);
    for polls in [1, 3, 6, 10, 15, 25] {
        drop(dropped_after(polls, isv_hourly_report::report(&client, hour)).await);
    }
    let arrived = stored(&client).await.len();
    let receipt = isv_hourly_report::report(&client, hour).await.unwrap();
    assert_eq!(
        (receipt.already_delivered.len(), receipt.total(), receipt.is_complete()),
        (arrived, 3, true),
        "{receipt:?}"
    );
    assert_eq!(stored(&client).await.len(), 3);
}
