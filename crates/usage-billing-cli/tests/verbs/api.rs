//! Calls of any operation.

use serde_json::Value;
use usage_billing_sandbox::{GENESYS_LIMITED_CLIENT_ID, GENESYS_LIMITED_CLIENT_SECRET};

use super::support::{RunningSandbox, TODAY, file, ok, program, rejects, run, states};

#[test]
fn operations_are_listed_without_any_settings() {
    let (stdout, _) = ok(run(&mut program(&["api", "genesys"])));
    let operations: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let usage = operations.iter().find(|one| one["operation"] == "getBillingReportsBillableusage").unwrap();
    assert_eq!(usage["permissions"][0], "billing:subscription:read");
    let (code, stdout, _) = run(&mut program(&["api", "suger", "--format", "table"]));
    assert!(code == Some(0) && stdout.starts_with("OPERATION "), "{stdout}");
}

#[test]
fn response_is_printed_unchanged() {
    let (stdout, _) = ok(run(&mut program(&[
        "api",
        "suger",
        "listEntitlements",
        "--param",
        "limit=1",
        "--sandbox",
        "--today",
        TODAY,
    ])));
    let page: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(page.as_array().unwrap().len(), 1, "{stdout}");
    let (code, stdout, stderr) = run(&mut program(&["api", "acronis", "get_me", "--sandbox", "--today", TODAY]));
    assert!(code == Some(0) && serde_json::from_str::<Value>(&stdout).is_ok(), "{stdout}{stderr}");
}

#[test]
fn writing_operation_needs_consent_and_a_dry_run_sends_nothing() {
    let sandbox = RunningSandbox::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let body = file(
        &folder,
        "metric.json",
        r#"{"id": "m-1", "organizationID": "sgr-demo1", "name": "calls", "aggregationType": "COUNT"}"#,
    );
    let create = ["api", "suger", "createBillableMetric", "--body", &body];
    rejects(
        run(&mut sandbox.program(&create)),
        2,
        "use --yes to call createBillableMetric (POST /org/{orgId}/billableMetric)",
    );
    let (stdout, _) = ok(run(sandbox.program(&create).arg("--dry-run")));
    let request: Value = serde_json::from_str(&stdout).unwrap();
    assert!(request["method"] == "POST" && request["body"]["name"] == "calls", "{request}");
    assert!(!stdout.contains(sandbox.setting("SUGER_API_KEY")), "{stdout}");
    let number = || {
        let (_, stdout, _) = run(&mut sandbox.program(&["api", "suger", "listBillableMetrics"]));
        stdout.matches("\"calls\"").count()
    };
    assert_eq!(number(), 0);
    let (code, stdout, stderr) = run(sandbox.program(&create).arg("--yes"));
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert_eq!(number(), 1);
}

#[test]
fn missing_permission_and_rejection_for_now_are_named() {
    let sandbox = RunningSandbox::start(&[]);
    let mut command = sandbox.program(&["api", "genesys", "getOrgauthorizationTrustors"]);
    command
        .env("GENESYS_CLIENT_ID", GENESYS_LIMITED_CLIENT_ID)
        .env("GENESYS_CLIENT_SECRET", GENESYS_LIMITED_CLIENT_SECRET);
    states(run(&mut command), 3, "authorization:orgTrustor:view");
    sandbox.fault(r#"{"kind":"status","status":429,"retry_after":3000,"operation":"listProducts","times":1}"#);
    states(run(&mut sandbox.program(&["api", "suger", "listProducts"])), 75, "(try again after 20");
}
