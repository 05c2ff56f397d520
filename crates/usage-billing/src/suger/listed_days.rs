//! Which days lists are asked for.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::sums::LATE;
use crate::Period;

/// The days that are searched for usage of a period. By which time of a group or report the vendor filters is not documented: from a day
/// before, for the clock of whoever reported may have been ahead of the vendor's.
pub(super) fn days(period: Period, now: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
    let first = period.start().date_naive();
    (first.checked_sub_days(Days::new(1)).unwrap_or(first), now.max(period.end() + LATE).date_naive())
}
