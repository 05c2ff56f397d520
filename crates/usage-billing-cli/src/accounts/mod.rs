//! Accounts at the vendors, and the clients that use them.

mod account;
mod clients;
mod config_file;
mod credential_command;
mod keyring;
mod resolve;
mod selection;
mod vendor;

use std::path::Path;

pub(crate) use account::{Account, Setting, Value};
pub(crate) use clients::{AccountClient, Client};
pub(crate) use selection::{AccountArguments, Clients, DayArguments, SelectionArguments};
pub(crate) use vendor::Vendor;

use crate::exit::Failure;

/// Parses a configuration, and checks that the accounts of its profiles are complete.
pub(crate) fn check_configuration(text: &str) -> Result<(), Failure> {
    let file = config_file::ConfigFile::parse(Path::new("config.toml"), text)?;
    file.profiles.values().flatten().try_for_each(Account::check_complete)
}
