//! Genesys Cloud: billable usage, the overview of client organizations, tokens.

mod api_usage;
mod contracts;
mod licences;

use reqwest::Method;
use serde_json::{Value, json};
use usage_billing_genesys::types;
use usage_billing_sandbox::{
    GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET, GENESYS_TRUSTOR_ORG_ID, GENESYS_YOUNG_TRUSTOR_ORG_ID,
};

use crate::{Caller, ask_token, builder, read, start_genesys};

const OCTOBER: &str =
    "/api/v2/billing/reports/billableusage?startDate=2026-10-01T00:00:00Z&endDate=2026-10-31T23:59:59.999Z";

#[tokio::test]
async fn billable_usage_is_polled_by_the_same_request() {
    let (_sandbox, caller) = start_genesys(builder()).await;
    for poll in 1..=2 {
        let (status, report) = caller.get(OCTOBER).await;
        assert_eq!((status.as_u16(), &report["status"]), (200, &json!("InProgress")), "{poll}");
    }
    let (_, report) = caller.get(OCTOBER).await;
    assert_eq!(report["startDate"], "2026-10-01T00:00:00Z");
    let report: types::BillingUsageReport = serde_json::from_value(report).unwrap();
    assert_eq!(report.status, Some(types::BillingUsageReportStatus::Complete));
    let usages = report.usages.unwrap();
    assert_eq!(usages.len(), 8);
    assert!(usages.iter().any(|usage| !usage.total_usage.is_integer()));
    assert!(usages[0].resources.iter().all(|resource| resource.name.ends_with("@northwind.example")));
    // Another period is another report.
    let other = OCTOBER.replace("2026-10-01", "2026-10-02");
    assert_eq!(caller.get(&other).await.1["status"], "InProgress");
    assert_eq!(caller.get(OCTOBER).await.1["status"], "Complete");
}

#[tokio::test]
async fn invalid_and_missing_dates_have_different_codes() {
    let (_sandbox, caller) = start_genesys(builder()).await;
    for (query, code) in [
        ("", "bad.request"),
        ("?startDate=2026-10-01T00:00:00Z", "bad.request"),
        ("?startDate=2026-10-01&endDate=2026-10-31", "invalid.date"),
        ("?startDate=2026-10-31T00:00:00Z&endDate=2026-10-01T00:00:00Z", "invalid.date"),
    ] {
        let (status, error) = caller.get(&format!("/api/v2/billing/reports/billableusage{query}")).await;
        assert_eq!((status.as_u16(), &error["code"], &error["status"]), (400, &json!(code), &json!(400)), "{query}");
    }
}

#[tokio::test]
async fn overview_goes_back_to_the_first_period() {
    let (_sandbox, caller) = start_genesys(builder()).await;
    let path = format!("/api/v2/billing/trusteebillingoverview/{GENESYS_TRUSTOR_ORG_ID}");
    let (_, running) = caller.get(&path).await;
    assert_eq!(running["billingPeriodStartDate"], "2026-11-01T00:00:00Z");
    let mut periods = Vec::new();
    let gone = loop {
        let (status, overview) = caller.get(&format!("{path}?billingPeriodIndex={}", periods.len())).await;
        if status != 200 {
            break (status, overview);
        }
        let overview: types::TrusteeBillingOverview = serde_json::from_value(overview).unwrap();
        assert_eq!(overview.currency.as_deref(), Some("EUR"));
        assert!(
            overview.usages.iter().flatten().any(|usage| usage.prepay_price.is_some() && usage.overage_price.is_some())
        );
        periods.push(overview.billing_period_start_date);
    };
    assert_eq!(periods.len(), 14);
    assert!(periods.is_sorted_by(|later, earlier| later > earlier));
    assert_eq!((gone.0.as_u16(), &gone.1["code"]), (404, &json!("not.found")));
    assert_eq!(gone.1["entityId"], GENESYS_TRUSTOR_ORG_ID);

    let young = format!("/api/v2/billing/trusteebillingoverview/{GENESYS_YOUNG_TRUSTOR_ORG_ID}?billingPeriodIndex=1");
    assert_eq!(caller.get(&young).await.1["billingPeriodStartDate"], "2026-10-15T00:00:00Z");
    for index in ["-1", "x", "4294967296"] {
        let (status, error) = caller.get(&format!("{path}?billingPeriodIndex={index}")).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalid.value")), "{index}");
    }
    assert_eq!(caller.get("/api/v2/billing/trusteebillingoverview/nobody").await.0, 404);
}

#[tokio::test]
async fn usage_query_is_started_and_polled() {
    let (_sandbox, caller) = start_genesys(builder().polls_before_ready(1)).await;
    let query =
        json!({"interval": "2026-10-01/2026-10-31", "granularity": "Day", "groupBy": ["OAuthClientId", "TemplateUri"]});
    let (status, execution) = caller.post("/api/v2/usage/query", &query).await;
    assert_eq!(status, 202);
    let uri = execution["resultsUri"].as_str().unwrap();
    assert_eq!(uri, format!("/api/v2/usage/query/{}/results", execution["executionId"].as_str().unwrap()));
    assert_eq!(caller.get(uri).await.1, json!({"queryStatus": "Running"}));
    let result: types::ApiUsageQueryResult = serde_json::from_value(caller.get(uri).await.1).unwrap();
    assert_eq!(result.query_status, Some(types::ApiUsageQueryStatus::Complete));
    assert_eq!(result.results.map(|rows| rows.len()), Some(31 * 2 * 3));

    let (status, error) = caller.get("/api/v2/usage/query/nothing/results").await;
    assert_eq!((status.as_u16(), &error["entityId"]), (404, &json!("nothing")));
    for (query, code) in [
        (json!({"interval": "2026-10-31/2026-10-01"}), "invalid.date"),
        (json!({"interval": "2026-10/2026-10", "granularity": "Hour"}), "invalid.value"),
        (json!({"interval": "2026-10/2026-10", "groupBy": ["OauthClientId"]}), "invalid.value"),
        (json!({"granularity": "Day"}), "bad.request"),
        (json!([]), "bad.request"),
    ] {
        let (status, error) = caller.post("/api/v2/usage/query", &query).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(code)), "{query}");
    }
    let plain = caller.request(Method::POST, "/api/v2/usage/query").body("{}").send().await.unwrap();
    assert_eq!(read(plain).await.1["code"], "unsupported.media.type");
    let large = json!({"interval": "x".repeat(512_000)});
    let (status, error) = caller.post("/api/v2/usage/query", &large).await;
    assert_eq!((status.as_u16(), &error["code"]), (413, &json!("request.entity.too.large")));
}

#[tokio::test]
async fn zero_polls_before_ready_returns_results_at_once() {
    let (_sandbox, caller) = start_genesys(builder().polls_before_ready(0)).await;
    assert_eq!(caller.get(OCTOBER).await.1["status"], "Complete");
    let (status, execution) = caller.post("/api/v2/usage/query", &json!({"interval": "2026-10/2026-10"})).await;
    assert_eq!(status, 200);
    assert_eq!(caller.get(execution["resultsUri"].as_str().unwrap()).await.1["queryStatus"], "Complete");
}

#[tokio::test]
async fn token_errors_have_the_vendor_s_form() {
    let sandbox = builder().start().await.unwrap();
    let ask = async |id, secret, grant| {
        let (status, body) = ask_token(&sandbox, "/oauth/token", id, secret, grant).await;
        assert_eq!(body["description"], body["error_description"]);
        (status.as_u16(), format!("{}: {}", body["error"].as_str().unwrap(), body["description"].as_str().unwrap()))
    };
    let granted = "client_credentials";
    assert_eq!(ask("x", "y", granted).await, (400, "invalid_client: client not found".to_owned()));
    assert_eq!(ask(GENESYS_CLIENT_ID, "y", granted).await, (400, "invalid_client: authentication failed".to_owned()));
    let (status, text) = ask(GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET, "implicit").await;
    assert!(status == 400 && text.starts_with("unauthorized_client: "), "{text}");
    let (_, token) = ask_token(&sandbox, "/oauth/token", GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET, granted).await;
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("bearer"), &json!(86_399)));
}

#[tokio::test]
async fn responses_have_correlation_ids_and_errors_repeat_them() {
    let (sandbox, caller) = start_genesys(builder()).await;
    let stranger = Caller::new(&sandbox, "Bearer made-up".to_owned());
    let mut seen = std::collections::HashSet::new();
    for (caller, method, path, status) in [
        (&caller, Method::GET, OCTOBER, 200),
        (&caller, Method::GET, "/api/v2/billing/reports/billableusage", 400),
        (&caller, Method::GET, "/api/v2/no/such/path", 404),
        (&caller, Method::GET, "/api/v2/usage/query/%FF%FE/results", 404),
        (&caller, Method::DELETE, "/api/v2/usage/query", 405),
        (&stranger, Method::GET, OCTOBER, 401),
        (&stranger, Method::GET, "/oauth/token", 405),
    ] {
        let response = caller.request(method, path).send().await.unwrap();
        let id = response.headers()["inin-correlation-id"].to_str().unwrap().to_owned();
        let (got, body) = read(response).await;
        assert_eq!(got, status, "{path}: {body}");
        if status != 200 {
            assert_eq!(body["contextId"], Value::String(id.clone()), "{path}");
        }
        assert!(seen.insert(id));
    }
}

#[tokio::test]
async fn invalid_credentials_are_rejected_with_a_code() {
    let sandbox = builder().start().await.unwrap();
    for (authorization, code) in [
        ("", "authentication.required"),
        ("Basic eDp5", "authentication.required"),
        ("Bearer made-up", "bad.credentials"),
    ] {
        let (status, error) = Caller::new(&sandbox, authorization.to_owned()).get(OCTOBER).await;
        assert_eq!((status.as_u16(), &error["code"]), (401, &json!(code)), "{authorization}");
    }
}

#[tokio::test]
async fn trustors_are_on_several_pages() {
    let (_sandbox, caller) = start_genesys(builder()).await;
    let (status, own) = caller.get("/api/v2/organizations/me").await;
    assert_eq!((status.as_u16(), &own["name"]), (200, &json!("Northwind Cloud Services")));
    let (mut path, mut names) = (Some("/api/v2/orgauthorization/trustors?pageSize=100".to_owned()), Vec::new());
    let mut pages = 0;
    while let Some(next) = path {
        let (status, page) = caller.get(&next).await;
        assert_eq!((status.as_u16(), &page["total"]), (200, &json!(14)));
        let page: types::TrustorEntityListing = serde_json::from_value(page).unwrap();
        names.extend(page.entities.unwrap().into_iter().filter_map(|trustor| trustor.organization?.name));
        (path, pages) = (page.next_uri, pages + 1);
    }
    assert_eq!((names.len(), pages), (14, 3));
    assert!(!names.iter().any(|name| name.contains("Old Mill")), "that one trusts the partner no more: {names:?}");
    assert_eq!(caller.get("/api/v2/orgauthorization/trustors?pageSize=0").await.0, 400);
}

/// Returns the bills at index 0 of all organizations that trust the partner, and the number of pages.
async fn overviews(sandbox: &usage_billing_sandbox::Sandbox) -> (Vec<types::TrusteeBillingOverview>, usize) {
    let caller = Caller::genesys(sandbox).await;
    let (mut path, mut pages, mut bills) =
        (Some("/api/v2/orgauthorization/trustors?pageSize=100".to_owned()), 0, Vec::new());
    while let Some(next) = path {
        let (_, page) = caller.get(&next).await;
        let page: types::TrustorEntityListing = serde_json::from_value(page).unwrap();
        for trustor in page.entities.unwrap() {
            let (_, bill) =
                caller.get(&format!("/api/v2/billing/trusteebillingoverview/{}", trustor.id.unwrap())).await;
            bills.push(serde_json::from_value(bill).unwrap());
        }
        (path, pages) = (page.next_uri, pages + 1);
    }
    (bills, pages)
}

/// Returns, for each organization, the starts of its contracts and of its billing periods by the overviews at all indexes.
async fn contracts_and_starts(
    sandbox: &usage_billing_sandbox::Sandbox,
    bills: &[types::TrusteeBillingOverview],
) -> Vec<(std::collections::BTreeSet<String>, Vec<String>)> {
    let caller = Caller::genesys(sandbox).await;
    let mut found = Vec::new();
    for bill in bills {
        let path = bill.self_uri.as_deref().unwrap();
        let (mut contracts, mut starts) = (std::collections::BTreeSet::new(), Vec::new());
        for index in 0.. {
            let (status, overview) = caller.get(&format!("{path}?billingPeriodIndex={index}")).await;
            if status == 404 {
                break;
            }
            let text = |name: &str| overview[name].as_str().unwrap().to_owned();
            contracts.insert(text("contractEffectiveDate"));
            starts.push(text("billingPeriodStartDate"));
        }
        found.push((contracts, starts));
    }
    found
}

#[tokio::test]
async fn every_dataset_has_the_difficult_bills_on_any_day() {
    for (seed, organizations, today) in [
        (0, 3, "2026-11-21"),
        (0, 3, "2026-12-01"),
        (1, 3, "2027-03-01"),
        (99, 40, "2028-02-29"),
        (2, 7, "2026-12-31"),
        (u64::MAX, 3, "2024-03-02"),
        (12_345, 60, "2031-01-30"),
    ] {
        let label = format!("{seed} {organizations} {today}");
        let size = usage_billing_sandbox::Size::default().organizations(organizations);
        let today: chrono::NaiveDate = today.parse().unwrap();
        let sandbox = builder().today(today).seed(seed).size(size).start().await.unwrap();
        let (bills, pages) = overviews(&sandbox).await;
        assert!(pages >= 3, "{label}");
        let subscriptions: std::collections::BTreeSet<_> =
            bills.iter().map(|bill| bill.subscription_type.clone().unwrap().to_string()).collect();
        assert_eq!(subscriptions.len(), 8, "{label}: {subscriptions:?}");
        assert!(bills.iter().any(|bill| bill.in_ramp_period == Some(true)), "{label}");
        let noon = today.and_hms_opt(12, 0, 0).unwrap().and_utc();
        let past = bills.iter().filter(|bill| bill.billing_period_end_date.unwrap() < noon);
        let (ended, late): (Vec<_>, Vec<_>) = past.partition(|bill| bill.contract_end_date.unwrap() < noon);
        assert_eq!(
            (ended.len(), late.len()),
            (1, 1),
            "{label}: a contract has ended, and the index of another has not moved"
        );
        let contracts = contracts_and_starts(&sandbox, &bills[bills.len() - 3..]).await;
        let [ended, renewed, moved] = contracts.as_slice() else { panic!("{label}") };
        assert_eq!((ended.0.len(), renewed.0.len(), moved.0.len()), (1, 2, 1), "{label}: {renewed:?}");
        let months = |starts: &[String]| -> std::collections::BTreeSet<String> {
            starts.iter().map(|start| start[..7].to_owned()).collect()
        };
        assert_eq!(months(&renewed.1).len(), renewed.1.len(), "{label}");
        assert_eq!(
            months(&moved.1).len(),
            moved.1.len() - 1,
            "{label}: two billing periods begin in one month: {moved:?}"
        );

        let usages = || bills.iter().map(|bill| bill.usages.as_deref().unwrap());
        let of = |usages: &[types::SubscriptionOverviewUsage], grouping: &str| -> Vec<_> {
            let found = usages.iter().filter(|usage| usage.grouping.as_deref() == Some(grouping));
            found
                .map(|usage| {
                    (usage.part_number.clone(), usage.usage_quantity.as_ref().unwrap().value().unwrap().unwrap())
                })
                .collect()
        };
        let has_allowance = |usages: &[types::SubscriptionOverviewUsage]| {
            let free = of(usages, "fair-use");
            free.iter().any(|(part_number, _)| of(usages, "resource").iter().any(|(other, _)| other == part_number))
        };
        assert!(usages().any(has_allowance), "{label}");
        let has_total = |usages: &[types::SubscriptionOverviewUsage]| {
            let (totals, parts) = (of(usages, "rollup"), of(usages, "rollup-usage"));
            let sum: usage_billing_core::Decimal = parts.iter().map(|(_, quantity)| quantity).sum();
            totals.len() == 1 && parts.len() > 1 && totals[0].1 == sum
        };
        assert!(usages().any(has_total), "{label}");
        let text = |number: &Option<usage_billing_core::LenientDecimal>| serde_json::to_value(number).unwrap();
        assert!(usages().flatten().any(|usage| text(&usage.bundle_quantity) == json!("0")), "{label}");
        assert!(usages().flatten().any(|usage| text(&usage.overage_price) == json!("")), "{label}");
    }
}
