//! Hints on errors of one month of a longer period.

use usage_billing_core::Result;

use crate::Period;

/// Adds a hint that names the month of `period` that failed and the periods to request instead. Rows of other months are not returned with the error.
pub(crate) fn in_month<T>(result: Result<T>, month: Period, period: Period) -> Result<T> {
    result.map_err(|error| match resumption_hint(month, period) {
        Some(advice) => {
            let hint = error.hint().map_or_else(String::new, |hint| format!("{hint}; "));
            error.with_hint(format!("{hint}{advice}"))
        }
        None => error,
    })
}

/// Returns the advice; `None` if no other month was requested.
fn resumption_hint(month: Period, period: Period) -> Option<String> {
    let before = Period::new(period.start(), month.start()).ok();
    let after = Period::new(month.end(), period.end()).ok();
    match (before, after) {
        (None, None) => None,
        (Some(before), _) => {
            let rest = Period::new(month.start(), period.end()).ok()?;
            Some(format!("this is {month}; earlier periods can be read: request {before}, and {rest} later"))
        }
        (None, Some(after)) => Some(format!("this is {month}: request {after}, and {month} later")),
    }
}

#[cfg(test)]
mod tests {
    use usage_billing_core::{Error, ErrorKind};

    use super::*;

    #[test]
    fn error_names_failed_month_and_periods_to_request() {
        for (month, period, expected) in [
            ("2026-10", "2026-10", None),
            ("2026-10", "2026-10-01/2026-12-01", Some("this is 2026-10: request 2026-11, and 2026-10 later")),
            (
                "2026-10",
                "2026-08-01/2026-12-01",
                Some(
                    "this is 2026-10; earlier periods can be read: request 2026-08-01/2026-10-01, and \
                     2026-10-01/2026-12-01 later",
                ),
            ),
            (
                "2026-10-15/2026-11-15",
                "2026-09-15/2026-11-15",
                Some(
                    "this is 2026-10-15/2026-11-15; earlier periods can be read: request 2026-09-15/2026-10-15, and \
                     2026-10-15/2026-11-15 later",
                ),
            ),
        ] {
            let failed = |hint: Option<&str>| {
                let error = Error::new(ErrorKind::Api, "unavailable");
                let error = hint.map_or(error.clone(), |hint| error.with_hint(hint));
                in_month::<()>(Err(error), month.parse().unwrap(), period.parse().unwrap()).unwrap_err()
            };
            assert_eq!(failed(None).hint(), expected);
            let with_hint = expected.map_or("wait".to_owned(), |expected| format!("wait; {expected}"));
            assert_eq!(failed(Some("wait")).hint(), Some(&*with_hint));
            assert_eq!((failed(None).kind(), failed(None).message()), (ErrorKind::Api, "unavailable"));
        }
        assert_eq!(in_month(Ok(3), "2026-10".parse().unwrap(), "2026-10".parse().unwrap()).unwrap(), 3);
    }
}
