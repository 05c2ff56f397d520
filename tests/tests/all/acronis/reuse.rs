//! Reports that `usage` reuses, creates and deletes.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use usage_billing::acronis::{ObtainedReport, ReportEvent, ReportRequest, UsageOptions};
use usage_billing::{ErrorKind, Period, UsageRow, chrono};
use usage_billing_sandbox::Sandbox;
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};
use uuid::Uuid;

use super::{UNLIMITED, client, client_at, inject, quantities_by_key, reports, sandbox, september, summary, tenant};

#[tokio::test(start_paused = true)]
async fn the_same_month_again_reads_the_same_report() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let first = client.usage(september(), UNLIMITED).await.unwrap();
    for _ in 0..3 {
        assert_eq!(client.usage(september(), UNLIMITED).await.unwrap(), first);
    }
    assert_eq!(reports(&sandbox).await, 1);
    let fresh = client.usage_with(september(), UNLIMITED, UsageOptions::new().reuse_reports(false)).await.unwrap();
    assert_eq!((quantities_by_key(&fresh), reports(&sandbox).await), (quantities_by_key(&first), 2));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_lacks_something_is_not_reused() {
    let october: Period = "2026-10".parse().unwrap();
    let formats = [usage_billing::acronis::types::ReportFormat::Csv];
    for request in [
        ReportRequest::usage_summary(tenant(), "2026-10-01/2026-10-31".parse().unwrap()),
        ReportRequest::usage_daily(tenant(), october),
        ReportRequest::usage_summary(tenant(), october).show_skus(false),
        ReportRequest::usage_summary(tenant(), october).formats(formats),
        ReportRequest::usage_summary(tenant(), october).level("itself".into()),
    ] {
        let sandbox = sandbox().await;
        let client = client(&sandbox);
        let _ = client.create_report(&request).await.unwrap().wait(UNLIMITED).await;
        let obtained = client.obtain_report(&ReportRequest::usage_summary(tenant(), october)).await.unwrap();
        assert!(matches!(obtained, ObtainedReport::Created(_)), "{request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn report_with_zero_rows_covers_one_without_them() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let plain =
        client.usage_with(september(), UNLIMITED, UsageOptions::new().delete_created_reports(true)).await.unwrap();
    let request = summary().hide_zero_usage(false);
    client.create_report(&request).await.unwrap().wait(UNLIMITED).await.unwrap();
    let reused = client.usage(september(), UNLIMITED).await.unwrap();
    assert_eq!(reports(&sandbox).await, 1);
    assert!(reused.len() > plain.len());
    let used = |rows: &[UsageRow]| {
        let rows = rows.iter().filter(|row| !row.quantity.is_zero());
        rows.map(|row| (row.row_key, row.quantity, row.is_billable)).collect::<Vec<_>>()
    };
    assert_eq!(used(&reused), used(&plain));
}

#[tokio::test]
async fn rows_decide_about_skus_if_the_report_does_not_state_them() {
    let request = ReportRequest::usage_summary(ACCOUNT.parse().unwrap(), "2026-10".parse().unwrap());
    for (skus, show, expected) in
        [(&["", "S-1"][..], true, 0), (&["", ""], true, 3), (&[], true, 3), (&["S-1"], false, 3)]
    {
        let file: String = ROWS.replacen("usage.delta.total", "usage.delta.total,sku", 1).lines().take(1).collect();
        let line = ROWS.lines().nth(1).unwrap();
        let lines =
            skus.iter().zip(0..).map(|(sku, at)| format!("\n{},{sku}", line.replace("t-1", &format!("t-{at}"))));
        let file = file + &lines.collect::<String>() + "\n";
        let silent = |id: &str| {
            let mut report = october(id);
            report["parameters"].as_object_mut().unwrap().remove("show_skus");
            ScriptedResponse::json(200, &report.to_string())
        };
        let server = server_with(silent, creation, file);
        let client = client_at(server.url(), CREATED, "hush-secret");
        let obtained = client.obtain_report(&request.clone().show_skus(show)).await.unwrap();
        let id = match &obtained {
            ObtainedReport::Existing(report) | ObtainedReport::Created(report) => report.id(),
        };
        assert_eq!(id, [REPORTS[0], REPORTS[1], REPORTS[2], CREATED][expected], "{skus:?} {show}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_running_month_reads_the_same_report_for_an_hour() {
    let sandbox = Sandbox::builder().today("2026-09-30".parse().unwrap()).polls_before_ready(0).start().await.unwrap();
    let at = |time: &str| client(&sandbox).with_now(format!("2026-09-{time}Z").parse().unwrap());
    let request = ReportRequest::usage_summary(tenant(), september());
    let mut report = at("30T00:00:00").create_report(&request).await.unwrap();
    let made = report.wait(UNLIMITED).await.unwrap().saved[0].created_at.unwrap();
    let used = async |minutes: i64| {
        let client = client(&sandbox).with_now(made + chrono::TimeDelta::minutes(minutes));
        let rows = client.usage(september(), UNLIMITED).await.unwrap();
        assert!(rows.iter().all(|row| !row.is_final && row.as_of.is_some()));
        rows[0].source_report_id.clone().unwrap() == report.id()
    };
    assert!(used(0).await && used(60).await, "figures change once a day");
    assert_eq!(reports(&sandbox).await, 1);
    assert!(!used(61).await, "and not for longer: the rows would be those of the morning all day long");
    assert_eq!(reports(&sandbox).await, 2);
}

#[tokio::test(start_paused = true)]
async fn failed_month_is_named_and_earlier_months_are_reused() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    inject(&sandbox, "404; skip=1; operation=download_stored_report");
    let error = client.usage("2026-08-01/2026-10-01".parse().unwrap(), UNLIMITED).await.unwrap_err();
    let hint = error.hint().unwrap();
    let advice = "this is 2026-09; earlier periods can be read: request 2026-08, and 2026-09 later";
    assert!(hint.ends_with(advice), "{hint}");
    sandbox.clear_faults();
    let created = reports(&sandbox).await;
    assert!(!client.usage("2026-08".parse().unwrap(), UNLIMITED).await.unwrap().is_empty());
    assert_eq!(reports(&sandbox).await, created);
}

#[tokio::test(start_paused = true)]
async fn a_report_from_before_the_end_of_the_month_is_not_reused() {
    let sandbox = Sandbox::builder().today("2026-09-30".parse().unwrap()).polls_before_ready(0).start().await.unwrap();
    let before = client(&sandbox).with_now("2026-09-30T12:00:00Z".parse().unwrap());
    let rows = before.usage(september(), UNLIMITED).await.unwrap();
    assert!(
        rows.iter().all(|row| !row.is_final && row.is_billable == Some(false) && row.period_end == september().end())
    );
    assert_eq!(reports(&sandbox).await, 1);
    sandbox.advance(std::time::Duration::from_secs(86_400));
    let after = client(&sandbox).with_now("2026-10-01T12:00:00Z".parse().unwrap());
    let whole = after.usage(september(), UNLIMITED).await.unwrap();
    assert!(whole.iter().all(|row| row.is_final));
    assert_eq!(reports(&sandbox).await, 2);
    let keys = |rows: &[usage_billing::UsageRow]| {
        rows.iter().map(|row| row.row_key).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(keys(&rows).is_subset(&keys(&whole)), "the whole month takes the place of the month so far");
}

#[tokio::test(start_paused = true)]
async fn pending_report_of_today_is_waited_for() {
    let sandbox = Sandbox::builder().today(now().date_naive()).polls_before_ready(3).start().await.unwrap();
    let client = client(&sandbox);
    let created = client.create_report(&summary()).await.unwrap();
    let rows = client.usage(september(), UNLIMITED).await.unwrap();
    assert!(rows.iter().all(|row| row.source_report_id.as_deref() == Some(created.id())));
    assert_eq!(reports(&sandbox).await, 1);
}

#[tokio::test(start_paused = true)]
async fn only_a_report_that_was_created_here_is_deleted() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let events = seen.clone();
    let options = UsageOptions::new().delete_created_reports(true).on_report(move |event| {
        let event = match event {
            ReportEvent::Created { month, .. } => format!("created {month}"),
            ReportEvent::Reused { month, .. } => format!("reused {month}"),
            ReportEvent::NotDeleted { id, error } => format!("not deleted {} {:?}", id.len(), error.kind()),
            other => format!("{other:?}"),
        };
        events.lock().unwrap().push(event);
    });
    let rows = client.usage_with(september(), UNLIMITED, options.clone()).await.unwrap();
    assert_eq!(reports(&sandbox).await, 0, "its own");
    // An existing report.
    let kept = quantities_by_key(&client.usage(september(), UNLIMITED).await.unwrap());
    assert_eq!(quantities_by_key(&client.usage_with(september(), UNLIMITED, options.clone()).await.unwrap()), kept);
    assert_eq!((reports(&sandbox).await, kept), (1, quantities_by_key(&rows)));
    // Another program may have created a report that was found after a lost response.
    let august: Period = "2026-08".parse().unwrap();
    inject(&sandbox, "reset_after; times=1; operation=create_report");
    client.usage_with(august, UNLIMITED, options.clone()).await.unwrap();
    assert_eq!(reports(&sandbox).await, 2);
    sandbox.clear_faults();
    // A report whose rows could not be read can be resumed by its id.
    inject(&sandbox, "404; operation=download_stored_report");
    client.usage_with("2026-07".parse().unwrap(), UNLIMITED, options.clone()).await.unwrap_err();
    sandbox.clear_faults();
    assert_eq!(reports(&sandbox).await, 3);
    // A failed deletion does not affect the rows.
    inject(&sandbox, "403; operation=delete_report");
    assert!(!client.usage_with("2026-06".parse().unwrap(), UNLIMITED, options.clone()).await.unwrap().is_empty());
    sandbox.clear_faults();
    assert_eq!(reports(&sandbox).await, 4);
    let two_months = "2026-04-01/2026-06-01".parse().unwrap();
    client.usage_with(two_months, UNLIMITED, options.clone()).await.unwrap();
    assert_eq!(reports(&sandbox).await, 4, "that of each month");
    let expected = [
        "created 2026-09",
        "reused 2026-09",
        "reused 2026-08",
        "created 2026-07",
        "created 2026-06",
        "not deleted 36 Permission",
        "created 2026-04",
        "created 2026-05",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

const ACCOUNT: &str = "5b1d9f0e-7a43-4c1c-9c53-1f2a6c0d8e11";
/// In the order of the vendor's list.
const REPORTS: [&str; 3] = [
    "11111111-7c36-4f58-9a0b-5d8e1f6c2a73",
    "22222222-7c36-4f58-9a0b-5d8e1f6c2a73",
    "33333333-7c36-4f58-9a0b-5d8e1f6c2a73",
];
const CREATED: &str = "44444444-7c36-4f58-9a0b-5d8e1f6c2a73";
const ROWS: &str = "application.name,date,is_range,measurement_unit,name,tenant.id,tenant.kind,infra.id,infra.owner_id,usage.absolute.production,\
    usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total\n\
    backup,2026-10-31,False,,pw_base_servers,t-1,customer,,,5,0,5,1,0,1\n";

/// Returns a report over October with the last id of the tenant's reports, or any id.
fn october(id: &str) -> Value {
    json!({
        "id": id, "version": 1, "generation_date": "2026-11-21", "result_action": "save", "schedule": {"type": "once", "enabled": true},
        "parameters": {
            "kind": "usage_summary", "tenant_id": ACCOUNT, "level": "direct_partners", "formats": ["csv_v2_0"],
            "period": {"start": "2026-10-01", "end": "2026-10-31"}, "show_skus": "true", "hide_zero_usage": "True",
        },
    })
}

/// Starts a server of a tenant with three reports, for which `read` responds.
///
/// A fourth can be created, unless the response is lost. All have one file.
fn server(
    read: impl Fn(&str) -> ScriptedResponse + Send + Sync + 'static,
    created: impl Fn() -> ScriptedResponse + Send + Sync + 'static,
) -> ScriptedServer {
    server_with(read, created, ROWS.to_owned())
}

fn server_with(
    read: impl Fn(&str) -> ScriptedResponse + Send + Sync + 'static,
    created: impl Fn() -> ScriptedResponse + Send + Sync + 'static,
    file: String,
) -> ScriptedServer {
    ScriptedServer::start(move |request| {
        let path = request.target.split('?').next().unwrap_or_default();
        let id = path.split('/').find(|part| part.len() == 36).unwrap_or_default();
        let stored = json!({"items": [{"id": id, "report_format": "csv_v2_0", "status": "saved", "created_at": "2026-11-21T00:00:00"}]});
        match path.rsplit('/').next().unwrap_or_default() {
            "token" => ScriptedResponse::json(
                200,
                r#"{"access_token": "t", "token_type": "bearer", "expires_on": 4102444800}"#,
            ),
            _ if path.contains("/clients/") => ScriptedResponse::json(
                200,
                &json!({"client_id": CREATED, "tenant_id": ACCOUNT, "type": "api_client"}).to_string(),
            ),
            "reports" if request.method == "POST" => created(),
            "reports" => ScriptedResponse::json(200, &json!({"items": REPORTS}).to_string()),
            "stored" => ScriptedResponse::json(200, &stored.to_string()),
            _ if path.contains("/stored/") => ScriptedResponse::new(200, &[], file.clone()),
            CREATED => ScriptedResponse::json(200, &october(CREATED).to_string()),
            id => read(id),
        }
    })
}

fn creation() -> ScriptedResponse {
    ScriptedResponse::json(200, &october(CREATED).to_string())
}

async fn used_report(server: &ScriptedServer) -> String {
    let client = client_at(server.url(), CREATED, "hush-secret");
    let rows = client.usage("2026-10".parse().unwrap(), UNLIMITED).await.unwrap();
    rows[0].source_report_id.clone().unwrap()
}

/// Responses to a report that cannot be read.
fn unreadable() -> [ScriptedResponse; 4] {
    let mut of_another_form = october(REPORTS[0]);
    of_another_form["parameters"]["period"] = json!("2026-10");
    [
        ScriptedResponse::json(200, &of_another_form.to_string()),
        ScriptedResponse::json(403, r#"{"error": {"code": 403, "message": "not yours"}}"#),
        ScriptedResponse::json(400, "<html>"),
        ScriptedResponse::json(404, r#"{"error": {"code": 404, "message": "gone"}}"#),
    ]
}

#[tokio::test]
async fn unreadable_report_hides_no_other() {
    for response in unreadable() {
        let of_neighbours = response.clone();
        let known = move |id: &str| match id {
            id if id == REPORTS[2] => ScriptedResponse::json(200, &october(id).to_string()),
            _ => of_neighbours.clone(),
        };
        // Its booleans are strings, as in the vendor's samples.
        assert_eq!(used_report(&server(known.clone(), creation)).await, REPORTS[2]);
        // The response to the creation was lost: the report is found.
        let client_of = |server: &ScriptedServer| client_at(server.url(), CREATED, "hush-secret");
        let request = ReportRequest::usage_summary(ACCOUNT.parse().unwrap(), "2026-10".parse().unwrap());
        let server = server(known, ScriptedResponse::dropped);
        let found = client_of(&server).get_or_create_report(&request).await.unwrap();
        assert_eq!(found.id(), REPORTS[2]);
    }
}

#[tokio::test]
async fn reports_that_cannot_be_read_do_not_stop_a_new_one() {
    for response in unreadable() {
        assert_eq!(used_report(&server(move |_| response.clone(), creation)).await, CREATED);
    }
}

#[tokio::test]
async fn only_reports_at_both_ends_of_a_long_list_are_read() {
    for place in [0, 299, 150] {
        let ids: Vec<_> = (0..300u128).map(|number| Uuid::from_u128(number + 1).to_string()).collect();
        let wanted = ids[place].clone();
        let known = wanted.clone();
        let server = ScriptedServer::start(move |request| {
            let path = request.target.split('?').next().unwrap_or_default();
            let id = path.split('/').find(|part| part.len() == 36).unwrap_or_default();
            match path.rsplit('/').next().unwrap_or_default() {
                "token" => ScriptedResponse::json(
                    200,
                    r#"{"access_token": "t", "token_type": "bearer", "expires_on": 4102444800}"#,
                ),
                "reports" if request.method == "POST" => creation(),
                "reports" => ScriptedResponse::json(200, &json!({"items": ids}).to_string()),
                "stored" => {
                    let file = json!({"id": id, "report_format": "csv_v2_0", "status": "saved", "created_at": "2026-11-21T00:00:00"});
                    ScriptedResponse::json(200, &json!({"items": [file]}).to_string())
                }
                id if id == known => ScriptedResponse::json(200, &october(id).to_string()),
                _ => ScriptedResponse::json(404, "{}"),
            }
        });
        let client = client_at(server.url(), CREATED, "hush-secret");
        let request = ReportRequest::usage_summary(ACCOUNT.parse().unwrap(), "2026-10".parse().unwrap());
        let (id, is_created) = match client.obtain_report(&request).await.unwrap() {
            ObtainedReport::Created(report) => (report.id().to_owned(), true),
            ObtainedReport::Existing(report) => (report.id().to_owned(), false),
        };
        let expected = if place == 150 { (CREATED.to_owned(), true) } else { (wanted, false) };
        assert_eq!((id, is_created), expected, "{place}");
        let read = server.requests().iter().filter(|request| request.target.contains("/reports/")).count();
        assert!(read <= 201, "{read}");
    }
}

#[tokio::test]
async fn unreadable_report_prevents_second_creation() {
    let creations = std::sync::Arc::new(Mutex::new(0));
    let counted = creations.clone();
    let forbidden = |_: &str| ScriptedResponse::json(403, r#"{"error": {"code": 403, "message": "not yours"}}"#);
    let server = server(forbidden, move || {
        *counted.lock().unwrap() += 1;
        ScriptedResponse::dropped()
    });
    let client = client_at(server.url(), CREATED, "hush-secret");
    let request = ReportRequest::usage_summary(ACCOUNT.parse().unwrap(), "2026-10".parse().unwrap());
    let error = client.get_or_create_report(&request).await.unwrap_err();
    assert!(error.hint().is_some_and(|hint| hint.contains("the report may exist nevertheless")), "{error}");
    assert_eq!(*creations.lock().unwrap(), 1, "it may be the one that cannot be read");
    let error = client.find_report(&request, now().date_naive()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
}

#[tokio::test]
async fn report_without_readable_files_fails_at_once() {
    let server = server(
        |id| {
            let mut report = october(id);
            match id {
                id if id == REPORTS[0] => report["result_action"] = json!("send"),
                id if id == REPORTS[1] => report["parameters"]["formats"] = json!(["csv"]),
                _ => report["parameters"]["formats"] = json!(["html", "csv", "a_new_format"]),
            }
            ScriptedResponse::json(200, &report.to_string())
        },
        creation,
    );
    let client = client_at(server.url(), CREATED, "hush-secret");
    let id = |place: usize| REPORTS[place].parse::<Uuid>().unwrap();
    let error = client.report(id(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert_eq!(
        error.message(),
        format!("report {} is sent by mail and not stored: there is no file to wait for", REPORTS[0])
    );
    for (place, formats) in [(1, "csv"), (2, "html and csv and a_new_format")] {
        let mut report = client.report(id(place)).await.unwrap();
        let error = client.usage_from_report(&mut report, UNLIMITED).await.unwrap_err();
        let message = format!(
            "rows are read from csv_v2_0 and json_v2_0 files; the report has only human-readable ones: {formats}"
        );
        assert_eq!((error.kind(), error.message()), (ErrorKind::Request, message.as_str()));
        assert!(error.hint().is_some_and(|hint| hint.contains(REPORTS[place])), "{error}");
    }
    assert!(!server.requests().iter().any(|request| request.target.ends_with("/stored")), "nothing was waited for");
}
