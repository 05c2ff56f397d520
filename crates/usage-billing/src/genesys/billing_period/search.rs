//! Search over the indexes of one organization.

use chrono::{DateTime, Datelike as _, Months, TimeDelta, Utc};

use super::BillingPeriod;
use super::month_bounds::{ZONE, end_of_next, is_same_period, on_first_day};
use crate::Period;
use crate::period::instant;

const SHORTEST_MONTH: TimeDelta = TimeDelta::days(28);
/// Largest number of billing periods that are read: 20 years.
pub(super) const MAX_PERIODS: usize = 240;

/// Dates of an organization's contract: the start from the overview of the highest index, and the end from the overview at index 0.
#[derive(Default)]
pub(in crate::genesys) struct ContractDates {
    start: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
    is_end_read: bool,
}

impl ContractDates {
    /// Adds the dates of the overview at the next index.
    pub(in crate::genesys) fn add(&mut self, start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) {
        self.start = start;
        if !self.is_end_read {
            (self.end, self.is_end_read) = (end, true);
        }
    }
}

/// Why an organization has no bill for a billing period, although nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoBill {
    /// Its contract began after the billing period or ended before it, by the dates that the vendor states.
    OutsideContract,
    /// The billing period is running, and index 0 still is the period before it.
    NotShownYet,
    /// The billing period that begins within the month has not begun yet.
    NotBegun,
}

/// Search over the indexes 0, 1, 2 … of one organization. Pure: the caller fetches.
pub(in crate::genesys) struct Search {
    wanted: BillingPeriod,
    seen: Vec<Period>,
    /// The period that matches, unless the next one matches too.
    candidate: Option<Period>,
    /// Whether several periods match.
    pub(in crate::genesys) is_ambiguous: bool,
}

/// Result of one step of a search.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::genesys) enum Step {
    /// The billing period matches.
    Fits,
    /// The billing period at the index before matches.
    FitsBefore,
    /// The wanted period, if it exists, has a higher index.
    Continue,
    /// No period matches, for this reason.
    Fail(String),
}

impl Search {
    pub(in crate::genesys) fn new(wanted: BillingPeriod) -> Self {
        Self { wanted, seen: Vec::new(), candidate: None, is_ambiguous: false }
    }

    /// Returns whether a period matches, and the next index is only read to exclude a second one.
    pub(in crate::genesys) fn has_candidate(&self) -> bool {
        self.candidate.is_some()
    }

    /// Checks the billing period at the next index; `None` if the vendor has none at that index.
    pub(in crate::genesys) fn next(&mut self, found: Option<Period>) -> Step {
        let Some(found) = found else {
            return match self.candidate {
                Some(_) => Step::FitsBefore,
                None => Step::Fail(self.failure("it has no earlier billing period")),
            };
        };
        let later = self.seen.last().copied();
        self.seen.push(found);
        match self.wanted {
            BillingPeriod::LastFinished { at } if !found.has_ended(at) => {}
            BillingPeriod::LastFinished { at } => {
                let is_followed =
                    later.is_some_and(|later| !later.has_ended(at) && later.start() <= found.end() + ZONE);
                // A contract that has ended stays at index 0: its last month was billed before the next one ended.
                if is_followed || at < end_of_next(found) {
                    return Step::Fits;
                }
                let advice = "that one ended longer ago than a billing period lasts: request it by its dates";
                return Step::Fail(self.failure(advice));
            }
            BillingPeriod::StartingIn(month) => {
                let first_day = on_first_day(found.start(), found.end());
                match self.candidate {
                    // The index has moved meanwhile.
                    Some(candidate) if is_same_period(candidate, found) => {}
                    Some(_) if month.contains(first_day) => {
                        self.is_ambiguous = true;
                        return Step::Fail(self.failure("request each by its dates"));
                    }
                    Some(_) => return Step::FitsBefore,
                    // None begins before the first day of the month.
                    None if month.contains(first_day) && first_day.day() == 1 => return Step::Fits,
                    None if month.contains(first_day) => self.candidate = Some(found),
                    None if found.end() <= month.start() => {
                        return Step::Fail(self.failure("it began later, or has gaps"));
                    }
                    None => {}
                }
            }
            BillingPeriod::Matching(wanted) => {
                if is_same_period(found, wanted) {
                    return Step::Fits;
                }
                if found.end() <= wanted.start() + ZONE {
                    return Step::Fail(self.failure("request one of these"));
                }
            }
        }
        if self.seen.len() >= MAX_PERIODS {
            return Step::Fail(self.failure("the vendor's list of them does not end"));
        }
        Step::Continue
    }

    /// Returns why no period matches, if none is missing at `now`.
    pub(in crate::genesys) fn no_bill(&self, contract: &ContractDates, now: DateTime<Utc>) -> Option<NoBill> {
        if self.is_outside(contract) {
            return Some(NoBill::OutsideContract);
        }
        self.not_shown(now)
    }

    /// Returns a reason if the wanted period follows the one at index 0, and is running or has not begun.
    fn not_shown(&self, now: DateTime<Utc>) -> Option<NoBill> {
        let latest = self.seen.first()?;
        let next = latest.end();
        let reason = if next <= now { NoBill::NotShownYet } else { NoBill::NotBegun };
        match self.wanted {
            BillingPeriod::Matching(wanted) if (wanted.start() - next).abs() <= ZONE && now < wanted.end() => {
                Some(reason)
            }
            // Later than that, the index would have moved.
            BillingPeriod::StartingIn(month) if now < next + SHORTEST_MONTH => {
                let first_day = on_first_day(next, latest.start());
                // The next period is running and not shown yet, and the period after it begins within the month.
                let is_after_next =
                    || first_day.checked_add_months(Months::new(1)).is_some_and(|after| month.contains(after));
                if month.contains(first_day) { Some(reason) } else { is_after_next().then_some(NoBill::NotBegun) }
            }
            _ => None,
        }
    }

    /// Returns whether the contract began after the wanted billing period, or ended before it.
    fn is_outside(&self, contract: &ContractDates) -> bool {
        let (Some(latest), Some(earliest)) = (self.seen.first(), self.seen.last()) else { return false };
        let (is_before, is_after) = match self.wanted {
            BillingPeriod::LastFinished { at } => (earliest.end() > at, latest.end() <= at),
            BillingPeriod::Matching(wanted) => {
                (wanted.end() <= earliest.start() + ZONE, latest.end() <= wanted.start() + ZONE)
            }
            BillingPeriod::StartingIn(month) => {
                let first_day = |period: &Period| on_first_day(period.start(), period.end());
                (month.end() <= first_day(earliest), first_day(latest) < month.start())
            }
        };
        let is_first = contract.start.is_some_and(|start| start >= earliest.start() - ZONE);
        let is_last = contract.end.is_some_and(|end| end <= latest.end() + ZONE);
        is_before && is_first || is_after && is_last
    }

    fn failure(&self, advice: &str) -> String {
        let wanted = match self.wanted {
            BillingPeriod::LastFinished { at } => format!("that ended last before {}", instant(at)),
            BillingPeriod::Matching(period) => format!("with the dates {}", dates(&period)),
            BillingPeriod::StartingIn(month) => format!("that begins within {}", dates(&month)),
        };
        let start = match self.wanted {
            BillingPeriod::LastFinished { at } => at,
            BillingPeriod::Matching(period) | BillingPeriod::StartingIn(period) => period.start(),
        };
        let mut nearest: Vec<&Period> = self.seen.iter().collect();
        nearest.sort_by_key(|period| (period.start() - start).abs());
        nearest.truncate(2);
        let nearest: Vec<_> = nearest.into_iter().map(dates).collect();
        match nearest.as_slice() {
            [] => format!("it has no billing period {wanted}"),
            nearest if self.is_ambiguous => {
                format!("it has more than one billing period {wanted}, {}: {advice}", nearest.join(" and "))
            }
            nearest => format!("it has no billing period {wanted}; nearest are {}: {advice}", nearest.join(" and ")),
        }
    }
}

/// Formats a period by its days, also if it is a calendar month.
fn dates(period: &Period) -> String {
    match period.days() {
        Ok((first, last)) => format!("{first}/{}", last.succ_opt().unwrap_or(last)),
        Err(_) => period.to_string(),
    }
}
