//! `meter`: usage events that an ISV sends to Suger.

mod events;
mod groups;
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(unused, reason = "without a database, the verbs of an outbox only report that")
)]
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
    /// Send the usage events of a file once, without a disk (`enqueue` and `run` are durable). Events that arrived before with the same dimensions are recognized; others that would be billed twice are rejected.
    #[command(after_help = events::HELP)]
    Send(send::SendArguments),
    /// Store usage events in an outbox, durably and without a request: `meter run` sends them. What is stored already is recognized.
    #[command(after_help = events::ENQUEUE_HELP)]
    Enqueue(outbox::EnqueueArguments),
    /// Check a file of events without any request: all errors, with line numbers.
    #[command(after_help = events::HELP)]
    Validate(validate::ValidateArguments),
    /// Send the events of an outbox as they become due, until Ctrl-C or until none is left.
    #[command(after_help = outbox::RUN_HELP)]
    Run(Box<outbox::RunArguments>),
    /// List the usage record groups of a period, or with --outbox the states, problems and failures of an outbox.
    Status(status::StatusArguments),
    /// Print an event of an outbox with the evidence of all attempts to send it, or list events.
    Show(outbox::ShowArguments),
    /// Requeue the groups of a period that could not be reported to the marketplace, or events of an outbox.
    Retry(retry::RetryArguments),
    /// Acknowledge events of an outbox that were rejected or have expired, and are billed otherwise or not at all.
    Resolve(outbox::ResolveArguments),
    /// Compare a month's events, of a file or an outbox, with the groups of Suger and the responses of the marketplaces.
    #[command(after_help = events::HELP)]
    Reconcile(reconcile::ReconcileArguments),
}

pub(crate) async fn run(command: MeterCommand) -> Result<ExitCode, Failure> {
    match command {
        MeterCommand::Send(arguments) => send::run(arguments).await,
        MeterCommand::Enqueue(arguments) => outbox::enqueue(arguments).await,
        MeterCommand::Run(arguments) => outbox::run(*arguments).await,
        MeterCommand::Show(arguments) => outbox::show(arguments).await,
        MeterCommand::Resolve(arguments) => outbox::resolve(arguments).await,
        MeterCommand::Validate(arguments) => validate::run(&arguments),
        MeterCommand::Status(arguments) => status::run(arguments).await,
        MeterCommand::Retry(arguments) => retry::run(arguments).await,
        MeterCommand::Reconcile(arguments) => reconcile::run(arguments).await,
    }
}
