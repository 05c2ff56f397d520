//! A durable outbox: events are enqueued, sent by a process that is killed, and reconciled.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::support::{RunningSandbox, TODAY, file, program, run, states};

const HEADER: &str = "entitlement_id,timestamp,dimension,quantity\n";

/// Usage of the last two hours before noon, 60 events.
fn usage() -> String {
    let entitlements = [("ent-aws01", "ingest_gb"), ("ent-azu01", "seats"), ("ent-gcp01", "node_hours")];
    let lines = (10..30).flat_map(|minute| {
        entitlements.map(|(id, dimension)| format!("{id},{TODAY}T11:{minute}:00Z,{dimension},{minute}\n"))
    });
    HEADER.to_owned() + &lines.collect::<String>()
}

/// A sandbox, a folder with an outbox, and the program that uses both.
struct Scenario {
    sandbox: RunningSandbox,
    folder: tempfile::TempDir,
}

impl Scenario {
    fn start() -> Self {
        Self { sandbox: RunningSandbox::start(&["--record-groups", "0"]), folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, content: &str) -> String {
        file(&self.folder, name, content)
    }

    fn settings(&self) -> Vec<(String, String)> {
        let outbox = self.folder.path().join("usage.sqlite").to_str().unwrap().to_owned();
        [&*self.sandbox.1, &[("SUGER_OUTBOX".to_owned(), outbox)]].concat()
    }

    fn meter(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        run(program(&["meter"]).args(arguments).args(["--today", TODAY]).envs(self.settings()))
    }

    /// Runs a verb that succeeds, and returns its JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let (code, stdout, stderr) = self.meter(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        serde_json::from_str(&stdout).unwrap()
    }

    /// Starts `meter run` beside the test.
    fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("usage-billing"));
        command.args(["meter", "run", "--yes", "--today", TODAY]).args(arguments).envs(self.settings());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Returns the number of events in some states.
    fn count(&self, states: &[&str]) -> u64 {
        let status = self.json(&["status", "--outbox"]);
        states.iter().map(|state| status["states"][state].as_u64().unwrap()).sum()
    }
}

const FINAL: [&str; 2] = ["delivered", "already_delivered"];

/// The month of an ISV whose sender is killed, and whose vendor loses responses: every event is billed once, and any gap is found.
#[test]
fn sender_that_is_killed_loses_and_doubles_nothing() {
    let scenario = Scenario::start();
    let events = scenario.file("events.csv", &usage());
    assert_eq!(scenario.json(&["enqueue", &events])["new"], 60);
    assert_eq!(scenario.json(&["enqueue", &events])["duplicates"], 60, "after a crash, the same file again");

    // Nothing is at Suger: a gap.
    states(scenario.meter(&["reconcile", "--outbox", "--period", "2026-11"]), 6, "the outbox has 60 pending; 0 billed");

    scenario.sandbox.fault(r#"{"kind":"latency","millis":200,"operation":"reportUsageRecordGroup","times":1000}"#);
    scenario.sandbox.fault(r#"{"kind":"reset_after","operation":"reportUsageRecordGroup","times":5}"#);
    scenario.sandbox.fault(r#"{"kind":"status","status":503,"operation":"reportUsageRecordGroup","times":3}"#);
    let mut sender = scenario.spawn(&["--until-empty"]);
    while scenario.sandbox.requests_of("reportUsageRecordGroup") < 40 {
        std::thread::yield_now();
        assert!(sender.try_wait().unwrap().is_none(), "it ended before it was killed");
    }
    sender.kill().unwrap();
    sender.wait().unwrap();
    assert!(scenario.count(&["sending"]) > 0, "it was killed in the middle");

    let (code, _, stderr) = scenario.meter(&["run", "--until-empty", "--yes"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("outbox: "), "{stderr}");
    assert_eq!(
        (scenario.count(&FINAL), scenario.count(&["pending", "sending", "unknown", "rejected", "expired"])),
        (60, 0)
    );

    // Delivered, and not reported to the marketplaces yet.
    states(scenario.meter(&["reconcile", "--outbox", "--period", "2026-11"]), 5, "0 billed, 60 pending");
    scenario.sandbox.advance(3 * 3600);
    let proof = scenario.folder.path().join("proof.json");
    let reconciled = scenario.json(&[
        "reconcile",
        "--outbox",
        "--period",
        "2026-11",
        "--format",
        "json",
        "-o",
        proof.to_str().unwrap(),
    ]);
    assert_eq!((&reconciled["is_clean"], reconciled["billed"].as_array().unwrap().len()), (&true.into(), 60));
    let proof: Value = serde_json::from_slice(&std::fs::read(proof).unwrap()).unwrap();
    let counts = &proof["states"];
    assert_eq!(FINAL.iter().filter_map(|state| counts[state].as_u64()).sum::<u64>(), 60, "{proof}");

    // A killed sender leaves evidence.
    let shown = scenario.json(&["show", "--state", "already_delivered", "--period", "2026-11"]);
    let key = shown[0]["key"].as_str().unwrap();
    let event = scenario.json(&["show", key]);
    let outcomes: Vec<_> = event["attempts"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes.last().unwrap().as_str(), Some("already_delivered"), "{event}");
    let keys = shown.as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap());
    let is_abandoned = |key: &str| scenario.json(&["show", key])["attempts"][0]["outcome"] == "abandoned";
    assert!(keys.filter(|key| is_abandoned(key)).count() > 0, "the attempts of the killed sender");
    assert_eq!(event["attempts"][0]["body_sha256"].as_str().unwrap().len(), 64);

    // Further usage that no sender has sent.
    let late = scenario.file("late.csv", &format!("{HEADER}ent-aws01,{TODAY}T11:45:00Z,ingest_gb,1\n"));
    assert_eq!(scenario.json(&["enqueue", &late])["new"], 1);
    let (code, _, stderr) = scenario.meter(&["reconcile", "--outbox", "--period", "2026-11"]);
    assert!(code == Some(6) && stderr.contains("1 pending") && stderr.contains("1 missing"), "{stderr}");
}

#[test]
fn same_key_with_other_quantities_names_line_and_stores_nothing() {
    let scenario = Scenario::start();
    let events = scenario.file("events.csv", &usage());
    scenario.json(&["enqueue", &events]);
    let line = format!("ent-azu01,{TODAY}T11:10:00Z,seats,");
    let new = format!("ent-new,{TODAY}T11:10:00Z,seats,1\n");
    let changed = scenario.file("changed.csv", &format!("{HEADER}{new}{line}999\n"));
    let (code, stdout, stderr) = scenario.meter(&["enqueue", &changed]);
    assert_eq!((code, stdout.as_str()), (Some(6), ""), "{stderr}");
    assert!(stderr.contains("changed.csv:3: event ") && stderr.contains("is stored with other quantities"), "{stderr}");
    assert_eq!(scenario.count(&["pending"]), 60);
    let (code, stdout, _) = scenario.meter(&["enqueue", &changed, "--dry-run"]);
    assert!(
        code == Some(0) && stdout.lines().count() == 2 && stdout.contains(r#""records":{"seats":999}"#),
        "{stdout}"
    );
}

#[test]
fn added_dimension_of_stored_event_names_line_stores_nothing() {
    let scenario = Scenario::start();
    let stored = format!("{HEADER}ent-aws01,{TODAY}T07:00:00Z,ingest_gb,5\n");
    let (events, other) = (scenario.file("events.csv", &stored), format!("ent-new,{TODAY}T07:00:00Z,seats,1\n"));
    scenario.json(&["enqueue", &events]);
    let added = format!("{stored}{other}ent-aws01,{TODAY}T07:00:00Z,api_calls,40\n");
    let (code, stdout, stderr) = scenario.meter(&["enqueue", &scenario.file("added.csv", &added)]);
    assert_eq!((code, stdout.as_str()), (Some(6), ""), "{stderr}");
    assert!(stderr.contains("added.csv:2: event ") && stderr.contains("has the dimension ingest_gb"), "{stderr}");
    assert_eq!(scenario.count(&["pending"]), 1);
    // The dimension alone is further usage.
    let added = format!("{HEADER}ent-aws01,{TODAY}T07:00:00Z,api_calls,40\n");
    assert_eq!(scenario.json(&["enqueue", &scenario.file("alone.csv", &added)])["new"], 1);
}

#[test]
fn outbox_of_the_configuration_is_beside_it_and_needs_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[profiles.default.suger]\norg_id = \"acme\"\noutbox = \"usage.sqlite\"\n";
    let (config, events) = (file(&folder, "config.toml", text), file(&folder, "events.csv", &usage()));
    let meter =
        |arguments: &[&str]| run(program(&["meter"]).args(arguments).args(["--config", &config, "--today", TODAY]));
    let (code, _, stderr) = meter(&["enqueue", &events]);
    assert_eq!((code, stderr.as_str()), (Some(0), "outbox: 60 events stored: 60 new, 0 there before\n"));
    assert!(folder.path().join("usage.sqlite").exists());
    let (code, _, stderr) = meter(&["status", "--outbox"]);
    assert!(code == Some(0) && stderr.starts_with("outbox: 60 pending"), "{stderr}");
    states(meter(&["run", "--once", "--yes"]), 2, "lacks api_key_file");
    // A misspelled name does not become a new outbox.
    let misspelled = folder.path().join("usgae.sqlite");
    for option in ["--once", "--until-empty", "--dry-run", "--validate-first"] {
        states(
            meter(&["run", option, "--yes", "--outbox", misspelled.to_str().unwrap()]),
            2,
            "usgae.sqlite` does not exist",
        );
    }
    assert!(!misspelled.exists());
}

#[cfg(unix)]
#[test]
fn password_of_a_server_is_not_read_by_a_dry_run() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("read");
    let text = format!(
        "[profiles.default.suger]\norg_id = \"acme\"\noutbox = \"postgres://db.invalid/usage\"\noutbox_password_command = [\"touch\", {marker:?}]\n"
    );
    let (config, events) = (file(&folder, "config.toml", &text), file(&folder, "events.csv", &usage()));
    let enqueue = ["enqueue", &*events, "--dry-run", "--config", &*config, "--today", TODAY];
    let (code, stdout, stderr) = run(program(&["meter"]).args(enqueue));
    assert_eq!((code, stdout.lines().count(), marker.exists()), (Some(0), 60, false), "{stderr}");
}

#[test]
fn rejected_event_is_requeued_and_resolved() {
    let scenario = Scenario::start();
    let events = scenario.file("events.csv", &format!("{HEADER}ent-unknown,{TODAY}T11:10:00Z,gb,5\n"));
    scenario.json(&["enqueue", &events]);
    states(scenario.meter(&["run", "--once"]), 2, "nothing was done: use --yes to send the events");
    let (code, stdout, _) = scenario.meter(&["run", "--dry-run"]);
    assert!(code == Some(0) && stdout.lines().count() == 1 && stdout.contains("/entitlement/ent-unknown/"), "{stdout}");
    let send = || {
        // Not --once: the clocks of two processes begin at noon, so that an event may be due in some milliseconds only.
        let (code, _, stderr) = scenario.meter(&["run", "--until-empty", "--yes"]);
        (code, stderr)
    };
    let (code, stderr) = send();
    assert!(code == Some(6) && stderr.contains("1 of the events are not billed"), "{stderr}");
    let shown = scenario.json(&["show", "--state", "rejected", "--period", "2026-11"]);
    let key = shown[0]["key"].as_str().unwrap();
    assert!(stderr.contains("show --state rejected` (or expired) lists them"), "{stderr}");
    for wrong in [&["--period", "2026-11"][..], &["--entitlement", "ent-unknown"], &["--outbox", "--state", "rejected"]]
    {
        states(scenario.meter(&[&["retry", key, "--yes"], wrong].concat()), 2, "cannot be used with");
    }
    for state in ["delivered", "already_delivered", "sending", "resolved"] {
        states(
            scenario.meter(&["retry", "--outbox", "--state", state, "--yes"]),
            2,
            "expected rejected, expired, unknown or pending",
        );
    }
    for arguments in [&["retry", key][..], &["retry", "--outbox", "--period", "2026-11"], &["retry", "--outbox"]] {
        states(scenario.meter(arguments), 2, "nothing was done: use --yes to requeue 1 event");
        let dry = scenario.json(&[arguments, &["--dry-run"]].concat());
        assert_eq!((&dry[0]["is_changed"], scenario.count(&["rejected"])), (&true.into(), 1), "{dry}");
        assert_eq!(scenario.json(&[arguments, &["--yes"]].concat())[0]["before"], "rejected");
        assert_eq!((scenario.count(&["pending"]), send().0), (1, Some(6)));
    }
    let resolve = ["resolve", key, "--reason", "billed by hand", "--yes"];
    assert_eq!(scenario.json(&resolve)[0]["is_changed"], true);
    assert_eq!(send().0, Some(0));
    let (code, stdout, _) = scenario.meter(&resolve);
    assert!(code == Some(6) && stdout.contains(r#""before": "resolved""#), "{stdout}");
    assert_eq!(scenario.json(&["show", key])["event"]["message"], "billed by hand");
}

#[test]
fn records_are_added_up_by_the_hour() {
    let scenario = Scenario::start();
    let lines: String =
        (0..6).map(|number| format!("r-{number},ent-aws01,{TODAY}T10:{number}0:31Z,ingest_gb,0.1\n")).collect();
    let header = "id,entitlement_id,timestamp,dimension,quantity\n";
    let records =
        scenario.file("records.csv", &format!("{header}{lines}r-6,ent-aws01,{TODAY}T11:58:00Z,ingest_gb,7\n"));
    assert_eq!(scenario.json(&["enqueue", &records, "--hourly"])["new"], 7);
    let changed = scenario.file("changed.csv", &format!("{header}r-3,ent-aws01,{TODAY}T10:30:31Z,ingest_gb,0.2\n"));
    states(scenario.meter(&["enqueue", &changed, "--hourly"]), 6, "changed.csv:2: metered usage r-3 ");
    // Records of an earlier hour that nothing reports.
    let early = scenario.file("early.csv", &format!("{header}e-0,ent-aws01,{TODAY}T07:00:31Z,ingest_gb,1\n"));
    scenario.json(&["enqueue", &early, "--hourly"]);
    states(
        scenario.meter(&["run", "--until-empty", "--yes"]),
        5,
        "T07:00:00Z and later is not reported: run it with --hourly",
    );
    let (code, _, stderr) = scenario.meter(&["run", "--until-empty", "--hourly-reports", "--yes"]);
    assert_eq!(code, Some(0), "{stderr}");
    let shown = scenario.json(&["show", "--period", "2026-11"]);
    assert_eq!(shown.as_array().unwrap().len(), 2, "{shown}");
    assert_eq!(
        (&shown[1]["body"]["records"]["ingest_gb"], &shown[1]["state"]),
        (&serde_json::json!(0.6), &"delivered".into())
    );
    scenario.sandbox.advance(3 * 3600);
    // The last record is of an hour that is not reported yet.
    states(
        scenario.meter(&["reconcile", "--outbox", "--period", "2026-11"]),
        5,
        "metered usage of 2026-11-21T11:00:00Z and later",
    );
    states(scenario.meter(&["reconcile", "--outbox", "--period", "2026-11-01/2026-11-21"]), 6, "nothing to compare");
}

#[test]
fn run_states_when_an_event_is_due_that_its_vendor_delays() {
    let scenario = Scenario::start();
    scenario.json(&[
        "enqueue",
        &scenario.file("events.csv", &format!("{HEADER}ent-aws01,{TODAY}T11:00:00Z,ingest_gb,1\n")),
    ]);
    scenario
        .sandbox
        .fault(r#"{"kind":"status","status":503,"retry_after":900,"operation":"reportUsageRecordGroup","times":100}"#);
    states(scenario.meter(&["run", "--once", "--yes"]), 5, "the next attempt is due at 2026-11-21T12:15:");
}

#[test]
fn old_events_are_removed_after_due_events_are_sent() {
    let scenario = Scenario::start();
    let events = scenario.file("events.csv", &format!("{HEADER}ent-aws01,2025-01-01T07:00:00Z,ingest_gb,1\n"));
    scenario.json(&["enqueue", &events]);
    let (code, stdout, stderr) = scenario.meter(&["run", "--until-empty", "--keep", "400days", "--yes"]);
    assert!(code == Some(6) && stdout.contains(r#""expired": 1"#), "the status has what is removed: {stdout}{stderr}");
    assert!(stderr.contains("outbox: removed 1 event"), "{stderr}");
}

/// Returns the status line, the head and the body of a response.
fn get(url: &str, path: &str, host: Option<&str>) -> (String, String) {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let host = host.unwrap_or(address);
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

#[cfg(unix)]
#[test]
fn running_sender_serves_health_metrics_and_page_until_stop() {
    let scenario = Scenario::start();
    let events = scenario.file("events.csv", &usage());
    scenario.json(&["enqueue", &events]);
    let mut sender = scenario.spawn(&["--listen", "127.0.0.1:0", "--page"]);
    let mut stderr = BufReader::new(sender.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("/healthz") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0);
    }
    let url = line.split_whitespace().find_map(|word| word.strip_suffix("/healthz,")).unwrap().to_owned();
    while scenario.count(&FINAL) < 60 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let (head, body) = get(&url, "/healthz", None);
    let health: Value = serde_json::from_str(&body).unwrap();
    assert!(head.starts_with("http/1.1 200") && health["is_delivering"] == true, "{head}\n{body}");
    for (path, header, content) in [
        ("/metrics", "http/1.1 200", "usage_billing_outbox_delivering 1\n"),
        ("/metrics", "content-type: application/openmetrics-text; version=1.0.0", "\n# EOF\n"),
        ("/", "http/1.1 200", "Outbox of sgr-demo1"),
        ("/", "content-security-policy: default-src 'none'", "Usage is delivered"),
    ] {
        let (head, body) = get(&url, path, None);
        assert!(head.contains(header) && body.contains(content), "{path}: {head}\n{body}");
    }
    assert!(get(&url, "/metrics", None).1.ends_with("\n# EOF\n"), "OpenMetrics ends with it");
    for path in ["/healthz", "/metrics", "/"] {
        assert!(get(&url, path, Some("attacker.example")).0.starts_with("http/1.1 403"), "{path}");
    }
    // One sender at a time.
    states(scenario.meter(&["run", "--once", "--yes"]), 75, "another sender has the lock");
    let id = sender.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let status = sender.wait().unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(status.code() == Some(0) && rest.contains("delivered"), "{status}: {rest}");
    states(scenario.meter(&["status", "--outbox", "--exit-code"]), 6, "usage is not delivered");
}

/// Requests in flight have a time to end, and the last line states what is left.
#[cfg(unix)]
#[test]
fn stopped_sender_ends_in_time_and_states_unsent_events() {
    let scenario = Scenario::start();
    let events = scenario.file("events.csv", &usage());
    scenario.json(&["enqueue", &events]);
    scenario.sandbox.fault(r#"{"kind":"latency","millis":60000,"operation":"reportUsageRecordGroup","times":1000}"#);
    let sender = scenario.spawn(&["--stop-timeout", "300ms"]);
    while scenario.sandbox.requests_of("reportUsageRecordGroup") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let id = sender.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = sender.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(0) && stderr.contains(": the next sender continues"), "{stderr}");
    assert_eq!((scenario.count(&["sending"]), scenario.count(&["pending", "unknown"])), (0, 60));
}

#[test]
fn sandbox_of_a_call_has_an_outbox_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let events = file(&folder, "events.csv", &usage());
    let outbox = folder.path().join("usage.sqlite");
    let outbox = outbox.to_str().unwrap();
    let meter =
        |arguments: &[&str]| run(program(&["meter"]).args(arguments).args(["--sandbox", "--today", TODAY, "-q"]));
    assert_eq!(meter(&["enqueue", &events]).0, Some(0), "a temporary file");
    assert_eq!(meter(&["enqueue", &events, "--outbox", outbox]).0, Some(0));
    let (code, _, stderr) = meter(&["run", "--once", "--yes", "--outbox", outbox]);
    assert_eq!(code, Some(0), "{stderr}");
    for verb in [&["status"][..], &["show"]] {
        assert_eq!(meter(&[verb, &["--outbox", outbox]].concat()).0, Some(0), "{verb:?}");
    }
    states(
        run(program(&["meter", "status", "--outbox", outbox]).env("SUGER_ORG_ID", "acme")),
        2,
        "has events of organization sgr-demo1, not of acme",
    );
    // Real usage is not sent to a sandbox.
    let real = folder.path().join("real.sqlite");
    let real = real.to_str().unwrap();
    let of_acme = |arguments: &[&str]| {
        let settings = [("SUGER_ORG_ID", "acme"), ("SUGER_OUTBOX", real)];
        run(program(&["meter"]).args(arguments).args(["--today", TODAY]).envs(settings))
    };
    assert_eq!(of_acme(&["enqueue", &events]).0, Some(0));
    states(
        meter(&["run", "--once", "--yes", "--outbox", real]),
        2,
        "has events of organization acme, not of sgr-demo1",
    );
    for verb in [&["run", "--once", "--yes"][..], &["enqueue", &events]] {
        let (code, _, stderr) = of_acme(&[verb, &["--sandbox"]].concat());
        assert_eq!(code, Some(0), "a temporary file: {stderr}");
    }
    let (_, stdout, stderr) = of_acme(&["status", "--outbox"]);
    assert!(stdout.contains(r#""pending": 60"#), "{stdout} {stderr}");
}
