//! The verbs beside `usage`, as users run them.

mod accounts;
mod logging;
mod meter;
mod support;
