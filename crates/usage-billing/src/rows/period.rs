//! The period of rows of a part of a month, and whether rows can be final: one rule for all vendors.

use chrono::{DateTime, NaiveTime, Utc};

use crate::Period;

/// A requested period, as of the instant at which its figures were created.
///
/// A part of a month that reaches the day of that instant (UTC) or later is the month so far from its first day on. Its end moves every day, so
/// its rows have the period up to the end of the month, and the same keys every day. Any other part has its own period, and keys that never
/// replace rows of the month so far or of the whole month. A part of a month is never final and never a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowPeriod {
    pub(crate) period: Period,
    is_part_of_month: bool,
    has_ended: bool,
}

impl RowPeriod {
    pub(crate) fn new(requested: Period, at: DateTime<Utc>) -> Self {
        let month = Period::month_of(requested.start().date_naive());
        let is_part_of_month = requested != month && requested.end() <= month.end();
        let begins_with_a_day = requested.start().time() == NaiveTime::MIN;
        let reaches_today = requested.end() >= at.date_naive().and_time(NaiveTime::MIN).and_utc();
        let is_to_date = is_part_of_month && begins_with_a_day && reaches_today && month.contains(at);
        let to_date = Period::new(requested.start(), month.end()).ok().filter(|_| is_to_date);
        Self { period: to_date.unwrap_or(requested), is_part_of_month, has_ended: requested.has_ended(at) }
    }

    /// Returns whether the period has ended and is not a part of a month: only then rows can be final.
    pub(crate) fn is_complete(self) -> bool {
        self.has_ended && !self.is_part_of_month
    }

    /// Returns whether the period is one whole calendar month that has ended.
    #[cfg(any(feature = "acronis", feature = "suger", test))]
    pub(crate) fn is_whole_month(self) -> bool {
        self.is_complete() && self.period == Period::month_of(self.period.start().date_naive())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row_period(requested: &str, at: &str) -> RowPeriod {
        RowPeriod::new(requested.parse().unwrap(), at.parse().unwrap())
    }

    #[test]
    fn month_so_far_has_the_period_up_to_the_end_of_the_month() {
        for (requested, at, expected) in [
            ("2026-11-01/2026-11-22", "2026-11-21T12:00:00Z", "2026-11"),
            ("2026-11-01/2026-11-30", "2026-11-21T12:00:00Z", "2026-11"),
            // Up to yesterday.
            ("2026-11-01/2026-11-21", "2026-11-21T23:59:59Z", "2026-11"),
            ("2026-11-10/2026-11-22", "2026-11-21T12:00:00Z", "2026-11-10/2026-12-01"),
            ("2026-11-01/2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z", "2026-11"),
        ] {
            let row = row_period(requested, at);
            assert_eq!(row.period, expected.parse().unwrap(), "{requested} {at}");
            assert!(!row.is_complete() && !row.is_whole_month(), "{requested} {at}");
        }
    }

    #[test]
    fn other_parts_have_their_own_period_and_are_not_complete() {
        for (requested, at) in [
            // Its rows would replace fresher ones of the month so far.
            ("2026-11-01/2026-11-15", "2026-11-21T12:00:00Z"),
            ("2026-11-01/2026-11-21", "2026-11-22T00:00:00Z"),
            ("2026-11-01/2026-11-22", "2026-12-01T00:00:00Z"),
            ("2026-10-01/2026-10-15", "2026-11-21T12:00:00Z"),
            ("2026-10-15/2026-11-01", "2026-11-21T12:00:00Z"),
            // A future period, in another month than the instant.
            ("2026-12-01/2026-12-15", "2026-11-21T12:00:00Z"),
            ("2026-11-21T10:00:00Z/2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z"),
        ] {
            let row = row_period(requested, at);
            assert_eq!(row.period, requested.parse().unwrap(), "{requested} {at}");
            assert!(!row.is_complete() && !row.is_whole_month(), "{requested} {at}");
        }
    }

    #[test]
    fn whole_months_and_longer_periods_are_complete_after_end() {
        for (requested, at, is_complete, is_whole_month) in [
            ("2026-10", "2026-11-01T00:00:00Z", true, true),
            ("2026-10", "2026-10-31T23:59:59Z", false, false),
            ("2026-09-01/2026-11-01", "2026-11-01T00:00:00Z", true, false),
            ("2026-09-15/2026-10-15", "2026-10-15T00:00:00Z", true, false),
            ("2026-10-15/2026-11-15", "2026-11-14T12:00:00Z", false, false),
        ] {
            let row = row_period(requested, at);
            assert_eq!(row.period, requested.parse().unwrap(), "{requested} {at}");
            assert_eq!((row.is_complete(), row.is_whole_month()), (is_complete, is_whole_month), "{requested} {at}");
        }
    }

    proptest! {
        /// A row of an earlier part never replaces one of the month so far that was created on a later day.
        #[test]
        fn parts_share_a_period_only_if_both_reach_up_to_their_day(
            first in 0i64..20, last in 0i64..31, at in 0i64..31 * 24, other in 0i64..31,
        ) {
            let month: Period = "2026-10".parse().unwrap();
            let day = |days: i64| month.start() + chrono::TimeDelta::days(days);
            prop_assume!(first < last && first < other && last < 31 && other < 31);
            let at = month.start() + chrono::TimeDelta::hours(at);
            let (one, two) = (day(first), Period::new(day(first), day(other)).unwrap());
            let one = RowPeriod::new(Period::new(one, day(last)).unwrap(), at);
            let two = RowPeriod::new(two, at);
            let reaches = |end: i64| day(end) >= at.date_naive().and_time(NaiveTime::MIN).and_utc();
            prop_assert_eq!(one.period == two.period, last == other || reaches(last) && reaches(other));
            prop_assert!(!one.is_complete() && one.period.start() == day(first));
        }
    }
}
