//! Permissions of accounts.

use serde_json::Value;
use usage_billing_sandbox::{GENESYS_LIMITED_CLIENT_ID, GENESYS_LIMITED_CLIENT_SECRET};

use super::support::{RunningSandbox, TODAY, program, run};

fn access(stdout: &str, operation: &str) -> String {
    let accounts: Vec<Value> = serde_json::from_str(stdout).unwrap();
    let operations = accounts.iter().flat_map(|account| account["operations"].as_array().unwrap());
    let found = operations.into_iter().find(|one| one["operation"] == operation).unwrap();
    found["access"].as_str().unwrap().to_owned()
}

#[test]
fn full_account_is_allowed_what_was_called_and_what_has_the_same_permissions() {
    let (code, stdout, stderr) = run(&mut program(&["auth", "check", "--sandbox", "--today", TODAY]));
    assert_eq!(code, Some(0), "{stderr}");
    for operation in [
        "list_tenant_reports",
        "get_report",
        "getOrgauthorizationTrustors",
        "getBillingContract",
        "listUsageRecordGroups",
    ] {
        assert_eq!(access(&stdout, operation), "allowed", "{operation}");
    }
    // Never called: they change something.
    for operation in ["create_report", "reportUsageRecordGroup"] {
        assert_eq!(access(&stdout, operation), "unknown", "{operation}");
    }
}

#[test]
fn limited_account_is_denied_and_a_required_operation_decides_the_exit_code() {
    let sandbox = RunningSandbox::start(&[]);
    let check = |arguments: &[&str]| {
        let mut command = sandbox.program(&["auth", "check", "genesys"]);
        command
            .env("GENESYS_CLIENT_ID", GENESYS_LIMITED_CLIENT_ID)
            .env("GENESYS_CLIENT_SECRET", GENESYS_LIMITED_CLIENT_SECRET);
        run(command.args(arguments))
    };
    let (code, stdout, stderr) = check(&[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(access(&stdout, "getOrgauthorizationTrustors"), "denied");
    assert_eq!(access(&stdout, "getLicenseDefinitions"), "allowed");
    let (code, _, stderr) = check(&["--require", "getLicenseDefinitions"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = check(&["--require", "getOrgauthorizationTrustors"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("no account is allowed to call getOrgauthorizationTrustors"), "{stderr}");
    let (code, _, stderr) =
        run(&mut sandbox.program(&["auth", "check", "suger", "--require", "reportUsageRecordGroup"]));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("it is unknown whether an account is allowed to call reportUsageRecordGroup"), "{stderr}");
    let mut command = sandbox.program(&["auth", "check", "suger"]);
    let (code, _, stderr) = run(command.env("SUGER_API_KEY", "hush"));
    assert!(code == Some(3) && !stderr.contains("hush"), "{stderr}");
}
