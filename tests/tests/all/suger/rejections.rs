//! Rejected events and an unavailable vendor: they do not affect other events, and errors contain the message of the
//! vendor.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use usage_billing::suger::{MarketplaceWindows, UsageEvent};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{
    assert_there_once, client, events, flushed, group_for, listing, new_queue, page_of, push_all, sandbox,
    stored_as_sent, timestamp,
};

#[tokio::test(start_paused = true)]
async fn invalid_entitlement_affects_no_other() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let mut queue = client.usage_queue().flush_timeout(None).concurrency(1);
    let at = timestamp(0);
    let bad = [
        (UsageEvent::new("no-such-1", at).quantity("ingest_gb", 1), "entitlement not found"),
        (UsageEvent::new("ent-aws02", at).quantity("ingest_gb", 1), "as INVALID: it will not be billed"),
        (UsageEvent::new("ent-aws01", at).quantity("ingest", 1), "as INVALID: it will not be billed"),
    ];
    for (event, _) in &bad {
        queue.push(event.clone()).unwrap();
    }
    push_all(&mut queue, &events(0));
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "3 delivered, 0 already delivered, 3 rejected, 0 unsent");
    for (event, message) in &bad {
        let undelivered = receipt.rejected.iter().find(|one| one.event == *event).unwrap();
        assert!(undelivered.error.to_string().contains(message), "{}", undelivered.error);
    }
    // A used-up id is rejected; an id that Suger never had is free, also with other quantities.
    let error = queue.push(bad[1].0.clone()).unwrap_err();
    assert!(error.to_string().starts_with("the event's id is used up at Suger (ent-aws02, "), "{error}");
    queue.push(bad[0].0.clone().quantity("ingest_gb", 2)).unwrap();
}

const HOUR: Duration = Duration::from_secs(3600);

/// Responses to an event that is at Suger already.
const REPEATED: [(u16, &str); 8] = [
    (409, ""),
    (409, r#"{"message": "usage record group already exists"}"#),
    (409, "\"it is there\""),
    (404, "<html>not found</html>"),
    (400, r#"{"message": "exists"}"#),
    (422, "\"exists\""),
    (200, "{}"),
    (200, r#"{"status": "DELETED"}"#),
];

/// Sends events, of which Suger has the ones that `is_there` selects, once, and returns the receipt.
async fn sent_again(
    events: &[UsageEvent],
    is_there: impl Fn(&UsageEvent) -> bool,
    (status, body): (u16, &'static str),
) -> String {
    let listed: Vec<_> =
        events.iter().filter(|event| is_there(event)).map(|event| group_for(event, json!({}))).collect();
    let there: BTreeSet<_> = listed.iter().map(|group| group["id"].to_string()).collect();
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => {
            let of_entitlement = |group: &&serde_json::Value| {
                request.target.contains(&format!("entitlementId={}&", group["entitlementID"].as_str().unwrap()))
            };
            ScriptedResponse::json(200, &page_of(&listed.iter().filter(of_entitlement).cloned().collect::<Vec<_>>()))
        }
        _ if there.iter().any(|id| request.body.contains(id)) => ScriptedResponse::new(status, &[], body),
        _ => stored_as_sent(request),
    });
    let mut queue = new_queue(&server);
    for event in events {
        queue.push(event.clone()).unwrap();
    }
    queue.flush().await.to_string()
}

#[tokio::test(start_paused = true)]
async fn events_that_are_there_do_not_hold_up_new_ones() {
    for response in REPEATED {
        let of_one: Vec<_> = (0..40).map(|hour| UsageEvent::new("e-1", timestamp(hour)).quantity("gb", 1)).collect();
        let line = sent_again(&of_one, |event| event.timestamp() < timestamp(20), response).await;
        assert_eq!(line, "20 delivered, 20 already delivered, 0 rejected, 0 unsent", "{response:?}");
        let line = sent_again(&of_one, |_| true, response).await;
        assert_eq!(line, "0 delivered, 40 already delivered, 0 rejected, 0 unsent", "{response:?}");
        let of_many: Vec<_> = (0..30)
            .flat_map(|customer| {
                (0..2).map(move |hour| UsageEvent::new(format!("e-{customer}"), timestamp(hour)).quantity("gb", 1))
            })
            .collect();
        let line = sent_again(&of_many, |event| event.timestamp() == timestamp(0), response).await;
        assert_eq!(line, "30 delivered, 30 already delivered, 0 rejected, 0 unsent", "{response:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn flush_of_many_resolved_failures_ends_within_minutes() {
    // Each list takes 100 s, as the vendor asks for that delay.
    let events: Vec<_> =
        (0..40).map(|number| UsageEvent::new(format!("e-{number:02}"), timestamp(0)).quantity("gb", 1)).collect();
    let groups: Vec<_> = events.iter().map(|event| group_for(event, json!({}))).collect();
    let lists = AtomicUsize::new(0);
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" if lists.fetch_add(1, SeqCst).is_multiple_of(2) => {
            ScriptedResponse::new(503, &[("retry-after", "100")], "")
        }
        "GET" => {
            let is_asked = |group: &&serde_json::Value| {
                request.target.contains(&format!("entitlementId={}&", group["entitlementID"].as_str().unwrap()))
            };
            ScriptedResponse::json(200, &page_of(&groups.iter().filter(is_asked).cloned().collect::<Vec<_>>()))
        }
        _ => ScriptedResponse::new(404, &[], "<html>not found</html>"),
    });
    let mut queue = new_queue(&server).concurrency(1);
    push_all(&mut queue, &events);
    let start = Instant::now();
    let receipt = queue.flush().await;
    // Three failures are tolerated, then six, whose lists take longer than the flush is to be repeated. Nothing is sent twice.
    assert_eq!((receipt.already_delivered.len(), receipt.unsent.len(), start.elapsed().as_secs()), (9, 31, 900));
    let sent = |server: &ScriptedServer| server.requests().iter().filter(|request| request.method == "POST").count();
    assert_eq!(sent(&server), 9);
    let reasons = receipt.unsent.iter().all(|one| one.error.to_string().starts_with("not sent, after "));
    assert!(reasons, "{:?}", receipt.unsent[0]);
}

#[tokio::test(start_paused = true)]
async fn list_of_a_withheld_event_does_not_repeat_failing_requests() {
    let late = UsageEvent::new("e-late", timestamp(0)).quantity("gb", 1);
    let server = ScriptedServer::start(|request| match request.method.as_str() {
        "GET" if request.target.contains("/usageRecordGroup") => ScriptedResponse::json(200, &page_of(&[])),
        "GET" => ScriptedResponse::json(200, r#"{"id": "e-late", "partner": "AWS"}"#),
        _ => ScriptedResponse::new(503, &[], "down"),
    });
    let queue = new_queue(&server).concurrency(1);
    let mut queue = queue.reject_late_usage().marketplace_windows(MarketplaceWindows::none().with("AWS", HOUR));
    let new = (0..40).map(|number| UsageEvent::new(format!("e-{number:02}"), now()).quantity("gb", 1));
    push_all(&mut queue, &new.chain([late]).collect::<Vec<_>>());
    let receipt = queue.flush().await;
    assert_eq!((receipt.rejected.len(), receipt.unsent.len()), (1, 40));
    let sent = server.requests().iter().filter(|request| request.method == "POST").count();
    assert_eq!(sent, 4 * 3, "three entitlements with all attempts of the client");
}

#[tokio::test(start_paused = true)]
async fn unknown_outcome_never_has_the_kind_of_a_rejection() {
    for (status, body) in
        [(404, "<html>no</html>"), (400, r#"{"message": "no"}"#), (500, "\"down\""), (409, "\"there\"")]
    {
        for validates in [false, true] {
            let server = listing(page_of(&[]), move |_| ScriptedResponse::new(status, &[], body));
            let queue = new_queue(&server);
            let mut queue = if validates { queue.validate_first() } else { queue };
            for hour in 0..40 {
                queue.push(UsageEvent::new("e-1", timestamp(hour)).quantity("gb", 1)).unwrap();
            }
            let receipt = queue.flush().await;
            let kinds: BTreeSet<_> = receipt.unsent.iter().map(|one| format!("{:?}", one.error.kind())).collect();
            assert_eq!((receipt.unsent.len(), kinds), (40, ["NotReady".to_owned()].into()), "{status} {validates}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn entitlement_without_responses_is_skipped() {
    let server = ScriptedServer::start(|request| match request.target.contains("/ent-bad/") {
        true => ScriptedResponse::json(500, "\"out of order\""),
        false => stored_as_sent(request),
    });
    let mut queue = new_queue(&server).concurrency(1);
    for hour in 0..20 {
        for entitlement in ["ent-bad", "ent-good"] {
            queue.push(UsageEvent::new(entitlement, timestamp(hour)).quantity("gb", 1)).unwrap();
        }
    }
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "20 delivered, 0 already delivered, 0 rejected, 20 unsent");
    assert_eq!(server.requests().len(), 20 + 4 * 10);
    let last = &receipt.unsent[19].error;
    let expected =
        "not sent, after 10 others of ent-bad failed: reportUsageRecordGroup: 500 Internal Server Error: out of order";
    assert!(last.to_string().starts_with(expected), "{last}");
}

#[tokio::test(start_paused = true)]
async fn unavailable_vendor_or_rejected_key_ends_the_flush() {
    let many: Vec<_> =
        (0..40).map(|number| UsageEvent::new(format!("ent-{number}"), timestamp(0)).quantity("gb", 1)).collect();
    for (response, asked) in [
        (ScriptedResponse::json(401, "\"no\""), 1),
        (ScriptedResponse::dropped(), 4 * 3),
        (ScriptedResponse::json(503, "\"down\""), 4 * 3),
        (ScriptedResponse::json(500, "\"down\""), 4 * 10),
        (ScriptedResponse::json(403, "\"no\""), 10),
    ] {
        let server = ScriptedServer::in_turn(vec![response]);
        let mut queue = new_queue(&server).concurrency(1);
        push_all(&mut queue, &many);
        let receipt = queue.flush().await;
        assert_eq!((receipt.unsent.len(), queue.pending(), server.requests().len()), (40, 40, asked));
    }
}

#[tokio::test(start_paused = true)]
async fn failing_oldest_entitlements_do_not_block_the_others() {
    let server = ScriptedServer::start(|request| match request.target.contains("/ent-bad-") {
        true => ScriptedResponse::json(500, "\"out of order\""),
        false => stored_as_sent(request),
    });
    let mut queue = new_queue(&server).concurrency(1);
    for number in 0..9 {
        queue.push(UsageEvent::new(format!("ent-bad-{number}"), timestamp(0)).quantity("gb", 1)).unwrap();
        queue.push(UsageEvent::new(format!("ent-good-{number}"), timestamp(1)).quantity("gb", 1)).unwrap();
    }
    assert_eq!(queue.flush().await.to_string(), "9 delivered, 0 already delivered, 0 rejected, 9 unsent");
}

#[tokio::test(start_paused = true)]
async fn entitlements_that_end_a_flush_are_last_in_the_next() {
    // A firewall blocks three entitlements, the oldest; of another, it blocks three events, the oldest.
    for (status, body) in [(403, "<html>blocked</html>"), (200, "<html>hello</html>"), (400, "<html>no</html>")] {
        let server = ScriptedServer::start(move |request| {
            match request.target.contains("/ent-bad-") || request.body.contains("blocked") {
                true => ScriptedResponse::new(status, &[], body),
                false if request.method == "GET" => ScriptedResponse::json(200, &page_of(&[])),
                false => stored_as_sent(request),
            }
        });
        let mut queue = new_queue(&server).concurrency(1);
        let event = |entitlement: &str, hour: i64, dimension: &str| {
            UsageEvent::new(entitlement, timestamp(hour)).quantity(dimension, 1)
        };
        for number in 0..3 {
            let bad: Vec<_> = (0..9).map(|hour| event(&format!("ent-bad-{number}"), hour, "gb")).collect();
            push_all(&mut queue, &bad);
        }
        push_all(&mut queue, &(20..23).map(|hour| event("ent-mixed", hour, "blocked")).collect::<Vec<_>>());
        push_all(&mut queue, &(23..29).map(|hour| event("ent-mixed", hour, "gb")).collect::<Vec<_>>());
        push_all(&mut queue, &(30..36).map(|hour| event("ent-good", hour, "gb")).collect::<Vec<_>>());
        assert_eq!(queue.flush().await.delivered.len(), 0, "{status}");
        assert_eq!(queue.flush().await.delivered.len(), 6, "{status}");
        assert_eq!(queue.flush().await.delivered.len(), 0, "{status}: what failed longest ago comes first");
        assert_eq!(queue.flush().await.delivered.len(), 6, "{status}");
        assert_eq!(queue.pending(), 3 * 9 + 3);
    }
}

#[tokio::test(start_paused = true)]
async fn recovered_entitlement_is_sent_by_its_timestamps() {
    let sent = Mutex::new(0);
    let server = ScriptedServer::start(move |request| {
        let mut sent = sent.lock().unwrap();
        *sent += 1;
        if *sent == 1 { ScriptedResponse::json(403, "\"no\"") } else { stored_as_sent(request) }
    });
    let mut queue = new_queue(&server).concurrency(1);
    push_all(&mut queue, &[UsageEvent::new("ent-1", timestamp(0)).quantity("gb", 1)]);
    assert_eq!((queue.flush().await.unsent.len(), queue.flush().await.delivered.len()), (1, 1));
    push_all(&mut queue, &[1, 2].map(|hour| UsageEvent::new(format!("ent-{hour}"), timestamp(hour)).quantity("gb", 1)));
    assert_eq!(queue.flush().await.delivered.len(), 2);
    assert!(server.requests()[2].target.contains("/ent-1/"), "the older window");
}

#[tokio::test(start_paused = true)]
async fn intermittent_lookup_failures_do_not_end_the_others() {
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" if request.target.contains("-0&limit") => ScriptedResponse::json(200, &page_of(&[])),
        "GET" => ScriptedResponse::json(200, "<html>hello</html>"),
        _ => ScriptedResponse::json(409, "\"it is there\""),
    });
    let mut queue = new_queue(&server).concurrency(1);
    // Two lists are unreadable, and one is not.
    let entitlements = (0..12).map(|number| format!("ent-{number:02}-{}", if number % 3 == 2 { 0 } else { 1 }));
    push_all(
        &mut queue,
        &entitlements.map(|id| UsageEvent::new(id, timestamp(0)).quantity("gb", 1)).collect::<Vec<_>>(),
    );
    let receipt = queue.flush().await;
    let is_left = receipt.unsent.iter().any(|one| one.error.to_string().starts_with("not looked up"));
    assert!(receipt.unsent.len() == 12 && !is_left, "{receipt:?}");
}

#[tokio::test(start_paused = true)]
async fn concurrent_lookups_end_once_the_vendor_is_unavailable() {
    let many: Vec<_> =
        (0..40).map(|number| UsageEvent::new(format!("ent-{number:02}"), timestamp(0)).quantity("gb", 1)).collect();
    for (list, lists) in [
        (ScriptedResponse::json(401, "\"no\""), 1),
        (ScriptedResponse::new(503, &[], "<html>down</html>"), 4 * 3),
        (ScriptedResponse::json(500, "\"down\""), 4 * 10),
        (ScriptedResponse::json(200, "<html>hello</html>"), 3),
    ] {
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" => list.clone(),
            _ => ScriptedResponse::json(409, "\"it is there\""),
        });
        let mut queue = new_queue(&server).concurrency(1);
        push_all(&mut queue, &many);
        let receipt = queue.flush().await;
        let listed = || server.requests().into_iter().filter(|request| request.method == "GET").collect::<Vec<_>>();
        assert_eq!((receipt.unsent.len(), listed().len()), (40, lists), "{receipt:?}");
        let line = receipt.unsent.last().map(|last| last.error.to_string()).unwrap_or_default();
        assert!(line.contains("(not looked up, after others failed: "), "{line}");
        // The next flush begins with others.
        let first = listed().last().map(|request| request.target.clone());
        assert_eq!(queue.flush().await.unsent.len(), 40);
        assert_ne!(listed().get(lists).map(|request| request.target.clone()), first);
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_key_ends_the_lookups_as_well() {
    let server = ScriptedServer::start(move |request| match request.target.contains("/ent-0/") {
        true => ScriptedResponse::json(409, "\"it is there\""),
        false => ScriptedResponse::json(401, "\"no\""),
    });
    let mut queue = new_queue(&server).concurrency(1);
    for number in 0..3 {
        queue.push(UsageEvent::new(format!("ent-{number}"), timestamp(number)).quantity("gb", 1)).unwrap();
    }
    let receipt = queue.flush().await;
    assert_eq!((receipt.unsent.len(), server.requests().len()), (3, 2), "{receipt:?}");
    let line = receipt.unsent.iter().map(|one| one.error.to_string()).find(|line| line.contains("(not looked up"));
    assert!(line.is_some(), "{receipt:?}");
}

#[tokio::test(start_paused = true)]
async fn failing_entitlements_between_others_do_not_end_a_flush() {
    let server = ScriptedServer::start(|request| match request.target.contains("/ent-bad-") {
        true => ScriptedResponse::new(403, &[], "<html>blocked</html>"),
        false => stored_as_sent(request),
    });
    let mut queue = new_queue(&server).concurrency(1);
    for number in 0..9 {
        let of = |kind: &str, hour| UsageEvent::new(format!("ent-{kind}-{number}"), timestamp(hour)).quantity("gb", 1);
        push_all(&mut queue, &[of("bad", 2 * number), of("good", 2 * number + 1)]);
    }
    assert_eq!((queue.flush().await.delivered.len(), server.requests().len()), (9, 18));
}

#[tokio::test(start_paused = true)]
async fn invalid_event_found_by_validation_is_never_stored() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let bad = |number: i64| {
        [
            UsageEvent::new("ent-aws02", timestamp(number)).quantity("ingest_gb", 1),
            UsageEvent::new("ent-gcp01", timestamp(number)).quantity("no_such", 1),
            UsageEvent::new("no-such-1", timestamp(number)).quantity("ingest_gb", 1),
        ]
    };
    let mut queue = client.usage_queue().flush_timeout(None).validate_first();
    let mut good = Vec::new();
    for number in 0..60 {
        good.extend(events(number));
        push_all(&mut queue, &events(number));
        if number % 20 == 0 {
            push_all(&mut queue, &bad(number));
        }
    }
    // A failure of the server proves nothing about the events.
    sandbox.inject("500; times=1; operation=batchValidateUsageRecordGroups".parse().unwrap()).unwrap();
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "180 delivered, 0 already delivered, 9 rejected, 0 unsent");
    let words: BTreeSet<_> = receipt.rejected.iter().map(|one| one.error.message().to_owned()).collect();
    let expected = ["entitlement no-such-1 not found", "the entitlement is not active", "unknown dimension no_such"];
    assert_eq!(words, expected.map(|reason| format!("usage record group 0 is not valid: {reason}")).into());
    assert_there_once(&client, &good).await;

    // The event was not stored, so its id is free.
    queue.push(bad(0)[0].clone().quantity("ingest_gb", 2)).unwrap();
    let sent = sandbox.requests().len();
    for fault in ["500", "503", "reset_before"] {
        sandbox.clear_faults();
        sandbox.inject(format!("{fault}; operation=batchValidateUsageRecordGroups").parse().unwrap()).unwrap();
        let receipt = queue.flush().await;
        assert_eq!(receipt.to_string(), "0 delivered, 0 already delivered, 0 rejected, 1 unsent", "{fault}");
        assert!(receipt.unsent[0].error.to_string().starts_with("not sent, because Suger could not validate it: "));
    }
    assert!(sandbox.requests()[sent..].iter().all(|request| request.path.ends_with("/batchValidateUsageRecordGroups")));
}

#[tokio::test(start_paused = true)]
async fn failing_validation_rejects_no_event() {
    let good = |number: i64| UsageEvent::new("ent-good", timestamp(number)).quantity("gb", 1);
    let bad = UsageEvent::new("ent-bad", timestamp(0)).quantity("gb", 1);
    let out_of_order = "\"database: connection refused\"";
    // Responses to the validation of the invalid event and of the valid ones, and the expected receipt.
    for (of_bad, of_good, expected) in [
        ("\"the entitlement is not active\"", None, "3 delivered, 0 already delivered, 1 rejected, 0 unsent"),
        ("\"Internal Server Error\"", None, "3 delivered, 0 already delivered, 0 rejected, 1 unsent"),
        ("", None, "3 delivered, 0 already delivered, 0 rejected, 1 unsent"),
        ("<html><title>500</title></html>", None, "3 delivered, 0 already delivered, 0 rejected, 1 unsent"),
        (out_of_order, Some(out_of_order), "0 delivered, 0 already delivered, 0 rejected, 4 unsent"),
    ] {
        let server = ScriptedServer::start(move |request| {
            let is_check = request.target.ends_with("/batchValidateUsageRecordGroups");
            let is_about = |entitlement: &str| is_check && request.body.contains(entitlement);
            let fault = Some(of_bad).filter(|_| is_about("ent-bad")).or(of_good.filter(|_| is_about("ent-good")));
            match fault {
                Some(body) => ScriptedResponse::new(500, &[], body),
                None if is_check => ScriptedResponse::json(200, ""),
                None if request.method == "GET" => ScriptedResponse::json(200, &page_of(&[])),
                None => stored_as_sent(request),
            }
        });
        let receipt = flushed(new_queue(&server).validate_first(), &[bad.clone(), good(1), good(2), good(3)]).await;
        assert_eq!(receipt.to_string(), expected, "{of_bad}: {receipt:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn proxy_that_blocks_validation_rejects_no_event() {
    let good = |number: i64| UsageEvent::new("ent-good", timestamp(number)).quantity("gb", 1);
    let bad = UsageEvent::new("ent-bad", timestamp(0)).quantity("gb", 1);
    const OF_SUGER: &[(&str, &str)] = &[("x-correlation-id", "c-1")];
    for (status, headers, body, rejected) in [
        (400, &[][..], "Request blocked", 0),
        (400, &[], r#"{"message": "Request blocked"}"#, 0),
        (422, &[], "<html><title>Blocked</title></html>", 0),
        (500, &[], r#"{"message": "upstream failed"}"#, 0),
        (400, OF_SUGER, r#"{"message": "unknown dimension"}"#, 0),
        (400, &[], r#""unknown dimension""#, 1),
    ] {
        for others in [vec![], vec![good(1), good(2)]] {
            let server = ScriptedServer::start(move |request| {
                let is_check = request.target.ends_with("/batchValidateUsageRecordGroups");
                match is_check {
                    true if request.body.contains("ent-bad") => ScriptedResponse::new(status, headers, body),
                    true => ScriptedResponse::json(200, ""),
                    false if request.method == "GET" => ScriptedResponse::json(200, &page_of(&[])),
                    false => stored_as_sent(request),
                }
            });
            let mut queue = new_queue(&server).validate_first();
            push_all(&mut queue, &others);
            push_all(&mut queue, std::slice::from_ref(&bad));
            let receipt = queue.flush().await;
            let found = (receipt.delivered.len(), receipt.rejected.len(), receipt.unsent.len());
            assert_eq!(found, (others.len(), rejected, 1 - rejected), "{status} {body}: {receipt:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn usage_that_was_reported_proves_that_validation_works() {
    let reported = |entitlement: &str, status: &str| {
        let event = UsageEvent::new(entitlement, timestamp(0)).quantity("gb", 1);
        group_for(&event, json!({"status": status}))
    };
    for (listed, rejected) in [
        (vec![reported("ent-good", "REPORTED")], 2),
        // It has become invalid, or never was reported.
        (vec![reported("ent-bad", "REPORTED")], 0),
        (vec![reported("ent-good", "CREATED")], 0),
        (vec![], 0),
    ] {
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" if request.target.contains("status=REPORTED") => ScriptedResponse::json(200, &page_of(&listed)),
            "GET" => ScriptedResponse::json(200, &page_of(&[])),
            _ if !request.target.ends_with("/batchValidateUsageRecordGroups") => stored_as_sent(request),
            _ if request.body.contains("ent-bad") => {
                ScriptedResponse::json(500, "\"usage record group 0: dimension gb not found\"")
            }
            _ => ScriptedResponse::json(200, ""),
        });
        let mut queue = new_queue(&server).validate_first();
        let bad = [0, 1].map(|hour| UsageEvent::new("ent-bad", timestamp(hour)).quantity("gb", 1));
        push_all(&mut queue, &bad);
        let receipt = queue.flush().await;
        assert_eq!((receipt.rejected.len(), receipt.unsent.len()), (rejected, 2 - rejected), "{receipt:?}");
        let lists = server.requests().into_iter().filter(|request| request.target.contains("status=REPORTED"));
        assert_eq!(lists.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn invalidated_usage_is_replaced_by_reported_usage() {
    let of = |entitlement: &str, number: i64| UsageEvent::new(entitlement, timestamp(number)).quantity("gb", 1);
    // The known usage is that of the queue, or reported usage.
    for queued in [vec![of("ent-1", 1)], vec![]] {
        let flushes = Arc::new(AtomicUsize::new(0));
        let flush = flushes.clone();
        let server = ScriptedServer::start(move |request| {
            let is_later = flush.load(SeqCst) > 0;
            let reported = group_for(&of(if is_later { "ent-2" } else { "ent-1" }, 0), json!({"status": "REPORTED"}));
            match request.method.as_str() {
                "GET" if request.target.contains("status=REPORTED") => {
                    ScriptedResponse::json(200, &page_of(&[reported]))
                }
                "GET" => ScriptedResponse::json(200, &page_of(&[])),
                _ if !request.target.ends_with("/batchValidateUsageRecordGroups") => stored_as_sent(request),
                _ if request.body.contains("ent-bad") || is_later && request.body.contains("ent-1") => {
                    ScriptedResponse::json(500, "\"usage record group 0: the entitlement is not active\"")
                }
                _ => ScriptedResponse::json(200, ""),
            }
        });
        let mut queue = new_queue(&server).validate_first();
        push_all(&mut queue, &queued);
        for number in [2, 3] {
            push_all(&mut queue, &[of("ent-bad", number)]);
            let receipt = queue.flush().await;
            assert_eq!((receipt.rejected.len(), receipt.unsent.len()), (1, 0), "{number} {queued:?}: {receipt:?}");
            flushes.fetch_add(1, SeqCst);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn status_500_rejects_an_event_only_if_another_passes() {
    let of = |entitlement: &str, number: i64| UsageEvent::new(entitlement, timestamp(number)).quantity("gb", 1);
    for (queued, expected) in [
        (vec![of("ent-bad", 0)], "0 delivered, 0 already delivered, 0 rejected, 1 unsent"),
        (vec![of("ent-bad", 0), of("ent-bad", 1)], "0 delivered, 0 already delivered, 0 rejected, 2 unsent"),
        (vec![of("ent-bad", 0), of("ent-bad-2", 1)], "0 delivered, 0 already delivered, 0 rejected, 2 unsent"),
        (vec![of("ent-bad", 0), of("ent-good", 1)], "1 delivered, 0 already delivered, 1 rejected, 0 unsent"),
        // The event that passes is in another batch.
        (
            (0..100).map(|hour| of("ent-bad", hour)).chain([of("ent-good", 100)]).collect(),
            "1 delivered, 0 already delivered, 100 rejected, 0 unsent",
        ),
    ] {
        let server = ScriptedServer::start(|request| {
            let is_check = request.target.ends_with("/batchValidateUsageRecordGroups");
            match is_check {
                true if request.body.contains("ent-bad") => {
                    ScriptedResponse::json(500, "\"lookup failed: context deadline exceeded\"")
                }
                true => ScriptedResponse::json(200, ""),
                false if request.method == "GET" => ScriptedResponse::json(200, &page_of(&[])),
                false => stored_as_sent(request),
            }
        });
        let mut queue = new_queue(&server).validate_first();
        push_all(&mut queue, &queued);
        assert_eq!(queue.flush().await.to_string(), expected);
        if expected.starts_with('1') {
            // The event that passed proves it in later flushes as well.
            push_all(&mut queue, &[of("ent-bad", 200)]);
            assert_eq!(queue.flush().await.rejected.len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn suspect_is_invalid_if_reason_repeats_and_empty_batch_passes() {
    let event = UsageEvent::new("ent-1", timestamp(0)).quantity("gb", 1);
    const REASON: (u16, &str) = (400, "\"unknown dimension gb\"");
    const PAGE: (u16, &str) = (400, "<html><title>Blocked</title></html>");
    const OTHER: (u16, &str) = (400, "\"nothing to validate\"");
    const FAULT: (u16, &str) = (500, "\"unknown dimension gb\"");
    const PASSED: (u16, &str) = (200, "");
    // Responses to the event, to it again, and to an empty batch; and the delivered, rejected and unsent events.
    for (responses, expected) in [
        (vec![REASON, REASON, PASSED], (0, 1, 0)),
        (vec![REASON, REASON, OTHER], (0, 1, 0)),
        (vec![REASON, REASON, REASON], (0, 0, 1)),
        (vec![REASON, REASON, PAGE], (0, 0, 1)),
        (vec![REASON, OTHER], (0, 0, 1)),
        (vec![REASON, PAGE], (0, 0, 1)),
        (vec![REASON, PASSED], (1, 0, 0)),
        (vec![PAGE], (0, 0, 1)),
        (vec![FAULT, FAULT], (0, 0, 1)),
    ] {
        let (count, case) = (responses.len(), format!("{responses:?}"));
        let left = Mutex::new(responses.into_iter());
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" => ScriptedResponse::json(200, &page_of(&[])),
            _ if !request.target.ends_with("/batchValidateUsageRecordGroups") => stored_as_sent(request),
            _ => {
                let (status, body) = left.lock().unwrap().next().expect("no more is validated");
                ScriptedResponse::new(status, &[], body)
            }
        });
        let receipt = flushed(new_queue(&server).validate_first(), std::slice::from_ref(&event)).await;
        assert_eq!((receipt.delivered.len(), receipt.rejected.len(), receipt.unsent.len()), expected, "{case}");
        let requests = server.requests();
        let validations = requests.iter().filter(|it| it.target.ends_with("/batchValidateUsageRecordGroups"));
        assert_eq!(validations.count(), count, "{case}");
    }
}
