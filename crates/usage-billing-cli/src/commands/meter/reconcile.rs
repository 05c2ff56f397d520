//! `meter reconcile`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::Args;
use serde_json::json;
use usage_billing::Period;
use usage_billing::suger::types::UsageRecordGroupStatus as Status;
use usage_billing::suger::{ReconciledQuantity, Reconciliation};

use super::events::EventFile;
use super::groups;
use crate::accounts::AccountArguments;
use crate::commands::output::{self, FormatArguments, OutputFormat};
use crate::exit::Failure;
use crate::formats::table::Content::{Number, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers};
use crate::{temporary_file, terminal};

#[derive(Args)]
pub(crate) struct ReconcileArguments {
    /// File of all events of the period, as they were sent; - for stdin.
    file: PathBuf,

    /// A month (2026-10), or a start and an excluded end, in UTC.
    #[arg(long)]
    period: Period,

    /// Entitlement without events, whose usage at Suger is extra. Can be repeated.
    #[arg(long, value_name = "ID")]
    entitlement: Vec<String>,

    /// Write the comparison of every quantity as one JSON file, the proof of the month.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(super) async fn run(arguments: ReconcileArguments) -> Result<ExitCode, Failure> {
    let file = EventFile::read(&arguments.file)?;
    let events: Vec<_> = file.events.into_iter().map(|one| one.event).collect();
    let period = arguments.period;
    period.require_started(arguments.accounts.now()).map_err(|error| Failure::Usage(error.to_string()))?;
    let (client, _clients) = groups::client(&arguments.accounts).await?;
    terminal::print_progress(&format!("suger: comparing {} with {period} …", terminal::count(events.len(), "event")));
    let comparison = client.reconcile(period, &events);
    let found = arguments.entitlement.iter().fold(comparison, |all, id| all.entitlement(id)).await?;
    if let Some(path) = &arguments.output {
        let proof = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "organization_id": client.org_id(),
            "events": events.len(),
            "reconciliation": serde_json::to_value(&found).map_err(|error| Failure::of_output(error.into()))?,
        });
        let mut file = temporary_file::beside(path)?;
        file.write_all(output::json(&proof)?.as_bytes()).map_err(|error| temporary_file::failure(path, &error))?;
        let (file, temporary) = file.into_parts();
        temporary_file::persist(&file, temporary, path)?;
    }
    // The proof replaces the JSON, not the table.
    let format = arguments.format.or(arguments.output.is_some().then_some(OutputFormat::Table));
    format.print(&found, || table(&found))?;
    if found.is_clean() {
        terminal::print_progress(&format!("suger: {period} is billed as it was sent: {found}"));
        return Ok(ExitCode::SUCCESS);
    }
    Err(match found.agrees() && !found.pending.is_empty() {
        true => Failure::NotReady(format!("not all usage is reported to the marketplace yet: {found}")),
        false => Failure::Check(format!("the usage is not billed as it was sent: {found}")),
    })
}

/// Returns one line for each quantity that is not billed as it was sent, and a summary.
fn table(found: &Reconciliation) -> String {
    let lists = [
        ("missing", &found.missing),
        ("different", &found.different),
        ("failed", &found.failed),
        ("extra", &found.extra),
        ("not comparable", &found.not_comparable),
        ("pending", &found.pending),
    ];
    let row = |state: &str, one: &ReconciledQuantity| {
        [
            state_of(state, one.status.as_ref()).to_owned(),
            one.entitlement_id.clone(),
            one.timestamp.to_rfc3339_opts(SecondsFormat::Secs, true),
            one.dimension.clone(),
            one.sent.to_string(),
            one.vendor.to_string(),
            one.reasons.join("; "),
        ]
    };
    let rows: Vec<_> = lists.iter().flat_map(|(state, list)| list.iter().map(|one| row(state, one))).collect();
    if rows.is_empty() {
        return format!("{found}\n");
    }
    let columns = [
        ("STATE", Text, Always),
        ("ENTITLEMENT", Text, Always),
        ("TIMESTAMP", Word, Always),
        ("DIMENSION", Text, Always),
        ("SENT", Number, Always),
        ("SUGER", Number, Always),
        ("REASON", Text, IfDiffers),
    ];
    format!("{}{found}\n", output::table(columns, rows))
}

/// Returns the state of a quantity that is not billed: usage that Suger has, but does not bill, is not missing.
fn state_of<'a>(list: &'a str, status: Option<&Status>) -> &'a str {
    match (list, status) {
        ("missing", Some(Status::Invalid)) => "invalid",
        ("missing", Some(Status::Deleted)) => "deleted",
        _ => list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_that_suger_rejected_is_not_missing() {
        for (list, status, expected) in [
            ("missing", None, "missing"),
            ("missing", Some(Status::Invalid), "invalid"),
            ("missing", Some(Status::Deleted), "deleted"),
            ("extra", Some(Status::Invalid), "extra"),
        ] {
            assert_eq!(state_of(list, status.as_ref()), expected);
        }
    }
}
