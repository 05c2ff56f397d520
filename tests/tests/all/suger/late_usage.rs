//! Usage that is older than its marketplace accepts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use usage_billing::suger::{MarketplaceWindows, Receipt, UsageEvent, UsageQueue};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{group_for, group_of, new_queue, page_of, stored_as_sent};

fn hours_ago(entitlement_id: &str, hours: i64) -> UsageEvent {
    UsageEvent::new(entitlement_id, now() - TimeDelta::hours(hours)).quantity("gb", 1)
}

/// Starts a server whose entitlements are named after their marketplaces, and whose only groups are `listed`.
fn vendor(listed: Vec<UsageEvent>) -> ScriptedServer {
    let listed: Vec<_> = listed.iter().map(|event| group_for(event, json!({}))).collect();
    ScriptedServer::start(move |request| {
        let entitlement = request.target.split('/').nth(4).unwrap_or_default().to_owned();
        match request.method.as_str() {
            "POST" => ScriptedResponse::json(200, &group_of(request, json!({"partner": entitlement})).to_string()),
            _ if request.target.contains("/usageRecordGroup") => ScriptedResponse::json(200, &page_of(&listed)),
            _ if entitlement == "BROKEN" => ScriptedResponse::json(500, "\"down\""),
            _ if entitlement == "UNNAMED" => {
                ScriptedResponse::json(200, &json!({"id": entitlement, "partner": ""}).to_string())
            }
            _ if entitlement == "UNKNOWN" => ScriptedResponse::json(404, "\"entitlement not found\""),
            _ => ScriptedResponse::json(200, &json!({"id": entitlement, "partner": entitlement}).to_string()),
        }
    })
}

fn push_all(mut queue: UsageQueue, events: Vec<UsageEvent>) -> UsageQueue {
    for event in events {
        queue.push(event).unwrap();
    }
    queue
}

fn events() -> Vec<UsageEvent> {
    vec![
        hours_ago("AWS", 5),
        hours_ago("AWS", 6),
        hours_ago("AZURE", 23),
        hours_ago("AZURE", 24),
        hours_ago("STRIPE", 900),
    ]
}

#[tokio::test(start_paused = true)]
async fn late_usage_is_sent_and_listed_in_the_receipt() {
    let server = vendor(vec![]);
    let receipt = push_all(new_queue(&server), events()).flush().await;
    assert_eq!(receipt.to_string(), "5 delivered, 0 already delivered, 0 rejected, 0 unsent");
    assert!(receipt.is_complete() && server.requests().len() == 5);
    let mut late: Vec<_> =
        receipt.late.iter().map(|one| (one.entitlement_id.as_str(), one.age.as_secs() / 3600)).collect();
    late.sort_unstable();
    assert_eq!(late, [("AWS", 6), ("AZURE", 24)]);
    assert!(receipt.late.iter().all(|one| receipt.delivered.contains(&one.id)));
}

#[tokio::test(start_paused = true)]
async fn unsent_or_unverified_late_usage_is_listed_as_well() {
    let server = ScriptedServer::start(|request| match request.body.contains("LOST") {
        true => ScriptedResponse::json(403, "\"no\""),
        false => ScriptedResponse::json(409, "\"it is there\""),
    });
    let queue = new_queue(&server).trust_duplicates_unverified();
    let events = vec![hours_ago("LOST", 1), hours_ago("LOST", 3), hours_ago("THERE", 1), hours_ago("THERE", 4)];
    let mut queue = push_all(queue, events);
    let late = |receipt: &Receipt| {
        let late = receipt.late.iter().map(|one| (one.entitlement_id.clone(), one.age.as_secs() / 3600));
        late.collect::<std::collections::BTreeSet<_>>()
    };
    let receipt = queue.flush().await;
    assert_eq!((receipt.unsent.len(), receipt.unverified.len()), (2, 2));
    assert_eq!(late(&receipt), [("LOST".to_owned(), 3), ("THERE".to_owned(), 4)].into());
    assert_eq!(late(&queue.flush().await), [("LOST".to_owned(), 3)].into());
}

#[tokio::test(start_paused = true)]
async fn unknown_marketplace_has_the_shortest_limit() {
    for named in ["", "null"] {
        let server = ScriptedServer::start(move |request| {
            let partner = if named == "null" { serde_json::Value::Null } else { json!(named) };
            ScriptedResponse::json(200, &group_of(request, json!({"partner": partner})).to_string())
        });
        let queue = new_queue(&server);
        let events = vec![hours_ago("e-1", 1), hours_ago("e-1", 2), hours_ago("e-2", 30)];
        let receipt = push_all(queue, events).flush().await;
        let mut late: Vec<_> =
            receipt.late.iter().map(|one| (one.entitlement_id.as_str(), one.limit.as_secs())).collect();
        late.sort_unstable();
        assert_eq!(late, [("e-1", 7200), ("e-2", 7200)]);
        assert!(receipt.late.iter().all(|one| one.marketplace.is_none()) && server.requests().len() == 3);
    }
}

#[tokio::test(start_paused = true)]
async fn marketplace_that_is_not_set_yet_is_looked_up_again() {
    let is_set = Arc::new(AtomicBool::new(false));
    let named = is_set.clone();
    let server = ScriptedServer::start(move |request| {
        let partner = if named.load(Ordering::Relaxed) { "AWS" } else { "" };
        ScriptedResponse::json(200, &group_of(request, json!({"partner": partner})).to_string())
    });
    let mut queue = new_queue(&server);
    queue.push(hours_ago("e-1", 3)).unwrap();
    assert_eq!(queue.flush().await.late.len(), 1, "the shortest window");
    is_set.store(true, Ordering::Relaxed);
    queue.push(hours_ago("e-1", 4)).unwrap();
    assert_eq!(queue.flush().await.late.len(), 0, "the window of AWS is longer");
}

#[tokio::test(start_paused = true)]
async fn marketplace_windows_are_configurable() {
    let server = vendor(vec![]);
    for (windows, expected) in [
        (MarketplaceWindows::none(), 0),
        (MarketplaceWindows::default().with("STRIPE", Duration::from_secs(3600)), 3),
        (MarketplaceWindows::none().with("AWS", Duration::from_secs(5 * 3600)), 2),
    ] {
        let queue = new_queue(&server).marketplace_windows(windows);
        assert_eq!(push_all(queue, events()).flush().await.late.len(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn late_usage_is_rejected_on_request_unless_it_arrived() {
    let arrived = hours_ago("AWS", 7);
    let server = vendor(vec![arrived.clone()]);
    let others = vec![
        arrived.clone(),
        hours_ago("BROKEN", 30),
        hours_ago("UNKNOWN", 30),
        hours_ago("GCP", 30),
        hours_ago("UNNAMED", 30),
    ];
    let all = [events(), others].concat();
    let mut queue = push_all(new_queue(&server).reject_late_usage(), all);
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "6 delivered, 1 already delivered, 2 rejected, 1 unsent", "{receipt:?}");
    assert_eq!(receipt.already_delivered, [arrived.id("acme")]);
    assert_eq!(receipt.too_late, receipt.rejected.iter().map(|one| one.id).collect());
    for one in &receipt.rejected {
        let line = one.error.to_string();
        assert!(line.starts_with("not sent: usage of ") && line.contains(" min old, and "), "{line}");
    }
    let line = receipt.unsent[0].error.to_string();
    assert!(
        line.starts_with("not sent, because its marketplace could not be looked up: getEntitlement: 500"),
        "{line}"
    );
    let sent = |what: &str| server.requests().iter().filter(|request| request.target.contains(what)).count();
    let lookups =
        || server.requests().iter().filter(|request| request.method == "GET" && !request.target.contains('?')).count();
    // Google Cloud accepts late usage, and so may a marketplace that is not known.
    assert!(receipt.late.iter().any(|one| one.entitlement_id == "GCP"));
    for accepted in ["GCP", "UNKNOWN", "UNNAMED"] {
        assert!(receipt.rejected.iter().all(|one| one.event.entitlement_id() != accepted), "{accepted}");
    }
    // Once for each entitlement with old usage: AWS, AZURE, GCP, STRIPE, UNKNOWN, UNNAMED, and BROKEN with its retries.
    // A list without the event is read to an empty page.
    assert_eq!((sent("/usageRecordGroup?"), lookups()), (4, 6 + 4));
    let again = queue.flush().await;
    assert_eq!((again.unsent.len(), lookups()), (1, 6 + 4 + 4), "known marketplaces are not looked up again");
}

#[tokio::test(start_paused = true)]
async fn entitlement_that_suger_did_not_know_is_looked_up_again() {
    let lookups = std::sync::Mutex::new(0);
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "POST" => stored_as_sent(request),
        _ if request.target.contains('?') => ScriptedResponse::json(200, &page_of(&[])),
        _ => {
            let mut lookups = lookups.lock().unwrap();
            *lookups += 1;
            match *lookups {
                1 => ScriptedResponse::json(404, "\"entitlement not found\""),
                _ => ScriptedResponse::json(200, r#"{"id": "e-1", "partner": "AWS"}"#),
            }
        }
    });
    let queue = new_queue(&server).reject_late_usage();
    let mut queue = push_all(queue, vec![hours_ago("e-1", 7)]);
    assert_eq!(queue.flush().await.delivered.len(), 1, "its marketplace may accept it");
    queue.push(hours_ago("e-1", 8)).unwrap();
    assert_eq!(queue.flush().await.rejected.len(), 1, "AWS accepts usage for 6 h");
}

#[tokio::test(start_paused = true)]
async fn failing_lookups_and_validation_end_before_the_flush_does() {
    for validates in [false, true] {
        let server = ScriptedServer::start(|request| {
            match request.target.contains("batchValidate") || request.method == "GET" {
                true => ScriptedResponse::dropped(),
                false => stored_as_sent(request),
            }
        });
        let queue = new_queue(&server).concurrency(1);
        let queue = if validates { queue.validate_first() } else { queue.reject_late_usage() };
        let old: Vec<_> = (0..2000).map(|number| hours_ago(&format!("e-{number}"), 7)).collect();
        let receipt = push_all(queue, old).flush().await;
        assert_eq!((receipt.unsent.len(), server.requests().len()), (2000, 3 * 4), "{validates}");
    }
}
