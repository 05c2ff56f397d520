//! Genesys Cloud: API requests by jobs, queries, searches and summaries.

use serde_json::{Value, json};
use usage_billing_genesys::types;
use usage_billing_sandbox::{GENESYS_CLIENT_ID, Sandbox};

use crate::{Caller, builder, start_genesys};

const JOBS: &str = "/api/v2/usage/aggregates/query/jobs";
const OCTOBER: &str = "2026-10-01T00:00:00/2026-10-31T23:59:59";

fn jobs_of(client: &str) -> String {
    format!("/api/v2/usage/client/{client}/aggregates/query/jobs")
}

async fn ready() -> (Sandbox, Caller) {
    let (sandbox, caller) = start_genesys(builder().polls_before_ready(0)).await;
    (sandbox, caller)
}

/// Returns the rows of a job from all pages.
async fn rows(caller: &Caller, path: &str, query: &Value) -> Vec<Value> {
    let (status, job) = caller.post(path, query).await;
    assert_eq!(status, 200, "{job}");
    let (mut uri, mut rows) = (job["resultsUri"].as_str().map(str::to_owned), Vec::new());
    while let Some(page) = uri {
        let (status, page) = caller.get(&page).await;
        assert_eq!((status.as_u16(), &page["queryStatus"]), (200, &json!("Succeeded")), "{page}");
        rows.extend(page["entities"].as_array().cloned().unwrap_or_default());
        uri = page["nextUri"].as_str().map(str::to_owned);
    }
    rows
}

fn sum(rows: &[Value], counter: &str) -> i64 {
    rows.iter().filter_map(|row| row[counter].as_i64()).sum()
}

#[tokio::test]
async fn job_is_queued_runs_and_succeeds() {
    let (_sandbox, caller) = start_genesys(builder()).await;
    let (status, job) = caller.post(JOBS, &json!({"interval": OCTOBER})).await;
    assert_eq!(status, 202);
    let uri = job["resultsUri"].as_str().unwrap();
    assert_eq!(uri, format!("{JOBS}/{}", job["id"].as_str().unwrap()));
    for (code, state) in [(202, "Queued"), (202, "Running"), (200, "Succeeded"), (200, "Succeeded")] {
        let (status, page) = caller.get(uri).await;
        assert_eq!((status.as_u16(), &page["queryStatus"]), (code, &json!(state)));
        assert_eq!(page["entities"].is_array(), code == 200, "{page}");
    }
}

#[tokio::test]
async fn rows_of_a_job_come_in_pages() {
    let (_sandbox, caller) = ready().await;
    let (_, job) = caller.post(JOBS, &json!({"interval": OCTOBER})).await;
    let uri = job["resultsUri"].as_str().unwrap();
    let (_, first) = caller.get(uri).await;
    let first: types::OrganizationPublicApiUsageResultsResponse = serde_json::from_value(first).unwrap();
    assert_eq!(first.entities.as_ref().unwrap().len(), 100);
    let user = first.entities.as_ref().unwrap()[0].user.as_ref().unwrap().id.as_ref().unwrap();
    assert_eq!(caller.get(&format!("/api/v2/license/users/{user}")).await.0, 200, "a user that there is");
    let all = 31 * 3 * 3;
    let (_, last) = caller.get(&format!("{uri}?pageSize=1000")).await;
    assert_eq!((last["entities"].as_array().unwrap().len(), &last["nextUri"]), (all, &Value::Null));
    assert_eq!(last["selfUri"], format!("{uri}?pageSize=1000"));
    assert_eq!(rows(&caller, JOBS, &json!({"interval": OCTOBER})).await, *last["entities"].as_array().unwrap());
    for query in ["pageSize=1001", "pageSize=0", "pageSize=x", "after=!"] {
        let (status, error) = caller.get(&format!("{uri}?{query}")).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalid.value")), "{query}");
    }
}

#[tokio::test]
async fn clients_add_up_to_the_organization() {
    let (_sandbox, caller) = ready().await;
    let query = json!({"interval": OCTOBER, "groupBy": ["OauthClientId"], "metrics": ["Requests", "Status429"]});
    let whole = rows(&caller, JOBS, &query).await;
    assert_eq!(whole.len(), 3, "{whole:?}");
    for row in &whole {
        assert!(row.get("status200").is_none() && row.get("date").is_none(), "{row}");
        let id = row["oauthClient"]["id"].as_str().unwrap();
        let own = rows(&caller, &jobs_of(id), &json!({"interval": OCTOBER, "granularity": "Month"})).await;
        for counter in ["requestCount", "status429"] {
            assert_eq!(sum(&own, counter), row[counter].as_i64().unwrap(), "{id} {counter}");
        }
        let single = json!({"interval": OCTOBER, "oauthClientIds": [id]});
        assert_eq!(sum(&rows(&caller, JOBS, &single).await, "requestCount"), row["requestCount"].as_i64().unwrap());
    }
    // Older queries do not count the vendor's own client, which is on another platform.
    let public = json!({"interval": OCTOBER, "platforms": ["public-api"]});
    let public = sum(&rows(&caller, JOBS, &public).await, "requestCount");
    assert!(public < sum(&whole, "requestCount"));
    let started = caller.post("/api/v2/usage/query", &json!({"interval": OCTOBER})).await.1;
    let older = caller.get(started["resultsUri"].as_str().unwrap()).await.1;
    assert_eq!(sum(older["results"].as_array().unwrap(), "requests"), public);
}

#[tokio::test]
async fn job_filters_groups_and_sorts_rows() {
    let (_sandbox, caller) = ready().await;
    let query = json!({
        "interval": OCTOBER, "granularity": "Week", "groupBy": ["TemplateUri", "HttpMethod"], "httpMethods": ["GET"],
        "sortBy": [{"fieldName": "templateUri", "order": "Desc"}, {"fieldName": "requestCount"}],
    });
    let rows = rows(&caller, &jobs_of(GENESYS_CLIENT_ID), &query).await;
    let keys: Vec<_> =
        rows.iter().map(|row| (row["templateUri"].as_str().unwrap(), row["requestCount"].as_i64().unwrap())).collect();
    assert_eq!(keys.len(), 2 * 5, "{keys:?}");
    assert!(keys.is_sorted_by(|one, other| (other.0, one.1) <= (one.0, other.1)), "{keys:?}");
    assert!(rows.iter().all(|row| row["httpMethod"] == "GET" && row.get("organizationId").is_none()));
    assert_eq!(rows.iter().filter(|row| row["date"] == "2026-09-28").count(), 2, "weeks begin on Monday");
}

#[tokio::test]
async fn jobs_of_unknown_clients_fail_or_are_cancelled_with_202() {
    let (_sandbox, caller) = ready().await;
    for (path, query, state) in [
        (jobs_of("no one/here"), json!({"interval": OCTOBER}), "Failed"),
        (JOBS.to_owned(), json!({"interval": OCTOBER, "oauthClientIds": [GENESYS_CLIENT_ID, "unknown"]}), "Cancelled"),
    ] {
        let path = path.replace("no one/here", "no%20one%2Fhere");
        let (_, job) = caller.post(&path, &query).await;
        let (status, end) = caller.get(job["resultsUri"].as_str().unwrap()).await;
        assert_eq!((status.as_u16(), &end["queryStatus"]), (202, &json!(state)), "{end}");
        assert_eq!(end["errorBody"].is_object(), state == "Failed", "{end}");
        assert!(end.get("entities").is_none());
    }
    let path = "/api/v2/oauth/clients/nobody/usage";
    let (_, started) = caller.post(&format!("{path}/query"), &json!({"interval": "2026-10/2026-10"})).await;
    assert_eq!(caller.get(started["resultsUri"].as_str().unwrap()).await.1, json!({"queryStatus": "Failed"}));
}

#[tokio::test]
async fn invalid_job_requests_are_rejected() {
    let (_sandbox, caller) = ready().await;
    for (query, code) in [
        (json!({}), "bad.request"),
        (json!({"interval": "2025-11-20/2025-11-30"}), "bad.request"),
        (json!({"interval": "2026-07-01/2026-09-29"}), "bad.request"),
        (json!({"interval": "yesterday"}), "invalid.date"),
        (json!({"interval": "2026-10-31/2026-10-01"}), "invalid.date"),
        (json!({"interval": OCTOBER, "granularity": "Hour"}), "invalid.value"),
        (json!({"interval": OCTOBER, "groupBy": ["OAuthClientId"]}), "invalid.value"),
        (json!({"interval": OCTOBER, "metrics": ["Status"]}), "invalid.value"),
        (json!({"interval": OCTOBER, "httpMethods": ["TRACE"]}), "invalid.value"),
        (json!({"interval": OCTOBER, "sortBy": [{"fieldName": "colour"}]}), "invalid.value"),
        (json!({"interval": OCTOBER, "sortBy": [{"fieldName": "date", "order": "Up"}]}), "invalid.value"),
        (json!({"interval": OCTOBER, "sortBy": [{}]}), "bad.request"),
    ] {
        for path in [JOBS, &jobs_of(GENESYS_CLIENT_ID)] {
            let (status, error) = caller.post(path, &query).await;
            assert_eq!((status.as_u16(), &error["status"]), (400, &json!(400)), "{query}");
            assert_eq!(error["code"], code, "{query}");
        }
    }
    assert_eq!(caller.post(JOBS, &json!({"interval": "2026-07-01/2026-09-28"})).await.0, 200, "ninety days");
    assert_eq!(caller.post(&jobs_of("x"), &json!({"interval": OCTOBER, "groupBy": ["UserId"]})).await.0, 400);
}

#[tokio::test]
async fn results_are_found_under_their_own_path_only() {
    let (_sandbox, caller) = ready().await;
    let id = async |path: &str| {
        let (_, started) = caller.post(path, &json!({"interval": OCTOBER})).await;
        [&started["id"], &started["executionId"]].into_iter().find_map(Value::as_str).unwrap().to_owned()
    };
    let clients = "/api/v2/oauth/clients";
    let (query, search) = (id("/api/v2/usage/query").await, id("/api/v2/usage/simplesearch").await);
    let (whole, single) = (id(JOBS).await, id(&jobs_of(GENESYS_CLIENT_ID)).await);
    let of_client = id(&format!("{clients}/{GENESYS_CLIENT_ID}/usage/query")).await;
    for (path, status) in [
        (format!("/api/v2/usage/query/{query}/results"), 200),
        (format!("/api/v2/usage/query/{search}/results"), 404),
        (format!("/api/v2/usage/simplesearch/{search}/results"), 200),
        (format!("/api/v2/usage/simplesearch/{query}/results"), 404),
        (format!("{clients}/{GENESYS_CLIENT_ID}/usage/query/results/{of_client}"), 200),
        (format!("{clients}/another/usage/query/results/{of_client}"), 404),
        (format!("{JOBS}/{whole}"), 200),
        (format!("{JOBS}/{single}"), 404),
        (format!("{}/{single}", jobs_of(GENESYS_CLIENT_ID)), 200),
        (format!("{}/{single}", jobs_of("another")), 404),
        (format!("{JOBS}/{query}"), 404),
    ] {
        let (got, body) = caller.get(&path).await;
        assert_eq!(got, status, "{path}: {body}");
        assert!(status == 200 || body["code"] == "not.found", "{body}");
    }
}

#[tokio::test]
async fn search_is_paged_by_cursors() {
    let (_sandbox, caller) = start_genesys(builder().polls_before_ready(1)).await;
    let query = json!({
        "interval": "2026-10-01/2026-10-07", "oauthClientNames": ["billing-sync, nightly"], "httpMethods": ["GET", "TRACE"],
        "metrics": ["Date", "ClientName", "TemplateUri", "Status200", "Status429"],
    });
    let (status, started) = caller.post("/api/v2/usage/simplesearch", &query).await;
    assert_eq!(status, 202);
    let uri = started["resultsUri"].as_str().unwrap();
    assert_eq!(caller.get(uri).await.1, json!({"queryStatus": "Running"}));
    let (mut after, mut rows) = (String::new(), Vec::new());
    loop {
        let (_, page) = caller.get(&format!("{uri}?pageSize=5{after}")).await;
        rows.extend(page["results"].as_array().unwrap().clone());
        match page["cursors"]["after"].as_str() {
            Some(cursor) => after = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(rows.len(), 7 * 2);
    assert!(rows.iter().all(|row| row["clientName"] == "billing-sync, nightly" && row["clientId"] == ""));
    assert!(rows.iter().all(|row| row.get("requests").is_none() && row.get("status500").is_none()));
    let (status, error) = caller.get(&format!("{uri}?pageSize=1001")).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalid.value")));
    for metrics in ["Requests", "requests"] {
        let bad = json!({"interval": "2026-10/2026-10", "metrics": [metrics]});
        assert_eq!(caller.post("/api/v2/usage/simplesearch", &bad).await.0, 400);
    }
}

#[tokio::test]
async fn summary_equals_query_of_the_last_days() {
    let (_sandbox, caller) = ready().await;
    let path = format!("/api/v2/oauth/clients/{GENESYS_CLIENT_ID}/usage");
    let result = async |started: Value| caller.get(started["resultsUri"].as_str().unwrap()).await.1["results"].clone();
    let week = result(caller.get(&format!("{path}/summary")).await.1).await;
    let days: Vec<_> = week.as_array().unwrap().iter().map(|row| row["date"].as_str().unwrap()).collect();
    assert_eq!((days.len(), days[0], days[6]), (7, "2026-11-14T00:00:00Z", "2026-11-20T00:00:00Z"));
    let query = json!({"interval": "2026-11-14/2026-11-20", "granularity": "Day", "groupBy": ["OAuthClientId"]});
    assert_eq!(result(caller.post(&format!("{path}/query"), &query).await.1).await, week);
    assert_eq!(result(caller.get(&format!("{path}/summary?days=30")).await.1).await.as_array().unwrap().len(), 30);
    for days in ["0", "-7", "week", "99999"] {
        let (status, error) = caller.get(&format!("{path}/summary?days={days}")).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalid.value")), "{days}");
    }
    let bad = json!({"interval": "2026-10/2026-10", "groupBy": ["UserId"]});
    assert_eq!(caller.post(&format!("{path}/query"), &bad).await.1["code"], "invalid.value");
}

#[tokio::test]
async fn job_ends_without_polls() {
    let (sandbox, caller) = start_genesys(builder().polls_before_ready(100)).await;
    let job = caller.post(JOBS, &json!({"interval": OCTOBER})).await.1;
    let query = caller.post("/api/v2/usage/query", &json!({"interval": OCTOBER})).await.1;
    let (job, query) = (job["resultsUri"].as_str().unwrap(), query["resultsUri"].as_str().unwrap());
    assert_eq!(caller.get(job).await.1["queryStatus"], "Queued");
    assert_eq!(caller.get(query).await.1["queryStatus"], "Running");
    sandbox.advance(std::time::Duration::from_secs(600));
    assert_eq!(caller.get(job).await.1["queryStatus"], "Succeeded");
    assert_eq!(caller.get(query).await.1["queryStatus"], "Complete");
}
