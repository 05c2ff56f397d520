//! How many open events a lease reads: the time that it takes must not grow with the backlog of an entitlement that fails.

use chrono::{DateTime, TimeDelta, Utc};

use crate::retry;

/// Number of open events that are read in the order of their deadlines. If more are open, those behind them are found by their entitlements.
pub(crate) const SCANNED: i64 = 5000;

/// The numbers of attempts of two groups of an entitlement's events: the first one, of most events, is in the order of the deadlines.
pub(crate) const ATTEMPTS: &str = "SELECT 0 AS fewest, 0 AS most UNION ALL SELECT 1, 9223372036854775807";

/// Returns when to look for due events again: when the first of the `read` events is due, and soon if there are more.
pub(crate) fn next_at(found: Option<DateTime<Utc>>, read: i64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let soon = now + TimeDelta::from_std(retry::delay(1, false)).unwrap_or_default();
    if read < SCANNED { found } else { Some(found.map_or(soon, |found| found.min(soon))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_at_is_exact_unless_more_events_are_open_than_are_read() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let next = |found: Option<i64>, read| next_at(found.map(at), read, at(100)).map(|next| next.timestamp());
        assert_eq!([next(None, 0), next(Some(999), 9), next(Some(101), SCANNED)], [None, Some(999), Some(101)]);
        assert_eq!([next(None, SCANNED), next(Some(999), SCANNED)], [Some(115), Some(115)]);
    }
}
