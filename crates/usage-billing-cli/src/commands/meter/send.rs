//! `meter send`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use usage_billing::ErrorKind;
use usage_billing::suger::{Client, Receipt, UsageEvent};
use usage_billing_core::ClientInfo as _;

use super::events::{EventFile, FileEvent};
use super::{overlap, receipt};
use crate::accounts::AccountArguments;
use crate::commands::output::FormatArguments;
use crate::commands::request_line::{self, RequestLine};
use crate::consent::WriteArguments;
use crate::exit::{Failure, PARTIAL};
use crate::{progress, runtime, terminal};

#[derive(Args)]
pub(crate) struct SendArguments {
    /// File of events, CSV or JSON lines; - for stdin.
    file: PathBuf,

    /// Let Suger check all events before any is sent: an invalid event that is sent uses up its id.
    #[arg(long)]
    validate_first: bool,

    /// Also send events with a dimension that Suger has at the same time with other dimensions. It is then billed twice.
    #[arg(long)]
    allow_overlap: bool,

    /// Do not send usage that is older than its marketplace accepts.
    #[arg(long)]
    reject_late: bool,

    /// Time limit for everything: the groups that Suger has, and all events (90s, 10m).
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    timeout: Duration,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    write: WriteArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(super) async fn run(arguments: SendArguments) -> Result<ExitCode, Failure> {
    let file = EventFile::read_to_send(&arguments.file, arguments.accounts.now())?;
    let (client, _clients) = super::groups::client(&arguments.accounts).await?;
    if arguments.write.dry_run {
        terminal::print(&requests(&client, &file.events)?).map_err(Failure::of_output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let what =
        format!("send {} to Suger (organization {})", terminal::count(file.events.len(), "event"), client.org_id());
    arguments.write.require(&what)?;
    let mut interrupted = pin!(runtime::interrupted());
    let started = Instant::now();
    if !arguments.allow_overlap {
        tokio::select! {
            outcome = check_overlap(&client, &file, arguments.timeout) => outcome?,
            () = &mut interrupted => return Err(Failure::Interrupted("interrupted: nothing was sent".to_owned())),
        }
    }
    let events: Vec<_> = file.events.into_iter().map(|one| one.event).collect();
    let sent: HashMap<_, _> = events.iter().map(|event| (event.id(client.org_id()), event.clone())).collect();
    let sending = format!("suger: sending {}", terminal::count(events.len(), "event"));
    let line = format!("{sending} …");
    let limit = arguments.timeout.saturating_sub(started.elapsed());
    let flushed = flush(&client, &arguments, limit, events, interrupted);
    let flushed = progress::activity(&sending, &line, flushed);
    let (receipt, is_interrupted, elapsed) = progress::watch(flushed).await?;
    arguments.format.print(&receipt, || receipt::table(&receipt, &sent))?;
    terminal::print_progress(&format!("suger: {receipt}"));
    if !receipt.late.is_empty() {
        let late = terminal::count(receipt.late.len(), "event");
        terminal::eprint_line(&format!("suger: {late} older than the marketplace accepts: see `late` in the receipt"));
    }
    let unsent = receipt.unsent.iter().map(|one| one.error.kind());
    if is_out_of_time(unsent, elapsed, limit) && !is_interrupted {
        let done = sent.len().saturating_sub(receipt.unsent.len());
        terminal::eprint_line(&out_of_time(done, sent.len(), limit, arguments.timeout));
    }
    match is_interrupted {
        true => Err(Failure::Interrupted(
            "interrupted: send the same file again; events that arrived are not billed twice".to_owned(),
        )),
        false => outcome(receipt),
    }
}

async fn check_overlap(client: &Client, file: &EventFile, timeout: Duration) -> Result<(), Failure> {
    let problems = tokio::time::timeout(timeout, overlap::find(client, &file.events)).await.map_err(|_| {
        Failure::Local(format!(
            "nothing was sent: the groups of Suger were not listed within {}: send the same file again",
            humantime::format_duration(timeout)
        ))
    })??;
    let twice = terminal::count(problems.len(), "event");
    file.reject(&problems, "event").map_err(|_| {
        Failure::Check(format!(
            "nothing was sent: {twice} would be billed twice; --allow-overlap sends all nevertheless"
        ))
    })
}

/// Sends the events until the program is interrupted; returns whether it was, and how long they were sent.
async fn flush(
    client: &Client,
    arguments: &SendArguments,
    limit: Duration,
    events: Vec<UsageEvent>,
    interrupted: Pin<&mut impl Future<Output = ()>>,
) -> Result<(Receipt, bool, Duration), Failure> {
    let mut queue = client.usage_queue().flush_timeout(limit);
    if arguments.validate_first {
        queue = queue.validate_first();
    }
    if arguments.reject_late {
        queue = queue.reject_late_usage();
    }
    for event in events {
        queue.push(event)?;
    }
    let started = Instant::now();
    let finished = tokio::select! {
        receipt = queue.flush() => Some(receipt),
        () = interrupted => None,
    };
    let (is_interrupted, elapsed) = (finished.is_none(), started.elapsed());
    let mut receipt = match finished {
        Some(receipt) => receipt,
        // The outcomes so far; what is left is unsent.
        None => queue.flush_timeout(Duration::ZERO).flush().await,
    };
    // The queue ends with the program.
    for one in receipt.unsent.iter_mut().filter(|one| one.error.kind() == ErrorKind::WaitTimeout) {
        one.error = one.error.clone().with_hint("send the same file again");
    }
    Ok((receipt, is_interrupted, elapsed))
}

/// Returns whether the time limit ended before all events were confirmed. A list may also exceed its own limit.
fn is_out_of_time(mut unsent: impl Iterator<Item = ErrorKind>, elapsed: Duration, limit: Duration) -> bool {
    elapsed >= limit && unsent.any(|kind| kind == ErrorKind::WaitTimeout)
}

/// Returns what a time limit that ended after some of the events means for the others. `sending` is its part for them.
fn out_of_time(done: usize, events: usize, sending: Duration, limit: Duration) -> String {
    let left = events.saturating_sub(done) as u64;
    let needed = sending.as_millis().saturating_mul(left.into()).checked_div(done as u128).filter(|needed| *needed > 0);
    // In minutes: it is an estimate.
    let needed = needed.map_or_else(String::new, |milliseconds| {
        let minutes = u64::try_from(milliseconds.div_ceil(60_000)).unwrap_or(u64::MAX);
        let needed = Duration::from_secs(minutes.saturating_mul(60));
        format!("; at this rate the others take {}", humantime::format_duration(needed))
    });
    format!(
        "suger: the time limit of {} ended after {done} of {}{needed}: increase --timeout, or send the same file again, which continues",
        humantime::format_duration(limit),
        terminal::count(events, "event")
    )
}

/// Returns the requests that send the events.
fn requests(client: &Client, events: &[FileEvent]) -> Result<String, Failure> {
    let line = |FileEvent { event, .. }: &FileEvent| {
        let body = serde_json::value::to_raw_value(&event.body(client.org_id()));
        let body = body.map_err(|error| Failure::of_output(error.into()))?;
        let parameters = [("orgId", client.org_id()), ("entitlementId", event.entitlement_id())];
        let path = request_line::path("/org/{orgId}/entitlement/{entitlementId}/usageRecordGroup", parameters);
        let request = RequestLine::new("POST", client.api().baseurl(), &path);
        RequestLine { id: Some(event.id(client.org_id())), body: Some(&body), ..request }.text()
    };
    events.iter().map(line).collect()
}

/// Returns the exit code of a receipt.
fn outcome(receipt: Receipt) -> Result<ExitCode, Failure> {
    if receipt.is_complete() {
        return Ok(ExitCode::SUCCESS);
    }
    if !receipt.unsent.is_empty() {
        terminal::eprint_line("suger: unsent events can be sent again with the same file: their ids stay the same");
    }
    let is_partial =
        !(receipt.delivered.is_empty() && receipt.already_delivered.is_empty() && receipt.unverified.is_empty());
    if !is_partial && receipt.unsent.is_empty() {
        return Err(Failure::Check("no event was accepted: the receipt states the reasons".to_owned()));
    }
    let errors: Vec<_> = receipt.rejected.into_iter().chain(receipt.unsent).map(|one| one.error).collect();
    match (is_partial, errors.first()) {
        (false, Some(first)) => {
            terminal::eprint_line(&format!("suger: {}", crate::exit::error_line(first, chrono::Utc::now())));
            Ok(Failure::Vendors(errors).code())
        }
        _ => Ok(ExitCode::from(PARTIAL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_that_exceeds_its_own_limit_does_not_end_the_time_limit() {
        let hour = Duration::from_secs(3600);
        for (kind, elapsed, expected) in [
            (ErrorKind::WaitTimeout, hour, true),
            (ErrorKind::WaitTimeout, hour / 6, false),
            (ErrorKind::NotReady, hour, false),
        ] {
            assert_eq!(is_out_of_time([kind].into_iter(), elapsed, hour), expected, "{kind:?} {elapsed:?}");
        }
    }

    #[test]
    fn end_of_time_limit_states_next_step_for_unsent_events() {
        let line = out_of_time(59, 100_000, Duration::from_secs(45), Duration::from_secs(60));
        let expected = "the time limit of 1m ended after 59 of 100000 events; at this rate the others take 21h 11m: ";
        assert!(line.contains(expected), "{line}");
        let line = out_of_time(1, 3, Duration::from_millis(900), Duration::from_secs(1));
        assert!(line.contains("ended after 1 of 3 events; at this rate the others take 1m: increase"), "{line}");
        let line = out_of_time(1, 3, Duration::ZERO, Duration::from_secs(1));
        assert!(line.contains("ended after 1 of 3 events: increase --timeout, or"), "{line}");
        let line = out_of_time(0, 1, Duration::from_secs(90), Duration::from_secs(90));
        assert!(line.contains("the time limit of 1m 30s ended after 0 of 1 event: increase --timeout, or"), "{line}");
    }
}
