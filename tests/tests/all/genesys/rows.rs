//! Bills of client organizations, billable usage and licences as rows.

use rust_decimal::Decimal;
use serde_json::json;
use usage_billing::genesys::overview_rows;
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{Reply, ScriptedServer, now};

use super::{PATIENCE, client_at, keys, last_month, start};

/// Who has left the partner, so that there is no trust any more.
const LEFT: &str = "3c9a7f52-84be-4d16-a0c7-5e1f29d6b803";

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
        let rows = overview_rows(&overview, "org-1", 1, now()).unwrap();
        assert_eq!(rows.len(), overview.usages.len());
        assert!(rows.iter().all(|row| row.is_final
            && row.is_billable != Some(false)
            && row.customer_id.as_ref() == Some(&organization)));
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
            rows[0].period_end - rows[0].period_start,
            overview.billing_period_end_date.unwrap() - rows[0].period_start + chrono::TimeDelta::seconds(1)
        );
        assert_eq!(keys(&rows).len(), rows.len());
        let open = client.client_usage(&organization, 0).await.unwrap();
        assert!(
            open.iter().all(|row| !row.is_final && row.period_start == rows[0].period_end),
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
async fn licences_are_counted_over_all_pages() {
    let (_sandbox, client) = start(Sandbox::builder()).await;
    let holders = client.licence_holders().collect_all().await.unwrap();
    let rows = client.licences().await.unwrap();
    let held: usize = holders.iter().map(|holder| holder.licenses.len()).sum();
    assert_eq!(rows.iter().map(|row| row.quantity).sum::<Decimal>(), Decimal::from(held));
    assert!(!rows.is_empty() && rows.iter().all(|row| row.is_billable == Some(false) && !row.is_final));
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

#[tokio::test]
async fn licences_are_counted_over_all_pages_even_if_nobody_says_how_many_there_are() {
    let server = ScriptedServer::start(|request| {
        match request.target.split(['?', '&']).find_map(|pair| pair.strip_prefix("pageNumber=")) {
            None => Reply::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            Some(number @ ("1" | "2" | "3")) => {
                Reply::json(200, &json!({"entities": [{"id": number, "licenses": ["cloudCX3"]}]}).to_string())
            }
            Some(_) => Reply::json(200, r#"{"entities":[]}"#),
        }
    });
    let rows = client_at(server.url(), "id", "hush-secret").licences().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.quantity).collect::<Vec<_>>(), [Decimal::from(3)]);
}

#[tokio::test]
async fn a_bill_that_does_not_repeat_whose_it_is_is_that_of_the_organization_that_was_asked_about() {
    let overview = json!({
        "organization": {}, "currency": "EUR", "subscriptionType": "PREPAY",
        "billingPeriodStartDate": "2026-10-15T00:00:00Z", "billingPeriodEndDate": "2026-11-14T23:59:59Z",
        "usages": [{"name": "CX 2", "partNumber": "GC-CX2", "grouping": "user-license", "unitOfMeasureType": "seat",
            "usageQuantity": "118", "overagePrice": "132.00", "prepayQuantity": "100"}],
    });
    let server = ScriptedServer::start(move |request| match request.target.as_str() {
        "/oauth/token" => Reply::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        _ => Reply::json(200, &overview.to_string()),
    });
    let client = client_at(server.url(), "id", "hush-secret");
    let mut rows = client.client_usage("o-1", 1).await.unwrap();
    rows.extend(client.client_usage("o-2", 1).await.unwrap());
    let customers: Vec<_> = rows.iter().filter_map(|row| row.customer_id.as_deref()).collect();
    assert_eq!((customers, keys(&rows).len()), (vec!["o-1", "o-2"], 2));
}
