//! Tests of the commands on usage data, as users run them.

mod chart;
mod compare;
mod data_set;
mod export;
mod fetch;
mod reconcile;
#[path = "../running/mod.rs"]
mod running;
mod show;
mod support;
mod wrong_input;
