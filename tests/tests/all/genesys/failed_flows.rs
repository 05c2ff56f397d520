//! Failures that occur in practice between the first call and a bill.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::time::Instant;
use usage_billing::genesys::{BillingPeriod, ClientOrganizations};
use usage_billing::{BillingReason, ErrorKind, Period};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{client_at, start};

const ORGANIZATION: &str = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";

fn october() -> Period {
    "2026-10".parse().unwrap()
}

fn overview(organization: &str) -> Value {
    json!({
        "organization": {"id": organization, "name": format!("Org {organization}")}, "currency": "EUR", "subscriptionType": "MONTH_TO_MONTH",
        "billingPeriodStartDate": "2026-10-01T00:00:00Z", "billingPeriodEndDate": "2026-10-31T23:59:59Z",
        "usages": [{"name": "Storage", "partNumber": "GC-ST", "grouping": "storage", "unitOfMeasureType": "GB",
            "usageQuantity": "7", "prepayQuantity": "0", "overagePrice": "0.2"}],
    })
}

/// Starts a server of overviews and billable usage. Its first response is `first`, apart from the token.
fn server_with_first_response(first: ScriptedResponse) -> ScriptedServer {
    let count = AtomicUsize::new(0);
    ScriptedServer::start(move |request| match request.target.split('?').next().unwrap_or_default() {
        "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        _ if count.fetch_add(1, SeqCst) == 0 => first.clone(),
        path if path.ends_with("/billableusage") => {
            ScriptedResponse::json(200, r#"{"status":"Complete","usages":[{"name":"CX 3","totalUsage":"2"}]}"#)
        }
        path => ScriptedResponse::json(200, &overview(path.rsplit('/').next().unwrap_or_default()).to_string()),
    })
}

#[tokio::test(start_paused = true)]
async fn status_429_without_retry_after_waits_for_the_vendors_header() {
    let limit = || ScriptedResponse::new(429, &[("inin-ratelimit-reset", "9")], r#"{"code":"too.many.requests"}"#);
    let server = server_with_first_response(limit());
    let start = Instant::now();
    let bill = client_at(server.url(), "id", "hush-secret").client_bill(ORGANIZATION, october()).await.unwrap();
    assert_eq!((bill.lines.len(), start.elapsed().as_secs()), (1, 9));
    let server = server_with_first_response(limit());
    let start = Instant::now();
    let rows = client_at(server.url(), "id", "hush-secret").usage(october(), Duration::MAX).await.unwrap();
    assert_eq!((rows.len(), start.elapsed().as_secs()), (1, 9));
}

#[tokio::test(start_paused = true)]
async fn single_500_is_retried_for_overview_and_first_poll() {
    let server = server_with_first_response(ScriptedResponse::json(500, r#"{"message":"internal"}"#));
    let bill = client_at(server.url(), "id", "hush-secret").client_bill(ORGANIZATION, october()).await.unwrap();
    assert_eq!(bill.organization.id, ORGANIZATION);
    let server = server_with_first_response(ScriptedResponse::json(500, r#"{"message":"internal"}"#));
    assert_eq!(client_at(server.url(), "id", "hush-secret").usage(october(), Duration::MAX).await.unwrap().len(), 1);
}

/// Five organizations on three pages: the overview of one names another, one always fails, one does not trust the partner.
#[tokio::test(start_paused = true)]
async fn failing_organization_stops_no_other_over_several_pages() {
    let server = ScriptedServer::start(|request| {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let page = query.split('&').find_map(|pair| pair.strip_prefix("pageNumber=")).unwrap_or_default();
        let organizations = |ids: &[&str]| ids.iter().map(|id| json!({"id": id, "enabled": true})).collect::<Vec<_>>();
        match (path, page) {
            ("/oauth/token", _) => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            ("/api/v2/orgauthorization/trustors", page) => {
                let ids: &[&str] = match page {
                    "1" => &["o-1", "o-2"],
                    "2" => &["o-3", "o-4"],
                    _ => &["o-5"],
                };
                ScriptedResponse::json(
                    200,
                    &json!({"entities": organizations(ids), "pageCount": 3, "total": 5}).to_string(),
                )
            }
            (path, _) if path.ends_with("/o-2") => ScriptedResponse::json(200, &overview("o-1").to_string()),
            (path, _) if path.ends_with("/o-3") => ScriptedResponse::json(500, r#"{"message":"internal"}"#),
            (path, _) if path.ends_with("/o-4") => ScriptedResponse::json(404, r#"{"message":"no trust"}"#),
            (path, _) => {
                ScriptedResponse::json(200, &overview(path.rsplit('/').next().unwrap_or_default()).to_string())
            }
        }
    });
    let client = client_at(server.url(), "id", "hush-secret");
    let bills = client.client_bills(october(), ClientOrganizations::All).await.unwrap();
    let outcomes: Vec<_> =
        bills.outcomes.iter().map(|of| (of.organization_id.as_deref().unwrap(), of.bill.is_ok())).collect();
    assert_eq!(outcomes, [("o-1", true), ("o-2", false), ("o-3", false), ("o-4", false), ("o-5", true)]);
    let customers: Vec<_> = bills.rows().into_iter().filter_map(|row| row.customer_name).collect();
    assert_eq!(customers, ["Org o-1", "Org o-5"]);
    let errors: Vec<_> = bills.errors().map(ToString::to_string).collect();
    assert!(errors[0].contains("requested the bill of organization o-2, Genesys returned that of o-1"), "{errors:?}");
    assert!(errors[1].contains("500") && errors[2].contains("404"), "{errors:?}");
}

#[tokio::test(start_paused = true)]
async fn contract_charges_are_rows_beside_those_of_the_bills() {
    let (_sandbox, client) = start(Sandbox::builder()).await;
    let charges = client.contract_charges(october()).await.unwrap();
    let account = client.organization().await.unwrap();
    let bill = client.client_bill(demo::GENESYS_TRUSTOR_ORG_ID, october()).await.unwrap();
    let mut of_bill = bill.rows(&account);
    let found = charges.rows(&account, &mut of_bill, now());
    assert!(found.errors.is_empty() && charges.errors.is_empty());
    assert_eq!(found.rows.len(), charges.charges.len());
    assert_eq!(super::keys(&found.rows).len(), found.rows.len());
    let without_bills = charges.rows(&account, &mut [], now()).rows;
    assert!(
        without_bills.iter().all(|row| row.is_billable.is_none()),
        "without bills it is unknown whether they count"
    );
    let (mut compared, mut charged) = (0, 0);
    let wallets: Vec<_> = charges.charges.iter().filter(|charge| charge.is_wallet).map(|of| &of.part_number).collect();
    let is_of_wallet = |row: &usage_billing::UsageRow| wallets.contains(&&row.sku);
    assert!(found.rows.iter().any(&is_of_wallet));
    assert!(
        found.rows.iter().filter(|row| is_of_wallet(row)).all(|row| row.is_billable.is_none() && row.cost.is_some())
    );
    let of_trustor = |row: &&usage_billing::UsageRow| {
        row.customer_id.as_deref() == Some(demo::GENESYS_TRUSTOR_ORG_ID) && !is_of_wallet(row)
    };
    for row in found.rows.iter().filter(of_trustor) {
        // Bundles are unknown in the bill: the contract's charge counts.
        let is_outranked = |of_bill: &&usage_billing::UsageRow| {
            of_bill.sku == row.sku && of_bill.billing_reason == BillingReason::NotABillingBasis
        };
        let counts = of_bill.iter().any(|of_bill| is_outranked(&of_bill));
        let reason = if counts { BillingReason::Usage } else { BillingReason::NotABillingBasis };
        assert!(row.is_final && row.billing_reason == reason, "{row:?}");
        charged += usize::from(counts);
        assert_eq!(row.source_operation, "getBillingContractBillingperiod");
        assert!(row.customer_name.is_some(), "{row:?}");
        match row.amount {
            // The vendor rounds to cents.
            Some(amount) => {
                let ours = amount - row.prepaid_amount.unwrap_or_default();
                assert!((ours - row.cost.unwrap()).abs() < Decimal::new(1, 2), "{row:?}");
            }
            // Only a bill states the amount of what is prepaid.
            None => assert!(!counts && row.prepaid_quantity.is_some_and(|quantity| !quantity.is_zero()), "{row:?}"),
        }
        let same = |of_bill: &&usage_billing::UsageRow| {
            (&of_bill.customer_id, &of_bill.sku) == (&row.customer_id, &row.sku) && of_bill.overage_quantity.is_some()
        };
        for of_bill in of_bill.iter().filter(same) {
            assert_eq!((of_bill.overage_quantity, of_bill.quantity), (row.overage_quantity, row.quantity));
            compared += 1;
        }
    }
    assert!(compared >= 2 && charged == 1, "{compared} {charged}");
    // While a billing period runs its charges are not a bill.
    let running = client.contract_charges(BillingPeriod::StartingIn("2026-11".parse().unwrap())).await.unwrap();
    let rows = running.rows(&account, &mut [], now()).rows;
    assert!(!rows.is_empty());
    assert!(rows.iter().all(|row| !row.is_final && row.billing_reason == BillingReason::NotAWholePeriod));
    let last = client.contract_charges(BillingPeriod::LastFinished { at: now() }).await.unwrap();
    assert!(last.charges.len() >= charges.charges.len(), "also charges of contracts whose months begin on other days");
    assert!(last.charges.iter().all(|charge| charge.period.has_ended(now())));
}

/// Starts a server of contracts, each with the closed billing period `bp-1` of October. `respond` returns other responses by path, without the
/// prefix of contracts.
fn contracts_server(
    list: Value,
    respond: impl Fn(&str) -> Option<ScriptedResponse> + Send + Sync + 'static,
) -> ScriptedServer {
    ScriptedServer::start(move |request| {
        let path = request.target.split('?').next().unwrap_or_default();
        let path = path.trim_start_matches("/api/v2/billing/contracts");
        let period = json!({"id": "bp-1", "dateStart": "2026-10-01", "dateEnd": "2026-10-31", "status": "Closed"});
        respond(path).unwrap_or_else(|| match path {
            "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            "" => ScriptedResponse::json(200, &json!({"entities": list}).to_string()),
            _ => ScriptedResponse::json(200, &json!({"id": "c", "billingPeriods": [period]}).to_string()),
        })
    })
}

#[tokio::test]
async fn unreadable_contract_hides_no_other_contract() {
    let list = json!([{"id": "c-1"}, {"name": "without id"}, {"id": "c-2"}, {"id": "c-3"}]);
    let server = contracts_server(list, |path| {
        Some(match path {
            "/c-1" => ScriptedResponse::json(403, r#"{"message":"not yours"}"#),
            "/c-2/billingperiods/bp-1" => ScriptedResponse::json(400, r#"{"message":"not now"}"#),
            "/c-3/billingperiods/bp-1" => {
                let charge = json!({"product": {"sku": "GC-ST", "name": "Storage"}, "organizations": [{"id": "o-1"}],
                    "actualQuantity": 7, "prepaidQuantity": 0, "fairuseQuantity": 0, "overageQuantity": 7, "overageRate": 0.2,
                    "overageCharge": 1.4, "overageCurrency": "EUR"});
                let unknown = json!({"product": {"sku": "GC-X"}, "overageQuantity": 7});
                ScriptedResponse::json(
                    200,
                    &json!({"id": "bp-1", "status": "Closed", "charges": [charge, unknown]}).to_string(),
                )
            }
            _ => return None,
        })
    });
    let client = client_at(server.url(), "id", "hush-secret");
    let charges = client.contract_charges(october()).await.unwrap();
    let kinds: Vec<_> = charges.errors.iter().map(usage_billing::Error::kind).collect();
    assert_eq!(kinds, [ErrorKind::Permission, ErrorKind::Decode, ErrorKind::Api], "{:?}", charges.errors);
    let rows = charges.rows(&client.organization().await.unwrap(), &mut [], now());
    assert_eq!((rows.rows.len(), rows.errors.len()), (1, 1));
    assert_eq!((rows.rows[0].amount, rows.rows[0].cost), (Some(Decimal::new(14, 1)), Some(Decimal::new(14, 1))));
    assert!(rows.errors[0].message().contains("charge 2 of contract c-3 has no actualQuantity"), "{:?}", rows.errors);
}

#[tokio::test]
async fn unreadable_contract_concerns_the_months_of_its_dates_alone() {
    let list = json!([
        {"id": "c-1", "dateStart": "2026-01-01", "dateEnd": "2026-08-31"},
        {"id": "c-2", "dateStart": "2026-09-30"},
        {"id": "c-3"},
        {"id": "c-4", "dateEnd": "2026-09-01"},
        {"id": "c-5", "dateStart": "2026-09-01", "dateEnd": "2026-08-01"},
        {"dateStart": "2026-10-31"},
    ]);
    let server = contracts_server(list, |path| {
        (path.len() == "/c-1".len()).then(|| ScriptedResponse::json(403, &json!({"message": path}).to_string()))
    });
    let months = ["2026-08", "2026-09", "2026-10"].map(|month| BillingPeriod::StartingIn(month.parse().unwrap()));
    let client = client_at(server.url(), "id", "hush-secret");
    let charges = client.contract_charges_by_period(&months, super::NO_LIMIT).await.unwrap();
    let unread: Vec<_> =
        charges.iter().map(|of| of.errors.iter().map(ToString::to_string).collect::<String>()).collect();
    let of = |number: usize| -> Vec<_> {
        let errors = &unread[number];
        ["/c-1", "/c-2", "/c-3", "/c-4", "/c-5", "no id"].into_iter().filter(|name| errors.contains(name)).collect()
    };
    assert_eq!(of(0), ["/c-1", "/c-3", "/c-4", "/c-5"]);
    assert_eq!(of(1), ["/c-2", "/c-3", "/c-4", "/c-5"]);
    assert_eq!(of(2), ["/c-2", "/c-3", "/c-5", "no id"]);
}

#[tokio::test]
async fn contract_on_two_pages_is_billed_once() {
    let id = "5f2b8c1e-0d47-4a39-9e6f-c81d7b3a2054";
    let charge = |sku: &str, organization: &str| {
        json!({"id": "bp-1", "status": "Closed", "charges": [{"product": {"sku": sku}, "organizations": [{"id": organization}],
            "actualQuantity": 7, "overageQuantity": 7, "overageCharge": 1.4, "overageCurrency": "EUR"}]})
    };
    let server = ScriptedServer::start(move |request| {
        let (path, query) = request.target.split_once('?').unwrap_or((request.target.as_str(), ""));
        let period = json!({"id": "bp-1", "dateStart": "2026-10-01", "dateEnd": "2026-10-31", "status": "Closed"});
        let body = match path.trim_start_matches("/api/v2/billing/contracts") {
            "/oauth/token" => json!({"access_token": "t", "expires_in": 3600}),
            "" if query.contains("after=") => {
                json!({"entities": [{"id": id.to_uppercase()}, {"id": "c-1"}, {"id": "C-1"}]})
            }
            "" => json!({"entities": [{"id": "c-1"}, {"id": id}], "nextUri": "/api/v2/billing/contracts?after=abc"}),
            path if path.ends_with("/bp-1") => charge("GC-ST", "partner"),
            _ => json!({"id": "c", "billingPeriods": [period]}),
        };
        ScriptedResponse::json(200, &body.to_string())
    });
    let found = client_at(server.url(), "id", "hush-secret").contract_charges(october()).await.unwrap();
    let contracts: Vec<_> = found.charges.iter().map(|charge| charge.contract.as_str()).collect();
    assert_eq!(contracts, ["c-1", id, "C-1"], "{:?}", found.errors);
}

#[tokio::test]
async fn hanging_contract_hides_no_other_contract() {
    let server = contracts_server(json!([{"id": "c-1"}, {"id": "c-2"}, {"id": "c-3"}]), |path| {
        Some(match path {
            "/c-1" => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
                ScriptedResponse::trickled(head, " ", Duration::from_millis(20))
            }
            "/c-2/billingperiods/bp-1" | "/c-3/billingperiods/bp-1" => ScriptedResponse::json(
                200,
                r#"{"id":"bp-1","status":"Closed","charges":[{"product":{"sku":"GC-ST"}}]}"#,
            ),
            _ => return None,
        })
    });
    let client = client_at(server.url(), "id", "hush-secret");
    let charges = client.contract_charges_within(october(), Duration::from_secs(2)).await.unwrap();
    let contracts: Vec<_> = charges.charges.iter().map(|charge| charge.contract.as_str()).collect();
    assert_eq!(contracts, ["c-2", "c-3"]);
    let errors: Vec<_> = charges.errors.iter().map(|error| (error.kind(), error.message())).collect();
    assert_eq!(errors, [(ErrorKind::WaitTimeout, "the charges of contract c-1 were not read within 2 s")]);
}
