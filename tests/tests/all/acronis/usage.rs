//! Usage of several months, and the hint that names the report.

use std::time::Duration;

use serde_json::{Value, json};
use usage_billing::acronis::ReportFiles;
use usage_billing::{Error, ErrorKind, Poller};
use usage_billing_tests::{ScriptedResponse, ScriptedServer};

use super::client_at;

const ACCOUNT: &str = "5b1d9f0e-7a43-4c1c-9c53-1f2a6c0d8e11";
const SEPTEMBER: &str = "11111111-7c36-4f58-9a0b-5d8e1f6c2a73";
const OCTOBER: &str = "22222222-7c36-4f58-9a0b-5d8e1f6c2a73";

/// Starts a server with a report of one row for each of two months. Account, prices and everything else are 404.
fn two_months() -> ScriptedServer {
    ScriptedServer::start(|request| {
        let path = request.target.split('?').next().unwrap_or_default();
        let id = path.split('/').find(|part| part.len() == 36).unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "token" => ScriptedResponse::json(
                200,
                r#"{"access_token": "t", "token_type": "bearer", "expires_on": 4102444800}"#,
            ),
            _ if path.contains("/clients/") => {
                let client = json!({ "client_id": id, "tenant_id": ACCOUNT, "type": "api_client" });
                ScriptedResponse::json(200, &client.to_string())
            }
            "reports" if request.method == "POST" => {
                let parameters = serde_json::from_str::<Value>(&request.body).unwrap()["parameters"].take();
                let is_september = parameters["period"]["start"] == "2026-09-01";
                let report = json!({
                    "id": if is_september { SEPTEMBER } else { OCTOBER }, "version": 1,
                    "generation_date": "2026-11-21", "result_action": "save", "parameters": parameters,
                });
                ScriptedResponse::json(200, &report.to_string())
            }
            "reports" => ScriptedResponse::json(200, r#"{"items": []}"#),
            "stored" => {
                let file = json!({
                    "id": id, "report_format": "csv_v2_0", "status": "saved", "created_at": "2026-11-21T00:00:00",
                });
                ScriptedResponse::json(200, &json!({ "items": [file] }).to_string())
            }
            _ if path.contains("/stored/") => {
                let day = if id == SEPTEMBER { "2026-09-30" } else { "2026-10-31" };
                let header = "application.name,date,is_range,measurement_unit,name,tenant.id,tenant.kind,\
                    infra.id,infra.owner_id,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,\
                    usage.delta.trial,usage.delta.total";
                ScriptedResponse::new(
                    200,
                    &[],
                    format!("{header}\nbackup,{day},False,,pw_base_servers,t-1,customer,,,5,0,5,1,0,1\n"),
                )
            }
            _ => ScriptedResponse::json(404, "{}"),
        }
    })
}

#[tokio::test]
async fn rows_of_all_months_share_the_memory_limit() {
    let server = two_months();
    let client = client_at(server.url(), OCTOBER, "hush-secret");
    let usage = async |period: &str, bytes: usize| {
        client.clone().with_max_usage_bytes(bytes).usage(period.parse().unwrap(), Duration::MAX).await
    };
    let mut enough = 512;
    while let Err(error) = usage("2026-10", enough).await {
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        enough += 512;
    }
    let both = "2026-09-01/2026-11-01";
    let error = usage(both, enough).await.unwrap_err();
    assert_eq!((error.kind(), error.setting()), (ErrorKind::Limit, Some("max_usage_bytes")), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("this is 2026-10; ")), "{error}");
    assert_eq!(usage(both, 2 * enough).await.unwrap().len(), 2);
}

#[tokio::test]
async fn error_names_its_report_once() {
    let client = client_at("http://127.0.0.1:9", OCTOBER, "hush-secret");
    let of = |error: Error| {
        let client = &client;
        async move {
            let failing = move || std::future::ready(Err(error.clone()));
            let mut report: Poller<ReportFiles> = Poller::new("report", OCTOBER.to_owned(), failing);
            client.usage_from_report(&mut report, Duration::MAX).await.unwrap_err()
        }
    };
    let this = format!("this is report {OCTOBER}");
    let wrong = |message: &str| Error::new(ErrorKind::Decode, message);
    for (error, expected) in [
        (wrong("a row is wrong"), this.clone()),
        (wrong("a row is wrong").with_hint("ask again"), format!("ask again; {this}")),
        (wrong("a row is wrong").with_hint(this.clone()), this.clone()),
    ] {
        assert_eq!(of(error).await.hint(), Some(&*expected));
    }
    assert_eq!(of(wrong(&this)).await.hint(), None);
    use ErrorKind::{Api, Auth, Connection, Permission, WaitTimeout};
    for kind in [Connection, Api, Auth, Permission, WaitTimeout] {
        let expected = format!("report {OCTOBER} is stored at Acronis: resume it by its id");
        assert_eq!(of(Error::new(kind, "it failed")).await.hint(), Some(&*expected), "{kind:?}");
    }
}
