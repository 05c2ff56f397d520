//! Sends usage events, changes stored groups, and compares what Suger stored with what was sent.

pub(super) mod attempts;
pub(super) mod changes;
mod circuit_breaker;
pub(super) mod comparison;
mod confirm;
mod delays;
pub(super) mod delivery;
mod dimension_mapping;
mod evidence;
mod flush;
pub(super) mod late_usage;
mod outcome;
mod proof;
pub(super) mod receipt;
pub(super) mod reconcile_period;
pub(super) mod reconciliation;
mod reported;
pub(super) mod sender;
mod trace;
mod tracked_event;
pub(super) mod usage_event;
pub(super) mod usage_queue;
mod validation;
