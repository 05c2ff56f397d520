//! Hourly reports of metered usage: pure functions of records and fractions.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing::suger::UsageEvent;
use usage_billing::{Decimal, Error, ErrorKind, Result, printable};

/// The largest quantity of a record is below this, so that sums of 28 digits have room for 79,000 of them.
const TOO_MUCH: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);
/// The most digits after the point of a record.
const MAX_SCALE: u32 = 9;

/// One record of metered usage, which is added up by the hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeteredUsage {
    /// The id of the record, unique in the store: the same record is stored once.
    pub id: String,
    /// The id of the entitlement.
    pub entitlement_id: String,
    /// The dimension (its key at the marketplace).
    pub dimension: String,
    /// When it was used.
    pub timestamp: DateTime<Utc>,
    /// The quantity in the unit of the dimension.
    pub quantity: Decimal,
}

impl MeteredUsage {
    /// Validates the record, so that every record can be reported.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] if an id or the dimension is empty or has a NUL character, or the quantity is negative, not below 10^15, or has
    /// more than 9 digits after the point.
    pub fn check(&self) -> Result<()> {
        let quantity = self.quantity.normalize();
        let names = [&self.id, &self.entitlement_id, &self.dimension];
        let reason = if names.into_iter().any(String::is_empty) {
            "it has no id, no entitlement or no dimension".to_owned()
        } else if names.into_iter().any(|name| name.contains('\0')) {
            // Not every database stores it.
            "its id, entitlement or dimension has a NUL character".to_owned()
        } else if quantity.is_sign_negative() && !quantity.is_zero() {
            format!("{quantity} is negative: marketplaces do not accept corrections, so settle them with the buyer")
        } else if quantity >= TOO_MUCH || quantity.scale() > MAX_SCALE {
            format!(
                "{quantity} is not a valid quantity: expected less than 10^15 with at most {MAX_SCALE} decimal places"
            )
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Request, format!("metered usage {}: {reason}", printable(&self.id))))
    }
}

/// How metered usage becomes reports.
///
/// ```
/// use std::time::Duration;
/// use usage_billing_outbox::HourlyReports;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rule = HourlyReports { grace: Duration::from_secs(900), ..HourlyReports::default() };
/// let closed = |now: &str| now.parse().map(|now| rule.closed_before(now).to_string());
/// assert_eq!(closed("2026-10-07T10:14:59Z")?, "2026-10-07 09:00:00 UTC");
/// assert_eq!(closed("2026-10-07T10:15:00Z")?, "2026-10-07 10:00:00 UTC");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyReports {
    /// How long after its end an hour is reported. Records that arrive later become a further report of the hour, with the next sequence.
    pub grace: Duration,
    /// Whether reports have whole units only, and their fractions are carried over to later reports. Suger carries fractions over itself, for
    /// marketplaces that take whole units: set this only if it does not, or they are carried over twice.
    pub whole_units: bool,
}

impl Default for HourlyReports {
    /// Returns five minutes of grace, and exact quantities.
    fn default() -> Self {
        Self { grace: Duration::from_secs(300), whole_units: false }
    }
}

impl HourlyReports {
    /// Returns the end of the last hour that is reported at `now`.
    pub fn closed_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let grace = TimeDelta::from_std(self.grace).unwrap_or(TimeDelta::MAX);
        hour_of(now.checked_sub_signed(grace).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }
}

/// Returns the start of the hour of a time.
pub fn hour_of(time: DateTime<Utc>) -> DateTime<Utc> {
    time - TimeDelta::seconds(time.timestamp().rem_euclid(3600))
        - TimeDelta::nanoseconds(i64::from(time.timestamp_subsec_nanos()))
}

/// A report of one entitlement and hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourlyReport {
    /// The event. `None` if there is no whole unit to report.
    pub event: Option<UsageEvent>,
    /// Number of records that it contains. The others would make a sum of more than 28 digits, and belong to the next report.
    pub records: usize,
    /// Fractions that are left, by dimension: those of the reported dimensions.
    pub carried: BTreeMap<String, Decimal>,
}

/// Adds up records of one entitlement and hour, with the fractions that are left of earlier reports.
pub fn report(
    entitlement_id: &str,
    hour: DateTime<Utc>,
    sequence: u32,
    records: impl IntoIterator<Item = (String, Decimal)>,
    carried: &BTreeMap<String, Decimal>,
    whole_units: bool,
) -> HourlyReport {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut added = 0;
    for (dimension, quantity) in records {
        let sum = sums.get(&dimension).or_else(|| carried.get(&dimension));
        let Some(sum) = exact_sum(sum.copied().unwrap_or_default(), quantity) else { break };
        sums.insert(dimension, sum);
        added += 1;
    }
    let mut left = BTreeMap::new();
    for (dimension, sum) in &mut sums {
        if whole_units {
            left.insert(dimension.clone(), sum.fract());
            *sum = sum.trunc();
        } else if carried.contains_key(dimension) {
            left.insert(dimension.clone(), Decimal::ZERO);
        }
    }
    let is_reported = sums.values().any(|sum| !sum.is_zero());
    let event = is_reported.then(|| {
        let used = sums.into_iter().filter(|(_, sum)| !sum.is_zero());
        used.fold(UsageEvent::new(entitlement_id, hour).sequence(sequence), |event, (dimension, sum)| {
            event.quantity(dimension, sum)
        })
    });
    HourlyReport { event, records: added, carried: left }
}

/// Returns the sum, or `None` if it has more than 28 digits: it would be rounded.
fn exact_sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    let sum = one.checked_add(other)?;
    (sum.scale() >= one.scale().max(other.scale())).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hour() -> DateTime<Utc> {
        "2026-10-01T07:00:00Z".parse().unwrap()
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn used(records: &[(&str, &str)], carried: &[(&str, &str)], whole_units: bool) -> HourlyReport {
        let own = |list: &[(&str, &str)]| {
            list.iter().map(|(name, text)| ((*name).to_owned(), decimal(text))).collect::<Vec<_>>()
        };
        report("e-1", hour(), 3, own(records), &own(carried).into_iter().collect(), whole_units)
    }

    #[test]
    fn hour_is_closed_after_its_grace() {
        let at = |text: &str| HourlyReports::default().closed_before(text.parse().unwrap());
        assert_eq!(at("2026-10-01T08:04:59.999Z"), hour());
        assert_eq!(at("2026-10-01T08:05:00Z"), hour() + TimeDelta::hours(1));
        assert_eq!(
            hour_of("1969-12-31T23:59:59.5Z".parse().unwrap()),
            "1969-12-31T23:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
    }

    #[test]
    fn records_are_added_up_exactly() {
        let found = used(&[("gb", "0.1"), ("calls", "0"), ("gb", "0.20"), ("seats", "7")], &[], false);
        let expected = UsageEvent::new("e-1", hour()).sequence(3).quantity("gb", decimal("0.3")).quantity("seats", 7);
        assert_eq!((found.event, found.records, found.carried), (Some(expected), 4, BTreeMap::new()));
        assert_eq!(used(&[("gb", "0")], &[], false).event, None);
    }

    #[test]
    fn fractions_are_carried_over_where_whole_units_are_reported() {
        let found = used(&[("gb", "1.6"), ("gb", "0.3"), ("calls", "0.4")], &[("gb", "0.25"), ("seats", "0.5")], true);
        assert_eq!(found.event.unwrap().quantities(), &[("gb".to_owned(), Decimal::from(2))].into());
        assert_eq!(found.carried, [("calls".to_owned(), decimal("0.4")), ("gb".to_owned(), decimal("0.15"))].into());
        let nothing = used(&[("gb", "0.7")], &[("gb", "0.2")], true);
        assert_eq!((nothing.event, nothing.carried), (None, [("gb".to_owned(), decimal("0.9"))].into()));
    }

    #[test]
    fn old_fraction_is_reported_after_whole_units_are_off() {
        let found = used(&[("gb", "1.5")], &[("gb", "0.25"), ("seats", "0.5")], false);
        assert_eq!(found.event.unwrap().quantities(), &[("gb".to_owned(), decimal("1.75"))].into());
        assert_eq!(found.carried, [("gb".to_owned(), Decimal::ZERO)].into());
    }

    #[test]
    fn sum_that_does_not_fit_is_left_to_the_next_report() {
        let most = "79228162514264337593.543950335";
        let found = used(&[("gb", most), ("gb", "0.000000001"), ("gb", "5")], &[], false);
        assert_eq!((found.records, found.event.unwrap().quantities()["gb"]), (1, decimal(most)));
    }

    #[test]
    fn invalid_record_is_not_accepted() {
        let good = MeteredUsage {
            id: "r-1".to_owned(),
            entitlement_id: "e-1".to_owned(),
            dimension: "gb".to_owned(),
            timestamp: hour(),
            quantity: decimal("999999999999999.999999999"),
        };
        assert!(good.check().is_ok());
        assert_eq!(TOO_MUCH, decimal("1000000000000000"));
        for (quantity, expected) in
            [("-0.1", "negative"), ("1000000000000000", "less than 10^15"), ("0.0000000001", "9 decimal")]
        {
            let error = MeteredUsage { quantity: decimal(quantity), ..good.clone() }.check().unwrap_err();
            assert!(error.kind() == ErrorKind::Request && error.to_string().contains(expected), "{error}");
        }
        for (bad, expected) in [("", "no dimension"), ("g\0b", "a NUL character")] {
            let error = MeteredUsage { dimension: bad.to_owned(), ..good.clone() }.check().unwrap_err();
            assert!(error.kind() == ErrorKind::Request && error.to_string().contains(expected), "{error}");
        }
    }

    proptest! {
        /// However usage is split into reports, what is reported and what is carried is what was used.
        #[test]
        fn nothing_is_lost_or_added(
            hours in prop::collection::vec(prop::collection::vec((0usize..2, 0i64..5_000_000), 0..6), 1..8),
            whole_units: bool,
        ) {
            let names = ["gb", "calls"];
            let (mut carried, mut reported): (BTreeMap<String, Decimal>, BTreeMap<&str, Decimal>) = Default::default();
            let mut used: BTreeMap<&str, Decimal> = BTreeMap::new();
            for records in &hours {
                let records: Vec<_> = records.iter().map(|(name, micros)| (names[*name], Decimal::new(*micros, 6))).collect();
                for (name, quantity) in &records {
                    *used.entry(name).or_default() += quantity;
                }
                let records = records.into_iter().map(|(name, quantity)| (name.to_owned(), quantity));
                let found = report("e-1", hour(), 0, records, &carried, whole_units);
                carried.extend(found.carried);
                for (name, quantity) in found.event.iter().flat_map(|event| event.quantities()) {
                    prop_assert!(!whole_units || quantity.fract().is_zero());
                    *reported.entry(names[usize::from(name != "gb")]).or_default() += quantity;
                }
            }
            for name in names {
                let quantity = |sums: &BTreeMap<&str, Decimal>| sums.get(name).copied().unwrap_or_default();
                let left = carried.get(name).copied().unwrap_or_default();
                prop_assert_eq!(quantity(&used), quantity(&reported) + left);
                prop_assert!(left < Decimal::ONE);
            }
        }
    }
}
