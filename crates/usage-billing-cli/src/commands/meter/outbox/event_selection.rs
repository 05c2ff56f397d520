//! Keys, states and times that select events of an outbox.

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing::Period;
use usage_billing::uuid::Uuid;
use usage_billing_outbox::State;

use crate::exit::Failure;

/// Reads the key of an event.
pub(super) fn key(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "expected a UUID, as `usage-billing meter show` lists them".to_owned())
}

/// Reads a state.
pub(super) fn state(text: &str) -> Result<State, String> {
    State::from_name(text).ok_or_else(|| format!("expected one of {}", State::ALL.map(State::as_str).join(", ")))
}

/// Reads a state from which events can be requeued.
pub(super) fn requeued_state(text: &str) -> Result<State, String> {
    let found = State::from_name(text).filter(|state| state.can_be_requeued());
    found.ok_or_else(|| "expected rejected, expired, unknown or pending".to_owned())
}

/// Returns the period of all events: none is of the future.
pub(super) fn any_time(now: DateTime<Utc>) -> Result<Period, Failure> {
    Ok(Period::new(DateTime::UNIX_EPOCH, now + TimeDelta::days(1))?)
}
