//! Tests across crates. One program: each more would be linked with all three clients once more.
//!
//! `traces` is a program of its own: whether a span is recorded is cached for the whole process, and other tests have no subscriber.

mod acronis;
mod auth;
mod dataset;
mod deadlines;
mod echoes;
mod every_operation;
mod examples;
mod expected;
mod facade_mock;
mod foreign_text;
mod genesys;
mod hints;
#[cfg(target_os = "linux")]
mod killed_save;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod memory_files;
mod memory_parallel;
mod proxy;
mod rate_limit;
mod read_ahead;
mod readme;
mod redaction;
mod retries;
mod stories;
mod suger;
mod tls;
mod token_provider;
mod wire;
