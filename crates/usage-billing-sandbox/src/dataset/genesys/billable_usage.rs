//! Billable usage of the partner's own organization.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use usage_billing_core::Decimal;
use usage_billing_genesys::types;

use super::licences::Person;
use super::{HISTORY, Partner};
use crate::dataset::seed::Seed;
use crate::dataset::{day_key, days, midnight, month_of, months_after, months_before};

/// The usage of a charge.
pub(super) enum UsageKind {
    /// The first people of a group have the licence; most of them work in any month.
    People { licence: &'static str, group: u64, count: u64 },
    /// Devices, all of them in use.
    Devices(u64),
    /// Measured usage: the average per day in thousandths, under one resource.
    Measured(u64, &'static str),
}

pub(super) const CHARGES: [(&str, UsageKind); 8] = [
    ("Genesys Cloud CX 1", UsageKind::People { licence: "cloudCX1", group: 0, count: 12 }),
    ("Genesys Cloud CX 2", UsageKind::People { licence: "cloudCX2", group: 1, count: 31 }),
    ("Genesys Cloud CX 3", UsageKind::People { licence: "cloudCX3", group: 2, count: 9 }),
    ("Genesys Cloud CX 2 Digital Add-on", UsageKind::People { licence: "gc2DigitalUpgrade", group: 1, count: 5 }),
    ("Genesys Cloud Communicate", UsageKind::Devices(4)),
    ("IVR Minutes", UsageKind::Measured(681_500, "ivr-main")),
    ("Genesys Cloud Storage, GB", UsageKind::Measured(1_417, "recordings")),
    ("AI Experience Tokens", UsageKind::Measured(52_333, "bot \"Øystein\", FAQ")),
];

impl Partner {
    /// Returns the billable usage between two instants, both included, as far as it is known the day before `today`.
    pub(crate) fn billable_usages(
        &self,
        today: NaiveDate,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Vec<types::BillingUsage> {
        let end = end.min(midnight(today) - TimeDelta::milliseconds(1));
        let start = start.max(midnight(months_before(month_of(today), HISTORY)));
        if end < start {
            return CHARGES.iter().map(|(name, _)| usage(name, Decimal::ZERO, Vec::new())).collect();
        }
        CHARGES
            .iter()
            .zip(0u64..)
            .map(|((name, how), charge)| match how {
                UsageKind::People { group, count, .. } => {
                    let people = (0..*count).map(|number| Person { group: *group, number });
                    let people: Vec<_> = people
                        .filter_map(|person| {
                            Some(resource(person.email(), first_login(self.seed, &person, start, end)?))
                        })
                        .collect();
                    usage(name, people.len().into(), people)
                }
                UsageKind::Devices(count) => {
                    let devices: Vec<_> =
                        (0..*count).map(|device| resource(format!("lobby-phone-{:04}", 417 + device), start)).collect();
                    usage(name, devices.len().into(), devices)
                }
                UsageKind::Measured(average, source) => {
                    let total: i64 = days(start.date_naive(), end.date_naive())
                        .filter(|day| (start..=end).contains(&(midnight(*day) + TimeDelta::hours(12))))
                        .map(|day| self.seed.about(&[21, charge, day_key(day)], *average))
                        .sum();
                    usage(name, Decimal::new(total, 3).normalize(), vec![resource((*source).to_owned(), start)])
                }
            })
            .collect()
    }
}

fn usage(name: &str, total: Decimal, resources: Vec<types::BillingUsageResource>) -> types::BillingUsage {
    types::BillingUsage { name: name.to_owned(), total_usage: total.into(), resources }
}

fn resource(name: String, date: DateTime<Utc>) -> types::BillingUsageResource {
    types::BillingUsageResource { name, date: Some(date) }
}

/// Returns the first login in the months of the period. One in eight people does not work in a month.
fn first_login(seed: Seed, person: &Person, start: DateTime<Utc>, end: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let first = month_of(start.date_naive());
    (0..)
        .map(|index| months_after(first, index))
        .take_while(|month| *month <= end.date_naive())
        .filter(|month| is_active(seed, person, *month))
        .map(|month| {
            let index = |what, day| [what, person.group, person.number, day_key(day)];
            // Everybody logs in by the 20th, at some second of a working day.
            let day = month + Days::new(seed.mix(&index(12, month)) % 20);
            midnight(day) + TimeDelta::seconds(6 * 3600 + seed.chance(&index(13, day), 10 * 3600))
        })
        .find(|login| (start..=end).contains(login))
}

/// Returns whether a person logs in at all in a month.
pub(super) fn is_active(seed: Seed, person: &Person, month: NaiveDate) -> bool {
    !seed.mix(&[11, person.group, person.number, day_key(month)]).is_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::day;

    fn totals(today: &str, start: &str, end: &str) -> Vec<Decimal> {
        Partner::of_tests()
            .billable_usages(day(today), start.parse().unwrap(), end.parse().unwrap())
            .iter()
            .map(|usage| usage.total_usage.0)
            .collect()
    }

    #[test]
    fn finished_month_does_not_change() {
        let march = |today| totals(today, "2026-03-01T00:00:00Z", "2026-03-31T23:59:59.999Z");
        assert_eq!(march("2026-04-01"), march("2027-01-17"));
        assert!(march("2026-04-01").iter().all(|total| *total > Decimal::ZERO));
        assert!(march("2026-04-01").iter().any(|total| !total.is_integer()));
        assert!(march("2026-03-01").iter().all(|total| *total == Decimal::ZERO));
    }

    #[test]
    fn measured_usage_of_half_months_adds_up() {
        let today = "2026-04-02";
        let whole = totals(today, "2026-03-01T00:00:00Z", "2026-03-31T23:59:59.999Z");
        let first = totals(today, "2026-03-01T00:00:00Z", "2026-03-15T23:59:59.999Z");
        let second = totals(today, "2026-03-16T00:00:00Z", "2026-03-31T23:59:59.999Z");
        assert_eq!(whole[5], first[5] + second[5]);
    }
}
