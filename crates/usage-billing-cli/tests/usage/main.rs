//! Tests of the commands on usage data, as users run them.

mod data_set;
mod fetch;
mod show;
mod support;
