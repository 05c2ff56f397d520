//! What the vendors of the sandbox know: customers and their usage. Data only, without a server.
//!
//! Nothing is random. A quantity is a pure function of the seed, its place (who, what) and its day, so that any two runs agree
//! about any month; the clock is asked only where history ends.

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

/// Namespace of all ids that are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x7b1d_90c4_52ef_4a36_8f0a_d3c2_61b7_e954);
/// Day from which trends are counted: before it nothing was used.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date");
/// Days within which dates can be counted with, without a thought of their end.
const FIRST_TODAY: NaiveDate = NaiveDate::from_ymd_opt(2016, 1, 1).expect("a date");
const LAST_TODAY: NaiveDate = NaiveDate::from_ymd_opt(9998, 12, 31).expect("a date");

/// Months that a sandbox may run without contracts being dated again.
const MAX_RUN: u32 = 60;

pub(crate) struct Dataset {
    clock: Clock,
    /// The day of the start: contracts are dated from it.
    opened: NaiveDate,
    pub(crate) acronis: acronis::Tree,
    pub(crate) genesys: genesys::Partner,
    pub(crate) suger: suger::Organization,
}

impl Dataset {
    pub(crate) fn new(seed: Seed, size: &Size, clock: Clock) -> Self {
        // A clock beyond the days of the world does not make history longer.
        let opened = today(&clock);
        let today = midnight(opened);
        let suger = suger::Organization::new(seed, size, clock.now().clamp(today, today + TimeDelta::days(1)));
        let (acronis, genesys) = (acronis::Tree::new(seed, size, opened), genesys::Partner::new(seed, size, opened));
        Self { clock, opened, acronis, genesys, suger }
    }

    /// The day that goes on with the sandbox's clock.
    pub(crate) fn today(&self) -> NaiveDate {
        today(&self.clock)
    }

    /// Contracts are dated from a later day once the clock was pushed on too far: history has a bound.
    pub(crate) fn calendar(&self) -> genesys::Calendar {
        let today = self.today();
        genesys::Calendar { opened: self.opened.max(months_before(today, MAX_RUN)), today }
    }
}

fn today(clock: &Clock) -> NaiveDate {
    clock.now().date_naive().clamp(FIRST_TODAY, LAST_TODAY)
}

/// An id that is always the same for a name, in all worlds.
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

/// The same day of a month so many months before; the last one if that month is too short.
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

/// Days from the first to the last, both included.
pub(crate) fn days(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| *day <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn any_today_makes_a_world() {
        for today in [NaiveDate::MIN, NaiveDate::MAX, EPOCH, NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()] {
            let world = Dataset::new(Seed::new(0), &Size::default(), Clock::start(Some(today)));
            assert!((FIRST_TODAY..=LAST_TODAY).contains(&world.today()));
        }
    }
}
