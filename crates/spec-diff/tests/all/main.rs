//! What the comparison finds, by table; what it must never do, by property.

mod api;
mod invariants;
mod report;
mod schemas;
mod support;
