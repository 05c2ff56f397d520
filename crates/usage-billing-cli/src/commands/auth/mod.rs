//! `auth`: the permissions of accounts.

mod access;
mod check;

use std::process::ExitCode;

use clap::Subcommand;

use crate::exit::Failure;

#[derive(Subcommand)]
pub(crate) enum AuthCommand {
    /// Check which operations each account may call, by harmless requests. Operations that need ids or change something are judged by others
    /// with the same permissions.
    Check(check::CheckArguments),
}

pub(crate) async fn run(command: AuthCommand) -> Result<ExitCode, Failure> {
    match command {
        AuthCommand::Check(arguments) => check::run(arguments).await,
    }
}
