//! What the comparison finds, by table; what it must never do, by property.

mod api;
mod cases;
#[cfg(feature = "cli")]
mod cli;
mod invariants;
mod report;
mod rewrites;
mod same_calls;
mod support;
mod tables;
mod value_sets;
