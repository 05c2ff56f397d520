//! Tests of the commands on usage data, as users run them.

mod fetch;
mod support;
