//! Events of an outbox as JSON and as lines of a table.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use usage_billing::uuid::Uuid;
use usage_billing_outbox::store::AttemptResult;
use usage_billing_outbox::{Outcome, State, StoredEvent};

use super::status::seconds;
use crate::commands::output;
use crate::formats::table::Content::{Number, Prose, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers, IfSpace};

#[derive(Serialize)]
pub(super) struct EventView<'a> {
    key: Uuid,
    entitlement_id: &'a str,
    timestamp: DateTime<Utc>,
    sequence: u32,
    state: State,
    attempts: u32,
    enqueued_at: DateTime<Utc>,
    deadline: DateTime<Utc>,
    next_attempt_at: Option<DateTime<Utc>>,
    may_have_arrived: bool,
    waits_for_operator: bool,
    settled_at: Option<DateTime<Utc>>,
    message: Option<&'a str>,
    /// The bytes of every request.
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    /// A body that was changed in the database.
    Text(&'a str),
}

impl<'a> EventView<'a> {
    pub(super) fn new(stored: &'a StoredEvent) -> Self {
        let StoredEvent { event, enqueued_at, deadline, progress, settled_at, message } = stored;
        Self {
            key: event.key,
            entitlement_id: &event.entitlement_id,
            timestamp: event.timestamp,
            sequence: event.sequence,
            state: progress.state,
            attempts: progress.attempts,
            enqueued_at: *enqueued_at,
            deadline: *deadline,
            next_attempt_at: progress.ready_at,
            may_have_arrived: progress.may_have_arrived,
            waits_for_operator: progress.waits_for_operator(),
            settled_at: *settled_at,
            message: message.as_deref(),
            body: serde_json::from_str(&event.body).map_or(Body::Text(&event.body), Body::Json),
        }
    }

    /// Returns the facts of one event, one a line.
    pub(super) fn facts(&self) -> String {
        let time = |time: Option<DateTime<Utc>>| time.map(seconds).unwrap_or_default();
        let body = match &self.body {
            Body::Json(body) => body.get(),
            Body::Text(text) => text,
        };
        let next = match self.waits_for_operator {
            true => "waits for an operator: requeue it".to_owned(),
            false => time(self.next_attempt_at),
        };
        let facts = [
            ("key", self.key.to_string()),
            ("entitlement", self.entitlement_id.to_owned()),
            ("timestamp", seconds(self.timestamp)),
            ("sequence", self.sequence.to_string()),
            ("state", self.state.to_string()),
            ("attempts", self.attempts.to_string()),
            ("enqueued at", seconds(self.enqueued_at)),
            ("deadline", seconds(self.deadline)),
            ("next attempt", next),
            ("settled at", time(self.settled_at)),
            ("message", self.message.unwrap_or_default().to_owned()),
            ("body", body.to_owned()),
        ];
        let rows = facts.into_iter().filter(|(_, value)| !value.is_empty());
        output::table(
            [("EVENT", Word, Always), ("", Prose, Always)],
            rows.map(|(name, value)| [name.to_owned(), value]),
        )
    }
}

/// Returns one line for each event.
pub(super) fn table<'a>(events: impl IntoIterator<Item = &'a StoredEvent>, org_id: &str) -> String {
    let row = |stored: &StoredEvent| {
        let quantities = match stored.event.usage(org_id) {
            Ok(usage) => {
                let quantities = usage.quantities().iter().map(|(name, quantity)| format!("{name} {quantity}"));
                quantities.collect::<Vec<_>>().join(", ")
            }
            Err(error) => error.to_string(),
        };
        [
            stored.event.key.to_string(),
            stored.event.entitlement_id.clone(),
            seconds(stored.event.timestamp),
            stored.progress.state.to_string(),
            quantities,
            stored.message.clone().unwrap_or_default(),
        ]
    };
    let columns = [
        ("KEY", Word, Always),
        ("ENTITLEMENT", Text, IfDiffers),
        ("TIMESTAMP", Word, IfSpace),
        ("STATE", Word, IfDiffers),
        ("QUANTITIES", Prose, IfDiffers),
        ("MESSAGE", Prose, IfDiffers),
    ];
    output::table(columns, events.into_iter().map(row))
}

/// The evidence of an attempt.
#[derive(Serialize)]
pub(super) struct AttemptView<'a> {
    number: usize,
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
    outcome: Outcome,
    status: Option<u16>,
    message: Option<&'a str>,
    body_sha256: String,
    lease: i64,
}

impl<'a> AttemptView<'a> {
    pub(super) fn new(number: usize, attempt: &'a AttemptResult) -> Self {
        Self {
            number,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome,
            status: attempt.status,
            message: attempt.message.as_deref(),
            body_sha256: attempt.body_sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            lease: attempt.token,
        }
    }

    pub(super) fn table(attempts: &[Self]) -> String {
        let row = |one: &Self| {
            [
                one.number.to_string(),
                seconds(one.started_at),
                seconds(one.ended_at),
                one.outcome.as_str().to_owned(),
                one.status.map(|status| status.to_string()).unwrap_or_default(),
                one.message.unwrap_or_default().to_owned(),
            ]
        };
        let columns = [
            ("ATTEMPT", Number, Always),
            ("STARTED", Word, Always),
            ("ENDED", Word, IfSpace),
            ("OUTCOME", Word, Always),
            ("HTTP", Number, IfDiffers),
            ("MESSAGE", Prose, IfDiffers),
        ];
        output::table(columns, attempts.iter().map(row))
    }
}
