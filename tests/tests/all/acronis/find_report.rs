//! The search for a report among those of the tenant: failures of single reports, and reports that are pending.

use serde_json::{Value, json};
use usage_billing::ErrorKind;
use usage_billing::acronis::{ObtainedReport, ReportRequest};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::client_at;

const ACCOUNT: &str = "5b1d9f0e-7a43-4c1c-9c53-1f2a6c0d8e11";
/// In the order of the vendor's list.
const LISTED: [&str; 2] = ["11111111-7c36-4f58-9a0b-5d8e1f6c2a73", "22222222-7c36-4f58-9a0b-5d8e1f6c2a73"];
const CREATED: &str = "44444444-7c36-4f58-9a0b-5d8e1f6c2a73";
const TODAY: &str = "2026-11-21";

fn request() -> ReportRequest {
    ReportRequest::usage_summary(ACCOUNT.parse().unwrap(), "2026-10".parse().unwrap())
}

fn report(id: &str, day: &str, parameters: Value) -> ScriptedResponse {
    let mut report = json!({
        "id": id, "version": 1, "generation_date": day, "result_action": "save",
        "parameters": {
            "kind": "usage_summary", "tenant_id": ACCOUNT, "level": "direct_partners", "formats": ["csv_v2_0"],
            "period": {"start": "2026-10-01", "end": "2026-10-31"},
        },
    });
    report["parameters"].as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
    ScriptedResponse::json(200, &report.to_string())
}

/// Starts a server of a tenant with two pending reports; `read` returns the response to a request for one of them.
fn server(read: impl Fn(&str) -> ScriptedResponse + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| match request.target.rsplit('/').next().unwrap_or_default() {
        "token" => {
            ScriptedResponse::json(200, r#"{"access_token": "t", "token_type": "bearer", "expires_on": 4102444800}"#)
        }
        "reports" if request.method == "POST" => report(CREATED, TODAY, json!({})),
        "reports" => ScriptedResponse::json(200, &json!({ "items": LISTED }).to_string()),
        "stored" => {
            ScriptedResponse::json(200, r#"{"items": [{"report_format": "csv_v2_0", "status": "in_progress"}]}"#)
        }
        id => read(id),
    })
}

#[tokio::test(start_paused = true)]
async fn lost_connection_ends_the_search() {
    let server = server(|id| match id {
        id if id == LISTED[0] => ScriptedResponse::dropped(),
        id => report(id, TODAY, json!({})),
    });
    let client = client_at(server.url(), CREATED, "hush-secret");
    let error = client.find_report(&request(), now().date_naive()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
}

#[tokio::test]
async fn deleted_report_is_not_an_error() {
    let server = server(|_| ScriptedResponse::json(404, r#"{"error": {"code": 404, "message": "gone"}}"#));
    let client = client_at(server.url(), CREATED, "hush-secret");
    assert!(client.find_report(&request(), now().date_naive()).await.unwrap().is_none());
}

#[tokio::test]
async fn only_a_report_of_today_that_states_its_skus_is_waited_for() {
    let with_skus = json!({ "show_skus": true });
    for (day, parameters, is_waited_for) in [
        (TODAY, with_skus.clone(), true),
        ("2026-11-20", with_skus, false),
        (TODAY, json!({}), false),
        ("2026-11-20", json!({}), false),
    ] {
        let server = server({
            let parameters = parameters.clone();
            move |id| report(id, day, parameters.clone())
        });
        let client = client_at(server.url(), CREATED, "hush-secret");
        let (id, is_created) = match client.obtain_report(&request()).await.unwrap() {
            ObtainedReport::Created(report) => (report.id().to_owned(), true),
            ObtainedReport::Existing(report) => (report.id().to_owned(), false),
        };
        let expected = if is_waited_for { (LISTED[0], false) } else { (CREATED, true) };
        assert_eq!((&*id, is_created), expected, "{day} {parameters}");
    }
}
