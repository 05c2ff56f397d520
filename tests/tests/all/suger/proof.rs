//! Proof of delivery, for every pair of the group at Suger and the response of Suger.

use std::sync::{Arc, Mutex};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use usage_billing::suger::{Client, Delivery, Receipt, UsageEvent};
use usage_billing::{Error, ErrorKind};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer};

use super::{group_for, group_of, ids, listing, new_queue, page_of, scripted, timestamp};

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
