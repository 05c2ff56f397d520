//! Tests of the outbox in one binary: stores by a shared suite, the sender against a scripted vendor, and processes that are killed.

#[cfg(unix)]
mod kill;
mod model;
#[cfg(unix)]
mod postgres;
mod sender;
#[cfg(unix)]
mod server;
mod sqlite;
mod suite;
mod vendor;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing::suger::UsageEvent;
use usage_billing::{Decimal, chrono};
use usage_billing_outbox::NewEvent;

const ORG: &str = "acme";

/// Returns the time of the first usage plus some seconds.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a time") + TimeDelta::seconds(seconds)
}

/// Returns the n-th event of an entitlement: one per hour.
fn usage(entitlement: &str, number: i64) -> UsageEvent {
    UsageEvent::new(entitlement, at(3600 * number)).quantity("gb", Decimal::new(100_001 + number, 4))
}

fn new_event(entitlement: &str, number: i64) -> NewEvent {
    NewEvent::new(&usage(entitlement, number), ORG).expect("a good event")
}
