//! An ISV's usage: sent, checked, listed, requeued and reconciled.

use serde_json::Value;

use super::support::{RunningSandbox, TODAY, exits, file, ok, program, rejects, run, states};

const HEADER: &str = "entitlement_id,timestamp,dimension,quantity\n";

/// A month of usage: three events a day.
fn month() -> String {
    let entitlements = [("ent-aws01", "ingest_gb"), ("ent-azu01", "seats"), ("ent-gcp01", "node_hours")];
    let lines = (1..=20).flat_map(|day| {
        entitlements.map(|(id, dimension)| format!("{id},2026-11-{day:02}T07:00:00Z,{dimension},{}\n", 10 + day))
    });
    HEADER.to_owned() + &lines.collect::<String>()
}

/// The month of an ISV that loses responses: every event is billed once, and any gap is found.
#[test]
fn month_with_lost_responses_reconciles() {
    let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let events = file(&folder, "november.csv", &month());
    sandbox.fault(r#"{"kind":"reset_after","operation":"reportUsageRecordGroup","times":5}"#);
    sandbox.fault(r#"{"kind":"status","status":503,"operation":"listUsageRecordGroups","times":1}"#);
    let meter = |arguments: &[&str]| run(sandbox.program(&["meter"]).args(arguments).args(["--today", TODAY]));
    let reconcile = |file: &str, more: &[&str]| {
        meter(&[&["reconcile", file, "--period", "2026-11", "--format", "json"], more].concat())
    };

    let (stdout, stderr) = ok(meter(&["send", &events, "--yes", "--format", "json"]));
    let receipt: Value = serde_json::from_str(&stdout).unwrap();
    let delivered = |receipt: &Value, list: &str| receipt[list].as_array().unwrap().len();
    assert_eq!(receipt["is_complete"], true, "{receipt}");
    assert_eq!(delivered(&receipt, "delivered") + delivered(&receipt, "already_delivered"), 60);
    assert_eq!(delivered(&receipt, "already_delivered"), 5, "their responses were lost: {stderr}");

    // Not reported to the marketplaces yet.
    states(reconcile(&events, &[]), 5, "not all usage is reported to the marketplace yet: 0 billed, 60 pending");

    sandbox.advance(3 * 3600);
    let proof = folder.path().join("proof.json");
    let (stdout, _) = ok(reconcile(&events, &["--output", proof.to_str().unwrap()]));
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert!(found["is_clean"] == true && delivered(&found, "billed") == 60, "{found}");
    let proof: Value = serde_json::from_str(&std::fs::read_to_string(proof).unwrap()).unwrap();
    assert!(proof["reconciliation"] == found || proof["reconciliation"]["billed"] == found["billed"], "{proof}");
    assert_eq!(proof["events"], 60);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no partial file");

    // Sent again, from another process: nothing is billed twice.
    let (stdout, _) = ok(meter(&["send", &events, "--yes", "--format", "json"]));
    assert_eq!(delivered(&serde_json::from_str(&stdout).unwrap(), "already_delivered"), 60, "{stdout}");

    // An event that was never sent, one that is unknown here, and one with another quantity.
    let wrong = month()
        .replace("ent-aws01,2026-11-01T07:00:00Z,ingest_gb,11", "ent-aws01,2026-11-01T08:00:00Z,ingest_gb,11")
        .replace("ent-azu01,2026-11-02T07:00:00Z,seats,12", "ent-azu01,2026-11-02T07:00:00Z,seats,13");
    let wrong = file(&folder, "wrong.csv", &wrong);
    let (stdout, stderr) = exits(meter(&["reconcile", &wrong, "--period", "2026-11", "--format", "table"]), 6);
    assert!(stderr.contains("58 billed, 0 pending, 0 failed, 1 different, 1 missing, 1 extra"), "{stderr}");
    for line in ["missing    ent-aws01", "different  ent-azu01", "extra      ent-aws01"] {
        assert!(stdout.lines().any(|stdout| stdout.starts_with(line)), "{line}: {stdout}");
    }
    assert_eq!(stdout.lines().count(), 5, "exceptions only: {stdout}");
}

#[test]
fn sending_needs_consent_and_a_dry_run_sends_nothing() {
    let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let events = file(&folder, "events.csv", &month());
    let send = |arguments: &[&str]| run(sandbox.program(&["meter", "send", &events, "--today", TODAY]).args(arguments));
    rejects(send(&[]), 2, "error: nothing was done: use --yes to send 60 events to Suger");
    let (stdout, _) = ok(send(&["--dry-run"]));
    assert_eq!(stdout.lines().count(), 60);
    let request: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(request["method"], "POST");
    let url = format!("{}/org/sgr-demo1/entitlement/ent-aws01/usageRecordGroup", sandbox.setting("SUGER_BASE_URL"));
    assert_eq!(request["url"], url, "{request}");
    assert_eq!(request["body"]["records"]["ingest_gb"], 11);
    assert!(!stdout.contains(sandbox.setting("SUGER_API_KEY")));
    let (code, stdout, stderr) = run(&mut sandbox.program(&["meter", "status", "--today", TODAY, "--format", "json"]));
    assert!(code == Some(0) && stdout == "[]\n", "{stdout}{stderr}");
}

#[test]
fn table_lists_the_first_of_many_events_with_one_outcome() {
    let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let lines =
        (0..101).map(|number| format!("ent-aws01,2026-11-20T{:02}:{:02}:00Z,ingest_gb,5\n", number / 60, number % 60));
    let events = file(&folder, "events.csv", &(HEADER.to_owned() + &lines.collect::<String>()));
    let (stdout, _) =
        ok(run(&mut sandbox.program(&["meter", "send", &events, "--yes", "--today", TODAY, "--format", "table"])));
    assert!(stdout.contains("\n1 more delivered: --format json lists all\n"), "{stdout}");
    assert_eq!(stdout.lines().count(), 103, "{stdout}");
}

#[test]
fn rejected_event_is_in_the_receipt_and_leaves_the_others() {
    let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let lines = "ent-aws01,2026-11-20T07:00:00Z,ingest_gb,5\nent-unknown,2026-11-20T07:00:00Z,ingest_gb,5\n";
    let events = file(&folder, "events.csv", &(HEADER.to_owned() + lines));
    let (stdout, _) = exits(
        run(&mut sandbox.program(&["meter", "send", &events, "--yes", "--today", TODAY, "--format", "table"])),
        4,
    );
    assert!(stdout.lines().any(|line| line.starts_with("rejected   ent-unknown")), "{stdout}");
    assert!(stdout.lines().any(|line| line.starts_with("delivered  ent-aws01")), "{stdout}");
    let (_, stderr) = exits(
        run(sandbox.program(&["meter", "send", &events, "--yes", "--today", TODAY]).env("SUGER_API_KEY", "hush")),
        3,
    );
    assert!(!stderr.contains("hush"), "{stderr}");
}

#[test]
fn file_is_validated_without_any_settings() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "good.csv", &month());
    let (code, stdout, stderr) = run(&mut program(&["meter", "validate", &good, "--today", TODAY]));
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", "60 events can be sent\n"));
    let json = r#"{"entitlement_id":"e","timestamp":"2026-11-20T07:00:00Z","quantities":{"gb":1}}"#;
    let (code, _, stderr) = run(program(&["meter", "validate", "-", "--today", TODAY]).write_stdin(json));
    assert_eq!((code, stderr.as_str()), (Some(0), "1 event can be sent\n"));
    let bad = file(&folder, "bad.csv", &(HEADER.to_owned() + "e,2026-11-20,gb,1\ne,2026-11-20T07:00:00Z,gb,x\n"));
    let (code, stdout, stderr) = run(&mut program(&["meter", "validate", &bad]));
    assert_eq!((code, stdout.as_str()), (Some(6), ""), "{stderr}");
    let lines: Vec<_> = stderr.lines().collect();
    assert!(
        lines[0].contains("bad.csv:2: invalid timestamp") && lines[1].contains("bad.csv:3: invalid quantity"),
        "{stderr}"
    );
    assert!(lines.len() == 3 && lines[2].ends_with("bad.csv has 2 invalid lines"), "{stderr}");
}

#[test]
fn failed_groups_are_listed_and_requeued() {
    let sandbox = RunningSandbox::start(&[]);
    let meter = |arguments: &[&str]| run(sandbox.program(&["meter"]).args(arguments).args(["--today", TODAY]));
    let period = ["--period", "2026-10-01/2026-11-22"];
    let failed = || {
        let (stdout, _) =
            ok(meter(&[&["status", "--status", "report_failed", "--format", "json"], &period[..]].concat()));
        serde_json::from_str::<Vec<Value>>(&stdout).unwrap().len()
    };
    let before = failed();
    assert!(before > 0);
    states(meter(&[&["retry"], &period[..]].concat()), 2, "use --yes to requeue");
    let (code, stdout, stderr) = meter(&[&["retry", "--dry-run"], &period[..]].concat());
    assert!(code == Some(0) && stdout.lines().count() == before && stdout.contains("/retry\""), "{stdout}{stderr}");
    let (stdout, stderr) = ok(meter(&[&["retry", "--yes", "--format", "json"], &period[..]].concat()));
    let changes: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(changes["requeued"].as_array().unwrap().len(), before, "{stderr}");
    assert_eq!(failed(), 0);
}

#[test]
fn dimension_that_is_added_to_sent_usage_is_not_billed_twice() {
    let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let hour = "ent-aws01,2026-11-20T03:00:00Z";
    let first = file(&folder, "first.csv", &format!("{HEADER}{hour},ingest_gb,10\n"));
    let second = file(&folder, "second.csv", &format!("{HEADER}{hour},ingest_gb,10\n{hour},api_calls,5\n"));
    let third = file(&folder, "third.csv", &format!("{HEADER}{hour},api_calls,5\n"));
    let send = |file: &str, more: &[&str]| {
        run(sandbox.program(&["meter", "send", file, "--yes", "--today", TODAY, "--format", "table"]).args(more))
    };
    states(send(&first, &[]), 0, "suger: 1 event older than the marketplace accepts");
    let (code, stdout, stderr) = send(&second, &[]);
    assert_eq!((code, stdout.as_str()), (Some(6), ""), "{stderr}");
    assert!(
        stderr.contains("second.csv:2: ingest_gb of ent-aws01 at 2026-11-20T03:00:00Z is in the usage"),
        "{stderr}"
    );
    assert!(stderr.contains("error: nothing was sent: 1 event would be billed twice; --allow-overlap"), "{stderr}");
    for (file, more, expected) in [
        (&third, &[][..], "1 delivered, 0 already"),
        (&first, &[], "0 delivered, 1 already"),
        (&second, &["--allow-overlap"], "1 delivered, 0 already"),
    ] {
        states(send(file, more), 0, expected);
    }
}

#[test]
fn impossible_time_and_a_pipe_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let bad =
        file(&folder, "bad.csv", &(HEADER.to_owned() + "e,2026-12-20T07:00:00Z,gb,1\ne,0999-11-20T07:00:00Z,gb,1\n"));
    for verb in [&["meter", "validate"][..], &["meter", "send", "--sandbox", "--yes"]] {
        let (code, stdout, stderr) = run(program(verb).args([&bad, "--today", TODAY]));
        assert_eq!((code, stdout.as_str()), (Some(6), ""), "{stderr}");
        assert!(stderr.contains("bad.csv:2: the timestamp 2026-12-20T07:00:00Z is in the future"), "{stderr}");
        assert!(stderr.contains("bad.csv:3: the timestamp 0999-11-20T07:00:00Z is too old"), "{stderr}");
    }
    // A pipe without a writer.
    #[cfg(unix)]
    let pipe = folder.path().join("pipe");
    #[cfg(unix)]
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    #[cfg(unix)]
    for arguments in [&["meter", "validate"][..], &["vendors", "--config"]] {
        states(
            run(program(arguments).arg(&pipe).timeout(std::time::Duration::from_secs(60))),
            2,
            "is not a regular file",
        );
    }
}

/// Its receipt states what arrived, and the rest can be sent again.
#[cfg(unix)]
#[test]
fn interrupted_send_prints_its_receipt() {
    use std::io::{BufRead as _, BufReader, Read as _};

    let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let events = file(&folder, "events.csv", &month());
    sandbox.fault(r#"{"kind":"latency","millis":60000,"operation":"reportUsageRecordGroup","times":1000}"#);
    for signal in ["-INT", "-TERM"] {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("usage-billing"));
        command.args(["meter", "send", &events, "--yes", "--today", TODAY, "--format", "json"]).envs(sandbox.1.clone());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut rest) = (String::new(), String::new());
        while !line.contains("sending 60 events") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0);
        }
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(output.status.code(), Some(130), "{rest}");
        assert!(rest.contains("error: interrupted: send the same file again"), "{rest}");
        let receipt: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(receipt["unsent"].as_array().unwrap().len(), 60, "{receipt}");
        let message = receipt["unsent"][0]["error"]["message"].as_str().unwrap();
        assert!(message.ends_with("send the same file again"), "{message}");
    }
}

#[test]
fn exit_code_of_a_send_without_delivery_states_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let line = "ent-aws01,2026-11-20T07:00:00Z,ingest_gb,5\n";
    let (good, unknown) = (line.to_owned(), line.replace("ent-aws01", "ent-unknown"));
    for (fault, line, expected) in [
        (r#"{"kind":"status","status":429,"retry_after":3600,"operation":"reportUsageRecordGroup"}"#, &good, 75),
        (
            r#"{"kind":"replace_response","status":400,"body":"<html>blocked</html>","operation":"reportUsageRecordGroup"}"#,
            &good,
            1,
        ),
        (r#"{"kind":"latency","millis":0,"operation":"listProducts"}"#, &unknown, 6),
    ] {
        let sandbox = RunningSandbox::start(&["--record-groups", "0"]);
        sandbox.fault(fault);
        let events = file(&folder, "events.csv", &(HEADER.to_owned() + line));
        let (code, _, stderr) = run(&mut sandbox.program(&["meter", "send", &events, "--yes", "--today", TODAY]));
        assert_eq!(code, Some(expected), "{fault}: {stderr}");
    }
}
