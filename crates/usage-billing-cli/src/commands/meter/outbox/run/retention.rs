//! Removal of old events by `meter run --keep`.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing_outbox::{Outbox, Store};

use crate::terminal;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Bills are disputed for longer. It also rejects `13m`, which is 13 minutes.
const LEAST: Duration = Duration::from_secs(35 * 24 * 3600);

/// Parses how long events are kept.
pub(super) fn keep(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(keep) if keep >= LEAST => Ok(keep),
        Ok(_) => Err("it is less than 35days: bills are disputed for a year, so that 400days are useful".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Removes final events that are older. A failure does not stop the sender.
pub(super) async fn remove<S: Store>(outbox: &Outbox<S>, keep: Duration, now: DateTime<Utc>) {
    let cutoff = TimeDelta::from_std(keep).ok().and_then(|keep| now.checked_sub_signed(keep));
    let Some(cutoff) = cutoff else { return };
    match outbox.remove_before(cutoff).await {
        Ok(removed) if removed.events + removed.records > 0 => terminal::print_progress(&format!(
            "outbox: removed {} and {} from before {cutoff}",
            terminal::count(removed.events, "event"),
            terminal::count(removed.records, "record")
        )),
        Ok(_) => {}
        Err(error) => terminal::eprint_line(&format!("outbox: old events were not removed: {error}")),
    }
}

/// Removes old events now and once a day.
pub(super) async fn remove_daily<S: Store>(
    outbox: &Outbox<S>,
    keep: Option<Duration>,
    now: impl Fn() -> DateTime<Utc>,
) -> Infallible {
    let Some(keep) = keep else { return std::future::pending().await };
    loop {
        remove(outbox, keep, now()).await;
        tokio::time::sleep(DAY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "sqlite")]
    #[tokio::test(start_paused = true)]
    async fn old_events_are_removed_at_once_and_every_day() {
        let folder = tempfile::tempdir().unwrap();
        let store = usage_billing_outbox::SqliteStore::open(folder.path().join("usage.sqlite"), "acme").await.unwrap();
        let (outbox, times) = (Outbox::new(store), std::cell::Cell::new(0));
        let now = || {
            times.set(times.get() + 1);
            Utc::now()
        };
        for (limit, expected) in [(Duration::from_secs(3600), 1), (2 * DAY + Duration::from_secs(3600), 4)] {
            tokio::time::timeout(limit, remove_daily(&outbox, Some(400 * DAY), now)).await.unwrap_err();
            assert_eq!(times.get(), expected);
        }
    }

    #[test]
    fn time_that_is_too_short_is_rejected() {
        assert_eq!(keep("400days"), Ok(400 * DAY));
        for text in ["13m", "34days", "0s", "a year"] {
            assert!(keep(text).is_err(), "{text}");
        }
    }
}
