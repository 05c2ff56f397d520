//! What a store returns for status and reconciliation.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use usage_billing::Period;
use usage_billing::uuid::Uuid;

use crate::{Outcome, State, StoredEvent};

/// The events of a page.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The period of their timestamps.
    pub period: Period,
    /// Only events in this state.
    pub state: Option<State>,
    /// Only events of this entitlement.
    pub entitlement_id: Option<String>,
    /// Begin after this event: the last one of the page before.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    /// The maximum number of events.
    pub limit: usize,
}

impl Selection {
    /// Moves to the next page, and returns whether there may be one after this page.
    pub fn advance(&mut self, page: &[StoredEvent]) -> bool {
        self.after = page.last().map(|last| (last.event.timestamp, last.event.key));
        page.len() == self.limit && self.after.is_some()
    }
}

/// The window of an entitlement's marketplace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementWindow {
    /// The id of the entitlement.
    pub entitlement_id: String,
    /// The marketplace.
    pub marketplace: String,
    /// The time from the timestamp to the deadline.
    pub window: Duration,
}

/// The event up to which the deadlines of an entitlement's open events are set: events are read by their attempts, their deadlines, then their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowPage {
    /// The number of attempts.
    pub attempts: i64,
    /// The deadline, in milliseconds since 1970.
    pub deadline: i64,
    /// The id of its row.
    pub id: i64,
}

impl WindowPage {
    /// Before the first event.
    pub const FIRST: Self = Self { attempts: 0, deadline: i64::MIN, id: i64::MIN };
}

/// A sign of life of the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Heartbeat {
    /// When the sender was started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last looked for events.
    pub beat_at: Option<DateTime<Utc>>,
    /// When the vendor last resolved an event.
    pub contact_at: Option<DateTime<Utc>>,
    /// When it stopped in order.
    pub stopped_at: Option<DateTime<Utc>>,
}

/// Counts and times of all events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// Number of events by state.
    pub states: BTreeMap<State, u64>,
    /// The oldest timestamp of the open events.
    pub oldest_timestamp: Option<DateTime<Utc>>,
    /// The earliest time at which an open event was enqueued.
    pub oldest_enqueued_at: Option<DateTime<Utc>>,
    /// The earliest deadline of the open events.
    pub next_deadline: Option<DateTime<Utc>>,
    /// Number of open events of which half of the window has passed.
    pub alarmed: u64,
    /// Number of open events whose deadline has passed.
    pub overdue: u64,
    /// Number of open events that wait for an operator.
    pub waiting_for_operator: u64,
    /// Number of records of metered usage that no report contains yet.
    pub open_records: u64,
    /// The earliest hour of these records.
    pub oldest_open_hour: Option<DateTime<Utc>>,
    /// When an event or metered usage was last stored.
    pub enqueued_at: Option<DateTime<Utc>>,
    /// The sender's last sign of life.
    pub heartbeat: Heartbeat,
    /// Entitlements with open events, most events first.
    pub entitlements: Vec<EntitlementBacklog>,
    /// The last attempts without a delivery, latest first.
    pub failed_attempts: Vec<FailedAttempt>,
}

/// The open events of one entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntitlementBacklog {
    /// The id of the entitlement.
    pub entitlement_id: String,
    /// The marketplace, if it is known.
    pub marketplace: Option<String>,
    /// Number of open events.
    pub open: u64,
    /// The oldest timestamp of the open events.
    pub oldest_timestamp: DateTime<Utc>,
    /// Number of consecutive flushes without a result.
    pub failures: u32,
    /// When the delay after these failures ends.
    pub retry_at: Option<DateTime<Utc>>,
}

/// An attempt that did not deliver its event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedAttempt {
    /// The key of the event.
    pub key: Uuid,
    /// The id of the entitlement.
    pub entitlement_id: String,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// The result.
    pub outcome: Outcome,
    /// The HTTP status, if an error response decided.
    pub status: Option<u16>,
    /// The reason.
    pub message: Option<String>,
}
