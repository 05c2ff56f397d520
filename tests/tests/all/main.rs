//! Tests across crates. One program, because each additional one is linked with all three clients again.
//!
//! `traces` is a separate program: whether a span is recorded is cached for the whole process, and other tests have no subscriber.

mod acronis;
mod auth;
mod custom_request;
mod dataset;
mod deadlines;
mod echoed_credentials;
mod end_to_end;
mod every_operation;
mod examples;
mod facade_mock;
mod first_calls;
mod foreign_text;
mod genesys;
mod ground_truth;
mod hints;
#[cfg(target_os = "linux")]
mod killed_save;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod memory_files;
mod memory_parallel;
mod mocked;
mod proxy;
mod rate_limit;
mod read_ahead;
mod readme;
mod redaction;
mod retries;
mod setters;
mod suger;
mod tls;
mod token_provider;
mod wire;
