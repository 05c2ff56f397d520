//! The time in which usage has to arrive, by marketplace.

use std::time::Duration;

use usage_billing::suger::{MarketplaceWindows, types::Partner};

/// The window of a marketplace without a limit: usage that hangs for half a day is worth an alarm anyway.
const WITHOUT_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// Returns the time from the timestamp of an event to its deadline. The deadline determines the order of sending, the alarms and the delays.
/// Usage is withheld by the limit of a marketplace only.
pub(crate) fn window(windows: &MarketplaceWindows, marketplace: Option<&Partner>) -> Duration {
    windows.limit(marketplace).unwrap_or(WITHOUT_LIMIT)
}

/// Returns a window as a column of a store.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn window_ms(window: Duration) -> i64 {
    i64::try_from(window.as_millis()).unwrap_or(i64::MAX)
}

/// Returns whether the stored window of a marketplace is that of another configuration.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn is_outdated(windows: &MarketplaceWindows, marketplace: &str, stored_ms: Option<i64>) -> bool {
    stored_ms != Some(window_ms(window(windows, Some(&Partner::from(marketplace)))))
}
