//! Genesys Cloud: contracts, billing periods and invoices (preview), which agree with the partner's overview.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use usage_billing_core::Decimal;
use usage_billing_genesys::types;
use usage_billing_sandbox::{GENESYS_TRUSTOR_ORG_ID, GENESYS_YOUNG_TRUSTOR_ORG_ID, Sandbox};

use crate::{Caller, builder, http, start_genesys};

const CONTRACTS: &str = "/api/v2/billing/contracts";
const INVOICES: &str = "/api/v2/billing/contracts/invoices";

async fn start() -> (Sandbox, Caller) {
    let (sandbox, caller) = start_genesys(builder()).await;
    (sandbox, caller)
}

/// Parses the text and not a [`Value`], so that decimals stay exact.
async fn get<T: DeserializeOwned>(caller: &Caller, path: &str) -> T {
    let text = caller.request(Method::GET, path).send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
}

/// Returns the ids of pages along `nextUri` or `previousUri`.
async fn ids(caller: &Caller, path: &str, link: &str) -> Vec<Vec<String>> {
    let (mut next, mut pages) = (Some(path.to_owned()), Vec::new());
    while let Some(path) = next {
        let page = caller.get(&path).await.1;
        let entities = page["entities"].as_array().cloned().unwrap_or_default();
        pages.push(entities.iter().map(|entity| entity["id"].as_str().unwrap().to_owned()).collect());
        next = page[link].as_str().map(str::to_owned);
    }
    pages
}

#[tokio::test]
async fn contracts_are_filtered_by_status_dates_and_number() {
    let (_sandbox, caller) = start().await;
    let table = ["CN-0048213", "CN-0051790", "CN-0031077"];
    // Of the last four, the first one has ended, and the third one renews the second.
    let special =
        ["CN-00100951", "CN-00100953", "CN-00100954", "CN-00100960", "CN-00100961", "CN-00100961-2", "CN-00100962"];
    for (query, expected) in [
        ("", [&table[..], &special].concat()),
        ("status=Active", [&table[..2], &special[..3], &special[5..]].concat()),
        ("status=Inactive", [&table[2..], &special[3..5]].concat()),
        ("externalNumber=Q-100913-1", vec!["CN-0051790"]),
        ("externalNumber=Q", vec![]),
        ("dateStart=2026-01-08", [&table[..2], &special].concat()),
        ("dateStart=2026-01-07", [&table[..], &special].concat()),
        ("dateEnd=2025-09-30", vec!["CN-0031077", "CN-00100962"]),
        ("dateStart=2026-11-01&externalNumber=Q-100960-1", vec![]),
        ("externalNumber=Q-100961-2", vec!["CN-00100961-2"]),
        ("dateStart=2025-10-01&dateEnd=2025-10-01", vec!["CN-0048213", "CN-0031077", "CN-00100962"]),
    ] {
        assert_eq!(ids(&caller, &format!("{CONTRACTS}?{query}"), "nextUri").await.concat(), expected, "{query}");
        assert_eq!(ids(&caller, &format!("{CONTRACTS}?pageSize=1&{query}"), "nextUri").await.concat(), expected);
    }
}

#[tokio::test]
async fn lists_reject_invalid_parameters() {
    let (_sandbox, caller) = start().await;
    for (path, code) in [
        ("/api/v2/billing/contracts?status=Ended", "invalid.value"),
        ("/api/v2/billing/contracts?pageSize=201", "invalid.value"),
        ("/api/v2/billing/contracts?pageSize=many", "invalid.value"),
        ("/api/v2/billing/contracts?after=%21", "invalid.value"),
        ("/api/v2/billing/contracts?after=MQ&before=MQ", "bad.request"),
        ("/api/v2/billing/contracts?dateStart=2026-13-01", "invalid.date"),
        ("/api/v2/billing/contracts/invoices?paymentStatus=Unpaid", "invalid.value"),
        ("/api/v2/billing/contracts/invoices?dateStart=2026-10-02&dateEnd=2026-10-01", "invalid.date"),
        ("/api/v2/billing/contracts/invoices/INV-20261001-100482/lines?pageSize=0", "invalid.value"),
    ] {
        let (status, error) = caller.get(path).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(code)), "{path}");
    }
    for path in [
        "/api/v2/billing/contracts/CN-0",
        "/api/v2/billing/contracts/CN-0/billingperiods/bp-2026-10-01",
        "/api/v2/billing/contracts/CN-0048213/billingperiods/bp-2020-10-01",
        "/api/v2/billing/contracts/invoices/INV-20261101-100482/lines",
        "/api/v2/billing/contracts/invoices/INV-0/document",
    ] {
        let (status, error) = caller.get(path).await;
        assert_eq!((status.as_u16(), &error["code"]), (404, &json!("not.found")), "{path}");
        assert!(error["entityId"].is_string() && error["contextId"].is_string(), "{error}");
    }
    assert_eq!(caller.post(CONTRACTS, &json!({})).await.0, 405);
}

#[tokio::test]
async fn closed_period_agrees_in_overview_contract_and_invoice() {
    let (_sandbox, caller) = start().await;
    let invoices: types::BillingInvoiceListing = get(&caller, &format!("{INVOICES}?pageSize=200")).await;
    for (trustor, contract, number) in
        [(GENESYS_TRUSTOR_ORG_ID, "CN-0048213", "100482"), (GENESYS_YOUNG_TRUSTOR_ORG_ID, "CN-0051790", "100913")]
    {
        let contract: types::BillingContract = get(&caller, &format!("{CONTRACTS}/{contract}")).await;
        let id = contract.id.as_deref().unwrap();
        for (period, index) in contract.billing_periods.iter().rev().zip(0..) {
            let overview: types::TrusteeBillingOverview =
                get(&caller, &format!("/api/v2/billing/trusteebillingoverview/{trustor}?billingPeriodIndex={index}"))
                    .await;
            let day = |instant: Option<chrono::DateTime<chrono::Utc>>| instant.map(|instant| instant.date_naive());
            assert_eq!(period.date_start, day(overview.billing_period_start_date), "{id} {index}");
            assert_eq!(period.date_end, day(overview.billing_period_end_date), "{id} {index}");
            assert_eq!(contract.date_start, day(overview.contract_effective_date));
            assert_eq!(contract.date_end, day(overview.contract_end_date));
            let closed = period.status == Some(types::BillingPeriodStatus::Closed);
            assert_eq!(closed, index > 0, "{id} {index}");

            let period = period.id.as_deref().unwrap();
            let detail: types::BillingContractPeriodDetail =
                get(&caller, &format!("{CONTRACTS}/{id}/billingperiods/{period}")).await;
            let mut bill = Decimal::ZERO;
            let usages = overview.usages.unwrap();
            for (charge, usage) in detail.charges.iter().zip(&usages) {
                let number = |number: &Option<usage_billing_core::LenientDecimal>| {
                    number.as_ref().and_then(|number| number.value().unwrap()).unwrap_or_default()
                };
                let (used, prepaid) = (number(&usage.usage_quantity), number(&usage.prepay_quantity));
                assert_eq!(charge.actual_quantity.unwrap().0, used, "{id} {period}");
                assert_eq!(charge.product.as_ref().unwrap().sku, usage.part_number);
                // In the ramp period licences cost nothing.
                let is_licence = usage.grouping.as_ref().unwrap().contains("license");
                let is_free = is_licence && overview.in_ramp_period == Some(true);
                let due = |amount: Decimal| if is_free { Decimal::ZERO } else { amount };
                let overage = due(((used - prepaid).max(Decimal::ZERO) * number(&usage.overage_price)).round_dp(2));
                assert_eq!(charge.overage_charge.unwrap().0, overage);
                bill += overage + due(prepaid * number(&usage.prepay_price));
            }
            assert_eq!(detail.charges.len(), usages.len());
            let invoice = format!("INV-{}-{number}", period.trim_start_matches("bp-").replace('-', ""));
            let head = invoices.entities.iter().flatten().find(|head| head.id.as_deref() == Some(&invoice));
            assert_eq!(head.is_some(), closed, "{invoice}");
            let Some(head) = head else { continue };
            assert_eq!((head.amount.unwrap().0, &head.currency_iso_code), (bill, &overview.currency));
            let lines: types::BillingInvoiceItemListing = get(&caller, &format!("{INVOICES}/{invoice}/lines")).await;
            assert_eq!(
                lines.entities.iter().flatten().map(|line| line.amount.unwrap().0).sum::<Decimal>(),
                bill,
                "{invoice}"
            );
        }
    }
}

#[tokio::test]
async fn invoices_are_paged_in_both_directions_and_filtered() {
    let (_sandbox, caller) = start().await;
    let all = ids(&caller, &format!("{INVOICES}?pageSize=200"), "nextUri").await.concat();
    assert_eq!(all.len(), 13 + 4 + 6 + 8 + 1 + 8 + 7 + 8 + 20);
    let forth = ids(&caller, &format!("{INVOICES}?pageSize=5"), "nextUri").await;
    assert_eq!((forth.len(), forth.concat()), (15, all.clone()));
    let back = ids(&caller, &format!("{INVOICES}?pageSize=100&after=MTAw"), "previousUri").await;
    assert_eq!(back, [vec![], all.clone()]);
    let (_, page) = caller.get(&format!("{INVOICES}?paymentStatus=UnPaid&pageSize=1")).await;
    let next = page["nextUri"].as_str().unwrap();
    assert!(next.starts_with("/api/v2/billing/contracts/invoices?paymentStatus=UnPaid&pageSize=1&after="), "{next}");
    let mut paid = ids(&caller, &format!("{INVOICES}?paymentStatus=Paid"), "nextUri").await.concat();
    let unpaid = ids(&caller, &format!("{INVOICES}?paymentStatus=UnPaid"), "nextUri").await.concat();
    let of = |day: &str, customers: &[u32]| -> Vec<String> {
        customers.iter().map(|customer| format!("INV-2026{day}-{customer}")).collect()
    };
    let october = of("1001", &[100_482, 100_951, 100_953, 100_954, 100_961]);
    assert_eq!(unpaid, [of("1015", &[100_913, 100_962]), october.clone()].concat());
    paid.extend(unpaid);
    paid.sort();
    let mut sorted = all;
    sorted.sort();
    assert_eq!(paid, sorted);
    let autumn = ids(&caller, &format!("{INVOICES}?dateStart=2026-10-01&dateEnd=2026-11-01"), "nextUri").await.concat();
    let september = of("0901", &[100_482, 100_951, 100_954, 100_960, 100_961]);
    assert_eq!(autumn, [october, of("0915", &[100_913, 100_962]), september].concat());
    let lines = ids(&caller, &format!("{INVOICES}/INV-20261001-100482/lines?pageSize=2"), "nextUri").await;
    assert!(lines.len() > 1 && lines.concat().iter().zip(1..).all(|(id, number)| *id == number.to_string()));
}

#[tokio::test]
async fn invoice_document_needs_no_token() {
    let (sandbox, caller) = start().await;
    let (_, response) = caller.get(&format!("{INVOICES}/INV-20261001-100482/document")).await;
    let url = response["url"].as_str().unwrap();
    assert!(url.starts_with(sandbox.url()), "{url}");
    let response = http().get(url).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/pdf".parse().unwrap())
    );
    let file = response.text().await.unwrap();
    assert!(file.starts_with("%PDF-1.4\n") && file.ends_with("%%EOF\n"));
    let amount = get::<types::BillingInvoiceListing>(&caller, INVOICES).await.entities.unwrap()[2].amount.unwrap();
    assert!(file.contains(&format!("(Total: {} EUR)", amount.0)), "{file}");

    let (bare, _) = url.split_once('?').unwrap();
    for url in [bare.to_owned(), url.replace("20261001", "20260901")] {
        let response = http().get(url).send().await.unwrap();
        assert_eq!(response.status(), 403);
        let error: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(error["code"], "not.authorized");
    }
}

#[tokio::test]
async fn closed_month_is_invoiced() {
    let (sandbox, caller) = start().await;
    let contract = format!("{CONTRACTS}/CN-0048213");
    let started = caller.get(&contract).await.1["dateStart"].clone();
    assert_eq!(caller.get(&format!("{INVOICES}/INV-20261101-100482/lines")).await.0, 404);
    sandbox.advance(std::time::Duration::from_secs(10 * 86_400));
    let caller = Caller::genesys(&sandbox).await;
    assert_eq!(caller.get(&format!("{INVOICES}/INV-20261101-100482/lines")).await.0, 200);
    let (_, later) = caller.get(&contract).await;
    let periods = later["billingPeriods"].as_array().unwrap();
    assert_eq!((&later["dateStart"], periods.len()), (&started, 15));
    assert_eq!((&periods[13]["status"], &periods[14]["status"]), (&json!("Closed"), &json!("Open")));
    // The history is bounded even at the end of the clock.
    sandbox.advance(std::time::Duration::MAX);
    let caller = Caller::genesys(&sandbox).await;
    let periods = caller.get(&contract).await.1["billingPeriods"].as_array().unwrap().len();
    assert_eq!((periods, caller.get(INVOICES).await.0.as_u16()), (13 + 60 + 1, 200));
}
