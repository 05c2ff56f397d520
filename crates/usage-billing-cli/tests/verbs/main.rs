//! The verbs beside `usage`, as users run them.

mod accounts;
mod api;
mod auth;
mod clients;
mod doctor;
mod examples;
#[cfg(unix)]
mod guides;
mod logging;
mod manual;
mod meter;
mod outbox;
mod report;
#[path = "../running/mod.rs"]
mod running;
mod snapshots;
mod support;
mod vendors;
mod wrong_input;
