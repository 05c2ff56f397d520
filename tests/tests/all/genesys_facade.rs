//! Genesys Cloud's wrappers against the sandbox, in order and with faults, and against answers that no sandbox gives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use chrono::Utc;
use rust_decimal::Decimal;
use usage_billing::genesys::{ApiUsage, Client, overview_rows, types};
use usage_billing::{Credentials, ErrorKind, Pager, Period, UsageRow};
use usage_billing_sandbox::{self as demo, Sandbox, SandboxBuilder};
use usage_billing_tests::{Reply, ScriptedServer, http};

const PATIENCE: Duration = Duration::from_secs(3600);
/// Who has left the partner, so that there is no trust any more.
const LEFT: &str = "3c9a7f52-84be-4d16-a0c7-5e1f29d6b803";

fn client_at(url: &str, id: &str, secret: &str) -> Client {
    let builder = Client::builder(&url.parse().expect("a URL"), Credentials::new(id, secret));
    builder.http_client(http()).rate_limit(None).build().expect("a client").with_account("org-1")
}

async fn start(builder: SandboxBuilder) -> (Sandbox, Client) {
    let sandbox = builder.start().await.expect("a free port");
    let client = client_at(sandbox.url(), demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET);
    (sandbox, client)
}

/// By the real clock, as the limits of jobs are.
fn last_month() -> Period {
    Period::last_month(Utc::now())
}

fn calls(sandbox: &Sandbox, operation: &str) -> usize {
    sandbox.requests().iter().filter(|request| request.operation == Some(operation)).count()
}

fn keys(rows: &[UsageRow]) -> BTreeSet<String> {
    rows.iter().map(|row| row.key.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_partner_sees_overage_and_prices_of_each_client_and_one_failure_stops_nobody() {
    let (_sandbox, client) = start(Sandbox::builder()).await;
    let asked = [demo::GENESYS_TRUSTOR_ORG_ID, LEFT, demo::GENESYS_YOUNG_TRUSTOR_ORG_ID];
    let outcomes = client.billing_overviews(asked, 1).await;
    assert_eq!(outcomes.iter().map(|(organization, _)| organization.as_str()).collect::<Vec<_>>(), asked);
    for (organization, outcome) in outcomes {
        if organization == LEFT {
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains(&format!("-> check that {LEFT} trusts this organization")), "{error}");
            continue;
        }
        let overview = outcome.unwrap();
        let rows = overview_rows(&overview, "org-1", 1).unwrap();
        assert_eq!(rows.len(), overview.usages.len());
        assert!(rows.iter().all(|row| row.is_final && row.billable && row.customer_id.as_ref() == Some(&organization)));
        for (row, charge) in rows.iter().zip(&overview.usages) {
            assert_eq!(
                (row.quantity, row.unit_price),
                (charge.usage_quantity.0, charge.overage_price.map(|price| price.0))
            );
            let beyond = (charge.usage_quantity.0 - charge.prepay_quantity.0).max(Decimal::ZERO);
            let bundled = charge.bundle_quantity.is_some_and(|bundle| bundle.0 != Decimal::ONE);
            assert_eq!(row.overage_quantity, (!bundled).then_some(beyond), "{}", row.metric);
        }
        assert_eq!(
            rows[0].end - rows[0].start,
            overview.billing_period_end_date.unwrap() - rows[0].start + chrono::TimeDelta::seconds(1)
        );
        assert_eq!(keys(&rows).len(), rows.len());
        let open = client.client_usage(&organization, 0).await.unwrap();
        assert!(
            open.iter().all(|row| !row.is_final && row.start == rows[0].end),
            "the running period follows on the last one"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn billable_usage_has_addresses_only_if_they_are_asked_for() {
    let (_sandbox, client) = start(Sandbox::builder().polls_before_ready(0)).await;
    let plain = client.billable_usage(last_month()).wait(PATIENCE).await.unwrap();
    assert!(!plain.usages.is_empty() && plain.usages.iter().all(|usage| usage.resources.is_empty()));
    let full = client.billable_usage_with_resources(last_month()).wait(PATIENCE).await.unwrap();
    assert!(full.usages.iter().any(|usage| usage.resources.iter().any(|resource| resource.name.contains('@'))));
    let rows = client.usage(last_month(), PATIENCE).await.unwrap();
    assert!(!serde_json::to_string(&rows).unwrap().contains('@'));
}

#[tokio::test(start_paused = true)]
async fn a_job_counts_all_requests_once_and_none_is_billable() {
    let (sandbox, client) = start(Sandbox::builder().polls_before_ready(3)).await;
    let rows = client.api_usage(last_month(), PATIENCE).await.unwrap();
    assert_eq!(calls(&sandbox, "getUsageAggregatesQueryJob"), 4 + 1, "four looks at the state, and the page");
    assert!(rows.iter().all(|row| !row.billable && row.cost.is_none() && row.report_id.is_some()));
    assert_eq!(keys(&rows).len(), rows.len());

    // The whole is the sum of the days, and of the clients.
    let mut whole = client.start_usage_job(last_month(), |query| query.group_by(vec![])).await.unwrap();
    let whole = whole.wait(PATIENCE).await.unwrap().collect_all().await.unwrap();
    let whole: i64 = whole.iter().filter_map(|row| row.request_count).sum();
    assert_eq!(rows.iter().map(|row| row.quantity).sum::<Decimal>(), Decimal::from(whole));
    let mut by_client: BTreeMap<&str, Decimal> = BTreeMap::new();
    for row in &rows {
        *by_client.entry(row.customer_id.as_deref().unwrap()).or_default() += row.quantity;
    }
    let (id, expected) = by_client.iter().max_by_key(|(_, requests)| **requests).unwrap();
    let mut job = client.start_client_usage_job(id, last_month(), |query| query).await.unwrap();
    let counted = job.wait(PATIENCE).await.unwrap().collect_all().await.unwrap();
    let asked = ApiUsage::new(job.id(), "org-1", last_month(), None);
    let rows = asked.client_job_rows(id, &counted, Utc::now()).unwrap();
    assert_eq!(rows.iter().map(|row| row.quantity).sum::<Decimal>(), *expected);
    assert_eq!(keys(&rows).len(), rows.len());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_failed_is_an_error_at_once_although_it_answers_202() {
    let (sandbox, client) = start(Sandbox::builder().polls_before_ready(0)).await;
    let mut job = client.start_client_usage_job("no-such-client", last_month(), |query| query).await.unwrap();
    let error = job.wait(PATIENCE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    assert!(error.to_string().contains("the usage job is Failed: There is no such OAuth client"), "{error}");
    assert_eq!(calls(&sandbox, "getUsageClientClientIdAggregatesQueryJob"), 1);

    let naming = |query: usage_billing::genesys::JobQuery| query.oauth_client_ids(vec!["no-such-client".to_owned()]);
    let error = client.start_usage_job(last_month(), naming).await.unwrap().wait(PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("is Cancelled"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_period_that_no_job_takes_is_refused_before_anything_is_sent() {
    let (sandbox, client) = start(Sandbox::builder()).await;
    for period in ["2019-01", "2026-01/2026-06"] {
        let Ok(period) = period.parse::<Period>() else { continue };
        let error = client.api_usage(period, PATIENCE).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Request, 0), "{error}");
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_older_query_starts_with_either_success_and_is_not_billable() {
    for polls in [0, 3] {
        let (sandbox, client) = start(Sandbox::builder().polls_before_ready(polls)).await;
        let by =
            vec![types::ApiUsageOrganizationGroupBy::OAuthClientId, types::ApiUsageOrganizationGroupBy::HttpMethod];
        let day = types::UsageGranularity::Day;
        let mut query =
            client.start_usage_query(last_month(), |query| query.granularity(day.clone()).group_by(by)).await.unwrap();
        let started =
            sandbox.requests().into_iter().find(|request| request.operation == Some("postUsageQuery")).unwrap();
        assert_eq!(started.status, Some(if polls == 0 { 200 } else { 202 }));
        let counted = query.wait(PATIENCE).await.unwrap();
        let again = client.usage_query(query.id()).wait(PATIENCE).await.unwrap();
        assert_eq!(again.len(), counted.len(), "taken up by its id");
        let asked = ApiUsage::new(query.id(), "org-1", last_month(), day);
        let rows = asked.query_rows(&counted, Utc::now()).unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| !row.billable && row.unit == "requests"));
        assert_eq!(keys(&rows).len(), rows.len());
    }
}

#[tokio::test]
async fn a_query_that_is_neither_running_nor_complete_is_an_error_and_not_waited_for() {
    for (answer, told) in [
        (r#"{"queryStatus":"Failed"}"#, "the usage query is Failed"),
        (r#"{"queryStatus":"Paused"}"#, "the usage query is Paused"),
        ("{}", "the usage query is without a status"),
    ] {
        let server = ScriptedServer::start(move |request| match request.target.as_str() {
            "/oauth/token" => Reply::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            "/api/v2/usage/query" => Reply::json(202, "{}"),
            _ => Reply::json(200, answer),
        });
        let client = client_at(server.url(), "id", "hush-secret");
        let error = client.usage_query("q-1").wait(PATIENCE).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Failed && error.to_string().contains(told), "{error}");
        let error = client.start_usage_query(last_month(), |query| query).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("executionId"), "{error}");
    }
}

/// A service runs them as tasks on several threads.
#[tokio::test(flavor = "multi_thread")]
async fn the_wrappers_can_be_spawned() {
    let (_sandbox, client) = start(Sandbox::builder().polls_before_ready(0)).await;
    let all = tokio::spawn(async move {
        let overviews = client.billing_overviews([demo::GENESYS_TRUSTOR_ORG_ID], 1).await;
        let rows = client.api_usage(last_month(), PATIENCE).await.unwrap();
        let licences = client.licences().await.unwrap();
        (overviews.iter().all(|(_, outcome)| outcome.is_ok()), rows.is_empty(), licences.is_empty())
    });
    assert_eq!(all.await.unwrap(), (true, false, false));
}

#[tokio::test(start_paused = true)]
async fn licences_are_counted_over_all_pages() {
    let (_sandbox, client) = start(Sandbox::builder()).await;
    let holders = client.licence_holders().collect_all().await.unwrap();
    let rows = client.licences().await.unwrap();
    let held: usize = holders.iter().map(|holder| holder.licenses.len()).sum();
    assert_eq!(rows.iter().map(|row| row.quantity).sum::<Decimal>(), Decimal::from(held));
    assert!(!rows.is_empty() && rows.iter().all(|row| !row.billable && !row.is_final));
}

#[tokio::test(start_paused = true)]
async fn faults_on_the_way_change_no_row() {
    let rows = |sandbox: (Sandbox, Client)| async move {
        let (sandbox, client) = sandbox;
        let mut rows = client.api_usage(last_month(), PATIENCE).await.unwrap();
        rows.extend(client.usage(last_month(), PATIENCE).await.unwrap());
        rows.extend(client.client_usage(demo::GENESYS_TRUSTOR_ORG_ID, 1).await.unwrap());
        rows.iter_mut().for_each(|row| row.report_id = None);
        let met: usize = sandbox.requests().iter().map(|request| request.faults.len()).sum();
        (rows, met)
    };
    let (expected, _) = rows(start(Sandbox::builder()).await).await;
    for fault in [
        "429; retry_after=7; times=2",
        "429; retry_after=7; as_date=true; times=2",
        "503; retry_after=5; times=2",
        "503; after_effect=true; times=2",
        "504; times=2",
        "reset_before; times=2",
        "reset_after; times=2",
        "cut_body; times=2",
        "slow_body; bytes=4000; millis=50; times=8",
        "latency; millis=20000; times=4",
        "extra_fields",
        "clock_skew; seconds=-86400",
    ] {
        for operation in ["getUsageAggregatesQueryJob", "getBillingReportsBillableusage", "genesys"] {
            let fault = format!("{fault}; operation={operation}");
            let (sandbox, client) = start(Sandbox::builder()).await;
            sandbox.inject(fault.parse().unwrap()).unwrap();
            let (found, met) = rows((sandbox, client)).await;
            assert!(met > 0, "{fault} met nothing");
            assert!(found == expected, "{fault}: {} rows, expected {}", found.len(), expected.len());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_between_polls_is_replaced() {
    let builder = Sandbox::builder().polls_before_ready(6).token_lifetime(Duration::from_secs(20));
    let (sandbox, client) = start(builder).await;
    assert!(!client.usage(last_month(), PATIENCE).await.unwrap().is_empty());
    assert!(calls(&sandbox, "issueToken") > 1, "a minute of polls with tokens of 20 s");
}

/// The rows up to the error, the error, and where to go on.
async fn until_error(mut rows: Pager<types::OrganizationPublicApiUsage>) -> (usize, usage_billing::Error, String) {
    let mut read = 0;
    loop {
        match rows.next().await {
            Some(Ok(_)) => read += 1,
            Some(Err(error)) => return (read, error, rows.position().to_owned()),
            None => panic!("the list came to an end"),
        }
    }
}

/// A finished job of 3 pages with 1000 rows each, but for the answers to single requests for pages, counted from 0.
fn three_pages(other: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static) -> ScriptedServer {
    let asked = AtomicUsize::new(0);
    ScriptedServer::start(move |request| {
        if request.target == "/oauth/token" {
            return Reply::json(200, r#"{"access_token":"t","expires_in":3600}"#);
        }
        let page = match request.target.split_once("after=").map(|(_, cursor)| cursor) {
            Some(cursor) => cursor.chars().next().and_then(|digit| digit.to_digit(10)).expect("a cursor of ours"),
            None if request.target.ends_with("pageSize=1") => {
                return Reply::json(200, r#"{"queryStatus":"Succeeded"}"#);
            }
            None => 0,
        };
        if let Some(other) = other(asked.fetch_add(1, SeqCst)) {
            return other;
        }
        let row = |number| serde_json::json!({"requestCount": 1000 * page + number});
        let mut body =
            serde_json::json!({"queryStatus": "Succeeded", "entities": (0..1000).map(row).collect::<Vec<_>>()});
        if page < 2 {
            body["nextUri"] =
                format!("/api/v2/usage/aggregates/query/jobs/j-1?pageSize=1000&after={}", page + 1).into();
        }
        Reply::json(200, &body.to_string())
    })
}

async fn rows_of(client: &Client) -> Pager<types::OrganizationPublicApiUsage> {
    client.usage_job("j-1").wait(PATIENCE).await.unwrap()
}

#[tokio::test]
async fn all_pages_of_a_job_come_in_order() {
    let server = three_pages(|_| None);
    let rows = rows_of(&client_at(server.url(), "id", "hush-secret")).await.collect_all().await.unwrap();
    assert!(rows.iter().zip(0..).all(|(row, number)| row.request_count == Some(number)) && rows.len() == 3000);
}

#[tokio::test]
async fn a_list_that_breaks_in_the_middle_goes_on_at_its_position_without_loss() {
    for broken in 0..3 {
        let server = three_pages(move |asked| {
            (asked == broken).then(|| Reply::json(500, r#"{"code":"internal.server.error"}"#))
        });
        let client = client_at(server.url(), "id", "hush-secret");
        let (read, error, position) = until_error(rows_of(&client).await).await;
        assert_eq!((read, error.kind()), (1000 * broken, ErrorKind::Api), "{error}");
        let rest = rows_of(&client).await.starting_at(position).collect_all().await.unwrap();
        assert_eq!((rest.len(), rest[0].request_count), (3000 - read, Some(1000 * broken as i64)));
    }
}

#[tokio::test]
async fn a_job_that_is_gone_while_its_pages_are_read_is_an_error_and_no_end() {
    let server = three_pages(|asked| (asked == 1).then(|| Reply::json(202, r#"{"queryStatus":"Failed"}"#)));
    let (read, error, _) = until_error(rows_of(&client_at(server.url(), "id", "hush-secret")).await).await;
    assert_eq!((read, error.kind()), (1000, ErrorKind::Failed), "{error}");
}

#[tokio::test]
async fn a_page_that_repeats_its_cursor_is_an_error_and_gives_no_row_twice() {
    let again = r#"{"queryStatus":"Succeeded","entities":[{"requestCount":7}],"nextUri":"/j?after=1"}"#;
    let server = three_pages(move |asked| (asked == 1).then(|| Reply::json(200, again)));
    let (read, error, _) = until_error(rows_of(&client_at(server.url(), "id", "hush-secret")).await).await;
    assert_eq!(read, 1001, "the first page and the second, which leads to itself");
    assert!(error.to_string().contains("it came before: the list may be incomplete"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_pager_of_ones_own_ends_with_an_error_when_the_sandbox_repeats_a_page() {
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
                Ok((page.entities, after))
            }
        })
    };
    let all = pages().collect_all().await.unwrap().len();
    sandbox.inject("duplicated_page; skip=1; operation=getUsageAggregatesQueryJob".parse().unwrap()).unwrap();
    let (read, error, _) = until_error(pages()).await;
    assert!(error.to_string().contains("it came before"), "{error}");
    assert!(read == 100 && read < all, "{read} of {all}");
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let page = |next: &str| format!(r#"{{"queryStatus":"Succeeded","entities":[{{"requestCount":1}}]{next}}}"#);
    let elsewhere = ScriptedServer::start(|_| Reply::json(200, "{}"));
    let next = format!(r#","nextUri":"{}/steal?pageSize=1&after=a%2Fb""#, elsewhere.url());
    let server = ScriptedServer::start(move |request| match request.target.as_str() {
        "/oauth/token" => Reply::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        target if target.contains("after=") => Reply::json(200, &page("")),
        _ => Reply::json(200, &page(&next)),
    });
    let client = client_at(server.url(), "id", "hush-secret");
    let rows = client.usage_job("j-1").wait(PATIENCE).await.unwrap().collect_all().await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(elsewhere.requests().is_empty());
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(
        targets.last().map(String::as_str),
        Some("/api/v2/usage/aggregates/query/jobs/j-1?after=a%2Fb&pageSize=1000")
    );
}

#[tokio::test]
async fn the_vendors_retry_after_on_a_pending_job_is_told() {
    let server = ScriptedServer::start(|request| match request.target.as_str() {
        "/oauth/token" => Reply::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        _ => Reply::new(
            202,
            &[("content-type", "application/json"), ("retry-after", "45")],
            r#"{"queryStatus":"Queued"}"#,
        ),
    });
    let progress = client_at(server.url(), "id", "hush-secret").usage_job("j-1").poll().await.unwrap();
    let usage_billing::Progress::Pending { status, retry_after } = progress else { panic!("{progress:?}") };
    assert_eq!((status.as_deref(), retry_after), (Some("Queued"), Some(Duration::from_secs(45))));
}

#[tokio::test(start_paused = true)]
async fn errors_name_the_permission_that_is_missing_and_what_a_wrong_credential_may_lack() {
    let (sandbox, _) = start(Sandbox::builder()).await;
    let limited = client_at(sandbox.url(), demo::GENESYS_LIMITED_CLIENT_ID, demo::GENESYS_LIMITED_CLIENT_SECRET);
    let error = limited.usage(last_month(), PATIENCE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    let hint = "the credential needs one of the permissions billing:subscription:read, billing:subscription:view";
    assert_eq!(error.hint(), Some(hint));
    assert!(error.to_string().ends_with(&format!(" -> {hint}")), "{error}");
    let error = limited.billing_overview(demo::GENESYS_TRUSTOR_ORG_ID, 1).await.unwrap_err();
    assert_eq!(error.hint(), Some("the credential needs the permission affiliateOrganization:clientBilling:view"));

    let wrong = client_at(sandbox.url(), demo::GENESYS_CLIENT_ID, "wrong");
    let error = wrong.usage(last_month(), PATIENCE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.hint().is_some_and(|hint| hint.contains("of this region")), "{error}");
}
