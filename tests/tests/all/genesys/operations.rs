//! Requests and responses of each operation of Genesys Cloud.

use chrono::{DateTime, Utc};
use httpmock::When;
use serde::de::DeserializeOwned;
use usage_billing_genesys::mock::MockServerExt;
use usage_billing_genesys::types;
use usage_billing_tests::{Document, Genesys, Vendor};

use crate::mocked::start;

/// Expects the headers of every request, and no API version.
fn expect_common_headers(when: When) {
    when.header("authorization", Genesys::AUTHORIZATION)
        .header("accept", "application/json")
        .header_missing("api-version");
}

fn example<T: DeserializeOwned>(operation: &str) -> T {
    Document::genesys().operation(operation).response()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn billable_usage_sends_its_period_and_decodes() {
    let (server, client) = start::<Genesys>();
    let (start, end) = (instant("2026-09-01T00:00:00Z"), instant("2026-09-30T23:59:59.999Z"));
    let mock = server.get_billing_reports_billableusage(|when, then| {
        expect_common_headers(when.start_date(&start).end_date(&end).into_inner().header_missing("content-type"));
        then.ok(&example("getBillingReportsBillableusage"));
    });
    let report = client.get_billing_reports_billableusage().start_date(start).end_date(end).send().await.unwrap();
    mock.assert();
    assert_eq!(report.status, Some(types::BillingUsageReportStatus::Complete));
    assert_eq!(report.usages.as_ref().unwrap()[2].total_usage.to_string(), "20451.5");
    assert_eq!(report.usages.as_ref().unwrap()[0].resources[1].date, Some(instant("2026-09-03T12:01:44.250Z")));
}

#[tokio::test]
async fn billing_overview_sends_its_index_and_decodes() {
    let (server, client) = start::<Genesys>();
    let mock = server.get_billing_trusteebillingoverview_trustor_org_id(|when, then| {
        expect_common_headers(when.trustor_org_id("a/b?c d").billing_period_index(2).into_inner());
        then.ok(&example("getBillingTrusteebillingoverviewTrustorOrgId"));
    });
    let call = client.get_billing_trusteebillingoverview_trustor_org_id().trustor_org_id("a/b?c d");
    let bill = call.clone().billing_period_index(2).send().await.unwrap();
    mock.assert();
    assert_eq!(bill.usages.as_ref().unwrap()[1].overage_price.as_ref().unwrap().to_string(), "0.0119");
    assert_eq!(bill.minimum_monthly_amount.as_ref().unwrap().to_string(), "11000.00");

    let running = server.get_billing_trusteebillingoverview_trustor_org_id(|when, then| {
        expect_common_headers(when.trustor_org_id("a/b?c d").billing_period_index(None).into_inner());
        then.ok(&bill);
    });
    call.send().await.unwrap();
    running.assert();
}

#[tokio::test]
async fn usage_query_starts_with_either_success() {
    let (server, client) = start::<Genesys>();
    let query: types::ApiUsageOrganizationQuery = Document::genesys().operation("postUsageQuery").body();
    let sent = concat!(
        r#"{"granularity":"Day","groupBy":["OAuthClientId","TemplateUri"],"#,
        r#""interval":"2026-09-01/2026-09-30"}"#
    );
    for status in [200, 202] {
        let mut mock = server.post_usage_query(|when, then| {
            expect_common_headers(when.body(&query).into_inner().header("content-type", "application/json").body(sent));
            let execution = example("postUsageQuery");
            let _ = if status == 200 { then.ok(&execution) } else { then.accepted(&execution) };
        });
        let started = client.post_usage_query().body(query.clone()).send().await.unwrap();
        mock.assert();
        mock.delete();
        assert_eq!(started.status(), status);
        assert_eq!(started.execution_id.as_deref(), Some("6a2f0d4c-8b1e-4f7a-9c35-d0e1f2a3b4c5"));
    }
}

#[tokio::test]
async fn usage_query_results_decode() {
    let (server, client) = start::<Genesys>();
    let mock = server.get_usage_query_execution_id_results(|when, then| {
        expect_common_headers(when.execution_id("a/b%").into_inner());
        then.ok(&example("getUsageQueryExecutionIdResults"));
    });
    let rows = client.get_usage_query_execution_id_results().execution_id("a/b%").send().await.unwrap();
    mock.assert();
    assert_eq!(rows.query_status, Some(types::ApiUsageQueryStatus::Complete));
    let results = rows.results.as_ref().unwrap();
    assert_eq!((results[0].requests, results[1].organization_id.as_deref()), (Some(100), Some("")));
}
