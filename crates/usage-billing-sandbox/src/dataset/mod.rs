//! The dataset of a sandbox: customers and their usage, without a server.
//!
//! Nothing is random. A quantity is a pure function of the seed, of its position (customer, item) and of its day, so that all runs agree
//! about any month. The clock only determines where the history ends.

pub(crate) mod acronis;
pub(crate) mod genesys;
mod names;
mod seed;
mod size;
pub(crate) mod suger;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use uuid::Uuid;

pub(crate) use self::seed::Seed;
pub use self::size::Size;
use crate::clock::Clock;

/// Namespace of all generated ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x7b1d_90c4_52ef_4a36_8f0a_d3c2_61b7_e954);
/// Day from which trends are counted; there is no usage before it.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date");
/// Range of days in which date arithmetic does not overflow.
const FIRST_TODAY: NaiveDate = NaiveDate::from_ymd_opt(2016, 1, 1).expect("a date");
const LAST_TODAY: NaiveDate = NaiveDate::from_ymd_opt(9998, 12, 31).expect("a date");

/// Months after which the start dates of contracts move.
const MAX_RUN: u32 = 60;

pub(crate) struct Dataset {
    clock: Clock,
    /// Day of the start, from which contracts are dated.
    opened: NaiveDate,
    pub(crate) acronis: acronis::Tree,
    pub(crate) genesys: genesys::Partner,
    pub(crate) suger: suger::Organization,
}

impl Dataset {
    pub(crate) fn new(seed: Seed, size: &Size, clock: Clock) -> Self {
        // A clock beyond the range of days does not make the history longer.
        let opened = today(&clock);
        let today = midnight(opened);
        let suger = suger::Organization::new(seed, size, clock.now().clamp(today, today + TimeDelta::days(1)));
        let (acronis, genesys) = (acronis::Tree::new(seed, size, opened), genesys::Partner::new(seed, size, opened));
        Self { clock, opened, acronis, genesys, suger }
    }

    /// Returns the current day of the sandbox's clock.
    pub(crate) fn today(&self) -> NaiveDate {
        today(&self.clock)
    }

    /// Contracts are dated from a later day if the clock was advanced too far, because the history is bounded.
    pub(crate) fn calendar(&self) -> genesys::Calendar {
        let today = self.today();
        genesys::Calendar { opened: self.opened.max(months_before(today, MAX_RUN)), today }
    }
}

fn today(clock: &Clock) -> NaiveDate {
    clock.now().date_naive().clamp(FIRST_TODAY, LAST_TODAY)
}

/// Returns the id of a name, which is the same in all datasets.
pub(crate) fn id(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// Days since [`EPOCH`]; negative before it.
pub(crate) fn day_number(day: NaiveDate) -> i64 {
    day.signed_duration_since(EPOCH).num_days()
}

pub(crate) fn day_key(day: NaiveDate) -> u64 {
    day_number(day).unsigned_abs()
}

/// Returns the same day some months before; the last day of that month if it is too short.
pub(crate) fn months_before(day: NaiveDate, months: u32) -> NaiveDate {
    day.checked_sub_months(Months::new(months)).unwrap_or(FIRST_TODAY)
}

pub(crate) fn months_after(day: NaiveDate, months: u32) -> NaiveDate {
    day.checked_add_months(Months::new(months)).unwrap_or(LAST_TODAY)
}

pub(crate) fn days_before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(FIRST_TODAY)
}

pub(crate) fn days_after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(LAST_TODAY)
}

pub(crate) fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

pub(crate) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Iterates from the first to the last day, both included.
pub(crate) fn days(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| *day <= last)
}

/// Parses a day, for tests.
#[cfg(test)]
pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn any_day_has_a_dataset() {
        for today in [NaiveDate::MIN, NaiveDate::MAX, EPOCH, NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()] {
            let dataset = Dataset::new(Seed::new(0), &Size::default(), Clock::start(Some(today)));
            assert!((FIRST_TODAY..=LAST_TODAY).contains(&dataset.today()));
        }
    }
}
