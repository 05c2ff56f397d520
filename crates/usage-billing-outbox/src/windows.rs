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
