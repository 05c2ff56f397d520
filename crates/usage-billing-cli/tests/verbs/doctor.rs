//! Checks with advice.

use serde_json::Value;

use super::support::{RunningSandbox, TODAY, exits, program, run};

/// Returns the state and the advice of a check.
fn state<'a>(checks: &'a [Value], check: &str) -> (&'a str, &'a str) {
    let found = checks.iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("no {check}: {checks:?}"));
    (found["state"].as_str().unwrap(), found["advice"].as_str().unwrap_or_default())
}

#[test]
fn healthy_account_passes_all_checks() {
    let (code, stdout, stderr) = run(&mut program(&["doctor", "--sandbox", "--today", TODAY]));
    let checks: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    // The clock of the sandbox is that of this machine, which tests may have changed.
    let failed = checks.iter().filter(|one| one["state"] == "failed" && one["check"] != "clock").count();
    assert!(code != Some(2) && failed == 0, "{stdout}{stderr}");
    for check in ["settings", "proxy", "dns", "connection", "token", "call"] {
        assert_eq!(state(&checks, check).0, "ok", "{check}");
    }
}

#[test]
fn each_problem_has_advice() {
    let sandbox = RunningSandbox::start(&[]);
    let (stdout, _) = exits(run(sandbox.program(&["doctor", "genesys"]).env("GENESYS_CLIENT_SECRET", "hush")), 3);
    let checks: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let (token, advice) = state(&checks, "token");
    assert!(token == "failed" && !advice.is_empty() && !stdout.contains("hush"), "{stdout}");

    // Nothing listens there.
    let (stdout, _) = exits(run(sandbox.program(&["doctor", "suger"]).env("SUGER_BASE_URL", "http://127.0.0.1:1")), 1);
    let checks: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let (connection, advice) = state(&checks, "connection");
    assert!(connection == "failed" && advice.contains("firewall"), "{stdout}");

    // A port without TLS.
    let plain = sandbox.setting("SUGER_BASE_URL").replace("http://", "https://");
    let (stdout, _) = exits(run(sandbox.program(&["doctor", "suger"]).env("SUGER_BASE_URL", &plain)), 1);
    let checks: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let (tls, advice) = state(&checks, "tls");
    assert!(tls == "failed" && advice.contains("does not serve TLS"), "{stdout}");

    // A name that cannot exist (RFC 6761).
    let (stdout, _) = exits(run(sandbox.program(&["doctor", "suger"]).env("SUGER_BASE_URL", "https://api.invalid")), 1);
    let checks: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let (dns, advice) = state(&checks, "dns");
    assert!(dns == "failed" && advice.contains("check the host"), "{stdout}");

    // A proxy resolves names, except those of hosts that are reached directly.
    for (no_proxy, expected) in [("", "skipped"), ("api.invalid", "failed")] {
        let mut doctor = sandbox.program(&["doctor", "suger"]);
        doctor.env("SUGER_BASE_URL", "https://api.invalid").env("HTTPS_PROXY", "http://127.0.0.1:1");
        let (_, stdout, stderr) = run(doctor.env("NO_PROXY", no_proxy));
        let checks: Vec<Value> = serde_json::from_str(&stdout).unwrap();
        assert_eq!(state(&checks, "dns").0, expected, "{stdout}{stderr}");
    }
}
