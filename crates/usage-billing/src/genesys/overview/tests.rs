use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::genesys::billing_period::{BillingPeriod, Search, Step};
use crate::genesys::contract_rows::tests::charge;
use crate::genesys::{ChargeRole, ContractCharge, ContractCharges};

const ORGANIZATION: &str = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";

fn now() -> DateTime<Utc> {
    "2026-12-03T09:00:00Z".parse().unwrap()
}

fn bill_of(overview: Value, index: u16) -> Result<ClientBill> {
    ClientBill::new(&serde_json::from_value(overview).unwrap(), ORGANIZATION, index, now())
}

macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../fixtures/genesys/", $name, ".json"))).unwrap()
    };
}

fn text(number: Option<Decimal>) -> Option<String> {
    number.map(|number| number.to_string())
}

fn amount(bill: &ClientBill) -> Option<String> {
    text(bill.total().amount)
}

#[test]
fn fair_use_is_subtracted_from_the_usage_once() {
    let bill = bill_of(fixture!("fair-use"), 1).unwrap();
    let rows = bill.rows(&Organization::new("partner", None));
    let billable: Vec<_> = rows.iter().filter(|row| row.is_billable == Some(true)).collect();
    let [row] = billable.as_slice() else { panic!("{billable:?}") };
    assert_eq!((row.quantity.to_string().as_str(), row.sku.as_str()), ("61500", "GC-VTR"));
    assert_eq!(
        (text(row.included_quantity).as_deref(), text(row.overage_quantity).as_deref()),
        (Some("50000"), Some("11500"))
    );
    assert_eq!((amount(&bill).as_deref(), bill.currency.as_deref()), (Some("115.00"), Some("EUR")));
}

#[test]
fn ai_tokens_are_charged_by_their_total() {
    let bill = bill_of(fixture!("ai-tokens"), 1).unwrap();
    let charged: Vec<_> = bill.lines.iter().filter(|line| line.is_billable() == Some(true)).collect();
    let [line] = charged.as_slice() else { panic!("{charged:?}") };
    assert_eq!((text(line.overage_quantity).as_deref(), line.role), (Some("6250.5"), ChargeRole::Total));
    assert_eq!(bill.total().amount.map(|amount| amount.normalize().to_string()).as_deref(), Some("6250.5"));
    assert!(
        bill.rows(&Organization::new("p", None))
            .iter()
            .filter(|row| row.sku != "GC-AIT")
            .all(|row| row.is_billable == Some(false))
    );
}

#[test]
fn annual_commitment_is_not_charged_each_month() {
    let bill = bill_of(fixture!("prepay-annual"), 1).unwrap();
    assert_eq!(bill.total().amount.map(|amount| amount.normalize().to_string()).as_deref(), Some("62.5"));
    assert_eq!(bill.subscription_type, Some(types::SubscriptionType::Prepay));
    let rows = bill.rows(&Organization::new("partner", Some("Partner".to_owned())));
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.amount, row.prepaid_amount), (Some(Decimal::new(6250, 2)), None));
    assert_eq!((row.subscription_type.as_deref(), row.account_name.as_deref()), (Some("PREPAY"), Some("Partner")));
    assert_eq!(bill.see_invoice().map(|(_, reason)| reason).collect::<Vec<_>>(), [&SeeInvoice::PrepaidAnnually]);
    let mut monthly = fixture!("prepay-annual");
    monthly["subscriptionType"] = json!("PREPAY_MONTHLY_COMMITMENT");
    assert_eq!(bill_of(monthly, 1).unwrap().total().known_amount.normalize().to_string(), "312.5");
}

#[test]
fn bundle_of_zero_is_ignored() {
    let bill = bill_of(fixture!("bundle-zero"), 1).unwrap();
    assert_eq!(text(bill.lines[0].overage_quantity).as_deref(), Some("2500"));
}

#[test]
fn empty_price_is_absent_and_hides_no_row() {
    let bill = bill_of(fixture!("empty-price"), 1).unwrap();
    let rows = bill.rows(&Organization::new("partner", None));
    assert_eq!(rows.iter().map(|row| row.metric.as_str()).collect::<Vec<_>>(), ["CX 1", "Storage"]);
    assert_eq!((rows[0].unit_price, rows[0].prepaid_price, rows[0].bundle_quantity), (None, None, None));
    assert_eq!((bill.total().known_amount.to_string(), amount(&bill)), ("1.4".to_owned(), None));
}

#[test]
fn null_quantity_is_an_error_of_its_charge_alone() {
    let bill = bill_of(fixture!("null-quantity"), 1).unwrap();
    let [unreadable] = bill.unreadable.as_slice() else { panic!("{:?}", bill.unreadable) };
    assert!(unreadable.error.to_string().contains("CX 1"), "{}", unreadable.error);
    let rows = bill.rows(&Organization::new("partner", None));
    assert_eq!(
        rows.iter().map(|row| (row.metric.as_str(), row.source_row)).collect::<Vec<_>>(),
        [("Storage", Some(2))]
    );
    assert_eq!(amount(&bill), None, "the bill is incomplete");
}

#[test]
fn overview_without_an_organization_is_of_the_requested_one() {
    let bill = bill_of(fixture!("no-organization"), 1).unwrap();
    assert_eq!(bill.organization, Organization::new(ORGANIZATION, None));
    for organization in [json!({}), json!({"id": ""}), json!({"id": ORGANIZATION.to_uppercase(), "name": "H"})] {
        let mut overview = fixture!("no-organization");
        overview["organization"] = organization;
        assert_eq!(bill_of(overview, 1).unwrap().organization.id, ORGANIZATION);
    }
    let mut anothers = fixture!("no-organization");
    anothers["organization"] = json!({"id": "another", "name": "Another"});
    let error = bill_of(anothers, 1).unwrap_err().to_string();
    assert!(error.contains(ORGANIZATION) && error.contains("that of another"), "{error}");
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

#[test]
fn charge_becomes_a_row_with_exact_numbers() {
    let bill = bill_of(overview(), 1).unwrap();
    let rows = bill.rows(&Organization::new("partner", None));
    let read: Vec<_> = rows
        .iter()
        .map(|row| {
            let prices = (text(row.prepaid_price), text(row.unit_price));
            (row.quantity.to_string(), text(row.prepaid_quantity), text(row.overage_quantity), prices)
        })
        .collect();
    let some = |number: &str| Some(number.to_owned());
    assert_eq!(
        read,
        [
            ("118".to_owned(), some("100"), some("18"), (some("110.00"), some("132.00"))),
            ("20451.5".to_owned(), some("0"), some("20451.5"), (None, some("0.0119"))),
            ("1".to_owned(), some("2"), some("0"), (None, None)),
        ]
    );
    let row = &rows[0];
    assert_eq!(
        (row.period_start.to_string().as_str(), row.period_end.to_string().as_str()),
        ("2026-10-15 00:00:00 UTC", "2026-11-15 00:00:00 UTC")
    );
    assert_eq!((row.account_id.as_str(), row.customer_id.as_deref()), ("partner", Some(ORGANIZATION)));
    assert_eq!((row.customer_name.as_deref(), row.customer_kind.as_deref()), (Some("株式会社みなと"), Some("trustor")));
    assert_eq!((row.currency.as_deref(), row.unit.as_str()), (Some("EUR"), "seat"));
    assert_eq!((row.vendor_grouping.as_deref(), row.raw_unit.as_deref()), (Some("user-license"), Some("seat")));
    assert_eq!((row.bundle_quantity, text(row.prepaid_amount)), (Some(Decimal::ONE), some("11000.00")));
    assert_eq!(rows[1].bundle_quantity, None);
    let mut without = overview();
    without["usages"][0]["bundleQuantity"] = json!("0");
    (without["usages"][0]["grouping"], without["usages"][0]["unitOfMeasureType"]) = (json!(" "), Value::Null);
    let without = bill_of(without, 1).unwrap().rows(&Organization::new("partner", None)).remove(0);
    assert_eq!((without.vendor_grouping, without.raw_unit, without.unit.as_str()), (None, None, "units"));
    assert_eq!(without.bundle_quantity, None, "0 means that there are no bundles");
    let mut in_units = overview();
    in_units["usages"][0]["unitOfMeasureType"] = json!("units");
    let in_units = bill_of(in_units, 1).unwrap().rows(&Organization::new("partner", None)).remove(0);
    assert_eq!(
        (in_units.raw_unit.as_deref(), in_units.unit.as_str()),
        (Some("units"), "units"),
        "the vendor's own unit"
    );
    assert_ne!(row.row_key, rows[2].row_key, "two lines of one part number");
    let keys = |index| {
        bill_of(overview(), index)
            .unwrap()
            .rows(&Organization::new("partner", None))
            .iter()
            .map(|row| row.row_key)
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(0), keys(1), "the final row replaces the open one");
}

#[test]
fn bill_is_final_a_day_after_its_period_except_at_index_0() {
    for (now, index, is_final) in
        [("2026-11-15T23:59:59Z", 1, false), ("2026-11-16T00:00:00Z", 1, true), ("2026-11-16T00:00:00Z", 0, false)]
    {
        let overview = serde_json::from_value(overview()).unwrap();
        let bill = ClientBill::new(&overview, ORGANIZATION, index, now.parse().unwrap()).unwrap();
        assert_eq!(bill.is_final, is_final, "{now} {index}");
    }
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

#[test]
fn overview_without_period_or_charges_is_an_error() {
    for (field, value) in [
        ("billingPeriodEndDate", Value::Null),
        ("billingPeriodEndDate", json!("2026-10-12T00:00:00Z")),
        ("usages", Value::Null),
        ("minimumMonthlyAmount", json!("much")),
    ] {
        let mut overview = overview();
        overview[field] = value;
        assert_eq!(bill_of(overview, 1).unwrap_err().kind(), ErrorKind::Decode, "{field}");
    }
    let mut renamed = overview();
    renamed["usage"] = renamed.as_object_mut().unwrap().remove("usages").unwrap();
    assert!(bill_of(renamed, 1).unwrap_err().to_string().contains("no list `usages`"));
    let mut empty = overview();
    (empty["usages"], empty["currency"], empty["subscriptionType"]) = (json!([]), Value::Null, Value::Null);
    assert_eq!(amount(&bill_of(empty, 1).unwrap()).as_deref(), Some("0"));
}

#[test]
fn minimum_monthly_amount_applies_where_it_is_documented() {
    let total = |subscription: &str, minimum: &str, in_ramp: bool| {
        let mut overview = fixture!("fair-use");
        overview["subscriptionType"] = json!(subscription);
        overview["minimumMonthlyAmount"] = json!(minimum);
        overview["inRampPeriod"] = json!(in_ramp);
        amount(&bill_of(overview, 1).unwrap())
    };
    let some = |amount: &str| Some(amount.to_owned());
    assert_eq!(total("MONTH_TO_MONTH", "200.00", false), some("200.00"));
    assert_eq!(total("PREPAY_MONTHLY_COMMITMENT", "115.01", false), some("115.01"));
    assert_eq!(total("PREPAY_MONTHLY_COMMITMENT", "114.99", false), some("115.00"));
    assert_eq!(total("MONTH_TO_MONTH", "", false), some("115.00"));
    assert_eq!(total("PREPAY", "115.00", false), some("115.00"));
    assert_eq!(total("PREPAY", "200.00", false), None, "whether the annual payment reaches it is not documented");
    assert_eq!(total("PREPAY", "0", true), None, "not a licence: the ramp period leaves it open");
    let mut shortened = fixture!("fair-use");
    shortened["minimumMonthlyAmount"] = json!("200.00");
    let start = shortened["billingPeriodStartDate"].as_str().unwrap().replace("-01T", "-03T");
    shortened["billingPeriodStartDate"] = json!(start);
    assert_eq!(amount(&bill_of(shortened.clone(), 1).unwrap()), None, "{start}: a part of the minimum may be due");
    shortened["minimumMonthlyAmount"] = json!("115.00");
    assert_eq!(amount(&bill_of(shortened, 1).unwrap()).as_deref(), Some("115.00"));
}

#[test]
fn ramp_period_is_known_only_if_dates_and_flag_agree() {
    use RampPeriod::{Inside, Outside, Unclear};
    for (start, end, flag, expected) in [
        (Value::Null, Value::Null, Value::Null, Outside),
        (Value::Null, Value::Null, json!(false), Outside),
        (Value::Null, Value::Null, json!(true), Inside),
        (json!("2026-09-15T00:00:00Z"), json!("2026-12-14T23:59:59.999Z"), json!(true), Inside),
        (json!("2026-09-15T00:00:00Z"), json!("2026-11-14T23:59:59.999Z"), Value::Null, Inside),
        (json!("2026-09-15T00:00:00Z"), json!("2026-10-14T23:59:59.999Z"), json!(false), Outside),
        (json!("2026-11-15T00:00:00Z"), Value::Null, json!(false), Outside),
        (json!("2026-09-15T00:00:00Z"), json!("2026-10-31T23:59:59.999Z"), json!(true), Unclear),
        (json!("2026-09-15T00:00:00Z"), json!("2026-10-31T23:59:59.999Z"), json!(false), Unclear),
        (json!("2026-09-15T00:00:00Z"), json!("2026-12-14T23:59:59.999Z"), json!(false), Unclear),
        (json!("2026-09-15T00:00:00Z"), json!("2026-10-14T23:59:59.999Z"), json!(true), Unclear),
        (json!("2026-09-15T00:00:00Z"), Value::Null, json!(true), Inside),
        (json!("2026-10-15T00:00:00Z"), Value::Null, json!(true), Inside),
        (json!("2026-10-16T00:00:00Z"), Value::Null, json!(true), Unclear),
        (json!("2026-10-16T00:00:00Z"), Value::Null, Value::Null, Unclear),
        (Value::Null, json!("2026-11-14T23:59:59.999Z"), json!(true), Inside),
        (Value::Null, json!("2026-11-13T23:59:59.999Z"), json!(true), Unclear),
        (Value::Null, json!("2026-10-14T23:59:59.999Z"), Value::Null, Outside),
        (json!("2026-09-15T00:00:00Z"), Value::Null, json!(false), Outside),
    ] {
        let mut overview = overview();
        (overview["rampPeriodStartDate"], overview["rampPeriodEndDate"], overview["inRampPeriod"]) =
            (start.clone(), end.clone(), flag.clone());
        assert_eq!(bill_of(overview, 1).unwrap().ramp_period, expected, "{start} {end} {flag}");
    }
}

#[test]
fn bill_is_compared_with_the_vendors_charges() {
    let bill = bill_of(fixture!("fair-use"), 1).unwrap();
    let charge = |overage: &str, amount: &str| charge(&[&ORGANIZATION.to_uppercase()], overage, amount);
    let right = charge("11500.0", "115");
    assert_eq!((right.has_expected_overage(), right.has_expected_charge()), (Some(true), Some(true)));
    assert_eq!(bill.compare(&[right]), []);
    assert_eq!(bill.compare(&[charge("5000", "50"), charge("6500", "65")]), [], "two charges of one product");
    let odd = charge("12000", "99.99");
    assert_eq!((odd.has_expected_overage(), odd.has_expected_charge()), (Some(false), Some(false)));
    let differences = bill.compare(std::slice::from_ref(&odd));
    let read: Vec<_> = differences.iter().map(|of| (of.number, of.ours.as_deref(), of.vendors.as_deref())).collect();
    let expected =
        [("overage_quantity", Some("11500"), Some("12000")), ("overage_amount", Some("115.00"), Some("99.99"))];
    assert_eq!(read, expected);
    let finer = charge("11500.001", "115.001");
    let read: Vec<_> = bill.compare(&[finer]).into_iter().map(|of| of.number).collect();
    assert_eq!(read, ["overage_quantity", "overage_amount"], "only amounts are rounded");
    let rounded =
        |amount: &str| bill.compare(&[ContractCharge { overage_rate: None, ..charge("11500", amount) }]).len();
    assert_eq!((rounded("115.00"), rounded("115.01"), rounded("114.99")), (0, 1, 1));
    for (currency, expected) in [("EUR", None), (" eur", None), ("USD", Some(Some("EUR")))] {
        let other = ContractCharge { currency: Some(currency.to_owned()), ..charge("11500", "115") };
        let found = bill.compare(&[other]).into_iter().map(|of| (of.number, of.ours, of.vendors)).next();
        let expected = expected.map(|ours| ("currency", ours.map(str::to_owned), Some(currency.to_owned())));
        assert_eq!(found, expected, "{currency}");
    }
    let mut without_currency = fixture!("fair-use");
    without_currency["currency"] = Value::Null;
    let unknown = bill_of(without_currency, 1).unwrap().compare(&[charge("11500", "115")]);
    let read: Vec<_> = unknown.iter().map(|of| (of.number, of.ours.as_deref(), of.vendors.as_deref())).collect();
    assert_eq!(read, [("overage_amount", None, Some("115")), ("currency", None, Some("EUR"))]);
    let mut with_part_of_a_cent = fixture!("fair-use");
    let usages = with_part_of_a_cent["usages"].as_array_mut().unwrap();
    usages.iter_mut().find(|usage| usage["grouping"] != "fair-use").unwrap()["usageQuantity"] = json!("61500.4");
    let bill_with_part = bill_of(with_part_of_a_cent, 1).unwrap();
    assert_eq!(bill_with_part.compare(&[charge("11500.4", "115")]), [], "115.004, rounded to cents");
    let shared = self::charge(&[ORGANIZATION, "o-2"], "12000", "99.99");
    assert_eq!(bill.compare(&[shared]), [], "the charge covers other organizations, too");
    let thirds = [("3833", "38.34"), ("3834", "38.34"), ("3833", "38.33")];
    assert_eq!(bill.compare(&thirds.map(|(overage, amount)| charge(overage, amount))), [], "each is rounded");
    let more =
        [("3833", "38.34"), ("3834", "38.35"), ("3833", "38.34")].map(|(overage, amount)| charge(overage, amount));
    assert_eq!(bill.compare(&more)[0].vendors.as_deref(), Some("115.03"));
    let of_two = [("11500", "57.5"), ("0", "57.5")].map(|(overage, amount)| charge(overage, amount));
    let in_dollars = ContractCharge { currency: Some("USD".to_owned()), ..of_two[1].clone() };
    assert_eq!(bill.compare(&[of_two[0].clone(), in_dollars])[0].number, "currency");
    let name = bill.lines.iter().find(|line| line.role.is_charged()).unwrap().charge.item.name.to_uppercase();
    let nameless =
        |amount: &str| ContractCharge { part_number: String::new(), name: name.clone(), ..charge("11500", amount) };
    assert_eq!(bill.compare(&[nameless("115")]), [], "the product has the charge's name");
    assert_eq!(bill.compare(&[nameless("116")]).len(), 1);
    let unknown_to_us = ContractCharge { part_number: "GC-NEW".to_owned(), ..odd };
    assert_eq!(bill.compare(&[unknown_to_us])[0].ours, None);
}

#[test]
fn period_bounds_in_another_time_zone_are_compared() {
    let mut overview = fixture!("fair-use");
    (overview["billingPeriodStartDate"], overview["billingPeriodEndDate"]) =
        (json!("2026-10-01T04:00:00Z"), json!("2026-11-01T03:59:59Z"));
    let bill = bill_of(overview, 1).unwrap();
    assert_eq!(bill.compare(&[charge(&[ORGANIZATION], "12000", "115")]).len(), 1);
    let of_september =
        ContractCharge { period: "2026-09".parse().unwrap(), ..charge(&[ORGANIZATION], "12000", "99.99") };
    assert_eq!(bill.compare(&[of_september]), [], "another billing period");
}

#[test]
fn overage_without_a_contract_charge_is_a_difference() {
    let bill = bill_of(fixture!("fair-use"), 1).unwrap();
    let named = |part_number: &str, organizations: &[&str]| ContractCharge {
        part_number: part_number.to_owned(),
        ..charge(organizations, "0", "0")
    };
    let differences = bill.compare(&[named("GC-OTHER", &[ORGANIZATION])]);
    let read: Vec<_> = differences.iter().map(|of| (of.number, of.ours.as_deref(), of.vendors.as_deref())).collect();
    assert_eq!(read, [("overage_quantity", Some("11500"), None), ("overage_amount", Some("115.00"), None)]);
    assert_eq!(differences[0].part_number, "GC-VTR");
    for organizations in [&[ORGANIZATION, "o-2"][..], &[""], &[]] {
        let charges = [named("GC-OTHER", &[ORGANIZATION]), named("GC-VTR", organizations)];
        assert_eq!(bill.compare(&charges), [], "it may be charged for {organizations:?}");
    }
    assert_eq!(bill.compare(&[named("GC-OTHER", &["o-2"])]), [], "its contract was not read");
    assert_eq!(bill.compare(&[]), []);
}

#[test]
fn wallet_is_not_compared_with_a_bill() {
    let bill = bill_of(fixture!("fair-use"), 1).unwrap();
    let of = |overage: &str, amount: &str| charge(&[ORGANIZATION], overage, amount);
    let wallet = |charge: ContractCharge| ContractCharge { is_wallet: true, ..charge };
    let silent = || ContractCharge { overage_quantity: None, overage_charge: None, ..of("0", "0") };
    let other = ContractCharge { part_number: "GC-OTHER".to_owned(), ..of("0", "0") };
    for (wallet_of, charge, expected) in [
        (of("11500", "115"), of("11500", "115"), &[][..]),
        (silent(), of("12000", "115"), &["overage_quantity"]),
        (of("11500", "115"), other, &["overage_quantity", "overage_amount"]),
    ] {
        let differences = bill.compare(&[charge, wallet(wallet_of.clone())]);
        let numbers: Vec<_> = differences.iter().map(|of| of.number).collect();
        assert_eq!(numbers, expected, "{wallet_of:?}");
    }
    assert_eq!(bill.compare(&[wallet(of("12000", "120"))]), [], "the organization has no charges");
}

#[test]
fn charges_of_all_contracts_are_compared_with_all_bills() {
    let bill = bill_of(fixture!("fair-use"), 1).unwrap();
    let charges = |charges: Vec<ContractCharge>| ContractCharges { charges, ..ContractCharges::default() };
    let found = charges(vec![charge(&[ORGANIZATION], "12000", "115")]).compare(&[&bill, &bill]);
    let read: Vec<_> = found.iter().map(|of| (of.organization.id.as_str(), of.number)).collect();
    assert_eq!(read, [(ORGANIZATION, "overage_quantity"); 2]);
    assert_eq!(charges(vec![charge(&[ORGANIZATION], "11500", "115")]).compare(&[&bill]), []);
    assert_eq!(charges(Vec::new()).compare(&[&bill]), []);
}

#[test]
fn total_with_too_many_digits_is_unknown() {
    let mut overview = overview();
    let usage = |name: &str, quantity: &str, price: &str| {
        json!({"name": name, "partNumber": name, "grouping": "resource", "unitOfMeasureType": "minute", "usageQuantity": quantity,
            "prepayQuantity": "0", "overagePrice": price})
    };
    overview["usages"] = json!([usage("A", "7000000000000000000000000000", "1"), usage("B", "1", "0.05")]);
    let total = bill_of(overview, 1).unwrap().total();
    assert_eq!(total.amount, None);
    assert!(total.known_amount >= Decimal::new(7, 0));
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
