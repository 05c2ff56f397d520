//! Permissions of accounts.

use serde_json::Value;
use usage_billing_sandbox::{GENESYS_LIMITED_CLIENT_ID, GENESYS_LIMITED_CLIENT_SECRET};

use super::support::{RunningSandbox, TODAY, exits, ok, program, run, states};

fn access(stdout: &str, operation: &str) -> String {
    let accounts: Vec<Value> = serde_json::from_str(stdout).unwrap();
    let operations = accounts.iter().flat_map(|account| account["operations"].as_array().unwrap());
    let found = operations.into_iter().find(|one| one["operation"] == operation).unwrap();
    found["access"].as_str().unwrap().to_owned()
}

#[test]
fn full_account_may_call_operations_with_the_same_permissions() {
    let (stdout, _) = ok(run(&mut program(&["auth", "check", "--sandbox", "--today", TODAY])));
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
fn required_operation_denied_to_limited_account_sets_exit_code() {
    let sandbox = RunningSandbox::start(&[]);
    let check = |arguments: &[&str]| {
        let mut command = sandbox.program(&["auth", "check", "genesys"]);
        command
            .env("GENESYS_CLIENT_ID", GENESYS_LIMITED_CLIENT_ID)
            .env("GENESYS_CLIENT_SECRET", GENESYS_LIMITED_CLIENT_SECRET);
        run(command.args(arguments))
    };
    let (stdout, _) = ok(check(&[]));
    assert_eq!(access(&stdout, "getOrgauthorizationTrustors"), "denied");
    assert_eq!(access(&stdout, "getLicenseDefinitions"), "allowed");
    ok(check(&["--require", "getLicenseDefinitions"]));
    states(
        check(&["--require", "getOrgauthorizationTrustors"]),
        3,
        "no account is allowed to call getOrgauthorizationTrustors",
    );
    let (_, stderr) =
        exits(run(&mut sandbox.program(&["auth", "check", "suger", "--require", "reportUsageRecordGroup"])), 1);
    assert!(stderr.contains("it is unknown whether an account is allowed to call reportUsageRecordGroup"), "{stderr}");
    let mut command = sandbox.program(&["auth", "check", "suger"]);
    let (code, _, stderr) = run(command.env("SUGER_API_KEY", "hush"));
    assert!(code == Some(3) && !stderr.contains("hush"), "{stderr}");
}
