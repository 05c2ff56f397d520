//! Test helpers for rows of the month so far, for all vendors.

use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::{Period, UsageRow};

/// Returns a month, and some of its days, counted from 1.
pub(crate) fn months_and_days() -> impl Strategy<Value = (Period, Vec<i64>)> {
    let first = NaiveDate::from_ymd_opt(2024, 2, 1).expect("a date");
    (0u32..60, prop::collection::vec(1i64..28, 2..6))
        .prop_map(move |(months, days)| (Period::month_of(first + Months::new(months)), days))
}

/// Checks that each daily load of the month so far, and the load of the complete month, replaces the rows before. `row` creates the row of a
/// period at an instant. The row of the month is final `lag` after its end, and has `is_billable` then.
pub(crate) fn check_keys_stay(
    (month, days): (Period, Vec<i64>),
    lag: TimeDelta,
    is_billable: Option<bool>,
    row: impl Fn(Period, DateTime<Utc>) -> UsageRow,
) -> Result<(), TestCaseError> {
    let whole = row(month, month.end() + lag);
    prop_assert!(whole.is_final && whole.as_of.is_none() && whole.is_billable == is_billable);
    for day in days {
        let now = month.start() + TimeDelta::days(day) - TimeDelta::hours(1);
        let so_far = Period::new(month.start(), month.start() + TimeDelta::days(day)).expect("a period");
        for period in [so_far, month] {
            let row = row(period, now);
            prop_assert_eq!((row.row_key, row.is_final, row.as_of), (whole.row_key, false, Some(now)));
            prop_assert_eq!((row.period_end, row.is_billable), (month.end(), Some(false)));
        }
    }
    Ok(())
}
