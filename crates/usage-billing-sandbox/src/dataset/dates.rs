//! Days and months within the range of the dataset.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};

/// Day from which trends are counted; there is no usage before it.
pub(crate) const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date");
/// Range of days in which date arithmetic does not overflow.
pub(super) const FIRST_TODAY: NaiveDate = NaiveDate::from_ymd_opt(2016, 1, 1).expect("a date");
pub(super) const LAST_TODAY: NaiveDate = NaiveDate::from_ymd_opt(9998, 12, 31).expect("a date");

/// Returns the days since [`EPOCH`]; negative before it.
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
