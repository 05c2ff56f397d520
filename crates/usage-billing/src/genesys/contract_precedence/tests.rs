use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;
use crate::genesys::test_support::{LATER, charge, contract_charge, more, number, text};
use crate::genesys::{ClientBill, ContractCharges, Organization, SeeInvoice};

type Fields = Map<String, Value>;

/// Cases of `cases.yaml`, which explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    about: String,
    #[serde(default)]
    bill: Fields,
    #[serde(default)]
    each: Vec<Fields>,
    cases: Vec<Fields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    bills: Option<Vec<Fields>>,
    charges: Vec<Vec<Value>>,
    unread: Option<Vec<String>>,
}

/// Returns a charge of a bill as the vendor sends it.
fn usage_json(fields: &[Value], unit: &Value) -> Value {
    let more = more(fields, 4, &["part", "unit", "price"]);
    let [usage, prepaid] = [2, 3].map(|index| fields.get(index).map_or_else(|| "0".to_owned(), text));
    json!({
        "name": fields[0], "partNumber": more.get("part").unwrap_or(&fields[0]), "grouping": fields[1],
        "unitOfMeasureType": more.get("unit").unwrap_or(unit), "usageQuantity": usage, "prepayQuantity": prepaid,
        "prepayPrice": "1", "overagePrice": more.get("price").map_or_else(|| "1".to_owned(), text),
    })
}

/// Returns the bill of an organization for October, with bounds at midnight of a time zone.
fn bill(fields: &Fields) -> ClientBill {
    let get = |field: &str, default: &str| fields.get(field).cloned().unwrap_or_else(|| default.into());
    let usages = match fields.get("usages") {
        Some(usages) => {
            let unit = get("unit", "token");
            let usages = usages.as_array().unwrap().iter().map(|usage| usage_json(usage.as_array().unwrap(), &unit));
            usages.collect()
        }
        None => json!([
            {"name": "Voice", "partNumber": get("part", "GC-VTR"), "grouping": "resource", "unitOfMeasureType": "minute",
                "usageQuantity": "61500", "prepayQuantity": "50000", "prepayPrice": "0.01", "overagePrice": "0.01"},
            {"name": "Free", "partNumber": "FREE", "grouping": "fair-use", "unitOfMeasureType": "minute", "usageQuantity": "9"},
            {"name": "Unread", "partNumber": "UNREAD", "grouping": "resource", "usageQuantity": null, "prepayQuantity": "0"},
        ]),
    };
    let overview = json!({
        "billingPeriodStartDate": get("start", "2026-10-01T00:00:00Z"), "currency": "EUR", "usages": usages,
        "billingPeriodEndDate": get("end", "2026-11-01T00:00:00Z"), "subscriptionType": "PREPAY_MONTHLY_COMMITMENT",
    });
    let organization = text(&get("organization", "o-1"));
    let mut bill = bill_of(&organization, overview);
    for (field, value) in fields {
        let number = || number(value);
        let line = &mut bill.lines[0];
        match field.as_str() {
            "organization" | "start" | "end" | "part" | "usages" | "unit" => {}
            "unknown" => {
                line.see_invoice.push(SeeInvoice::AllowanceMayApply);
                (line.overage_quantity, line.amount) = (None, None);
            }
            "unknown_overage" => bill.lines[usize::try_from(value.as_u64().unwrap()).unwrap()].overage_quantity = None,
            "free_in_ramp" => {
                line.is_free_in_ramp = true;
                (line.prepaid_amount, line.overage_amount) = (Some(Decimal::ZERO), Some(Decimal::ZERO));
                line.amount = Some(Decimal::ZERO);
            }
            "prepaid" => line.charge.prepaid_quantity = number().unwrap(),
            "prepaid_amount" => line.prepaid_amount = number(),
            "amount" => line.amount = number(),
            "currency" => bill.currency = value.as_str().map(str::to_owned),
            "subscription" => bill.subscription_type = value.as_str().map(Into::into),
            other => panic!("{other}"),
        }
    }
    bill
}

fn bill_of(organization: &str, overview: Value) -> ClientBill {
    let overview = serde_json::from_value(overview).unwrap();
    ClientBill::new(&overview, organization, 1, LATER.parse().unwrap()).unwrap()
}

/// Returns the rows of charges and bills, a line for each.
fn outcome(common: &Fields, case: Case) -> String {
    let account = Organization::new("partner", Some("Partner".to_owned()));
    let bills = case.bills.unwrap_or_else(|| vec![Fields::new()]);
    let bills: Vec<_> = bills.into_iter().map(|own| bill(&common.clone().into_iter().chain(own).collect())).collect();
    let mut of_bills: Vec<_> = bills.iter().flat_map(|bill| bill.rows(&account)).collect();
    let charges = case.charges.iter().map(|fields| contract_charge(fields)).zip(1..);
    let charges = charges.map(|(charge, position)| ContractCharge { position, ..charge }).collect();
    let mut charges = ContractCharges { charges, ..ContractCharges::default() };
    if let Some(unread) = case.unread {
        charges.unread.add(unread.iter().map(String::as_str));
    }
    let found = charges.rows(&account, &mut of_bills, LATER.parse().unwrap());
    let mut lines = String::new();
    let number = |number: Option<Decimal>| number.map_or("?".to_owned(), |number| number.normalize().to_string());
    for (kind, row) in found.rows.iter().map(|row| ("charge", row)).chain(of_bills.iter().map(|row| ("bill", row))) {
        let UsageRow { sku, billing_reason, .. } = row;
        let organizations = row.customer_id.as_deref().unwrap_or("-");
        let [prepaid, amount, cost] = [row.prepaid_amount, row.amount, row.cost].map(number);
        let subscription = row.subscription_type.as_deref().unwrap_or("-");
        let amounts = format!("prepaid amount {prepaid}, amount {amount}, cost {cost}");
        lines += &format!("    {kind} {organizations} {sku}: {billing_reason}, {amounts}, {subscription}\n");
        let is_same = |other: &&UsageRow| other.sku == *sku && other.customer_id == row.customer_id;
        let is_twice = kind == "charge" && of_bills.iter().filter(is_same).any(|other| other.is_billable == Some(true));
        assert!(!is_twice || row.is_billable != Some(true), "counted twice: {row:?}");
    }
    let errors = found.errors.iter().map(|error| format!("    {error}\n"));
    lines + &errors.collect::<String>()
}

#[test]
fn rows_of_all_cases_are_those_of_the_snapshot() {
    let sections: Vec<Section> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
    let mut snapshot = String::new();
    for Section { about, bill, each, cases } in &sections {
        snapshot += &format!("\n# {about}\n");
        if !bill.is_empty() {
            snapshot += &format!("Each bill has {}\n", json!(bill));
        }
        let each = if each.is_empty() { &vec![Fields::new()] } else { each };
        for (more, number) in each.iter().zip(1..) {
            for (case, number_of_case) in cases.iter().zip(1..) {
                let case: Value = more.clone().into_iter().chain(case.clone()).collect();
                snapshot += &format!("{number}.{number_of_case} {case}\n");
                snapshot += &outcome(bill, serde_json::from_value(case).unwrap());
            }
        }
    }
    insta::assert_snapshot!(snapshot);
}

/// Returns an organization's overage of a product in a bill, and whether it is known.
fn bills() -> impl Strategy<Value = Vec<(usize, usize, u32, bool)>> {
    prop::collection::vec((0..3usize, 0..2usize, 0..3u32, any::<bool>()), 0..6)
}

/// Returns the covered organizations, the product, the overage, and whether there is a row.
fn charges() -> impl Strategy<Value = Vec<(Vec<usize>, usize, u32, bool)>> {
    let organizations = prop::collection::btree_set(0..4usize, 0..3).prop_map(Vec::from_iter);
    prop::collection::vec((organizations, 0..2usize, 0..3u32, prop::bool::weighted(0.9)), 0..6)
}

const ORGANIZATIONS: [&str; 4] = ["o-1", "o-2", "o-3", "partner"];
const PRODUCTS: [&str; 2] = ["GC-A", "GC-B"];

/// Returns the reasons and amounts of the rows of charges and of bills, by their keys, if `turn` of each are moved to the end.
fn rows_of(
    bills: &[(usize, usize, u32, bool)],
    charges: &[(Vec<usize>, usize, u32, bool)],
    turn: usize,
) -> (Vec<UsageRow>, Vec<UsageRow>) {
    let account = Organization::new("partner", None);
    let mut seen = BTreeSet::new();
    let bills = bills.iter().filter(|(organization, product, ..)| seen.insert((*organization, *product)));
    let mut of_bills: Vec<_> = bills
        .flat_map(|(organization, product, overage, is_known)| {
            let price = if *is_known { "1" } else { "" };
            let usage = json!({"name": PRODUCTS[*product], "partNumber": PRODUCTS[*product], "grouping": "resource", "unitOfMeasureType": "minute",
                "usageQuantity": overage.to_string(), "prepayQuantity": "0", "overagePrice": price, "bundleQuantity": if *is_known { "" } else { "7" }});
            let (start, end) = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
            let overview = json!({"billingPeriodStartDate": start, "billingPeriodEndDate": end, "usages": [usage], "currency": "EUR", "subscriptionType": "PREPAY_MONTHLY_COMMITMENT"});
            bill_of(ORGANIZATIONS[*organization], overview).rows(&account)
        })
        .collect();
    let mut charges: Vec<_> = charges
        .iter()
        .zip(1..)
        .map(|((organizations, product, overage, has_row), position)| ContractCharge {
            position,
            part_number: PRODUCTS[*product].to_owned(),
            actual_quantity: has_row.then_some(Decimal::ONE),
            ..charge(
                &organizations.iter().map(|of| ORGANIZATIONS[*of]).collect::<Vec<_>>(),
                &overage.to_string(),
                &overage.to_string(),
            )
        })
        .collect();
    let middle = |length: usize| if length == 0 { 0 } else { turn % length };
    let (of_charges, of_rows) = (middle(charges.len()), middle(of_bills.len()));
    charges.rotate_left(of_charges);
    of_bills.rotate_left(of_rows);
    let charges = ContractCharges { charges, ..ContractCharges::default() };
    let mut found = charges.rows(&account, &mut of_bills, LATER.parse().unwrap()).rows;
    found.sort_by_key(|row| (row.source_row, row.row_key));
    of_bills.sort_by_key(|row| row.row_key);
    (found, of_bills)
}

proptest! {
    #[test]
    fn order_of_charges_and_rows_changes_no_row(bills in bills(), charges in charges(), turn in 1usize..6) {
        let billing = |turn| {
            let (of_charges, of_bills) = rows_of(&bills, &charges, turn);
            let summary = |row: &UsageRow| (row.sku.clone(), row.source_row, row.billing_reason, row.amount, row.prepaid_amount);
            (of_charges.iter().map(summary).collect::<Vec<_>>(), of_bills.iter().map(summary).collect::<Vec<_>>())
        };
        prop_assert_eq!(billing(0), billing(turn));
    }

    #[test]
    fn usage_is_billed_by_charges_or_by_the_bill_or_unknown(bills in bills(), charges in charges()) {
        let (of_charges, of_bills) = rows_of(&bills, &charges, 0);
        for organization in &ORGANIZATIONS[..3] {
            for product in PRODUCTS {
                let covers = |row: &&UsageRow| row.sku == product && row.customer_id.as_deref().is_none_or(|ids| ids.split(',').any(|id| id == *organization));
                let of_charges: BTreeSet<_> = of_charges.iter().filter(covers).filter(|row| row.customer_id.is_some()).map(|row| row.is_billable).collect();
                let of_bills: BTreeSet<_> = of_bills.iter().filter(covers).map(|row| row.is_billable).collect();
                if of_charges.is_empty() || of_bills.is_empty() {
                    prop_assert!(of_charges.iter().all(Option::is_none), "a charge without a bill is unknown");
                    continue;
                }
                prop_assert_eq!((of_charges.len(), of_bills.len()), (1, 1));
                let both = (of_charges.first().copied().flatten(), of_bills.first().copied().flatten());
                prop_assert!([(Some(true), Some(false)), (Some(false), Some(true)), (None, None)].contains(&both), "{:?}", both);
            }
        }
    }
}
