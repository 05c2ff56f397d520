//! Usage is correct or an error for truncated, slow and rejected responses.

use std::time::Duration;

use futures_util::TryStreamExt;
use serde_json::json;
use usage_billing::acronis::{ReportRequest, StoredFile, UsageOptions};
use usage_billing::{BillingReason, ErrorKind};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{ClosedPort, ScriptedResponse, ScriptedServer};

use super::{
    UNLIMITED, client, client_at, files, inject, quantities_by_key, reports, sandbox, september, summary, tenant,
};

#[tokio::test(start_paused = true)]
async fn usage_is_equal_after_transient_faults() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let undisturbed = quantities_by_key(&client.usage(september(), UNLIMITED).await.unwrap());
    let current = quantities_by_key(&client.current_usage().await.unwrap());
    let fresh = || client.usage_with(september(), UNLIMITED, UsageOptions::new().reuse_reports(false));
    for fault in [
        "429; retry_after=5; times=2",
        "429; retry_after=5; as_date; times=2",
        "429; times=1; operation=create_report",
        "503; times=2; operation=list_stored_reports",
        "500; times=3; operation=list_stored_reports",
        "503; times=9; operation=list_stored_reports",
        "reset_after; times=9; operation=list_stored_reports",
        "500; times=1; skip=1; operation=issue_token",
        "502; times=2; operation=download_stored_report",
        "reset_before; times=2; operation=list_stored_reports",
        "reset_after; times=2; operation=list_stored_reports",
        "reset_before; times=1; operation=download_stored_report",
        "cut_body; times=2; operation=download_stored_report",
        "cut_body; bytes=1; times=1; operation=download_stored_report",
        "slow_body; bytes=40; millis=20000; operation=list_stored_reports",
        "slow_body; bytes=200; millis=20000; operation=download_stored_report",
        "extra_fields",
        "unknown_enum; times=1; operation=list_stored_reports",
    ] {
        inject(&sandbox, fault);
        let before = reports(&sandbox).await;
        let rows = fresh().await.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert_eq!(quantities_by_key(&rows), undisturbed, "{fault}");
        // An existing report is read again as well.
        let rows = client.usage(september(), UNLIMITED).await.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert_eq!(quantities_by_key(&rows), undisturbed, "{fault}");
        sandbox.clear_faults();
        assert_eq!(reports(&sandbox).await, before + 1, "{fault}");
    }
    for fault in
        ["429; retry_after=5; times=2", "503; times=2", "reset_after; times=2", "cut_body; times=2", "extra_fields"]
    {
        for operation in ["get_client", "list_tenants", "list_applications", "list_tenants_usages"] {
            inject(&sandbox, &format!("{fault}; operation={operation}"));
            let rows = client.current_usage().await.unwrap_or_else(|error| panic!("{fault} {operation}: {error}"));
            assert_eq!(quantities_by_key(&rows), current, "{fault} {operation}");
            sandbox.clear_faults();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn permanent_faults_are_errors() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let file = &files(&client, &summary()).await[0];
    let folder = tempfile::tempdir().unwrap();
    for (fault, kind, downloads) in [
        ("cut_body; operation=download_stored_report", ErrorKind::Connection, 3),
        ("404; operation=download_stored_report", ErrorKind::Api, 1),
        ("403; operation=download_stored_report", ErrorKind::Permission, 1),
    ] {
        for save in [false, true] {
            inject(&sandbox, fault);
            let before = sandbox.requests().len();
            let error = match save {
                false => client.usage_from_file(file).await.map(|_| ()),
                true => client.save_to(file, folder.path().join("report.csv")).await.map(|_| ()),
            };
            assert_eq!(error.unwrap_err().kind(), kind, "{fault}");
            assert_eq!(sandbox.requests().len() - before, downloads, "{fault}");
            sandbox.clear_faults();
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing half-done is left");
    inject(&sandbox, "cut_body; times=1; operation=download_stored_report");
    let rows = client.rows(file).await.unwrap();
    assert_eq!(rows.try_collect::<Vec<_>>().await.unwrap_err().kind(), ErrorKind::Connection);
}

#[tokio::test(start_paused = true)]
async fn token_that_expires_during_a_report_is_renewed() {
    let today = "2026-11-21".parse().unwrap();
    let builder = Sandbox::builder().today(today).polls_before_ready(8).token_lifetime(Duration::from_secs(30));
    let sandbox = builder.start().await.unwrap();
    assert!(!client(&sandbox).usage(september(), UNLIMITED).await.unwrap().is_empty());
    let tokens = sandbox.requests().iter().filter(|request| request.path.ends_with("/idp/token")).count();
    assert!(tokens > 1, "{tokens}");
}

#[tokio::test(start_paused = true)]
async fn missing_history_error_states_retry_delay() {
    let sandbox = sandbox().await;
    inject(&sandbox, "500; operation=create_report");
    let error = client(&sandbox).usage(september(), UNLIMITED).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::NotReady, Some(Duration::from_secs(3600))));
    let created = sandbox.requests().iter().filter(|request| request.operation == Some("create_report")).count();
    assert_eq!(created, 1, "requested once");

    let server = scripted(|target| match target {
        "/api/2/reports" => {
            ScriptedResponse::json(400, r#"{"error":{"code":400,"message":"The usage history is not ready."}}"#)
        }
        _ => ScriptedResponse::json(404, "{}"),
    });
    let error = scripted_client(&server).create_report(&summary()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::NotReady && error.retry_after().is_some(), "{error}");
    assert!(error.to_string().contains("The usage history is not ready"), "the vendor's message is kept: {error}");
}

#[tokio::test(start_paused = true)]
async fn repeated_cursors_and_rows_are_errors() {
    let page = r#"{"timestamp":"2026-11-21T00:00:00Z","items":[],"paging":{"cursors":{"after":"again"}}}"#;
    let server = scripted(move |_| ScriptedResponse::json(200, page));
    let error = scripted_client(&server).children(tenant()).try_collect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Decode && error.message().contains("again"), "{error}");
    let error = scripted_client(&server).offering_items(tenant()).try_collect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Decode && error.message().contains("again"), "{error}");
    let queries = server
        .requests()
        .into_iter()
        .filter_map(|request| request.target.split_once("offering_items?").map(|(_, query)| query.to_owned()));
    let expected = [format!("subtree_root_tenant_id={}", tenant()), "after=again".to_owned()];
    assert_eq!(queries.collect::<Vec<_>>(), expected, "the cursor carries the rest");

    // Files that are not packed.
    let header = "tenant.id,tenant.kind,application.name,name,date,is_range,measurement_unit,infra.id,infra.owner_id,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total";
    let line = "t-1,customer,backup,seats,2026-09-30,False,,,,1,0,1,1,0,1";
    let files = [format!("{header}\n{line}\n"), format!("{header}\n{line}\n{line}\n"), header.replace("name,", "")];
    let sandbox = sandbox().await;
    let known = &files_of(&sandbox).await[0];
    for (file, expected) in
        files.into_iter().zip([None, Some("rows 1 and 2 of the report are both"), Some("the report lacks")])
    {
        let server =
            scripted(move |_| ScriptedResponse::new(200, &[("content-type", "application/octet-stream")], &file));
        let usage = scripted_client(&server).usage_from_file(known).await;
        match expected {
            None => assert_eq!(usage.unwrap().len(), 1),
            Some(expected) => {
                let error = usage.unwrap_err();
                assert!(error.kind() == ErrorKind::Decode && error.message().starts_with(expected), "{error}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn missing_permission_error_names_roles() {
    let sandbox = sandbox().await;
    let limited = client_at(sandbox.url(), demo::ACRONIS_LIMITED_CLIENT_ID, demo::ACRONIS_LIMITED_CLIENT_SECRET);
    let error = limited.create_report(&ReportRequest::usage_current(tenant())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.to_string().contains("partner_admin"), "{error}");
    let error = client_at(sandbox.url(), demo::ACRONIS_CLIENT_ID, "wrong").own_tenant().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("data centre"), "{error}");
    let closed = ClosedPort::reserve();
    let nowhere = client_at(closed.url(), demo::ACRONIS_CLIENT_ID, "x");
    let error = nowhere.own_tenant().await.unwrap_err();
    assert!(error.to_string().contains("connection refused") && error.to_string().contains("data centre"), "{error}");
}

/// The vendor's own document requires the fields that are absent here, and no row needs them.
#[tokio::test(start_paused = true)]
async fn current_usage_needs_no_field_that_is_not_in_its_rows() {
    let child = "8c0de6a1-35f2-4b90-8f0e-b6c1d2a94e31";
    let server = scripted(move |target| {
        let body = match target.split('?').next().unwrap_or_default() {
            "/api/2/tenants" => {
                json!({"items": [{"id": child, "parent_id": tenant(), "version": 1, "name": "Birch", "kind": "customer"}]})
            }
            "/api/2/tenants/usages" => json!({"items": [{"tenant": child, "usages": [
                {"application_id": child, "name": "pw_base_servers", "measurement_unit": "quantity", "range_start": "2026-11-01T00:00:00", "value": 3},
                {"application_id": child, "name": "dr_internet_access", "measurement_unit": "n/a", "range_start": "2026-11-01T00:00:00Z", "value": 0},
            ]}]}),
            "/api/2/applications" => json!({"items": []}),
            path if path.starts_with("/api/2/clients/") => {
                json!({"client_id": demo::ACRONIS_CLIENT_ID, "tenant_id": tenant(), "type": "api_client"})
            }
            path if path.starts_with("/api/2/tenants/") => {
                json!({"id": tenant(), "parent_id": child, "version": 1, "name": "Northwind"})
            }
            _ => return ScriptedResponse::json(404, "{}"),
        };
        ScriptedResponse::json(200, &body.to_string())
    });
    let rows = scripted_client(&server).current_usage().await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| (row.metric.as_str(), row.billing_reason)).collect();
    let expected =
        [("dr_internet_access", BillingReason::FeatureSwitch), ("pw_base_servers", BillingReason::NotABillingBasis)];
    assert_eq!(found, expected);
    assert!(rows.iter().all(|row| row.account_name.as_deref() == Some("Northwind")));
}

async fn files_of(sandbox: &Sandbox) -> Vec<StoredFile> {
    files(&client(sandbox), &summary()).await
}

/// Starts a server that issues tokens, and responds to other requests by their path.
fn scripted(respond: impl Fn(&str) -> ScriptedResponse + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| match request.target.as_str() {
        "/api/2/idp/token" => {
            ScriptedResponse::json(200, r#"{"access_token":"t","token_type":"bearer","expires_in":7200}"#)
        }
        target => respond(target),
    })
}

fn scripted_client(server: &ScriptedServer) -> usage_billing::acronis::Client {
    client_at(server.url(), demo::ACRONIS_CLIENT_ID, "x")
}
