//! Bounds of billing months, which begin on a fixed day of the organization's time zone.

use chrono::{DateTime, Datelike as _, Months, TimeDelta, Utc};

use crate::Period;

/// Largest difference between the dates of a billing period and the requested ones. Whether the vendor's dates are in UTC or in the
/// organization's time zone is not documented. Billing periods of two activation days differ by at least a day.
pub(super) const ZONE: TimeDelta = TimeDelta::hours(23);
/// Largest offsets of time zones: UTC-12 and UTC+14.
const WEST: TimeDelta = TimeDelta::hours(12);
pub(super) const EAST: TimeDelta = TimeDelta::hours(14);

/// Returns whether both are the same billing period.
pub(in crate::genesys) fn is_same_period(one: Period, other: Period) -> bool {
    let is_near = |one: DateTime<Utc>, other: DateTime<Utc>| (one - other).abs() <= ZONE;
    is_near(one.start(), other.start()) && is_near(one.end(), other.end())
}

/// Returns whether a billing period is a whole month, and not shorter or longer since the first day of billing months has moved: it ends on the day
/// of the month on which it starts, or one of the two is the last day of a month without that day.
pub(in crate::genesys) fn is_whole_month(period: Period) -> bool {
    // In every time zone, one of the two shifts moves both midnights to their own day, also across a change to daylight saving time.
    [WEST - TimeDelta::milliseconds(1), EAST].into_iter().any(|shift| {
        let last = period.end() + shift - TimeDelta::days(1);
        let days = Period::of_days((period.start() + shift).date_naive(), last.date_naive());
        days.is_ok_and(|days| days.is_billing_month())
    })
}

/// Returns when the billing period after this one ends. Billing months begin on a fixed day of the organization's time zone, or on the last day of a
/// shorter month: of the two sums of months, the later one has that day. After a shortened period, the end alone counts.
pub(in crate::genesys) fn end_of_next(period: Period) -> DateTime<Utc> {
    let of_end = own_month_after(period, period.end(), 1);
    if is_whole_month(period) { own_month_after(period, period.start(), 2).max(of_end) } else { of_end }
}

/// Returns the instant that is a number of months after another one, in the time zone of a billing period.
fn own_month_after(period: Period, from: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    let to_own_day = on_first_day(period.start(), period.end()) - period.start();
    let from = from + to_own_day;
    from.checked_add_months(Months::new(months)).unwrap_or(from) - to_own_day
}

/// Returns an instant on the organization's own first day of a billing period, which starts at its midnight. `neighbour` is the start of the next
/// or the previous billing period.
///
/// From 10:00 to 12:00 UTC it is midnight both in zones from UTC-10 to UTC-12 and, of the next day, in those from UTC+12 to UTC+14. Billing
/// months begin on a fixed day: if both starts are the first of a month in UTC+14, that is the day. Months that begin on the 31st from UTC-10 to
/// UTC-12 cannot be distinguished from these, and count as the month with which they overlap most.
pub(super) fn on_first_day(start: DateTime<Utc>, neighbour: DateTime<Utc>) -> DateTime<Utc> {
    let is_first_in_east = |at: DateTime<Utc>| (at + EAST).day() == 1 && at.day() != 1;
    if is_first_in_east(start) && is_first_in_east(neighbour) {
        return start + EAST;
    }
    start + WEST - TimeDelta::milliseconds(1)
}
