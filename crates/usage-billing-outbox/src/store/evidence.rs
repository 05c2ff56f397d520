//! The evidence of attempts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use usage_billing::uuid::Uuid;

use crate::Outcome;

/// An attempt and its result, which a sender writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The key of the event.
    pub key: Uuid,
    /// Its evidence.
    pub result: AttemptResult,
    /// The delay that the vendor asked for.
    pub retry_after: Option<Duration>,
}

/// The evidence of one attempt, which never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptResult {
    /// The lease under which it was sent.
    pub token: i64,
    /// When the attempt began: when its event was leased.
    pub started_at: DateTime<Utc>,
    /// When the result was known.
    pub ended_at: DateTime<Utc>,
    /// SHA-256 of the body that was sent.
    pub body_sha256: [u8; 32],
    /// The result.
    pub outcome: Outcome,
    /// The HTTP status, if an error response decided.
    pub status: Option<u16>,
    /// The reason.
    pub message: Option<String>,
}
