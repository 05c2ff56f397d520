//! `meter status --outbox`: counts, problems and failures.

use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};
use usage_billing_outbox::store::{EntitlementBacklog, FailedAttempt};
use usage_billing_outbox::{Outbox, Status, Store};

use super::location::OutboxArguments;
use super::verb::{self, Verb};
use crate::accounts::AccountArguments;
use crate::commands::output::{self, FormatArguments};
use crate::exit::Failure;
use crate::formats::table::Content::{Number, Prose, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers, IfSpace};
use crate::terminal;

/// Number of failures in the table; JSON has all of the status.
const FAILURES: usize = 10;

/// Prints the status of an outbox. With `checks`, metering that does not work is a failure.
pub(in super::super) async fn status(
    outbox: &OutboxArguments,
    format: FormatArguments,
    checks: bool,
    accounts: &AccountArguments,
) -> Result<ExitCode, Failure> {
    verb::run(outbox.find_existing(accounts)?, accounts, PrintStatus { format, checks }).await
}

struct PrintStatus {
    format: FormatArguments,
    checks: bool,
}

impl Verb for PrintStatus {
    async fn run<S: Store>(self, outbox: Outbox<S>) -> Result<ExitCode, Failure> {
        let status = outbox.status().await?;
        self.format.print(&status, || table(&status))?;
        terminal::print_progress(&format!("outbox: {}", summary(&status)));
        match self.checks && !status.is_delivering {
            true => Err(Failure::Check("usage is not delivered: the problems state why".to_owned())),
            false => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Returns the number of events that have no final state yet.
pub(super) fn open(status: &Status) -> u64 {
    status.backlog.states.iter().filter(|(state, _)| !state.is_final()).map(|(_, events)| events).sum()
}

/// Returns the number of events by state, without states that no event has.
pub(super) fn states(status: &Status) -> String {
    let states = status.backlog.states.iter().filter(|(_, events)| **events > 0);
    let states: Vec<_> = states.map(|(state, events)| format!("{events} {state}")).collect();
    if states.is_empty() { "no events".to_owned() } else { states.join(", ") }
}

fn summary(status: &Status) -> String {
    let oldest = status.backlog.oldest_timestamp;
    let oldest = oldest.map_or_else(String::new, |time| format!("; the oldest open usage is of {}", seconds(time)));
    format!("{}{oldest}", states(status))
}

pub(super) fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Returns the numbers, the problems, the entitlements with open events, and the latest failures.
pub(super) fn table(status: &Status) -> String {
    let states = status.backlog.states.iter().filter(|(_, events)| **events > 0);
    let states = states.map(|(state, events)| [state.to_string(), events.to_string()]);
    let records = status.backlog.open_records;
    let records = (records > 0).then(|| ["(metered usage that is not reported yet)".to_owned(), records.to_string()]);
    let mut parts = vec![output::table([("STATE", Text, Always), ("EVENTS", Number, Always)], states.chain(records))];
    if !status.problems.is_empty() {
        let problems = status.problems.iter().map(|problem| [problem.as_str().to_owned(), problem.advice().to_owned()]);
        parts.push(output::table([("PROBLEM", Word, Always), ("ADVICE", Prose, Always)], problems));
    }
    if !status.backlog.entitlements.is_empty() {
        let columns = [
            ("ENTITLEMENT", Text, Always),
            ("OPEN", Number, Always),
            ("OLDEST", Word, Always),
            ("MARKETPLACE", Word, IfSpace),
            ("FAILURES", Number, IfDiffers),
            ("NEXT ATTEMPT", Word, IfDiffers),
        ];
        parts.push(output::table(columns, status.backlog.entitlements.iter().map(entitlement)));
    }
    if !status.backlog.failed_attempts.is_empty() {
        let columns = [
            ("FAILED AT", Word, Always),
            ("OUTCOME", Word, Always),
            ("ENTITLEMENT", Text, Always),
            ("MESSAGE", Prose, Always),
            ("KEY", Word, IfSpace),
        ];
        parts.push(output::table(columns, status.backlog.failed_attempts.iter().take(FAILURES).map(failure)));
    }
    parts.join("\n")
}

fn entitlement(one: &EntitlementBacklog) -> [String; 6] {
    let failures = if one.failures == 0 { String::new() } else { one.failures.to_string() };
    [
        one.entitlement_id.clone(),
        one.open.to_string(),
        seconds(one.oldest_timestamp),
        one.marketplace.clone().unwrap_or_default(),
        failures,
        one.retry_at.map_or_else(String::new, seconds),
    ]
}

fn failure(one: &FailedAttempt) -> [String; 5] {
    [
        seconds(one.ended_at),
        one.outcome.as_str().to_owned(),
        one.entitlement_id.clone(),
        one.message.clone().unwrap_or_default(),
        one.key.to_string(),
    ]
}
