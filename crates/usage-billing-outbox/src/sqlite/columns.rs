//! Conversion of columns.

use chrono::{DateTime, Utc};
use rusqlite::Row;
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result, printable};

use crate::event::{NewEvent, StoredEvent};
use crate::{Lease, Progress, State};

/// The columns that [`stored_event`] reads, of `event` joined with `entitlement`.
pub(super) const STORED_EVENT: &str = "event.id, event.key, entitlement.name, event.timestamp, event.sequence, event.body, \
    event.enqueued_at, event.deadline, event.state, event.attempts, event.ready_at, event.may_have_arrived, \
    event.may_arrive_until, event.lease_token, event.lease_since, event.lease_until, event.settled_at, event.message";

/// The condition of the partial indexes.
pub(super) const IS_OPEN: &str = "event.state IN ('pending', 'sending', 'unknown')";

pub(super) fn failed(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::File, error.to_string()).with_source(error)
}

pub(super) fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

pub(super) fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A row of `event`.
#[derive(Debug)]
pub(super) struct EventRow {
    pub(super) id: i64,
    pub(super) stored: StoredEvent,
}

/// Reads the columns of [`STORED_EVENT`].
pub(super) fn stored_event(row: &Row<'_>) -> Result<EventRow> {
    let text: String = get(row, 8)?;
    let state = State::from_name(&text)
        .ok_or_else(|| Error::new(ErrorKind::File, format!("{} is not a valid state", printable(&text))))?;
    let optional_time = |column| get::<Option<i64>>(row, column).map(|millis| millis.map(time));
    let lease = match (get::<Option<i64>>(row, 13)?, optional_time(14)?, optional_time(15)?) {
        (Some(token), Some(since), Some(until)) => Some(Lease { token, since, until }),
        _ => None,
    };
    Ok(EventRow {
        id: get(row, 0)?,
        stored: StoredEvent {
            event: NewEvent {
                key: key(row, 1)?,
                entitlement_id: get(row, 2)?,
                timestamp: time(get(row, 3)?),
                sequence: get(row, 4)?,
                body: get(row, 5)?,
            },
            enqueued_at: time(get(row, 6)?),
            deadline: time(get(row, 7)?),
            progress: Progress {
                state,
                attempts: get(row, 9)?,
                ready_at: optional_time(10)?,
                may_have_arrived: get(row, 11)?,
                may_arrive_until: optional_time(12)?,
                lease,
            },
            settled_at: optional_time(16)?,
            message: get(row, 17)?,
        },
    })
}

pub(super) fn get<T: rusqlite::types::FromSql>(row: &Row<'_>, column: usize) -> Result<T> {
    row.get(column).map_err(failed)
}

pub(super) fn key(row: &Row<'_>, column: usize) -> Result<Uuid> {
    get::<[u8; 16]>(row, column).map(Uuid::from_bytes)
}
