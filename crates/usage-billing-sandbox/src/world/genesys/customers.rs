//! Customer organizations of the partner: what they agreed to, what they use, and the partner's overview of it.

use chrono::{Datelike, NaiveDate, TimeDelta};
use serde_json::json;
use usage_billing_core::Decimal;
use usage_billing_genesys::types;
use usage_billing_genesys::types::BillingUnitOfMeasure as Unit;

use super::about;
use crate::world::{chance, day_key, days, days_before, midnight, mix, months_after, months_before};
use crate::{GENESYS_TRUSTOR_ORG_ID, GENESYS_YOUNG_TRUSTOR_ORG_ID};

/// The day on which the sandbox was started, from which contracts are dated, and the day that it is by now.
#[derive(Clone, Copy)]
pub(crate) struct Calendar {
    pub(crate) opened: NaiveDate,
    pub(crate) today: NaiveDate,
}

pub(super) struct Customer {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) number: &'static str,
    pub(super) contract: &'static str,
    pub(super) currency: &'static str,
    subscription: types::SubscriptionType,
    /// Day of the month on which the billing month begins.
    anchor: u32,
    /// Billing periods that began and ended before the sandbox was started.
    finished: u32,
    /// Of these, so many came after the end of the contract; 0 is a contract in force.
    ended: u32,
    /// Least monthly amount, in cents.
    minimum: i64,
    /// AI tokens that come with each year of the contract.
    pub(super) tokens: u32,
    pub(super) charges: &'static [Charge],
}

pub(super) struct Charge {
    pub(super) name: &'static str,
    pub(super) part_number: &'static str,
    grouping: &'static str,
    unit: &'static str,
    /// The unit as contracts and invoices call it.
    pub(super) measure: Unit,
    /// Thousandths: in a month for seats, in a day for what is measured.
    average: u64,
    measured: bool,
    pub(super) prepaid: i64,
    /// In ten-thousandths.
    pub(super) prepay_price: Option<i64>,
    pub(super) overage_price: i64,
    bundle: Option<i64>,
    notes: Option<&'static str>,
}

const SEATS: Charge = Charge {
    name: "Genesys Cloud CX 2 Named User",
    part_number: "GC-170-NV-CX2NAM",
    grouping: "user-license",
    unit: "seat",
    measure: Unit::User,
    average: 110_000,
    measured: false,
    prepaid: 100,
    prepay_price: Some(1_100_000),
    overage_price: 1_320_000,
    bundle: Some(1),
    notes: None,
};

const MINUTES: Charge = Charge {
    name: "IVR Minutes",
    part_number: "GC-170-NV-IVRMIN",
    grouping: "resource",
    unit: "minute",
    measure: Unit::Minute,
    average: 681_500,
    measured: true,
    prepaid: 0,
    prepay_price: None,
    overage_price: 119,
    bundle: None,
    notes: Some("metered per minute"),
};

pub(super) const CUSTOMERS: [Customer; 3] = [
    Customer {
        id: GENESYS_TRUSTOR_ORG_ID,
        name: "Harbor Lane Retail, Inc.",
        number: "100482",
        contract: "CN-0048213",
        currency: "EUR",
        subscription: types::SubscriptionType::PrepayMonthlyCommitment,
        anchor: 1,
        finished: 13,
        ended: 0,
        minimum: 1_100_000,
        tokens: 30_000,
        charges: &[
            SEATS,
            Charge {
                name: "Genesys Cloud CX 3 Concurrent User",
                part_number: "GC-170-NV-CX3CON",
                grouping: "billable-app-concurrent-license",
                average: 17_000,
                prepaid: 20,
                prepay_price: Some(1_985_000),
                overage_price: 2_400_000,
                ..SEATS
            },
            MINUTES,
            Charge {
                name: "Digital Messages, bundles of 1000",
                part_number: "GC-170-NV-MSG1K",
                grouping: "messaging-usage",
                unit: "message",
                measure: Unit::Message,
                average: 2_400_000,
                overage_price: 8,
                bundle: Some(1000),
                notes: None,
                ..MINUTES
            },
        ],
    },
    Customer {
        id: GENESYS_YOUNG_TRUSTOR_ORG_ID,
        name: "運輸ポータル 株式会社",
        number: "100913",
        contract: "CN-0051790",
        currency: "USD",
        subscription: types::SubscriptionType::MonthToMonth,
        anchor: 15,
        finished: 4,
        ended: 0,
        minimum: 0,
        tokens: 0,
        charges: &[
            Charge { average: 24_000, prepaid: 0, prepay_price: None, overage_price: 1_550_000, ..SEATS },
            Charge { average: 42_125, ..MINUTES },
        ],
    },
    // Left the partner: there is no trust any more, but contract and invoices remain.
    Customer {
        id: "3c9a7f52-84be-4d16-a0c7-5e1f29d6b803",
        name: "Old Mill \"Radio\" & Sons",
        number: "100207",
        contract: "CN-0031077",
        currency: "EUR",
        subscription: types::SubscriptionType::PrepayMonthlyCommitment,
        anchor: 8,
        finished: 16,
        ended: 10,
        minimum: 0,
        tokens: 0,
        charges: &[
            Charge { average: 30_000, prepaid: 25, prepay_price: Some(1_199_900), ..SEATS },
            Charge { average: 11_050, ..MINUTES },
        ],
    },
];

/// A billing period; both days are in it.
#[derive(Clone, Copy)]
pub(super) struct Period {
    /// Counted from the first one of the contract, 0.
    pub(super) place: u32,
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
    pub(super) closed: bool,
}

impl Customer {
    pub(super) fn is_active(&self) -> bool {
        self.ended == 0
    }

    pub(super) fn contract_start(&self, calendar: Calendar) -> NaiveDate {
        months_before(period_of(calendar.opened, self.anchor), self.finished)
    }

    /// Three years, if it is not over before.
    pub(super) fn contract_end(&self, calendar: Calendar) -> NaiveDate {
        let after = match self.ended {
            0 => months_after(self.contract_start(calendar), 36.max(self.count(calendar))),
            ended => months_before(period_of(calendar.opened, self.anchor), ended),
        };
        days_before(after, 1)
    }

    pub(super) fn ramp_end(&self, calendar: Calendar) -> NaiveDate {
        days_before(months_after(self.contract_start(calendar), 3), 1)
    }

    /// Oldest first.
    pub(super) fn periods(&self, calendar: Calendar) -> Vec<Period> {
        (0..self.count(calendar)).map(|place| self.period(calendar, place)).collect()
    }

    /// Number of billing periods, the running one among them.
    fn count(&self, calendar: Calendar) -> u32 {
        match self.ended {
            0 => {
                let (start, now) = (self.contract_start(calendar), period_of(calendar.today, self.anchor));
                let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month());
                u32::try_from(months(now) - months(start) + 1).unwrap_or_default()
            }
            ended => self.finished.saturating_sub(ended),
        }
    }

    fn period(&self, calendar: Calendar, place: u32) -> Period {
        let first = months_after(self.contract_start(calendar), place);
        let last = days_before(months_after(first, 1), 1);
        Period { place, first, last, closed: last < calendar.today }
    }

    /// What was used under each charge, in their order. Today is not over, hence not counted.
    pub(super) fn used(&self, calendar: Calendar, period: Period) -> Vec<Decimal> {
        let quantity = |(charge, place): (&Charge, u64)| {
            let key = mix(&[31, u64::from(self.anchor), place]);
            if charge.measured {
                let last = period.last.min(days_before(calendar.today, 1));
                let total: i64 = days(period.first, last).map(|day| about(&[key, day_key(day)], charge.average)).sum();
                return Decimal::new(total, 3).normalize();
            }
            // Between nine and eleven tenths of the average: whole seats.
            let tenth = charge.average / 10_000;
            let least = i64::try_from(tenth * 9).unwrap_or_default();
            Decimal::from(least + chance(&[key, day_key(period.first)], tenth * 2 + 1))
        };
        self.charges.iter().zip(0u64..).map(quantity).collect()
    }
}

/// In short.
pub(crate) fn customers() -> Vec<serde_json::Value> {
    let short = |of: &Customer| json!({"name": of.name, "id": of.id, "contract": of.contract, "currency": of.currency});
    CUSTOMERS.iter().map(short).collect()
}

/// The bill of a billing period: 0 is the one of today. `None` for another organization, or before its first period.
pub(crate) fn overview(calendar: Calendar, trustor: &str, index: u32) -> Option<types::TrusteeBillingOverview> {
    let customer = CUSTOMERS.iter().find(|customer| customer.id == trustor && customer.is_active())?;
    let place = customer.count(calendar).checked_sub(index.checked_add(1)?)?;
    let period = customer.period(calendar, place);
    let end_of = |day: NaiveDate| midnight(day) + TimeDelta::days(1) - TimeDelta::milliseconds(1);
    let (contract, ramp_end) = (customer.contract_start(calendar), customer.ramp_end(calendar));
    let usages = customer.charges.iter().zip(customer.used(calendar, period));
    let usages = usages.map(|(charge, quantity)| types::SubscriptionOverviewUsage {
        name: charge.name.to_owned(),
        part_number: charge.part_number.to_owned(),
        grouping: charge.grouping.to_owned(),
        unit_of_measure_type: charge.unit.to_owned(),
        usage_quantity: quantity.into(),
        prepay_quantity: charge.prepaid.into(),
        prepay_price: charge.prepay_price.map(price),
        overage_price: Some(price(charge.overage_price)),
        bundle_quantity: charge.bundle.map(Into::into),
        usage_notes: charge.notes.map(str::to_owned),
        is_cancellable: Some(charge.prepaid == 0),
        is_third_party: Some(false),
    });
    Some(types::TrusteeBillingOverview {
        id: None,
        name: None,
        organization: types::NamedEntity { id: Some(customer.id.to_owned()), name: Some(customer.name.to_owned()) },
        currency: customer.currency.to_owned(),
        enabled_products: vec!["genesysCloudCX2Overage".to_owned(), "ivrMinutesOverage".to_owned()],
        subscription_type: customer.subscription.clone(),
        ramp_period_start_date: Some(midnight(contract)),
        ramp_period_end_date: Some(end_of(ramp_end)),
        billing_period_start_date: Some(midnight(period.first)),
        billing_period_end_date: Some(midnight(period.last) + TimeDelta::days(1) - TimeDelta::seconds(1)),
        usages: usages.collect(),
        contract_amendment_date: None,
        contract_effective_date: Some(midnight(contract)),
        contract_end_date: Some(end_of(customer.contract_end(calendar))),
        minimum_monthly_amount: Some(Decimal::new(customer.minimum, 2).into()),
        in_ramp_period: Some(period.first <= ramp_end),
        self_uri: Some(format!("/api/v2/billing/trusteebillingoverview/{}", customer.id)),
    })
}

fn price(ten_thousandths: i64) -> usage_billing_core::DecimalString {
    let mut price = Decimal::new(ten_thousandths, 4).normalize();
    if price.scale() < 2 {
        price.rescale(2);
    }
    price.into()
}

/// First day of the billing month that a day belongs to.
fn period_of(day: NaiveDate, anchor: u32) -> NaiveDate {
    let this = day.with_day(anchor).unwrap_or(day);
    if this <= day { this } else { months_before(this, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn calendar(opened: &str, today: &str) -> Calendar {
        Calendar { opened: day(opened), today: day(today) }
    }

    #[test]
    fn history_ends_at_the_first_period_of_the_contract() {
        let start = calendar("2026-05-31", "2026-05-31");
        assert!(overview(start, GENESYS_TRUSTOR_ORG_ID, 13).is_some());
        for (trustor, index) in
            [(GENESYS_TRUSTOR_ORG_ID, 14), (GENESYS_TRUSTOR_ORG_ID, u32::MAX), ("else", 0), (CUSTOMERS[2].id, 0)]
        {
            assert!(overview(start, trustor, index).is_none(), "{trustor} {index}");
        }
        let young = overview(start, GENESYS_YOUNG_TRUSTOR_ORG_ID, 1).unwrap();
        assert_eq!(young.billing_period_start_date, Some(midnight(day("2026-04-15"))));
        assert_eq!(young.billing_period_end_date.unwrap().to_rfc3339(), "2026-05-14T23:59:59+00:00");
    }

    #[test]
    fn a_period_that_closes_stays_what_it_was() {
        let may = overview(calendar("2026-06-01", "2026-06-01"), GENESYS_TRUSTOR_ORG_ID, 1).unwrap();
        let later = calendar("2026-06-01", "2026-08-17");
        assert_eq!(
            serde_json::to_string(&overview(later, GENESYS_TRUSTOR_ORG_ID, 3).unwrap()).unwrap(),
            serde_json::to_string(&may).unwrap()
        );
        assert!(overview(later, GENESYS_TRUSTOR_ORG_ID, 15).is_some(), "two more periods, none forgotten");
        assert!(overview(later, GENESYS_TRUSTOR_ORG_ID, 16).is_none());
    }

    #[test]
    fn the_billing_month_of_a_day_before_the_anchor_began_in_the_month_before() {
        assert_eq!(period_of(day("2026-03-14"), 15), day("2026-02-15"));
        assert_eq!(period_of(day("2026-03-15"), 15), day("2026-03-15"));
    }
}
