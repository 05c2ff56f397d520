//! Proof of delivery, for every pair of the group at Suger and the response of Suger.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use usage_billing::suger::{Client, Delivery, Receipt, UsageEvent};
use usage_billing::{AccessToken, ApiKey, Error, ErrorKind, RetryPolicy};
use usage_billing_tests::{ClosedPort, Request, ScriptedResponse, ScriptedServer, now, untimed};

use super::{flushed, group_for, group_of, ids, listing, new_queue, page_of, scripted, stored_as_sent, timestamp};

/// Groups at Suger under the event's id before it is sent, as fields that replace the event's own.
const HOLDINGS: [Option<&str>; 14] = [
    None,
    Some(r#"{}"#),
    Some(r#"{"status": "REPORTED"}"#),
    Some(r#"{"status": "REPORT_PENDING"}"#),
    Some(r#"{"metaInfo": {"timestamp": "2026-10-01T07:00:00Z", "originRecords": {"gb": 4, "calls": 3}}}"#),
    Some(r#"{"metaInfo": {"timestamp": "2026-10-01T07:00:00Z", "originRecords": {"gb": 5, "calls": 2}}}"#),
    Some(r#"{"metaInfo": {"timestamp": "2026-10-01T07:00:00Z", "originRecords": {"gb": 5}}}"#),
    Some(r#"{"entitlementID": "e-2"}"#),
    Some(r#"{"entitlementID": "e-2", "status": "INVALID"}"#),
    Some(r#"{"entitlementID": null}"#),
    Some(r#"{"status": "INVALID"}"#),
    Some(r#"{"status": "DELETED"}"#),
    Some(r#"{"status": "REPORT_FAILED"}"#),
    Some(r#"{"status": "REJECTED_NEW"}"#),
];

/// The effect of the request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    Stored,
    Ignored,
}

#[derive(Clone, Debug)]
enum Behavior {
    /// The group as it is stored.
    Truth,
    /// The group that was sent, with other fields.
    Other(&'static str),
    Status(u16, &'static str),
    Dropped,
    CutOff,
}

fn behaviors() -> Vec<Behavior> {
    let (json, page) = (r#""the service's words""#, "<html><title>Gone</title></html>");
    let mut all = vec![
        Behavior::Truth,
        Behavior::Other(r#"{"id": "another-id"}"#),
        Behavior::Other(r#"{"entitlementID": "e-2"}"#),
        Behavior::Other(r#"{"metaInfo": {"originRecords": {"gb": 4, "calls": 3}}}"#),
        Behavior::Other(r#"{"metaInfo": {"originRecords": {"gb": 5, "calls": 2}}}"#),
        Behavior::Other(r#"{"metaInfo": {"originRecords": {"gb": 5}}}"#),
        Behavior::Other(r#"{"records": {}, "metaInfo": null}"#),
        Behavior::Other(r#"{"status": "INVALID"}"#),
        Behavior::Other(r#"{"entitlementID": "e-2", "status": "INVALID"}"#),
        Behavior::Other(r#"{"status": "DELETED"}"#),
        Behavior::Other(r#"{"status": "REPORT_FAILED"}"#),
        Behavior::Other(r#"{"status": "REJECTED_NEW"}"#),
        Behavior::Other(r#"{"status": null}"#),
        Behavior::Status(200, "{}"),
        Behavior::Status(200, r#"{"error": "maintenance"}"#),
        Behavior::Status(200, page),
        Behavior::Status(200, "null"),
        Behavior::Status(200, r#"{"id": "#),
        Behavior::Status(200, ""),
        Behavior::Dropped,
        Behavior::CutOff,
    ];
    for status in [400, 404, 409, 410, 413, 421, 422, 423] {
        all.extend([json, page, r#"{"message": "of a gateway"}"#].map(|body| Behavior::Status(status, body)));
    }
    all.extend([401, 403, 408, 429, 500, 503].map(|status| Behavior::Status(status, json)));
    all
}

/// A server with one group.
struct Vendor {
    held: Option<Value>,
    stored: usize,
    behavior: Option<(Effect, Behavior)>,
    /// Whether its list works.
    lists: bool,
}

/// Returns one server for all pairs: creating a client takes longer than its use.
fn vendor() -> (Arc<Mutex<Vendor>>, Client) {
    let vendor = Arc::new(Mutex::new(Vendor { held: None, stored: 0, behavior: None, lists: true }));
    let shared = vendor.clone();
    let server = ScriptedServer::start(move |request| shared.lock().unwrap().response(request));
    (vendor, scripted(&server))
}

impl Vendor {
    fn response(&mut self, request: &Request) -> ScriptedResponse {
        if request.method == "GET" && !self.lists {
            return ScriptedResponse::json(500, r#""down""#);
        }
        if request.method == "GET" {
            return ScriptedResponse::json(200, &page_of(&self.held.iter().cloned().collect::<Vec<_>>()));
        }
        let is_new = self.held.is_none();
        let (effect, behavior) = self.behavior.clone().unwrap_or((Effect::Stored, Behavior::Truth));
        if is_new && effect == Effect::Stored {
            self.held = Some(group_of(request, json!({})));
            self.stored += 1;
        }
        match behavior {
            Behavior::Truth => match &self.held {
                Some(held) if is_new => ScriptedResponse::json(200, &held.to_string()),
                Some(_) => ScriptedResponse::json(409, r#""usage record group exists already""#),
                None => ScriptedResponse::json(404, r#""entitlement not found""#),
            },
            Behavior::Other(fields) => {
                ScriptedResponse::json(200, &group_of(request, serde_json::from_str(fields).unwrap()).to_string())
            }
            Behavior::Status(status, body) => {
                let media_type = if body.starts_with('<') { "text/html" } else { "application/json" };
                ScriptedResponse::new(status, &[("content-type", media_type)], body)
            }
            Behavior::Dropped => ScriptedResponse::dropped(),
            Behavior::CutOff => ScriptedResponse::truncated(200, "{"),
        }
    }

    /// Returns whether the usage of the event will be billed as it was sent.
    fn bills(&self, event: &UsageEvent) -> bool {
        self.held.as_ref().is_some_and(|held| {
            let status = held["status"].as_str().unwrap_or_default();
            let quantity =
                |name: &str| held["metaInfo"]["originRecords"][name].to_string().trim_matches('"').to_owned();
            ["CREATED", "REPORTED", "REPORT_PENDING"].contains(&status)
                && held["entitlementID"] == event.entitlement_id()
                && event.quantities().iter().all(|(name, sent)| quantity(name) == sent.to_string())
        })
    }
}

/// Asserts that the receipt of one event agrees with the vendor.
fn assert_true(receipt: &Receipt, bills: bool, case: &str) {
    assert_eq!(receipt.total(), 1, "{case}: {receipt:?}");
    let is_delivered = receipt.delivered.len() + receipt.already_delivered.len() == 1;
    assert!(!is_delivered || bills, "{case}: delivered, and not billed: {receipt:?}");
    assert!(receipt.rejected.is_empty() || !bills, "{case}: rejected, and billed: {receipt:?}");
    assert_eq!(receipt.is_complete(), is_delivered, "{case}: {receipt:?}");
}

#[tokio::test(start_paused = true)]
async fn receipt_is_correct_for_every_group_and_response() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5).quantity("calls", 3);
    let (vendor, client) = vendor();
    let mut pairs = 0;
    for held in HOLDINGS {
        for behavior in behaviors() {
            for (effect, lists) in
                [(Effect::Stored, true), (Effect::Ignored, true), (Effect::Stored, false), (Effect::Ignored, false)]
            {
                let case = format!("{held:?} {behavior:?} {effect:?} {lists}");
                let held = held.map(|fields| group_for(&event, serde_json::from_str(fields).unwrap()));
                *vendor.lock().unwrap() = Vendor { held, stored: 0, behavior: Some((effect, behavior.clone())), lists };
                let mut queue = client.usage_queue().flush_timeout(None);
                let id = queue.push(event.clone()).unwrap();

                let first = queue.flush().await;
                let bills = vendor.lock().unwrap().bills(&event);
                assert_true(&first, bills, &case);
                assert_eq!(
                    (queue.pending(), ids(&first.unsent).contains(&id)),
                    (first.unsent.len(), !first.unsent.is_empty())
                );

                assert!(lists || first.rejected.is_empty(), "{case}: rejected without a list: {first:?}");

                // Suger works again: open events are resolved, and stored once.
                (vendor.lock().unwrap().behavior, vendor.lock().unwrap().lists) = (None, true);
                let second = queue.flush().await;
                let vendor = vendor.lock().unwrap();
                match first.unsent.is_empty() {
                    true => assert_eq!(second.total(), 0, "{case}"),
                    false => assert_true(&second, vendor.bills(&event), &case),
                }
                let last = if first.unsent.is_empty() { &first } else { &second };
                let of_held = |name: &str| vendor.held.as_ref().map(|held| held[name].as_str().unwrap_or_default());
                match (of_held("status"), of_held("entitlementID")) {
                    // It stays visible until the group is requeued, or a user finds out what it is.
                    (Some("REPORT_FAILED" | "REJECTED_NEW"), _) | (_, Some("e-2" | "")) => {
                        assert_eq!(last.unsent.len(), 1, "{case}: {last:?}");
                    }
                    _ if vendor.bills(&event) => assert!(last.is_complete(), "{case}: {last:?}"),
                    _ => assert_eq!(last.rejected.len(), 1, "{case}: {last:?}"),
                }
                assert!(vendor.stored <= 1, "{case}: stored twice");
                pairs += 1;
            }
        }
    }
    assert!(pairs > 2500, "{pairs} pairs");
}

#[tokio::test(start_paused = true)]
async fn single_event_is_proved_by_the_same_rules() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5).quantity("calls", 3);
    let (vendor, client) = vendor();
    for held in HOLDINGS {
        for behavior in behaviors() {
            for (effect, lists) in
                [(Effect::Stored, true), (Effect::Ignored, true), (Effect::Stored, false), (Effect::Ignored, false)]
            {
                let case = format!("{held:?} {behavior:?} {effect:?} {lists}");
                let held = held.map(|fields| group_for(&event, serde_json::from_str(fields).unwrap()));
                let behavior = Some((effect, behavior.clone()));
                *vendor.lock().unwrap() = Vendor { held, stored: 0, behavior: behavior.clone(), lists };
                let outcome = client.send_usage(&event).await;
                let vendor = vendor.lock().unwrap();
                assert!(vendor.bills(&event) || outcome.is_err(), "{case}: {outcome:?}");
                match outcome {
                    Ok(Delivery::Delivered(group)) => {
                        assert_eq!(group.id, Some(event.id("acme").to_string()), "{case}")
                    }
                    Ok(_) => {}
                    Err(error) => assert_kind_is_correct(&error, &vendor, &event, behavior, &case),
                }
            }
        }
    }
}

/// Asserts that the kind of an error states a decision only if there is one.
fn assert_kind_is_correct(
    error: &Error,
    vendor: &Vendor,
    event: &UsageEvent,
    behavior: Option<(Effect, Behavior)>,
    case: &str,
) {
    let is_decided = matches!(error.kind(), ErrorKind::Api | ErrorKind::Failed | ErrorKind::Request);
    if !is_decided {
        return;
    }
    assert!(vendor.lists && !vendor.bills(event), "{case}: {error:?}");
    match &vendor.held {
        None => {
            let is_rejection = match behavior {
                Some((_, Behavior::Status(400 | 404 | 410 | 413 | 421 | 422 | 423, body))) => body.starts_with('"'),
                Some((_, Behavior::Truth)) => true,
                _ => false,
            };
            assert!(is_rejection && error.kind() == ErrorKind::Api && error.status().is_some(), "{case}: {error:?}");
        }
        Some(held) => {
            let is_open = ["REPORT_FAILED", "REJECTED_NEW"].contains(&held["status"].as_str().unwrap_or_default())
                || held["entitlementID"] != event.entitlement_id();
            assert!(!is_open && error.kind() == ErrorKind::Failed, "{case}: {error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rejection_after_a_lost_attempt_is_not_a_decision() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for (first, status) in [
        (ScriptedResponse::json(504, "\"timeout\""), 404),
        (ScriptedResponse::json(408, "\"timeout\""), 400),
        (ScriptedResponse::dropped(), 422),
    ] {
        let posts = Mutex::new(0);
        let server = ScriptedServer::start(move |request| {
            let mut posts = posts.lock().unwrap();
            *posts += usize::from(request.method == "POST");
            match (request.method.as_str(), *posts) {
                ("GET", _) => ScriptedResponse::json(200, &page_of(&[])),
                (_, 1) => first.clone(),
                _ => ScriptedResponse::json(status, "\"no\""),
            }
        });
        let error = scripted(&server).send_usage(&event).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempt_that_arrives_while_the_list_is_read_is_not_rejected() {
    let seconds = std::time::Duration::from_secs;
    for (is_single, after_restart) in [(true, false), (false, false), (false, true)] {
        let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
        let is_lost = Arc::new(Mutex::new(!after_restart));
        let (lost, (release, released)) = (is_lost.clone(), std::sync::mpsc::channel::<()>());
        let released = Mutex::new(released);
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" => {
                let _ = released.lock().unwrap().recv();
                ScriptedResponse::json(200, &page_of(&[]))
            }
            _ if *lost.lock().unwrap() => ScriptedResponse::dropped(),
            _ => ScriptedResponse::json(400, "\"no\""),
        });
        let client = scripted(&server);
        let queue = client.usage_queue().flush_timeout(None);
        let mut queue = if after_restart { queue.after_restart() } else { queue };
        queue.push(event.clone()).unwrap();
        if !after_restart {
            assert_eq!(queue.flush().await.unsent.len(), 1, "its response is lost");
        }
        *is_lost.lock().unwrap() = false;
        tokio::time::sleep(seconds(60)).await;
        // The list lasts until an earlier attempt cannot arrive any more. It may have arrived on a page that was read.
        let slowly = async {
            let is_requested = || server.requests().iter().any(|request| request.method == "GET");
            without_delay(async {
                while !is_requested() {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            tokio::time::sleep(seconds(250)).await;
            release.send(()).unwrap();
        };
        let line = match is_single {
            true => tokio::join!(client.send_usage(&event), slowly).0.unwrap_err().to_string(),
            false => tokio::join!(queue.flush(), slowly).0.unsent[0].error.to_string(),
        };
        assert!(line.contains("an earlier attempt may still arrive"), "{line}");
        drop(release);
        assert_eq!(queue.flush().await.rejected.len(), 1, "the next list begins afterwards");
    }
}

#[tokio::test(start_paused = true)]
async fn request_that_was_not_sent_cannot_arrive_later() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" if request.target.contains("buyerId") => {
            ScriptedResponse::new(429, &[("retry-after", "200")], "\"slow down\"")
        }
        "GET" => ScriptedResponse::json(200, &page_of(&[])),
        _ => ScriptedResponse::json(400, "\"no\""),
    });
    let client = scripted(&server);
    let list = client.usage_record_groups(|request| request.buyer_id("b-1")).try_collect();
    assert!(without_delay(list).await.is_err());
    let mut queue = client.usage_queue().flush_timeout(None);
    queue.push(event).unwrap();
    let line = without_delay(queue.flush()).await.unsent[0].error.to_string();
    assert!(line.contains("not sent: an earlier call was rejected with 429"), "{line}");
    tokio::time::sleep(std::time::Duration::from_secs(201)).await;
    assert_eq!(queue.flush().await.rejected.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn list_without_end_ends_at_its_time_limit() {
    let server = ScriptedServer::start(|request| {
        let offset: i64 =
            request.target.split("offset=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap_or(0);
        let entry = |number: i64| json!({"id": number.to_string(), "creationTime": "2020-01-01T00:00:00Z"});
        let ids: Vec<_> = (offset..offset + 1000).map(entry).collect();
        match request.method.as_str() {
            "GET" if request.target.contains("Report") => ScriptedResponse::json(
                200,
                &json!({"usageRecordReports": ids, "nextOffset": offset + 1000}).to_string(),
            ),
            "GET" => {
                ScriptedResponse::json(200, &json!({"usageRecordGroups": ids, "nextOffset": offset + 1000}).to_string())
            }
            _ => ScriptedResponse::json(409, "\"it is there\""),
        }
    });
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let client = scripted(&server).with_list_timeout(std::time::Duration::from_secs(600));
    let month = "2026-10".parse().unwrap();
    let errors = [
        client.confirm(&event).await.unwrap_err(),
        client.send_usage(&event).await.unwrap_err(),
        client.reported_usage(month).await.unwrap_err(),
        client.usage_record_groups_of(month, None, None).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.kind() == ErrorKind::WaitTimeout && error.to_string().contains("within 600 s"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn proxy_response_does_not_reject_an_unlisted_event() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for status in [400, 404, 410, 413, 421, 422, 423] {
        let of_gateway = r#"{"message": "no Route matched with those values"}"#;
        for (body, correlation, expected) in [
            ("\"no such thing\"", "", 0),
            ("<html>no</html>", "", 1),
            ("", "", 1),
            ("404 page not found", "", 1),
            (of_gateway, "", 1),
            (r#"{"message": "no such thing"}"#, "c-1", 1),
            (r#"{"code": "NotFound", "info": "", "message": "no such thing"}"#, "", 0),
            (r#"{"code": "NotFound", "message": "no such thing", "trace": "7"}"#, "", 1),
        ] {
            let server = ScriptedServer::start(move |request| match request.method.as_str() {
                "GET" => ScriptedResponse::json(200, &page_of(&[])),
                _ if correlation.is_empty() => ScriptedResponse::new(status, &[], body),
                _ => ScriptedResponse::new(status, &[("x-correlation-id", correlation)], body),
            });
            let mut queue = new_queue(&server);
            queue.push(event.clone()).unwrap();
            let receipt = queue.flush().await;
            assert_eq!((receipt.unsent.len(), receipt.rejected.len()), (expected, 1 - expected), "{status} {body}");
            if expected == 0 {
                // Suger does not have it: its id is free.
                queue.push(event.clone().quantity("gb", 6)).unwrap();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unreadable_list_decides_nothing() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for list in [
        ScriptedResponse::json(404, "\"entitlement not found\""),
        ScriptedResponse::json(404, r#"{"message": "no Route matched with those values"}"#),
        ScriptedResponse::json(500, "\"down\""),
        ScriptedResponse::json(200, "{}"),
        ScriptedResponse::json(200, r#"{"error": "maintenance"}"#),
        ScriptedResponse::json(200, r#"{"usageRecordGroups": {"error": "maintenance"}}"#),
        ScriptedResponse::new(200, &[], "<html>no</html>"),
        ScriptedResponse::dropped(),
    ] {
        for status in [400, 404, 409] {
            let list = list.clone();
            let server = ScriptedServer::start(move |request| match request.method.as_str() {
                "GET" => list.clone(),
                _ => ScriptedResponse::json(status, "\"no\""),
            });
            assert_eq!(
                flushed(new_queue(&server), [&event]).await.to_string(),
                "0 delivered, 0 already delivered, 0 rejected, 1 unsent"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_list_per_entitlement_resolves_all_its_events() {
    let all: Vec<_> =
        (0..30).map(|hour| UsageEvent::new(format!("e-{}", hour % 3), timestamp(hour)).quantity("gb", 5)).collect();
    let groups: Vec<_> = all.iter().map(|event| group_for(event, json!({}))).collect();
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => ScriptedResponse::json(200, &page_of(&groups)),
        _ if request.body.contains("e-1") => ScriptedResponse::json(200, "{}"),
        _ => ScriptedResponse::json(409, "\"it is there\""),
    });
    let mut queue = new_queue(&server).concurrency(1);
    for event in &all {
        queue.push(event.clone()).unwrap();
    }
    assert_eq!(queue.flush().await.to_string(), "0 delivered, 30 already delivered, 0 rejected, 0 unsent");
    let lists = server.requests().iter().filter(|request| request.method == "GET").count();
    assert_eq!(lists, 3);
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_trusted_on_request_without_lost_responses() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let other = group_for(&event, json!({"records": {"gb": 4}, "metaInfo": {"originRecords": {"gb": 4}}}));
    for (responses, trusts, expected) in [
        (vec![ScriptedResponse::json(409, "\"there\"")], true, "0 rejected, 0 unsent, 1 unverified"),
        (vec![ScriptedResponse::json(409, "\"there\"")], false, "1 rejected, 0 unsent"),
        // A proxy's page is not a response of Suger.
        (vec![ScriptedResponse::new(409, &[], "<html>conflict</html>")], true, "1 rejected, 0 unsent"),
        (vec![ScriptedResponse::dropped(), ScriptedResponse::json(409, "\"there\"")], true, "1 rejected, 0 unsent"),
    ] {
        let (listed, posts) = (page_of(std::slice::from_ref(&other)), Mutex::new(responses.into_iter()));
        let server = listing(listed, move |_| posts.lock().unwrap().next().expect("no more is sent"));
        let queue = new_queue(&server);
        let mut queue = if trusts { queue.trust_duplicates_unverified() } else { queue };
        queue.push(event.clone()).unwrap();
        let receipt = queue.flush().await;
        assert_eq!(receipt.to_string(), format!("0 delivered, 0 already delivered, {expected}"));
        assert!(!receipt.is_complete());
        let message = receipt.rejected.first().map(|one| one.error.to_string()).unwrap_or_default();
        assert!(receipt.rejected.is_empty() || message.contains("gb is 4 there, not 5"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_within_one_second_are_merged_or_rejected() {
    let server = ScriptedServer::start(stored_as_sent);
    let mut queue = new_queue(&server);
    let mut pushed = 0;
    for part in 0..4 {
        let at = timestamp(0) + chrono::TimeDelta::milliseconds(250 * part);
        match queue.push(UsageEvent::new("e-1", at).quantity("gb", 1)) {
            Ok(_) => pushed += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Request);
                assert!(error.to_string().contains("with a fraction of a second"), "{error}");
            }
        }
    }
    assert_eq!((pushed, queue.flush().await.delivered.len(), server.requests().len()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn lookup_reads_the_days_of_the_timestamp_and_of_sending() {
    let now = usage_billing_tests::now();
    let ahead = now + chrono::TimeDelta::days(3);
    for (timestamp, since, until) in [
        (now - chrono::TimeDelta::days(2), "2026-11-18", "2026-11-22"),
        (now, "2026-11-20", "2026-11-22"),
        // It may have been sent long before its timestamp.
        (ahead, "2026-10-21", "2026-11-25"),
    ] {
        let event = UsageEvent::new("e-1", timestamp).quantity("gb", 5);
        // A full page is followed by another request.
        let mut groups = vec![group_for(&event, json!({}))];
        groups.extend((1..1000).map(|number| json!({"id": number.to_string()})));
        let page = page_of(&groups);
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" if request.target.contains("offset=0") => ScriptedResponse::json(200, &page),
            "GET" => ScriptedResponse::json(500, "\"no further\""),
            _ => ScriptedResponse::json(409, "\"it is there\""),
        });
        scripted(&server).send_usage(&event).await.unwrap();
        let first = server.requests()[1].target.clone();
        assert!(first.contains(&format!("startDate={since}")), "{timestamp}: {first}");
        assert!(first.contains(&format!("endDate={until}")), "{timestamp}: {first}");
    }
}

#[tokio::test(start_paused = true)]
async fn hint_about_the_entitlement_is_only_for_404() {
    for (status, says) in [(404, true), (400, false), (500, false)] {
        let server = listing(page_of(&[]), move |_| ScriptedResponse::json(status, "\"no\""));
        let error =
            scripted(&server).send_usage(&UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5)).await.unwrap_err();
        let line = error.to_string();
        assert_eq!(
            line.contains("check that entitlement e-1 belongs to the organization of the client"),
            says,
            "{line}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn duplicate_is_not_trusted_after_a_lost_response() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let (page, behaviors) = (page_of(&[group_for(&event, json!({"status": "INVALID"}))]), Mutex::new(0));
    let server = listing(page, move |_| {
        let mut behaviors = behaviors.lock().unwrap();
        *behaviors += 1;
        if *behaviors > 4 { ScriptedResponse::json(409, "\"it is there\"") } else { ScriptedResponse::dropped() }
    });
    let mut queue = new_queue(&server).trust_duplicates_unverified();
    queue.push(event).unwrap();
    assert_eq!(queue.flush().await.unsent.len(), 1);
    assert_eq!(queue.flush().await.to_string(), "0 delivered, 0 already delivered, 1 rejected, 0 unsent");
}

#[tokio::test(start_paused = true)]
async fn gateway_pages_end_a_flush_sooner_than_suger_errors() {
    for (status, body, sent) in [
        (500, "\"down\"", 10),
        (500, "<html>down</html>", 3),
        (400, "<html>no</html>", 3),
        (200, "<html>hello</html>", 3),
        (200, "{}", 10),
    ] {
        let server = listing(page_of(&[]), move |_| ScriptedResponse::new(status, &[], body));
        let mut queue = new_queue(&server).concurrency(1);
        for hour in 0..20 {
            queue.push(UsageEvent::new("e-1", timestamp(hour)).quantity("gb", 5)).unwrap();
        }
        assert_eq!(queue.flush().await.unsent.len(), 20);
        let bodies: std::collections::BTreeSet<_> = server.requests().into_iter().map(|request| request.body).collect();
        let lists = server.requests().iter().any(|request| request.method == "GET");
        assert_eq!(bodies.len() - usize::from(lists), sent, "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn response_with_an_invalid_group_is_looked_up() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for (listed, expected) in [
        (Some(json!({})), "0 delivered, 1 already delivered, 0 rejected, 0 unsent"),
        (Some(json!({"status": "INVALID"})), "0 delivered, 0 already delivered, 1 rejected, 0 unsent"),
        (None, "0 delivered, 0 already delivered, 0 rejected, 1 unsent"),
    ] {
        let page = page_of(&listed.map(|fields| group_for(&event, fields)).into_iter().collect::<Vec<_>>());
        let server = listing(page, move |request| {
            ScriptedResponse::json(200, &group_of(request, json!({"status": "INVALID"})).to_string())
        });
        assert_eq!(flushed(new_queue(&server), [&event]).await.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn rejection_keeps_the_id_while_an_attempt_may_arrive() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    // The first attempt is lost on the way back and arrives later; the second one is rejected.
    let late = Arc::new(Mutex::new(Vec::new()));
    let (listed, posts) = (late.clone(), Mutex::new(0));
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => ScriptedResponse::json(200, &page_of(&listed.lock().unwrap())),
        _ => {
            let mut posts = posts.lock().unwrap();
            *posts += 1;
            if *posts == 1 { ScriptedResponse::dropped() } else { ScriptedResponse::json(400, "\"not now\"") }
        }
    });
    let client = scripted(&server);
    let mut queue = client.usage_queue().flush_timeout(None);
    let id = queue.push(event.clone()).unwrap();
    let other = event.clone().quantity("gb", 6);
    for minutes in [0, 1, 3] {
        tokio::time::sleep(std::time::Duration::from_secs(60 * minutes)).await;
        let receipt = queue.flush().await;
        assert_eq!(ids(&receipt.unsent), [id].into(), "{receipt:?}");
        let line = receipt.unsent[0].error.to_string();
        assert!(line.starts_with("rejected and not listed, but an earlier attempt may still arrive: "), "{line}");
        assert_eq!(queue.push(other.clone()).unwrap_err().kind(), ErrorKind::Request, "its id is not free");
    }
    late.lock().unwrap().push(group_for(&event, json!({})));
    assert_eq!(queue.flush().await.already_delivered, [id]);

    // It never arrives: five minutes later it is rejected, and its id is free.
    late.lock().unwrap().clear();
    let lost = UsageEvent::new("e-1", timestamp(1)).quantity("gb", 5);
    let server = ScriptedServer::in_turn(vec![
        ScriptedResponse::dropped(),
        ScriptedResponse::json(400, "\"not now\""),
        ScriptedResponse::json(200, &page_of(&[])),
        ScriptedResponse::json(400, "\"not now\""),
        ScriptedResponse::json(200, &page_of(&[])),
    ]);
    let mut queue = new_queue(&server);
    queue.push(lost.clone()).unwrap();
    assert_eq!(queue.flush().await.unsent.len(), 1);
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    assert_eq!(queue.flush().await.rejected.len(), 1);
    queue.push(lost.quantity("gb", 6)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn attempt_with_a_proxy_response_may_still_arrive() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for (status, body, may_arrive) in [
        (403, "<html>no</html>", true),
        (404, "", true),
        (421, "<html>no</html>", true),
        (499, r#"{"message": "closed"}"#, true),
        (404, "\"no such thing\"", false),
        (403, "\"not allowed\"", false),
    ] {
        let posts = Mutex::new(0);
        let server = listing(page_of(&[]), move |_| {
            let mut posts = posts.lock().unwrap();
            *posts += 1;
            if *posts == 1 {
                ScriptedResponse::new(status, &[], body)
            } else {
                ScriptedResponse::json(400, "\"not now\"")
            }
        });
        let client = scripted(&server);
        assert!(client.send_usage(&event).await.is_err());
        let line = client.send_usage(&event).await.unwrap_err().to_string();
        assert_eq!(line.contains("an earlier attempt may still arrive"), may_arrive, "{status} {body}: {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn quantity_that_suger_stores_as_a_float_is_delivered() {
    let third: Decimal = "0.3333333333333333333333333333".parse().unwrap();
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", third);
    for (there, is_delivered) in [(json!(0.3333333333333333), true), (json!(0.333333333333334), false)] {
        let group = group_for(&event, json!({"metaInfo": {"originRecords": {"gb": there}}, "records": {"gb": there}}));
        let list = page_of(std::slice::from_ref(&group));
        let server = listing(list, move |_| ScriptedResponse::json(200, &group.to_string()));
        assert_eq!(scripted(&server).send_usage(&event).await.is_ok(), is_delivered, "{there}");
    }
}

#[tokio::test(start_paused = true)]
async fn single_event_that_may_still_arrive_is_not_rejected() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for (responses, may_arrive) in [
        (vec![ScriptedResponse::dropped(), ScriptedResponse::json(404, "\"no\"")], true),
        (vec![ScriptedResponse::json(503, "\"down\""), ScriptedResponse::json(404, "\"no\"")], true),
        (vec![ScriptedResponse::json(404, "\"no\"")], false),
    ] {
        let responses = Mutex::new(responses.into_iter());
        let server = listing(page_of(&[]), move |_| responses.lock().unwrap().next().expect("no more is sent"));
        let line = scripted(&server).send_usage(&event).await.unwrap_err().to_string();
        assert_eq!(line.contains("an earlier attempt may still arrive"), may_arrive, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn equal_events_of_one_second_are_merged_in_the_receipt() {
    let server = ScriptedServer::start(stored_as_sent);
    let mut queue = new_queue(&server);
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 1);
    let id = queue.push(event.clone()).unwrap();
    for _ in 0..3 {
        queue.push(event.clone()).unwrap();
    }
    queue.push(event.clone().sequence(1)).unwrap();
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "2 delivered, 0 already delivered, 0 rejected, 0 unsent, 1 merged");
    assert_eq!((receipt.merged.into_iter().collect::<Vec<_>>(), server.requests().len()), (vec![(id, 3)], 2));
    // A removed event is not merged.
    let other = event.clone().sequence(2);
    let id_of_other = queue.push(other.clone()).unwrap();
    queue.push(other.clone()).unwrap();
    queue.remove(id_of_other);
    queue.push(other).unwrap();
    assert!(queue.flush().await.merged.is_empty());
}

#[tokio::test(start_paused = true)]
async fn equal_events_of_two_flushes_are_merged_in_the_receipt() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 1);
    let (listed, posts) = (page_of(&[group_for(&event, json!({}))]), Mutex::new(0));
    let server = ScriptedServer::start(move |request| {
        let mut posts = posts.lock().unwrap();
        *posts += usize::from(request.method == "POST");
        match (request.method.as_str(), *posts) {
            ("GET", _) => ScriptedResponse::json(200, &listed),
            // The first two flushes do not resolve it.
            (_, 1 | 2) => ScriptedResponse::json(403, "\"no\""),
            (_, 3) => stored_as_sent(request),
            _ => ScriptedResponse::json(409, "\"it is there\""),
        }
    });
    for trusts in [false, true] {
        let queue = new_queue(&server);
        let mut queue = if trusts { queue.trust_duplicates_unverified() } else { queue };
        let id = queue.push(event.clone()).unwrap();
        let first = queue.flush().await;
        if !trusts {
            // It is sent again, but not pushed again.
            assert_eq!((queue.flush().await.merged.len(), queue.flush().await.merged.len()), (0, 0));
        }
        assert!(first.merged.is_empty() && queue.pending() == 0);
        for _ in 0..2 {
            queue.push(event.clone()).unwrap();
        }
        let again = queue.flush().await;
        let line = "0 delivered, 1 already delivered, 0 rejected, 0 unsent, 1 merged";
        assert_eq!((again.to_string().as_str(), again.merged), (line, [(id, 2)].into()));
    }
}

/// Runs a future without advancing the paused clock while a socket is waited for.
async fn without_delay<T>(future: impl Future<Output = T>) -> T {
    let busy = async {
        loop {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = future => outcome,
        () = busy => unreachable!("it never ends"),
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limit_delay_does_not_hide_an_attempt_in_flight() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let posts = Arc::new(Mutex::new(0));
    let counted = posts.clone();
    let server = ScriptedServer::start(move |request| {
        if request.method == "POST" {
            let mut posts = counted.lock().unwrap();
            *posts += 1;
            return match *posts {
                1 => ScriptedResponse::new(503, &[("retry-after", "60")], "\"busy\""),
                _ => ScriptedResponse::json(400, "\"not now\""),
            };
        }
        match request.target.contains("buyerId") {
            true => ScriptedResponse::new(429, &[("retry-after", "200")], "\"slow down\""),
            false => ScriptedResponse::json(200, &page_of(&[])),
        }
    });
    let client = scripted(&server);
    let mut queue = client.usage_queue().flush_timeout(None);
    queue.push(event.clone()).unwrap();
    let others = async {
        without_delay(async {
            while *posts.lock().unwrap() == 0 {
                tokio::task::yield_now().await
            }
        })
        .await;
        let list = client.usage_record_groups(|request| request.buyer_id("b-1")).try_collect();
        assert_eq!(without_delay(list).await.unwrap_err().status().map(|status| status.as_u16()), Some(429));
    };
    let (first, ()) = tokio::join!(queue.flush(), others);
    let line = first.unsent[0].error.to_string();
    assert!(line.contains("an earlier call was rejected with 429"), "{line}");
    assert_eq!(*posts.lock().unwrap(), 1, "sent once, and then the client paused");
    tokio::time::sleep(std::time::Duration::from_secs(141)).await;
    let line = queue.flush().await.unsent[0].error.to_string();
    assert!(line.starts_with("rejected and not listed, but an earlier attempt may still arrive: "), "{line}");
}

#[tokio::test(start_paused = true)]
async fn attempts_are_shared_by_clones_of_a_client() {
    let minutes = |minutes: u64| tokio::time::sleep(std::time::Duration::from_secs(60 * minutes));
    let new_report = |hour: i64| UsageEvent::new("e-1", timestamp(hour)).quantity("gb", 5);
    let lost = Arc::new(Mutex::new(true));
    let is_lost = lost.clone();
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => ScriptedResponse::json(200, &page_of(&[])),
        _ if *is_lost.lock().unwrap() => ScriptedResponse::dropped(),
        _ => ScriptedResponse::json(400, "\"no\""),
    });
    let client = scripted(&server);
    let may_arrive = "an earlier attempt may still arrive";
    for (hour, is_single) in [(0, true), (1, false)] {
        *lost.lock().unwrap() = true;
        let event = new_report(hour);
        match is_single {
            true => _ = client.send_usage(&event).await.unwrap_err(),
            false => {
                let mut queue = client.usage_queue().flush_timeout(None);
                queue.push(event.clone()).unwrap();
                assert_eq!(queue.flush().await.unsent.len(), 1);
            }
        }
        *lost.lock().unwrap() = false;
        minutes(4).await;
        // Another queue, and a call of a clone.
        let mut queue = client.clone().usage_queue().flush_timeout(None);
        queue.push(event.clone()).unwrap();
        assert!(queue.flush().await.unsent[0].error.to_string().contains(may_arrive));
        assert!(client.clone().send_usage(&event).await.unwrap_err().to_string().contains(may_arrive));
        minutes(1).await;
        assert!(!client.send_usage(&event).await.unwrap_err().to_string().contains(may_arrive));
        assert_eq!(queue.flush().await.rejected.len(), 1);
    }
    // Attempts of another process are not known, unless `after_restart` assumes them.
    for (after_restart, expected) in [(false, 1), (true, 0)] {
        let queue = client.usage_queue().flush_timeout(None);
        let mut queue = if after_restart { queue.after_restart() } else { queue };
        queue.push(new_report(7)).unwrap();
        assert_eq!(queue.flush().await.rejected.len(), expected);
        minutes(5).await;
        assert_eq!(queue.flush().await.rejected.len(), 1 - expected);
    }
}

#[tokio::test(start_paused = true)]
async fn group_that_may_be_mapped_does_not_use_up_the_id() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("calls", 4000);
    // The dimension is mapped to itself, in thousands.
    let group = group_for(&event, json!({"records": {"calls": 4}, "metaInfo": {"timestamp": timestamp(0)}}));
    let server =
        listing(page_of(std::slice::from_ref(&group)), move |_| ScriptedResponse::json(200, &group.to_string()));
    let mut queue = new_queue(&server);
    queue.push(event.clone()).unwrap();
    let receipt = queue.flush().await;
    assert_eq!(
        (receipt.to_string().as_str(), queue.pending()),
        ("0 delivered, 0 already delivered, 0 rejected, 1 unsent", 1)
    );
    let line = receipt.unsent[0].error.to_string();
    assert!(line.contains("does not state the quantities that were reported"), "{line}");
    assert!(line.contains("calls is 4 there, not 4000"), "{line}");
    assert!(!line.contains("send the missing usage"), "{line}");
    assert_eq!(scripted(&server).confirm(&event).await.unwrap_err().kind(), ErrorKind::NotReady);
}

#[tokio::test(start_paused = true)]
async fn other_quantities_are_rejected_if_no_dimension_is_mapped() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let bare = |records: Value| json!({"id": event.id("acme"), "entitlementID": "e-1", "status": "CREATED", "records": records, "creationTime": now()});
    let config = |source: &str, is_enabled: bool| {
        let mapping = json!({source: [{"dimensionKey": "gb", "convertionMultiplier": 0.8}]});
        json!({"partnerUsageMeteringConfigs": [{"partner": "AWS", "enableDimensionMapping": is_enabled, "dimensionMappingV2": mapping}]})
    };
    for (records, settings, rejected) in [
        (json!({"gb": 4}), ScriptedResponse::json(200, &config("calls", true).to_string()), 1),
        (json!({"gb": 4}), ScriptedResponse::json(200, &config("gb", true).to_string()), 0),
        // It may have been switched off after the group was stored.
        (json!({"gb": 4}), ScriptedResponse::json(200, &config("gb", false).to_string()), 0),
        (json!({"gb": 4}), ScriptedResponse::json(200, "{}"), 0),
        (json!({"gb": 4}), ScriptedResponse::json(400, "\"no\""), 0),
        (json!({"storage": 4}), ScriptedResponse::json(200, &config("calls", true).to_string()), 0),
    ] {
        let group = bare(records.clone());
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" if request.target.contains("/usageMeteringConfigInfo") => settings.clone(),
            "GET" => ScriptedResponse::json(200, &page_of(std::slice::from_ref(&group))),
            _ => ScriptedResponse::json(409, ""),
        });
        let receipt = flushed(new_queue(&server), [&event]).await;
        assert_eq!((receipt.rejected.len(), receipt.unsent.len()), (rejected, 1 - rejected), "{records}: {receipt:?}");
        if let Some(one) = receipt.rejected.first() {
            assert!(one.error.to_string().contains("with other quantities: gb is 4 there, not 5"), "{}", one.error);
        }
        let kind = scripted(&server).confirm(&event).await.unwrap_err().kind();
        assert_eq!(kind, if rejected == 1 { ErrorKind::Failed } else { ErrorKind::NotReady });
    }
}

#[tokio::test(start_paused = true)]
async fn mapping_settings_are_read_once_in_a_flush() {
    let events: Vec<_> = (0..6)
        .map(|number| UsageEvent::new(format!("e-{}", number % 2), timestamp(number)).quantity("gb", 5))
        .collect();
    let bare = |event: &UsageEvent| json!({"id": event.id("acme"), "entitlementID": event.entitlement_id(), "status": "CREATED", "records": {"gb": 4}, "creationTime": now()});
    let groups: Vec<_> = events.iter().map(bare).collect();
    let config = json!({"partnerUsageMeteringConfigs": [{"partner": "AWS", "enableDimensionMapping": false}]});
    for (settings, rejected) in
        [(ScriptedResponse::json(200, &config.to_string()), 6), (ScriptedResponse::json(400, "\"no\""), 0)]
    {
        let groups = groups.clone();
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" if request.target.contains("/usageMeteringConfigInfo") => settings.clone(),
            "GET" => ScriptedResponse::json(200, &page_of(&groups)),
            _ => ScriptedResponse::json(409, ""),
        });
        assert_eq!(flushed(new_queue(&server), &events).await.rejected.len(), rejected);
        let requests = server.requests();
        let read = requests.iter().filter(|request| request.target.contains("/usageMeteringConfigInfo")).count();
        assert_eq!(read, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn event_that_was_not_sent_keeps_its_id_free() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let other = || event.clone().quantity("gb", 6);
    let closed = ClosedPort::reserve();
    let builder = || untimed(Client::builder("acme", "hush").base_url(closed.url())).retry(RetryPolicy::none());
    let unconnected = builder().build().unwrap().with_now(now());
    let mut queue = unconnected.usage_queue().flush_timeout(None);
    let id = queue.push(event.clone()).unwrap();
    assert_eq!(queue.flush().await.unsent.len(), 1);
    assert_eq!(queue.remove(id), Some(event.clone()));
    queue.push(other()).unwrap();

    // The flush is dropped while the client waits for its key.
    let waiting = ApiKey::provider(|_| std::future::pending::<Result<AccessToken, std::io::Error>>());
    let client = untimed(Client::builder("acme", waiting).base_url(closed.url())).build().unwrap().with_now(now());
    let mut queue = client.usage_queue().flush_timeout(None);
    let id = queue.push(event.clone()).unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(1), queue.flush()).await.unwrap_err();
    queue.remove(id).unwrap();
    queue.push(other()).unwrap();

    // The request was sent, and the response is awaited. Later, it does not arrive any more, but may have.
    for removed_after in [0, 3600] {
        let (arrived, released) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (arrival, release) = (arrived.clone(), released.clone());
        let server = ScriptedServer::start(move |_| {
            arrival.store(true, Ordering::SeqCst);
            while !release.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            ScriptedResponse::dropped()
        });
        let mut queue = new_queue(&server);
        let id = queue.push(event.clone()).unwrap();
        let mut flush = Box::pin(queue.flush());
        std::future::poll_fn(|context| {
            assert!(flush.as_mut().poll(context).is_pending());
            context.waker().wake_by_ref();
            if arrived.load(Ordering::SeqCst) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        drop(flush);
        released.store(true, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_secs(removed_after)).await;
        queue.remove(id).unwrap();
        let error = queue.push(other()).unwrap_err();
        assert!(error.to_string().starts_with("an event with this id has other quantities"), "{error}");
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        queue.push(other()).unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn list_that_cannot_be_read_proves_nothing() {
    let server = ScriptedServer::start(|_| ScriptedResponse::json(404, "\"entitlement not found\""));
    let error = scripted(&server).confirm(&UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
}
