//! Search for a billing period by its dates. The vendor addresses billing periods by an index that moves days after a period has ended.

use chrono::{DateTime, Datelike as _, Months, TimeDelta, Utc};
use usage_billing_core::{Error, ErrorKind, Result};

use crate::Period;
use crate::period::instant;
use crate::rows::period::RowPeriod;

/// Selects a billing period of a client organization.
///
/// ```
/// use usage_billing::{Period, chrono::Utc, genesys::BillingPeriod};
///
/// let october: Period = "2026-10".parse()?;
/// // For organizations whose billing months begin on different days, the period that begins in October.
/// let of_month = BillingPeriod::StartingIn(october);
/// // The period from the 15th to the 14th.
/// let exactly: BillingPeriod = "2026-10-15/2026-11-15".parse::<Period>()?.into();
/// let last = BillingPeriod::LastFinished { at: Utc::now() };
/// # let _ = (of_month, exactly, last);
/// # Ok::<(), usage_billing::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BillingPeriod {
    /// The period that ended last before an instant.
    LastFinished {
        /// The instant, usually now; not in the future.
        at: DateTime<Utc>,
    },
    /// The period with these dates. Billing months begin on the day of the month on which the organization was activated.
    Matching(Period),
    /// The period that begins within a calendar month. Billing months begin on a fixed day; if that day changes, two can begin in one month, which is an
    /// error that names both.
    StartingIn(Period),
}

impl BillingPeriod {
    /// Returns the billing periods of client organizations that correspond to a period at `now`. For calendar months, and the month to date, these
    /// begin within each month. For any other period they are its months from the day on which it begins. None of them is in the future.
    pub fn within(period: Period, now: DateTime<Utc>) -> Vec<Self> {
        let period = RowPeriod::of(period, now).period;
        let is_whole = period.months().all(|part| part == Period::month_of(part.start().date_naive()));
        let parts: Vec<_> = if is_whole { period.months().collect() } else { period.billing_months().collect() };
        let started = parts.into_iter().filter(|part| part.start() <= now);
        started.map(|part| if is_whole { Self::StartingIn(part) } else { Self::Matching(part) }).collect()
    }

    /// Rejects a period or an instant in the future.
    ///
    /// # Errors
    /// [`ErrorKind::Request`].
    pub(super) fn require_started(&self, now: DateTime<Utc>) -> Result<()> {
        match self {
            Self::LastFinished { at } if *at > now => {
                let message = format!("the billing period that ends last before {} is not known yet", instant(*at));
                Err(Error::new(ErrorKind::Request, format!("{message}: this instant is in the future")))
            }
            Self::LastFinished { .. } => Ok(()),
            Self::Matching(period) | Self::StartingIn(period) => period.require_started(now),
        }
    }
}

impl From<Period> for BillingPeriod {
    fn from(period: Period) -> Self {
        Self::Matching(period)
    }
}

/// Largest difference between the dates of a billing period and the requested ones. Whether the vendor's dates are in UTC or in the
/// organization's time zone is not documented. Billing periods of two activation days differ by at least a day.
const ZONE: TimeDelta = TimeDelta::hours(23);
/// Largest offsets of time zones: UTC-12 and UTC+14.
const WEST: TimeDelta = TimeDelta::hours(12);
const EAST: TimeDelta = TimeDelta::hours(14);
const SHORTEST_MONTH: TimeDelta = TimeDelta::days(28);
/// Largest difference of the lengths of two months.
const MONTHS_DIFFER: TimeDelta = TimeDelta::days(3);
/// Largest number of billing periods that are read: 20 years.
const MAX_PERIODS: usize = 240;

/// Returns whether both are the same billing period.
pub(super) fn is_same_period(one: Period, other: Period) -> bool {
    let is_near = |one: DateTime<Utc>, other: DateTime<Utc>| (one - other).abs() <= ZONE;
    is_near(one.start(), other.start()) && is_near(one.end(), other.end())
}

/// Returns when the billing period after this one ends. Billing months begin on a fixed day of the organization's time zone, or on the last day of a
/// shorter month: of the two sums of months, the later one has that day. After a shortened period, the end alone counts.
pub(super) fn end_of_next(period: Period) -> DateTime<Utc> {
    let to_own_day = on_first_day(period.start(), period.end()) - period.start();
    let after = |from: DateTime<Utc>, months| {
        let from = from + to_own_day;
        from.checked_add_months(Months::new(months)).unwrap_or(from) - to_own_day
    };
    let is_whole_month = (after(period.start(), 1) - period.end()).abs() <= MONTHS_DIFFER;
    let of_end = after(period.end(), 1);
    if is_whole_month { after(period.start(), 2).max(of_end) } else { of_end }
}

/// Returns an instant on the organization's own first day of a billing period, which starts at its midnight. `neighbour` is the start of the next
/// or the previous billing period.
///
/// From 10:00 to 12:00 UTC it is midnight both in zones from UTC-10 to UTC-12 and, of the next day, in those from UTC+12 to UTC+14. Billing
/// months begin on a fixed day: if both starts are the first of a month in UTC+14, that is the day. Months that begin on the 31st from UTC-10 to
/// UTC-12 cannot be distinguished from these, and count as the month with which they overlap most.
fn on_first_day(start: DateTime<Utc>, neighbour: DateTime<Utc>) -> DateTime<Utc> {
    let is_first_in_east = |at: DateTime<Utc>| (at + EAST).day() == 1 && at.day() != 1;
    if is_first_in_east(start) && is_first_in_east(neighbour) {
        return start + EAST;
    }
    start + WEST - TimeDelta::milliseconds(1)
}

/// Dates of an organization's contract: the start from the overview of the highest index, and the end from the overview at index 0.
#[derive(Default)]
pub(super) struct ContractDates {
    start: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
    is_end_read: bool,
}

impl ContractDates {
    /// Adds the dates of the overview at the next index.
    pub(super) fn add(&mut self, start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) {
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
pub(super) struct Search {
    wanted: BillingPeriod,
    seen: Vec<Period>,
    /// The period that matches, unless the next one matches too.
    candidate: Option<Period>,
    /// Whether several periods match.
    pub(super) is_ambiguous: bool,
}

/// Result of one step of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
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
    pub(super) fn new(wanted: BillingPeriod) -> Self {
        Self { wanted, seen: Vec::new(), candidate: None, is_ambiguous: false }
    }

    /// Returns whether a period matches, and the next index is only read to exclude a second one.
    pub(super) fn has_candidate(&self) -> bool {
        self.candidate.is_some()
    }

    /// Checks the billing period at the next index; `None` if the vendor has none at that index.
    pub(super) fn next(&mut self, found: Option<Period>) -> Step {
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
    pub(super) fn no_bill(&self, contract: &ContractDates, now: DateTime<Utc>) -> Option<NoBill> {
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
    match (period.first_day(), period.last_day()) {
        (Ok(first), Ok(last)) => format!("{first}/{}", last.succ_opt().unwrap_or(last)),
        _ => period.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    /// Returns the index that matches, or the reason for which none does.
    fn find(wanted: BillingPeriod, indexes: &[&str]) -> Result<usize, String> {
        let mut search = Search::new(wanted);
        for (index, found) in indexes.iter().map(|text| Some(period(text))).chain([None]).enumerate() {
            match search.next(found) {
                Step::Fits => return Ok(index),
                Step::FitsBefore => return Ok(index - 1),
                Step::Continue => {}
                Step::Fail(reason) => return Err(reason),
            }
        }
        unreachable!("`None` ends every search")
    }

    fn last_finished(at: &str, indexes: &[&str]) -> Result<usize, String> {
        find(BillingPeriod::LastFinished { at: at.parse().unwrap() }, indexes)
    }

    const RUNNING: [&str; 3] = ["2026-12", "2026-11", "2026-10"];
    const LATE: [&str; 3] = ["2026-11", "2026-10", "2026-09"];

    #[test]
    fn last_finished_period_does_not_depend_on_the_rotation() {
        assert_eq!(last_finished("2026-12-03T09:00:00Z", &RUNNING), Ok(1));
        assert_eq!(last_finished("2026-12-03T09:00:00Z", &LATE), Ok(0));
        assert_eq!(last_finished("2026-12-01T00:00:00Z", &LATE), Ok(0), "it has ended at this instant");
        assert_eq!(last_finished("2026-11-30T23:59:59Z", &LATE), Ok(1));
        assert_eq!(last_finished("2026-12-31T23:00:00Z", &["2026-12", "2026-11"]), Ok(1));
    }

    #[test]
    fn period_is_found_at_any_index() {
        let october = BillingPeriod::from(period("2026-10"));
        assert_eq!((find(october, &RUNNING), find(october, &LATE)), (Ok(2), Ok(1)));
        let zoned = ["2026-11-01T04:00:00Z/2026-12-01T05:00:00Z", "2026-10-01T04:00:00Z/2026-11-01T04:00:00Z"];
        assert_eq!(find(october, &zoned), Ok(1), "midnight in the organization's time zone");
        let rotated_meanwhile = ["2026-11", "2026-11", "2026-10"];
        assert_eq!(find(october, &rotated_meanwhile), Ok(2));
    }

    #[test]
    fn missing_period_error_names_the_nearest_periods() {
        let wanted = |text: &str| find(period(text).into(), &LATE).unwrap_err();
        assert_eq!(
            wanted("2026-10-15/2026-11-15"),
            "it has no billing period with the dates 2026-10-15/2026-11-15; nearest are 2026-10-01/2026-11-01 and \
             2026-11-01/2026-12-01: request one of these"
        );
        assert!(wanted("2026-12").ends_with("nearest are 2026-11-01/2026-12-01: request one of these"), "at once");
        assert!(wanted("2026-08").ends_with("it has no earlier billing period"));
        assert!(wanted("2026-10-02/2026-11-02").contains("nearest are"), "another activation day");
        assert!(wanted("2026-09-01/2026-11-01").contains("nearest are"));
    }

    #[test]
    fn one_period_begins_in_each_month() {
        let october = BillingPeriod::StartingIn(period("2026-10"));
        assert_eq!(find(october, &LATE), Ok(1));
        assert_eq!(find(october, &["2026-11-15/2026-12-15", "2026-10-15/2026-11-15", "2026-09-15/2026-10-15"]), Ok(1));
        assert_eq!(
            find(october, &["2026-10-31T22:00:00Z/2026-11-30T23:00:00Z", "2026-09-30T22:00:00Z/2026-10-31T23:00:00Z"]),
            Ok(1)
        );
        assert!(find(october, &["2026-12", "2026-11"]).unwrap_err().contains("begins within 2026-10-01/2026-11-01"));
        assert!(find(october, &["2026-11", "2026-09"]).unwrap_err().ends_with("it began later, or has gaps"));
    }

    #[test]
    fn first_day_is_the_organizations_own_in_any_time_zone() {
        let first: chrono::NaiveDate = "2026-01-01".parse().unwrap();
        for (anchor, half_hours) in (1..=31u32).flat_map(|anchor| (-24..=28).map(move |offset| (anchor, offset))) {
            // Midnight of the anchor, or of the last day of a shorter month.
            let start = |number: u32| {
                let month = first + Months::new(number);
                let last = (month + Months::new(1)).pred_opt().unwrap();
                let day = month.with_day(anchor).unwrap_or(last);
                day.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::minutes(30 * half_hours)
            };
            for number in 0..36 {
                let (found, next) = (start(number), start(number + 1));
                // Daylight saving time moves one of the two by an hour.
                for saved in [TimeDelta::zero(), TimeDelta::hours(i64::from((-22..=26).contains(&half_hours)))] {
                    let found = found - saved;
                    let month = Period::month_of(first + Months::new(number));
                    // Midnight there is also midnight of the 1st from UTC+12 to UTC+14.
                    let is_ambiguous = anchor == 31 && (-24..=-20).contains(&half_hours);
                    let fits = |month: Period| month.contains(on_first_day(found, next));
                    let expected = if is_ambiguous && (found + EAST).day() == 1 {
                        Period::month_of(first + Months::new(number + 1))
                    } else {
                        month
                    };
                    assert!(fits(expected), "{anchor} {half_hours} {found} {next}");
                    let period = Period::new(found, next).unwrap();
                    let mut search = Search::new(BillingPeriod::StartingIn(expected));
                    let fits = match search.next(Some(period)) {
                        Step::Continue => search.next(None) == Step::FitsBefore,
                        step => step == Step::Fits,
                    };
                    assert!(fits, "{anchor} {half_hours} {found} {next}");
                    let error = (end_of_next(period) - start(number + 2)).num_hours();
                    // Daylight saving time moves the end by an hour, and by a day where that is across noon in a short month; so does noon itself.
                    let is_exact = found == start(number) && half_hours < 24;
                    let tolerated = if is_exact { 0..=0 } else { -1..=24 };
                    assert!(tolerated.contains(&error), "{anchor} {half_hours} {found} {next}: {error} hours");
                }
            }
        }
    }

    #[test]
    fn billing_month_of_an_eastern_organization_is_its_own() {
        let indexes = ["2026-10-31T11:00:00Z/2026-11-30T11:00:00Z", "2026-09-30T11:00:00Z/2026-10-31T11:00:00Z"];
        assert_eq!(find(BillingPeriod::StartingIn(period("2026-10")), &indexes), Ok(1));
        assert_eq!(find(BillingPeriod::StartingIn(period("2026-11")), &indexes), Ok(0));
        let western = ["2026-10-30T11:00:00Z/2026-11-30T11:00:00Z", "2026-09-30T11:00:00Z/2026-10-30T11:00:00Z"];
        assert_eq!(find(BillingPeriod::StartingIn(period("2026-09")), &western), Ok(1), "from the 30th in UTC-11");
    }

    /// Returns whether a contract with these dates explains that no index matches.
    fn is_outside(wanted: BillingPeriod, indexes: &[&str], start: &str, end: &str) -> bool {
        let (mut search, mut contract) = (Search::new(wanted), ContractDates::default());
        let date = |text: &str| text.parse().ok();
        for (index, found) in indexes.iter().map(|text| Some(period(text))).chain([None]).enumerate() {
            // Earlier periods may belong to an earlier contract: only the last start and the first end count.
            match (found, index) {
                (Some(_), 0) => contract.add(date(start), date(end)),
                (Some(_), _) => contract.add(date(start), date("2000-01-01T00:00:00Z")),
                (None, _) => {}
            }
            match search.next(found) {
                Step::Fits | Step::FitsBefore => panic!("index {index} fits"),
                Step::Continue => {}
                Step::Fail(_) => {
                    return search.no_bill(&contract, NOW.parse().unwrap()) == Some(NoBill::OutsideContract);
                }
            }
        }
        unreachable!("`None` ends every search")
    }

    const NOW: &str = "2027-06-01T00:00:00Z";

    #[test]
    fn running_period_is_not_shown_until_the_index_moves() {
        let month = |text: &str| BillingPeriod::StartingIn(period(text));
        let matching = |text: &str| BillingPeriod::Matching(period(text));
        let last = |at: &str| BillingPeriod::LastFinished { at: at.parse().unwrap() };
        for (wanted, now, expected) in [
            (month("2026-12"), "2026-12-01T00:00:00Z", true),
            (month("2026-12"), "2026-12-05T12:00:00Z", true),
            (month("2026-12"), "2026-12-29T00:00:00Z", false),
            (month("2027-01"), "2027-01-05T12:00:00Z", false),
            (matching("2026-12"), "2026-12-05T12:00:00Z", true),
            (matching("2026-12"), "2026-12-31T23:59:59Z", true),
            (matching("2026-12"), "2027-01-01T00:00:00Z", false),
            (matching("2026-12-02/2027-01-02"), "2026-12-05T12:00:00Z", false),
            (last("2027-03-05T12:00:00Z"), "2026-12-05T12:00:00Z", false),
        ] {
            let mut search = Search::new(wanted);
            assert!(matches!(search.next(Some(period("2026-11"))), Step::Fail(_)), "{wanted:?}");
            let found = search.no_bill(&ContractDates::default(), now.parse().unwrap());
            assert_eq!(found, expected.then_some(NoBill::NotShownYet), "{wanted:?} {now}");
            let ended = ContractDates { end: "2026-11-30T23:59:59Z".parse().ok(), ..ContractDates::default() };
            let found = search.no_bill(&ended, now.parse().unwrap());
            assert_eq!(found, Some(NoBill::OutsideContract), "{wanted:?} {now}: it ended");
        }
        assert_eq!(Search::new(month("2026-12")).no_bill(&ContractDates::default(), NOW.parse().unwrap()), None);
    }

    #[test]
    fn period_that_begins_later_in_the_month_is_not_missing() {
        use NoBill::{NotBegun, NotShownYet};
        let month = |text: &str| BillingPeriod::StartingIn(period(text));
        const FROM_THE_15TH: [&str; 2] = ["2026-10-15/2026-11-15", "2026-09-15/2026-10-15"];
        const FROM_THE_30TH: [&str; 2] = ["2026-09-30/2026-10-30", "2026-08-30/2026-09-30"];
        const ZONED: [&str; 2] =
            ["2026-10-15T04:00:00Z/2026-11-15T05:00:00Z", "2026-09-15T04:00:00Z/2026-10-15T04:00:00Z"];
        for (shown, wanted, now, expected) in [
            (FROM_THE_15TH, month("2026-11"), "2026-11-01T00:00:00Z", Some(NotBegun)),
            (FROM_THE_15TH, month("2026-11"), "2026-11-10T12:00:00Z", Some(NotBegun)),
            (FROM_THE_15TH, month("2026-11"), "2026-11-14T23:59:59Z", Some(NotBegun)),
            (FROM_THE_15TH, month("2026-11"), "2026-11-15T00:00:00Z", Some(NotShownYet)),
            (FROM_THE_15TH, month("2026-11"), "2026-12-14T00:00:00Z", None),
            // The index has not moved, and the running billing period is not the wanted one.
            (FROM_THE_30TH, month("2026-11"), "2026-11-02T00:00:00Z", Some(NotBegun)),
            (FROM_THE_30TH, month("2026-11"), "2026-11-29T00:00:00Z", None),
            (ZONED, month("2026-11"), "2026-11-10T12:00:00Z", Some(NotBegun)),
            (ZONED, BillingPeriod::Matching(period("2026-11-15/2026-12-15")), "2026-11-15T02:00:00Z", Some(NotBegun)),
        ] {
            let mut search = Search::new(wanted);
            let steps: Vec<_> = shown.iter().map(|of| search.next(Some(period(of)))).collect();
            assert!(!steps.contains(&Step::Fits), "{shown:?}");
            let found = search.no_bill(&ContractDates::default(), now.parse().unwrap());
            assert_eq!(found, expected, "{shown:?} {now}");
        }
    }

    #[test]
    fn contract_that_began_later_explains_a_missing_period() {
        let none = "";
        let month = |text: &str| BillingPeriod::StartingIn(period(text));
        let matching = |text: &str| BillingPeriod::Matching(period(text));
        let last = |at: &str| BillingPeriod::LastFinished { at: at.parse().unwrap() };
        for (wanted, start, expected) in [
            (month("2026-08"), "2026-09-01T00:00:00Z", true),
            (month("2026-08"), "2026-08-31T22:00:00Z", true),
            (month("2026-08"), "2026-10-01T00:00:00Z", true),
            (month("2026-08"), "2026-08-01T00:00:00Z", false),
            (month("2026-08"), none, false),
            (month("2026-01"), "2026-09-01T00:00:00Z", true),
            (matching("2026-08"), "2026-09-01T00:00:00Z", true),
            (matching("2026-07-15/2026-08-15"), "2026-09-01T00:00:00Z", true),
            (matching("2026-08-15/2026-09-15"), "2026-09-01T00:00:00Z", false),
            (matching("2026-09-15/2026-10-15"), "2026-09-01T00:00:00Z", false),
            (last("2026-09-20T00:00:00Z"), "2026-09-01T00:00:00Z", true),
            (last("2026-09-20T00:00:00Z"), "2026-08-01T00:00:00Z", false),
            (last("2026-09-20T00:00:00Z"), none, false),
        ] {
            assert_eq!(is_outside(wanted, &LATE, start, none), expected, "{wanted:?} {start}");
        }
    }

    #[test]
    fn contract_that_ended_before_explains_a_missing_period() {
        let none = "";
        let month = |text: &str| BillingPeriod::StartingIn(period(text));
        let matching = |text: &str| BillingPeriod::Matching(period(text));
        let last = |at: &str| BillingPeriod::LastFinished { at: at.parse().unwrap() };
        const ENDED: [&str; 2] = ["2026-03-15/2026-04-15", "2026-02-15/2026-03-15"];
        for (wanted, end, expected) in [
            (month("2026-04"), "2026-04-14T23:59:59.999Z", true),
            (month("2026-06"), "2026-04-14T23:59:59.999Z", true),
            (month("2026-06"), "2026-05-14T23:59:59.999Z", false),
            (month("2026-06"), none, false),
            (matching("2026-04-15/2026-05-15"), "2026-04-15T00:00:00Z", true),
            (matching("2026-04-15/2026-05-15"), "2026-05-15T00:00:00Z", false),
            (matching("2026-04-01/2026-05-01"), "2026-04-15T00:00:00Z", false),
            (last("2026-09-20T00:00:00Z"), "2026-04-14T23:59:59.999Z", true),
            (last("2026-09-20T00:00:00Z"), "2029-04-14T23:59:59.999Z", false),
        ] {
            assert_eq!(is_outside(wanted, &ENDED, none, end), expected, "{wanted:?} {end}");
        }
    }

    #[test]
    fn contract_that_ended_long_ago_has_no_last_finished_period() {
        let error = last_finished("2026-12-03T09:00:00Z", &["2026-03", "2026-02"]).unwrap_err();
        assert!(error.contains("nearest are 2026-03-01/2026-04-01: that one ended longer ago"), "{error}");
        assert_eq!(last_finished("2026-03-30T09:00:00Z", &["2026-02"]), Ok(0), "February is shorter than March");
        let error = last_finished("2026-12-03T09:00:00Z", &["2026-12"]).unwrap_err();
        assert!(error.ends_with("it has no earlier billing period"), "{error}");
        assert_eq!(
            last_finished("2026-12-03T09:00:00Z", &[]).unwrap_err(),
            "it has no billing period that ended last before 2026-12-03T09:00:00Z"
        );
    }

    #[test]
    fn last_month_of_an_ended_contract_is_finished_last_until_the_next_month_ends() {
        for (index_0, at, is_last) in [
            ("2026-10", "2026-11-03T00:00:00Z", true),
            ("2026-10", "2026-11-30T23:59:59Z", true),
            ("2026-10", "2026-12-01T00:00:00Z", false),
            ("2026-10", "2026-12-03T23:59:59Z", false),
            ("2026-01", "2026-02-28T23:59:59Z", true),
            ("2026-01", "2026-03-01T00:00:00Z", false),
            ("2026-01", "2026-03-06T00:00:00Z", false),
            ("2026-02", "2026-03-31T23:59:59Z", true),
            ("2026-02", "2026-04-01T00:00:00Z", false),
            ("2026-01-31/2026-02-28", "2026-03-30T23:59:59Z", true),
            ("2026-01-31/2026-02-28", "2026-03-31T00:00:00Z", false),
            ("2026-02-28/2026-03-31", "2026-04-29T23:59:59Z", true),
            ("2026-02-28/2026-03-31", "2026-04-30T00:00:00Z", false),
            // Shortened, so that the next one begins on another day.
            ("2026-10-15/2026-11-01", "2026-11-30T23:59:59Z", true),
            ("2026-10-15/2026-11-01", "2026-12-01T00:00:00Z", false),
            ("2026-10-01/2026-10-15", "2026-11-14T23:59:59Z", true),
            ("2026-10-01/2026-10-15", "2026-11-15T00:00:00Z", false),
            ("2026-10-15T04:00:00Z/2026-11-15T05:00:00Z", "2026-12-15T04:59:59Z", true),
            ("2026-10-15T04:00:00Z/2026-11-15T05:00:00Z", "2026-12-15T05:00:00Z", false),
        ] {
            assert_eq!(last_finished(at, &[index_0]).is_ok(), is_last, "{index_0} {at}");
        }
        // With a running period after it, also in the hour by which daylight saving time moves its end.
        let followed = ["2026-11-01T04:00:00Z/2026-12-01T05:00:00Z", "2026-10-01T04:00:00Z/2026-11-01T04:00:00Z"];
        assert_eq!(last_finished("2026-12-01T04:30:00Z", &followed), Ok(1));
        assert!(last_finished("2026-12-01T04:30:00Z", &followed[1..]).is_err());
        let after_a_gap = ["2026-12-05/2027-01-05", "2026-09"];
        assert!(last_finished("2026-12-20T00:00:00Z", &after_a_gap).is_err());
    }

    #[test]
    fn two_periods_that_begin_in_one_month_are_an_error_that_names_both() {
        const MOVED: [&str; 4] = ["2026-11-15/2026-12-15", "2026-10-15/2026-11-15", "2026-10-01/2026-10-15", "2026-09"];
        let month = |text: &str| BillingPeriod::StartingIn(period(text));
        let error = find(month("2026-10"), &MOVED).unwrap_err();
        assert_eq!(
            error,
            "it has more than one billing period that begins within 2026-10-01/2026-11-01, 2026-10-01/2026-10-15 and \
             2026-10-15/2026-11-15: request each by its dates"
        );
        assert_eq!((find(month("2026-11"), &MOVED), find(month("2026-09"), &MOVED)), (Ok(0), Ok(3)));
        assert_eq!(find(month("2026-10"), &MOVED[..2]), Ok(1), "the first one of all");
        for exact in &MOVED[..3] {
            assert!(find(BillingPeriod::from(period(exact)), &MOVED).is_ok(), "{exact}");
        }
        let rotated_meanwhile = ["2026-11-15/2026-12-15", "2026-11-15/2026-12-15", "2026-10-15/2026-11-15"];
        assert_eq!(find(month("2026-11"), &rotated_meanwhile), Ok(1));
        let moved_meanwhile = ["2026-10-15/2026-11-15", "2026-10-15/2026-11-15", "2026-10-01/2026-10-15"];
        assert!(find(month("2026-10"), &moved_meanwhile).is_err());
    }

    #[test]
    fn period_maps_to_the_billing_periods_of_its_months() {
        use BillingPeriod::{Matching, StartingIn};
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        type Kind = fn(Period) -> BillingPeriod;
        for (text, kind, parts) in [
            ("2026-10", StartingIn as Kind, &["2026-10"][..]),
            ("2026-09-01/2026-11-01", StartingIn, &["2026-09", "2026-10"]),
            ("2026-11-01/2026-11-22", StartingIn, &["2026-11"]),
            ("2026-10-01/2027-03-01", StartingIn, &["2026-10", "2026-11"]),
            ("2026-10-15/2026-11-15", Matching, &["2026-10-15/2026-11-15"]),
            ("2026-09-15/2026-11-15", Matching, &["2026-09-15/2026-10-15", "2026-10-15/2026-11-15"]),
            ("2026-10-01/2026-10-31", Matching, &["2026-10-01/2026-10-31"]),
            ("2026-12", StartingIn, &[]),
        ] {
            let expected: Vec<_> = parts.iter().map(|part| kind(period(part))).collect();
            assert_eq!(BillingPeriod::within(period(text), now), expected, "{text}");
        }
    }

    #[test]
    fn future_billing_period_is_rejected() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        assert!(BillingPeriod::Matching(period("2026-12-01/2027-01-01")).require_started(now).is_err());
        assert!(BillingPeriod::StartingIn(period("2026-12")).require_started(now).is_err());
        assert!(BillingPeriod::StartingIn(period("2026-11")).require_started(now).is_ok());
        let last = |at: &str| BillingPeriod::LastFinished { at: at.parse().unwrap() }.require_started(now);
        assert!(last("2026-11-21T12:00:00Z").is_ok() && last("2020-01-01T00:00:00Z").is_ok());
        for at in ["2026-11-21T12:00:01Z", "2027-11-21T12:00:00Z"] {
            let error = last(at).unwrap_err();
            assert!(error.kind() == ErrorKind::Request && error.message().contains("in the future"), "{error}");
        }
    }

    #[test]
    fn search_over_an_endless_list_ends() {
        let mut search = Search::new(period("2026-10").into());
        let steps = (0..1000).map(|_| search.next(Some(period("2026-11")))).position(|step| step != Step::Continue);
        assert_eq!(steps, Some(MAX_PERIODS - 1));
    }
}
