//! Terms of a customer's contracts: which billing periods each of them has.

use std::ops::Range;

use chrono::NaiveDate;

use super::customers::Customer;
use super::periods::Calendar;
use crate::dataset::{days_before, months_after};

/// Months of a contract.
const MONTHS: u32 = 36;

/// A contract, from the first to the last day, both included.
pub(super) struct Term {
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
    /// Whether it is the current one.
    pub(super) is_active: bool,
    /// Numbers of its billing periods.
    pub(super) periods: Range<u32>,
}

impl Customer {
    /// Returns the terms of the customer's contracts, oldest first. Each begins where the one before has ended.
    pub(super) fn terms(&self, calendar: Calendar) -> Vec<Term> {
        let count = self.count(calendar);
        let term = |periods: Range<u32>, has_ended: bool| {
            let first = self.start_of(calendar, periods.start);
            let after = match has_ended {
                true => self.start_of(calendar, periods.end),
                false => months_after(first, MONTHS.max(periods.end - periods.start)),
            };
            Term { first, last: days_before(after, 1), is_active: !has_ended, periods }
        };
        match self.renewed {
            Some(renewed) => {
                let renewal = self.finished - renewed;
                vec![term(0..renewal, true), term(renewal..count, false)]
            }
            None => vec![term(0..count, self.ended > 0)],
        }
    }

    /// Returns the id of the contract at a position of the terms.
    pub(super) fn contract_id(&self, position: usize) -> String {
        match position {
            0 => self.contract.clone(),
            number => format!("{}-{}", self.contract, number + 1),
        }
    }
}
