//! The days for which lists are requested.
//!
//! It is not documented by which time of a group or report the vendor filters (its creation or the time of the usage),
//! and whether the last day is included. The days therefore span both times, and end a day later.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use crate::Period;

/// First and last day.
pub(in crate::suger) type ListedDays = (NaiveDate, NaiveDate);

/// How long after a period its usage may still arrive and be reported: marketplaces accept it for up to 24 hours.
pub(super) const MAX_LATENESS: TimeDelta = TimeDelta::days(1);

/// How long before its timestamp an event may have been sent, if the timestamp is in the future, and how much older than
/// others of its report a group may be: the default span of the lists of the vendor.
const MAX_LEAD: Days = Days::new(31);

/// Returns the days of the usage of a period, however late it arrived.
pub(in crate::suger) fn of_period(period: Period, now: DateTime<Utc>) -> ListedDays {
    // The clock of the sender may have been ahead of the vendor's.
    (before(period.start(), Days::new(1)), day_after(now.max(period.end() + MAX_LATENESS)))
}

/// Returns the days of the groups that may be in a report together with groups of a period. Groups that arrived late or
/// were requeued are in later reports than others of their time.
pub(in crate::suger) fn of_reports(period: Period, now: DateTime<Utc>) -> ListedDays {
    let (first, last) = of_period(period, now);
    (first.checked_sub_days(MAX_LEAD).unwrap_or(first), last)
}

/// Returns the days of the group of an event. Usage is sent after it happened, unless its timestamp is in the future.
pub(in crate::suger) fn of_event(timestamp: DateTime<Utc>, now: DateTime<Utc>) -> ListedDays {
    let first = if timestamp > now { before(now, MAX_LEAD) } else { before(timestamp, Days::new(1)) };
    (first, day_after(now.max(timestamp)))
}

/// Returns the days of a group with these times of use and creation.
pub(in crate::suger) fn of_group(used: DateTime<Utc>, created: DateTime<Utc>, now: DateTime<Utc>) -> ListedDays {
    (before(used.min(created), Days::new(1)), day_after(now.max(used)))
}

fn before(time: DateTime<Utc>, days: Days) -> NaiveDate {
    let day = time.date_naive();
    day.checked_sub_days(days).unwrap_or(day)
}

fn day_after(time: DateTime<Utc>) -> NaiveDate {
    let day = time.date_naive();
    day.succ_opt().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00:00Z").parse().unwrap()
    }

    fn span((first, last): ListedDays) -> String {
        format!("{first} {last}")
    }

    #[test]
    fn days_of_an_event_span_its_timestamp_and_time_of_sending() {
        let now = at("2026-11-21T10");
        let event_days = |timestamp: &str| span(of_event(at(timestamp), now));
        assert_eq!(event_days("2026-10-01T00"), "2026-09-30 2026-11-22");
        assert_eq!(event_days("2026-11-21T10"), "2026-11-20 2026-11-22");
        assert_eq!(event_days("2026-11-21T11"), "2026-10-21 2026-11-22");
        assert_eq!(event_days("2026-12-24T00"), "2026-10-21 2026-12-25");
    }

    #[test]
    fn days_of_a_period_include_a_day_before_and_late_usage() {
        let october = "2026-10".parse().unwrap();
        assert_eq!(span(of_period(october, at("2026-10-05T00"))), "2026-09-30 2026-11-03");
        assert_eq!(span(of_period(october, at("2026-11-21T00"))), "2026-09-30 2026-11-22");
        assert_eq!(span(of_reports(october, at("2026-11-21T00"))), "2026-08-30 2026-11-22");
    }

    #[test]
    fn days_of_a_group_span_all_of_its_times() {
        let (early, late, now) = (at("2026-11-01T00"), at("2026-11-09T00"), at("2026-11-21T00"));
        assert_eq!(span(of_group(early, late, now)), "2026-10-31 2026-11-22");
        assert_eq!(span(of_group(late, early, now)), "2026-10-31 2026-11-22");
        assert_eq!(span(of_group(at("2026-11-30T00"), early, now)), "2026-10-31 2026-12-01");
    }

    #[test]
    fn extreme_dates_do_not_overflow() {
        let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert_eq!(of_group(first, first, last), (first.date_naive(), last.date_naive()));
    }
}
