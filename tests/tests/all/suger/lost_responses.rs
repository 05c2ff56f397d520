//! Lost responses: Suger stores each event once, and the receipt is correct, for any fault at any point.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use serde_json::json;
use usage_billing::RetryPolicy;
use usage_billing::suger::{Receipt, UsageEvent};
use usage_billing_sandbox::{Sandbox, Size};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, check_property, now};
use uuid::Uuid;

use super::{
    assert_there_once, client, events, flushed, group_for, ids, new_queue, page_of, push_all, sandbox, scripted,
    stored, timestamp, with_retries,
};

#[path = "../../../../crates/usage-billing/examples/isv_hourly_report.rs"]
#[allow(dead_code, reason = "its main is for the example itself")]
mod isv_hourly_report;

/// Polls a future `polls` times and then drops it.
pub(crate) async fn dropped_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
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
async fn each_fault_is_survived_without_duplicates() {
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
        ("500; times=1", (3, 0, 0)),
        ("500; after_effect; times=1", (2, 1, 0)),
        ("reset_before; times=1", (3, 0, 0)),
        ("reset_after; times=1", (2, 1, 0)),
        ("cut_body; times=1", (2, 1, 0)),
        ("malformed_json; times=1", (2, 1, 0)),
        ("slow_body; bytes=64; millis=5000; times=1", (3, 0, 0)),
        ("unknown_enum; times=1", (3, 0, 0)),
        ("null_lists; times=1", (3, 0, 0)),
        ("extra_fields; times=1", (3, 0, 0)),
    ];
    for ((fault, expected), number) in faults.into_iter().zip(0..) {
        sandbox.clear_faults();
        sandbox.inject(format!("{fault}; operation=reportUsageRecordGroup").parse().unwrap()).unwrap();
        let mut queue = client.usage_queue().flush_timeout(None).concurrency(1);
        let all = push_all(&mut queue, &events(number));
        let first = queue.flush().await;
        let counts = (first.delivered.len(), first.already_delivered.len(), first.unsent.len());
        assert_eq!((counts, first.total()), (expected, 3), "{fault}: {first:?}");
        assert_eq!((queue.pending(), ids(&first.unsent).len()), (expected.2, expected.2));
        if fault.contains("retry_after=3600") {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        let second = queue.flush().await;
        assert!(second.is_complete() && second.total() == expected.2, "{fault}: {second}");
        let resolved = [first.delivered, first.already_delivered, second.delivered, second.already_delivered].concat();
        assert_eq!(BTreeSet::from_iter(resolved), all);
        sent.extend(events(number));
    }
    assert_there_once(&client, &sent).await;
}

/// A queue of events, the faults that its requests get, and how its flushes end.
#[derive(Clone, Debug)]
struct Delivery {
    fault_seed: u64,
    faults: Vec<String>,
    is_retried: bool,
    concurrency: usize,
    is_validated: bool,
    hours: i64,
    /// Before each complete flush, one that is dropped after some polls, perhaps with the process.
    interrupted: Vec<Option<(u32, bool)>>,
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let kinds = select(vec![
        "429; retry_after=1",
        "500",
        "500; after_effect",
        "503",
        "503; after_effect",
        "reset_before",
        "reset_after",
        "cut_body",
        "malformed_json",
    ]);
    let operations = prop_oneof![
        2 => Just("reportUsageRecordGroup"),
        1 => Just("batchValidateUsageRecordGroups"),
        1 => Just("listUsageRecordGroups"),
    ];
    let fault = (kinds, 5..70_u8, operations)
        .prop_map(|(kind, percent, operation)| format!("{kind}; percent={percent}; operation={operation}"));
    let interrupted = vec(option::of((1..16_u32, any::<bool>())), 5);
    let faults = (any::<u64>().no_shrink(), vec(fault, 1..4));
    let parts = (faults, any::<bool>(), 1..6_usize, weighted(0.25), 1..4_i64, interrupted);
    parts.prop_map(|((fault_seed, faults), is_retried, concurrency, is_validated, hours, interrupted)| Delivery {
        fault_seed,
        faults,
        is_retried,
        concurrency,
        is_validated,
        hours,
        interrupted,
    })
}

#[test]
fn random_faults_lose_and_duplicate_nothing() {
    let (cases, dropped, left) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    check_property(file!(), 60, [], delivery(), async |delivery: Delivery| {
        cases.fetch_add(1, Ordering::Relaxed);
        let builder = Sandbox::builder().today(now().date_naive()).fault_seed(delivery.fault_seed);
        let sandbox = builder.size(Size::default().record_groups(0)).start().await.expect("a free port");
        for fault in &delivery.faults {
            sandbox.inject(fault.parse().unwrap()).unwrap();
        }
        let retry = if delivery.is_retried { RetryPolicy::default() } else { RetryPolicy::none() };
        let client = with_retries(&sandbox, retry);
        let mut queue = client.usage_queue().flush_timeout(None).concurrency(delivery.concurrency);
        if delivery.is_validated {
            queue = queue.validate_first();
        }
        let sent: Vec<_> = (0..delivery.hours).flat_map(events).collect();
        let all = push_all(&mut queue, &sent);
        let mut resolved = BTreeSet::new();
        for (round, interrupted) in delivery.interrupted.into_iter().enumerate() {
            if let Some((polls, is_restarted)) = interrupted {
                // A dropped flush returns no receipt; its outcomes are in the next one.
                match dropped_after(polls, queue.flush()).await {
                    Some(receipt) => take(&receipt, &mut resolved),
                    None => drop(dropped.fetch_add(1, Ordering::Relaxed)),
                }
                // A process that ends here loses its queue, and starts again with the same events.
                if is_restarted {
                    queue = client.usage_queue().flush_timeout(None);
                    resolved.clear();
                    push_all(&mut queue, &sent);
                }
            }
            if round == 3 {
                sandbox.clear_faults();
            }
            let before = all.len() - resolved.len();
            let receipt = queue.flush().await;
            assert_eq!(receipt.total(), before, "{receipt}");
            assert!(receipt.rejected.is_empty(), "{receipt:?}");
            take(&receipt, &mut resolved);
            let unsent = ids(&receipt.unsent);
            assert!(unsent.is_disjoint(&resolved) && &unsent | &resolved == all, "{receipt:?}");
            left.fetch_add(unsent.len(), Ordering::Relaxed);
            if queue.pending() == 0 {
                break;
            }
        }
        assert_eq!(resolved, all);
        sandbox.clear_faults();
        assert_there_once(&client, &sent).await;
    });
    let (cases, dropped, left) = (cases.into_inner(), dropped.into_inner(), left.into_inner());
    let is_of_use = dropped >= cases / 10 && left >= cases / 5;
    assert!(is_of_use, "the faults were of no use: {dropped} dropped, {left} left in {cases} cases");
}

/// Adds the resolved events of a receipt; none is resolved twice.
fn take(receipt: &Receipt, resolved: &mut BTreeSet<Uuid>) {
    for id in receipt.delivered.iter().chain(&receipt.already_delivered) {
        assert!(resolved.insert(*id), "{id} is resolved twice");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_outcome_is_retried_with_the_same_id_and_bytes() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", Decimal::new(1_2500, 4));
    let page = page_of(&[group_for(&event, json!({}))]);
    let responses = vec![
        ScriptedResponse::dropped(),
        ScriptedResponse::json(503, "\"\""),
        ScriptedResponse::truncated(200, "{"),
        ScriptedResponse::json(500, "\"\""),
        ScriptedResponse::json(409, "\"usage record group exists already\""),
        ScriptedResponse::json(200, &page),
    ];
    let server = ScriptedServer::in_turn(responses);
    let mut queue = new_queue(&server);
    let id = queue.push(event).unwrap();
    let first = queue.flush().await;
    assert_eq!((ids(&first.unsent), first.total()), ([id].into(), 1));
    let second = queue.flush().await;
    assert_eq!((second.already_delivered, queue.pending()), (vec![id], 0));
    let mut requests = server.requests();
    assert_eq!(requests.len(), 6);
    assert_eq!(requests.pop().unwrap().method, "GET", "it is looked up, because the response was lost");
    let expected = format!(
        r#"{{"entitlementID":"e-1","id":"{id}","organizationID":"acme","records":{{"gb":1.25}},"timestamp":"2025-11-20T01:00:07Z"}}"#
    );
    assert!(requests.iter().all(|request| request.body == expected), "{expected}: {requests:#?}");
}

#[tokio::test(start_paused = true)]
async fn invalid_event_is_rejected_despite_a_lost_response() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let cancelled = |number| UsageEvent::new("ent-aws02", timestamp(number)).quantity("ingest_gb", 1);
    for (fault, number) in [("reset_after", 0), ("503; after_effect", 1), ("cut_body", 2), ("500; after_effect", 3)] {
        sandbox.inject(format!("{fault}; times=1; operation=reportUsageRecordGroup").parse().unwrap()).unwrap();
        let mut queue = client.usage_queue().flush_timeout(None);
        queue.push(cancelled(number)).unwrap();
        let mut receipt = queue.flush().await;
        if queue.pending() > 0 {
            receipt = queue.flush().await;
        }
        assert_eq!(receipt.to_string(), "0 delivered, 0 already delivered, 1 rejected, 0 unsent", "{fault}");
        assert!(receipt.rejected[0].error.to_string().contains("as INVALID: it will not be billed"), "{receipt:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rejection_after_a_lost_response_is_looked_up() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 1);
    for (listed, expected) in [
        (true, "0 delivered, 1 already delivered, 0 rejected, 0 unsent"),
        (false, "0 delivered, 0 already delivered, 0 rejected, 1 unsent"),
    ] {
        let groups = if listed { vec![group_for(&event, json!({}))] } else { vec![] };
        let page = page_of(&groups);
        let responses = vec![
            ScriptedResponse::dropped(),
            ScriptedResponse::json(404, "\"entitlement not found\""),
            ScriptedResponse::json(200, &page),
        ];
        let server = ScriptedServer::in_turn(responses);
        assert_eq!(flushed(new_queue(&server), [&event]).await.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn failed_validation_after_a_lost_response_is_looked_up() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 1);
    for (listed, restarted, expected) in [
        (true, false, "0 delivered, 1 already delivered, 0 rejected, 0 unsent"),
        (true, true, "0 delivered, 1 already delivered, 0 rejected, 0 unsent"),
        // The attempt of this process may still arrive; those of another process are not known.
        (false, false, "0 delivered, 0 already delivered, 0 rejected, 1 unsent"),
        (false, true, "0 delivered, 0 already delivered, 1 rejected, 0 unsent"),
    ] {
        let groups = if listed { vec![group_for(&event, json!({}))] } else { vec![] };
        let page = page_of(&groups);
        let checks = AtomicUsize::new(0);
        let server = ScriptedServer::start(move |request| match request.target.split_once('?') {
            Some(_) => ScriptedResponse::json(200, &page),
            None if !request.target.ends_with("/batchValidateUsageRecordGroups") => ScriptedResponse::dropped(),
            // Valid at first, cancelled since.
            None if request.body == "[]" || checks.fetch_add(1, Ordering::SeqCst) == 0 => {
                ScriptedResponse::json(200, "")
            }
            None => ScriptedResponse::json(400, "\"the entitlement is not active\""),
        });
        let client = scripted(&server);
        let mut queue = client.usage_queue().flush_timeout(None).validate_first();
        queue.push(event.clone()).unwrap();
        assert_eq!(queue.flush().await.unsent.len(), 1);
        if restarted {
            queue = new_queue(&server).validate_first();
            queue.push(event.clone()).unwrap();
        }
        assert_eq!(queue.flush().await.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn hourly_job_survives_a_crash() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let hour = timestamp(0);
    for polls in [1, 3, 6, 10, 15, 25] {
        drop(dropped_after(polls, isv_hourly_report::send_hour(&client, hour)).await);
    }
    let arrived = stored(&client).await.len();
    let receipt = isv_hourly_report::send_hour(&client, hour).await.unwrap();
    assert_eq!(
        (receipt.already_delivered.len(), receipt.total(), receipt.is_complete()),
        (arrived, 3, true),
        "{receipt:?}"
    );
    assert_eq!(stored(&client).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn event_requeued_after_a_dropped_flush_is_listed_once() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let mut resolved_before = 0;
    for polls in 1..40 {
        let events = events(polls.into());
        let mut queue = client.usage_queue().flush_timeout(None).concurrency(1);
        let all = push_all(&mut queue, &events);
        let ended = dropped_after(polls, queue.flush()).await;
        resolved_before += usize::from(ended.is_none() && queue.pending() < events.len());
        push_all(&mut queue, &events);
        let receipt = queue.flush().await;
        assert_eq!((receipt.total(), receipt.is_complete()), (all.len(), true), "{polls} polls: {receipt}");
    }
    assert!(resolved_before > 0, "no flush was dropped after it had resolved something");
}
