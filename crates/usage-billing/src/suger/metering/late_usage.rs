//! Usage that is sent later than its marketplace accepts.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use usage_billing_core::{Error, ErrorKind, printable};
use uuid::Uuid;

use crate::suger::UsageEvent;
use crate::suger::types::{MeteringUsageRecordGroup as Group, Partner};
use crate::suger::usage::groups::is_set;

const HOUR: Duration = Duration::from_secs(3600);

/// Maximum age of usage by marketplace: the time from the timestamp of an event to its arrival at Suger. Suger
/// documents no limit of its own, and forwards usage only with its next hourly run, so up to an hour of each limit may
/// have passed by then.
///
/// The defaults are the limits that the marketplaces state (seen 2026-11-29). A marketplace that is not listed has no
/// limit.
///
/// | marketplace | limit | source |
/// |---|---|---|
/// | `AWS` | 6 h | `BatchMeterUsage`: records are not accepted 6 hours or more after the event |
/// | `AWS_CHINA` | 6 h | the same call in cn-northwest-1, of which the reference at docs.amazonaws.cn states the same |
/// | `AZURE` | 24 h | Metering service FAQ: the maximum delay is 24 hours, after which events are not accepted |
/// | `GCP` | 2 h | Best practices for usage reporting: within one hour of the usage, here of an hour's end. Later usage is accepted, but may miss the month's invoice: it is late, and never rejected unless this limit is [set](Self::with) |
///
/// ```
/// use std::time::Duration;
/// use usage_billing::suger::MarketplaceWindows;
///
/// // Warn when a retry on the same day is still possible.
/// let windows = MarketplaceWindows::default().with("AZURE", Duration::from_secs(12 * 3600));
/// # let _ = windows;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketplaceWindows(BTreeMap<Partner, Window>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    limit: Duration,
    /// Whether the marketplace rejects later usage, so that it may be withheld.
    is_strict: bool,
}

impl Default for MarketplaceWindows {
    fn default() -> Self {
        let hours = [
            (Partner::Aws, 6, true),
            (Partner::AwsChina, 6, true),
            (Partner::Azure, 24, true),
            (Partner::Gcp, 2, false),
        ];
        let window = |(marketplace, hours, is_strict)| (marketplace, Window { limit: hours * HOUR, is_strict });
        Self(hours.map(window).into())
    }
}

impl MarketplaceWindows {
    /// Returns windows without limits.
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets the limit of one marketplace. [`reject_late_usage`](crate::suger::UsageQueue::reject_late_usage) applies it.
    pub fn with(mut self, marketplace: impl Into<Partner>, longest_age: Duration) -> Self {
        self.0.insert(marketplace.into(), Window { limit: longest_age, is_strict: true });
        self
    }

    /// Returns the limit of a marketplace, of an unknown one the shortest. `None` for one without a limit.
    pub fn limit(&self, marketplace: Option<&Partner>) -> Option<Duration> {
        match marketplace {
            Some(marketplace) => self.0.get(marketplace).map(|window| window.limit),
            None => self.shortest(),
        }
    }

    /// Returns the shortest of all limits. Younger usage is not late at any marketplace.
    fn shortest(&self) -> Option<Duration> {
        self.0.values().map(|window| window.limit).min()
    }

    /// Returns the shortest limit from which a marketplace rejects usage.
    pub(super) fn shortest_strict(&self) -> Option<Duration> {
        self.0.values().filter(|window| window.is_strict).map(|window| window.limit).min()
    }

    /// Returns whether a marketplace rejects late usage. One that is not known may accept it.
    pub(super) fn is_strict(&self, marketplace: Option<&Partner>) -> bool {
        marketplace.and_then(|marketplace| self.0.get(marketplace)).is_some_and(|window| window.is_strict)
    }

    /// Returns the late usage of an event that arrived at `arrival`. The shortest limit applies if the marketplace is
    /// not known.
    pub(super) fn check(
        &self,
        marketplace: Option<&Partner>,
        event: &UsageEvent,
        id: Uuid,
        arrival: DateTime<Utc>,
    ) -> Option<LateUsage> {
        let marketplace = marketplace.filter(|marketplace| !marketplace.as_str().is_empty());
        let limit = self.limit(marketplace)?;
        let age = age(event, arrival);
        (age >= limit).then(|| LateUsage {
            id,
            entitlement_id: event.entitlement_id().to_owned(),
            timestamp: event.timestamp(),
            marketplace: marketplace.cloned(),
            age,
            limit,
        })
    }

    /// Returns the late usage of an event that Suger has as `group`. `marketplace` is that of its entitlement, if it
    /// was looked up before.
    pub(super) fn check_group(
        &self,
        event: &UsageEvent,
        id: Uuid,
        group: &Group,
        marketplace: Option<&Partner>,
        now: DateTime<Utc>,
    ) -> Option<LateUsage> {
        let stated = group.partner.as_ref().filter(|partner| !partner.as_str().is_empty());
        self.check(stated.or(marketplace), event, id, group.creation_time.filter(is_set).unwrap_or(now))
    }
}

/// Returns the time from the timestamp of an event to `arrival`, or zero if it arrived earlier.
pub(super) fn age(event: &UsageEvent, arrival: DateTime<Utc>) -> Duration {
    let age: TimeDelta = arrival - event.timestamp();
    age.to_std().unwrap_or_default()
}

/// An event whose usage is older than its marketplace accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LateUsage {
    /// The id of the event.
    pub id: Uuid,
    /// The id of the entitlement.
    pub entitlement_id: String,
    /// The timestamp of the event.
    pub timestamp: DateTime<Utc>,
    /// The marketplace that bills the usage. `None` if neither the group nor the entitlement states it; the limit is
    /// then the shortest of all.
    pub marketplace: Option<Partner>,
    /// Time from the timestamp to the arrival at Suger; whole seconds in JSON.
    #[serde(rename = "age_seconds", serialize_with = "seconds")]
    pub age: Duration,
    /// The limit of the marketplace; whole seconds in JSON.
    #[serde(rename = "limit_seconds", serialize_with = "seconds")]
    pub limit: Duration,
}

impl LateUsage {
    pub(super) fn marketplace(&self) -> &str {
        self.marketplace.as_ref().map_or("a marketplace", Partner::as_str)
    }

    /// Returns the error of an event that is not sent because it is late.
    pub(super) fn error(&self) -> Error {
        let message = format!(
            "not sent: usage of {} from {} is {} min old, and {} accepts usage for {} min",
            printable(&self.entitlement_id),
            self.timestamp,
            self.age.as_secs() / 60,
            printable(self.marketplace()),
            self.limit.as_secs() / 60
        );
        Error::new(ErrorKind::Request, message)
            .with_hint("send it with a timestamp that the marketplace still accepts, or settle it with the buyer")
    }
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(windows: &MarketplaceWindows, marketplace: &str, seconds: i64) -> bool {
        let event = UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 1);
        let arrival = event.timestamp() + TimeDelta::seconds(seconds);
        windows.check(Some(&marketplace.into()), &event, Uuid::nil(), arrival).is_some()
    }

    #[test]
    fn usage_is_late_from_its_marketplaces_limit_on() {
        let windows = MarketplaceWindows::default();
        for (marketplace, hours) in [("AWS", 6), ("AWS_CHINA", 6), ("AZURE", 24), ("GCP", 2)] {
            assert!(!late(&windows, marketplace, hours * 3600 - 1), "{marketplace}");
            assert!(late(&windows, marketplace, hours * 3600), "{marketplace}");
        }
        assert!(!late(&windows, "STRIPE", i64::from(u32::MAX)), "no limit is known");
        assert!(!late(&windows, "AWS", -1), "usage of the future is not late");
        assert_eq!((windows.shortest(), windows.shortest_strict()), (Some(2 * HOUR), Some(6 * HOUR)));
        let strict = ["AWS", "AWS_CHINA", "AZURE", "GCP", "STRIPE", ""].map(|it| windows.is_strict(Some(&it.into())));
        assert_eq!((strict, windows.is_strict(None)), ([true, true, true, false, false, false], false));
        let set = windows.with("GCP", HOUR);
        assert!(set.is_strict(Some(&Partner::Gcp)) && set.shortest_strict() == Some(HOUR));
    }

    #[test]
    fn unknown_marketplace_has_the_shortest_limit() {
        let event = UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 1);
        let windows = MarketplaceWindows::default();
        let check = |group: serde_json::Value, known: Option<&str>, hours| {
            let group: Group = serde_json::from_value(group).unwrap();
            let now = event.timestamp() + TimeDelta::hours(hours);
            let late = windows.check_group(&event, Uuid::nil(), &group, known.map(Partner::from).as_ref(), now);
            late.map(|late| (late.marketplace().to_owned(), late.limit.as_secs() / 3600))
        };
        let late = |marketplace: &str, hours| Some((marketplace.to_owned(), hours));
        for group in [serde_json::json!({}), serde_json::json!({"partner": ""})] {
            assert_eq!(check(group.clone(), None, 1), None);
            assert_eq!(check(group.clone(), None, 2), late("a marketplace", 2));
            assert_eq!(check(group.clone(), Some(""), 2), late("a marketplace", 2));
            assert_eq!(check(group.clone(), Some("AZURE"), 23), None);
            assert_eq!(check(group, Some("AZURE"), 24), late("AZURE", 24));
        }
        let aws = serde_json::json!({"partner": "AWS"});
        assert_eq!((check(aws.clone(), Some("GCP"), 5), check(aws, Some("GCP"), 6)), (None, late("AWS", 6)));
        // The arrival counts, not the time of the lookup.
        let arrived = serde_json::json!({"partner": "AWS", "creationTime": "2026-10-01T08:00:00Z"});
        assert_eq!(check(arrived, None, 100), None);
        let unset = serde_json::json!({"partner": "AWS", "creationTime": "0001-01-01T00:00:00Z"});
        assert_eq!(check(unset, None, 100), late("AWS", 6));
        assert!(MarketplaceWindows::none().check(None, &event, Uuid::nil(), event.timestamp() + HOUR * 900).is_none());
    }

    #[test]
    fn limits_are_configurable() {
        let windows = MarketplaceWindows::none().with("STRIPE", HOUR).with("AWS", 2 * HOUR);
        assert!(late(&windows, "STRIPE", 3600) && !late(&windows, "GCP", 1_000_000));
        assert!(late(&windows, "AWS", 7200) && !late(&windows, "AWS", 7199));
        assert_eq!(MarketplaceWindows::none().shortest(), None);
    }
}
