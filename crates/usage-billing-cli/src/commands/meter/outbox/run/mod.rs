//! `meter run`: the sender of an outbox as a process.

mod metrics;
mod monitor;
mod page;
mod retention;
mod server;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use usage_billing::suger::Client;
use usage_billing::{ErrorKind, printable};
use usage_billing_core::ClientInfo as _;
use usage_billing_outbox::store::Selection;
use usage_billing_outbox::{BatchOutcome, HourlyReports, Outbox, Problem, State, Status, Store};

use self::monitor::{Monitor, store_fails};
use self::server::ServerArguments;
use super::event_selection::any_time;
use super::location::OutboxArguments;
use super::status::{self, open, seconds, states};
use super::verb::{self, Verb};
use crate::accounts::{AccountArguments, Clients};
use crate::commands::meter::groups;
use crate::commands::output::FormatArguments;
use crate::commands::request_line::{self, RequestLine};
use crate::consent::WriteArguments;
use crate::exit::Failure;
use crate::{runtime, terminal};

pub(in super::super) const HELP: &str = "The exit code of --once and --until-empty is 0 if every event is delivered or resolved, 5 while events \
are open or metered usage is not reported, 6 if events are not billed or wait for an operator, and 75 if another sender has the outbox. They \
end when the outbox has failed for a minute. Without them, 0 also after Ctrl-C or SIGTERM. `meter enqueue` creates the outbox: run it before.

With --listen: /healthz has the status 200 while usage is delivered and 503 otherwise, /metrics the numbers for Prometheus, and with --page / \
a page.

Examples:
  usage-billing meter run --outbox usage.sqlite --yes --until-empty
  usage-billing meter run --outbox usage.sqlite --yes --once --keep 400days
  usage-billing meter run --outbox usage.sqlite --yes --once --hourly-reports
  usage-billing meter status --outbox usage.sqlite";

/// Number of events that --dry-run reads at once.
const PAGE: usize = 1000;

#[derive(Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    outbox: OutboxArguments,

    /// Send what is due, and end.
    #[arg(long, conflicts_with = "until_empty")]
    once: bool,

    /// End when no event is open. Those that wait for an operator are not waited for.
    #[arg(long)]
    until_empty: bool,

    /// Let Suger check all events before any is sent: an invalid event that is sent uses up its id.
    #[arg(long)]
    validate_first: bool,

    /// Report metered usage (`meter enqueue --hourly`) of ended hours.
    #[arg(long)]
    hourly_reports: bool,

    /// How long after its end an hour is reported. Later records become a further report.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = humantime::parse_duration, requires = "hourly_reports")]
    grace: Duration,

    /// Report whole units, and carry fractions over. Only where Suger does not do so itself.
    #[arg(long, requires = "hourly_reports")]
    whole_units: bool,

    /// Remove final events and their evidence when they are older, once a day (400days) [default: keep all].
    #[arg(long, value_name = "TIME", value_parser = retention::keep)]
    keep: Option<Duration>,

    /// Time for requests in flight after Ctrl-C or SIGTERM. What is not confirmed by then is resolved by the next sender.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration)]
    stop_timeout: Duration,

    #[command(flatten)]
    server: ServerArguments,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    write: WriteArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(in super::super) async fn run(arguments: RunArguments) -> Result<ExitCode, Failure> {
    arguments.server.check()?;
    // A misspelled outbox would be a new one, without events.
    let location = arguments.outbox.find_existing(&arguments.accounts)?;
    let (client, clients) = groups::client(&arguments.accounts).await?;
    let accounts = arguments.accounts.clone();
    verb::run(location, &accounts, Run { arguments, client, _clients: clients }).await
}

impl RunArguments {
    /// Returns whether the run ends by itself.
    fn is_bounded(&self) -> bool {
        self.once || self.until_empty
    }
}

struct Run {
    arguments: RunArguments,
    client: Client,
    /// The sandbox, until the end.
    _clients: Clients,
}

impl Verb for Run {
    async fn run<S: Store>(self, outbox: Outbox<S>) -> Result<ExitCode, Failure> {
        let Self { arguments, client, _clients } = self;
        if arguments.write.dry_run {
            return print_requests(&client, &outbox, arguments.accounts.now()).await;
        }
        let organization = client.org_id().to_owned();
        arguments.write.require(&format!("send the events of the outbox to Suger (organization {organization})"))?;
        let interrupted = runtime::interrupted();
        let mut builder = outbox.sender(client);
        if arguments.validate_first {
            builder = builder.validate_first();
        }
        let rule = HourlyReports { grace: arguments.grace, whole_units: arguments.whole_units };
        if arguments.hourly_reports {
            builder = builder.hourly_reports(rule);
        }
        let mut sender = builder.start().await.map_err(|error| match error.kind() {
            // The organization is that of the outbox, so that another sender is the only reason.
            ErrorKind::Config => Failure::TryLater(error.to_string()),
            _ => error.into(),
        })?;
        let monitor = Arc::new(Monitor::new(organization, {
            let outbox = outbox.clone();
            move || {
                let outbox = outbox.clone();
                Box::pin(async move { outbox.status().await })
            }
        }));
        let server = arguments.server.start(monitor.clone()).await?;
        let is_bounded = arguments.is_bounded();
        if !is_bounded {
            let status = outbox.status().await?;
            let events = terminal::count(usize::try_from(open(&status)).unwrap_or(usize::MAX), "open event");
            terminal::print_progress(&format!("outbox: {events}; sending until Ctrl-C …"));
        }
        let mut next_at = None;
        let is_last = |sent: BatchOutcome| {
            next_at = sent.next_at;
            sent.attempted == 0
                && !sent.has_more_reports
                && (arguments.once || arguments.until_empty && sent.next_at.is_none())
        };
        let clock = arguments.accounts.clock();
        let mut has_failed = false;
        let stop = async {
            tokio::select! {
                () = interrupted => {}
                () = store_fails(|| outbox.store_failure().is_some()), if is_bounded => has_failed = true,
            }
        };
        let sending = sender.run_until(is_last, stop, arguments.stop_timeout);
        let is_stopped = tokio::select! {
            ended = sending => ended?,
            never = retention::remove_daily(&outbox, arguments.keep, &clock), if !is_bounded => match never {},
        };
        drop((sender, server));
        if has_failed {
            return Err(Failure::Local("the outbox has failed for a minute: run it again later".to_owned()));
        }
        let mut status = outbox.status().await?;
        if is_bounded {
            // It has just ended as it should.
            status.problems.retain(|problem| *problem != Problem::SenderNotRunning);
            status.is_delivering = !status.problems.iter().any(|problem| problem.is_of_delivery());
            arguments.format.print(&status, || status::table(&status))?;
        }
        let left = if open(&status) > 0 { ": the next sender continues" } else { "" };
        let next = next_at.map_or_else(String::new, |time| format!("; the next attempt is due at {}", seconds(time)));
        terminal::print_progress(&format!("outbox: {}{}", states(&status), if is_stopped { left } else { &next }));
        if let (Some(keep), true, false) = (arguments.keep, is_bounded, is_stopped) {
            // What is due is sent before, the status still counts what is removed, and a signal ends this.
            tokio::select! {
                () = runtime::interrupted() => {}
                () = retention::remove(&outbox, keep, clock()) => {}
            }
        }
        match is_bounded {
            true if is_stopped => Err(Failure::Interrupted("interrupted: the next `meter run` continues".to_owned())),
            true => verdict(&status, arguments.hourly_reports.then_some(rule), arguments.outbox.option()),
            false => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Returns the result of a run that has ended by itself. `rule` is that of its hourly reports, and `option` names the outbox in a command line.
fn verdict(status: &Status, rule: Option<HourlyReports>, option: Option<&str>) -> Result<ExitCode, Failure> {
    let count = |state| status.backlog.states.get(&state).copied().unwrap_or_default();
    let waiting = status.backlog.waiting_for_operator;
    let (open, unbilled) = (open(status).saturating_sub(waiting), count(State::Rejected) + count(State::Expired));
    let option = option.map_or_else(String::new, |outbox| format!(" {}", printable(outbox)));
    if open > 0 {
        return Err(Failure::NotReady(format!("{open} of the events are open: run it again later")));
    }
    if waiting > 0 {
        return Err(Failure::Check(format!(
            "{waiting} of the events wait for an operator, and are not sent by themselves: `usage-billing meter retry --outbox{option} --state \
             unknown` (or pending) requeues them"
        )));
    }
    if unbilled > 0 {
        let option = if option.is_empty() { option } else { format!(" --outbox{option}") };
        return Err(Failure::Check(format!(
            "{unbilled} of the events are not billed: `usage-billing meter show{option} --state rejected` (or expired) lists them"
        )));
    }
    let hour = status.backlog.oldest_open_hour;
    match (rule, hour) {
        (Some(rule), Some(hour)) if hour < rule.closed_before(status.as_of) => Err(Failure::NotReady(format!(
            "metered usage of {} is not reported: the log states why; run it again later",
            seconds(hour)
        ))),
        (None, Some(hour)) if status.problems.contains(&Problem::NotRolledUp) => Err(Failure::NotReady(format!(
            "metered usage of {} and later is not reported: run it with --hourly-reports",
            seconds(hour)
        ))),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Prints the requests of the events that no sender has delivered.
async fn print_requests<S: Store>(
    client: &Client,
    outbox: &Outbox<S>,
    now: DateTime<Utc>,
) -> Result<ExitCode, Failure> {
    let period = any_time(now)?;
    for state in [State::Pending, State::Unknown] {
        let mut selection = Selection { period, state: Some(state), entitlement_id: None, after: None, limit: PAGE };
        loop {
            let page = outbox.store().events(selection.clone()).await?;
            for event in page.iter().map(|stored| &stored.event) {
                // What was changed in the database is not sent.
                event.usage(client.org_id())?;
                let body = serde_json::from_str(&event.body).map_err(|error| Failure::of_output(error.into()))?;
                let parameters = [("orgId", client.org_id()), ("entitlementId", event.entitlement_id.as_str())];
                let path = request_line::path("/org/{orgId}/entitlement/{entitlementId}/usageRecordGroup", parameters);
                let request = RequestLine::new("POST", client.api().baseurl(), &path);
                let line = RequestLine { id: Some(event.key), body: Some(body), ..request }.text()?;
                terminal::print(&line).map_err(Failure::of_output)?;
            }
            if !selection.advance(&page) {
                break;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use usage_billing_outbox::store::Backlog;

    use super::*;

    #[test]
    fn verdict_of_a_run_states_events_that_need_an_operator() {
        let now: DateTime<Utc> = "2026-11-21T12:30:00Z".parse().unwrap();
        let status_of = |states: &[(State, u64)], waiting, hours: i64, rule: Option<HourlyReports>| {
            let hour = (hours > 0).then(|| usage_billing_outbox::hour_of(now) - TimeDelta::hours(hours));
            let backlog = Backlog {
                states: states.iter().copied().collect(),
                waiting_for_operator: waiting,
                oldest_open_hour: hour,
                ..Backlog::default()
            };
            match verdict(&Status::new(backlog, None, now), rule, Some("o.sqlite")) {
                Ok(_) => "0".to_owned(),
                Err(Failure::NotReady(line)) => format!("5 {line}"),
                Err(Failure::Check(line)) => format!("6 {line}"),
                Err(other) => panic!("{other}"),
            }
        };
        let rule = Some(HourlyReports::default());
        let (delivered, later) = (
            [(State::Delivered, 3), (State::Resolved, 1)],
            HourlyReports { grace: Duration::from_secs(3600), ..HourlyReports::default() },
        );
        for (found, code, text) in [
            (status_of(&delivered, 0, 0, None), "0", ""),
            (status_of(&[(State::Unknown, 2), (State::Rejected, 1)], 1, 0, None), "5", "1 of the events are open"),
            (status_of(&[(State::Unknown, 2)], 2, 0, None), "6", "2 of the events wait for an operator"),
            (status_of(&[(State::Unknown, 2)], 2, 0, None), "6", "meter retry --outbox o.sqlite --state unknown"),
            (status_of(&[(State::Rejected, 1)], 0, 9, None), "6", "1 of the events are not billed: "),
            (status_of(&[(State::Expired, 1)], 0, 0, None), "6", "meter show --outbox o.sqlite --state rejected"),
            (status_of(&[], 0, 9, None), "5", "metered usage of 2026-11-21T03:00:00Z and later"),
            (status_of(&[], 0, 1, None), "0", ""),
            (status_of(&[], 0, 1, rule), "5", "metered usage of 2026-11-21T11:00:00Z is not reported: the log"),
            (status_of(&[], 0, 1, Some(later)), "0", ""),
        ] {
            assert!(found.starts_with(code) && found.contains(text), "{code} {text}: {found}");
        }
    }
}
