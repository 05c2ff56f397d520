//! `usage-billing-sandbox`: Genesys Cloud, Suger and Acronis on this machine.

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;
use usage_billing_core::printable_message;
use usage_billing_sandbox::cli::{self, Options};

/// Runs Genesys Cloud, Suger and Acronis on this machine, to try and test billing code. Open the printed address.
#[derive(Parser)]
#[command(version, bin_name = "usage-billing-sandbox")]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match cli::check_arguments(std::env::args_os()) {
        Ok(()) => cli::run(Arguments::parse().options).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", printable_message(&error.to_string()));
            match error.kind() {
                // The code for invalid options.
                ErrorKind::InvalidInput => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
