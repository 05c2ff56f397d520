//! Pages of the rows of a job.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use usage_billing::genesys::{Client, types};
use usage_billing::{ErrorKind, Pager};
use usage_billing_sandbox::Sandbox;
use usage_billing_tests::{ScriptedResponse, ScriptedServer};

use super::{NO_LIMIT, client_at, last_month, start};

/// Returns the number of rows before the error, the error, and the continuation.
async fn until_error(mut rows: Pager<types::OrganizationPublicApiUsage>) -> (usize, usage_billing::Error, String) {
    let mut read = 0;
    loop {
        match rows.next().await {
            Some(Ok(_)) => read += 1,
            Some(Err(error)) => return (read, error, rows.continuation().to_owned()),
            None => panic!("the list ended without an error"),
        }
    }
}

/// Starts a server of a finished job with 3 pages of 1000 rows. `other` replaces the response to a page request, counted from 0.
fn three_pages(other: impl Fn(usize) -> Option<ScriptedResponse> + Send + Sync + 'static) -> ScriptedServer {
    let count = AtomicUsize::new(0);
    ScriptedServer::start(move |request| {
        if request.target == "/oauth/token" {
            return ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#);
        }
        let page = match request.target.split_once("after=").map(|(_, cursor)| cursor) {
            Some(cursor) => cursor.chars().next().and_then(|digit| digit.to_digit(10)).expect("a cursor of ours"),
            None if request.target.ends_with("pageSize=1") => {
                return ScriptedResponse::json(200, r#"{"queryStatus":"Succeeded"}"#);
            }
            None => 0,
        };
        if let Some(other) = other(count.fetch_add(1, SeqCst)) {
            return other;
        }
        let row = |number| serde_json::json!({"requestCount": 1000 * page + number});
        let mut body =
            serde_json::json!({"queryStatus": "Succeeded", "entities": (0..1000).map(row).collect::<Vec<_>>()});
        if page < 2 {
            body["nextUri"] =
                format!("/api/v2/usage/aggregates/query/jobs/j-1?pageSize=1000&after={}", page + 1).into();
        }
        ScriptedResponse::json(200, &body.to_string())
    })
}

async fn rows_of(client: &Client) -> Pager<types::OrganizationPublicApiUsage> {
    client.usage_job("j-1").wait(NO_LIMIT).await.unwrap()
}

#[tokio::test]
async fn pages_of_a_job_are_read_in_order() {
    let server = three_pages(|_| None);
    let rows = rows_of(&client_at(server.url(), "id", "hush-secret")).await.try_collect().await.unwrap();
    assert!(rows.iter().zip(0..).all(|(row, number)| row.request_count == Some(number)) && rows.len() == 3000);
}

#[tokio::test]
async fn interrupted_list_resumes_without_loss() {
    for broken in 0..3 {
        let server = three_pages(move |number| {
            (number == broken).then(|| ScriptedResponse::json(501, r#"{"code":"not.implemented"}"#))
        });
        let client = client_at(server.url(), "id", "hush-secret");
        let (read, error, position) = until_error(rows_of(&client).await).await;
        assert_eq!((read, error.kind()), (1000 * broken, ErrorKind::Api), "{error}");
        let rest = rows_of(&client).await.resume_from(position).try_collect().await.unwrap();
        assert_eq!((rest.len(), rest[0].request_count), (3000 - read, Some(1000 * broken as i64)));
    }
}

#[tokio::test]
async fn job_removed_while_its_pages_are_read_is_an_error() {
    let server =
        three_pages(|number| (number == 1).then(|| ScriptedResponse::json(202, r#"{"queryStatus":"Failed"}"#)));
    let (read, error, _) = until_error(rows_of(&client_at(server.url(), "id", "hush-secret")).await).await;
    assert_eq!((read, error.kind()), (1000, ErrorKind::Failed), "{error}");
}

#[tokio::test]
async fn repeated_cursor_is_an_error_without_duplicate_rows() {
    let repeated = r#"{"queryStatus":"Succeeded","entities":[{"requestCount":7}],"nextUri":"/j?after=1"}"#;
    let server = three_pages(move |number| (number == 1).then(|| ScriptedResponse::json(200, repeated)));
    let (read, error, _) = until_error(rows_of(&client_at(server.url(), "id", "hush-secret")).await).await;
    assert_eq!(read, 1001, "the first page and the second, whose link is to itself");
    assert!(error.to_string().contains("it was already read: the list may be incomplete"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn custom_pager_fails_on_a_repeated_page() {
    let (sandbox, client) = start(Sandbox::builder().polls_before_ready(0)).await;
    let mut job =
        client.start_usage_job(last_month(), |query| query.granularity(types::UsageGranularity::Day)).await.unwrap();
    job.poll().await.unwrap();
    let pages = || {
        let (client, id) = (client.clone(), job.id().to_owned());
        Pager::new(String::new(), move |after: String| {
            let (client, id) = (client.clone(), id.clone());
            async move {
                let call = client.api().get_usage_aggregates_query_job().job_id(id).page_size(50);
                let call = if after.is_empty() { call } else { call.after(after) };
                let page = call.send().await?.into_inner();
                let after =
                    page.next_uri.and_then(|uri| uri.split_once("after=")?.1.split('&').next().map(str::to_owned));
                Ok((page.entities.unwrap(), after))
            }
        })
    };
    let all = pages().try_collect().await.unwrap().len();
    sandbox.inject("duplicated_page; skip=1; operation=getUsageAggregatesQueryJob".parse().unwrap()).unwrap();
    let (read, error, _) = until_error(pages()).await;
    assert!(error.to_string().contains("it was already read"), "{error}");
    assert!(read == 100 && read < all, "{read} of {all}");
}

#[tokio::test]
async fn link_to_another_host_is_not_followed() {
    let page = |next: &str| format!(r#"{{"queryStatus":"Succeeded","entities":[{{"requestCount":1}}]{next}}}"#);
    let elsewhere = ScriptedServer::start(|_| ScriptedResponse::json(200, "{}"));
    let next = format!(r#","nextUri":"{}/steal?pageSize=1&after=a%2Fb""#, elsewhere.url());
    let server = ScriptedServer::start(move |request| match request.target.as_str() {
        "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        target if target.contains("after=") => ScriptedResponse::json(200, &page("")),
        _ => ScriptedResponse::json(200, &page(&next)),
    });
    let client = client_at(server.url(), "id", "hush-secret");
    let rows = client.usage_job("j-1").wait(NO_LIMIT).await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(elsewhere.requests().is_empty());
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(
        targets.last().map(String::as_str),
        Some("/api/v2/usage/aggregates/query/jobs/j-1?after=a%2Fb&pageSize=1000")
    );
}
