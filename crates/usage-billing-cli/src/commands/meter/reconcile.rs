//! `meter reconcile`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::Args;
use serde_json::json;
use usage_billing::Period;
use usage_billing::suger::types::UsageRecordGroupStatus as Status;
use usage_billing::suger::{Client, ReconciledQuantity, Reconciliation, UsageEvent};
use usage_billing_outbox::Ledger;

use super::events::EventFile;
use super::groups;
use super::outbox::{self, OutboxArguments};
use crate::accounts::AccountArguments;
use crate::commands::output::{self, FormatArguments, OutputFormat};
use crate::exit::Failure;
use crate::formats::table::Content::{Number, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers};
use crate::{temporary_file, terminal};

#[derive(Args)]
pub(crate) struct ReconcileArguments {
    /// File of all events of the period, as they were sent; - for stdin.
    #[arg(required_unless_present = "outbox", conflicts_with = "outbox")]
    file: Option<PathBuf>,

    /// The events are those of this outbox, or without a value of SUGER_OUTBOX or `outbox` of the account.
    #[arg(long, value_name = "OUTBOX", num_args = 0..=1)]
    outbox: Option<Option<String>>,

    /// A month (2026-10), or a start and an excluded end, in UTC.
    #[arg(long)]
    pub(super) period: Period,

    /// Entitlement without events, whose usage at Suger is extra. Can be repeated.
    #[arg(long, value_name = "ID")]
    entitlement: Vec<String>,

    /// Write the comparison of every quantity as one JSON file, the proof of the month.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    pub(super) accounts: AccountArguments,
}

/// Events to compare.
pub(super) struct Comparison {
    pub(super) events: Vec<UsageEvent>,
    /// Of an outbox.
    pub(super) stored: Option<Stored>,
}

/// The states of the events in an outbox.
pub(super) struct Stored {
    /// Without the events.
    pub(super) ledger: Ledger,
    /// The first hour of metered usage before the end of the period that is not reported.
    pub(super) open_hour: Option<String>,
}

pub(super) async fn run(arguments: ReconcileArguments) -> Result<ExitCode, Failure> {
    let now = arguments.accounts.now();
    arguments.period.require_started(now).map_err(|error| Failure::Usage(error.to_string()))?;
    let file = arguments.file.as_deref().map(EventFile::read).transpose()?;
    let (client, _clients) = groups::client(&arguments.accounts).await?;
    match (file, arguments.outbox.clone()) {
        (None, outbox) => {
            let outbox = OutboxArguments { outbox: outbox.flatten() };
            outbox::reconcile(&outbox, client, arguments).await
        }
        (Some(file), _) => {
            let events = file.events.into_iter().map(|one| one.event).collect();
            Comparison { events, stored: None }.run(&client, &arguments).await
        }
    }
}

impl Comparison {
    /// Compares the events with Suger's groups, and prints the result.
    pub(super) async fn run(self, client: &Client, arguments: &ReconcileArguments) -> Result<ExitCode, Failure> {
        let (events, period) = (self.events.len(), arguments.period);
        terminal::print_progress(&format!("suger: comparing {} with {period} …", terminal::count(events, "event")));
        let comparison = client.reconcile(period, &self.events);
        let found = arguments.entitlement.iter().fold(comparison, |all, id| all.entitlement(id)).await?;
        if let Some(path) = &arguments.output {
            let mut proof = json!({
                "version": env!("CARGO_PKG_VERSION"),
                "organization_id": client.org_id(),
                "events": events,
                "reconciliation": serde_json::to_value(&found).map_err(|error| Failure::of_output(error.into()))?,
            });
            if let Some(stored) = &self.stored {
                proof["states"] = json!(stored.ledger.states);
            }
            write(path, &proof)?;
        }
        // The proof replaces the JSON, not the table.
        let format = arguments.format.or(arguments.output.is_some().then_some(OutputFormat::Table));
        format.print(&found, || table(&found))?;
        verdict(&found, self.stored.as_ref())?;
        terminal::print_progress(&format!("suger: {period} is billed as it was sent: {found}"));
        Ok(ExitCode::SUCCESS)
    }
}

fn write(path: &Path, proof: &serde_json::Value) -> Result<(), Failure> {
    let mut file = temporary_file::create_beside(path)?;
    file.write_all(output::json(proof)?.as_bytes()).map_err(|error| temporary_file::failure(path, &error))?;
    let (file, temporary) = file.into_parts();
    temporary_file::persist(&file, temporary, path)
}

/// Fails unless everything is billed as it was sent.
fn verdict(found: &Reconciliation, stored: Option<&Stored>) -> Result<(), Failure> {
    let states = stored.map(|stored| (&stored.ledger, stored.open_hour.as_ref()));
    match states {
        Some((ledger, _)) if !ledger.agrees(found) => {
            let states: Vec<_> = ledger.states.iter().map(|(state, events)| format!("{events} {state}")).collect();
            let states =
                if states.is_empty() { "has no events".to_owned() } else { format!("has {}", states.join(", ")) };
            Err(Failure::Check(format!("the usage is not billed as it was enqueued: the outbox {states}; {found}")))
        }
        None if !found.agrees() => Err(Failure::Check(format!("the usage is not billed as it was sent: {found}"))),
        Some((_, Some(hour))) => Err(Failure::NotReady(format!(
            "metered usage of {hour} and later is not reported yet: `usage-billing meter run --hourly-reports`; {found}"
        ))),
        _ if found.is_clean() => Ok(()),
        _ if !found.pending.is_empty() => {
            Err(Failure::NotReady(format!("not all usage is reported to the marketplace yet: {found}")))
        }
        _ => Err(Failure::Check(format!("the usage is not billed as it was sent: {found}"))),
    }
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
