//! The findings of the comparison, by tables; its invariants, by properties.

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
