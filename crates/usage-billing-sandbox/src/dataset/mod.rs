//! The dataset of a sandbox: customers and their usage, without a server.
//!
//! Nothing is random. A quantity is a pure function of the seed, of its position (customer, item) and of its day, so that all runs agree
//! about any month. The clock only determines where the history ends.

pub(crate) mod acronis;
mod dates;
pub(crate) mod genesys;
mod ids;
mod names;
mod seed;
mod size;
pub(crate) mod suger;

use chrono::{NaiveDate, TimeDelta};

#[cfg(test)]
pub(crate) use self::dates::day;
pub(crate) use self::dates::{
    EPOCH, day_key, day_number, days, days_after, days_before, midnight, month_of, months_after, months_before,
};
use self::dates::{FIRST_TODAY, LAST_TODAY};
pub(crate) use self::ids::id;
pub(crate) use self::seed::Seed;
pub use self::size::Size;
use crate::clock::Clock;

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
