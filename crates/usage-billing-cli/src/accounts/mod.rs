//! Accounts at the vendors, and the clients that use them.

mod clients;
mod vendor;

pub(crate) use clients::{Client, from_env, of_sandbox};
pub(crate) use vendor::Vendor;
