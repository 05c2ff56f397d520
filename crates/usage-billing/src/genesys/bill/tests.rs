use proptest::prelude::*;

use super::*;
use crate::BillingReason;
use crate::genesys::charge::ChargedItem;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn item(position: u64, name: &str, part_number: &str, grouping: &str, unit: &str) -> ChargedItem {
    let owned = str::to_owned;
    ChargedItem {
        position,
        name: owned(name),
        part_number: owned(part_number),
        grouping: owned(grouping),
        unit: owned(unit),
    }
}

/// Returns a charge at 0.25 for each unit of overage and 0.20 for each prepaid one.
fn charge(name: &str, grouping: &str, usage: &str, prepaid: &str) -> Charge {
    Charge {
        item: item(1, name, name, grouping, "minute"),
        usage_quantity: decimal(usage),
        prepaid_quantity: decimal(prepaid),
        prepaid_price: Some(decimal("0.20")),
        overage_price: Some(decimal("0.25")),
        bundle_quantity: None,
        is_third_party: Some(false),
    }
}

fn monthly() -> Terms {
    terms(Some(SubscriptionType::PrepayMonthlyCommitment))
}

fn terms(subscription: Option<SubscriptionType>) -> Terms {
    Terms { has_currency: true, is_whole_month: true, subscription, ramp: RampPeriod::Outside }
}

fn one(charge: Charge, terms: &Terms) -> BillLine {
    lines(vec![charge], &[], terms).remove(0)
}

fn numbers(line: &BillLine) -> (Option<String>, Option<String>) {
    (line.overage_quantity.map(|number| number.to_string()), line.amount.map(|amount| amount.normalize().to_string()))
}

fn known(overage: &str, amount: &str) -> (Option<String>, Option<String>) {
    (Some(overage.to_owned()), Some(amount.to_owned()))
}

#[test]
fn month_is_charged_for_commitment_and_overage() {
    for (usage, prepaid, expected) in [
        ("1250", "1000", known("250", "262.5")),
        ("1000", "1000", known("0", "200")),
        ("400", "1000", known("0", "200")),
        ("0", "0", known("0", "0")),
        ("0.5", "0", known("0.5", "0.125")),
    ] {
        let line = one(charge("Voice", "resource", usage, prepaid), &monthly());
        assert_eq!(numbers(&line), expected, "{usage} {prepaid}");
        assert_eq!((line.is_billable(), line.see_invoice), (Some(true), Vec::new()));
    }
}

#[test]
fn subscription_type_is_charged_as_documented_or_unknown() {
    let (wanted, none) = (|text: &str| Some(text.to_owned()), None);
    for (subscription, prepaid_amount, amount) in [
        ("PREPAY_MONTHLY_COMMITMENT", wanted("200"), wanted("262.5")),
        ("PREPAY", none.clone(), wanted("62.5")),
        ("MONTH_TO_MONTH", none.clone(), none.clone()),
        ("ININ", none.clone(), none.clone()),
        ("FREE_TRIAL_MONTH_TO_MONTH", none.clone(), none.clone()),
        ("DEV_ORG_MONTH_TO_MONTH", none.clone(), none.clone()),
        ("DEV_ORG_PREPAY_MONTHLY_COMMITMENT", none.clone(), none.clone()),
        ("DEV_ORG_PREPAY", none.clone(), none.clone()),
        ("A_NEW_TYPE", none.clone(), none.clone()),
    ] {
        let line = one(charge("Voice", "resource", "1250", "1000"), &terms(Some(subscription.into())));
        let text = |amount: Option<Decimal>| amount.map(|amount| amount.normalize().to_string());
        assert_eq!((text(line.prepaid_amount), text(line.amount)), (prepaid_amount, amount.clone()), "{subscription}");
        assert_eq!(line.overage_quantity, Some(decimal("250")), "{subscription}: the quantity does not depend on it");
        let is_documented = ["PREPAY_MONTHLY_COMMITMENT", "PREPAY", "MONTH_TO_MONTH"].contains(&subscription);
        assert_eq!(line.is_billable(), is_documented.then_some(true), "{subscription}");
        assert_eq!(line.see_invoice.is_empty(), subscription == "PREPAY_MONTHLY_COMMITMENT", "{subscription}");
    }
    let line = one(charge("Voice", "resource", "250", "0"), &terms(Some(SubscriptionType::MonthToMonth)));
    assert_eq!((numbers(&line), line.see_invoice.len()), (known("250", "62.5"), 0));
    let line = one(charge("Voice", "resource", "250", "0"), &terms(None));
    assert_eq!(line.see_invoice, [SeeInvoice::SubscriptionType { subscription_type: String::new() }]);
    let free = vec![charge("Voice", "resource", "40", "0"), charge("Voice", "fair-use", "50", "0")];
    let line = lines(free, &[], &terms(Some(SubscriptionType::FreeTrialMonthToMonth))).remove(0);
    assert_eq!((numbers(&line), line.is_billable()), ((Some("0".to_owned()), None), None), "also within the allowance");
    let line = one(charge("Voice", "resource", "0", "0"), &terms(None));
    assert_eq!(numbers(&line), known("0", "0"), "no usage has no cost");
}

#[test]
fn only_bundles_of_one_or_none_are_computed() {
    for bundle in [None, Some("0"), Some("1"), Some("1.0"), Some("0.00")] {
        let line = one(
            Charge { bundle_quantity: bundle.map(decimal), ..charge("SMS", "messaging-usage", "2500", "0") },
            &monthly(),
        );
        assert_eq!(numbers(&line), known("2500", "625"), "{bundle:?}");
    }
    let bundled = |usage, prepaid| {
        one(
            Charge { bundle_quantity: Some(decimal("1000")), ..charge("SMS", "messaging-usage", usage, prepaid) },
            &monthly(),
        )
    };
    let line = bundled("2500", "0");
    assert_eq!((numbers(&line), line.is_billable()), ((None, None), None));
    assert_eq!(line.see_invoice, [SeeInvoice::Bundle { quantity: decimal("1000") }]);
    assert_eq!(numbers(&bundled("0", "0")), known("0", "0"));
    assert_eq!(numbers(&bundled("0", "3")), (Some("0".to_owned()), None), "the size of the prepaid bundles is unknown");
}

/// Returns the overage after the allowance, and the included quantity, for each charge.
fn with_allowances(charges: Vec<Charge>) -> Vec<(Option<String>, String)> {
    let lines = lines(charges, &[], &monthly());
    let text = |line: &BillLine| (numbers(line).0, line.included_quantity.to_string());
    lines.iter().map(text).collect()
}

fn overage(overage: &str, included: &str) -> (Option<String>, String) {
    (Some(overage.to_owned()), included.to_owned())
}

fn unknown(included: &str) -> (Option<String>, String) {
    (None, included.to_owned())
}

#[test]
fn allowance_reduces_the_charge_of_its_part_number_or_name() {
    let fair_use = |name: &str, quantity| charge(name, "fair-use", quantity, "0");
    let used = |name: &str, usage, prepaid| charge(name, "resource", usage, prepaid);
    assert_eq!(with_allowances(vec![fair_use("A", "50"), used("A", "61.5", "0")])[1], overage("11.5", "50"));
    assert_eq!(with_allowances(vec![used("A", "61.5", "10"), fair_use("a ", "50")])[0], overage("1.5", "50"));
    assert_eq!(with_allowances(vec![used("A", "20", "0"), fair_use("A", "50")])[0], overage("0", "50"));
    assert_eq!(with_allowances(vec![used("A", "20", "0"), fair_use("B", "50")])[0], overage("20", "0"), "another's");
    let mut by_name = vec![used("A", "61.5", "0"), fair_use("A", "50")];
    by_name[1].item.part_number = "FAIR-A".to_owned();
    assert_eq!(with_allowances(by_name)[0], overage("11.5", "50"));
    let mut by_part_number = vec![used("A", "61.5", "0"), fair_use("B", "50"), used("B", "10", "0")];
    by_part_number[1].item.part_number = "A".to_owned();
    let found = with_allowances(by_part_number);
    assert_eq!(
        (&found[0], &found[2]),
        (&overage("11.5", "50"), &overage("10", "0")),
        "the part number outranks the name"
    );
    let two = with_allowances(vec![used("A", "61.5", "0"), fair_use("A", "50"), fair_use("A", "5")]);
    assert_eq!(two[0], overage("6.5", "55"));
}

#[test]
fn allowance_of_several_charges_leaves_them_unknown() {
    let fair_use = charge("A", "fair-use", "50", "0");
    let used = |usage| charge("A", "resource", usage, "0");
    let bundled = Charge { bundle_quantity: Some(decimal("0.5")), ..used("40") };
    for other in [used("40"), used("-50"), bundled, Charge { overage_price: Some(decimal("9")), ..used("40") }] {
        for charges in [[used("30"), other.clone(), fair_use.clone()], [fair_use.clone(), other.clone(), used("30")]] {
            let found = lines(charges.to_vec(), &[], &monthly());
            let lines = found.iter().filter(|line| line.role == ChargeRole::Usage);
            for line in lines {
                assert_eq!((numbers(line), line.included_quantity), ((None, None), Decimal::ZERO), "{charges:?}");
            }
        }
    }
    let within = with_allowances(vec![charge("A", "resource", "3", "4"), used("40"), fair_use]);
    assert_eq!(within[..2], [overage("0", "0"), unknown("0")], "nothing is beyond what is prepaid");
}

#[test]
fn allowances_of_overlapping_charges_do_not_depend_on_their_order() {
    let named = |name: &str, part_number: &str, grouping: &str, usage: &str| Charge {
        item: item(1, name, part_number, grouping, "minute"),
        ..charge(name, grouping, usage, "0")
    };
    let charges = vec![
        named("both", "SK-I", "fair-use", "100"),
        named("a", "FREE", "fair-use", "50"),
        named("a", "SK-I", "resource", "80"),
        named("b", "SK-I", "resource", "150"),
    ];
    for turn in 0..4 {
        let mut charges = charges.clone();
        charges.rotate_left(turn);
        let found = lines(charges, &[], &monthly());
        assert!(found.iter().filter(|line| line.role == ChargeRole::Usage).all(|line| line.amount.is_none()), "{turn}");
    }
}

#[test]
fn charge_that_may_contain_an_unknown_one_with_an_allowance_is_unknown() {
    let named = |name: &str, part_number: &str, grouping: &str, usage: &str| Charge {
        item: item(1, name, part_number, grouping, "unit"),
        ..charge(name, grouping, usage, "0")
    };
    let stored = vec![
        named("Storage", "GC-STC", "fair-use", "100"),
        named("Category", "GC-STC", "storage-category", "80"),
        named("Storage", "GC-STOR", "storage", "150"),
    ];
    let line = lines(stored, &[], &monthly()).remove(2);
    assert_eq!((numbers(&line), &*line.see_invoice), ((None, None), &[SeeInvoice::AllowanceShared][..]));
    let tokens = |of_part: &str| {
        vec![
            named("AI", "AI", "fair-use", "100"),
            named("P1", "P1", "fair-use", of_part),
            named("AI", "AI", "rollup", "700"),
            named("P1", "P1", "rollup-usage", "600"),
        ]
    };
    let unread = item(9, "P2", "P2", "rollup-usage", "unit");
    let found = lines(tokens("200"), &[&unread], &monthly());
    assert_eq!((numbers(&found[2]), found[3].is_billable()), ((None, None), None));
    let mut complete = tokens("200");
    complete.push(named("P2", "P2", "rollup-usage", "100"));
    complete.push(Charge { item: item(1, "MB", "MB", "rollup", "megabyte"), ..charge("MB", "rollup", "5", "5") });
    let found = lines(complete, &[], &monthly());
    assert_eq!(numbers(&found[2]), known("400", "100"), "totals of another unit do not contain the part");
}

#[test]
fn allowance_beside_an_unknown_charge_leaves_all_charges_unknown() {
    let stored = |grouping: &str, usage: &str| charge("STOR", grouping, usage, "0");
    let (category, storage) = (stored("storage-category", "80"), stored("storage", "150"));
    let allowance = stored("fair-use", "100");
    for charges in [
        [allowance.clone(), category.clone(), storage.clone()],
        [storage.clone(), category.clone(), allowance.clone()],
        [stored("rollup-usage", "800"), storage.clone(), allowance.clone()],
        [storage.clone(), stored("surprise", "1"), allowance.clone()],
    ] {
        let line =
            lines(charges.to_vec(), &[], &monthly()).into_iter().find(|line| line.role == ChargeRole::Usage).unwrap();
        assert_eq!((numbers(&line), line.is_billable()), ((None, None), None), "{charges:?}");
        assert_eq!(line.see_invoice, [SeeInvoice::AllowanceShared]);
    }
    let found = with_allowances(vec![storage, allowance]);
    assert_eq!(found[0], overage("50", "100"), "without an unknown charge");
}

#[test]
fn allowance_of_an_unknown_charge_leaves_those_that_may_contain_it_unknown() {
    let named = |name: &str, part_number: &str, grouping: &str, unit: &str, usage: &str| Charge {
        item: item(1, name, part_number, grouping, unit),
        ..charge(name, grouping, usage, "0")
    };
    let fair_use = |name: &str| named(name, "X", "fair-use", "minute", "100");
    for (unknown, other, allowance, expected) in [
        // Of an unlisted grouping: other charges of its unit, and those of the allowance's name.
        (named("x", "X", "telephony", "minute", "80"), named("Voice", "V", "resource", "minute", "150"), "x", None),
        (named("x", "X", "telephony", "minute", "80"), named("Voice", "V", "resource", "Minute ", "150"), "x", None),
        (named("x", "X", "", "minute", "80"), named("Voice", "V", "messaging", "minute", "150"), "x", None),
        (named("x", "X", "telephony", "minute", "80"), named("Voice", "V", "resource", "second", "150"), "Voice", None),
        (
            named("x", "X", "telephony", "minute", "80"),
            named("Voice", "V", "resource", "second", "150"),
            "Voice fair use",
            None,
        ),
        (
            named("x", "X", "telephony", "minute", "80"),
            named("Voice", "V", "resource", "second", "150"),
            "x",
            Some("150"),
        ),
        (
            named("x", "Y", "telephony", "minute", "80"),
            named("Voice", "V", "resource", "minute", "150"),
            "z",
            Some("150"),
        ),
        // Of another unit than the charge that may contain it.
        (named("x", "X", "storage-category", "minute", "80"), named("Voice", "V", "storage", "GB", "150"), "x", None),
        (
            named("x", "X", "storage-category", "minute", "80"),
            named("Voice", "V", "storage", "GB", "150"),
            "Voice",
            None,
        ),
    ] {
        for turn in 0..3 {
            let mut charges = vec![unknown.clone(), other.clone(), fair_use(allowance)];
            charges.rotate_left(turn);
            let found = lines(charges, &[], &monthly());
            let line = found.iter().find(|line| line.charge == other).unwrap();
            assert_eq!(numbers(line).0.as_deref(), expected, "{unknown:?} {other:?} {allowance}");
            let line = found.iter().find(|line| line.charge == unknown).unwrap();
            assert_eq!((line.included_quantity, line.is_billable()), (Decimal::ZERO, None));
        }
    }
    // A part in another unit than its total, which has an allowance of its own.
    let of_total = named("AI", "AI", "rollup", "token", "700");
    let allowances = [fair_use("x"), named("AI", "AI", "fair-use", "token", "100")];
    let part = named("x", "X", "rollup-usage", "tokens", "80");
    let found = lines([vec![of_total.clone(), part], allowances.to_vec()].concat(), &[], &monthly());
    assert_eq!(numbers(&found[0]).0, None);
    let found = lines([vec![of_total.clone()], allowances[1..].to_vec()].concat(), &[], &monthly());
    assert_eq!(numbers(&found[0]), known("600", "150"));
    // A part of one of two totals in other units.
    let part = named("x", "X", "rollup-usage", "session", "80");
    let other = named("B", "B", "rollup", "GB", "5");
    let charges = [vec![of_total.clone(), part, other], allowances.to_vec()].concat();
    let found = lines(charges, &[], &monthly());
    assert_eq!((numbers(&found[0]).0, found[1].role), (None, ChargeRole::Unknown));
    // An unreadable charge of the same name as a readable one.
    let unread = item(9, "AI", "AI", "rollup", "token");
    let found = lines([vec![of_total], allowances[1..].to_vec()].concat(), &[&unread], &monthly());
    assert_eq!((numbers(&found[0]), &*found[0].see_invoice), ((None, None), &[SeeInvoice::AllowanceShared][..]));
}

#[test]
fn allowance_of_nothing_is_shown_for_one_charge_only() {
    let byoc = charge("BYOC Cloud", "resource", "60", "0");
    let unknown = charge("x", "telephony", "80", "0");
    let found = lines(vec![byoc.clone(), unknown, charge("x", "fair-use", "0", "0")], &[], &monthly());
    assert_eq!(numbers(&found[0]).0, None, "the allowance of 0 may be of the other charge");
    let found = lines(vec![byoc, charge("BYOC Cloud", "fair-use", "0", "0")], &[], &monthly());
    assert_eq!(numbers(&found[0]), known("60", "15"));
}

#[test]
fn allowance_of_nothing_leaves_charges_known() {
    let usage = |name: &str| charge(name, "resource", "150", "0");
    let nothing = |name: &str, unit: &str| Charge {
        item: item(1, name, name, "fair-use", unit),
        ..charge(name, "fair-use", "0", "0")
    };
    for allowances in [
        vec![charge("a", "fair-use", "0", "0"), charge("a", "fair-use", "0", "0")],
        vec![nothing("a", "another unit")],
        vec![nothing("a b", "unit")],
    ] {
        let found = lines([vec![usage("a")], allowances.clone()].concat(), &[], &monthly()).remove(0);
        assert_eq!(numbers(&found).0, Some("150".parse().unwrap()), "{allowances:?}");
    }
}

#[test]
fn allowance_of_a_part_of_one_of_several_totals_leaves_them_unknown() {
    let charges = |parts: [&str; 2]| {
        vec![
            charge("A", "rollup", "100", "0"),
            charge("B", "rollup", "500", "0"),
            charge("P1", "rollup-usage", parts[0], "0"),
            charge("P2", "rollup-usage", parts[1], "0"),
            charge("P1", "fair-use", "200", "0"),
        ]
    };
    for parts in [["100", "500"], ["500", "100"]] {
        let found = lines(charges(parts), &[], &monthly());
        for total in &found[..2] {
            assert_eq!((numbers(total), total.is_billable()), ((None, None), None), "{parts:?}");
            assert_eq!(total.see_invoice, [SeeInvoice::AllowanceShared]);
        }
    }
}

#[test]
fn repeated_charge_is_left_to_the_invoice() {
    let at = |position, charge: Charge| Charge { item: ChargedItem { position, ..charge.item }, ..charge };
    let used = |usage| charge("IVR", "resource", usage, "0");
    let found = lines(vec![at(1, used("1000")), at(2, used("5")), at(3, used("1000"))], &[], &monthly());
    for line in [&found[0], &found[2]] {
        assert_eq!((numbers(line), line.is_billable()), ((None, None), None));
        assert_eq!(line.see_invoice, [SeeInvoice::ListedTwice]);
    }
    assert_eq!(numbers(&found[1]), known("5", "1.25"), "other numbers are another charge");
    let prepaid = charge("CX", "user-license", "0", "3");
    assert_eq!(lines(vec![at(1, prepaid.clone()), at(2, prepaid)], &[], &monthly())[0].amount, None);
    let nothing = lines(vec![at(1, used("0")), at(2, used("0"))], &[], &monthly());
    assert_eq!(numbers(&nothing[1]), known("0", "0"), "nothing is charged twice");
    let with_two = |usage, quantity| {
        let free = charge("IVR", "fair-use", quantity, "0");
        lines(vec![at(1, used(usage)), at(2, free.clone()), at(3, free)], &[], &monthly()).remove(0)
    };
    let line = with_two("60", "50");
    assert_eq!((numbers(&line), line.see_invoice), ((None, None), vec![SeeInvoice::ListedTwice]));
    assert_eq!(numbers(&with_two("50", "50")), known("0", "0"), "one of them suffices");
    assert_eq!(numbers(&with_two("60", "0")), known("60", "15"), "an allowance of 0 is the same twice");
}

#[test]
fn repetition_in_another_spelling_is_left_to_the_invoice() {
    let first = charge("GC-VTR", "resource", "500", "0");
    let item = |change: fn(&mut ChargedItem)| {
        let mut item = first.item.clone();
        change(&mut item);
        item
    };
    let with = |change: fn(&mut ChargedItem)| Charge { item: item(change), ..first.clone() };
    for (other, is_repeated) in [
        (with(|item| item.unit = item.unit.to_uppercase()), true),
        (with(|item| item.grouping = "Resource".to_owned()), true),
        (with(|item| item.name = item.name.to_lowercase()), true),
        (with(|item| item.grouping = "messaging".to_owned()), true),
        (Charge { is_third_party: None, ..first.clone() }, true),
        (Charge { bundle_quantity: Some(Decimal::ZERO), ..first.clone() }, true),
        (Charge { usage_quantity: decimal("500.0"), ..first.clone() }, true),
        (
            Charge { is_third_party: first.is_third_party.map(|is| !is), ..first.clone() },
            first.is_third_party.is_none(),
        ),
        (Charge { usage_quantity: decimal("501"), ..first.clone() }, false),
        (Charge { prepaid_quantity: decimal("1"), ..first.clone() }, false),
        (Charge { overage_price: Some(decimal("7")), ..first.clone() }, false),
        (Charge { prepaid_price: Some(decimal("7")), ..first.clone() }, false),
        (Charge { bundle_quantity: Some(decimal("7")), ..first.clone() }, false),
        (with(|item| item.unit = "second".to_owned()), false),
        (with(|item| item.name = "another".to_owned()), false),
        (with(|item| item.part_number = "another".to_owned()), false),
        (with(|item| item.grouping = "surprise".to_owned()), false),
    ] {
        let other = Charge { item: ChargedItem { position: 2, ..other.item.clone() }, ..other };
        let found = lines(vec![first.clone(), other.clone()], &[], &monthly());
        let repeated = found.iter().filter(|line| line.see_invoice.contains(&SeeInvoice::ListedTwice)).count();
        assert_eq!(repeated, if is_repeated { 2 } else { 0 }, "{other:?}");
    }
}

#[test]
fn messaging_usage_beside_messaging_of_the_product_is_unknown() {
    let charges = |name: &str, grouping: &str| {
        vec![charge("SMS", "messaging-usage", "1000", "0"), charge(name, grouping, "2500", "0")]
    };
    for (name, grouping, expected) in [
        ("SMS", "messaging", None),
        ("sms", "Messaging", None),
        ("WhatsApp", "messaging", Some(true)),
        ("SMS", "messaging-usage", Some(true)),
        ("SMS", "resource", Some(true)),
    ] {
        let found = lines(charges(name, grouping), &[], &monthly());
        assert_eq!((found[0].is_billable(), found[1].is_billable()), (expected, Some(true)), "{name} {grouping}");
    }
    let mut renamed = charges("SMS", "messaging");
    renamed[1].item.name = "Text messages".to_owned();
    assert_eq!(lines(renamed.clone(), &[], &monthly())[0].is_billable(), None, "the part number is the same");
    renamed[1].item.part_number = "TEXT".to_owned();
    assert_eq!(lines(renamed, &[], &monthly())[0].is_billable(), Some(true));
}

#[test]
fn allowance_of_a_bundle_is_shown() {
    let bundled = Charge { bundle_quantity: Some(decimal("1000")), ..charge("A", "messaging-usage", "60", "0") };
    let alone = with_allowances(vec![bundled, charge("A", "fair-use", "50", "0")]);
    assert_eq!(alone[0], unknown("50"), "the overage is left to the invoice");
}

#[test]
fn allowance_of_a_part_reduces_its_total_only() {
    let total = || charge("T", "rollup", "100", "0");
    let found = with_allowances(vec![charge("Z", "fair-use", "50", "0"), total()]);
    assert_eq!(found[1], unknown("0"), "the allowance has no charge in the overview, and the total has no allowance");
    let found = with_allowances(vec![
        charge("A", "fair-use", "50", "0"),
        total(),
        charge("A", "rollup-usage", "100", "0"),
        charge("A", "resource", "60", "0"),
    ]);
    assert_eq!((&found[1], &found[3]), (&unknown("0"), &overage("10", "50")), "a charge outranks a part");
}

#[test]
fn inapplicable_allowance_leaves_the_usage_unknown() {
    let used = || charge("A", "resource", "60", "0");
    let mut gigabytes = charge("A", "fair-use", "50", "0");
    gigabytes.item.unit = "GB".to_owned();
    assert_eq!(with_allowances(vec![used(), gigabytes])[0], unknown("0"));
    assert_eq!(with_allowances(vec![used(), charge("A", "fair-use", "-50", "0")])[0], unknown("0"));
    let unread = item(2, "A", "A", "fair-use", "minute");
    let line = lines(vec![used()], &[&unread], &monthly()).remove(0);
    assert_eq!(line.see_invoice, [SeeInvoice::AllowanceUnreadable]);
    // An unreadable charge is not computed, and others do not change.
    let unread_usage = item(1, "A", "A", "resource", "minute");
    let found = lines(
        vec![charge("A", "fair-use", "50", "0"), charge("B", "resource", "60", "0")],
        &[&unread_usage],
        &monthly(),
    );
    assert_eq!((found[0].role, numbers(&found[1])), (ChargeRole::Allowance, known("60", "15")));
    let little = lines(vec![charge("A", "resource", "5", "10")], &[&unread], &monthly()).remove(0);
    assert_eq!(numbers(&little), known("0", "2"), "no allowance makes it more");
}

#[test]
fn total_is_charged_without_its_parts() {
    let tokens = || {
        vec![
            charge("AI", "fair-use", "350", "0"),
            charge("AI", "rollup", "412.5", "0"),
            charge("VA", "rollup-usage", "300", "0"),
            charge("AC", "rollup-usage", "112.5", "0"),
        ]
    };
    let lines_of = |charges| lines(charges, &[], &monthly());
    let found = lines_of(tokens());
    let roles: Vec<_> = found.iter().map(|line| (line.role, line.is_billable())).collect();
    assert_eq!(
        roles,
        [
            (ChargeRole::Allowance, Some(false)),
            (ChargeRole::Total, Some(true)),
            (ChargeRole::Part, Some(false)),
            (ChargeRole::Part, Some(false))
        ]
    );
    assert_eq!(numbers(&found[1]), known("62.5", "15.625"));
    let without_total = lines_of(tokens().into_iter().filter(|charge| charge.item.grouping != "rollup").collect());
    assert!(without_total[1..].iter().all(|line| line.is_billable().is_none() && line.amount.is_none()));
    assert_eq!(without_total[1].see_invoice, [SeeInvoice::TotalUnknown]);
    let unread = item(9, "AI", "AI", "rollup", "minute");
    let parts = lines(tokens().split_off(2), &[&unread], &monthly());
    assert!(parts.iter().all(|line| line.is_billable().is_none()), "the sum is unknown");
    let unread_part = item(9, "X", "X", "rollup-usage", "minute");
    let parts = lines(tokens(), &[&unread_part], &monthly()).split_off(2);
    assert!(parts.iter().all(|line| line.is_billable().is_none()), "the sum is unknown with an unreadable part");
    let mut of_a_part = tokens();
    of_a_part[0].item.name = "VA".to_owned();
    of_a_part[0].item.part_number = "VA".to_owned();
    assert_eq!(numbers(&lines_of(of_a_part)[1]), known("62.5", "15.625"), "a total represents its parts");
}

#[test]
fn allowance_outside_the_overview_leaves_the_overage_unknown() {
    for (name, unit, reason) in [
        ("Genesys Cloud BYOC Cloud", "minute", SeeInvoice::AllowanceMayApply),
        ("AI Experience Tokens", "unit", SeeInvoice::AllowanceMayApply),
        ("Virtual Agent", "Token", SeeInvoice::AllowanceMayApply),
        ("Agent Copilot", "AI tokens", SeeInvoice::AllowanceMayApply),
        ("Experience tokens, EU", "each", SeeInvoice::AllowanceMayApply),
        ("GC-170-NV-BYOCCLD", "minute", SeeInvoice::AllowanceMayApply),
        ("Bring your own carrier", "minute", SeeInvoice::AllowanceMayApply),
        ("Call", "seat", SeeInvoice::LicenceMayBeFree),
        ("Genesys Cloud Call Users", "seat", SeeInvoice::LicenceMayBeFree),
        ("Genesys Cloud Collaborate User", "seat", SeeInvoice::LicenceMayBeFree),
        ("Collaborate User", "seat", SeeInvoice::LicenceMayBeFree),
    ] {
        let used = |usage: &str| {
            let mut charge = charge(name, "user-license", usage, "5");
            charge.item.unit = unit.to_owned();
            one(charge, &monthly())
        };
        let line = used("8");
        assert_eq!((numbers(&line), line.is_billable()), ((None, None), None), "{name}");
        assert_eq!(line.see_invoice, [reason], "{name}");
        assert_eq!(numbers(&used("5")), known("0", "1"), "{name}: within the committed quantity");
    }
    for name in
        ["Call Recording", "Maintenance", "Genesys Cloud CX 3", "AI Summaries", "Genesys Cloud", "Genesys Call Center"]
    {
        assert_eq!(one(charge(name, "user-license", "8", "5"), &monthly()).see_invoice, [], "{name}");
    }
    let shown =
        lines(vec![charge("BYOC", "resource", "60", "0"), charge("BYOC", "fair-use", "50", "0")], &[], &monthly());
    assert_eq!(numbers(&shown[0]), known("10", "2.5"));
    let none =
        lines(vec![charge("BYOC", "resource", "60", "0"), charge("BYOC", "fair-use", "0", "0")], &[], &monthly());
    assert_eq!(numbers(&none[0]), known("60", "15"), "an allowance of 0 is shown");
}

#[test]
fn total_without_allowance_is_unknown_for_any_name_and_unit() {
    for (name, unit) in [("Experience Units", "each"), ("T", ""), ("Maintenance", "minute")] {
        let total = |usage| {
            let mut total = charge(name, "rollup", usage, "5");
            total.item.unit = unit.to_owned();
            total
        };
        let line = one(total("8"), &monthly());
        assert_eq!((numbers(&line), line.is_billable()), ((None, None), None), "{name}");
        assert_eq!(line.see_invoice, [SeeInvoice::AllowanceMayApply], "{name}");
        assert_eq!(numbers(&one(total("5"), &monthly())), known("0", "1"), "{name}: within the committed quantity");
        let mut allowance = charge(name, "fair-use", "2", "0");
        allowance.item.unit = unit.to_owned();
        let line = lines(vec![allowance, total("8")], &[], &monthly()).remove(1);
        assert_eq!((numbers(&line), line.is_billable()), (known("1", "1.25"), Some(true)), "{name}");
    }
}

#[test]
fn allowance_of_a_similar_name_leaves_the_charge_unknown() {
    for (charged, free, is_known) in [
        ("Voice Transcription", "Voice Transcription (Fair Use)", false),
        ("Voice Transcription Minutes", "voice  transcription", false),
        ("Voice Transcription", "Transcription", false),
        ("Voice Transcription", "Voice Transcript", true),
        ("Maintenance", "AI", true),
        ("Voice Transcription", "Storage", true),
    ] {
        let found =
            lines(vec![charge(charged, "resource", "60", "0"), charge(free, "fair-use", "50", "0")], &[], &monthly());
        let expected = if is_known { known("60", "15") } else { (None, None) };
        assert_eq!(numbers(&found[0]), expected, "{charged} {free}");
        assert_eq!(found[0].see_invoice.is_empty(), is_known, "{charged} {free}");
        let within =
            lines(vec![charge(charged, "resource", "5", "10"), charge(free, "fair-use", "50", "0")], &[], &monthly());
        assert_eq!(numbers(&within[0]), known("0", "2"), "nothing is beyond what is prepaid");
    }
    let exact = vec![
        charge("CX 2", "resource", "60", "0"),
        charge("CX 2", "fair-use", "50", "0"),
        charge("CX 2 Digital", "resource", "60", "0"),
    ];
    assert_eq!(numbers(&lines(exact, &[], &monthly())[2]), known("60", "15"), "the allowance has its charge");
    let of_a_part = vec![charge("A B", "fair-use", "50", "0"), charge("A", "rollup-usage", "60", "0")];
    assert_eq!(lines(of_a_part, &[], &monthly())[1].see_invoice, [SeeInvoice::TotalUnknown]);
}

#[test]
fn part_of_a_missing_total_is_unknown() {
    let unit =
        |unit: &str, charge: Charge| Charge { item: ChargedItem { unit: unit.to_owned(), ..charge.item }, ..charge };
    let total = || unit("token", charge("AI", "rollup", "412.5", "0"));
    let part = |of: &str, usage| unit(of, charge("VA", "rollup-usage", usage, "0"));
    let roles = |parts: Vec<Charge>| {
        let found = lines(vec![total()].into_iter().chain(parts).collect(), &[], &monthly());
        found[1..].iter().map(|line| line.is_billable()).collect::<Vec<_>>()
    };
    assert_eq!(roles(vec![part("token", "300"), part("Token ", "112.5")]), [Some(false); 2]);
    for rounded in ["112.49", "112.51", "112.52", "112.4999"] {
        assert_eq!(roles(vec![part("token", "300"), part("token", rounded)]), [Some(false); 2], "{rounded}");
    }
    assert_eq!(roles(vec![part("token", "300"), part("token", "112.521")]), [None; 2], "more than is rounded");
    let in_other_units = vec![part("interaction", "30000"), part("minute", "11250.5")];
    assert_eq!(roles(in_other_units.clone()), [Some(false); 2], "the total is the only one");
    assert_eq!(roles(vec![part("token", "412.50"), part("GB", "5")]), [Some(false); 2]);
    assert_eq!(roles(vec![part("token", "300"), part("token", "112.4")]), [Some(false); 2], "less than the total");
    let beside_another = [vec![unit("GB", charge("B", "rollup", "10", "0"))], in_other_units].concat();
    assert_eq!(roles(beside_another)[1..], [None; 2], "it is unknown to which of the two totals they belong");
    let two_totals = vec![unit("token", charge("B", "rollup", "10", "0")), part("token", "412.5"), part("token", "10")];
    assert_eq!(
        roles(two_totals.clone()),
        [None, Some(false), Some(false)],
        "beyond the prepaid, an allowance may apply"
    );
    let nothing =
        lines(vec![charge("X", "rollup-usage", "0", "0"), charge("Y", "resource", "5", "0")], &[], &monthly());
    assert_eq!(nothing[0].is_billable(), None, "other charges of the unit are not totals");
    let of_one = two_totals[..2].to_vec();
    assert_eq!(roles(of_one), [None, Some(false)], "part of one of the two totals");
    assert_eq!(roles(vec![part("token", "300"), part("token", "112.6")]), [None; 2], "more than the total");
}

#[test]
fn undocumented_charges_are_unknown_and_never_billable() {
    for grouping in ["", "surprise", "credits"] {
        let line = one(charge("X", grouping, "8", "5"), &monthly());
        assert_eq!((numbers(&line), line.role, line.is_billable()), ((None, None), ChargeRole::Unknown, None));
        assert_eq!(line.billing_reason(), BillingReason::UnknownItem);
        assert_eq!(line.see_invoice, [SeeInvoice::UnknownGrouping { grouping: grouping.to_owned() }]);
    }
    let without_total = one(charge("X", "rollup-usage", "8", "5"), &monthly());
    assert_eq!((without_total.role, without_total.billing_reason()), (ChargeRole::Unknown, BillingReason::SeeInvoice));
    let storage = |groupings: [&str; 2]| lines(groupings.map(|of| charge(of, of, "8", "0")).to_vec(), &[], &monthly());
    let contained = &storage(["storage", "storage-category"])[1];
    assert_eq!(contained.see_invoice, [SeeInvoice::MayBeContained { grouping: "storage" }]);
    assert_eq!(contained.billing_reason(), BillingReason::SeeInvoice, "the grouping is listed");
    assert_eq!(storage(["resource", "storage-category"])[1].is_billable(), Some(true));
    for (usage, prepaid) in [("-8", "0"), ("8", "-1")] {
        let line = one(charge("X", "resource", usage, prepaid), &monthly());
        let prepaid_amount = (prepaid == "0").then_some(Decimal::ZERO);
        assert_eq!((numbers(&line), line.prepaid_amount), ((None, None), prepaid_amount));
        assert_eq!(line.see_invoice, [SeeInvoice::NegativeNumber]);
    }
    let negative_price = Charge { overage_price: Some(decimal("-1")), ..charge("X", "resource", "8", "0") };
    assert_eq!(one(negative_price, &monthly()).see_invoice, [SeeInvoice::NegativeNumber]);
}

#[test]
fn missing_price_or_currency_leaves_only_the_amount_unknown() {
    let free = Charge { overage_price: None, prepaid_price: None, ..charge("CX 1", "user-license", "5", "3") };
    let line = one(free.clone(), &monthly());
    assert_eq!((numbers(&line).0.as_deref(), line.amount, line.is_billable()), (Some("2"), None, Some(true)));
    assert_eq!(line.see_invoice, [SeeInvoice::PriceMissing]);
    let unused = Charge { usage_quantity: Decimal::ZERO, prepaid_quantity: Decimal::ZERO, ..free };
    assert_eq!(numbers(&one(unused, &monthly())), known("0", "0"));
    let line = one(charge("CX 1", "user-license", "5", "3"), &Terms { has_currency: false, ..monthly() });
    assert_eq!((line.amount, line.see_invoice), (None, vec![SeeInvoice::CurrencyMissing]));
}

#[test]
fn ramp_period_frees_only_software() {
    let in_ramp = |charge, ramp| one(charge, &Terms { ramp, ..monthly() });
    let licence = || charge("CX 1", "user-license", "5", "3");
    let line = in_ramp(licence(), RampPeriod::Inside);
    assert_eq!((numbers(&line), line.is_billable(), line.is_free_in_ramp), (known("2", "0"), Some(false), true));
    assert_eq!(line.billing_reason(), BillingReason::RampPeriod);
    for other in [
        charge("SMS", "messaging-usage", "5", "0"),
        charge("Voice", "resource", "5", "0"),
        Charge { is_third_party: Some(true), ..licence() },
        Charge { is_third_party: None, ..licence() },
    ] {
        let line = in_ramp(other, RampPeriod::Inside);
        assert_eq!((line.amount, line.is_billable()), (None, None));
        assert_eq!(line.see_invoice, [SeeInvoice::RampPeriod]);
    }
    let line = in_ramp(licence(), RampPeriod::Unclear);
    assert_eq!((line.amount, line.see_invoice), (None, vec![SeeInvoice::RampPeriodUnclear]));
    let unused = Charge { usage_quantity: Decimal::ZERO, prepaid_quantity: Decimal::ZERO, ..licence() };
    assert_eq!(in_ramp(unused.clone(), RampPeriod::Inside).billing_reason(), BillingReason::RampPeriod);
    assert_eq!(numbers(&in_ramp(unused, RampPeriod::Unclear)), known("0", "0"));
    let unpriced = Charge { overage_price: None, prepaid_price: None, ..licence() };
    assert_eq!(numbers(&in_ramp(unpriced, RampPeriod::Inside)), known("2", "0"), "a price is not needed");
    assert_eq!(numbers(&in_ramp(charge("SMS", "messaging", "0", "0"), RampPeriod::Unclear)), known("0", "0"));
}

#[test]
fn ramp_period_frees_no_undocumented_charges() {
    let in_ramp = |charge, subscription: &str| {
        one(charge, &Terms { ramp: RampPeriod::Inside, ..terms(Some(subscription.into())) })
    };
    let licence = || charge("CX 1", "user-license", "5", "3");
    let annual = in_ramp(licence(), "PREPAY");
    assert_eq!((annual.is_free_in_ramp, annual.amount, annual.prepaid_amount), (true, Some(Decimal::ZERO), None));
    assert_eq!(annual.see_invoice, [SeeInvoice::PrepaidAnnually], "the year may be paid for in this month");
    let other = in_ramp(licence(), "A_NEW_TYPE");
    assert_eq!((other.is_free_in_ramp, other.amount, other.is_billable()), (false, None, None));
    let negative = Charge { usage_quantity: decimal("-5"), ..licence() };
    let line = in_ramp(negative, "PREPAY_MONTHLY_COMMITMENT");
    assert_eq!((line.is_free_in_ramp, line.amount, line.is_billable()), (false, None, None));
}

#[test]
fn sum_is_exact_or_unknown() {
    let sum = |one: &str, other: &str| exact_sum(decimal(one), decimal(other)).map(|of| of.to_string());
    assert_eq!(sum("62.50", "250").as_deref(), Some("312.50"));
    assert_eq!(sum("1", "-1").as_deref(), Some("0"));
    assert_eq!(sum("7000000000000000000000000000", "0.05"), None, "30 digits");
    assert_eq!(sum("0.05", "-7000000000000000000000000000"), None);
    assert_eq!(sum("79228162514264337593543950335", "1"), None);
    let vast = |usage: &str, prepaid: &str, price: &str, prepaid_price: &str| Charge {
        overage_price: Some(decimal(price)),
        prepaid_price: Some(decimal(prepaid_price)),
        ..charge("X", "resource", usage, prepaid)
    };
    let line = one(vast("7000000000000000000000000000", "0.05", "0", "0"), &monthly());
    assert_eq!((numbers(&line), line.see_invoice), ((None, None), vec![SeeInvoice::TooManyDigits]));
    let line = one(vast("2", "1", "7000000000000000000000000000", "0.05"), &monthly());
    assert_eq!((line.amount, line.see_invoice), (None, vec![SeeInvoice::TooManyDigits]));
}

#[test]
fn amount_is_exact_or_unknown() {
    let product = |one: &str, other: &str| exact_product(decimal(one), decimal(other)).map(|of| of.to_string());
    assert_eq!(product("11500", "0.01").as_deref(), Some("115.00"));
    assert_eq!(product("20451.5", "0.0119").as_deref(), Some("243.37285"));
    assert_eq!(product("0", "0.01").as_deref(), Some("0.00"));
    assert_eq!(product("0.00000000000001", "0.000000000000001"), None, "29 places");
    assert_eq!(product("79228162514264337593543950335", "10"), None);
    let dear = Charge { overage_price: Some(Decimal::MAX), ..charge("X", "resource", "8", "0") };
    assert_eq!(one(dear, &monthly()).see_invoice, [SeeInvoice::TooManyDigits]);
    let much = Charge { prepaid_quantity: Decimal::MAX, ..charge("X", "resource", "8", "0") };
    let with_allowance = lines(vec![much, charge("X", "fair-use", "1", "0")], &[], &monthly());
    assert_eq!(with_allowance[0].see_invoice, [SeeInvoice::TooManyDigits]);
}

fn charges() -> impl Strategy<Value = Vec<Charge>> {
    let name = prop::sample::select(vec!["A", "B", "C"]);
    let grouping = prop::sample::select(vec![
        "user-license",
        "resource",
        "storage",
        "storage-category",
        "fair-use",
        "rollup",
        "rollup-usage",
        "surprise",
    ]);
    let one = (name, grouping, 0i64..2000, 0u32..3, 0i64..1000, prop::option::of(0i64..3), 0i64..3);
    let one = one.prop_map(|(name, grouping, usage, places, prepaid, bundle, price)| Charge {
        usage_quantity: Decimal::new(usage, places),
        prepaid_quantity: prepaid.into(),
        overage_price: Some(Decimal::new(price, 2)),
        bundle_quantity: bundle.map(Into::into),
        ..charge(name, grouping, "0", "0")
    });
    prop::collection::vec(one, 0..8).prop_map(|charges| {
        let placed = charges.into_iter().zip(1..);
        placed.map(|(charge, position)| Charge { item: ChargedItem { position, ..charge.item }, ..charge }).collect()
    })
}

proptest! {
    #[test]
    fn no_usage_is_counted_twice_or_negative(charges in charges()) {
        let found = lines(charges.clone(), &[], &monthly());
        prop_assert_eq!(found.len(), charges.len());
        let allowances: Decimal = charges.iter().filter(|charge| charge.item.grouping == "fair-use").map(|charge| charge.usage_quantity).sum();
        let included: Decimal = found.iter().map(|line| line.included_quantity).sum();
        prop_assert!(included <= allowances, "an allowance is taken off once");
        for line in &found {
            let usage = line.charge.usage_quantity;
            prop_assert!(line.included_quantity >= Decimal::ZERO);
            if let Some(overage) = line.overage_quantity {
                prop_assert!(overage >= Decimal::ZERO && overage <= usage);
                let covered = line.charge.prepaid_quantity + line.included_quantity;
                prop_assert_eq!(overage + covered.min(usage), usage);
            }
            if let (Some(prepaid), Some(overage)) = (line.prepaid_amount, line.overage_amount) {
                prop_assert_eq!(line.amount, Some(prepaid + overage));
            }
            let is_silent = line.amount.is_some() || !line.role.is_charged() || !line.see_invoice.is_empty();
            prop_assert!(is_silent, "an unknown amount has a reason");
            let not_charged = ["fair-use", "rollup-usage"].contains(&line.charge.item.grouping.as_str());
            prop_assert!(!(not_charged && (line.is_billable() == Some(true) || line.amount.is_some())));
        }
        let has_total = charges.iter().any(|charge| charge.item.grouping == "rollup");
        let has_storage = charges.iter().any(|charge| charge.item.grouping == "storage");
        for line in found.iter().filter(|line| line.is_billable() == Some(true)) {
            prop_assert!(!(has_total && line.role == ChargeRole::Part));
            prop_assert!(!(has_storage && line.charge.item.grouping == "storage-category"));
        }
    }

    #[test]
    fn order_of_charges_changes_no_line((charges, shuffled) in charges().prop_flat_map(|charges| (Just(charges.clone()), Just(charges).prop_shuffle()))) {
        let billing = |charges: Vec<Charge>| {
            let found = lines(charges, &[], &monthly());
            let of = |line: &BillLine| (line.is_billable(), line.included_quantity, line.overage_quantity, line.amount);
            found.iter().map(|line| (line.charge.item.position, of(line))).collect::<std::collections::BTreeMap<_, _>>()
        };
        prop_assert_eq!(billing(charges), billing(shuffled));
    }
}

#[test]
fn commitments_and_licences_of_a_part_of_a_month_are_unknown() {
    let unknown = vec![SeeInvoice::NotAWholeMonth];
    for (grouping, usage, prepaid, subscription, amount, reasons) in [
        ("user-license", "5", "3", "PREPAY_MONTHLY_COMMITMENT", None, unknown.clone()),
        ("user-license", "2", "3", "PREPAY_MONTHLY_COMMITMENT", None, unknown.clone()),
        ("resource", "5", "3", "PREPAY_MONTHLY_COMMITMENT", None, unknown.clone()),
        ("user-license", "5", "0", "MONTH_TO_MONTH", None, unknown.clone()),
        ("resource", "5", "0", "MONTH_TO_MONTH", Some("1.25"), Vec::new()),
        ("user-license", "0", "0", "MONTH_TO_MONTH", Some("0"), Vec::new()),
        ("resource", "5", "3", "PREPAY", Some("0.50"), vec![SeeInvoice::PrepaidAnnually]),
        ("user-license", "5", "3", "PREPAY", None, vec![SeeInvoice::PrepaidAnnually, SeeInvoice::NotAWholeMonth]),
    ] {
        let terms = Terms { is_whole_month: false, ..terms(Some(subscription.into())) };
        let line = one(charge("X", grouping, usage, prepaid), &terms);
        let label = format!("{grouping} {usage} {prepaid} {subscription}");
        assert_eq!((line.amount, &line.see_invoice), (amount.map(decimal), &reasons), "{label}");
        assert_eq!(line.is_billable(), Some(true), "{label}: the quantity is charged");
    }
}
