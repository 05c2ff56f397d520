//! `usage-billing`: usage and billing data of Genesys Cloud, Suger and Acronis on the command line.

mod arguments;
mod exit;
mod fetch;
mod output;
mod vendors;

use std::process::ExitCode;

use arguments::{Arguments, Command, UsageCommand};
use clap::Parser;
use exit::Failure;
use usage_billing_sandbox::program;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Usage(UsageCommand::Fetch(fetch)) => fetch::run(fetch).await,
        Command::Sandbox(options) => run_sandbox(options).await,
    };
    outcome.unwrap_or_else(|failure| {
        output::tell(&format!("error: {failure}"));
        failure.code()
    })
}

async fn run_sandbox(options: program::Options) -> Result<ExitCode, Failure> {
    program::run(options).await.map(|()| ExitCode::SUCCESS).map_err(Failure::of_sandbox)
}
