//! Delays between attempts: pure functions of counts and times.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The delay after the first attempt without a result. Each further one doubles it.
const FIRST: Duration = Duration::from_secs(15);
/// The longest delay while the marketplace may still accept the usage.
const LONGEST_IN_TIME: Duration = Duration::from_secs(300);
/// The longest delay afterwards, when only an operator or the vendor's list can resolve the event, and of a `Retry-After`.
pub(crate) const LONGEST: Duration = Duration::from_secs(3600);

/// The longest wait of a sender that reaches no vendor.
const LONGEST_BATCH_DELAY: Duration = Duration::from_secs(60);

/// How long after its deadline an event is sent again without an operator.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(7 * 24 * 3600);

/// Returns the delay of an event after its `attempts`-th attempt.
pub(crate) fn delay(attempts: u32, is_past_deadline: bool) -> Duration {
    let longest = if is_past_deadline { LONGEST } else { LONGEST_IN_TIME };
    let doublings = attempts.saturating_sub(1);
    FIRST.saturating_mul(2u32.saturating_pow(doublings)).min(longest)
}

/// Returns the number of failures of an entitlement after a batch, and when its delay ends. `None` if nothing changes.
#[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(dead_code, reason = "stores delay entitlements"))]
pub(crate) fn entitlement_delay(
    failures: u32,
    is_resolved: bool,
    now: DateTime<Utc>,
) -> Option<(u32, Option<DateTime<Utc>>)> {
    match is_resolved {
        true => (failures > 0).then_some((0, None)),
        false => {
            let failures = failures.saturating_add(1);
            Some((failures, Some(now + TimeDelta::from_std(delay(failures, false)).unwrap_or_default())))
        }
    }
}

/// Returns how long a sender waits after consecutive batches that reached no vendor.
pub(crate) fn delay_after_failures(failures: u32) -> Duration {
    match failures {
        0 => Duration::ZERO,
        failures => delay(failures, false).min(LONGEST_BATCH_DELAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_five_minutes_or_an_hour() {
        let seconds =
            |is_past| [0, 1, 2, 3, 4, 5, 6, 9, 10, u32::MAX].map(|attempts| delay(attempts, is_past).as_secs());
        assert_eq!(seconds(false), [15, 15, 30, 60, 120, 240, 300, 300, 300, 300]);
        assert_eq!(seconds(true), [15, 15, 30, 60, 120, 240, 480, 3600, 3600, 3600]);
        assert_eq!([0, 1, 2, 3, 99].map(|failures| delay_after_failures(failures).as_secs()), [0, 15, 30, 60, 60]);
    }
}
