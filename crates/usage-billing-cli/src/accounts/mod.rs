//! Accounts at the vendors, and the clients that use them.

mod account;
mod clients;
mod config_file;
mod credential_command;
mod keyring;
mod resolve;
mod selection;
mod vendor;

pub(crate) use account::{Account, Setting, Value};
pub(crate) use clients::{AccountClient, Client};
pub(crate) use selection::{AccountArguments, Clients, DayArguments, SelectionArguments};
pub(crate) use vendor::Vendor;
