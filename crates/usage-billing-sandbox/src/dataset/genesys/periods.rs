//! Billing periods of a customer, and their usage.

use chrono::{Datelike, NaiveDate};
use usage_billing_core::Decimal;

use super::customers::{Charge, Customer};
use crate::dataset::seed::Seed;
use crate::dataset::{day_key, days, days_before, month_of, months_after, months_before};

/// The day of the start, from which contracts are dated, and the current day.
#[derive(Clone, Copy)]
pub(crate) struct Calendar {
    pub(crate) opened: NaiveDate,
    pub(crate) today: NaiveDate,
}

/// A billing period, from the first to the last day, both included.
#[derive(Clone, Copy)]
pub(super) struct Period {
    /// Number of the period, from 0.
    pub(super) index: u32,
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
    pub(super) closed: bool,
}

impl Customer {
    /// Returns the first day of the first contract.
    pub(super) fn contract_start(&self, calendar: Calendar) -> NaiveDate {
        self.start_of(calendar, 0)
    }

    pub(super) fn ramp_end(&self, calendar: Calendar) -> NaiveDate {
        days_before(months_after(self.contract_start(calendar), 3), 1)
    }

    /// Returns the periods, oldest first.
    pub(super) fn periods(&self, calendar: Calendar) -> Vec<Period> {
        (0..self.count(calendar)).map(|index| self.period(calendar, index)).collect()
    }

    /// Returns the number of billing periods, with the current one.
    pub(super) fn count(&self, calendar: Calendar) -> u32 {
        match self.ended {
            0 => {
                let ((since, number), now) = (self.since_move(calendar), period_of(calendar.today, self.anchor));
                let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month());
                u32::try_from(i64::from(number) + months(now) - months(since) + 1).unwrap_or_default()
            }
            ended => self.finished.saturating_sub(ended),
        }
    }

    pub(super) fn period(&self, calendar: Calendar, index: u32) -> Period {
        let first = self.start_of(calendar, index);
        let last = days_before(self.start_of(calendar, index + 1), 1);
        Period { index, first, last, closed: last < calendar.today }
    }

    /// Returns the first day of a period. The last one before a move of the first day is shorter.
    pub(super) fn start_of(&self, calendar: Calendar, index: u32) -> NaiveDate {
        let (since, number) = self.since_move(calendar);
        match index.checked_sub(number) {
            Some(after) => months_after(since, after),
            None => months_before(month_of(since), number - 1 - index),
        }
    }

    /// Returns the first day and the number of the first period that begins on the present day of the month.
    fn since_move(&self, calendar: Calendar) -> (NaiveDate, u32) {
        let months = self.moved.unwrap_or(self.finished);
        (months_before(period_of(calendar.opened, self.anchor), months), self.finished - months)
    }

    /// Returns the usage of each charge, in order. The usage of today is not known yet.
    pub(super) fn used(&self, seed: Seed, calendar: Calendar, period: Period) -> Vec<Decimal> {
        let quantity = |(charge, index): (&Charge, u64)| {
            let key = seed.mix(&[31, u64::from(self.anchor), index]);
            if charge.measured {
                let last = period.last.min(days_before(calendar.today, 1));
                let total: i64 =
                    days(period.first, last).map(|day| seed.about(&[key, day_key(day)], charge.average)).sum();
                return Decimal::new(total, 3).normalize();
            }
            // From nine to eleven tenths of the average, in whole seats.
            let tenth = charge.average / 10_000;
            let least = i64::try_from(tenth * 9).unwrap_or_default();
            Decimal::from(least + seed.chance(&[key, day_key(period.first)], tenth * 2 + 1))
        };
        self.charges.iter().zip(0u64..).map(quantity).collect()
    }
}

/// Returns the first day of the billing month of a day.
fn period_of(day: NaiveDate, anchor: u32) -> NaiveDate {
    let this = day.with_day(anchor).unwrap_or(day);
    if this <= day { this } else { months_before(this, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn billing_month_before_anchor_began_in_previous_month() {
        let day = |text: &str| text.parse().unwrap();
        assert_eq!(period_of(day("2026-03-14"), 15), day("2026-02-15"));
        assert_eq!(period_of(day("2026-03-15"), 15), day("2026-03-15"));
    }
}
