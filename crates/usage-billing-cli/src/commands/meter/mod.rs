//! `meter`: usage events that an ISV sends to Suger.

mod events;
mod groups;
mod outbox;
mod overlap;
mod receipt;
mod reconcile;
mod retry;
mod send;
mod status;
mod validate;

use std::process::ExitCode;

use clap::Subcommand;

use crate::exit::Failure;

#[derive(Subcommand)]
pub(crate) enum MeterCommand {
    /// Send usage events. Events that arrived before with the same dimensions are recognized; others that would be billed twice are rejected.
    #[command(after_help = events::HELP)]
    Send(send::SendArguments),
    /// Store usage events in an outbox, durably and without a request: `meter run` sends them. What is stored already is recognized.
    #[command(after_help = events::ENQUEUE_HELP)]
    Enqueue(outbox::EnqueueArguments),
    /// Check a file of events without any request: all errors, with line numbers.
    #[command(after_help = events::HELP)]
    Validate(validate::ValidateArguments),
    /// List the usage record groups of a period.
    Status(status::StatusArguments),
    /// Requeue the groups of a period that could not be reported to the marketplace.
    Retry(retry::RetryArguments),
    /// Compare a month's events with the groups of Suger and the responses of the marketplaces.
    #[command(after_help = events::HELP)]
    Reconcile(reconcile::ReconcileArguments),
}

pub(crate) async fn run(command: MeterCommand) -> Result<ExitCode, Failure> {
    match command {
        MeterCommand::Send(arguments) => send::run(arguments).await,
        MeterCommand::Enqueue(arguments) => outbox::enqueue(arguments).await,
        MeterCommand::Validate(arguments) => validate::run(&arguments),
        MeterCommand::Status(arguments) => status::run(arguments).await,
        MeterCommand::Retry(arguments) => retry::run(arguments).await,
        MeterCommand::Reconcile(arguments) => reconcile::run(arguments).await,
    }
}
