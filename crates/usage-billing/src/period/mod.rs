//! Billed time spans.

#[cfg(any(feature = "acronis", feature = "genesys"))]
mod inclusive_end;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use usage_billing_core::{Error, ErrorKind, Result, printable};

/// A half-open time span in UTC: `start` is included, `end` is excluded. It is never empty.
///
/// Written as a month (`2026-10`) or as an ISO 8601 interval of days or instants (`2026-10-01/2026-10-15`, which ends before the 15th;
/// [`inclusive_end_warning`](Self::inclusive_end_warning) finds the usual mistake).
///
/// ```
/// use usage_billing::{Period, chrono::{DateTime, Utc}};
///
/// let october: Period = "2026-10".parse()?;
/// let now: DateTime<Utc> = "2026-11-02T06:00:00Z".parse().expect("a date-time");
/// assert_eq!(Period::last_month(now), october);
/// assert!(october.has_ended(now));
///
/// // The end is excluded: the 15th is not in it.
/// let billing_month: Period = "2026-10-15/2026-11-15".parse()?;
/// assert!(!billing_month.contains(billing_month.end()));
/// assert_eq!(billing_month.months().count(), 2);
/// # Ok::<(), usage_billing::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Period {
    /// Creates a period that includes `start` and excludes `end`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] if it would be empty or exceed the years 0 to 9999.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self> {
        if start.year() < 0 || end.year() > 9999 {
            return Err(request_error("a period lies within the years 0 to 9999".to_owned()));
        }
        if start < end {
            return Ok(Self { start, end });
        }
        Err(request_error(format!(
            "a period ends after its start, but {} is not after {}",
            instant(end),
            instant(start)
        )))
    }

    /// Returns the calendar month that contains `day`.
    pub fn month_of(day: NaiveDate) -> Self {
        let first = day.with_day(1).unwrap_or(day);
        let next = first.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX);
        Self { start: midnight(first), end: midnight(next) }
    }

    /// Creates a period from the first day through the last one, both included, as vendors state days.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] if the last day is before the first.
    pub fn of_days(first: NaiveDate, last: NaiveDate) -> Result<Self> {
        Self::new(midnight(first), midnight(last.checked_add_days(Days::new(1)).unwrap_or(last)))
    }

    /// Returns the last whole calendar month before `now`.
    pub fn last_month(now: DateTime<Utc>) -> Self {
        let first = Self::month_of(now.date_naive()).start.date_naive();
        Self::month_of(first.checked_sub_days(Days::new(1)).unwrap_or(first))
    }

    /// Splits the period by calendar month, in order; a period within one month is one part.
    pub fn months(&self) -> impl Iterator<Item = Self> + use<> {
        let Self { start, end } = *self;
        let parts = std::iter::successors(Some(start), move |start| Some(Self::month_of(start.date_naive()).end));
        parts.take_while(move |start| *start < end).map(move |start| {
            let month_end = Self::month_of(start.date_naive()).end;
            Self { start, end: month_end.min(end) }
        })
    }

    /// Splits the period by billing month: each part begins on the day of the month on which the period begins. If that is the last day of a
    /// short month, the end of the period may state the day: 2026-02-28/2026-03-31 is a month from the 31st.
    #[cfg(feature = "genesys")]
    pub(crate) fn billing_months(&self) -> impl Iterator<Item = Self> + use<> {
        let period = *self;
        let start_of = move |month| period.billing_month_start(month).filter(|start| *start < period.end);
        let parts = (0..).map_while(move |month| Some((start_of(month)?, month)));
        parts.map(move |(start, month)| Self { start, end: start_of(month + 1).unwrap_or(period.end) })
    }

    /// Returns whether the period is one whole month, from any day and instant.
    #[cfg(feature = "genesys")]
    pub(crate) fn is_billing_month(&self) -> bool {
        self.billing_month_start(1) == Some(self.end)
    }

    /// Returns the start of a billing month, counted from the start of the period: one month after the 31st of January is the 28th of February,
    /// two months after it the 31st of March.
    #[cfg(feature = "genesys")]
    fn billing_month_start(&self, month: u32) -> Option<DateTime<Utc>> {
        let first = self.start.date_naive();
        let is_last_day = first.succ_opt()?.day() == 1;
        let day = if is_last_day { first.day().max(self.end.day()) } else { first.day() };
        let of_month = first.with_day(1)?.checked_add_months(Months::new(month))?;
        let date = (0..=3).find_map(|less| of_month.with_day(day - less))?;
        Some(date.and_time(self.start.time()).and_utc())
    }

    /// Returns the first instant of the period.
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// Returns the first instant after the period.
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// Returns whether the period contains `instant`.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }

    /// Returns whether the period has ended at `now`: its usage can still be reported late, but no new usage arises.
    pub fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.end <= now
    }

    /// Rejects a period that has not started at `now`: it has no usage, and each vendor would respond differently.
    ///
    /// # Errors
    /// [`ErrorKind::Request`], with the instant at which the period begins.
    pub fn require_started(&self, now: DateTime<Utc>) -> Result<()> {
        if self.start <= now {
            return Ok(());
        }
        Err(request_error(format!("{self} is in the future: it begins at {}", instant(self.start))))
    }

    /// Returns a warning if the end of the period was probably meant to be included: `2026-10-01/2026-10-31` lacks the 31st. The condition is
    /// that one more day or second would complete whole months. Returns `None` for any other period.
    ///
    /// ```
    /// use usage_billing::Period;
    ///
    /// let period: Period = "2026-10-01/2026-10-31".parse()?;
    /// let warning = "2026-10-01/2026-10-31 does not contain 2026-10-31, because its end is excluded: write 2026-10 to include it";
    /// assert_eq!(period.inclusive_end_warning().as_deref(), Some(warning));
    /// assert_eq!("2026-10".parse::<Period>()?.inclusive_end_warning(), None);
    /// # Ok::<(), usage_billing::Error>(())
    /// ```
    pub fn inclusive_end_warning(&self) -> Option<String> {
        let midnight_after = midnight(self.end.date_naive().checked_add_days(Days::new(1))?);
        let lacks_a_day = self.end.time() == NaiveTime::MIN;
        let lacks_a_second = midnight_after - self.end <= TimeDelta::seconds(1);
        let is_whole = self.start.time() == NaiveTime::MIN && self.start.day() == midnight_after.day();
        if !is_whole || !(lacks_a_day || lacks_a_second) {
            return None;
        }
        let included = Self::new(self.start, midnight_after).ok()?;
        let excluded = if lacks_a_day { self.end.date_naive().to_string() } else { instant(self.end) };
        Some(format!("{self} does not contain {excluded}, because its end is excluded: write {included} to include it"))
    }

    /// Rejects a period that has not ended at `now`, for callers that create a bill from it.
    ///
    /// # Errors
    /// [`ErrorKind::Request`], with the instant at which the period ends.
    pub fn require_ended(&self, now: DateTime<Utc>) -> Result<()> {
        if self.has_ended(now) {
            return Ok(());
        }
        Err(request_error(format!(
            "{self} does not end before {}: its quantities will still change",
            instant(self.end)
        )))
    }
}

impl FromStr for Period {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some((start, end)) = text.split_once('/') {
            return Self::new(parse_instant(start)?, parse_instant(end)?);
        }
        let month = parse_day(&format!("{text}-01"));
        month.map(Self::month_of).ok_or_else(|| {
            request_error(format!("invalid period \"{}\": expected a month (2026-10) or two days (2026-10-01/2026-11-01, the second one excluded)", printable(text)))
        })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::month_of(self.start.date_naive()) {
            return write!(f, "{}", self.start.format("%Y-%m"));
        }
        match [self.start, self.end].map(|at| at.time() == NaiveTime::MIN) {
            [true, true] => write!(f, "{}/{}", self.start.date_naive(), self.end.date_naive()),
            _ => write!(f, "{}/{}", instant(self.start), instant(self.end)),
        }
    }
}

fn parse_instant(text: &str) -> Result<DateTime<Utc>> {
    if let Some(day) = parse_day(text) {
        return Ok(midnight(day));
    }
    DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc()).map_err(|_| {
        request_error(format!(
            "invalid date \"{}\": expected a day (2026-10-01) or an instant (2026-10-01T00:00:00Z)",
            printable(text)
        ))
    })
}

/// Parses a day of four, two and two digits. chrono also parses `26-10-1`, as a day of the year 26.
fn parse_day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (day.format("%Y-%m-%d").to_string() == text).then_some(day)
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Formats an instant as in messages and keys: `2026-10-01T00:00:00Z`, with a fraction only if it is not zero.
pub(crate) fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn request_error(message: String) -> Error {
    Error::new(ErrorKind::Request, message)
}

#[cfg(test)]
mod tests;
