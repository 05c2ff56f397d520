//! Genesys Cloud: billable usage of the partner's own organization, bills of two customer organizations, API requests.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use usage_billing_core::Decimal;
use usage_billing_genesys::types;

use super::{chance, day_key, days, days_before, id, midnight, mix, month_of, months_after, months_before};
use crate::{GENESYS_TRUSTOR_ORG_ID, GENESYS_YOUNG_TRUSTOR_ORG_ID};

/// Months that usage reaches back.
const HISTORY: u32 = 36;

/// How a charge is used.
enum Use {
    /// So many people have the licence; most of them work in any month.
    People(u64),
    /// So many devices, all of them in use.
    Devices(u64),
    /// Something measured: on average so many thousandths a day, under one resource.
    Measured(u64, &'static str),
}

const CHARGES: [(&str, Use); 8] = [
    ("Genesys Cloud CX 1", Use::People(12)),
    ("Genesys Cloud CX 2", Use::People(31)),
    ("Genesys Cloud CX 3", Use::People(9)),
    ("Genesys Cloud CX 2 Digital Add-on", Use::People(5)),
    ("Genesys Cloud Communicate", Use::Devices(4)),
    ("IVR Minutes", Use::Measured(681_500, "ivr-main")),
    ("Genesys Cloud Storage, GB", Use::Measured(1_417, "recordings")),
    ("AI Experience Tokens", Use::Measured(52_333, "bot \"Øystein\", FAQ")),
];

/// Billable usage between two instants, both included, as far as it is known the day before `today`.
pub(crate) fn billable_usages(today: NaiveDate, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<types::BillingUsage> {
    let end = end.min(midnight(today) - TimeDelta::milliseconds(1));
    let start = start.max(midnight(months_before(month_of(today), HISTORY)));
    if end < start {
        return CHARGES.iter().map(|(name, _)| usage(name, Decimal::ZERO, Vec::new())).collect();
    }
    CHARGES
        .iter()
        .zip(0u64..)
        .map(|((name, how), charge)| match how {
            Use::People(count) => {
                let people = (0..*count).filter_map(|person| {
                    let date = first_login(charge, person, start, end)?;
                    Some(resource(format!("agent-{charge}{person:02}@northwind.example"), date))
                });
                let people: Vec<_> = people.collect();
                usage(name, people.len().into(), people)
            }
            Use::Devices(count) => {
                let devices: Vec<_> =
                    (0..*count).map(|device| resource(format!("lobby-phone-{:04}", 417 + device), start)).collect();
                usage(name, devices.len().into(), devices)
            }
            Use::Measured(average, source) => {
                let total: i64 = days(start.date_naive(), end.date_naive())
                    .filter(|day| (start..=end).contains(&(midnight(*day) + TimeDelta::hours(12))))
                    .map(|day| about(&[21, charge, day_key(day)], *average))
                    .sum();
                usage(name, Decimal::new(total, 3).normalize(), vec![resource((*source).to_owned(), start)])
            }
        })
        .collect()
}

fn usage(name: &str, total: Decimal, resources: Vec<types::BillingUsageResource>) -> types::BillingUsage {
    types::BillingUsage { name: name.to_owned(), total_usage: total.into(), resources }
}

fn resource(name: String, date: DateTime<Utc>) -> types::BillingUsageResource {
    types::BillingUsageResource { name, date: Some(date) }
}

/// Half to one and a half of the average.
fn about(place: &[u64], average: u64) -> i64 {
    i64::try_from(average / 2).unwrap_or_default() + chance(place, average)
}

/// First login in the months that the period touches. One in eight people rests for a month.
fn first_login(charge: u64, person: u64, start: DateTime<Utc>, end: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let first = month_of(start.date_naive());
    (0..)
        .map(|index| months_after(first, index))
        .take_while(|month| *month <= end.date_naive())
        .filter(|month| !mix(&[11, charge, person, day_key(*month)]).is_multiple_of(8))
        .map(|month| {
            // Everybody is there by the 20th, at some second of a working day.
            let day = month + Days::new(mix(&[12, charge, person, day_key(month)]) % 20);
            midnight(day) + TimeDelta::seconds(6 * 3600 + chance(&[13, charge, person, day_key(day)], 10 * 3600))
        })
        .find(|login| (start..=end).contains(login))
}

/// A customer organization, as its partner sees it.
struct Customer {
    id: &'static str,
    name: &'static str,
    currency: &'static str,
    subscription: types::SubscriptionType,
    /// Day of the month on which the billing month begins.
    anchor: u32,
    /// Finished billing periods.
    finished: u32,
    /// Least monthly amount, in cents.
    minimum: i64,
    charges: &'static [Charge],
}

struct Charge {
    name: &'static str,
    part_number: &'static str,
    grouping: &'static str,
    unit: &'static str,
    /// Thousandths: in a month for seats, in a day for what is measured.
    average: u64,
    measured: bool,
    prepaid: i64,
    /// In ten-thousandths.
    prepay_price: Option<i64>,
    overage_price: i64,
    bundle: Option<i64>,
    notes: Option<&'static str>,
}

const SEATS: Charge = Charge {
    name: "Genesys Cloud CX 2 Named User",
    part_number: "GC-170-NV-CX2NAM",
    grouping: "user-license",
    unit: "seat",
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
    average: 681_500,
    measured: true,
    prepaid: 0,
    prepay_price: None,
    overage_price: 119,
    bundle: None,
    notes: Some("metered per minute"),
};

const CUSTOMERS: [Customer; 2] = [
    Customer {
        id: GENESYS_TRUSTOR_ORG_ID,
        name: "Harbor Lane Retail, Inc.",
        currency: "EUR",
        subscription: types::SubscriptionType::PrepayMonthlyCommitment,
        anchor: 1,
        finished: 13,
        minimum: 1_100_000,
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
        currency: "USD",
        subscription: types::SubscriptionType::MonthToMonth,
        anchor: 15,
        finished: 4,
        minimum: 0,
        charges: &[
            Charge { average: 24_000, prepaid: 0, prepay_price: None, overage_price: 1_550_000, ..SEATS },
            Charge { average: 42_125, ..MINUTES },
        ],
    },
];

/// The bill of a billing period: 0 is the one of `today`. `None` for another organization, or before its first period.
pub(crate) fn overview(today: NaiveDate, trustor: &str, index: u32) -> Option<types::TrusteeBillingOverview> {
    let customer = CUSTOMERS.iter().find(|customer| customer.id == trustor)?;
    if index > customer.finished {
        return None;
    }
    let current = period_of(today, customer.anchor);
    let start = months_before(current, index);
    let end = months_after(start, 1);
    let contract = months_before(current, customer.finished);
    // Today is not over, hence not counted.
    let usages = customer.charges.iter().zip(0u64..).map(|(charge, place)| {
        let key = mix(&[31, u64::from(customer.anchor), place]);
        let quantity = if charge.measured {
            let last = days_before(end.min(today), 1);
            let total: i64 = days(start, last).map(|day| about(&[key, day_key(day)], charge.average)).sum();
            Decimal::new(total, 3)
        } else {
            // Between nine and eleven tenths of the average: whole seats.
            let tenth = charge.average / 10_000;
            Decimal::from(i64::try_from(tenth * 9).unwrap_or_default() + chance(&[key, day_key(start)], tenth * 2 + 1))
        };
        types::SubscriptionOverviewUsage {
            name: charge.name.to_owned(),
            part_number: charge.part_number.to_owned(),
            grouping: charge.grouping.to_owned(),
            unit_of_measure_type: charge.unit.to_owned(),
            usage_quantity: quantity.normalize().into(),
            prepay_quantity: charge.prepaid.into(),
            prepay_price: charge.prepay_price.map(price),
            overage_price: Some(price(charge.overage_price)),
            bundle_quantity: charge.bundle.map(Into::into),
            usage_notes: charge.notes.map(str::to_owned),
            is_cancellable: Some(charge.prepaid == 0),
            is_third_party: Some(false),
        }
    });
    Some(types::TrusteeBillingOverview {
        id: None,
        name: None,
        organization: types::NamedEntity { id: Some(customer.id.to_owned()), name: Some(customer.name.to_owned()) },
        currency: customer.currency.to_owned(),
        enabled_products: vec!["genesysCloudCX2Overage".to_owned(), "ivrMinutesOverage".to_owned()],
        subscription_type: customer.subscription.clone(),
        ramp_period_start_date: Some(midnight(contract)),
        ramp_period_end_date: Some(midnight(months_after(contract, 3)) - TimeDelta::milliseconds(1)),
        billing_period_start_date: Some(midnight(start)),
        billing_period_end_date: Some(midnight(end) - TimeDelta::seconds(1)),
        usages: usages.collect(),
        contract_amendment_date: None,
        contract_effective_date: Some(midnight(contract)),
        contract_end_date: Some(midnight(months_after(contract, 36)) - TimeDelta::milliseconds(1)),
        minimum_monthly_amount: Some(Decimal::new(customer.minimum, 2).into()),
        in_ramp_period: Some(start < months_after(contract, 3)),
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

/// API requests of one day, one client, one path and method, and one user.
pub(crate) struct Requests {
    pub(crate) day: NaiveDate,
    pub(crate) client: (String, &'static str),
    pub(crate) user: String,
    pub(crate) template: &'static str,
    pub(crate) method: &'static str,
    pub(crate) ok: i64,
    /// Those with 429 among them.
    pub(crate) refused: i64,
    pub(crate) limited: i64,
    pub(crate) failed: i64,
}

/// API requests from one day to another, both included, as far as they are known the day before `today`.
pub(crate) fn requests(today: NaiveDate, first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = Requests> {
    const CLIENTS: [&str; 2] = ["billing-sync, nightly", "運輸ポータル"];
    const PATHS: [(&str, &str, u64); 3] = [
        ("api/v2/billing/reports/billableusage", "GET", 12),
        ("api/v2/users/{userId}", "GET", 310),
        ("api/v2/usage/query", "POST", 5),
    ];
    let first = first.max(months_before(month_of(today), HISTORY));
    let last = last.min(days_before(today, 1));
    days(first, last).flat_map(|day| {
        CLIENTS.into_iter().zip(0u64..).flat_map(move |(name, client)| {
            PATHS.into_iter().zip(0u64..).map(move |((template, method, average), path)| {
                let place = |what| [41, client, path, day_key(day), what];
                let limited = chance(&place(1), 3);
                Requests {
                    day,
                    client: (id(&format!("genesys/client/{client}")).to_string(), name),
                    user: id(&format!("genesys/user/{client}")).to_string(),
                    template,
                    method,
                    ok: about(&place(0), average),
                    refused: limited + chance(&place(2), 4),
                    limited,
                    failed: chance(&place(3), 2),
                }
            })
        })
    })
}

/// The partner's own organization.
pub(crate) fn organization_id() -> String {
    id("genesys/organization").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn totals(today: &str, start: &str, end: &str) -> Vec<Decimal> {
        billable_usages(day(today), start.parse().unwrap(), end.parse().unwrap())
            .iter()
            .map(|usage| usage.total_usage.0)
            .collect()
    }

    #[test]
    fn a_finished_month_is_the_same_whenever_it_is_asked_for() {
        let march = |today| totals(today, "2026-03-01T00:00:00Z", "2026-03-31T23:59:59.999Z");
        assert_eq!(march("2026-04-01"), march("2027-01-17"));
        assert!(march("2026-04-01").iter().all(|total| *total > Decimal::ZERO));
        assert!(march("2026-04-01").iter().any(|total| !total.is_integer()));
        assert!(march("2026-03-01").iter().all(|total| *total == Decimal::ZERO));
    }

    #[test]
    fn halves_of_a_month_add_up_for_what_is_measured() {
        let today = "2026-04-02";
        let whole = totals(today, "2026-03-01T00:00:00Z", "2026-03-31T23:59:59.999Z");
        let first = totals(today, "2026-03-01T00:00:00Z", "2026-03-15T23:59:59.999Z");
        let second = totals(today, "2026-03-16T00:00:00Z", "2026-03-31T23:59:59.999Z");
        assert_eq!(whole[5], first[5] + second[5]);
    }

    #[test]
    fn history_ends_at_the_first_period_of_the_contract() {
        let today = day("2026-05-31");
        assert!(overview(today, GENESYS_TRUSTOR_ORG_ID, 13).is_some());
        assert!(overview(today, GENESYS_TRUSTOR_ORG_ID, 14).is_none());
        assert!(overview(today, "someone else", 0).is_none());
        let young = overview(today, GENESYS_YOUNG_TRUSTOR_ORG_ID, 1).unwrap();
        assert_eq!(young.billing_period_start_date, Some(midnight(day("2026-04-15"))));
        assert_eq!(young.billing_period_end_date.unwrap().to_rfc3339(), "2026-05-14T23:59:59+00:00");
    }

    #[test]
    fn the_billing_month_of_a_day_before_the_anchor_began_in_the_month_before() {
        assert_eq!(period_of(day("2026-03-14"), 15), day("2026-02-15"));
        assert_eq!(period_of(day("2026-03-15"), 15), day("2026-03-15"));
    }
}
