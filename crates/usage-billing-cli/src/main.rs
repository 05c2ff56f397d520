//! `usage-billing`: usage and billing data of Genesys Cloud, Suger and Acronis on the command line.

mod arguments;
mod exit;
mod fetch;
mod output;
mod vendors;

use std::process::ExitCode;

use arguments::{Command, UsageCommand};
use exit::Failure;
use usage_billing_sandbox::program;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match arguments::parse().map(|arguments| arguments.command) {
        Ok(Command::Usage(UsageCommand::Fetch(fetch))) => fetch::run(fetch).await,
        Ok(Command::Sandbox(options)) => run_sandbox(options).await,
        Err(failure) => Err(failure),
    };
    outcome.unwrap_or_else(|failure| {
        output::tell(&format!("error: {failure}"));
        failure.code()
    })
}

async fn run_sandbox(options: program::Options) -> Result<ExitCode, Failure> {
    program::run(options).await.map(|()| ExitCode::SUCCESS).map_err(Failure::of_sandbox)
}
