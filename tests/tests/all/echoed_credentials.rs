//! Credentials that a successful response echoes do not appear in errors about that response.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use usage_billing::acronis::{self, StoredFile};
use usage_billing::suger::{self, UsageEvent};
use usage_billing::{Credentials, Error, Poller, genesys};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, now, untimed};

use super::redaction::{displayed_text, is_secret, long};

const TIMEOUT: Duration = Duration::from_secs(60);
const ID: &str = "6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264";
/// Placeholder in scripted responses for the echoed credential.
const ECHO: &str = "@echo";

/// Returns the forms in which the credential is echoed: unchanged, in a URL, in JSON within a string, in base64 of a longer value, and at the
/// end of a long value.
fn echoes(header: &str) -> [String; 5] {
    let escaped =
        |prefix: &str, width: usize| header.bytes().map(|byte| format!("{prefix}{byte:0width$x}")).collect::<String>();
    [
        header.to_owned(),
        format!("https://x/?header={}", escaped("%", 2)),
        format!("{{\"header\":\"{}\"}}", escaped("\\u", 4)),
        STANDARD.encode(format!("authorization: {header}\n")),
        format!("{}{header}", "x".repeat(185)),
    ]
}

/// Starts a server that responds to operations by `respond`, with the credential in place of [`ECHO`].
fn server(form: usize, respond: impl Fn(&Request) -> Value + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| {
        if request.target.ends_with("/token") {
            let token =
                json!({ "access_token": long("hush-token"), "expires_in": 600, "expires_on": 4_102_444_800_u32 });
            return ScriptedResponse::json(200, &token.to_string());
        }
        let echo = &echoes(request.header("authorization").unwrap_or_default())[form];
        match respond(request) {
            Value::String(file) => ScriptedResponse::new(200, &[], file.replace(ECHO, echo)),
            json => ScriptedResponse::json(200, &json.to_string().replace(ECHO, &quoted(echo))),
        }
    })
}

/// Escapes a string for use between the quotes of JSON.
fn quoted(text: &str) -> String {
    let json = json!(text).to_string();
    json[1..json.len() - 1].to_owned()
}

fn genesys(url: &str) -> genesys::Client {
    let builder = genesys::Client::builder(&url.parse().unwrap(), Credentials::new(ID, long("hush-secret")));
    untimed(builder).build().unwrap().with_now(now()).with_account("o-1")
}

fn acronis(url: &str) -> acronis::Client {
    let builder = acronis::Client::builder(&url.parse().unwrap(), Credentials::new(ID, long("hush-secret")));
    untimed(builder).build().unwrap().with_now(now())
}

fn suger(url: &str) -> suger::Client {
    let client = untimed(suger::Client::builder("acme", long("hush-key")).base_url(url)).build().unwrap();
    client.with_now(now()).with_list_timeout(None)
}

/// Returns the error of a report that stays pending. The limit is doubled until the vendor has responded within it.
async fn timed_out<T>(report: Poller<T>) -> Error {
    let mut report = report.poll_every(Duration::ZERO);
    let mut limit = Duration::from_millis(10);
    loop {
        let error = report.wait(limit).await.map(drop).unwrap_err();
        if error.message().contains("last status: ") {
            return error;
        }
        limit *= 2;
    }
}

fn check(case: &str, form: usize, error: &Error) {
    let text = displayed_text(error);
    assert!(!is_secret(&text), "{case}, form {form}: {text}");
    // Long forms may be truncated before the mask.
    assert!(form > 0 || error.message().contains("***"), "{case}: the mask is missing: {error}");
}

#[tokio::test]
async fn genesys_job_state_hides_the_credential() {
    for form in 0..5 {
        for response in [
            json!({ "queryStatus": "Failed", "errorBody": { "message": ECHO } }),
            json!({ "queryStatus": "Cancelled", "errorBody": { "code": ECHO } }),
        ] {
            let server = server(form, move |_| response.clone());
            let client = genesys(server.url());
            check("job", form, &client.usage_job("j-1").poll().await.map(drop).unwrap_err());
            let error = client.client_usage_job("c-1", "j-1").poll().await.map(drop).unwrap_err();
            check("job of a client", form, &error);
        }
        let server = server(form, |_| json!({ "queryStatus": ECHO, "status": ECHO }));
        let client = genesys(server.url());
        check("job", form, &timed_out(client.usage_job("j-1")).await);
        check("query", form, &timed_out(client.usage_query("q-1")).await);
        check("billable usage", form, &timed_out(client.billable_usage("2026-09".parse().unwrap())).await);
    }
}

#[tokio::test]
async fn genesys_page_and_row_errors_hide_the_credential() {
    let job = |request: &Request| match request.method.as_str() {
        "POST" => json!({ "id": "j-1" }),
        _ => json!({ "queryStatus": "Succeeded", "entities": [], "nextUri": "/next?after=a-@echo" }),
    };
    for form in [0, 3, 4] {
        let server = server(form, job);
        let error = genesys(server.url()).api_usage("2026-09".parse().unwrap(), TIMEOUT).await.unwrap_err();
        check("cursor", form, &error);
    }
    let overview = |fields: Value| {
        let mut overview = json!({
            "organization": { "id": "o-2" }, "currency": "EUR", "subscriptionType": "MONTH_TO_MONTH",
            "billingPeriodStartDate": "2026-10-01T00:00:00Z", "billingPeriodEndDate": "2026-10-31T23:59:59Z", "usages": [],
        });
        overview.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        overview
    };
    let period: usage_billing::Period = "2026-10".parse().unwrap();
    for form in 0..5 {
        for fields in [json!({ "organization": { "id": ECHO } }), json!({ "minimumMonthlyAmount": ECHO })] {
            let server = server(form, move |_| overview(fields.clone()));
            let error = genesys(server.url()).client_bill("o-2", period).await.unwrap_err();
            check("overview", form, &error);
        }
        for charge in [
            json!({ "name": ECHO, "prepayQuantity": "0" }),
            json!({ "partNumber": ECHO, "name": "n", "usageQuantity": "" }),
            json!({ "name": "n", "usageQuantity": ECHO, "prepayQuantity": "0" }),
        ] {
            let server = server(form, move |_| overview(json!({ "usages": [charge] })));
            let bill = genesys(server.url()).client_bill("o-2", period).await.unwrap();
            check("charge", form, &bill.unreadable[0].error);
        }
    }
}

const CSV: &str = "application.name,date,is_range,measurement_unit,name,tenant.id,tenant.kind,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total,infra.id,infra.owner_id\n";
const ROW: [&str; 15] = [
    "backup",
    "2026-10-31",
    "False",
    "bytes",
    "pw_base_storage",
    "t-1",
    "customer",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "",
    "",
];

fn report(format: &str, status: &str, file: &'static str) -> impl Fn(&Request) -> Value + Clone {
    let report = json!({
        "id": ID, "version": 1, "generation_date": "2026-11-01", "result_action": "save",
        "parameters": {
            "kind": "usage_summary", "tenant_id": ID, "level": "direct_partners",
            "period": { "start": "2026-10-01", "end": "2026-10-31" }, "formats": [format],
        },
    });
    let stored = json!({ "items": [{ "id": ID, "report_format": format, "status": status, "created_at": "2026-11-01T00:00:00" }] });
    move |request| match request.target.rsplit('/').next() {
        Some("stored") => stored.clone(),
        _ if request.target.contains("/stored/") => json!(file),
        _ => report.clone(),
    }
}

async fn waited(client: &acronis::Client) -> Result<StoredFile, Error> {
    let mut report = client.report(ID.parse().unwrap()).await?;
    Ok(report.wait(TIMEOUT).await?.saved.remove(0))
}

#[tokio::test]
async fn acronis_report_errors_hide_the_credential() {
    for form in 0..5 {
        let failed = server(form, report(ECHO, "failed", ""));
        check("report", form, &waited(&acronis(failed.url())).await.unwrap_err());
        for (format, status) in [(ECHO, "in_progress"), ("csv_v2_0", ECHO)] {
            let server = server(form, report(format, status, ""));
            let report = acronis(server.url()).report(ID.parse().unwrap()).await.unwrap();
            check("report", form, &timed_out(report).await);
        }
        let server = server(form, report(ECHO, "saved", ""));
        let client = acronis(server.url());
        let file = waited(&client).await.unwrap();
        check("format", form, &client.rows(&file).await.map(drop).unwrap_err());
        check("format", form, &client.usage_from_file(&file).await.unwrap_err());
    }
}

#[tokio::test]
async fn acronis_row_errors_hide_the_credential() {
    let mut files =
        vec![("csv_v2_0", format!("{CSV}a\n").replace("is_range", "name,@echo,@echo").leak() as &'static str)];
    for column in [1, 2, 7, 12] {
        let mut row = ROW;
        row[column] = "\"@echo\"";
        files.push(("csv_v2_0", format!("{CSV}{}\n", row.join(",")).leak()));
    }
    files.push((
        "json_v2_0",
        r#"{"tenants":[{"application":{"name":"backup"},"date":"2026-10-31","is_range":"@echo"}]}"#,
    ));
    // Form 2 contains quotes, which a quoted cell does not permit.
    for form in [0, 1, 3, 4] {
        for (format, file) in &files {
            let server = server(form, report(format, "saved", file));
            let client = acronis(server.url());
            let stored = waited(&client).await.unwrap();
            let outcome = client.usage_from_file(&stored).await.unwrap_err();
            assert!(!is_secret(&displayed_text(&outcome)), "form {form}, {file}: {}", displayed_text(&outcome));
            if let Ok(mut rows) = client.rows(&stored).await
                && let Some(Err(error)) = rows.next().await
            {
                assert!(!is_secret(&displayed_text(&error)), "form {form}, {file}: {}", displayed_text(&error));
                assert!(
                    format!("{error}").contains("***") || file.contains("tenants") || file.contains("name,@"),
                    "{error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn acronis_list_errors_hide_the_credential() {
    let usage = json!({
        "application_id": ID, "name": ECHO, "usage_name": "storage", "type": "infra", "measurement_unit": "bytes",
        "range_start": "2026-11-01T00:00:00", "value": "70000000000000000000000000000",
    });
    let responses = move |request: &Request| match request.target.split(['?', '/']).rfind(|part| !part.contains('=')) {
        Some("usages") => json!({ "items": [{ "tenant": ID, "usages": [usage, usage] }] }),
        Some("applications") => json!({ "items": [] }),
        Some("tenants") if request.target.contains("after=") => {
            json!({ "timestamp": "2026-11-01T08:00:00", "items": [], "paging": { "cursors": { "after": ECHO } } })
        }
        Some("tenants") => {
            json!({ "timestamp": "2026-11-01T08:00:00", "items": [{ "id": ID, "version": 1, "parent_id": ID }] })
        }
        _ => json!({ "tenant_id": ID }),
    };
    for form in 0..5 {
        let server = server(form, responses.clone());
        let client = acronis(server.url());
        check("current usage", form, &client.current_usage().await.unwrap_err());
        let error = client.children(ID.parse().unwrap()).resume_from("first").try_collect().await.unwrap_err();
        check("cursor", form, &error);
    }
}

#[tokio::test]
async fn suger_group_and_report_errors_hide_the_credential() {
    let report = UsageEvent::new("ent-7", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 5);
    let list = |items: Value| json!({ "usageRecordGroups": items, "usageRecordReports": items });
    for form in 0..5 {
        let responses = move |request: &Request| match request.method.as_str() {
            "POST" => json!({ "id": ECHO, "status": "INVALID" }),
            _ if request.target.contains("usageRecord") => list(json!([{ "id": ECHO, "info": {} }])),
            _ => json!([]),
        };
        let server = server(form, responses);
        let client = suger(server.url());
        check("report", form, &client.send_usage(&report).await.unwrap_err());
        let mut queue = client.usage_queue();
        queue.push(report.clone()).unwrap();
        check("receipt", form, &queue.flush().await.unsent[0].error);
        let period = "2026-10".parse().unwrap();
        check("usage", form, &client.usage(period, TIMEOUT).await.unwrap_err());
        check("reported usage", form, &client.reported_usage(period).await.unwrap_err());

        let id = report.id("acme").to_string();
        let group = json!({
            "id": id, "entitlementID": "ent-7", "status": "CREATED", "creationTime": "2026-10-01T07:00:00Z",
            "metaInfo": { "originRecords": { "gb": 5, ECHO: 7 } },
        });
        let other = move |request: &Request| match request.method.as_str() {
            "POST" => json!({ "id": id, "status": "CREATED" }),
            _ => json!({ "usageRecordGroups": [group] }),
        };
        let server = self::server(form, other.clone());
        check("confirmation", form, &suger(server.url()).confirm(&report).await.unwrap_err());
    }
}
