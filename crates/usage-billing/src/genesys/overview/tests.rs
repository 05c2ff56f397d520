use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;
use crate::genesys::billing_period::{BillingPeriod, Search, Step};
use crate::genesys::test_support::{charge, columns, contract_charge, outcomes};
use crate::genesys::{ContractCharge, ContractCharges};

const ORGANIZATION: &str = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";
const DECEMBER: &str = "2026-12-03T09:00:00Z";

fn now() -> DateTime<Utc> {
    DECEMBER.parse().unwrap()
}

fn bill_of(overview: Value, index: u16) -> Result<ClientBill> {
    ClientBill::new(&serde_json::from_value(overview).unwrap(), ORGANIZATION, index, now())
}

macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../fixtures/genesys/", $name, ".json"))).unwrap()
    };
}

fn overview() -> Value {
    json!({
        "organization": {"id": ORGANIZATION, "name": "株式会社みなと"}, "currency": "EUR", "subscriptionType": "PREPAY_MONTHLY_COMMITMENT",
        "billingPeriodStartDate": "2026-10-15T00:00:00Z", "billingPeriodEndDate": "2026-11-14T23:59:59Z",
        "usages": [
            {"name": "CX 2", "partNumber": "GC-CX2", "grouping": "user-license", "unitOfMeasureType": "seat", "usageQuantity": "118",
                "overagePrice": "132.00", "prepayQuantity": "100", "prepayPrice": "110.00", "bundleQuantity": "1"},
            {"name": "IVR Minutes", "partNumber": "GC-IVR", "grouping": "resource", "unitOfMeasureType": "minute",
                "usageQuantity": "20451.5", "overagePrice": "0.0119", "prepayQuantity": "0"},
            {"name": "CX 2", "partNumber": "GC-CX2", "grouping": "user-license", "unitOfMeasureType": "seat", "usageQuantity": "1",
                "prepayQuantity": "2"},
        ],
    })
}

/// Fields of overviews that cases state.
const FIELDS: &str = "billingPeriodStartDate billingPeriodEndDate currency inRampPeriod minimumMonthlyAmount organization \
    rampPeriodStartDate rampPeriodEndDate subscriptionType usages";
const FIELDS_OF_CHARGE: &str = "bundleQuantity grouping unitOfMeasureType";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    of: String,
    #[serde(default)]
    with: Map<String, Value>,
    #[serde(default)]
    first: Map<String, Value>,
    #[serde(default = "first_index")]
    index: u16,
    now: Option<String>,
    charges: Option<Vec<Vec<Value>>>,
}

fn first_index() -> u16 {
    1
}

impl Case {
    fn bill(&self) -> Result<ClientBill> {
        let mut overview = match self.of.as_str() {
            "own" => overview(),
            "fair-use" => fixture!("fair-use"),
            "ai-tokens" => fixture!("ai-tokens"),
            "prepay-annual" => fixture!("prepay-annual"),
            "bundle-zero" => fixture!("bundle-zero"),
            "empty-price" => fixture!("empty-price"),
            "null-quantity" => fixture!("null-quantity"),
            "no-organization" => fixture!("no-organization"),
            other => panic!("{other}"),
        };
        for (fields, known) in [(&self.with, FIELDS), (&self.first, FIELDS_OF_CHARGE)] {
            assert!(fields.keys().all(|field| known.split(' ').any(|known| known == field)), "{fields:?}");
        }
        overview.as_object_mut().unwrap().extend(self.with.clone());
        if !self.first.is_empty() {
            overview["usages"][0].as_object_mut().unwrap().extend(self.first.clone());
        }
        let now = self.now.as_deref().unwrap_or(DECEMBER).parse().unwrap();
        ClientBill::new(&serde_json::from_value(overview).unwrap(), ORGANIZATION, self.index, now)
    }

    fn outcome(&self) -> Vec<String> {
        let bill = match self.bill() {
            Ok(bill) => bill,
            Err(error) => return vec![format!("{:?}: {error}", error.kind())],
        };
        if let Some(charges) = &self.charges {
            let charges: Vec<_> = charges.iter().map(|fields| of_organization(contract_charge(fields))).collect();
            return bill.compare(&charges).iter().map(|difference| format!("{difference:?}")).collect();
        }
        let (total, organization) = (bill.total(), &bill.organization);
        let text = |number: Option<Decimal>| number.map_or("?".to_owned(), |number| number.to_string());
        let known = total.known_amount;
        let mut lines =
            vec![format!("{organization:?}: {} of {known} known, {:?}", text(total.amount), bill.ramp_period)];
        lines.extend(bill.see_invoice().map(|(line, reason)| format!("{}: {reason:?}", line.charge.item.name)));
        lines.extend(bill.unreadable.iter().map(|unreadable| unreadable.error.to_string()));
        let rows = bill.rows(&Organization::new("partner", Some("Partner".to_owned())));
        lines.extend(rows.iter().map(columns));
        lines
    }
}

fn of_organization(charge: ContractCharge) -> ContractCharge {
    let organizations = charge.organizations.into_iter().map(|organization| match organization.id.as_str() {
        "o-1" => Organization::new(ORGANIZATION.to_uppercase(), None),
        _ => organization,
    });
    ContractCharge { organizations: organizations.collect(), ..charge }
}

#[test]
fn bills_of_all_cases_are_those_of_the_snapshot() {
    let snapshot = outcomes(include_str!("cases.yaml"), |number, stated| {
        let case: Case = serde_json::from_value(stated.clone()).unwrap();
        let lines: String = case.outcome().iter().map(|line| format!("   {line}\n")).collect();
        format!("{number}. {stated}\n{lines}")
    });
    insta::assert_snapshot!(snapshot);
}

#[test]
fn charges_of_a_product_are_separate_and_final_rows_win() {
    let keys = |index| {
        let rows = bill_of(overview(), index).unwrap().rows(&Organization::new("partner", None));
        rows.iter().map(|row| row.row_key).collect::<Vec<_>>()
    };
    assert_ne!(keys(1)[0], keys(1)[2]);
    assert_eq!(keys(0), keys(1));
}

#[test]
fn charges_of_all_contracts_are_compared_with_all_bills() {
    let bill = bill_of(fixture!("fair-use"), 1).unwrap();
    let compared = |charges: Vec<ContractCharge>| {
        let found = ContractCharges { charges, ..ContractCharges::default() }.compare(&[&bill, &bill]);
        found.into_iter().map(|of| (of.organization.id, of.number)).collect::<Vec<_>>()
    };
    let expected = (ORGANIZATION.to_owned(), "overage_quantity");
    assert_eq!(compared(vec![charge(&[ORGANIZATION], "12000", "115")]), [expected.clone(), expected]);
    assert_eq!(compared(vec![charge(&[ORGANIZATION], "11500", "115")]), []);
    assert_eq!(compared(Vec::new()), []);
}

#[test]
fn expected_overage_and_charge_of_a_charge_are_computed() {
    let outcome = |overage: &str, amount: &str| {
        let charge = charge(&[ORGANIZATION], overage, amount);
        (charge.has_expected_overage(), charge.has_expected_charge())
    };
    assert_eq!(outcome("11500.0", "115"), (Some(true), Some(true)));
    assert_eq!(outcome("12000", "99.99"), (Some(false), Some(false)));
}

#[test]
fn renamed_or_vast_charges_are_not_added() {
    let mut renamed = overview();
    renamed["usage"] = renamed.as_object_mut().unwrap().remove("usages").unwrap();
    assert!(bill_of(renamed, 1).unwrap_err().to_string().contains("no list `usages`"));
    let usage = |quantity: &str, price: &str| json!({"name": quantity, "grouping": "resource", "usageQuantity": quantity, "prepayQuantity": "0", "overagePrice": price});
    let mut vast = overview();
    vast["usages"] = json!([usage("7000000000000000000000000000", "1"), usage("1", "0.05")]);
    let total = bill_of(vast, 1).unwrap().total();
    assert!(total.amount.is_none() && total.known_amount >= Decimal::new(7, 0));
}

#[test]
fn part_of_a_cent_is_rounded() {
    let mut overview = fixture!("fair-use");
    overview["usages"][0]["usageQuantity"] = json!("61500.4");
    assert_eq!(bill_of(overview, 1).unwrap().compare(&[charge(&[ORGANIZATION], "11500.4", "115")]), [], "115.004");
}

#[test]
fn periods_are_found_by_dates_after_a_late_rotation() {
    let overviews =
        [fixture!("late-rotation/index-0"), fixture!("late-rotation/index-1"), fixture!("late-rotation/index-2")]
            .map(|overview| serde_json::from_value::<types::TrusteeBillingOverview>(overview).unwrap());
    let find = |wanted: BillingPeriod| {
        let mut search = Search::new(wanted);
        for (index, overview) in overviews.iter().map(Some).chain([None]).enumerate() {
            match search.next(overview.map(|overview| billing_period(overview).unwrap())) {
                Step::Fits => return Ok(index),
                Step::FitsBefore => return Ok(index - 1),
                Step::Continue => {}
                Step::Fail(reason) => return Err(reason),
            }
        }
        unreachable!("`None` ends every search")
    };
    let period = |text: &str| BillingPeriod::from(text.parse::<Period>().unwrap());
    assert_eq!(find(BillingPeriod::LastFinished { at: now() }), Ok(0));
    assert_eq!(find(period("2026-10")), Ok(1));
    assert!(find(period("2026-12")).unwrap_err().contains("2026-11-01/2026-12-01"));
    assert!(find(period("2026-08")).is_err());
    let bill = ClientBill::new(&overviews[0], ORGANIZATION, 0, now()).unwrap();
    assert!(!bill.is_final, "the vendor may change it until the index moves");
    assert!(ClientBill::new(&overviews[1], ORGANIZATION, 1, now()).unwrap().is_final);
}

#[test]
fn running_period_is_not_billable_and_keeps_its_keys() {
    let rows = |now: &str, index| {
        let bill = ClientBill::new(
            &serde_json::from_value(fixture!("fair-use")).unwrap(),
            ORGANIZATION,
            index,
            now.parse().unwrap(),
        );
        bill.unwrap().rows(&Organization::new("partner", None))
    };
    // The period is October.
    let (early, late, ended) =
        (rows("2026-10-09T12:00:00Z", 0), rows("2026-10-30T12:00:00Z", 0), rows("2026-11-20T12:00:00Z", 1));
    for (running, now) in [(&early, "2026-10-09T12:00:00Z"), (&late, "2026-10-30T12:00:00Z")] {
        for (row, ended) in running.iter().zip(&ended) {
            assert_eq!((row.row_key, row.is_billable, row.is_final), (ended.row_key, Some(false), false));
            assert_eq!(row.as_of, now.parse().ok());
        }
        let reasons: BTreeSet<_> = running.iter().map(|row| row.billing_reason).collect();
        assert_eq!(reasons, [BillingReason::Allowance, BillingReason::NotAWholePeriod].into());
    }
    assert!(ended.iter().all(|row| row.is_final && row.as_of.is_none()));
    assert!(ended.iter().any(|row| row.is_billable == Some(true)));
}

#[test]
fn own_organization_is_counted_by_its_contract_alone() {
    let bill = bill_of(fixture!("fair-use"), 1).unwrap();
    let own = Organization::new(format!(" {} ", ORGANIZATION.to_uppercase()), None);
    let contract =
        || ContractCharges { charges: vec![charge(&[ORGANIZATION], "11500", "115")], ..ContractCharges::default() };
    for is_compared in [false, true] {
        let mut rows = bill.rows(&own);
        assert!(rows.iter().all(|row| row.is_billable != Some(true)), "{rows:?}");
        assert!(rows.iter().any(|row| row.billing_reason == BillingReason::SeeInvoice));
        let of_contract = contract().rows(&own, if is_compared { &mut rows } else { &mut [] }, now()).rows;
        rows.extend(of_contract);
        let billable: Vec<_> = rows.iter().filter(|row| row.is_billable == Some(true)).collect();
        let [row] = billable.as_slice() else { panic!("{billable:?}") };
        assert_eq!((row.source_operation.as_str(), row.quantity), ("getBillingContractBillingperiod", 61_500.into()));
    }
}

#[test]
fn keys_do_not_depend_on_the_spelling_of_ids() {
    const PARTNER: &str = "3c9a7f52-84be-4d16-a0c7-5e1f29d6b803";
    let rows = |organization: &str, account: &str| {
        let overview = serde_json::from_value(overview()).unwrap();
        let bill = ClientBill::new(&overview, organization, 1, now()).unwrap();
        let mut rows = bill.rows(&Organization::new(account, None));
        let contract =
            ContractCharges { charges: vec![charge(&[organization], "11500", "115")], ..ContractCharges::default() };
        let contract_rows = contract.rows(&Organization::new(account, None), &mut rows, now()).rows;
        rows.into_iter()
            .chain(contract_rows)
            .map(|row| (row.row_key, row.customer_id, row.account_id))
            .collect::<Vec<_>>()
    };
    let expected = rows(ORGANIZATION, PARTNER);
    assert!(
        expected
            .iter()
            .all(|(_, customer, account)| (customer.as_deref(), account.as_str()) == (Some(ORGANIZATION), PARTNER))
    );
    assert_eq!(rows(&ORGANIZATION.to_uppercase(), &PARTNER.to_uppercase()), expected);
    assert_eq!(rows(&format!(" {ORGANIZATION} "), &format!("{PARTNER}\n")), expected);
}

/// Terms and usage of a product, with the expected amounts computed without roles, groupings or the order of rows.
#[derive(Clone, Debug)]
struct Product {
    grouping: &'static str,
    /// Quantity in hundredths.
    used: u32,
    prepaid: u16,
    /// Different free quantities, each in a separate row.
    free: Vec<u8>,
    /// Price in cents.
    price: u16,
    prepaid_price: u16,
    bundle: Option<u8>,
    /// Number of parts of a total, each in a separate row.
    parts: u8,
    /// Whether allowances have its part number, or only its name.
    is_by_part_number: bool,
}

impl Product {
    fn overage(&self) -> Decimal {
        let free: u32 = self.free.iter().map(|free| u32::from(*free)).sum();
        let covered = (u32::from(self.prepaid) + free) * 100;
        Decimal::new(i64::from(self.used.saturating_sub(covered)), 2)
    }

    fn amount(&self, is_monthly: bool) -> Decimal {
        let cents = |cents: u16| Decimal::new(cents.into(), 2);
        let prepaid = Decimal::from(self.prepaid) * cents(self.prepaid_price);
        self.overage() * cents(self.price) + if is_monthly { prepaid } else { Decimal::ZERO }
    }

    /// Returns whether the overage is known: free AI tokens that no row names are unknown.
    fn is_known(&self) -> bool {
        self.parts == 0 || !self.free.is_empty() || self.used <= u32::from(self.prepaid) * 100
    }

    fn rows(&self, number: usize) -> Vec<Value> {
        let (name, part_number) = (format!("Product {number}"), format!("GC-{number}"));
        let row = |name: &str, part_number: &str, grouping: &str, quantity: Decimal| json!({"name": name, "partNumber": part_number, "grouping": grouping, "unitOfMeasureType": "unit", "usageQuantity": quantity.to_string()});
        let mut own = row(&name, &part_number, self.grouping, Decimal::new(self.used.into(), 2));
        own["prepayQuantity"] = json!(self.prepaid.to_string());
        own["overagePrice"] = json!(Decimal::new(self.price.into(), 2).to_string());
        own["prepayPrice"] = json!(Decimal::new(self.prepaid_price.into(), 2).to_string());
        own["bundleQuantity"] = json!(self.bundle.map(|bundle| bundle.to_string()));
        let allowance_part_number = if self.is_by_part_number { part_number.as_str() } else { "FREE" };
        let allowances =
            self.free.iter().map(|free| row(&name.to_uppercase(), allowance_part_number, "fair-use", (*free).into()));
        let parts = (0..self.parts).map(|part| {
            row(
                &format!("Feature {number}.{part}"),
                &format!("GC-{number}-{part}"),
                "rollup-usage",
                Decimal::new(if part == 0 { self.used.into() } else { 0 }, 2),
            )
        });
        allowances.chain([own]).chain(parts).collect()
    }
}

fn products() -> impl Strategy<Value = Vec<Product>> {
    let groupings =
        vec!["user-license", "billable-app-org-license", "device", "resource", "messaging-usage", "storage", "rollup"];
    let quantities = (0u32..200_000, 0u16..800, prop::collection::btree_set(0u8..200, 0..3));
    let prices = (0u16..500, 0u16..500, prop::option::of(0u8..2));
    let product = (prop::sample::select(groupings), quantities, prices, 1u8..4, any::<bool>());
    let product = product.prop_map(
        |(grouping, (used, prepaid, free), (price, prepaid_price, bundle), parts, is_by_part_number)| {
            let parts = if grouping == "rollup" { parts } else { 0 };
            let free = free.into_iter().collect();
            Product { grouping, used, prepaid, free, price, prepaid_price, bundle, parts, is_by_part_number }
        },
    );
    prop::collection::vec(product, 0..8)
}

proptest! {
    #[test]
    fn sum_of_billable_rows_is_the_amount_due(
        products in products(),
        subscription in prop::sample::select(vec!["PREPAY_MONTHLY_COMMITMENT", "PREPAY", "MONTH_TO_MONTH"]),
        turned in 0usize..40,
    ) {
        let without_prepaid = subscription == "MONTH_TO_MONTH";
        let products: Vec<_> = products.into_iter().map(|product| match without_prepaid {
            true => Product { prepaid: 0, ..product },
            false => product,
        }).collect();
        let mut usages: Vec<_> = products.iter().enumerate().flat_map(|(number, product)| product.rows(number)).collect();
        let middle = turned % usages.len().max(1);
        usages.rotate_left(middle);
        let mut overview = overview();
        (overview["usages"], overview["subscriptionType"]) = (json!(usages), json!(subscription));
        let bill = bill_of(overview, 1).unwrap();
        let rows = bill.rows(&Organization::new("partner", None));
        let billable: Vec<_> = rows.iter().filter(|row| row.is_billable == Some(true)).collect();
        let known = || products.iter().filter(|product| product.is_known());

        let is_monthly = subscription == "PREPAY_MONTHLY_COMMITMENT";
        let due: Decimal = known().map(|product| product.amount(is_monthly)).sum();
        prop_assert_eq!(billable.iter().filter_map(|row| row.amount).sum::<Decimal>(), due);
        prop_assert!(billable.iter().all(|row| row.amount.is_some()));
        let overage: Decimal = known().map(Product::overage).sum();
        prop_assert_eq!(billable.iter().filter_map(|row| row.overage_quantity).sum::<Decimal>(), overage);
        let used: Decimal = known().map(|product| Decimal::new(product.used.into(), 2)).sum();
        prop_assert_eq!(billable.iter().map(|row| row.quantity).sum::<Decimal>(), used, "no usage is counted twice");
        let unknown = products.len() - known().count();
        prop_assert_eq!(rows.iter().filter(|row| row.is_billable.is_none()).count(), unknown);
        prop_assert_eq!(bill.total().amount, (unknown == 0).then_some(due));
    }
}
