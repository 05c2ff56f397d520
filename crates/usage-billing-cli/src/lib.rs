#![doc = include_str!("../README.md")]
//!
//! # Library
//!
//! The crate is a program. Its functions are for its own entry point and fuzz targets, and may change in any version.

mod accounts;
mod arguments;
mod commands;
mod consent;
mod dataset;
mod exit;
mod formats;
mod logging;
mod output_file;
mod progress;
mod runtime;
mod suggestion;
mod temporary_file;
mod terminal;

use std::process::ExitCode;

use arguments::Command;
use commands::usage::UsageCommand;
use commands::{api, auth, clients, doctor, manual, meter, report, schema, usage, vendors};
use exit::Failure;
use usage_billing_sandbox::cli;

/// Runs the program with the arguments of its process.
#[doc(hidden)]
#[must_use]
pub fn run() -> ExitCode {
    let outcome = arguments::parse().and_then(|arguments| {
        logging::init(arguments.log)?;
        let work = async {
            match arguments.command {
                Command::Usage(command) => usage::run(command).await,
                Command::Fetch(arguments) => usage::run(UsageCommand::Fetch(arguments)).await,
                Command::Meter(command) => meter::run(command).await,
                Command::Vendors(arguments) => vendors::run(&arguments),
                Command::Auth(command) => auth::run(command).await,
                Command::Doctor(arguments) => doctor::run(arguments).await,
                Command::Clients(command) => clients::run(command).await,
                Command::Report(command) => report::run(command).await,
                Command::Api(arguments) => api::run(arguments).await,
                Command::Schema(arguments) => schema::run(&arguments),
                Command::Completions(arguments) => manual::completions(&arguments),
                Command::Man => manual::man(),
                Command::Sandbox(options) => run_sandbox(options).await,
            }
        };
        runtime::run(work).unwrap_or_else(|error| Err(Failure::of_sandbox(error)))
    });
    outcome.unwrap_or_else(|failure| {
        terminal::eprint_line(&format!("error: {failure}"));
        failure.code()
    })
}

/// Reads a configuration file and the accounts of all its profiles.
///
/// # Errors
/// One line that states the problem and its location.
#[doc(hidden)]
pub fn check_configuration(text: &str) -> Result<(), String> {
    accounts::check_configuration(text).map_err(|failure| failure.to_string())
}

async fn run_sandbox(options: cli::Options) -> Result<ExitCode, Failure> {
    cli::run(options).await.map(|()| ExitCode::SUCCESS).map_err(Failure::of_sandbox)
}
