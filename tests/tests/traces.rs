//! Spans and events for a subscriber of `tracing`: OpenTelemetry's names, and no secrets.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::fmt::format::FmtSpan;
use usage_billing::suger::{Client, UsageEvent};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, genesys, suger, untimed};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns everything that is traced in `call`.
async fn traced(call: impl Future<Output = ()>) -> String {
    let lines = Lines::default();
    let sink = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || sink.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .without_time()
        .finish();
    call.with_subscriber(subscriber).await;
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn late_usage_of_a_single_event_is_a_warning() {
    let server = ScriptedServer::start(stored);
    let now = usage_billing_tests::now();
    for (hours, is_late) in [(5, false), (6, true)] {
        let client = client(&server).with_now(now);
        let event = UsageEvent::new("e-1", now - chrono::TimeDelta::hours(hours)).quantity("gb", 1);
        let lines = traced(async { _ = client.send_usage(&event).await.unwrap() }).await;
        assert_eq!(lines.contains("usage is older than its marketplace accepts"), is_late, "{lines}");
    }
}

#[tokio::test(start_paused = true)]
async fn traces_hide_echoed_secrets_and_forged_lines() {
    let server = ScriptedServer::start(|request| {
        let header = request.header("authorization").unwrap_or_default();
        let secret = if header.starts_with("Key ") { "hush-key" } else { "hush-secret" };
        let body = json!({"code": header, "message": format!("{secret}\nERROR forged: line\u{1b}[2K")});
        ScriptedResponse::new(503, &[("x-correlation-id", header)], body.to_string())
    });
    let lines = traced(async {
        suger(server.url()).build().unwrap().list_billable_metrics().org_id("acme").send().await.unwrap_err();
        genesys(server.url()).build().unwrap().get_license_definitions().send().await.unwrap_err();
    })
    .await;
    assert!(lines.contains("INFO") && lines.contains("usage_billing::http: retrying"), "{lines}");
    assert!(lines.contains("***"), "{lines}");
    // "hush" and its base64 at the three offsets of a group.
    for form in ["hush", "aHVzaC", "h1c2", "odXNo", "\u{1b}", "\nERROR forged"] {
        assert!(!lines.contains(form), "{form} in {lines}");
    }
}

#[tokio::test(start_paused = true)]
async fn call_span_has_template_status_and_resend_count() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(503, "{}"), ScriptedResponse::json(200, "{}")]);
    let client = suger(server.url()).build().unwrap();
    let lines = traced(async {
        client.get_billable_metric().org_id("acme").billable_metric_id("m-1").send().await.unwrap();
    })
    .await;
    let span = lines.lines().find(|line| line.contains("close")).expect("the span of the call");
    insta::assert_snapshot!(comparable([span]));
}

#[tokio::test]
async fn failed_call_span_has_the_error_and_no_values() {
    let server = ScriptedServer::start(|request| match request.target.as_str() {
        "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"hush-token","expires_in":600}"#),
        _ => ScriptedResponse::json(403, r#"{"message":"private text"}"#),
    });
    let client = genesys(server.url()).build().unwrap();
    let lines = traced(async {
        client.get_license_user().user_id("user-7").send().await.unwrap_err();
    })
    .await;
    // Events of hyper and reqwest are outside our control.
    let ours: Vec<_> = lines.lines().filter(|line| line.contains("usage_billing::http")).collect();
    assert!(ours.iter().any(|line| line.contains("error.type=\"403\"") && line.contains("otel.status_code=\"ERROR\"")));
    assert!(ours.iter().any(|line| line.contains("otel.name=\"issue token\"")), "{ours:#?}");
    for hidden in ["hush-", "aWQ6", "user-7", "private text"] {
        assert!(!ours.iter().any(|line| line.contains(hidden)), "{hidden} in {ours:#?}");
    }
}

fn client(server: &ScriptedServer) -> Client {
    let builder = untimed(Client::builder("acme", "hush-key").base_url(server.url()));
    builder.build().unwrap().with_list_timeout(None)
}

/// Returns the response to an event that is stored as it was sent.
fn stored(request: &Request) -> ScriptedResponse {
    let sent: Value = serde_json::from_str(&request.body).unwrap();
    let group = json!({
        "id": sent["id"], "entitlementID": sent["entitlementID"], "status": "CREATED", "records": sent["records"],
        "metaInfo": {"timestamp": sent["timestamp"], "originRecords": sent["records"]}, "partner": "AWS",
    });
    ScriptedResponse::json(200, &group.to_string())
}

fn usage(entitlement: &str) -> UsageEvent {
    UsageEvent::new(entitlement, "2026-11-19T07:00:00Z".parse().unwrap()).quantity("gb", 1)
}

/// Starts a server that stores the usage of `e-good`, fails for that of `e-lost`, rejects everything else, and echoes the key.
fn metering_server() -> ScriptedServer {
    ScriptedServer::start(|request| {
        let key = request.header("authorization").unwrap_or_default();
        if request.method == "GET" {
            return ScriptedResponse::json(200, r#"{"usageRecordGroups":[]}"#);
        }
        let sent: Value = serde_json::from_str(&request.body).unwrap();
        match sent["entitlementID"].as_str() {
            Some("e-good") => stored(request),
            Some("e-lost") => ScriptedResponse::json(503, "{}"),
            _ => ScriptedResponse::json(400, &json!(format!("{key}\nERROR forged: line")).to_string()),
        }
    })
}

/// Returns lines in the order of the alphabet, without values that differ between runs.
fn comparable<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let masked = |line: &str| {
        ["elapsed_ms=", "delay_ms=", "server.port="].iter().fold(line.to_owned(), |line, name| {
            let Some((before, value)) = line.split_once(name) else { return line };
            format!(
                "{before}{name}…{}",
                value.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '.')
            )
        })
    };
    let mut lines: Vec<_> = lines.into_iter().map(masked).collect();
    lines.sort();
    lines.join("\n")
}

/// Returns our lines at INFO and above, which an operator sees.
fn visible(lines: &str) -> Vec<&str> {
    let of_level = |line: &&str| line.contains(" INFO ") || line.contains(" WARN ");
    lines.lines().filter(|line| line.contains("usage_billing::suger:")).filter(of_level).collect()
}

#[tokio::test(start_paused = true)]
async fn delivered_unsent_and_rejected_usage_is_traced_with_its_id() {
    let server = metering_server();
    let client = client(&server).with_now("2026-11-19T07:30:00Z".parse().unwrap());
    let mut queue = client.usage_queue().flush_timeout(None);
    let [good, lost, bad] = ["e-good", "e-lost", "e-\u{1b}[2Kbad"].map(|it| queue.push(usage(it)).unwrap());
    let lines = traced(async {
        let receipt = queue.flush().await;
        assert_eq!((receipt.delivered.len(), receipt.unsent.len(), receipt.rejected.len()), (1, 1, 1));
    })
    .await;
    // Core reports the attempts in between.
    let resent = lines.lines().filter(|line| line.contains("usage_billing::http: retrying"));
    let ours = comparable(visible(&lines).into_iter().chain(resent));
    let ids = [(good, "ID-GOOD"), (lost, "ID-LOST"), (bad, "ID-BAD")];
    insta::assert_snapshot!(ids.iter().fold(ours, |text, (id, name)| text.replace(&id.to_string(), name)));
    for hidden in ["hush", "\u{1b}", "\nERROR forged"] {
        assert!(!lines.contains(hidden), "{hidden} in {lines}");
    }
}

#[tokio::test(start_paused = true)]
async fn unsent_usage_is_traced_and_late_usage_is_warned_about_once() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(403, "<html>")]);
    let client = client(&server).with_now("2026-11-19T09:30:00Z".parse().unwrap());
    let mut queue = client.usage_queue().flush_timeout(None).concurrency(1);
    for number in 1..9 {
        queue.push(usage("e-1").sequence(number)).unwrap();
    }
    let lines = traced(async {
        for _ in 0..2 {
            assert_eq!(queue.flush().await.late.len(), 8);
        }
    })
    .await;
    let ours = visible(&lines);
    let count = |message: &str| ours.iter().filter(|line| line.contains(message)).count();
    assert_eq!(count("usage not confirmed"), 2 * 8, "{lines}");
    let not_sent =
        ours.iter().filter(|line| line.contains("confirmed") && line.contains("after 3 others of e-1 failed"));
    assert_eq!(not_sent.count(), 2 * 5, "{lines}");
    assert_eq!(count("usage is older than its marketplace accepts"), 8, "{lines}");
}

#[tokio::test(start_paused = true)]
async fn key_used_as_entitlement_id_is_masked_in_every_event() {
    // Stored, except for the quantities below.
    let server = ScriptedServer::start(|request| {
        if request.method == "GET" {
            return ScriptedResponse::json(200, r#"{"usageRecordGroups":[]}"#);
        }
        let sent: Value = serde_json::from_str(&request.body).unwrap();
        match sent["records"]["gb"].to_string().as_str() {
            "2" => ScriptedResponse::json(400, "\"no\""),
            "3" => ScriptedResponse::json(503, "{}"),
            "4" => ScriptedResponse::json(409, "\"it exists\""),
            _ => stored(request),
        }
    });
    let client = client(&server).with_now("2026-11-20T07:30:00Z".parse().unwrap());
    let mut queue = client.usage_queue().flush_timeout(None).trust_duplicates_unverified();
    for quantity in 1..5 {
        queue.push(usage("hush-key").sequence(quantity).quantity("gb", quantity)).unwrap();
    }
    let lines = traced(async { _ = queue.flush().await }).await;
    for message in [
        "usage delivered",
        "usage rejected",
        "usage not confirmed",
        "usage taken for delivered, unverified",
        "usage is older than its marketplace accepts",
    ] {
        let line = visible(&lines).into_iter().find(|line| line.contains(message));
        let line = line.unwrap_or_else(|| panic!("{message}: {lines}"));
        assert!(line.contains("entitlement_id=***") && !line.contains("hush"), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn unsent_usage_of_a_dropped_sender_is_a_warning() {
    let server = metering_server();
    let client = client(&server);
    let lines = traced(async {
        let (sender, mut receipts) = client.usage_queue().into_sender().spawn().unwrap();
        sender.push(usage("e-good")).unwrap();
        sender.push(usage("e-lost")).unwrap();
        drop(sender);
        assert_eq!(receipts.next().await.unwrap().unsent.len(), 2);
    })
    .await;
    let ours = visible(&lines);
    assert!(
        ours.iter().any(|line| line.contains(" WARN ")
            && line.contains("the sender was dropped without a shutdown: the queued usage is not sent")
            && line.contains("unsent=2")
            && line.contains("oldest=2026-11-19 07:00:00 UTC")),
        "{lines}"
    );
}

#[tokio::test(start_paused = true)]
async fn sender_dropped_with_usage_and_no_shutdown_is_a_warning() {
    let server = metering_server();
    let client = client(&server).with_now("2026-11-19T07:30:00Z".parse().unwrap());
    for (is_shut_down, pushed, expected) in
        [(true, 1, " INFO "), (true, 0, " INFO "), (false, 0, " INFO "), (false, 1, " WARN ")]
    {
        let lines = traced(async {
            let (sender, mut receipts) = client.usage_queue().flush_timeout(None).into_sender().spawn().unwrap();
            (0..pushed).for_each(|number| _ = sender.push(usage("e-lost").sequence(number)).unwrap());
            if is_shut_down {
                assert_eq!(sender.shutdown(Duration::ZERO).await.unsent.len(), usize::try_from(pushed).unwrap());
            }
            drop(sender);
            while receipts.next().await.is_some() {}
        })
        .await;
        let ours = visible(&lines);
        let last = ours.iter().find(|line| line.contains(&format!("unsent={pushed}"))).expect(&lines);
        assert!(last.contains(expected) && last.contains("sender ended") == (expected == " INFO "), "{lines}");
        assert_eq!(ours.iter().filter(|line| line.contains(" WARN ")).count(), usize::from(expected == " WARN "));
    }
}

#[tokio::test(start_paused = true)]
async fn untaken_last_receipt_with_unsent_usage_is_a_warning() {
    let server = metering_server();
    let client = client(&server);
    for pushed in [0, 1] {
        let lines = traced(async {
            let (sender, _receipts) = client.usage_queue().flush_timeout(None).into_sender().spawn().unwrap();
            (0..pushed).for_each(|number| _ = sender.push(usage("e-lost").sequence(number)).unwrap());
            // The future is dropped, and the shutdown continues.
            tokio::time::timeout(Duration::ZERO, sender.shutdown(Duration::ZERO)).await.unwrap_err();
            tokio::time::sleep(Duration::from_secs(1)).await;
        })
        .await;
        let is_warned = |line: &&str| line.contains(" WARN ") && line.contains("was not taken");
        assert_eq!(visible(&lines).into_iter().filter(is_warned).count(), usize::try_from(pushed).unwrap(), "{lines}");
    }
}

#[tokio::test(start_paused = true)]
async fn unlisted_outcomes_are_a_warning_unless_stream_was_dropped() {
    let server = metering_server();
    let client = client(&server).with_now("2026-11-19T07:30:00Z".parse().unwrap());
    for has_reader in [true, false] {
        let lines = traced(async {
            let queue = client.usage_queue().flush_timeout(None);
            let (sender, receipts) = queue.into_sender().capacity(1).spawn().unwrap();
            let receipts = Some(receipts).filter(|_| has_reader);
            for number in 0..3 {
                sender.push(usage("e-good").sequence(number)).unwrap();
                while sender.pending() > 0 {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            assert_eq!(receipts.map(|receipts| receipts.missed()), has_reader.then_some(2));
        })
        .await;
        let ours = visible(&lines);
        let dropped: Vec<_> = ours.into_iter().filter(|line| line.contains("receipts are not read")).collect();
        let is_warning = |line: &&str| line.contains(" WARN ") && line.contains("dropped=1");
        assert_eq!(dropped.iter().filter(|line| is_warning(line)).count(), dropped.len(), "{lines}");
        assert_eq!(dropped.len(), if has_reader { 2 } else { 0 }, "{lines}");
    }
}

#[tokio::test(start_paused = true)]
async fn settings_of_the_mapping_that_cannot_be_read_are_a_warning() {
    let server = ScriptedServer::start(|request| match request.method.as_str() {
        "GET" if request.target.contains("MeteringConfig") => ScriptedResponse::json(403, "\"not for hush-key\""),
        "GET" => {
            let id = usage("e-1").id("acme");
            let group = json!({"id": id, "entitlementID": "e-1", "status": "CREATED", "records": {"gb": 2}});
            ScriptedResponse::json(200, &json!({"usageRecordGroups": [group]}).to_string())
        }
        _ => ScriptedResponse::json(409, "\"there\""),
    });
    let mut queue = client(&server).usage_queue().flush_timeout(None);
    queue.push(usage("e-1")).unwrap();
    let lines = traced(async { assert_eq!(queue.flush().await.unsent.len(), 1) }).await;
    let ours = visible(&lines);
    let is_warned =
        |line: &&str| line.contains(" WARN ") && line.contains("dimension mapping unknown") && line.contains("403");
    assert!(ours.iter().any(is_warned) && !lines.contains("hush"), "{lines}");
    assert!(ours.iter().any(|line| line.contains("not confirmed") && line.contains("gb is 2 there, not 1")), "{lines}");
}
