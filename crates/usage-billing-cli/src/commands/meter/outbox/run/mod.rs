//! `meter run`: the sender of an outbox as a process.

mod metrics;
mod monitor;
mod page;
mod retention;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use usage_billing::Period;
use usage_billing::suger::Client;
use usage_billing_core::ClientInfo as _;
use usage_billing_outbox::store::Selection;
use usage_billing_outbox::{HourlyReports, Outbox, Problem, Sent, State, Status, Store};

use self::monitor::Monitor;
use self::server::ServerArguments;
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
are open, and 6 if events are not billed. Without them, 0 also after Ctrl-C or SIGTERM.

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
    let (client, clients) = groups::client(&arguments.accounts).await?;
    let location = arguments.outbox.find(&arguments.accounts)?;
    let accounts = arguments.accounts.clone();
    verb::run(location, &accounts, Run { arguments, client, _clients: clients }).await
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
        if arguments.hourly_reports {
            builder =
                builder.hourly_reports(HourlyReports { grace: arguments.grace, whole_units: arguments.whole_units });
        }
        let mut sender = builder.start().await?;
        let monitor = Monitor::new(organization, {
            let outbox = outbox.clone();
            move || {
                let outbox = outbox.clone();
                Box::pin(async move { outbox.status().await })
            }
        });
        let server = arguments.server.start(monitor).await?;
        let is_bounded = arguments.once || arguments.until_empty;
        if !is_bounded {
            let status = outbox.status().await?;
            let events = terminal::count(usize::try_from(open(&status)).unwrap_or(usize::MAX), "open event");
            terminal::print_progress(&format!("outbox: {events}; sending until Ctrl-C …"));
        }
        let is_last =
            |sent: Sent| sent.attempted == 0 && (arguments.once || arguments.until_empty && sent.next_at.is_none());
        let clock = arguments.accounts.clock();
        if let Some(keep) = arguments.keep {
            retention::remove(&outbox, keep, clock()).await;
        }
        let sending = sender.run_until(is_last, interrupted, arguments.stop_timeout);
        let is_stopped = tokio::select! {
            ended = sending => ended?,
            never = retention::remove_daily(&outbox, arguments.keep, clock) => match never {},
        };
        drop((sender, server));
        let mut status = outbox.status().await?;
        if is_bounded {
            // It has just ended as it should.
            status.problems.retain(|problem| *problem != Problem::SenderNotRunning);
            status.is_delivering = !status.problems.iter().any(|problem| problem.is_of_delivery());
            arguments.format.print(&status, || status::table(&status))?;
        }
        let left = if open(&status) > 0 { ": the next sender continues" } else { "" };
        let next = status.backlog.entitlements.iter().filter_map(|one| one.retry_at).min();
        let next = next.map_or_else(String::new, |time| format!("; the next attempt is due at {}", seconds(time)));
        terminal::print_progress(&format!("outbox: {}{}", states(&status), if is_stopped { left } else { &next }));
        match is_bounded {
            true => verdict(&status, is_stopped),
            false => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Returns the result of a run that is to end by itself.
fn verdict(status: &Status, is_stopped: bool) -> Result<ExitCode, Failure> {
    let count = |state| status.backlog.states.get(&state).copied().unwrap_or_default();
    let (open, unbilled) = (open(status), count(State::Rejected) + count(State::Expired));
    match (open, unbilled) {
        _ if is_stopped => Err(Failure::Interrupted("interrupted: the next `meter run` continues".to_owned())),
        (0, 0) => Ok(ExitCode::SUCCESS),
        (0, unbilled) => Err(Failure::Check(format!(
            "{unbilled} of the events are not billed: `usage-billing meter show --state rejected` (or expired) lists them"
        ))),
        (open, _) => Err(Failure::NotReady(format!("{open} of the events are open: run it again later"))),
    }
}

/// Prints the requests of the events that no sender has delivered.
async fn print_requests<S: Store>(
    client: &Client,
    outbox: &Outbox<S>,
    now: DateTime<Utc>,
) -> Result<ExitCode, Failure> {
    let period = Period::new(DateTime::UNIX_EPOCH, now + TimeDelta::days(1))?;
    for state in [State::Pending, State::Unknown] {
        let mut selection = Selection { period, state: Some(state), entitlement_id: None, after: None, limit: PAGE };
        loop {
            let page = outbox.store().events(selection.clone()).await?;
            for event in page.iter().map(|stored| &stored.event) {
                let body = serde_json::from_str(&event.body).map_err(|error| Failure::of_output(error.into()))?;
                let parameters = [("orgId", client.org_id()), ("entitlementId", event.entitlement_id.as_str())];
                let path = request_line::path("/org/{orgId}/entitlement/{entitlementId}/usageRecordGroup", parameters);
                let request = RequestLine::new("POST", client.api().baseurl(), &path);
                let line = RequestLine { id: Some(event.key), body: Some(body), ..request }.text()?;
                terminal::print(&line).map_err(Failure::of_output)?;
            }
            match page.last() {
                Some(last) if page.len() == PAGE => selection.after = Some((last.event.timestamp, last.event.key)),
                _ => break,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
