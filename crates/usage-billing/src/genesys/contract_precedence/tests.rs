use serde_json::{Value, json};
use usage_billing_core::{Error, ErrorKind};

use super::*;
use crate::genesys::contract_rows::tests::{LATER, charge};
use crate::genesys::types::SubscriptionType;
use crate::genesys::{ClientBill, ContractCharges, ContractRows, Organization, SeeInvoice as Reason};

/// Returns the rows of the charges and those of the bills.
fn rows(bills: &[&ClientBill], charges: Vec<ContractCharge>) -> (ContractRows, Vec<UsageRow>) {
    let account = Organization::new("partner", Some("Partner".to_owned()));
    let mut of_bills: Vec<_> = bills.iter().flat_map(|bill| bill.rows(&account)).collect();
    let charges = ContractCharges { charges, errors: Vec::new() };
    (charges.rows(&account, &mut of_bills, LATER.parse().unwrap()), of_bills)
}

/// Returns the bill of an organization with one charge, with bounds at midnight of a time zone.
fn bill(organization: &str, start: &str, end: &str, part_number: &str) -> ClientBill {
    let usages = json!([
        {"name": "Voice", "partNumber": part_number, "grouping": "resource", "unitOfMeasureType": "minute", "usageQuantity": "61500",
            "prepayQuantity": "50000", "prepayPrice": "0.01", "overagePrice": "0.01"},
        {"name": "Free", "partNumber": "FREE", "grouping": "fair-use", "unitOfMeasureType": "minute", "usageQuantity": "9"},
        {"name": "Unread", "partNumber": "UNREAD", "grouping": "resource", "usageQuantity": null, "prepayQuantity": "0"},
    ]);
    let overview =
        json!({"billingPeriodStartDate": start, "billingPeriodEndDate": end, "usages": usages, "currency": "EUR"});
    bill_of(organization, overview)
}

/// Returns the bill of `o-1` for October with these charges.
fn october(usages: Value) -> ClientBill {
    let (start, end) = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
    bill_of(
        "o-1",
        json!({"billingPeriodStartDate": start, "billingPeriodEndDate": end, "usages": usages, "currency": "EUR"}),
    )
}

fn bill_of(organization: &str, mut overview: Value) -> ClientBill {
    overview["subscriptionType"] = "PREPAY_MONTHLY_COMMITMENT".into();
    let overview = serde_json::from_value(overview).unwrap();
    ClientBill::new(&overview, organization, 1, LATER.parse().unwrap()).unwrap()
}

#[test]
fn charge_is_not_billable_if_a_bill_has_the_vendors_numbers() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let (start, end) = ("2026-10-01T04:00:00Z", "2026-11-01T03:59:59Z");
    let [one, other] = ["o-1", "o-2"].map(|id| bill(id, start, end, "gc-vtr"));
    let own = bill("partner", start, end, "GC-VTR");
    let of_september = bill("o-1", "2026-09-01T04:00:00Z", "2026-10-01T03:59:59Z", "GC-VTR");
    let of_another_day = bill("o-1", "2026-10-02T00:00:00Z", "2026-11-01T23:59:59Z", "GC-VTR");
    let of_another_product = bill("o-1", start, end, "GC-IVR");
    for (bills, organizations, expected) in [
        (&[&one][..], &["o-1"][..], NotABillingBasis),
        (&[&other, &one], &[" o-1"], NotABillingBasis),
        (&[&one, &other], &["o-1", "o-2"], NotABillingBasis),
        (&[&one], &["o-1", "o-2"], SeeInvoice),
        (&[&one], &["o-2"], SeeInvoice),
        (&[], &["o-1"], SeeInvoice),
        (&[&of_september, &of_another_day, &of_another_product], &["o-1"], SeeInvoice),
        (&[&one, &own], &["o-1", "partner"], SeeInvoice),
        (&[&own], &["partner"], Usage),
    ] {
        let (quantity, amount) = if organizations.len() == 2 { ("23000", "230") } else { ("11500", "115") };
        let row = rows(bills, vec![charge(organizations, quantity, amount)]).0.rows.remove(0);
        assert_eq!(row.billing_reason, expected, "{organizations:?} beside {} bills", bills.len());
    }
    for part_number in ["FREE", "UNREAD"] {
        let charge = ContractCharge { part_number: part_number.to_owned(), ..charge(&["o-1"], "0", "0") };
        let row = rows(&[&one], vec![charge]).0.rows.remove(0);
        assert_eq!(row.is_billable, None, "{part_number}: the row does not count usage");
    }
}

/// Returns the reasons of charges for `o-1` and of the row of its bill.
fn reasons(bill: &ClientBill, charges: Vec<ContractCharge>) -> (Vec<BillingReason>, BillingReason) {
    let (found, of_bill) = rows(&[bill], charges);
    let reason = of_bill.iter().find(|row| row.sku == "GC-VTR").unwrap().billing_reason;
    let of_charges: Vec<_> = found.rows.iter().map(|row| row.billing_reason).collect();
    assert!(reason != BillingReason::Usage || !of_charges.contains(&BillingReason::Usage), "counted twice");
    (of_charges, reason)
}

#[test]
fn vendors_charge_takes_precedence_over_other_numbers_of_a_bill() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let bill = || bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let unknown = || {
        let mut bill = bill();
        bill.lines[0].see_invoice.push(Reason::AllowanceMayApply);
        (bill.lines[0].overage_quantity, bill.lines[0].amount) = (None, None);
        bill
    };
    let of = |overage, amount| charge(&["o-1"], overage, amount);
    let silent = || ContractCharge { overage_quantity: None, overage_charge: None, ..of("0", "0") };
    let without_row = |overage, amount| ContractCharge { actual_quantity: None, ..of(overage, amount) };
    let unstated = || ContractCharge { overage_quantity: None, overage_charge: None, ..without_row("0", "0") };
    for (charges, known_bill, unknown_bill) in [
        (vec![of("11500", "115")], (vec![NotABillingBasis], Usage), (vec![Usage], NotABillingBasis)),
        (vec![of("12000", "115")], (vec![Usage], NotABillingBasis), (vec![Usage], NotABillingBasis)),
        (vec![of("11500", "115.01")], (vec![Usage], NotABillingBasis), (vec![Usage], NotABillingBasis)),
        (vec![of("0", "0")], (vec![Usage], NotABillingBasis), (vec![Usage], NotABillingBasis)),
        (
            vec![of("11000", "110"), of("500", "5")],
            (vec![NotABillingBasis; 2], Usage),
            (vec![Usage; 2], NotABillingBasis),
        ),
        (
            vec![of("11000", "110"), of("501", "5")],
            (vec![Usage; 2], NotABillingBasis),
            (vec![Usage; 2], NotABillingBasis),
        ),
        (vec![silent()], (vec![NotABillingBasis], Usage), (vec![SeeInvoice], SeeInvoice)),
        (
            vec![of("500", "5"), without_row("11000", "110")],
            (vec![NotABillingBasis], Usage),
            (vec![SeeInvoice], SeeInvoice),
        ),
        (vec![of("500", "5"), unstated()], (vec![NotABillingBasis], Usage), (vec![SeeInvoice], SeeInvoice)),
        (
            vec![of("500", "5"), charge(&["o-1", "o-2"], "11000", "110")],
            (vec![NotABillingBasis, SeeInvoice], Usage),
            (vec![SeeInvoice; 2], SeeInvoice),
        ),
        (
            vec![of("500", "5"), charge(&[], "11000", "110")],
            (vec![NotABillingBasis, SeeInvoice], Usage),
            (vec![SeeInvoice; 2], SeeInvoice),
        ),
        (
            vec![ContractCharge { currency: Some("USD".to_owned()), ..of("11500", "115") }],
            (vec![Usage], NotABillingBasis),
            (vec![Usage], NotABillingBasis),
        ),
    ] {
        let label = format!("{charges:?}");
        assert_eq!(reasons(&bill(), charges.clone()), known_bill, "{label}");
        assert_eq!(reasons(&unknown(), charges), unknown_bill, "{label}");
    }
}

#[test]
fn billable_charge_takes_over_the_prepaid_amount() {
    let bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let charges = [charge(&["o-1"], "12000", "120"), charge(&["o-1"], "1", "0.01")];
    let (found, _) = rows(&[&bill], charges.to_vec());
    let [first, second] = found.rows.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.prepaid_amount, second.prepaid_amount), (Some(500.into()), None), "once");
    // The vendor's charge, and 50,000 at 0.01. Our overage of 11,500 is outranked.
    assert_eq!((first.amount, first.cost), (Some(620.into()), Some(120.into())));
    assert_eq!(
        (second.amount, second.subscription_type.as_deref()),
        (Some(Decimal::new(1, 2)), Some("PREPAY_MONTHLY_COMMITMENT"))
    );
    let own = rows(&[], vec![charge(&["partner"], "12000", "120")]).0.rows.remove(0);
    assert_eq!((own.prepaid_amount, own.amount), (None, Some(120.into())));
}

#[test]
fn amount_beside_an_unknown_prepaid_amount_is_the_overage_only_if_nothing_is_due() {
    use SubscriptionType::{MonthToMonth, Prepay, PrepayMonthlyCommitment};
    let overage = Some(Decimal::from(120));
    for (subscription, of_bill, of_contract, prepaid_amount, amount) in [
        (PrepayMonthlyCommitment, Some(500), Some(50_000), Some(500), Some(Decimal::from(620))),
        (PrepayMonthlyCommitment, Some(500), Some(0), Some(500), Some(Decimal::from(620))),
        (PrepayMonthlyCommitment, Some(0), Some(0), Some(0), overage),
        (PrepayMonthlyCommitment, None, Some(50_000), None, None),
        (PrepayMonthlyCommitment, None, None, None, None),
        (PrepayMonthlyCommitment, None, Some(0), None, overage),
        (MonthToMonth, None, Some(0), None, overage),
        (Prepay, None, Some(50_000), None, overage),
        (Prepay, Some(0), Some(0), Some(0), overage),
    ] {
        let mut bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
        bill.subscription_type = Some(subscription);
        bill.lines[0].prepaid_amount = of_bill.map(Decimal::from);
        let charge =
            ContractCharge { prepaid_quantity: of_contract.map(Decimal::from), ..charge(&["o-1"], "12000", "120") };
        let label = format!("{:?} {of_bill:?} {of_contract:?}", bill.subscription_type);
        let row = rows(&[&bill], vec![charge]).0.rows.remove(0);
        assert_eq!((row.billing_reason, row.amount), (BillingReason::Usage, amount), "{label}");
        assert_eq!(row.prepaid_amount, prepaid_amount.map(Decimal::from), "{label}");
    }
}

#[test]
fn amounts_of_several_currencies_are_not_added() {
    let (start, end) = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
    let amounts = |currencies: [Option<&str>; 2], prepaid: i64, of_charge: Option<&str>| {
        let mut bills = ["o-1", "o-2"].map(|id| bill(id, start, end, "GC-VTR"));
        for (bill, currency) in bills.iter_mut().zip(currencies) {
            bill.currency = currency.map(str::to_owned);
            bill.lines[0].prepaid_amount = Some(prepaid.into());
        }
        let currency = of_charge.map(str::to_owned);
        let charge = ContractCharge { currency, ..charge(&["o-1", "o-2"], "1", "7") };
        let row = rows(&[&bills[0], &bills[1]], vec![charge]).0.rows.remove(0);
        (row.billing_reason, row.prepaid_amount, row.amount)
    };
    let eur = Some("EUR");
    let known = |prepaid: i64, amount: i64| (BillingReason::Usage, Some(prepaid.into()), Some(amount.into()));
    let unknown = (BillingReason::Usage, None, None);
    assert_eq!(amounts([eur, Some("eur")], 500, eur), known(1000, 1007));
    assert_eq!(amounts([eur, Some("USD")], 500, eur), unknown);
    assert_eq!(amounts([eur, eur], 500, Some("USD")), unknown);
    assert_eq!(amounts([eur, eur], 500, None), unknown);
    assert_eq!(amounts([eur, None], 500, eur), unknown);
    assert_eq!(amounts([eur, Some("USD")], 0, eur), known(0, 7), "nothing is prepaid");
}

#[test]
fn overage_amount_of_the_vendor_replaces_ours_under_any_terms() {
    let row = |change: fn(&mut ClientBill), amount: &str| {
        let mut bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
        change(&mut bill);
        let charge = ContractCharge { overage_rate: Some(Decimal::TWO), ..charge(&["o-1"], "11500", amount) };
        let (found, of_bill) = rows(&[&bill], vec![charge]);
        assert_eq!(of_bill[0].billing_reason, BillingReason::NotABillingBasis);
        (found.rows[0].billing_reason, found.rows[0].amount)
    };
    let free = |bill: &mut ClientBill| {
        let line = &mut bill.lines[0];
        line.is_free_in_ramp = true;
        (line.prepaid_amount, line.overage_amount, line.amount) =
            (Some(Decimal::ZERO), Some(Decimal::ZERO), Some(Decimal::ZERO));
    };
    assert_eq!(row(free, "100"), (BillingReason::Usage, Some(100.into())));
    let uncommitted = |bill: &mut ClientBill| {
        bill.subscription_type = Some(SubscriptionType::MonthToMonth);
        (bill.lines[0].prepaid_amount, bill.lines[0].amount) = (Some(Decimal::ZERO), Some(Decimal::TEN));
    };
    assert_eq!(row(uncommitted, "12"), (BillingReason::Usage, Some(12.into())));
}

#[test]
fn charges_that_contradict_a_bill_and_are_not_all_known_leave_both_unknown() {
    use BillingReason::SeeInvoice;
    let bill = || bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let of = |overage, amount| charge(&["o-1"], overage, amount);
    let without_row = |overage, amount| ContractCharge { actual_quantity: None, ..of(overage, amount) };
    for others in [
        vec![of("500", "5"), without_row("0", "0")],
        vec![of("500", "5"), without_row("11000", "109.98")],
        vec![
            of("12000", "120"),
            ContractCharge { overage_quantity: None, overage_charge: None, ..without_row("0", "0") },
        ],
        vec![of("500", "5"), charge(&["o-1", "o-2"], "1", "1")],
        vec![charge(&["o-1", "o-2"], "11499", "115"), of("0", "0")],
        vec![of("11501", "115"), charge(&["o-1", "o-2"], "11500", "115")],
        vec![of("500", "5"), charge(&[], "1", "1")],
        vec![of("500", "5"), charge(&["o-1", "partner"], "1", "1")],
        vec![charge(&["o-1", "o-2"], "1", "1")],
        vec![of("11000", "110"), ContractCharge { currency: Some("USD".to_owned()), ..without_row("500", "5") }],
    ] {
        let (of_charges, of_bill) = reasons(&bill(), others.clone());
        assert!(of_charges.iter().all(|reason| *reason == SeeInvoice), "{of_charges:?} {others:?}");
        assert_eq!(of_bill, SeeInvoice, "{others:?}");
    }
}

#[test]
fn bill_is_replaced_only_if_no_other_contract_can_explain_the_difference() {
    use BillingReason::{NotABillingBasis, Usage};
    let account = Organization::new("partner", None);
    let mut bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let reasons = |bill: &ClientBill, overage, amount, errors| {
        let mut of_bill = bill.rows(&account);
        let charges = ContractCharges { charges: vec![charge(&["o-1"], overage, amount)], errors };
        let found = charges.rows(&account, &mut of_bill, LATER.parse().unwrap());
        (found.rows[0].billing_reason, of_bill[0].billing_reason)
    };
    let unread = || vec![Error::new(ErrorKind::Decode, "contract CN-2 was not read")];
    for (overage, amount, of_all, of_some) in [
        ("500", "5", (Usage, NotABillingBasis), (NotABillingBasis, Usage)),
        ("11500", "115", (NotABillingBasis, Usage), (NotABillingBasis, Usage)),
        ("12000", "120", (Usage, NotABillingBasis), (Usage, NotABillingBasis)),
    ] {
        assert_eq!(reasons(&bill, overage, amount, Vec::new()), of_all, "{overage}");
        assert_eq!(reasons(&bill, overage, amount, unread()), of_some, "{overage}");
    }
    bill.lines[0].see_invoice.push(Reason::AllowanceMayApply);
    (bill.lines[0].overage_quantity, bill.lines[0].amount) = (None, None);
    assert_eq!(reasons(&bill, "500", "5", unread()), (Usage, NotABillingBasis));
}

#[test]
fn charge_for_a_part_is_counted_only_by_a_billable_total() {
    use BillingReason::{NotABillingBasis, SeeInvoice};
    let usage = |name: &str, grouping: &str, unit: &str, usage: &str, prepaid: &str| {
        json!({"name": name, "partNumber": name, "grouping": grouping, "unitOfMeasureType": unit, "usageQuantity": usage,
            "prepayQuantity": prepaid, "prepayPrice": "1", "overagePrice": "1"})
    };
    let part = |of_part: &str| usage("GC-VTR", "rollup-usage", "token", of_part, "0");
    // An allowance of tokens may apply beyond what is prepaid.
    let (known, unknown) = (usage("AI", "rollup", "token", "100", "100"), usage("AI", "rollup", "token", "100", "99"));
    let of_other_unit = usage("MB", "rollup", "megabyte", "5", "0");
    for (usages, expected) in [
        (json!([known, part("100")]), NotABillingBasis),
        (json!([known, part("100"), of_other_unit]), NotABillingBasis),
        (json!([unknown, part("100")]), SeeInvoice),
        (json!([known, unknown, part("200")]), SeeInvoice),
        (json!([known, part("40")]), SeeInvoice),
        (json!([part("100")]), SeeInvoice),
    ] {
        assert_eq!(reasons(&october(usages.clone()), vec![charge(&["o-1"], "1", "40")]).0, [expected], "{usages}");
    }
}

#[test]
fn charge_for_a_total_is_compared_without_parts_of_the_same_part_number() {
    use BillingReason::{NotABillingBasis, PartOfRow, Usage};
    let usages = [("rollup", "100"), ("rollup-usage", "100")].map(|(grouping, usage)| {
        json!({"name": grouping, "partNumber": "GC-VTR", "grouping": grouping, "unitOfMeasureType": "token", "usageQuantity": usage,
            "prepayQuantity": "200", "prepayPrice": "1", "overagePrice": "1"})
    });
    let bill = october(json!(usages));
    for (overage, of_charge, of_total) in [("0", NotABillingBasis, Usage), ("5", Usage, NotABillingBasis)] {
        let (found, of_bill) = rows(&[&bill], vec![charge(&["o-1"], overage, overage)]);
        let of_bill: Vec<_> = of_bill.iter().map(|row| row.billing_reason).collect();
        assert_eq!((found.rows[0].billing_reason, of_bill), (of_charge, vec![of_total, PartOfRow]), "{overage}");
    }
}

#[test]
fn charges_for_other_products_and_periods_are_compared_apart() {
    use BillingReason::{NotABillingBasis, Usage};
    let usage = |sku: &str, price: &str| {
        json!({"name": sku, "partNumber": sku, "grouping": "resource", "unitOfMeasureType": "minute", "usageQuantity": "10", "prepayQuantity": "0",
            "overagePrice": price})
    };
    let bill = october(json!([usage("GC-VTR", "1"), usage("GC-IVR", "2")]));
    let agreeing = charge(&["o-1"], "10", "10");
    let of = |part_number: &str, amount: &str| ContractCharge {
        part_number: part_number.to_owned(),
        overage_charge: Some(amount.parse().unwrap()),
        ..agreeing.clone()
    };
    let of_september = ContractCharge { period: "2026-09".parse().unwrap(), ..agreeing.clone() };
    for (other, of_other) in [
        (of("GC-IVR", "20"), NotABillingBasis),
        (of("GC-IVR", "21"), Usage),
        (of("GC-IVR", "10"), Usage),
        (of_september, BillingReason::SeeInvoice),
    ] {
        let (found, of_bill) = rows(&[&bill], vec![agreeing.clone(), other.clone()]);
        let of_charges: Vec<_> = found.rows.iter().map(|row| row.billing_reason).collect();
        assert_eq!((of_charges, of_bill[0].billing_reason), (vec![NotABillingBasis, of_other], Usage), "{other:?}");
    }
}

#[test]
fn charge_shared_with_the_own_organization_leaves_other_numbers_unknown() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let mut bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let charges = || vec![charge(&["o-1"], "11000", "110"), charge(&["partner", "o-1"], "500", "5")];
    assert_eq!(reasons(&bill, charges()), (vec![NotABillingBasis, SeeInvoice], Usage));
    bill.lines[0].see_invoice.push(Reason::AllowanceMayApply);
    assert_eq!(reasons(&bill, charges()), (vec![SeeInvoice; 2], SeeInvoice));
}
