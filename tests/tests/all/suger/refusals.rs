//! What is refused, or meets a vendor that is down, stops nothing else, and is told in the vendor's words.

use std::collections::BTreeSet;
use std::sync::Mutex;

use usage_billing::suger::UsageEvent;
use usage_billing_tests::{Reply, ScriptedServer};

use super::{assert_there_once, client, page_of, push_all, reports, sandbox, scripted, stored_as_sent, window};

#[tokio::test(start_paused = true)]
async fn a_bad_entitlement_stops_no_other_and_the_vendors_words_are_told() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let mut queue = client.usage_queue().flush_timeout(None).concurrency(1);
    let at = window(0);
    let bad = [
        (UsageEvent::new("no-such-1", at).quantity("ingest_gb", 1), "entitlement not found"),
        (UsageEvent::new("ent-aws02", at).quantity("ingest_gb", 1), "as INVALID: it will not be billed"),
        (UsageEvent::new("ent-aws01", at).quantity("ingest", 1), "as INVALID: it will not be billed"),
    ];
    for (report, _) in &bad {
        queue.push(report.clone()).unwrap();
    }
    push_all(&mut queue, &reports(0));
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "3 delivered, 0 already delivered, 3 rejected, 0 unsent");
    for (report, words) in &bad {
        let told = receipt.rejected.iter().find(|one| one.report == *report).unwrap();
        assert!(told.error.to_string().contains(words), "{}", told.error);
    }
    // An id that is used up is refused; one that Suger never had is free, with other quantities too.
    let error = queue.push(bad[1].0.clone()).unwrap_err();
    assert!(error.to_string().starts_with("the report's id is used up at Suger (ent-aws02, "), "{error}");
    queue.push(bad[0].0.clone().quantity("ingest_gb", 2)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_entitlement_that_brings_no_answers_is_left_alone_and_holds_up_no_other() {
    let server = ScriptedServer::start(|request| match request.target.contains("/ent-bad/") {
        true => Reply::json(500, "\"out of order\""),
        false => stored_as_sent(request),
    });
    let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
    for hour in 0..20 {
        for entitlement in ["ent-bad", "ent-good"] {
            queue.push(UsageEvent::new(entitlement, window(hour)).quantity("gb", 1)).unwrap();
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
async fn a_vendor_that_is_down_or_refuses_the_key_is_not_asked_for_every_report() {
    let many: Vec<_> =
        (0..40).map(|number| UsageEvent::new(format!("ent-{number}"), window(0)).quantity("gb", 1)).collect();
    for (reply, asked) in [
        (Reply::json(401, "\"no\""), 1),
        (Reply::dropped(), 4 * 3),
        (Reply::json(503, "\"down\""), 4 * 3),
        (Reply::json(500, "\"down\""), 4 * 10),
        (Reply::json(403, "\"no\""), 10),
    ] {
        let server = ScriptedServer::in_turn(vec![reply]);
        let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
        push_all(&mut queue, &many);
        let receipt = queue.flush().await;
        assert_eq!((receipt.unsent.len(), queue.pending(), server.requests().len()), (40, 40, asked));
    }
}

#[tokio::test(start_paused = true)]
async fn a_few_entitlements_that_always_fail_do_not_hold_up_the_others_even_if_they_are_the_oldest() {
    let server = ScriptedServer::start(|request| match request.target.contains("/ent-bad-") {
        true => Reply::json(500, "\"out of order\""),
        false => stored_as_sent(request),
    });
    let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
    for number in 0..9 {
        queue.push(UsageEvent::new(format!("ent-bad-{number}"), window(0)).quantity("gb", 1)).unwrap();
        queue.push(UsageEvent::new(format!("ent-good-{number}"), window(1)).quantity("gb", 1)).unwrap();
    }
    assert_eq!(queue.flush().await.to_string(), "9 delivered, 0 already delivered, 0 rejected, 9 unsent");
}

#[tokio::test(start_paused = true)]
async fn entitlements_that_end_a_flush_do_not_end_the_next_one_at_the_same_place() {
    // A firewall blocks three entitlements, the oldest; of another, it blocks three reports, the oldest.
    for (status, body) in [(403, "<html>blocked</html>"), (200, "<html>hello</html>"), (400, "<html>no</html>")] {
        let server = ScriptedServer::start(move |request| {
            match request.target.contains("/ent-bad-") || request.body.contains("blocked") {
                true => Reply::new(status, &[], body),
                false if request.method == "GET" => Reply::json(200, &page_of(&[])),
                false => stored_as_sent(request),
            }
        });
        let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
        let report = |entitlement: &str, hour: i64, dimension: &str| {
            UsageEvent::new(entitlement, window(hour)).quantity(dimension, 1)
        };
        for number in 0..3 {
            let bad: Vec<_> = (0..9).map(|hour| report(&format!("ent-bad-{number}"), hour, "gb")).collect();
            push_all(&mut queue, &bad);
        }
        push_all(&mut queue, &(20..23).map(|hour| report("ent-mixed", hour, "blocked")).collect::<Vec<_>>());
        push_all(&mut queue, &(23..29).map(|hour| report("ent-mixed", hour, "gb")).collect::<Vec<_>>());
        push_all(&mut queue, &(30..36).map(|hour| report("ent-good", hour, "gb")).collect::<Vec<_>>());
        assert_eq!(queue.flush().await.delivered.len(), 0, "{status}");
        assert_eq!(queue.flush().await.delivered.len(), 6, "{status}");
        assert_eq!(queue.flush().await.delivered.len(), 0, "{status}: what failed longest ago comes first");
        assert_eq!(queue.flush().await.delivered.len(), 6, "{status}");
        assert_eq!(queue.pending(), 3 * 9 + 3);
    }
}

#[tokio::test(start_paused = true)]
async fn entitlement_that_gets_through_again_has_its_turn_by_its_windows() {
    let sent = Mutex::new(0);
    let server = ScriptedServer::start(move |request| {
        let mut sent = sent.lock().unwrap();
        *sent += 1;
        if *sent == 1 { Reply::json(403, "\"no\"") } else { stored_as_sent(request) }
    });
    let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
    push_all(&mut queue, &[UsageEvent::new("ent-1", window(0)).quantity("gb", 1)]);
    assert_eq!((queue.flush().await.unsent.len(), queue.flush().await.delivered.len()), (1, 1));
    push_all(&mut queue, &[1, 2].map(|hour| UsageEvent::new(format!("ent-{hour}"), window(hour)).quantity("gb", 1)));
    assert_eq!(queue.flush().await.delivered.len(), 2);
    assert!(server.requests()[2].target.contains("/ent-1/"), "the older window");
}

#[tokio::test(start_paused = true)]
async fn lookups_that_fail_now_and_then_do_not_end_the_others() {
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" if request.target.contains("-0&limit") => Reply::json(200, &page_of(&[])),
        "GET" => Reply::json(200, "<html>hello</html>"),
        _ => Reply::json(409, "\"it is there\""),
    });
    let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
    // Two lists that cannot be read, and one that can.
    let entitlements = (0..12).map(|number| format!("ent-{number:02}-{}", if number % 3 == 2 { 0 } else { 1 }));
    push_all(&mut queue, &entitlements.map(|id| UsageEvent::new(id, window(0)).quantity("gb", 1)).collect::<Vec<_>>());
    let receipt = queue.flush().await;
    let is_left = receipt.unsent.iter().any(|one| one.error.to_string().starts_with("not looked up"));
    assert!(receipt.unsent.len() == 12 && !is_left, "{receipt:?}");
}

#[tokio::test(start_paused = true)]
async fn lookups_run_several_at_a_time_and_end_once_the_vendor_is_down() {
    let many: Vec<_> =
        (0..40).map(|number| UsageEvent::new(format!("ent-{number:02}"), window(0)).quantity("gb", 1)).collect();
    for (list, lists) in [
        (Reply::json(401, "\"no\""), 1),
        (Reply::new(503, &[], "<html>down</html>"), 4 * 3),
        (Reply::json(500, "\"down\""), 4 * 10),
        (Reply::json(200, "<html>hello</html>"), 3),
    ] {
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" => list.clone(),
            _ => Reply::json(409, "\"it is there\""),
        });
        let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
        push_all(&mut queue, &many);
        let receipt = queue.flush().await;
        let listed = || server.requests().into_iter().filter(|request| request.method == "GET").collect::<Vec<_>>();
        assert_eq!((receipt.unsent.len(), listed().len()), (40, lists), "{receipt:?}");
        let line = receipt.unsent.last().map(|last| last.error.to_string()).unwrap_or_default();
        assert!(line.starts_with("not looked up, after others failed: "), "{line}");
        // The next flush begins with others.
        let first = listed().last().map(|request| request.target.clone());
        assert_eq!(queue.flush().await.unsent.len(), 40);
        assert_ne!(listed().get(lists).map(|request| request.target.clone()), first);
    }
}

#[tokio::test(start_paused = true)]
async fn refused_key_ends_the_lookups_as_well() {
    let server = ScriptedServer::start(move |request| match request.target.contains("/ent-0/") {
        true => Reply::json(409, "\"it is there\""),
        false => Reply::json(401, "\"no\""),
    });
    let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
    for number in 0..3 {
        queue.push(UsageEvent::new(format!("ent-{number}"), window(number)).quantity("gb", 1)).unwrap();
    }
    let receipt = queue.flush().await;
    assert_eq!((receipt.unsent.len(), server.requests().len()), (3, 2), "{receipt:?}");
    let line = receipt.unsent.iter().map(|one| one.error.to_string()).find(|line| line.starts_with("not looked up"));
    assert!(line.is_some(), "{receipt:?}");
}

#[tokio::test(start_paused = true)]
async fn entitlements_without_answers_between_others_do_not_end_a_flush() {
    let server = ScriptedServer::start(|request| match request.target.contains("/ent-bad-") {
        true => Reply::new(403, &[], "<html>blocked</html>"),
        false => stored_as_sent(request),
    });
    let mut queue = scripted(&server).usage_queue().flush_timeout(None).concurrency(1);
    for number in 0..9 {
        let of = |kind: &str, hour| UsageEvent::new(format!("ent-{kind}-{number}"), window(hour)).quantity("gb", 1);
        push_all(&mut queue, &[of("bad", 2 * number), of("good", 2 * number + 1)]);
    }
    assert_eq!((queue.flush().await.delivered.len(), server.requests().len()), (9, 18));
}

#[tokio::test(start_paused = true)]
async fn checked_first_a_bad_report_is_rejected_and_never_stored() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let bad = |number: i64| {
        [
            UsageEvent::new("ent-aws02", window(number)).quantity("ingest_gb", 1),
            UsageEvent::new("ent-gcp01", window(number)).quantity("no_such", 1),
            UsageEvent::new("no-such-1", window(number)).quantity("ingest_gb", 1),
        ]
    };
    let mut queue = client.usage_queue().flush_timeout(None).validate_first();
    let mut good = Vec::new();
    for number in 0..60 {
        good.extend(reports(number));
        push_all(&mut queue, &reports(number));
        if number % 20 == 0 {
            push_all(&mut queue, &bad(number));
        }
    }
    // One that the server is at fault for says nothing of the reports.
    sandbox.inject("500; times=1; operation=batchValidateUsageRecordGroups".parse().unwrap()).unwrap();
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "180 delivered, 0 already delivered, 9 rejected, 0 unsent");
    let words: BTreeSet<_> = receipt.rejected.iter().map(|one| one.error.message().to_owned()).collect();
    let expected = ["entitlement no-such-1 not found", "the entitlement is not active", "unknown dimension no_such"];
    assert_eq!(words, expected.map(|reason| format!("usage record group 0 is not valid: {reason}")).into());
    assert_there_once(&client, &good).await;

    // Not stored, so the id is free.
    queue.push(bad(0)[0].clone().quantity("ingest_gb", 2)).unwrap();
    let sent = sandbox.requests().len();
    for fault in ["500", "503", "reset_before"] {
        sandbox.clear_faults();
        sandbox.inject(format!("{fault}; operation=batchValidateUsageRecordGroups").parse().unwrap()).unwrap();
        let receipt = queue.flush().await;
        assert_eq!(receipt.to_string(), "0 delivered, 0 already delivered, 0 rejected, 1 unsent", "{fault}");
        assert!(receipt.unsent[0].error.to_string().starts_with("not sent, because Suger could not check it: "));
    }
    assert!(sandbox.requests()[sent..].iter().all(|request| request.path.ends_with("/batchValidateUsageRecordGroups")));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_out_of_order_refuses_nothing() {
    let good = |number: i64| UsageEvent::new("ent-good", window(number)).quantity("gb", 1);
    let bad = UsageEvent::new("ent-bad", window(0)).quantity("gb", 1);
    let out_of_order = "\"database: connection refused\"";
    // What the check answers of the bad report and of the good ones, and what is told.
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
                Some(body) => Reply::new(500, &[], body),
                None if is_check => Reply::json(200, ""),
                None if request.method == "GET" => Reply::json(200, &page_of(&[])),
                None => stored_as_sent(request),
            }
        });
        let mut queue = scripted(&server).usage_queue().flush_timeout(None).validate_first();
        push_all(&mut queue, &[bad.clone(), good(1), good(2), good(3)]);
        let receipt = queue.flush().await;
        assert_eq!(receipt.to_string(), expected, "{of_bad}: {receipt:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_blocks_the_check_rejects_no_report() {
    let good = |number: i64| UsageEvent::new("ent-good", window(number)).quantity("gb", 1);
    let bad = UsageEvent::new("ent-bad", window(0)).quantity("gb", 1);
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
                    true if request.body.contains("ent-bad") => Reply::new(status, headers, body),
                    true => Reply::json(200, ""),
                    false if request.method == "GET" => Reply::json(200, &page_of(&[])),
                    false => stored_as_sent(request),
                }
            });
            let mut queue = scripted(&server).usage_queue().flush_timeout(None).validate_first();
            push_all(&mut queue, &others);
            push_all(&mut queue, std::slice::from_ref(&bad));
            let receipt = queue.flush().await;
            let found = (receipt.delivered.len(), receipt.rejected.len(), receipt.unsent.len());
            assert_eq!(found, (others.len(), rejected, 1 - rejected), "{status} {body}: {receipt:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_500_rejects_a_report_only_if_another_passes_the_check() {
    let of = |entitlement: &str, number: i64| UsageEvent::new(entitlement, window(number)).quantity("gb", 1);
    for (queued, expected) in [
        (vec![of("ent-bad", 0)], "0 delivered, 0 already delivered, 0 rejected, 1 unsent"),
        (vec![of("ent-bad", 0), of("ent-bad", 1)], "0 delivered, 0 already delivered, 0 rejected, 2 unsent"),
        (vec![of("ent-bad", 0), of("ent-bad-2", 1)], "0 delivered, 0 already delivered, 0 rejected, 2 unsent"),
        (vec![of("ent-bad", 0), of("ent-good", 1)], "1 delivered, 0 already delivered, 1 rejected, 0 unsent"),
        // The one that passes is in another lot.
        (
            (0..100).map(|hour| of("ent-bad", hour)).chain([of("ent-good", 100)]).collect(),
            "1 delivered, 0 already delivered, 100 rejected, 0 unsent",
        ),
    ] {
        let server = ScriptedServer::start(|request| {
            let is_check = request.target.ends_with("/batchValidateUsageRecordGroups");
            match is_check {
                true if request.body.contains("ent-bad") => {
                    Reply::json(500, "\"lookup failed: context deadline exceeded\"")
                }
                true => Reply::json(200, ""),
                false if request.method == "GET" => Reply::json(200, &page_of(&[])),
                false => stored_as_sent(request),
            }
        });
        let mut queue = scripted(&server).usage_queue().flush_timeout(None).validate_first();
        push_all(&mut queue, &queued);
        assert_eq!(queue.flush().await.to_string(), expected);
    }
}
