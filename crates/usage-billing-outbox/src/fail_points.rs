//! Named steps of stores and senders, at which tests kill the process or interrupt the disk. Nothing without the feature `fail-points`.
//!
//! The crate `fail` would do the same with a registry, an environment variable and three more dependencies; here a test sets one function.

#[cfg(feature = "fail-points")]
use std::sync::OnceLock;

#[cfg(feature = "fail-points")]
static HOOK: OnceLock<fn(&'static str)> = OnceLock::new();

/// All names, in the order of a delivery.
#[cfg(feature = "fail-points")]
pub const NAMES: [&str; 12] = [
    "enqueue.begun",
    "enqueue.written",
    "enqueue.committed",
    "lease.written",
    "lease.committed",
    "send.begun",
    "send.ended",
    "settle.written",
    "settle.committed",
    "roll_up.written",
    "roll_up.committed",
    "stop.begun",
];

/// Sets the function that is called at each step, once for the process.
#[cfg(feature = "fail-points")]
pub fn set(hook: fn(&'static str)) {
    let _ = HOOK.set(hook);
}

#[cfg(feature = "fail-points")]
pub(crate) fn reached(name: &'static str) {
    debug_assert!(NAMES.contains(&name), "{name} is not in the list");
    if let Some(hook) = HOOK.get() {
        hook(name);
    }
}

#[cfg(not(feature = "fail-points"))]
pub(crate) fn reached(_: &'static str) {}
