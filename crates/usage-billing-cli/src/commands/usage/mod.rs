//! `usage`: usage data of the vendors.

mod chart;
mod compare;
mod counted_usage;
mod export;
mod fetch;
mod names;
mod reconcile;
mod sheet;
mod show;
mod threshold;

use std::process::ExitCode;

use clap::Subcommand;

pub(crate) use self::fetch::{FetchArguments, HELP as FETCH_HELP, report_id};
use crate::exit::Failure;

#[derive(Subcommand)]
pub(crate) enum UsageCommand {
    /// Fetch a period's usage of every vendor: one row per customer and SKU.
    #[command(after_help = fetch::HELP)]
    Fetch(Box<fetch::FetchArguments>),
    /// Write one HTML page with charts that can be filtered.
    #[command(after_help = chart::HELP)]
    Chart(chart::ChartArguments),
    /// Compare two files, data sets or periods: what was added, removed and changed.
    #[command(after_help = compare::HELP)]
    Compare(compare::CompareArguments),
    /// Write charges in the FOCUS format, with the vendor's prices or yours.
    #[command(after_help = export::HELP)]
    Export(export::ExportArguments),
    /// Compare usage with an invoice: what was not billed, not used, or billed with another quantity or price.
    #[command(after_help = reconcile::HELP)]
    Reconcile(Box<reconcile::ReconcileArguments>),
    /// Show rows of files and data sets as a table, or their sums.
    #[command(after_help = show::HELP)]
    Show(show::ShowArguments),
}

pub(crate) async fn run(command: UsageCommand) -> Result<ExitCode, Failure> {
    match command {
        UsageCommand::Fetch(arguments) => fetch::run(*arguments).await,
        UsageCommand::Chart(arguments) => chart::run(&arguments),
        UsageCommand::Compare(arguments) => compare::run(&arguments),
        UsageCommand::Export(arguments) => export::run(&arguments),
        UsageCommand::Reconcile(arguments) => reconcile::run(&arguments),
        UsageCommand::Show(arguments) => show::run(&arguments),
    }
}
