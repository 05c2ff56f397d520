//! Bills of client organizations, compared with the sandbox's ground truth and with scripted responses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use usage_billing::chrono::{self, DateTime, Utc};
use usage_billing::genesys::{BillingPeriod, ClientBill, ClientOrganizations, ContractCharge, NoBill, SeeInvoice};
use usage_billing::{ErrorKind, Period, UsageRow};
use usage_billing_sandbox::{self as demo, Bill, Sandbox, Size};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, check_property, dataset_seed, now, untimed};

use super::{client_at, keys};

/// An organization that no longer trusts the partner.
const UNTRUSTING: &str = "3c9a7f52-84be-4d16-a0c7-5e1f29d6b803";

/// Clients with a contract that ended before last month, with one that was renewed at its begin, and with an activation day that moved.
const ENDED: &str = "Last Call, Inc.";
const RENEWED: &str = "Second Term AG";
const MOVED: &str = "New Leaf, Ltd.";

fn october() -> Period {
    "2026-10".parse().unwrap()
}

async fn sandbox(seed: u64, organizations: u32) -> Sandbox {
    let size = Size::default().organizations(organizations);
    let builder = Sandbox::builder().today(now().date_naive()).seed(seed).size(size);
    builder.start().await.expect("a free port")
}

fn client(sandbox: &Sandbox) -> usage_billing::genesys::Client {
    client_at(sandbox.url(), demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET)
}

/// Customer, part number and start of the billing period.
type Charged = (String, String, DateTime<Utc>);

/// Returns the overage and amount that customers owe for the billing periods that begin on the same days as those of the rows.
fn truth(sandbox: &Sandbox, rows: &[UsageRow]) -> BTreeMap<Charged, (Decimal, Decimal)> {
    let starts: BTreeSet<_> = rows.iter().map(|row| row.period_start).collect();
    let expected = starts.into_iter().flat_map(|start| {
        let due = sandbox.expected_usage(&Bill::GenesysClients, start..start + chrono::TimeDelta::days(1));
        due.into_iter().map(move |due| (start, due))
    });
    expected
        .map(|(start, due)| ((due.customer_id.unwrap(), due.sku, start), (due.quantity, due.amount.unwrap())))
        .collect()
}

/// Sums the rows alone, as a program that aggregates a dataset does.
#[test]
fn sum_of_billable_rows_matches_the_ground_truth() {
    check_property(file!(), 7, [(0, 3)], (dataset_seed(), 3..41_u32), async |(seed, organizations)| {
        let sandbox = sandbox(seed, organizations).await;
        let client = client(&sandbox);
        let last = BillingPeriod::LastFinished { at: now() };
        let bills = client.client_bills(last, ClientOrganizations::All).await.unwrap();
        assert_eq!(bills.errors().count(), 0);
        let mut rows = bills.rows();
        let truth = truth(&sandbox, &rows);
        // The vendor's own charges repeat the same usage.
        let contracts = client.contract_charges(last).await.unwrap().rows(&bills.account, &mut rows, now());
        assert!(contracts.errors.is_empty() && contracts.rows.len() >= 4);
        // In the ramp period, only the contract states what other usage than that of licences costs.
        let is_of_ramp = |row: &&UsageRow| row.customer_name.as_deref() == Some("Neubau GmbH");
        let of_ramp: Vec<_> = contracts.rows.iter().filter(is_of_ramp).map(|row| row.is_billable).collect();
        assert!(of_ramp.contains(&Some(true)) && of_ramp.contains(&Some(false)), "{of_ramp:?}");
        rows.extend(contracts.rows);
        rows.extend(client.usage(october(), super::NO_LIMIT).await.unwrap());
        assert_eq!(keys(&rows).len(), rows.len());

        let mut billable: BTreeMap<Charged, Vec<&UsageRow>> = BTreeMap::new();
        let mut unknown: BTreeSet<Charged> = BTreeSet::new();
        for row in rows.iter().filter(|row| row.is_billable != Some(false)) {
            let key = (row.customer_id.clone().unwrap_or_default(), row.sku.clone(), row.period_start);
            match row.is_billable {
                Some(_) => billable.entry(key).or_default().push(row),
                None => drop(unknown.insert(key)),
            }
        }
        let (mut sum, mut due, mut known) = (Decimal::ZERO, Decimal::ZERO, 0);
        for (key, rows) in &billable {
            let [row] = rows.as_slice() else { panic!("{key:?} is counted {} times", rows.len()) };
            let (overage, amount) = truth.get(key).unwrap_or_else(|| panic!("{key:?} is not due"));
            assert_eq!(row.overage_quantity, Some(*overage), "{key:?}");
            if let Some(ours) = row.amount {
                // The sandbox's invoices are in cents.
                assert_eq!(ours.round_dp(2), *amount, "{key:?}");
                (sum, due, known) = (sum + ours.round_dp(2), due + *amount, known + 1);
            }
        }
        assert_eq!(sum, due);
        for (key, (overage, amount)) in &truth {
            let is_nothing = amount.is_zero();
            let is_stated = billable.contains_key(key) || unknown.contains(key);
            assert!(is_stated || is_nothing, "{key:?}: {overage} for {amount} are in no row");
        }
        let share = known * 100 / truth.len();
        assert!(share >= 40, "the amounts of {known} of {} charges are known", truth.len());
    });
}

/// The months in which contracts end, are renewed, and have two billing periods: bills and contracts together bill each of them once.
#[tokio::test(start_paused = true)]
async fn ended_renewed_and_moved_contracts_are_billed_once() {
    for seed in [0, 7, u64::MAX] {
        let sandbox = sandbox(seed, 3).await;
        let client = client(&sandbox);
        let mut billed: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for (period, ambiguous) in [
            ("2025-09", true),
            ("2025-09-01/2025-09-15", false),
            ("2025-09-15/2025-10-15", false),
            ("2026-09", false),
            ("2026-10", false),
        ] {
            let period: Period = period.parse().unwrap();
            let is_month = period == Period::month_of(period.start().date_naive());
            let wanted = if is_month { BillingPeriod::StartingIn(period) } else { period.into() };
            let bills = client.client_bills(wanted, ClientOrganizations::All).await.unwrap();
            let charges = client.contract_charges(wanted).await.unwrap();
            let errors: Vec<_> = bills.errors().chain(&charges.errors).map(ToString::to_string).collect();
            if is_month {
                let text =
                    "more than one billing period that begins within 2025-09-01/2025-10-01, 2025-09-01/2025-09-15 and";
                let is_named = errors.iter().all(|error| error.contains(text));
                assert_eq!(
                    (errors.len(), is_named),
                    (if ambiguous { 2 } else { 0 }, true),
                    "{seed} {period} {errors:?}"
                );
            }
            let mut rows = bills.rows();
            let truth = truth(&sandbox, &rows);
            let contracts = charges.rows(&bills.account, &mut rows, now());
            let special = [ENDED, RENEWED, MOVED];
            let name_of = |row: &UsageRow| special.into_iter().find(|name| row.customer_name.as_deref() == Some(name));
            let billable = rows.iter().chain(&contracts.rows).filter(|row| row.is_billable == Some(true));
            for (name, row) in billable.filter_map(|row| Some((name_of(row)?, row))) {
                let key = (row.customer_id.clone().unwrap(), row.sku.clone(), row.period_start);
                let (overage, _) = truth.get(&key).unwrap_or_else(|| panic!("{seed} {key:?} is not due"));
                assert_eq!(row.overage_quantity, Some(*overage), "{seed} {key:?}");
                *billed.entry((name, row.period_start.date_naive().to_string())).or_default() += 1;
            }
        }
        // Seats and minutes, each billed once.
        let expected = [
            (ENDED, "2026-09-01"),
            (MOVED, "2025-09-01"),
            (MOVED, "2025-09-15"),
            (MOVED, "2026-09-15"),
            (MOVED, "2026-10-15"),
            (RENEWED, "2026-09-01"),
            (RENEWED, "2026-10-01"),
        ];
        let expected: BTreeMap<_, _> = expected.map(|(name, start)| ((name, start.to_owned()), 2)).into();
        assert_eq!(billed, expected, "{seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_client_has_an_outcome_despite_failures_of_others() {
    let sandbox = sandbox(0, 3).await;
    let client = client(&sandbox);
    let ids =
        [demo::GENESYS_TRUSTOR_ORG_ID, UNTRUSTING, demo::GENESYS_YOUNG_TRUSTOR_ORG_ID, demo::GENESYS_TRUSTOR_ORG_ID];
    let organizations = ClientOrganizations::Ids(ids.map(str::to_owned).to_vec());
    let bills = client.client_bills(october(), organizations).await.unwrap();
    let outcomes: Vec<_> =
        bills.outcomes.iter().map(|of| (of.organization_id.as_deref().unwrap(), of.bill.is_ok())).collect();
    assert_eq!(outcomes, [(ids[0], true), (UNTRUSTING, false), (ids[2], false)], "each once");
    let errors: Vec<_> = bills.errors().map(ToString::to_string).collect();
    assert!(errors[0].contains(&format!("-> check that {UNTRUSTING} trusts this organization")), "{errors:?}");
    let nearest = "nearest are 2026-10-15/2026-11-15 and 2026-09-15/2026-10-15";
    assert!(errors[1].contains(ids[2]) && errors[1].contains(nearest), "its month begins on the 15th: {errors:?}");
    let rows = bills.rows();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.is_final && row.customer_id.as_deref() == Some(ids[0])));
    assert_eq!((rows[0].account_id.as_str(), keys(&rows).len()), ("org-1", rows.len()));

    let young = client.client_bill(ids[2], "2026-10-15/2026-11-15".parse::<Period>().unwrap()).await.unwrap();
    assert_eq!(young.rows(&bills.account)[0].customer_name, young.organization.name);
    let all = client.client_bills(october(), ClientOrganizations::All).await.unwrap();
    assert_eq!(all.outcomes.len(), 14);
    assert!(all.outcomes.iter().all(|of| of.organization_name.is_some()), "also of those without a bill");
}

/// The index of one organization has not moved: its last finished billing period, from the 19th of October, is still at index 0.
#[tokio::test(start_paused = true)]
async fn late_rotation_changes_no_bill() {
    let sandbox = sandbox(0, 3).await;
    let bills = |client: usage_billing::genesys::Client, now| async move {
        let last = BillingPeriod::LastFinished { at: now };
        let outcomes = client.client_bills(last, ClientOrganizations::All).await.unwrap().outcomes;
        let without: Vec<_> =
            outcomes.iter().filter_map(|of| Some((of.organization_name.as_deref()?, of.no_bill?))).collect();
        assert_eq!(without, [(ENDED, NoBill::OutsideContract)], "its last month is not billed again");
        let (late, others): (Vec<_>, Vec<_>) = outcomes
            .into_iter()
            .filter(|outcome| outcome.no_bill.is_none())
            .map(|outcome| outcome.bill.unwrap())
            .partition(|bill| bill.organization.name.as_deref() == Some("Slow Turn, Ltd."));
        assert!(others.iter().all(|bill| bill.is_final && bill.period.has_ended(now)));
        let [late] = <[ClientBill; 1]>::try_from(late).unwrap();
        late
    };
    let late = bills(client(&sandbox), now()).await;
    let period: Period = "2026-10-19/2026-11-19".parse().unwrap();
    assert_eq!((late.period, late.is_final), (period, false));
    let account = usage_billing::genesys::Organization::new("org-1", None);
    let keys = |bill: &ClientBill| super::keys(&bill.rows(&account));
    let client = client(&sandbox);
    let before = client.client_bill(&late.organization.id, "2026-09-19/2026-10-19".parse::<Period>().unwrap());
    assert!(before.await.unwrap().is_final, "at index 1");
    let running = BillingPeriod::StartingIn("2026-11".parse().unwrap());
    let running = client.client_bills(running, ClientOrganizations::All).await.unwrap();
    let without: Vec<_> =
        running.outcomes.iter().filter_map(|of| Some((of.organization_name.as_deref()?, of.no_bill?))).collect();
    let expected = vec![("Slow Turn, Ltd.", NoBill::NotShownYet), (ENDED, NoBill::OutsideContract)];
    assert_eq!((without, running.errors().count()), (expected, 0));

    sandbox.advance(std::time::Duration::from_secs(12 * 86_400));
    let later = now() + chrono::TimeDelta::days(12);
    let moved = bills(client.with_now(later), later).await;
    assert_eq!((moved.period, moved.is_final), (period, true));
    assert_eq!(keys(&moved), keys(&late), "the final rows replace the others");
}

/// The months of a year in one pass have the rows and outcomes of single months, with a fraction of the requests.
#[tokio::test(start_paused = true)]
async fn year_of_bills_requests_each_overview_and_contract_once() {
    const OPERATIONS: [&str; 5] = [
        "getOrgauthorizationTrustors",
        "getBillingTrusteebillingoverviewTrustorOrgId",
        "getBillingContracts",
        "getBillingContract",
        "getBillingContractBillingperiod",
    ];
    let calls = |sandbox: &Sandbox| OPERATIONS.map(|operation| super::calls(sandbox, operation));
    let year: Period = "2025-11-01/2026-11-01".parse().unwrap();
    let months = BillingPeriod::within(year, now());
    assert_eq!(months.len(), 12);
    let outcomes = |bills: &usage_billing::genesys::ClientBills| -> Vec<_> {
        let outcomes = bills.outcomes.iter();
        outcomes
            .map(|of| (of.organization_id.clone(), of.no_bill, of.bill.as_ref().err().map(ToString::to_string)))
            .collect()
    };
    let (mut single, mut before) = (Vec::new(), [0; 5]);
    for month in &months {
        // The log of a sandbox is bounded.
        let sandbox = sandbox(0, 3).await;
        let client = client(&sandbox);
        let bills = client.client_bills(*month, ClientOrganizations::All).await.unwrap();
        let charges = client.contract_charges(*month).await.unwrap();
        single.push((outcomes(&bills), bills.rows(), charges.charges, charges.errors.len()));
        before.iter_mut().zip(calls(&sandbox)).for_each(|(sum, of_month)| *sum += of_month);
    }
    let sandbox = sandbox(0, 3).await;
    let client = client(&sandbox);
    let bills = client.client_bills_by_period(&months, ClientOrganizations::All, super::NO_LIMIT).await.unwrap();
    let charges = client.contract_charges_by_period(&months, super::NO_LIMIT).await.unwrap();
    let together: Vec<_> = bills
        .iter()
        .zip(charges)
        .map(|(bills, charges)| (outcomes(bills), bills.rows(), charges.charges, charges.errors.len()))
        .collect();
    for (number, (single, together)) in single.iter().zip(&together).enumerate() {
        assert_eq!(single, together, "month {number}");
    }
    assert_eq!(single.len(), together.len());
    let after = calls(&sandbox);
    println!("requests: {before:?} by month, {after:?} in one pass");
    assert_eq!((after[0], after[2], after[3]), (3, 1, 10), "{after:?}");
    assert!(after[1] * 4 < before[1] && after[4] == before[4], "{after:?} of {before:?}");
    assert!(client.client_bills_by_period(&[], ClientOrganizations::All, super::NO_LIMIT).await.unwrap().is_empty());
    assert!(client.contract_charges_by_period(&[], super::NO_LIMIT).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn organization_added_later_has_no_bill_without_an_error() {
    let sandbox = sandbox(0, 3).await;
    let month = |text: &str| BillingPeriod::StartingIn(text.parse().unwrap());
    let bills = client(&sandbox).client_bills(month("2026-09"), ClientOrganizations::All).await.unwrap();
    assert_eq!((bills.outcomes.len(), bills.errors().count()), (14, 0));
    let without: Vec<_> = bills.outcomes.iter().filter(|of| of.no_bill == Some(NoBill::OutsideContract)).collect();
    let names: Vec<_> = without.iter().map(|of| of.organization_name.as_deref()).collect();
    assert_eq!(names, [Some("Neubau GmbH")]);
    let error = without[0].bill.as_ref().unwrap_err();
    assert!(error.to_string().contains("it has no billing period that begins within 2026-09-01/2026-10-01"), "{error}");
    let rows = bills.rows();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.customer_id != without[0].organization_id));
}

/// The contract began before the period: the vendor has a billing period that it does not show.
#[tokio::test]
async fn billing_period_that_the_vendor_does_not_show_is_an_error() {
    for (start, is_outside) in [("2026-11-01T00:00:00Z", true), ("2025-03-01T00:00:00Z", false), ("", false)] {
        let mut shown = overview(json!({"id": "o-1"}), "2026-11", "30");
        shown["contractEffectiveDate"] = if start.is_empty() { Value::Null } else { json!(start) };
        let pages = vec![json!({"entities": [{"id": "o-1"}], "pageCount": 1, "total": 1})];
        let server = overview_server(pages, move |_, index| (index == 0).then(|| shown.clone()));
        let client = client_at(server.url(), "id", "hush-secret");
        let bills = client.client_bills(BillingPeriod::StartingIn(october()), ClientOrganizations::All).await.unwrap();
        assert_eq!((bills.outcomes.len(), bills.outcomes[0].no_bill.is_some()), (1, is_outside), "{start}");
        assert_eq!((bills.errors().count(), bills.rows().len()), (usize::from(!is_outside), 0), "{start}");
    }
}

/// How the vendor rejects an index that does not exist is not documented. Once a bill was found, any such rejection ends the search for a second one.
#[tokio::test]
async fn rejected_index_ends_the_search_only_after_a_bill_was_found() {
    let bill = |start: &'static str, status: u16| async move {
        let mut shown = overview(json!({"id": "o-1"}), "2026-11", "30");
        shown["billingPeriodStartDate"] = json!(start);
        let server = ScriptedServer::start(move |request| match request.target.as_str() {
            "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            target if target.contains("billingPeriodIndex=0") => ScriptedResponse::json(200, &shown.to_string()),
            _ => ScriptedResponse::json(status, r#"{"message":"no","code":"no","status":400}"#),
        });
        let client = client_at(server.url(), "id", "hush-secret");
        client.client_bill("o-1", BillingPeriod::StartingIn(october())).await
    };
    for (status, is_end) in
        [(404, true), (400, true), (403, true), (410, true), (422, true), (409, false), (405, false)]
    {
        // Another billing period may begin earlier in October.
        let found = bill("2026-10-31T00:00:00Z", status).await;
        assert_eq!(found.is_ok(), is_end, "{status}: {found:?}");
        // No bill was found: only 404 states that there is none.
        let missing = bill("2026-11-01T00:00:00Z", status).await.unwrap_err();
        let is_searched = missing.message().contains("it has no earlier billing period");
        assert_eq!((is_searched, missing.status().is_none()), (status == 404, status == 404), "{status}: {missing}");
    }
}

#[tokio::test(start_paused = true)]
async fn account_of_rows_is_the_organization() {
    let sandbox = sandbox(0, 3).await;
    let credentials = usage_billing::Credentials::new(demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET);
    let builder = usage_billing::genesys::Client::builder(&sandbox.url().parse().unwrap(), credentials);
    let client = untimed(builder).rate_limit(None).build().unwrap().with_now(now());
    let organization = client.organization().await.unwrap();
    assert_eq!(organization.name.as_deref(), Some("Northwind Cloud Services"));
    for _ in 0..2 {
        let mut rows = client.licences().await.unwrap();
        rows.extend(client.api_usage(october(), super::NO_LIMIT).await.unwrap());
        rows.extend(client.usage(october(), super::NO_LIMIT).await.unwrap());
        assert!(rows.iter().all(|row| row.account_id == organization.id && row.account_name == organization.name));
    }
    assert_eq!(super::calls(&sandbox, "getOrganizationsMe"), 1, "requested once");
    let limited = client_at(sandbox.url(), demo::GENESYS_LIMITED_CLIENT_ID, demo::GENESYS_LIMITED_CLIENT_SECRET);
    let error = limited.client_bills(october(), ClientOrganizations::All).await.unwrap_err();
    assert_eq!(error.hint(), Some("the credential needs the permission authorization:orgTrustor:view"));
}

#[tokio::test(start_paused = true)]
async fn contract_charges_agree_with_computed_amounts() {
    let sandbox = sandbox(0, 3).await;
    let client = client(&sandbox);
    let found = client.contract_charges(october()).await.unwrap();
    assert!(found.errors.is_empty());
    let (wallets, charges): (Vec<_>, Vec<_>) = found.charges.into_iter().partition(|charge| charge.is_wallet);
    assert!(wallets.iter().all(|wallet| wallet.unit.as_deref() == Some("Token")) && !wallets.is_empty());
    assert!(charges.len() >= 4 && charges.iter().all(|charge| charge.has_expected_overage() == Some(true)));
    let ramp = "Neubau GmbH";
    let is_free = |charge: &ContractCharge| {
        charge.organizations[0].name.as_deref() == Some(ramp) && charge.unit.as_deref() == Some("User")
    };
    assert!(
        charges.iter().all(|charge| charge.has_expected_charge() == Some(!is_free(charge))),
        "free in the ramp period"
    );
    let bill = client.client_bill(demo::GENESYS_TRUSTOR_ORG_ID, october()).await.unwrap();
    let differences = bill.compare(&charges);
    assert!(differences.iter().all(|of| of.ours.is_none()), "only what is unknown here: {differences:?}");
    assert!(differences.iter().any(|of| of.part_number == "GC-170-NV-MSG1K"), "bundles: {differences:?}");
}

/// Starts a server with these pages of trustors, and these overviews by organization and index.
fn overview_server(
    pages: Vec<Value>,
    overview: impl Fn(&str, usize) -> Option<Value> + Send + Sync + 'static,
) -> ScriptedServer {
    ScriptedServer::start(move |request| {
        let parameter = |name: &str| {
            let mut pairs = request.target.split(['?', '&']);
            pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).and_then(|number| number.parse().ok())
        };
        let path = request.target.split('?').next().unwrap_or_default();
        if path == "/oauth/token" {
            return ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#);
        }
        if path.ends_with("/trustors") {
            return ScriptedResponse::json(200, &pages[parameter("pageNumber").unwrap_or(1) - 1].to_string());
        }
        let organization = path.rsplit('/').next().unwrap_or_default();
        match overview(organization, parameter("billingPeriodIndex").unwrap_or(0)) {
            Some(overview) => ScriptedResponse::json(200, &overview.to_string()),
            None => ScriptedResponse::json(404, r#"{"message":"not found","code":"not.found","status":404}"#),
        }
    })
}

fn overview(organization: Value, month: &str, last: &str) -> Value {
    json!({
        "organization": organization, "currency": "EUR", "subscriptionType": "MONTH_TO_MONTH",
        "billingPeriodStartDate": format!("{month}-01T00:00:00Z"), "billingPeriodEndDate": format!("{month}-{last}T23:59:59Z"),
        "usages": [{"name": "Storage", "partNumber": "GC-ST", "grouping": "storage", "unitOfMeasureType": "GB",
            "usageQuantity": "7", "prepayQuantity": "0", "overagePrice": "0.2"}],
    })
}

#[tokio::test]
async fn each_listed_organization_has_an_outcome() {
    let page = |entities: Value, next: &str, total: i64| json!({"entities": entities, "nextUri": next, "pageCount": null, "total": total});
    let list = |total| {
        vec![
            page(
                json!([{"id": "o-1", "enabled": true}, {"enabled": true, "organization": {"name": "Nameless"}}]),
                "/x",
                total,
            ),
            page(json!([{"id": "o-2", "enabled": false}, {"organization": {"id": "o-3", "name": "Third"}}]), "", total),
            json!({"entities": []}),
        ]
    };
    let server = overview_server(list(4), |organization, index| match (organization, index) {
        ("o-1", 0) => Some(overview(Value::Null, "2026-11", "30")),
        ("o-1" | "o-2", 1) | ("o-2", 0) => Some(overview(json!({"id": organization}), "2026-10", "31")),
        ("o-3", _) => Some(overview(json!({"id": "o-1"}), "2026-10", "31")),
        _ => None,
    });
    let client = client_at(server.url(), "id", "hush-secret");
    let last = BillingPeriod::LastFinished { at: now() };
    let bills = client.client_bills(last, ClientOrganizations::All).await.unwrap();
    let outcomes: Vec<_> = bills.outcomes.iter().map(|of| (of.organization_id.as_deref(), of.bill.is_ok())).collect();
    assert_eq!(outcomes, [(Some("o-1"), true), (None, false), (Some("o-2"), true), (Some("o-3"), false)]);
    let errors: Vec<_> = bills.errors().map(ToString::to_string).collect();
    assert!(errors[0].contains("entry 2 of the list of client organizations has no id"), "{errors:?}");
    assert!(errors[1].contains("requested the bill of organization o-3, Genesys returned that of o-1"), "{errors:?}");
    let customers: Vec<_> = bills.rows().into_iter().filter_map(|row| row.customer_id).collect();
    assert_eq!(customers, ["o-1", "o-2"]);

    // The third organization stands twice, perhaps in the place of another.
    let mut repeated = list(5);
    let entities = repeated[1]["entities"].as_array_mut().unwrap();
    entities.push(entities[1].clone());
    let server =
        overview_server(repeated, |organization, _| Some(overview(json!({"id": organization}), "2026-10", "31")));
    let client = client_at(server.url(), "id", "hush-secret");
    let bills = client.client_bills(last, ClientOrganizations::All).await.unwrap();
    let outcomes: Vec<_> = bills.outcomes.iter().map(|of| (of.organization_id.as_deref(), of.bill.is_ok())).collect();
    assert_eq!(outcomes, [(Some("o-1"), true), (None, false), (Some("o-2"), true), (Some("o-3"), true), (None, false)]);
    assert!(
        bills.errors().last().unwrap().message().contains("has 4 different ones of 5"),
        "no organization is omitted silently"
    );

    let server = overview_server(list(5), |_, _| None);
    let error =
        client_at(server.url(), "id", "hush-secret").client_bills(last, ClientOrganizations::All).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("the list has 4 of 5 client organizations"), "{error}");
}

/// The bill of the second organization never ends.
#[tokio::test]
async fn hanging_organization_hides_no_other() {
    let ids: Vec<_> = (1..=9).map(|number| format!("o-{number}")).collect();
    let server = ScriptedServer::start(|request| {
        let path = request.target.split('?').next().unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            "o-2" => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
                ScriptedResponse::trickled(head, " ", Duration::from_millis(20))
            }
            id => ScriptedResponse::json(200, &overview(json!({"id": id}), "2026-10", "31").to_string()),
        }
    });
    let client = client_at(server.url(), "id", "hush-secret");
    let organizations = ClientOrganizations::Ids(ids.clone());
    let bills = client.client_bills_within(october(), organizations, Duration::from_secs(2)).await.unwrap();
    let outcomes: Vec<_> =
        bills.outcomes.iter().map(|of| (of.organization_id.clone().unwrap(), of.bill.is_ok())).collect();
    let expected: Vec<_> = ids.into_iter().map(|id| (id.clone(), id != "o-2")).collect();
    assert_eq!(outcomes, expected);
    let errors: Vec<_> = bills.errors().map(|error| (error.kind(), error.message())).collect();
    assert_eq!(errors, [(ErrorKind::WaitTimeout, "the bill of organization o-2 was not read within 2 s")]);
    let none = client.client_bills_within(october(), ClientOrganizations::All, Duration::ZERO).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::WaitTimeout, "{none}");
}

#[tokio::test]
async fn overview_fixtures_have_their_expected_amounts_over_http() {
    const ORGANIZATION: &str = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";
    let files = [
        (include_str!("../../../../crates/usage-billing/fixtures/genesys/fair-use.json"), Some("115"), 1, 0),
        (include_str!("../../../../crates/usage-billing/fixtures/genesys/ai-tokens.json"), Some("6250.5"), 1, 0),
        (include_str!("../../../../crates/usage-billing/fixtures/genesys/prepay-annual.json"), Some("62.5"), 1, 0),
        (include_str!("../../../../crates/usage-billing/fixtures/genesys/bundle-zero.json"), Some("25"), 1, 0),
        (include_str!("../../../../crates/usage-billing/fixtures/genesys/empty-price.json"), None, 2, 0),
        (include_str!("../../../../crates/usage-billing/fixtures/genesys/null-quantity.json"), None, 1, 1),
        (include_str!("../../../../crates/usage-billing/fixtures/genesys/no-organization.json"), Some("47"), 1, 0),
    ];
    for (file, amount, billable, errors) in files {
        let overview: Value = serde_json::from_str(file).unwrap();
        let server = overview_server(Vec::new(), move |_, index| (index == 0).then(|| overview.clone()));
        let client = client_at(server.url(), "id", "hush-secret");
        let bill: ClientBill = client.client_bill(ORGANIZATION, october()).await.unwrap();
        let total = bill.total().amount.map(|amount| amount.normalize().to_string());
        assert_eq!(total.as_deref(), amount, "{file}");
        assert_eq!(bill.organization.id, ORGANIZATION);
        let rows = bill.rows(&client.organization().await.unwrap());
        assert_eq!(rows.iter().filter(|row| row.is_billable == Some(true)).count(), billable, "{file}");
        assert_eq!(bill.unreadable.len(), errors, "{file}");
    }
}

#[tokio::test]
async fn bill_states_the_reasons_of_unknown_numbers() {
    let mut odd = overview(json!({"id": "o-1"}), "2026-10", "31");
    odd["subscriptionType"] = json!("SOMETHING_NEW");
    let server = overview_server(Vec::new(), move |_, _| Some(odd.clone()));
    let bill = client_at(server.url(), "id", "hush-secret").client_bill("o-1", october()).await.unwrap();
    let reasons: Vec<_> =
        bill.see_invoice().map(|(line, reason)| (line.charge.item.position, reason.clone())).collect();
    assert_eq!(reasons, [(1, SeeInvoice::SubscriptionType { subscription_type: "SOMETHING_NEW".to_owned() })]);
}
