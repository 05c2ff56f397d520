//! `usage-billing`: usage and billing data of Genesys Cloud, Suger and Acronis on the command line.

mod accounts;
mod arguments;
mod commands;
mod consent;
mod dataset;
mod exit;
mod formats;
mod logging;
mod runtime;
mod suggestion;
mod temporary_file;
mod terminal;

use std::process::ExitCode;

use arguments::Command;
use commands::{meter, usage};
use exit::Failure;
use usage_billing_sandbox::cli;

fn main() -> ExitCode {
    let outcome = arguments::parse().and_then(|arguments| {
        logging::init(arguments.log)?;
        let work = async {
            match arguments.command {
                Command::Usage(command) => usage::run(command).await,
                Command::Meter(command) => meter::run(command).await,
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

async fn run_sandbox(options: cli::Options) -> Result<ExitCode, Failure> {
    cli::run(options).await.map(|()| ExitCode::SUCCESS).map_err(Failure::of_sandbox)
}
