//! Columns that all stores have, and what their rows mean.

use chrono::{DateTime, Utc};
use usage_billing::uuid::Uuid;
use usage_billing::{Decimal, Error, ErrorKind, Result, printable};

use super::{AttemptResult, EntitlementBacklog, FailedAttempt};
use crate::event::{NewEvent, StoredEvent};
use crate::{Lease, Outcome, Progress, State};

/// The columns that [`stored_event`] reads, of `event` joined with `entitlement`.
pub(crate) const STORED_EVENT: &str = "event.id, event.key, entitlement.name, event.timestamp, event.sequence, event.body, \
    event.enqueued_at, event.deadline, event.state, event.attempts, event.ready_at, event.may_have_arrived, \
    event.may_arrive_until, event.lease_token, event.lease_since, event.lease_until, event.settled_at, event.message";

/// The columns that [`attempt_result`] reads.
pub(crate) const ATTEMPT: &str = "token, started_at, ended_at, body_sha256, outcome, status, message";

/// The columns that [`failed_attempt`] reads, of `attempt` joined with `event` and `entitlement`.
pub(crate) const FAILED_ATTEMPT: &str =
    "event.key, entitlement.name, attempt.ended_at, attempt.outcome, attempt.status, attempt.message";

/// The condition of an event that is not final, as in the partial indexes.
pub(crate) const IS_OPEN: &str = "event.state IN ('pending', 'sending', 'unknown')";

/// Returns the query for the id of the event with the key $1. It goes from day to day of `events`, the latest first, with two steps of the index
/// `event_by_day` for each.
pub(crate) fn id_of_key(events: &str) -> String {
    let latest_day = |condition: &str| {
        let day = "timestamp / 86400000";
        format!("SELECT {day} FROM {events} {condition} ORDER BY {day} DESC LIMIT 1")
    };
    format!(
        "WITH RECURSIVE days (day) AS (
             SELECT ({}) UNION ALL SELECT ({}) FROM days WHERE days.day IS NOT NULL)
         SELECT id FROM (
             SELECT (SELECT id FROM {events} WHERE timestamp / 86400000 = days.day AND key = $1) AS id FROM days) AS found
         WHERE id IS NOT NULL LIMIT 1",
        latest_day(""),
        latest_day("WHERE timestamp / 86400000 < days.day"),
    )
}

/// A row of a query.
pub(crate) trait Columns {
    fn number(&self, column: usize) -> Result<Option<i64>>;
    fn text(&self, column: usize) -> Result<Option<String>>;
    fn bytes(&self, column: usize) -> Result<Vec<u8>>;
    fn key(&self, column: usize) -> Result<Uuid>;
    fn is_true(&self, column: usize) -> Result<bool>;
}

impl dyn Columns + '_ {
    pub(crate) fn required<T: TryFrom<i64>>(&self, column: usize) -> Result<T> {
        let number = self.number(column)?.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| Error::new(ErrorKind::File, format!("column {column} has no valid number")))
    }

    pub(crate) fn required_text(&self, column: usize) -> Result<String> {
        let text = self.text(column)?;
        text.ok_or_else(|| Error::new(ErrorKind::File, format!("column {column} has no text")))
    }

    pub(crate) fn time(&self, column: usize) -> Result<DateTime<Utc>> {
        self.required(column).map(time)
    }

    pub(crate) fn optional_time(&self, column: usize) -> Result<Option<DateTime<Utc>>> {
        Ok(self.number(column)?.map(time))
    }

    pub(crate) fn decimal(&self, column: usize) -> Result<Decimal> {
        let text = self.required_text(column)?;
        text.parse().map_err(|_| Error::new(ErrorKind::File, format!("{} is not a valid decimal", printable(&text))))
    }

    pub(crate) fn state(&self, column: usize) -> Result<State> {
        let name = self.required_text(column)?;
        State::from_name(&name)
            .ok_or_else(|| Error::new(ErrorKind::File, format!("{} is not a valid state", printable(&name))))
    }

    pub(crate) fn outcome(&self, column: usize) -> Result<Outcome> {
        let name = self.required_text(column)?;
        let found = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == name);
        found.ok_or_else(|| Error::new(ErrorKind::File, format!("{} is not a valid outcome", printable(&name))))
    }
}

pub(crate) fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

pub(crate) fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Returns a count as a parameter.
pub(crate) fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A row of `event`.
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) id: i64,
    pub(crate) stored: StoredEvent,
}

/// Reads the columns of [`STORED_EVENT`].
pub(crate) fn stored_event(row: &dyn Columns) -> Result<EventRow> {
    let lease = match (row.number(13)?, row.optional_time(14)?, row.optional_time(15)?) {
        (Some(token), Some(since), Some(until)) => Some(Lease { token, since, until }),
        _ => None,
    };
    let event = NewEvent {
        key: row.key(1)?,
        entitlement_id: row.required_text(2)?,
        timestamp: row.time(3)?,
        sequence: row.required(4)?,
        body: row.required_text(5)?,
    };
    let progress = Progress {
        state: row.state(8)?,
        attempts: row.required(9)?,
        ready_at: row.optional_time(10)?,
        may_have_arrived: row.is_true(11)?,
        may_arrive_until: row.optional_time(12)?,
        lease,
    };
    let (enqueued_at, deadline) = (row.time(6)?, row.time(7)?);
    let (settled_at, message) = (row.optional_time(16)?, row.text(17)?);
    Ok(EventRow {
        id: row.required(0)?,
        stored: StoredEvent { event, enqueued_at, deadline, progress, settled_at, message },
    })
}

/// Reads the columns of [`ATTEMPT`].
pub(crate) fn attempt_result(row: &dyn Columns) -> Result<AttemptResult> {
    let body_sha256 = row.bytes(3)?.try_into();
    Ok(AttemptResult {
        token: row.required(0)?,
        started_at: row.time(1)?,
        ended_at: row.time(2)?,
        body_sha256: body_sha256.map_err(|_| Error::new(ErrorKind::File, "body_sha256 does not have 32 bytes"))?,
        outcome: row.outcome(4)?,
        status: status(row, 5)?,
        message: row.text(6)?,
    })
}

/// Reads the columns of [`FAILED_ATTEMPT`].
pub(crate) fn failed_attempt(row: &dyn Columns) -> Result<FailedAttempt> {
    Ok(FailedAttempt {
        key: row.key(0)?,
        entitlement_id: row.required_text(1)?,
        ended_at: row.time(2)?,
        outcome: row.outcome(3)?,
        status: status(row, 4)?,
        message: row.text(5)?,
    })
}

fn status(row: &dyn Columns, column: usize) -> Result<Option<u16>> {
    row.number(column)?.map(|_| row.required(column)).transpose()
}

/// Reads an entitlement: name, marketplace, number of open events, oldest timestamp, failures, end of the delay.
pub(crate) fn entitlement_backlog(row: &dyn Columns) -> Result<EntitlementBacklog> {
    Ok(EntitlementBacklog {
        entitlement_id: row.required_text(0)?,
        marketplace: row.text(1)?,
        open: row.required(2)?,
        oldest_timestamp: row.time(3)?,
        failures: row.required(4)?,
        retry_at: row.optional_time(5)?,
    })
}
