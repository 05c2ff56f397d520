//! `meter retry` of events in an outbox, and `meter resolve`.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use usage_billing::Period;
use usage_billing::uuid::Uuid;
use usage_billing_outbox::store::Selection;
use usage_billing_outbox::{Outbox, State, Store};

use super::event_selection::{any_time, key, requeued_state};
use super::location::OutboxArguments;
use super::verb::{self, Verb};
use crate::accounts::AccountArguments;
use crate::commands::output::{self, FormatArguments};
use crate::consent::WriteArguments;
use crate::exit::{Failure, PARTIAL};
use crate::formats::table::Content::{Prose, Word};
use crate::formats::table::Display::{Always, IfDiffers};
use crate::terminal;

/// Number of events that are read at once.
const PAGE: usize = 1000;

/// The option of `retry` that selects events of an outbox.
#[derive(Args)]
pub(crate) struct StateArguments {
    /// Keys of events in an outbox [default: with --outbox, all events in a state].
    #[arg(value_name = "KEY", value_parser = key, conflicts_with_all = ["period", "entitlement", "state"])]
    pub(in super::super) keys: Vec<Uuid>,

    /// State of the events in the outbox that are requeued without a KEY: rejected, expired, unknown or pending.
    #[arg(long, value_parser = requeued_state, default_value = "rejected", requires = "outbox")]
    state: State,
}

#[derive(Args)]
pub(crate) struct ResolveArguments {
    /// Keys of events that were rejected or have expired.
    #[arg(value_name = "KEY", value_parser = key, required = true)]
    keys: Vec<Uuid>,

    /// Why nothing remains to be billed, such as the event that bills it instead.
    #[arg(long, value_name = "TEXT")]
    reason: String,

    #[command(flatten)]
    outbox: OutboxArguments,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    write: WriteArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(in super::super) async fn resolve(arguments: ResolveArguments) -> Result<ExitCode, Failure> {
    let location = arguments.outbox.find_existing(&arguments.accounts)?;
    let ResolveArguments { keys, reason, format, write, .. } = arguments;
    let change = Change { events: EventsToChange::Keys(keys), action: Action::Resolve(reason), format, write };
    verb::run(location, &arguments.accounts, change).await
}

/// Makes events due: those of the keys, or all of a state, in a period or of any time.
pub(in super::super) async fn requeue(
    outbox: &OutboxArguments,
    states: StateArguments,
    period: Option<Period>,
    entitlement_id: Option<String>,
    (format, write): (FormatArguments, WriteArguments),
    accounts: &AccountArguments,
) -> Result<ExitCode, Failure> {
    let StateArguments { keys, state } = states;
    let events = match keys.is_empty() {
        true => EventsToChange::All(Selection {
            period: period.map_or_else(|| any_time(accounts.now()), Ok)?,
            state: Some(state),
            entitlement_id,
            after: None,
            limit: PAGE,
        }),
        false => EventsToChange::Keys(keys),
    };
    let change = Change { events, action: Action::Requeue, format, write };
    verb::run(outbox.find_existing(accounts)?, accounts, change).await
}

enum EventsToChange {
    Keys(Vec<Uuid>),
    All(Selection),
}

enum Action {
    Requeue,
    /// With the reason.
    Resolve(String),
}

struct Change {
    events: EventsToChange,
    action: Action,
    format: FormatArguments,
    write: WriteArguments,
}

/// The result for one event.
#[derive(Serialize)]
struct ChangeOutcome {
    key: Uuid,
    /// The state before. `None` if there is no such event.
    before: Option<State>,
    is_changed: bool,
}

impl Action {
    fn verb(&self) -> &'static str {
        match self {
            Self::Requeue => "requeue",
            Self::Resolve(_) => "resolve",
        }
    }

    fn applies_to(&self, state: State) -> bool {
        match self {
            Self::Requeue => state.can_be_requeued(),
            Self::Resolve(_) => state.can_be_resolved(),
        }
    }
}

impl Verb for Change {
    async fn run<S: Store>(self, outbox: Outbox<S>) -> Result<ExitCode, Failure> {
        let keys = match self.events {
            EventsToChange::Keys(keys) => keys.into_iter().map(|key| (key, None)).collect(),
            EventsToChange::All(selection) => keys_of(&outbox, selection).await?,
        };
        let verb = self.action.verb();
        if !self.write.dry_run && !keys.is_empty() {
            self.write.require(&format!("{verb} {}", terminal::count(keys.len(), "event")))?;
        }
        let mut all = Vec::new();
        for (key, timestamp) in keys {
            let before = match &self.action {
                _ if self.write.dry_run => {
                    outbox.store().event(key, timestamp).await?.map(|(stored, _)| stored.progress.state)
                }
                Action::Requeue => outbox.requeue(key, timestamp).await?,
                Action::Resolve(reason) => outbox.resolve(key, timestamp, reason.as_str()).await?,
            };
            let is_changed = before.is_some_and(|state| self.action.applies_to(state));
            all.push(ChangeOutcome { key, before, is_changed });
        }
        self.format.print(&all, || table(&all, verb))?;
        let changed = all.iter().filter(|one| one.is_changed).count();
        let mood = if self.write.dry_run { " would be" } else { "" };
        let (events, others) = (terminal::count(changed, "event"), all.len() - changed);
        terminal::print_progress(&format!("outbox: {events}{mood} {verb}d, {others} not"));
        match (changed, others) {
            (_, 0) => Ok(ExitCode::SUCCESS),
            (0, _) => Err(Failure::Check(format!("no event can be {verb}d: the list states why"))),
            _ => Ok(ExitCode::from(PARTIAL)),
        }
    }
}

/// Returns the keys of events, with their timestamps.
async fn keys_of<S: Store>(
    outbox: &Outbox<S>,
    mut selection: Selection,
) -> Result<Vec<(Uuid, Option<DateTime<Utc>>)>, Failure> {
    let mut keys = Vec::new();
    loop {
        let page = outbox.store().events(selection.clone()).await?;
        keys.extend(page.iter().map(|stored| (stored.event.key, Some(stored.event.timestamp))));
        if !selection.advance(&page) {
            return Ok(keys);
        }
    }
}

fn table(all: &[ChangeOutcome], verb: &str) -> String {
    let row = |one: &ChangeOutcome| {
        let result = match (one.is_changed, one.before) {
            (true, _) => format!("{verb}d"),
            (false, None) => "not in the outbox".to_owned(),
            (false, Some(state)) => format!("not {verb}d: it is {state}"),
        };
        [one.key.to_string(), one.before.map(|state| state.to_string()).unwrap_or_default(), result]
    };
    output::table([("KEY", Word, Always), ("BEFORE", Word, IfDiffers), ("RESULT", Prose, Always)], all.iter().map(row))
}
