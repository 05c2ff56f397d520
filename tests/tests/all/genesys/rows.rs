//! Billable usage and licences as rows.

use rust_decimal::Decimal;
use serde_json::json;
use usage_billing::ErrorKind;
use usage_billing::genesys::{BillingPeriod, ClientOrganizations};
use usage_billing_sandbox::Sandbox;
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{NO_LIMIT, client_at, last_month, start};

#[tokio::test(start_paused = true)]
async fn billable_usage_has_addresses_only_on_request() {
    let (_sandbox, client) = start(Sandbox::builder().polls_before_ready(0)).await;
    let plain = client.billable_usage(last_month()).wait(NO_LIMIT).await.unwrap();
    let usages = plain.usages.unwrap();
    assert!(!usages.is_empty() && usages.iter().all(|usage| usage.resources.is_empty()));
    let full = client.billable_usage_with_resources(last_month()).wait(NO_LIMIT).await.unwrap();
    let usages = full.usages.unwrap();
    assert!(usages.iter().any(|usage| usage.resources.iter().any(|resource| resource.name.contains('@'))));
    let rows = client.usage(last_month(), NO_LIMIT).await.unwrap();
    assert!(!serde_json::to_string(&rows).unwrap().contains('@'));
}

#[tokio::test(start_paused = true)]
async fn failed_month_error_names_the_periods_to_request_instead() {
    let (sandbox, client) = start(Sandbox::builder().polls_before_ready(0)).await;
    let fault = "403; skip=1; operation=getBillingReportsBillableusage";
    sandbox.inject(fault.parse().unwrap()).unwrap();
    let error = client.usage("2026-08-01/2026-11-01".parse().unwrap(), NO_LIMIT).await.unwrap_err();
    let advice = "this is 2026-09; earlier periods can be read: request 2026-08, and 2026-09-01/2026-11-01 later";
    assert!(
        error.kind() == ErrorKind::Permission && error.hint().is_some_and(|hint| hint.ends_with(advice)),
        "{error}"
    );
    sandbox.clear_faults();
    assert!(!client.usage("2026-08".parse().unwrap(), NO_LIMIT).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn licences_are_counted_over_all_pages() {
    let (_sandbox, client) = start(Sandbox::builder()).await;
    let holders = client.licence_holders().try_collect().await.unwrap();
    let rows = client.licences().await.unwrap();
    let held: usize = holders.iter().map(|holder| holder.licenses.len()).sum();
    assert_eq!(rows.iter().map(|row| row.quantity).sum::<Decimal>(), Decimal::from(held));
    assert!(!rows.is_empty() && rows.iter().all(|row| row.is_billable == Some(false) && !row.is_final));
}

/// Services run the wrappers as tasks on several threads.
#[tokio::test(flavor = "multi_thread")]
async fn wrappers_can_be_spawned() {
    let (_sandbox, client) = start(Sandbox::builder().polls_before_ready(0)).await;
    let all = tokio::spawn(async move {
        let last = BillingPeriod::LastFinished { at: now() };
        let bills = client.client_bills(last, ClientOrganizations::All).await.unwrap();
        let rows = client.api_usage(last_month(), NO_LIMIT).await.unwrap();
        let licences = client.licences().await.unwrap();
        (bills.errors().count() == 0, rows.is_empty(), licences.is_empty())
    });
    assert_eq!(all.await.unwrap(), (true, false, false));
}

#[tokio::test]
async fn licences_are_counted_over_pages_without_a_count() {
    let server = ScriptedServer::start(|request| {
        match request.target.split(['?', '&']).find_map(|pair| pair.strip_prefix("pageNumber=")) {
            None => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            Some(number @ ("1" | "2" | "3")) => ScriptedResponse::json(
                200,
                &json!({"entities": [{"id": number, "licenses": ["cloudCX3"]}]}).to_string(),
            ),
            Some(_) => ScriptedResponse::json(200, r#"{"entities":[]}"#),
        }
    });
    let rows = client_at(server.url(), "id", "hush-secret").licences().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.quantity).collect::<Vec<_>>(), [Decimal::from(3)]);
}
