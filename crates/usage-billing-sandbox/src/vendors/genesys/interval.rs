//! Parses intervals `start/end` of queries, as days.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::error::Failure;
use crate::dataset::{days_before, midnight, months_after, months_before};

/// Limits of jobs.
const MAX_JOB_DAYS: i64 = 90;
const OLDEST_JOB_MONTHS: u32 = 12;

/// First and last day, both included.
pub(super) type Days = (NaiveDate, NaiveDate);

pub(super) fn parse(text: &str) -> Result<Days, Failure> {
    read(text).ok_or_else(|| {
        let message = format!("interval is not an ISO 8601 interval such as 2026-09-01/2026-09-30: {text}");
        Failure::invalid_date(message)
    })
}

/// Parses an interval within the limits of jobs.
pub(super) fn parse_for_job(text: &str, today: NaiveDate) -> Result<Days, Failure> {
    let (first, last) = parse(text)?;
    if first < months_before(today, OLDEST_JOB_MONTHS) {
        return Err(Failure::bad_request(format!("interval starts more than one year ago: {text}")));
    }
    if last.signed_duration_since(first).num_days() >= MAX_JOB_DAYS {
        return Err(Failure::bad_request(format!("interval spans more than {MAX_JOB_DAYS} days: {text}")));
    }
    Ok((first, last))
}

/// Parses an interval. Each side is a month, a day or an instant (UTC by default).
fn read(text: &str) -> Option<Days> {
    let (start, end) = text.split_once('/')?;
    let month = |text: &str| format!("{text}-01").parse::<NaiveDate>().ok();
    let instant = |text: &str| {
        let with_offset = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
        with_offset.or_else(|_| text.parse::<NaiveDateTime>().map(|instant| instant.and_utc())).ok()
    };
    let first = start.parse().ok().or_else(|| month(start)).or_else(|| Some(instant(start)?.date_naive()))?;
    let last = end.parse().ok().or_else(|| Some(days_before(months_after(month(end)?, 1), 1))).or_else(|| {
        let end = instant(end)?;
        // Midnight ends the day before.
        let exclusive = end == midnight(end.date_naive());
        Some(if exclusive { days_before(end.date_naive(), 1) } else { end.date_naive() })
    })?;
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::day;

    #[test]
    fn interval_accepts_months_days_and_instants() {
        let september = Some((day("2026-09-01"), day("2026-09-30")));
        for text in [
            "2026-09/2026-09",
            "2026-09-01/2026-09-30",
            "2026-09-01T00:00:00/2026-09-30T23:59:59",
            "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z",
            "2026-09-01T00:00:00.000Z/2026-09-30T23:59:59.999Z",
        ] {
            assert_eq!(read(text), september, "{text}");
        }
        for text in ["", "/", "2026-09-01", "2026-09-30/2026-09-01", "2026-13/2027-01", "x/y", "2026/2027"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn job_interval_is_limited_to_a_year_and_ninety_days() {
        for (text, good) in [
            ("2025-11-21/2025-11-30", true),
            ("2025-11-20/2025-11-30", false),
            ("2026-08-01/2026-10-29", true),
            ("2026-08-01/2026-10-30", false),
            ("2026-08-01T00:00:00/2026-10-29T23:59:59", true),
            ("2026-08-01T00:00:00Z/2026-10-30T00:00:00Z", true),
            ("+262142-01-01/+262142-12-31", false),
            ("-262143-01-01/2026-10-30", false),
        ] {
            assert_eq!(parse_for_job(text, day("2026-11-21")).is_ok(), good, "{text}");
        }
    }
}
