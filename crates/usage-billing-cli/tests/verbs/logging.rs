//! Logs on stderr.

use super::support::{RunningSandbox, TODAY, ok, program, run};

#[test]
fn every_request_is_logged_on_request() {
    let sandbox = RunningSandbox::start(&[]);
    sandbox.fault(r#"{"kind":"status","status":503,"operation":"listUsageRecordGroups","times":1}"#);
    let status = ["meter", "status", "--today", TODAY, "--format", "json"];
    let (_, stderr) = ok(run(sandbox.program(&status).args(["-v", "--log-format", "json"])));
    let log: Vec<serde_json::Value> = stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let request = log.iter().find(|line| line["attempts"] == 2).unwrap();
    assert_eq!(request["template"], "/org/{orgId}/usageRecordGroup");
    assert!(request["method"] == "GET" && request["status"] == 200 && request["duration_ms"].is_u64(), "{request}");
    assert!(log.iter().any(|line| line["message"] == "retrying"), "{stderr}");

    let mut command = sandbox.program(&status);
    let (code, _, stderr) = run(command.env("RUST_LOG", "usage_billing::http=info"));
    assert!(code == Some(0) && stderr.contains("GET /org/{orgId}/usageRecordGroup 200 in "), "{stderr}");
    assert!(!stderr.contains(sandbox.setting("SUGER_API_KEY")), "{stderr}");
    let (code, _, stderr) = run(sandbox.program(&status).arg("-q"));
    assert!(code == Some(0) && stderr.is_empty(), "{stderr}");
    let fetch = ["-q", "usage", "fetch", "suger", "--sandbox", "--today", TODAY];
    let (code, stdout, stderr) = run(&mut program(&fetch));
    assert!(code == Some(0) && !stdout.is_empty() && stderr.is_empty(), "{stderr}");
    // The document does not have the token endpoint.
    let fetch = ["-v", "--log-format", "json", "usage", "fetch", "acronis", "--sandbox", "--today", TODAY];
    let (_, _, stderr) = run(&mut program(&fetch));
    let log = stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let requests: Vec<_> = log.filter(|line| line["message"] == "request").collect();
    assert!(requests.iter().any(|request| request["operation"] == "issue token"), "{stderr}");
    assert!(requests.iter().all(|request| request["template"].as_str().unwrap().starts_with('/')), "{stderr}");

    let (code, _, stderr) = run(program(&status).env("RUST_LOG", "a=b=c"));
    assert!(
        code == Some(2) && stderr.starts_with("error: RUST_LOG in the environment is not a valid filter"),
        "{stderr}"
    );
}
