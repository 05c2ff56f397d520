//! Acronis through the facade when things go wrong: whatever is cut, slow or refused, usage comes out right or not at all, and no report is
//! made twice without being asked for.

use std::time::Duration;

use futures_util::TryStreamExt;
use usage_billing::acronis::types::ReportFormat;
use usage_billing::acronis::{ReportRequest, StoredFile};
use usage_billing::{ErrorKind, Progress, Report, UsageRow};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{Reply, ScriptedServer};

use crate::acronis_reports::{PATIENCE, client, client_at, files, sandbox, september, summary, tenant};

fn inject(sandbox: &Sandbox, fault: &str) {
    sandbox.inject(fault.parse().expect("a fault")).expect("a good fault");
}

fn told(rows: &[UsageRow]) -> Vec<(uuid::Uuid, String)> {
    rows.iter().map(|row| (row.key, row.quantity.to_string())).collect()
}

async fn reports(sandbox: &Sandbox) -> usize {
    client(sandbox).api().list_tenant_reports().tenant_id(tenant()).send().await.unwrap().items.len()
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_sat_out_and_usage_is_the_same() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let undisturbed = told(&client.usage(september(), PATIENCE).await.unwrap());
    let current = told(&client.current_usage().await.unwrap());
    for fault in [
        "429; retry_after=5; times=2",
        "429; retry_after=5; as_date; times=2",
        "429; times=1; operation=create_report",
        "503; times=2; operation=list_stored_reports",
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
        let rows = client.usage(september(), PATIENCE).await.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert_eq!(told(&rows), undisturbed, "{fault}");
        sandbox.clear_faults();
        assert_eq!(reports(&sandbox).await, before + 1, "{fault}");
    }
    for fault in
        ["429; retry_after=5; times=2", "503; times=2", "reset_after; times=2", "cut_body; times=2", "extra_fields"]
    {
        for operation in ["get_client", "list_tenants", "list_applications", "list_tenants_usages"] {
            inject(&sandbox, &format!("{fault}; operation={operation}"));
            let rows = client.current_usage().await.unwrap_or_else(|error| panic!("{fault} {operation}: {error}"));
            assert_eq!(told(&rows), current, "{fault} {operation}");
            sandbox.clear_faults();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_an_error_and_no_usage() {
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
                false => client.usage_of(file).await.map(|_| ()),
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
async fn a_token_that_expires_while_a_report_is_made_is_renewed() {
    let today = "2026-11-21".parse().unwrap();
    let builder = Sandbox::builder().today(today).polls_before_ready(8).token_lifetime(Duration::from_secs(30));
    let sandbox = builder.start().await.unwrap();
    assert!(!client(&sandbox).usage(september(), PATIENCE).await.unwrap().is_empty());
    let tokens = sandbox.requests().iter().filter(|request| request.path.ends_with("/idp/token")).count();
    assert!(tokens > 1, "{tokens}");
}

#[tokio::test(start_paused = true)]
async fn a_report_whose_creation_was_not_answered_is_found_and_not_made_again() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let today = "2026-11-21".parse().unwrap();
    for (fault, is_made) in
        [("reset_before", false), ("503", false), ("reset_after", true), ("503; after_effect", true)]
    {
        inject(&sandbox, &format!("{fault}; times=1; operation=create_report"));
        let error = client.create_report(&summary()).await.unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains("find_report")), "{fault}: {error}");
        assert_eq!(reports(&sandbox).await, usize::from(is_made), "{fault}");
        let found = client.find_report(&summary(), today).await.unwrap();
        assert_eq!(found.is_some(), is_made, "{fault}");
        if let Some(mut report) = found {
            let files = report.wait(PATIENCE).await.unwrap();
            assert!(!client.usage_of(&files[0]).await.unwrap().is_empty());
            assert!(client.find_report(&summary().show_skus(false), today).await.unwrap().is_none());
            assert!(client.find_report(&summary(), "2026-11-22".parse().unwrap()).await.unwrap().is_none());
            client.delete_report(files[0].report_id).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_was_made_is_named_by_whatever_fails_afterwards_and_can_be_read_later() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let undisturbed = told(&client.usage(september(), PATIENCE).await.unwrap());
    for (fault, words) in [
        ("500; operation=list_stored_reports", "500"),
        ("cut_body; operation=download_stored_report", ""),
        ("403; operation=download_stored_report", "needs one of the permissions"),
    ] {
        inject(&sandbox, fault);
        let error = client.usage(september(), PATIENCE).await.unwrap_err().to_string();
        sandbox.clear_faults();
        let (before, after) = error.split_once("report ").expect("a report");
        assert!(before.contains(words) && after.ends_with(" is at Acronis: take it up again by its id"), "{error}");
        let id = after.split(' ').next().unwrap().parse().unwrap();
        let again = client.usage_by(&mut client.report(id).await.unwrap(), PATIENCE).await.unwrap();
        assert_eq!(told(&again), undisturbed, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_formats_the_first_that_holds_rows_is_read() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let undisturbed = told(&client.usage(september(), PATIENCE).await.unwrap());
    let file = files(&client, &summary()).await.remove(0);
    let mut for_people = file.clone();
    for_people.format = ReportFormat::Csv;
    let done_with = |files: Vec<StoredFile>| {
        Report::new("report", file.report_id.to_string(), move || {
            std::future::ready(Ok(Progress::Ready(files.clone())))
        })
    };
    let mut report = done_with(vec![for_people.clone(), file.clone()]);
    assert_eq!(told(&client.usage_by(&mut report, PATIENCE).await.unwrap()), undisturbed);
    let error = client.usage_by(&mut done_with(vec![for_people]), PATIENCE).await.unwrap_err();
    let expected = format!(
        "rows are read from csv_v2_0 and json_v2_0 files, not from csv, which is for people -> this is report {}",
        file.report_id
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn usage_goes_on_with_the_report_whose_creation_was_not_answered_and_makes_no_other() {
    // The report that is looked for is of today, by the clock of whoever asks.
    let sandbox = Sandbox::builder().polls_before_ready(1).start().await.unwrap();
    let client = client(&sandbox);
    let month = usage_billing::Period::last_month(chrono::Utc::now());
    let undisturbed = told(&client.usage(month, PATIENCE).await.unwrap());
    for old in client.api().list_tenant_reports().tenant_id(tenant()).send().await.unwrap().items.clone() {
        client.delete_report(old).await.unwrap();
    }
    for (fault, is_made) in
        [("reset_after", true), ("503; after_effect", true), ("cut_body", true), ("reset_before", false)]
    {
        let before = reports(&sandbox).await;
        inject(&sandbox, &format!("{fault}; times=1; operation=create_report"));
        let usage = client.usage(month, PATIENCE).await;
        assert_eq!(reports(&sandbox).await, before + usize::from(is_made), "{fault}");
        assert_eq!(usage.is_ok(), is_made, "{fault}");
        if let Ok(rows) = usage {
            assert_eq!(told(&rows), undisturbed, "{fault}");
            client.delete_report(rows[0].report_id.as_deref().unwrap().parse().unwrap()).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn history_that_is_not_ready_says_when_to_come_back() {
    let sandbox = sandbox().await;
    inject(&sandbox, "500; operation=create_report");
    let error = client(&sandbox).usage(september(), PATIENCE).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::NotReady, Some(Duration::from_secs(3600))));
    let created = sandbox.requests().iter().filter(|request| request.path.ends_with("/reports")).count();
    assert_eq!(created, 1, "asked for once");

    let server = scripted(|target| match target {
        "/api/2/reports" => Reply::json(400, r#"{"error":{"code":400,"message":"The usage history is not ready."}}"#),
        _ => Reply::json(404, "{}"),
    });
    let error = scripted_client(&server).create_report(&summary()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::NotReady && error.retry_after().is_some(), "{error}");
    assert!(error.to_string().contains("The usage history is not ready"), "the vendor's words stay: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_repeats_and_a_row_that_repeats_are_errors() {
    let page = r#"{"timestamp":"2026-11-21T00:00:00Z","items":[],"paging":{"cursors":{"after":"again"}}}"#;
    let server = scripted(move |_| Reply::json(200, page));
    let error = scripted_client(&server).children(tenant()).collect_all().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Decode && error.message().contains("again"), "{error}");
    let error = scripted_client(&server).offering_items(tenant()).collect_all().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Decode && error.message().contains("again"), "{error}");
    let asked = server
        .requests()
        .into_iter()
        .filter_map(|request| request.target.split_once("offering_items?").map(|(_, query)| query.to_owned()));
    let expected = [format!("subtree_root_tenant_id={}", tenant()), "after=again".to_owned()];
    assert_eq!(asked.collect::<Vec<_>>(), expected, "the cursor carries the rest");

    // A file that is not packed, for once.
    let header = "tenant.id,tenant.kind,application.name,name,date,is_range,measurement_unit,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total";
    let line = "t-1,customer,backup,seats,2026-09-30,False,,1,0,1,1,0,1";
    let files = [format!("{header}\n{line}\n"), format!("{header}\n{line}\n{line}\n"), header.replace("name,", "")];
    let sandbox = sandbox().await;
    let known = &files_of(&sandbox).await[0];
    for (file, said) in
        files.into_iter().zip([None, Some("rows 1 and 2 of the report are both"), Some("the report lacks")])
    {
        let server = scripted(move |_| Reply::new(200, &[("content-type", "application/octet-stream")], &file));
        let usage = scripted_client(&server).usage_of(known).await;
        match said {
            None => assert_eq!(usage.unwrap().len(), 1),
            Some(said) => {
                let error = usage.unwrap_err();
                assert!(error.kind() == ErrorKind::Decode && error.message().starts_with(said), "{error}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_not_order_reports_is_told_which_roles_may() {
    let sandbox = sandbox().await;
    let limited = client_at(sandbox.url(), demo::ACRONIS_LIMITED_CLIENT_ID, demo::ACRONIS_LIMITED_CLIENT_SECRET);
    let error = limited.create_report(&ReportRequest::usage_current(tenant())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.to_string().contains("partner_admin"), "{error}");
    let error = client_at(sandbox.url(), demo::ACRONIS_CLIENT_ID, "wrong").own_tenant().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("data centre"), "{error}");
    let nowhere = client_at("http://127.0.0.1:9", demo::ACRONIS_CLIENT_ID, "x");
    let error = nowhere.own_tenant().await.unwrap_err();
    assert!(error.to_string().contains("check the data centre's address"), "{error}");
}

async fn files_of(sandbox: &Sandbox) -> Vec<StoredFile> {
    files(&client(sandbox), &summary()).await
}

/// Gives tokens, and answers the rest by its path.
fn scripted(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| match request.target.as_str() {
        "/api/2/idp/token" => Reply::json(200, r#"{"access_token":"t","token_type":"bearer","expires_in":7200}"#),
        target => answer(target),
    })
}

fn scripted_client(server: &ScriptedServer) -> usage_billing::acronis::Client {
    client_at(server.url(), demo::ACRONIS_CLIENT_ID, "x")
}
