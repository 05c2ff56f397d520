//! Tests of the commands on usage data, as users run them.

mod chart;
mod compare;
mod data_set;
mod fetch;
mod reconcile;
mod show;
mod support;
