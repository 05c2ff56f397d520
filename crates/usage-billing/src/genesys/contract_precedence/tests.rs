use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::genesys::contract_rows::tests::{LATER, charge};
use crate::genesys::types::SubscriptionType;
use crate::genesys::{ClientBill, ContractCharges, ContractRows, Organization, SeeInvoice as Reason};

/// Returns the rows of the charges and those of the bills.
fn rows(bills: &[&ClientBill], charges: Vec<ContractCharge>) -> (ContractRows, Vec<UsageRow>) {
    rows_of(bills, charges, None)
}

/// Returns the rows if a contract of these organizations was not read; without organizations, it may be of any.
fn rows_of(
    bills: &[&ClientBill],
    charges: Vec<ContractCharge>,
    not_read: Option<&[&str]>,
) -> (ContractRows, Vec<UsageRow>) {
    let account = Organization::new("partner", Some("Partner".to_owned()));
    let mut of_bills: Vec<_> = bills.iter().flat_map(|bill| bill.rows(&account)).collect();
    let at = |(charge, position)| ContractCharge { position, ..charge };
    let charges = charges.into_iter().zip(1..).map(at).collect();
    let mut charges = ContractCharges { charges, ..ContractCharges::default() };
    if let Some(organizations) = not_read {
        charges.unread.add(organizations.iter().copied());
    }
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
    for (charges, of_known, of_unknown) in [
        (vec![of("11500", "115")], NotABillingBasis, Usage),
        (vec![of("12000", "115")], Usage, Usage),
        (vec![of("11500", "115.01")], Usage, Usage),
        (vec![of("0", "0")], Usage, Usage),
        (vec![of("11000", "110"), of("500", "5")], NotABillingBasis, Usage),
        (vec![of("11000", "110"), of("501", "5")], Usage, Usage),
        // Each amount is rounded.
        (vec![of("3833", "38.34"), of("3834", "38.34"), of("3833", "38.33")], NotABillingBasis, Usage),
        (vec![of("3832", "38.34"), of("3835", "38.35"), of("3833", "38.34")], Usage, Usage),
        (vec![silent()], NotABillingBasis, SeeInvoice),
        (vec![ContractCharge { currency: Some("USD".to_owned()), ..of("11500", "115") }], Usage, Usage),
        (vec![ContractCharge { overage_charge: None, ..of("11500", "0") }], NotABillingBasis, Usage),
        (vec![ContractCharge { overage_quantity: None, ..of("0", "115") }], NotABillingBasis, Usage),
    ] {
        for (bill, of_charges) in [(bill(), of_known), (unknown(), of_unknown)] {
            let of_bill = match of_charges {
                NotABillingBasis => Usage,
                Usage => NotABillingBasis,
                other => other,
            };
            let expected = (vec![of_charges; charges.len()], of_bill);
            assert_eq!(reasons(&bill, charges.clone()), expected, "{charges:?}");
        }
    }
}

#[test]
fn other_prepaid_quantity_contradicts_the_bill() {
    let bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let with =
        |prepaid: i64| ContractCharge { prepaid_quantity: Some(prepaid.into()), ..charge(&["o-1"], "11500", "115") };
    for (prepaid, expected) in [
        (50_000, (BillingReason::NotABillingBasis, BillingReason::Usage)),
        (25_000, (BillingReason::Usage, BillingReason::NotABillingBasis)),
    ] {
        let (found, of_bill) = rows(&[&bill], vec![with(prepaid)]);
        assert_eq!((found.rows[0].billing_reason, of_bill[0].billing_reason), expected, "{prepaid}");
        let is_known = found.rows[0].is_billable == Some(true) && found.rows[0].amount.is_some();
        assert!(!is_known, "the amount of another prepaid quantity is unknown");
    }
}

#[test]
fn charge_without_a_product_may_be_for_any_bill() {
    let bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let unnamed =
        ContractCharge { part_number: String::new(), name: " ".to_owned(), ..charge(&["o-1"], "61000", "610") };
    let (found, of_bill) = rows(&[&bill], vec![charge(&["o-1"], "500", "5"), unnamed]);
    assert_eq!((found.rows.len(), found.errors.len()), (1, 1));
    let unknown = (BillingReason::SeeInvoice, BillingReason::SeeInvoice);
    assert_eq!((found.rows[0].billing_reason, of_bill[0].billing_reason), unknown);
}

#[test]
fn incomplete_or_contradicting_charges_leave_both_unknown() {
    use BillingReason::SeeInvoice;
    let bill = || bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let other = self::bill("o-2", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let of = |overage, amount| charge(&["o-1"], overage, amount);
    let without_row = |overage, amount| ContractCharge { actual_quantity: None, ..of(overage, amount) };
    let silent = || ContractCharge { overage_quantity: None, overage_charge: None, ..of("0", "0") };
    for charges in [
        vec![without_row("0", "0")],
        vec![of("500", "5"), without_row("0", "0")],
        vec![of("500", "5"), silent()],
        vec![charge(&["o-1", "o-3"], "11500", "115")],
        vec![charge(&["o-1", "partner"], "1", "1")],
        vec![charge(&["partner"], "1", "1"), charge(&["o-1", "partner"], "1", "1")],
        vec![charge(&[], "1", "1")],
        vec![charge(&[""], "11500", "115")],
        vec![of("11500", "115"), charge(&[], "1", "1")],
        vec![of("11500", "115"), charge(&["o-1", "o-2"], "11500", "115")],
        vec![of("12000", "120"), charge(&["o-2", "o-1"], "11000", "110")],
        vec![charge(&["o-1", "o-2"], "1", "1"), charge(&["o-2", "o-3"], "1", "1")],
        vec![of("1", "1"), of("1", "1")],
    ] {
        let (found, of_bills) = rows(&[&bill(), &other], charges.clone());
        let of_charges: Vec<_> = found.rows.iter().map(|row| row.billing_reason).collect();
        assert!(of_charges.iter().all(|reason| *reason == SeeInvoice), "{of_charges:?} {charges:?}");
        assert_eq!(of_bills[0].billing_reason, SeeInvoice, "{charges:?}");
    }
    let agreeing = vec![of("11500", "115"), without_row("0", "0")];
    assert_eq!(reasons(&bill(), agreeing), (vec![BillingReason::NotABillingBasis], BillingReason::Usage));
}

#[test]
fn other_numbers_are_unknown_unless_all_contracts_were_read() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let mut bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let reasons_without = |not_read: &[&str], bill: &ClientBill, overage, amount| {
        let (found, of_bill) = rows_of(&[bill], vec![charge(&["o-1"], overage, amount)], Some(not_read));
        (found.rows[0].billing_reason, of_bill[0].billing_reason)
    };
    let reasons = |bill: &ClientBill, overage, amount| reasons_without(&[], bill, overage, amount);
    for (overage, amount) in [("500", "5"), ("12000", "120")] {
        assert_eq!(reasons(&bill, overage, amount), (SeeInvoice, SeeInvoice), "{overage}");
        assert_eq!(reasons_without(&["o-1"], &bill, overage, amount), (SeeInvoice, SeeInvoice), "{overage}");
        let of_another = reasons_without(&["o-2"], &bill, overage, amount);
        assert_eq!(
            of_another,
            (Usage, NotABillingBasis),
            "{overage}: the contract of another organization was not read"
        );
    }
    assert_eq!(reasons(&bill, "11500", "115"), (NotABillingBasis, Usage));
    bill.lines[0].see_invoice.push(Reason::AllowanceMayApply);
    (bill.lines[0].overage_quantity, bill.lines[0].amount) = (None, None);
    assert_eq!(reasons(&bill, "500", "5"), (SeeInvoice, SeeInvoice));
}

/// Returns a charge for what is beyond the prepaid quantity of [`bill`].
fn with_prepaid(organizations: &[&str], overage: &str, amount: &str) -> ContractCharge {
    let prepaid_quantity = Some(Decimal::from(50_000 * organizations.len()));
    ContractCharge { prepaid_quantity, ..charge(organizations, overage, amount) }
}

#[test]
fn billable_charge_takes_over_the_prepaid_amount() {
    let bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    let charges = [with_prepaid(&["o-1"], "12000", "120"), charge(&["o-1"], "1", "0.01")];
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
fn amount_is_known_only_with_the_same_prepaid_quantity_and_its_amount() {
    use SubscriptionType::{MonthToMonth, Prepay, PrepayMonthlyCommitment};
    let known = |prepaid: i64| (Some(Decimal::from(prepaid)), Some(Decimal::from(120 + prepaid)));
    let unknown = (None, None);
    for (subscription, of_bill, of_contract, expected) in [
        (PrepayMonthlyCommitment, (50_000, Some(500)), Some(50_000), known(500)),
        (PrepayMonthlyCommitment, (50_000, Some(500)), Some(0), unknown),
        (PrepayMonthlyCommitment, (50_000, Some(500)), None, unknown),
        (PrepayMonthlyCommitment, (0, Some(0)), Some(50_000), unknown),
        (PrepayMonthlyCommitment, (0, Some(0)), Some(0), known(0)),
        (PrepayMonthlyCommitment, (50_000, None), Some(50_000), unknown),
        (PrepayMonthlyCommitment, (50_000, None), Some(0), unknown),
        (MonthToMonth, (0, Some(0)), Some(0), known(0)),
        (Prepay, (50_000, None), Some(50_000), (None, Some(120.into()))),
        (Prepay, (0, Some(0)), Some(0), known(0)),
    ] {
        let mut bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
        bill.subscription_type = Some(subscription);
        bill.lines[0].charge.prepaid_quantity = of_bill.0.into();
        bill.lines[0].prepaid_amount = of_bill.1.map(Decimal::from);
        let charge =
            ContractCharge { prepaid_quantity: of_contract.map(Decimal::from), ..charge(&["o-1"], "12000", "120") };
        let label = format!("{:?} {of_bill:?} {of_contract:?}", bill.subscription_type);
        let row = rows(&[&bill], vec![charge]).0.rows.remove(0);
        assert_eq!(row.billing_reason, BillingReason::Usage, "{label}");
        assert_eq!((row.prepaid_amount, row.amount), expected, "{label}");
    }
    // Without a price of what is prepaid, the amount of each charge is unknown.
    let mut bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    bill.lines[0].prepaid_amount = None;
    let found = rows(&[&bill], vec![charge(&["o-1"], "1", "5"), with_prepaid(&["o-1"], "1", "110")]).0;
    assert!(found.rows.iter().all(|row| row.amount.is_none() && row.cost.is_some()), "{found:?}");
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
        let charge = ContractCharge { currency, ..with_prepaid(&["o-1", "o-2"], "1", "7") };
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
fn charge_has_the_subscription_type_of_all_bills_that_it_replaces() {
    use SubscriptionType::{MonthToMonth, PrepayMonthlyCommitment};
    let (start, end) = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
    for (other, expected) in [(PrepayMonthlyCommitment, Some("PREPAY_MONTHLY_COMMITMENT")), (MonthToMonth, None)] {
        let mut bills = ["o-1", "o-2"].map(|id| bill(id, start, end, "GC-VTR"));
        bills[1].subscription_type = Some(other);
        let row = rows(&[&bills[0], &bills[1]], vec![with_prepaid(&["o-1", "o-2"], "1", "7")]).0.rows.remove(0);
        assert_eq!((row.billing_reason, row.subscription_type.as_deref()), (BillingReason::Usage, expected));
    }
}

#[test]
fn overage_amount_of_the_vendor_replaces_ours_under_any_terms() {
    let row = |change: fn(&mut ClientBill), amount: &str| {
        let mut bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
        change(&mut bill);
        let charge = ContractCharge { overage_rate: Some(Decimal::TWO), ..with_prepaid(&["o-1"], "11500", amount) };
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
fn charge_for_a_part_is_compared_with_its_total() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let usage = |name: &str, grouping: &str, unit: &str, usage: &str, prepaid: &str| {
        json!({"name": name, "partNumber": name, "grouping": grouping, "unitOfMeasureType": unit, "usageQuantity": usage,
            "prepayQuantity": prepaid, "prepayPrice": "1", "overagePrice": "1"})
    };
    let part = |of_part: &str| usage("GC-VTR", "rollup-usage", "token", of_part, "0");
    let in_sessions = usage("GC-VTR", "rollup-usage", "session", "7", "0");
    let free = |quantity: &str| usage("AI", "fair-use", "token", quantity, "0");
    let total = |quantity: &str, prepaid: &str| usage("AI", "rollup", "token", quantity, prepaid);
    let of_total =
        |overage: &str| ContractCharge { part_number: "AI".to_owned(), ..charge(&["o-1"], overage, overage) };
    let of_part = |overage: &str| charge(&["o-1"], overage, overage);
    let unreadable = || ContractCharge { actual_quantity: None, ..of_total("1") };
    for (usages, charges, expected) in [
        (json!([free("60"), total("100", "0"), part("100")]), vec![of_part("40")], Usage),
        (json!([free("60"), total("100", "0"), part("100")]), vec![of_part("41")], SeeInvoice),
        (json!([free("60"), total("100", "0"), part("100")]), vec![of_part("30"), of_total("10")], Usage),
        (
            json!([free("60"), total("100", "0"), part("100")]),
            vec![of_part("40"), of_total("5"), unreadable()],
            SeeInvoice,
        ),
        (json!([total("100", "100"), part("100")]), vec![of_part("40")], SeeInvoice),
        (json!([total("100", "100"), part("100")]), vec![of_part("0")], Usage),
        // An allowance of tokens may apply beyond what is prepaid.
        (json!([total("100", "99"), part("100")]), vec![of_part("1")], SeeInvoice),
        (json!([total("100", "0"), part("40")]), vec![of_part("100")], SeeInvoice),
        (json!([free("60"), total("100", "0"), in_sessions]), vec![of_part("40")], Usage),
        (json!([free("60"), total("100", "0"), in_sessions]), vec![of_part("41")], SeeInvoice),
        (
            json!([free("60"), total("100", "0"), part("100"), usage("MB", "rollup", "megabyte", "5", "5")]),
            vec![of_part("40")],
            Usage,
        ),
        // The unknown total of another unit does not contain the part.
        (
            json!([free("60"), total("100", "0"), part("100"), usage("MB", "rollup", "megabyte", "9", "5")]),
            vec![of_part("40")],
            Usage,
        ),
    ] {
        let (found, of_bill) = rows(&[&october(usages.clone())], charges);
        let of_charges = if expected == Usage { NotABillingBasis } else { expected };
        assert!(found.rows.iter().all(|row| row.billing_reason == of_charges), "{usages} {found:?}");
        let of_total = of_bill.iter().find(|row| row.sku == "AI" && row.vendor_grouping.as_deref() == Some("rollup"));
        assert_eq!(of_total.unwrap().billing_reason, expected, "{usages}");
    }
    let (found, _) = rows(&[&october(json!([part("100")]))], vec![of_part("1")]);
    assert_eq!(found.rows[0].billing_reason, SeeInvoice, "without a total");
}

#[test]
fn charge_for_storage_by_category_is_compared_with_storage() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let usage = |sku: &str, grouping: &str, unit: &str, usage: &str| {
        json!({"name": sku, "partNumber": sku, "grouping": grouping, "unitOfMeasureType": unit, "usageQuantity": usage, "prepayQuantity": "0",
            "overagePrice": "1"})
    };
    let of =
        |sku: &str, amount: &str| ContractCharge { part_number: sku.to_owned(), ..charge(&["o-1"], amount, amount) };
    let (storage, category) = (usage("STOR", "storage", "GB", "150"), usage("STC", "storage-category", "GB", "80"));
    let in_other_unit = usage("STC", "storage-category", "gigabyte-month", "80");
    let both = || json!([storage, category]);
    for (usages, charges, of_charges, of_storage) in [
        (both(), vec![of("STC", "80")], SeeInvoice, Some(SeeInvoice)),
        (json!([category, storage]), vec![of("STC", "0")], SeeInvoice, Some(SeeInvoice)),
        (json!([storage, in_other_unit]), vec![of("STC", "80")], SeeInvoice, Some(SeeInvoice)),
        (both(), vec![of("STC", "80"), of("STOR", "70")], SeeInvoice, Some(SeeInvoice)),
        (both(), vec![of("STOR", "150")], NotABillingBasis, Some(Usage)),
        (both(), vec![of("STOR", "70")], Usage, Some(NotABillingBasis)),
        (json!([category]), vec![of("STC", "80")], NotABillingBasis, None),
        (json!([category]), vec![of("STC", "70")], Usage, None),
    ] {
        let (found, of_bill) = rows(&[&october(usages.clone())], charges);
        assert!(found.rows.iter().all(|row| row.billing_reason == of_charges), "{usages} {found:?}");
        let reason = |sku: &str| of_bill.iter().find(|row| row.sku == sku).map(|row| row.billing_reason);
        assert_eq!(reason("STOR"), of_storage, "{usages}");
        let is_billed = reason("STC") == Some(Usage);
        assert!(!is_billed || of_storage.is_none(), "{usages}");
    }
    assert_eq!(rows(&[&october(both())], Vec::new()).1[1].billing_reason, SeeInvoice);
    // A charge of 0 for a category leaves the charge for storage to be compared alone.
    for (of_storage, expected) in [("150", (NotABillingBasis, Usage)), ("70", (Usage, NotABillingBasis))] {
        let (found, of_bill) = rows(&[&october(both())], vec![of("STOR", of_storage), of("STC", "0")]);
        assert_eq!((found.rows[0].billing_reason, of_bill[0].billing_reason), expected, "{of_storage}");
        assert_eq!((found.rows[1].is_billable, of_bill[1].is_billable), (None, None), "{of_storage}");
    }
}

#[test]
fn charge_is_compared_with_the_row_of_its_name_if_a_part_number_is_missing() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let usage = |name: &str, part_number: &str, usage: &str| {
        json!({"name": name, "partNumber": part_number, "grouping": "resource", "unitOfMeasureType": "minute", "usageQuantity": usage,
            "prepayQuantity": "0", "overagePrice": "1"})
    };
    let of = |name: &str, part_number: &str, amount: &str| ContractCharge {
        name: name.to_owned(),
        part_number: part_number.to_owned(),
        ..charge(&["o-1"], amount, amount)
    };
    let unknown = (SeeInvoice, SeeInvoice);
    for (usages, charges, expected) in [
        (vec![usage("Voice", "P1", "10")], vec![of("voice ", "", "10")], (NotABillingBasis, Usage)),
        (vec![usage("Voice", "P1", "10")], vec![of("Voice", "", "9")], unknown),
        (vec![usage("Voice", "", "10")], vec![of("Voice", "P1", "10")], (NotABillingBasis, Usage)),
        (vec![usage("Voice", "", "10")], vec![of("Voice", "P1", "9")], unknown),
        (vec![usage("Voice", "", "10")], vec![of("Voice", "", "9")], (Usage, NotABillingBasis)),
        (vec![usage("", "P1", "10")], vec![of("", "p1", "9")], (Usage, NotABillingBasis)),
        // Two products of one name.
        (
            vec![usage("Voice", "P1", "10"), usage("Voice", "P2", "5")],
            vec![of("Voice", "", "15")],
            (NotABillingBasis, Usage),
        ),
        (vec![usage("Voice", "P1", "10"), usage("Voice", "P2", "5")], vec![of("Voice", "", "10")], unknown),
        (
            vec![usage("Voice", "P1", "10")],
            vec![of("Voice", "", "4"), of("Voice", "P1", "6")],
            (NotABillingBasis, Usage),
        ),
        (vec![usage("Voice", "P1", "10")], vec![of("Voice", "", "4"), of("Voice", "P1", "10")], unknown),
        // The part number takes precedence, and its contract has no charge for the other product.
        (
            vec![usage("Voice", "P1", "10"), usage("Text", "Voice", "7")],
            vec![of("Voice", "P1", "10")],
            (NotABillingBasis, Usage),
        ),
        (vec![usage("Voice", "P1", "10")], vec![of("Voice", "P2", "9")], unknown),
        (vec![usage("Voice", "P1", "10")], vec![of("Text", "", "9")], unknown),
    ] {
        let (found, of_bill) = rows(&[&october(json!(usages))], charges.clone());
        let label = format!("{usages:?} {charges:?}");
        assert!(found.rows.iter().all(|row| row.billing_reason == expected.0), "{label} {found:?}");
        assert_eq!(of_bill[0].billing_reason, expected.1, "{label}");
    }
    // A charge of any organization.
    let unstated = ContractCharge { organizations: Vec::new(), ..of("Voice", "", "9") };
    let (found, of_bill) = rows(&[&october(json!([usage("Voice", "P1", "10")]))], vec![unstated]);
    assert_eq!((found.rows[0].billing_reason, of_bill[0].billing_reason), unknown);
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
fn overage_without_a_charge_in_a_complete_contract_is_unknown() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let usage = |sku: &str, usage: &str| {
        json!({"name": sku, "partNumber": sku, "grouping": "resource", "unitOfMeasureType": "minute", "usageQuantity": usage,
            "prepayQuantity": "5", "prepayPrice": "1", "overagePrice": "1"})
    };
    let bill = october(json!([usage("GC-VTR", "15"), usage("GC-IVR", "9"), usage("GC-SMS", "4")]));
    let agreeing = || ContractCharge { prepaid_quantity: Some(5.into()), ..charge(&["o-1"], "10", "10") };
    let of_september = ContractCharge { period: "2026-09".parse().unwrap(), ..agreeing() };
    let shared = ContractCharge { part_number: "GC-X".to_owned(), ..charge(&["o-1", "o-2"], "1", "1") };
    for (charges, not_read, expected) in [
        (vec![agreeing()], None, [Usage, SeeInvoice, Usage]),
        (vec![agreeing()], Some(&[][..]), [Usage, Usage, Usage]),
        (vec![agreeing()], Some(&["o-2", "o-1"]), [Usage, Usage, Usage]),
        (vec![agreeing()], Some(&["o-2"]), [Usage, SeeInvoice, Usage]),
        (vec![], None, [Usage, Usage, Usage]),
        (vec![charge(&["o-2"], "10", "10")], None, [Usage, Usage, Usage]),
        (vec![of_september], None, [Usage, Usage, Usage]),
        (vec![charge(&["o-1"], "11", "11")], None, [NotABillingBasis, SeeInvoice, Usage]),
        (vec![shared], None, [SeeInvoice, SeeInvoice, Usage]),
    ] {
        let (_, of_bill) = rows_of(&[&bill], charges.clone(), not_read);
        let found: Vec<_> = of_bill.iter().map(|row| row.billing_reason).collect();
        assert_eq!(found, expected, "{charges:?} {not_read:?}");
    }
    let mut unknown = bill;
    unknown.lines[1].overage_quantity = None;
    assert_eq!(rows(&[&unknown], vec![agreeing()]).1[1].billing_reason, SeeInvoice);
}

#[test]
fn wallet_and_charge_in_tokens_leave_other_numbers_of_a_bill_unknown() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let usage = |sku: &str, grouping: &str, usage: &str| {
        json!({"name": sku, "partNumber": sku, "grouping": grouping, "unitOfMeasureType": "token", "usageQuantity": usage,
            "prepayQuantity": "0", "overagePrice": "1"})
    };
    let part = usage("GC-VA", "rollup-usage", "41250.5");
    let tokens = [usage("GC-AIT", "rollup", "41250.5"), usage("GC-AIT", "fair-use", "35000"), part];
    let of =
        |sku: &str, amount: &str| ContractCharge { part_number: sku.to_owned(), ..charge(&["o-1"], amount, amount) };
    let wallet = |amount: &str| ContractCharge { is_wallet: true, prepaid_quantity: None, ..of("GC-AIT", amount) };
    let of_organizations = |ids: &[&str], wallet: ContractCharge| ContractCharge {
        organizations: ids.iter().map(|id| Organization::new(*id, None)).collect(),
        ..wallet
    };
    let unnamed = |amount: &str| ContractCharge { part_number: String::new(), name: String::new(), ..wallet(amount) };
    let converted = |sku: &str, amount: &str, count: i64| ContractCharge {
        converted_token_count: Some(count.into()),
        ..of(sku, amount)
    };
    let (agreeing, other) = (of("GC-AIT", "6250.5"), of("GC-AIT", "5000"));
    let unread = ContractCharge { actual_quantity: None, ..wallet("5") };
    let (agree, unknown, charged) = ((NotABillingBasis, Usage), (SeeInvoice, SeeInvoice), (Usage, NotABillingBasis));
    for (charges, expected) in [
        (vec![agreeing.clone(), wallet("0")], agree),
        (vec![agreeing.clone(), of_organizations(&["o-1", "o-2"], wallet("0"))], agree),
        (vec![agreeing.clone(), wallet("5")], unknown),
        (vec![agreeing.clone(), unread], unknown),
        (vec![agreeing.clone(), of_organizations(&["o-2", "o-1"], wallet("5"))], unknown),
        (vec![agreeing.clone(), of_organizations(&["o-2"], wallet("5"))], agree),
        (vec![agreeing.clone(), of_organizations(&["partner"], wallet("5"))], agree),
        (vec![agreeing.clone(), of_organizations(&[], wallet("5"))], agree),
        (vec![agreeing.clone(), of_organizations(&[""], wallet("5"))], agree),
        (vec![agreeing.clone(), ContractCharge { part_number: "GC-OTHER".to_owned(), ..wallet("5") }], agree),
        (vec![agreeing.clone(), unnamed("5")], agree),
        (vec![other.clone()], charged),
        (vec![other.clone(), wallet("0")], unknown),
        (vec![other.clone(), unnamed("0")], charged),
        (vec![other.clone(), of_organizations(&["o-2"], wallet("0"))], charged),
        (vec![converted("GC-AIT", "6250.5", 3)], agree),
        (vec![agreeing.clone(), converted("GC-VA", "0", 3)], agree),
        (vec![agreeing.clone(), converted("GC-VA", "30", 3)], unknown),
        (vec![converted("GC-AIT", "5000", 3)], unknown),
        (vec![converted("GC-AIT", "5000", 0)], charged),
    ] {
        let (found, of_bill) = rows(&[&october(json!(tokens))], charges.clone());
        let is_wallet = |row: &&UsageRow| charges[usize::try_from(row.source_row.unwrap() - 1).unwrap()].is_wallet;
        let (wallets, of_charges): (Vec<_>, Vec<_>) = found.rows.iter().partition(is_wallet);
        assert!(of_charges.iter().all(|row| row.billing_reason == expected.0), "{charges:?}");
        assert!(wallets.iter().all(|row| row.billing_reason == SeeInvoice), "{charges:?}");
        assert_eq!(of_bill[0].billing_reason, expected.1, "{charges:?}");
    }
    // The contract has no charge for the tokens.
    for (wallet, not_read, expected) in [
        (wallet("0"), None, SeeInvoice),
        (wallet("0"), Some(&[][..]), Usage),
        (wallet("5"), None, SeeInvoice),
        (wallet("5"), Some(&[][..]), SeeInvoice),
        (ContractCharge { part_number: "GC-OTHER".to_owned(), ..wallet("0") }, None, SeeInvoice),
    ] {
        let (_, of_bill) = rows_of(&[&october(json!(tokens))], vec![wallet.clone()], not_read);
        assert_eq!(of_bill[0].billing_reason, expected, "{wallet:?} {not_read:?}");
    }
}

#[test]
fn equal_charges_of_two_contracts_leave_the_bill_unknown() {
    let bill = bill("o-1", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "GC-VTR");
    for ids in [[None, None], [Some("c1"), Some("c1")], [Some("c1"), Some("c2")]] {
        let [one, other] =
            ids.map(|id| ContractCharge { id: id.map(str::to_owned), ..with_prepaid(&["o-1"], "11500", "115") });
        let other = ContractCharge { contract: "CN-2".to_owned(), ..other };
        let (found, of_bill) = rows(&[&bill], vec![one, other]);
        let reasons: BTreeSet<_> = found.rows.iter().chain(&of_bill[..1]).map(|row| row.billing_reason).collect();
        assert_eq!(reasons, [BillingReason::SeeInvoice].into(), "{ids:?}");
    }
}

#[test]
fn equal_charges_without_overage_agree_with_a_bill_without_overage() {
    use BillingReason::{NotABillingBasis, SeeInvoice, Usage};
    let usage = |used: &str| {
        json!([{"name": "Voice", "partNumber": "GC-VTR", "grouping": "resource", "unitOfMeasureType": "minute", "usageQuantity": used,
            "prepayQuantity": "50000", "prepayPrice": "0.01", "overagePrice": "0.01"}])
    };
    let of = |contract: &str, prepaid: i64| ContractCharge {
        contract: contract.to_owned(),
        prepaid_quantity: Some(prepaid.into()),
        ..charge(&["o-1"], "0", "0")
    };
    for (used, charges, expected) in [
        ("40000", vec![of("CN-1", 50_000), of("CN-2", 50_000)], (NotABillingBasis, Usage)),
        ("40000", vec![of("CN-1", 50_000), of("CN-1", 50_000)], (NotABillingBasis, Usage)),
        ("40000", vec![of("CN-1", 0), of("CN-2", 0)], (NotABillingBasis, Usage)),
        ("40000", vec![of("CN-1", 40_000), of("CN-2", 40_000)], (SeeInvoice, SeeInvoice)),
        ("61500", vec![of("CN-1", 50_000), of("CN-2", 50_000)], (SeeInvoice, SeeInvoice)),
    ] {
        let (found, of_bill) = rows(&[&october(usage(used))], charges.clone());
        assert!(found.rows.iter().all(|row| row.billing_reason == expected.0), "{used} {charges:?}");
        assert_eq!(of_bill[0].billing_reason, expected.1, "{used} {charges:?}");
    }
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
fn outcome(
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
            let overview = json!({"billingPeriodStartDate": start, "billingPeriodEndDate": end, "usages": [usage], "currency": "EUR"});
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
            let (of_charges, of_bills) = outcome(&bills, &charges, turn);
            let of = |row: &UsageRow| (row.sku.clone(), row.source_row, row.billing_reason, row.amount, row.prepaid_amount);
            (of_charges.iter().map(of).collect::<Vec<_>>(), of_bills.iter().map(of).collect::<Vec<_>>())
        };
        prop_assert_eq!(billing(0), billing(turn));
    }

    #[test]
    fn usage_is_billed_by_charges_or_by_the_bill_or_unknown(bills in bills(), charges in charges()) {
        let (of_charges, of_bills) = outcome(&bills, &charges, 0);
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
