//! Delivered means that this usage is there: every pair of what Suger holds and what its response says.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use usage_billing::ErrorKind;
use usage_billing::suger::{Client, Delivery, Receipt, UsageReport};
use usage_billing_tests::{Reply, Request, ScriptedServer};

use super::{group_for, group_of, ids, page_of, scripted, stored_as_sent, window};

/// What Suger holds under the report's id before it is sent, as fields in place of the report's own.
const HOLDINGS: [Option<&str>; 9] = [
    None,
    Some(r#"{}"#),
    Some(r#"{"status": "REPORTED"}"#),
    Some(r#"{"status": "REPORT_PENDING"}"#),
    Some(r#"{"records": {"gb": 4}, "metaInfo": {"timestamp": "2026-10-01T07:00:00Z", "originRecords": {"gb": 4}}}"#),
    Some(r#"{"status": "INVALID"}"#),
    Some(r#"{"status": "DELETED"}"#),
    Some(r#"{"status": "REPORT_FAILED"}"#),
    Some(r#"{"status": "REJECTED_NEW"}"#),
];

/// What becomes of the request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    Stored,
    Ignored,
}

#[derive(Clone, Debug)]
enum Answer {
    /// The group as it is held.
    Truth,
    /// The group that was sent, with other fields.
    Other(&'static str),
    Status(u16, &'static str),
    Dropped,
    CutOff,
}

fn answers() -> Vec<Answer> {
    let (json, page) = (r#""the service's words""#, "<html><title>Gone</title></html>");
    let mut all = vec![
        Answer::Truth,
        Answer::Other(r#"{"id": "another-id"}"#),
        Answer::Other(r#"{"entitlementID": "e-2"}"#),
        Answer::Other(r#"{"records": {"gb": 4}, "metaInfo": {"originRecords": {"gb": 4}}}"#),
        Answer::Other(r#"{"records": {}, "metaInfo": null}"#),
        Answer::Other(r#"{"status": "DELETED"}"#),
        Answer::Other(r#"{"status": "REPORT_FAILED"}"#),
        Answer::Other(r#"{"status": "REJECTED_NEW"}"#),
        Answer::Other(r#"{"status": null}"#),
        Answer::Status(200, "{}"),
        Answer::Status(200, r#"{"error": "maintenance"}"#),
        Answer::Status(200, page),
        Answer::Status(200, "null"),
        Answer::Dropped,
        Answer::CutOff,
    ];
    for status in [400, 404, 409, 410, 413, 421, 422, 423] {
        all.extend([Answer::Status(status, json), Answer::Status(status, page)]);
    }
    all.extend([401, 403, 408, 429, 500, 503].map(|status| Answer::Status(status, json)));
    all
}

/// Suger with one id.
struct Vendor {
    held: Option<Value>,
    stored: usize,
    answer: Option<(Effect, Answer)>,
}

/// One for all pairs: a client takes longer to make than to use.
fn vendor() -> (Arc<Mutex<Vendor>>, Client) {
    let vendor = Arc::new(Mutex::new(Vendor { held: None, stored: 0, answer: None }));
    let shared = vendor.clone();
    let server = ScriptedServer::start(move |request| shared.lock().unwrap().reply(request));
    (vendor, scripted(&server))
}

impl Vendor {
    fn reply(&mut self, request: &Request) -> Reply {
        if request.method == "GET" {
            return Reply::json(200, &page_of(&self.held.iter().cloned().collect::<Vec<_>>()));
        }
        let is_new = self.held.is_none();
        let (effect, answer) = self.answer.clone().unwrap_or((Effect::Stored, Answer::Truth));
        if is_new && effect == Effect::Stored {
            self.held = Some(group_of(request, json!({})));
            self.stored += 1;
        }
        match answer {
            Answer::Truth => match &self.held {
                Some(held) if is_new => Reply::json(200, &held.to_string()),
                Some(_) => Reply::json(409, r#""usage record group exists already""#),
                None => Reply::json(404, r#""entitlement not found""#),
            },
            Answer::Other(fields) => {
                Reply::json(200, &group_of(request, serde_json::from_str(fields).unwrap()).to_string())
            }
            Answer::Status(status, body) => {
                let media_type = if body.starts_with('<') { "text/html" } else { "application/json" };
                Reply::new(status, &[("content-type", media_type)], body)
            }
            Answer::Dropped => Reply::dropped(),
            Answer::CutOff => Reply::cut_off(200, "{"),
        }
    }

    /// Whether the report's usage will be billed as it was sent.
    fn bills(&self, report: &UsageReport) -> bool {
        self.held.as_ref().is_some_and(|held| {
            let status = held["status"].as_str().unwrap_or_default();
            ["CREATED", "REPORTED", "REPORT_PENDING"].contains(&status)
                && held["metaInfo"]["originRecords"]["gb"].to_string().trim_matches('"')
                    == report.quantities()["gb"].to_string()
        })
    }
}

/// The receipt says of the one report what is true of the vendor.
fn assert_true(receipt: &Receipt, bills: bool, place: &str) {
    assert_eq!(receipt.total(), 1, "{place}: {receipt:?}");
    let is_delivered = receipt.delivered.len() + receipt.already_delivered.len() == 1;
    assert!(!is_delivered || bills, "{place}: delivered, and not billed: {receipt:?}");
    assert!(receipt.rejected.is_empty() || !bills, "{place}: rejected, and billed: {receipt:?}");
    assert_eq!(receipt.is_complete(), is_delivered, "{place}: {receipt:?}");
}

#[tokio::test(start_paused = true)]
async fn receipt_is_true_for_every_pair_of_what_suger_holds_and_what_its_response_says() {
    let report = UsageReport::new("e-1", window(0)).quantity("gb", 5);
    let (vendor, client) = vendor();
    let mut pairs = 0;
    for held in HOLDINGS {
        for answer in answers() {
            for effect in [Effect::Stored, Effect::Ignored] {
                let place = format!("{held:?} {answer:?} {effect:?}");
                let held = held.map(|fields| group_for(&report, serde_json::from_str(fields).unwrap()));
                *vendor.lock().unwrap() = Vendor { held, stored: 0, answer: Some((effect, answer.clone())) };
                let mut reporter = client.reporter().flush_timeout(None);
                let id = reporter.push(report.clone()).unwrap();

                let first = reporter.flush().await;
                let bills = vendor.lock().unwrap().bills(&report);
                assert_true(&first, bills, &place);
                assert_eq!(
                    (reporter.pending(), ids(&first.unsent).contains(&id)),
                    (first.unsent.len(), !first.unsent.is_empty())
                );

                // Suger is well again: whatever was left open is settled, and stored once.
                vendor.lock().unwrap().answer = None;
                let second = reporter.flush().await;
                let vendor = vendor.lock().unwrap();
                match first.unsent.is_empty() {
                    true => assert_eq!(second.total(), 0, "{place}"),
                    false => assert_true(&second, vendor.bills(&report), &place),
                }
                let last = if first.unsent.is_empty() { &first } else { &second };
                let status = vendor.held.as_ref().and_then(|held| held["status"].as_str());
                match status {
                    // It stays visible until the group is put back.
                    Some("REPORT_FAILED" | "REJECTED_NEW") => assert_eq!(last.unsent.len(), 1, "{place}: {last:?}"),
                    _ if vendor.bills(&report) => assert!(last.is_complete(), "{place}: {last:?}"),
                    _ => assert_eq!(last.rejected.len(), 1, "{place}: {last:?}"),
                }
                assert!(vendor.stored <= 1, "{place}: stored twice");
                pairs += 1;
            }
        }
    }
    assert!(pairs > 600, "{pairs} pairs");
}

#[tokio::test(start_paused = true)]
async fn one_report_is_proved_by_the_same_rules_as_many() {
    let report = UsageReport::new("e-1", window(0)).quantity("gb", 5);
    let (vendor, client) = vendor();
    for held in HOLDINGS {
        for answer in answers() {
            let place = format!("{held:?} {answer:?}");
            let held = held.map(|fields| group_for(&report, serde_json::from_str(fields).unwrap()));
            *vendor.lock().unwrap() = Vendor { held, stored: 0, answer: Some((Effect::Stored, answer)) };
            let outcome = client.report(&report).await;
            let bills = vendor.lock().unwrap().bills(&report);
            assert!(bills || outcome.is_err(), "{place}: {outcome:?}");
            if let Ok(Delivery::Delivered(group)) = &outcome {
                assert_eq!(group.id, Some(report.id("acme").to_string()), "{place}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn proxys_page_decides_nothing_about_a_report_that_is_not_listed() {
    let report = UsageReport::new("e-1", window(0)).quantity("gb", 5);
    for status in [400, 404, 410, 413, 421, 422, 423] {
        for (body, expected) in [("\"no such thing\"", 0), ("<html>no</html>", 1), ("", 1), ("404 page not found", 1)] {
            let server = ScriptedServer::start(move |request| match request.method.as_str() {
                "GET" => Reply::json(200, &page_of(&[])),
                _ => Reply::new(status, &[], body),
            });
            let mut reporter = scripted(&server).reporter().flush_timeout(None);
            reporter.push(report.clone()).unwrap();
            let receipt = reporter.flush().await;
            assert_eq!((receipt.unsent.len(), receipt.rejected.len()), (expected, 1 - expected), "{status} {body}");
            if expected == 0 {
                // Suger does not have it: its id is free.
                reporter.push(report.clone().quantity("gb", 6)).unwrap();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn list_that_cannot_be_read_decides_nothing() {
    let report = UsageReport::new("e-1", window(0)).quantity("gb", 5);
    for list in [
        Reply::json(404, "\"entitlement not found\""),
        Reply::json(404, r#"{"message": "no Route matched with those values"}"#),
        Reply::json(500, "\"down\""),
        Reply::json(200, "{}"),
        Reply::json(200, r#"{"error": "maintenance"}"#),
        Reply::json(200, r#"{"usageRecordGroups": {"error": "maintenance"}}"#),
        Reply::new(200, &[], "<html>no</html>"),
        Reply::dropped(),
    ] {
        for status in [400, 404, 409] {
            let list = list.clone();
            let server = ScriptedServer::start(move |request| match request.method.as_str() {
                "GET" => list.clone(),
                _ => Reply::json(status, "\"no\""),
            });
            let mut reporter = scripted(&server).reporter().flush_timeout(None);
            reporter.push(report.clone()).unwrap();
            assert_eq!(reporter.flush().await.to_string(), "0 delivered, 0 already delivered, 0 rejected, 1 unsent");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_list_of_an_entitlement_settles_all_of_its_reports_in_a_flush() {
    let all: Vec<_> =
        (0..30).map(|hour| UsageReport::new(format!("e-{}", hour % 3), window(hour)).quantity("gb", 5)).collect();
    let groups: Vec<_> = all.iter().map(|report| group_for(report, json!({}))).collect();
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => Reply::json(200, &page_of(&groups)),
        _ if request.body.contains("e-1") => Reply::json(200, "{}"),
        _ => Reply::json(409, "\"it is there\""),
    });
    let mut reporter = scripted(&server).reporter().flush_timeout(None).concurrency(1);
    for report in &all {
        reporter.push(report.clone()).unwrap();
    }
    assert_eq!(reporter.flush().await.to_string(), "0 delivered, 30 already delivered, 0 rejected, 0 unsent");
    let lists = server.requests().iter().filter(|request| request.method == "GET").count();
    assert_eq!(lists, 3);
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_trusted_only_where_that_is_asked_for_and_no_response_was_lost() {
    let report = UsageReport::new("e-1", window(0)).quantity("gb", 5);
    let other = group_for(&report, json!({"records": {"gb": 4}, "metaInfo": null}));
    for (replies, trusts, expected) in [
        (vec![Reply::json(409, "\"there\"")], true, "0 rejected, 0 unsent, 1 unverified"),
        (vec![Reply::json(409, "\"there\"")], false, "1 rejected, 0 unsent"),
        // A proxy's page is no word of Suger.
        (vec![Reply::new(409, &[], "<html>conflict</html>")], true, "1 rejected, 0 unsent"),
        (vec![Reply::dropped(), Reply::json(409, "\"there\"")], true, "1 rejected, 0 unsent"),
    ] {
        let (listed, posts) = (page_of(std::slice::from_ref(&other)), Mutex::new(replies.into_iter()));
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" => Reply::json(200, &listed),
            _ => posts.lock().unwrap().next().expect("no more is sent"),
        });
        let reporter = scripted(&server).reporter().flush_timeout(None);
        let mut reporter = if trusts { reporter.trust_duplicates_unverified() } else { reporter };
        reporter.push(report.clone()).unwrap();
        let receipt = reporter.flush().await;
        assert_eq!(receipt.to_string(), format!("0 delivered, 0 already delivered, {expected}"));
        assert!(!receipt.is_complete());
        let message = receipt.rejected.first().map(|one| one.error.to_string()).unwrap_or_default();
        assert!(receipt.rejected.is_empty() || message.contains("gb is 4 there, not 5"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_one_second_are_added_up_or_rejected_and_none_is_lost() {
    let server = ScriptedServer::start(stored_as_sent);
    let mut reporter = scripted(&server).reporter().flush_timeout(None);
    let mut pushed = 0;
    for part in 0..4 {
        let at = window(0) + chrono::TimeDelta::milliseconds(250 * part);
        match reporter.push(UsageReport::new("e-1", at).quantity("gb", 1)) {
            Ok(_) => pushed += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Request);
                assert!(error.to_string().contains("with a fraction of a second"), "{error}");
            }
        }
    }
    assert_eq!((pushed, reporter.flush().await.delivered.len(), server.requests().len()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn lookup_reads_since_the_day_before_the_window_and_no_further_than_needed() {
    let now = usage_billing_tests::now();
    let ahead = now + chrono::TimeDelta::days(3);
    for (window, since) in
        [(now - chrono::TimeDelta::days(2), "2026-11-18"), (now, "2026-11-20"), (ahead, "2026-11-20")]
    {
        let report = UsageReport::new("e-1", window).quantity("gb", 5);
        // A page that is full has another one behind it.
        let mut groups = vec![group_for(&report, json!({}))];
        groups.extend((1..1000).map(|number| json!({"id": number.to_string()})));
        let page = page_of(&groups);
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" if request.target.contains("offset=0") => Reply::json(200, &page),
            "GET" => Reply::json(500, "\"no further\""),
            _ => Reply::json(409, "\"it is there\""),
        });
        scripted(&server).report(&report).await.unwrap();
        let first = server.requests()[1].target.clone();
        assert!(first.contains(&format!("startDate={since}")), "{window}: {first}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_missing_entitlement_is_said_to_be_missing() {
    for (status, says) in [(404, true), (400, false), (500, false)] {
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" => Reply::json(200, &page_of(&[])),
            _ => Reply::json(status, "\"no\""),
        });
        let error = scripted(&server).report(&UsageReport::new("e-1", window(0)).quantity("gb", 5)).await.unwrap_err();
        let line = error.to_string();
        assert_eq!(line.contains("check that entitlement e-1 is of the client's organization"), says, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn duplicate_is_not_trusted_if_an_earlier_flush_lost_the_response() {
    let report = UsageReport::new("e-1", window(0)).quantity("gb", 5);
    let (page, answers) = (page_of(&[group_for(&report, json!({"status": "INVALID"}))]), Mutex::new(0));
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => Reply::json(200, &page),
        _ => {
            let mut answers = answers.lock().unwrap();
            *answers += 1;
            if *answers > 4 { Reply::json(409, "\"it is there\"") } else { Reply::dropped() }
        }
    });
    let mut reporter = scripted(&server).reporter().flush_timeout(None).trust_duplicates_unverified();
    reporter.push(report).unwrap();
    assert_eq!(reporter.flush().await.unsent.len(), 1);
    assert_eq!(reporter.flush().await.to_string(), "0 delivered, 0 already delivered, 1 rejected, 0 unsent");
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_gateway_end_a_flush_sooner_than_words_of_suger() {
    for (status, body, sent) in [(500, "\"down\"", 10), (500, "<html>down</html>", 3), (400, "<html>no</html>", 3)] {
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" => Reply::json(200, &page_of(&[])),
            _ => Reply::new(status, &[], body),
        });
        let mut reporter = scripted(&server).reporter().flush_timeout(None).concurrency(1);
        for hour in 0..20 {
            reporter.push(UsageReport::new("e-1", window(hour)).quantity("gb", 5)).unwrap();
        }
        assert_eq!(reporter.flush().await.unsent.len(), 20);
        let bodies: std::collections::BTreeSet<_> = server.requests().into_iter().map(|request| request.body).collect();
        let lists = server.requests().iter().any(|request| request.method == "GET");
        assert_eq!(bodies.len() - usize::from(lists), sent, "{status} {body}");
    }
}
