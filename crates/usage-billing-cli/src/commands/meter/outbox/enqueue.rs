//! `meter enqueue`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use usage_billing::{Error, ErrorKind, printable};
use usage_billing_outbox::store::EnqueueOutcome;
use usage_billing_outbox::{MeteredUsage, NewEvent, Outbox, Store};

use super::location::OutboxArguments;
use super::verb::{self, Verb};
use crate::accounts::AccountArguments;
use crate::commands::meter::events::{EventFile, MeteredFile, Problem};
use crate::commands::output::FormatArguments;
use crate::exit::Failure;
use crate::terminal;

#[derive(Args)]
pub(crate) struct EnqueueArguments {
    /// File of events, CSV or JSON lines; - for stdin.
    file: PathBuf,

    /// The file has records of metered usage, each with an id of its own: `meter run --hourly-reports` adds them up by the hour.
    #[arg(long)]
    hourly: bool,

    /// Print the bodies of the requests, or the records, and store nothing.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    outbox: OutboxArguments,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(in super::super) async fn enqueue(arguments: EnqueueArguments) -> Result<ExitCode, Failure> {
    let now = arguments.accounts.now();
    let content = match arguments.hourly {
        true => Content::Records(MeteredFile::read(&arguments.file, now)?),
        false => Content::Events(EventFile::read_to_send(&arguments.file, now)?),
    };
    let location = arguments.outbox.find(&arguments.accounts)?;
    if arguments.dry_run {
        terminal::print(&content.lines(&location.org_id)?).map_err(Failure::of_output)?;
        return Ok(ExitCode::SUCCESS);
    }
    verb::run(location, &arguments.accounts, Enqueue { content, format: arguments.format }).await
}

enum Content {
    Events(EventFile),
    Records(MeteredFile),
}

impl Content {
    /// Returns what is stored, one JSON object a line.
    fn lines(&self, org_id: &str) -> Result<String, Failure> {
        match self {
            Self::Events(file) => {
                let body = |event| Ok(NewEvent::new(event, org_id)?.body + "\n");
                file.events.iter().map(|one| body(&one.event)).collect()
            }
            Self::Records(file) => Ok(file.records.iter().map(|(_, record)| line(record)).collect()),
        }
    }
}

fn line(record: &MeteredUsage) -> String {
    let MeteredUsage { id, entitlement_id, dimension, timestamp, quantity } = record;
    let line = serde_json::json!({
        "id": id, "entitlement_id": entitlement_id, "timestamp": timestamp, "dimension": dimension, "quantity": quantity.to_string(),
    });
    format!("{line}\n")
}

struct Enqueue {
    content: Content,
    format: FormatArguments,
}

impl Verb for Enqueue {
    async fn run<S: Store>(self, outbox: Outbox<S>) -> Result<ExitCode, Failure> {
        let (stored, what) = match &self.content {
            Content::Events(file) => {
                let events: Vec<_> = file.events.iter().map(|one| one.event.clone()).collect();
                (outbox.enqueue(&events).await, "event")
            }
            Content::Records(file) => {
                (outbox.record(file.records.iter().map(|(_, record)| record.clone()).collect()).await, "record")
            }
        };
        let enqueued = stored.map_err(|error| self.content.failure(error, outbox.store().org_id()))?;
        self.format.print(&enqueued, String::new)?;
        let EnqueueOutcome { new, duplicates } = enqueued;
        let all = terminal::count(new + duplicates, what);
        terminal::print_progress(&format!("outbox: {all} stored: {new} new, {duplicates} there before"));
        Ok(ExitCode::SUCCESS)
    }
}

impl Content {
    /// Returns the failure to store anything. An event that the store rejects is named by its line.
    fn failure(&self, error: Error, org_id: &str) -> Failure {
        if error.kind() != ErrorKind::Request {
            return error.into();
        }
        // As the messages of stores name events and records.
        let is_named = |id: &str| error.message().contains(&format!(" {} (", printable(id)));
        let problem = |line| Problem { line, message: error.to_string() };
        let rejected = match self {
            Self::Events(file) => {
                let found = file.events.iter().find(|one| is_named(&one.event.id(org_id).to_string()));
                found.map(|one| file.reject(&[problem(one.line)], "invalid line"))
            }
            Self::Records(file) => {
                let found = file.records.iter().find(|(_, record)| is_named(&record.id));
                found.map(|(line, _)| file.reject(&[problem(*line)], "invalid line"))
            }
        };
        match rejected {
            Some(Err(failure)) => failure,
            _ => error.into(),
        }
    }
}
