//! Periods whose end is included, as vendors state them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
#[cfg(feature = "genesys")]
use chrono::{TimeDelta, Timelike};
use usage_billing_core::Result;

use super::{Period, instant, request_error};

impl Period {
    /// Creates a period from `start` through `last`: the last second (`23:59:59`), millisecond or microsecond. The end becomes the next whole
    /// second. A whole quarter of an hour, such as midnight in any time zone, counts as an excluded end.
    #[cfg(feature = "genesys")]
    pub(crate) fn through(start: DateTime<Utc>, last: DateTime<Utc>) -> Result<Self> {
        let second = last.with_nanosecond(0).unwrap_or(last);
        let next = second.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(second);
        let is_excluded = (last.minute() % 15, last.second(), last.nanosecond()) == (0, 0, 0);
        Self::new(start, if is_excluded { last } else { next })
    }

    /// Returns the first and the last day of a period of whole days (UTC).
    pub(crate) fn days(&self) -> Result<(NaiveDate, NaiveDate)> {
        Ok((day(self.start)?, day(self.end)? - Days::new(1)))
    }
}

fn day(at: DateTime<Utc>) -> Result<NaiveDate> {
    if at.time() == NaiveTime::MIN {
        return Ok(at.date_naive());
    }
    Err(request_error(format!("this vendor reports whole days (UTC); {} is not midnight", instant(at))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[cfg(feature = "genesys")]
    #[test]
    fn inclusive_ends_of_all_precisions_are_equal() {
        let start = period("2026-10").start();
        for last in
            ["2026-10-31T23:59:59Z", "2026-10-31T23:59:59.999Z", "2026-10-31T23:59:59.999999Z", "2026-11-01T00:00:00Z"]
        {
            assert_eq!(Period::through(start, last.parse().unwrap()).unwrap(), period("2026-10"), "{last}");
        }
        // A day of New York, and one of India.
        for (last, end) in [
            ("2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z"),
            ("2026-11-01T04:00:00Z", "2026-11-01T04:00:00Z"),
            ("2026-10-31T18:30:00+00:00", "2026-10-31T18:30:00Z"),
            ("2026-10-31T23:59:59.999+05:30", "2026-10-31T18:30:00Z"),
        ] {
            let period = Period::through(start, last.parse().unwrap()).unwrap();
            assert_eq!(instant(period.end()), end, "{last}");
        }
        assert!(Period::through(start, start - TimeDelta::days(3)).is_err());
        assert!(Period::through(start, DateTime::<Utc>::MAX_UTC).is_err());
    }

    #[test]
    fn only_whole_days_have_a_first_and_a_last_day() {
        assert_eq!(period("2024-02").days().unwrap().1.to_string(), "2024-02-29");
        assert!(period("2026-10-01/2026-10-02T12:00:00Z").days().is_err());
        assert!(period("2026-10-01T02:00:00+02:00/2026-10-02").days().is_ok());
    }
}
