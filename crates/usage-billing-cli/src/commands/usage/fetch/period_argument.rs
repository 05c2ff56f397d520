//! Periods as users write them.

use usage_billing::chrono::{DateTime, Utc};
use usage_billing::{Error, ErrorKind, Period, Result, printable};

use crate::exit::Failure;

/// The value of `--period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeriodArgument {
    LastMonth,
    Period(Period),
}

impl PeriodArgument {
    pub(crate) fn at(self, now: DateTime<Utc>) -> Period {
        match self {
            Self::LastMonth => Period::last_month(now),
            Self::Period(period) => period,
        }
    }

    /// Returns a period that does not depend on the current time, for commands that select rows by it.
    pub(crate) fn fixed(self) -> std::result::Result<Period, Failure> {
        match self {
            Self::Period(period) => Ok(period),
            Self::LastMonth => {
                Err(Failure::Usage("name the month, such as 2026-10, in place of last-month".to_owned()))
            }
        }
    }
}

impl std::str::FromStr for PeriodArgument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "last-month" {
            return Ok(Self::LastMonth);
        }
        if let Some((first, last)) = text.split_once("..") {
            return months(month(text, first)?, month(text, last)?).map(Self::Period);
        }
        if text.contains('/') {
            return text.parse().map(Self::Period);
        }
        let is_year = |year: &str| year.len() == 4 && year.bytes().all(|digit| digit.is_ascii_digit());
        let (first, last) = match text.split_once('-') {
            None if is_year(text) => (format!("{text}-01"), format!("{text}-12")),
            Some((year, "Q1" | "q1")) => (format!("{year}-01"), format!("{year}-03")),
            Some((year, "Q2" | "q2")) => (format!("{year}-04"), format!("{year}-06")),
            Some((year, "Q3" | "q3")) => (format!("{year}-07"), format!("{year}-09")),
            Some((year, "Q4" | "q4")) => (format!("{year}-10"), format!("{year}-12")),
            _ => (text.to_owned(), text.to_owned()),
        };
        months(month(text, &first)?, month(text, &last)?).map(Self::Period)
    }
}

fn month(text: &str, month: &str) -> Result<Period> {
    // An interval of days is not a month.
    let parsed = (!month.contains('/')).then(|| month.parse::<Period>().ok()).flatten();
    parsed.ok_or_else(|| {
        let forms = "a month (2026-10), last-month, a quarter (2026-Q3), a year (2026), months (2025-11..2026-10, both \
                     included) or two days (2026-10-01/2026-11-01, the second one excluded)";
        Error::new(ErrorKind::Request, format!("invalid period \"{}\": expected {forms}", printable(text)))
    })
}

fn months(first: Period, last: Period) -> Result<Period> {
    if last.start() < first.start() {
        return Err(Error::new(ErrorKind::Request, format!("{last} is before {first}: name the earlier month first")));
    }
    Period::new(first.start(), last.end())
}

/// Returns the period from `--since` to `--until`, which is excluded; the last month that has ended is the default end.
pub(crate) fn since_until(since: &str, until: Option<&str>, now: DateTime<Utc>) -> Result<Period> {
    let default = || Period::last_month(now).end().format("%Y-%m-%d").to_string();
    format!("{since}/{}", until.map_or_else(default, str::to_owned)).parse()
}

/// Splits a period that consists of calendar months, which are fetched one by one; any other period stays as it is.
pub(crate) fn calendar_months(period: Period) -> Option<Vec<Period>> {
    let is_whole = |part: &Period| *part == Period::month_of(part.start().date_naive());
    let months: Vec<_> = period.months().collect();
    months.iter().all(is_whole).then_some(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn period_is_read_in_every_form() {
        for (text, expected, months) in [
            ("2026-10", "2026-10-01/2026-11-01", 1),
            ("last-month", "2026-10-01/2026-11-01", 1),
            ("2026", "2026-01-01/2027-01-01", 12),
            ("2026-Q3", "2026-07-01/2026-10-01", 3),
            ("2025-q4", "2025-10-01/2026-01-01", 3),
            ("2025-11..2026-10", "2025-11-01/2026-11-01", 12),
            ("2026-10..2026-10", "2026-10-01/2026-11-01", 1),
            ("2026-09-01/2026-11-01", "2026-09-01/2026-11-01", 2),
        ] {
            let period = text.parse::<PeriodArgument>().unwrap().at(now());
            assert_eq!(period, expected.parse().unwrap(), "{text}");
            assert_eq!(calendar_months(period).map(|months| months.len()), Some(months), "{text}");
        }
        for text in ["2026-10-15/2026-11-15", "2026-11-01/2026-11-22"] {
            let period = text.parse::<PeriodArgument>().unwrap().at(now());
            assert_eq!((period, calendar_months(period)), (text.parse().unwrap(), None));
        }
    }

    #[test]
    fn invalid_period_states_the_expected_forms() {
        for text in
            ["", "26", "20x6", "2026-Q5", "2026-13", "2026-10..", "..", "2026..2027", "last month", "2026-1", "x-Q1"]
        {
            let error = text.parse::<PeriodArgument>().unwrap_err().to_string();
            let expected = format!("invalid period \"{text}\": expected a month (2026-10), last-month,");
            assert!(error.starts_with(&expected), "{text}: {error}");
        }
        let error = "2026-10..2025-11".parse::<PeriodArgument>().unwrap_err().to_string();
        assert_eq!(error, "2025-11 is before 2026-10: name the earlier month first");
    }

    #[test]
    fn since_ends_with_the_last_month_unless_until_is_set() {
        assert_eq!(since_until("2026-08-01", None, now()).unwrap(), "2026-08-01/2026-11-01".parse().unwrap());
        assert_eq!(
            since_until("2026-08-01", Some("2026-08-15"), now()).unwrap(),
            "2026-08-01/2026-08-15".parse().unwrap()
        );
        for (since, until) in [("August", None), ("2026-08-01", Some("2026-07-01")), ("2026-12-01", None)] {
            assert!(since_until(since, until, now()).is_err(), "{since}");
        }
    }
}
