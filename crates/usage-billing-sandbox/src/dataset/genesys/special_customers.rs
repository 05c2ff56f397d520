//! Customers whose bills are difficult.

use chrono::{Datelike, NaiveDate};
use usage_billing_genesys::types;
use usage_billing_genesys::types::BillingUnitOfMeasure as Unit;

use super::customers::{Charge, Customer, MINUTES, Payment, SEATS};
use crate::dataset::{days_before, id};

/// Customers for each case that makes a bill difficult, some of them with a contract in the preview API. Every dataset has them, on any day.
pub(super) fn all(opened: NaiveDate) -> Vec<Customer> {
    use types::SubscriptionType as Type;
    let customer = |number: u32, name: &str, subscription, payment| Customer {
        id: id(&format!("genesys/special/{number}")).to_string(),
        name: name.to_owned(),
        number: (100_950 + number).to_string(),
        contract: String::new(),
        currency: "EUR",
        subscription,
        trusts_partner: true,
        anchor: 1,
        finished: 8,
        moved: None,
        renewed: None,
        ended: 0,
        minimum: 0,
        tokens: 0,
        charges: vec![
            Charge { average: 50_000, prepaid: 45, bundle: None, ..SEATS },
            Charge { average: 12_000, ..MINUTES },
        ],
        payment,
        rotation: 0,
    };
    let transcription = Charge {
        name: "Voice Transcription",
        part_number: "GC-170-NV-VTR",
        average: 2_100_000,
        fair_use: 50_000,
        notes: None,
        ..MINUTES
    };
    let tokens = Charge {
        name: "AI Experience Tokens",
        part_number: "GC-170-NV-AIT",
        grouping: "rollup",
        unit: "token",
        measure: Unit::Token,
        average: 31_250,
        overage_price: 10_000,
        fair_use: 250,
        parts: &[("Virtual Agent", "GC-170-NV-VA", 72), ("Agent Copilot", "GC-170-NV-AC", 28)],
        ..transcription.clone()
    };
    let messages = Charge {
        name: "SMS",
        part_number: "GC-170-NV-SMS",
        grouping: "messaging-usage",
        unit: "message",
        measure: Unit::Message,
        average: 91_000,
        overage_price: 75,
        bundle: Some(0),
        ..MINUTES
    };
    let unpriced = Charge {
        name: "Genesys Cloud CX 1 Named User",
        part_number: "GC-170-NV-CX1NAM",
        average: 20_000,
        prepaid: 10,
        prepay_price: None,
        bundle: None,
        is_unpriced: true,
        ..SEATS
    };
    let monthly = Type::PrepayMonthlyCommitment;
    let mut fair_use = customer(1, "Fair Isle \"Freight\" & Söhne", monthly.clone(), Payment::Monthly);
    fair_use.charges.extend([transcription.clone(), tokens, messages.clone()]);
    let mut late = customer(2, "Slow Turn, Ltd.", monthly.clone(), Payment::Monthly);
    // A billing period has just ended, and the index has not moved yet. Every month has a 28th.
    let anchor = match days_before(opened, 2).day() {
        // The 28th would be five days before, when the index moves.
        31 => 1,
        day => day.min(28),
    };
    (late.anchor, late.rotation) = (anchor, 5);
    late.charges = vec![transcription, unpriced];
    let mut ramp = customer(3, "Neubau GmbH", monthly.clone(), Payment::Monthly);
    ramp.finished = 1;
    ramp.charges.push(messages);
    let mut annual = customer(4, "Yearly Ledger, Inc.", Type::Prepay, Payment::Annual);
    let mut ended = customer(10, "Last Call, Inc.", monthly.clone(), Payment::Monthly);
    ended.ended = 1;
    let mut renewed = customer(11, "Second Term AG", monthly.clone(), Payment::Monthly);
    renewed.renewed = Some(1);
    let mut moved = customer(12, "New Leaf, Ltd.", monthly, Payment::Monthly);
    // Long ago: a month with two billing periods is an error in a list of bills by month.
    (moved.anchor, moved.finished, moved.moved) = (15, 20, Some(14));
    for customer in [&mut fair_use, &mut ramp, &mut annual, &mut ended, &mut renewed, &mut moved] {
        customer.contract = format!("CN-00{}", customer.number);
    }
    let others = [
        ("Interaktiv", Type::Inin),
        ("Trial & Error", Type::FreeTrialMonthToMonth),
        ("Sandkasten", Type::DevOrgMonthToMonth),
        ("Werkbank", Type::DevOrgPrepayMonthlyCommitment),
        ("Labor", Type::DevOrgPrepay),
    ];
    let others = others.into_iter().zip(5..).map(|((name, kind), number)| customer(number, name, kind, Payment::Free));
    [fair_use, late, ramp, annual].into_iter().chain(others).chain([ended, renewed, moved]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::genesys::periods::{Calendar, Period};
    use crate::dataset::{month_of, months_before};

    #[test]
    fn index_of_one_customer_has_not_moved_on_any_first_day() {
        let first: NaiveDate = "2027-01-01".parse().unwrap();
        for opened in first.iter_days().take(2 * 366) {
            let calendar = Calendar { opened, today: opened };
            let special = all(opened);
            let late = special.iter().find(|customer| customer.rotation > 0).unwrap();
            let turned = Calendar { today: days_before(opened, late.rotation), opened };
            assert_eq!(late.count(turned) + 1, late.count(calendar), "{opened}");
        }
    }

    #[test]
    fn ended_renewed_and_moved_contracts_exist_on_any_first_day() {
        let first: NaiveDate = "2027-01-01".parse().unwrap();
        for opened in first.iter_days().take(2 * 366) {
            let calendar = Calendar { opened, today: opened };
            let special = all(opened);
            let with = |is: fn(&Customer) -> bool| special.iter().find(|customer| is(customer)).unwrap();
            let ended = with(|of| of.ended > 0 && of.trusts_partner).terms(calendar);
            let [ended] = ended.as_slice() else { panic!("{opened}") };
            let last_month = months_before(month_of(opened), 1);
            assert_eq!((ended.is_active, ended.last), (false, days_before(last_month, 1)), "{opened}");
            let renewed = with(|of| of.renewed.is_some()).terms(calendar);
            let [before, after] = renewed.as_slice() else { panic!("{opened}") };
            assert_eq!((before.is_active, after.is_active, before.periods.end), (false, true, after.periods.start));
            assert_eq!((before.last, after.first), (days_before(after.first, 1), last_month));
            let moved = with(|of| of.moved.is_some()).periods(calendar);
            assert!(moved.windows(2).all(|pair| pair[0].last == days_before(pair[1].first, 1)), "{opened}: a gap");
            let is_of_one_month = |pair: &&[Period]| month_of(pair[0].first) == month_of(pair[1].first);
            assert_eq!(moved.windows(2).filter(is_of_one_month).count(), 1, "{opened}");
            assert_eq!((moved.len(), moved.iter().filter(|of| of.closed).count()), (21, 20), "{opened}");
        }
    }
}
