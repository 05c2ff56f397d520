//! `meter show`: one event with the evidence of its attempts, or a list of events.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use usage_billing::Period;
use usage_billing::uuid::Uuid;
use usage_billing_outbox::store::Selection;
use usage_billing_outbox::{Outbox, State, Store};

use super::event_selection::{any_time, key, state};
use super::event_view::{self, AttemptView, EventView};
use super::location::OutboxArguments;
use super::verb::{self, Verb};
use crate::accounts::AccountArguments;
use crate::commands::output::FormatArguments;
use crate::exit::Failure;
use crate::terminal;

#[derive(Args)]
pub(crate) struct ShowArguments {
    /// Key of an event: the id under which Suger has it [default: list events].
    #[arg(value_name = "KEY", value_parser = key)]
    key: Option<Uuid>,

    /// A month (2026-10), or a start and an excluded end (2026-10-01/2026-10-15), in UTC, of the usage [default: all].
    #[arg(long, conflicts_with = "key")]
    period: Option<Period>,

    /// Entitlement [default: all].
    #[arg(long, value_name = "ID", conflicts_with = "key")]
    entitlement: Option<String>,

    /// State, such as rejected [default: all].
    #[arg(long, value_parser = state, conflicts_with = "key")]
    state: Option<State>,

    /// Maximum number of events.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,

    #[command(flatten)]
    outbox: OutboxArguments,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(in super::super) async fn show(arguments: ShowArguments) -> Result<ExitCode, Failure> {
    let location = arguments.outbox.find_existing(&arguments.accounts)?;
    let accounts = arguments.accounts.clone();
    verb::run(location, &accounts, Show(arguments)).await
}

struct Show(ShowArguments);

impl Verb for Show {
    async fn run<S: Store>(self, outbox: Outbox<S>) -> Result<ExitCode, Failure> {
        let Self(arguments) = self;
        let Some(key) = arguments.key else { return list(arguments, outbox).await };
        let Some((stored, attempts)) = outbox.store().event(key, None).await? else {
            return Err(Failure::Local(format!(
                "the outbox has no event {key}: `usage-billing meter show` lists them"
            )));
        };
        let event = EventView::new(&stored);
        let attempts: Vec<_> = (1..).zip(&attempts).map(|(number, one)| AttemptView::new(number, one)).collect();
        arguments.format.print(&json!({"event": event, "attempts": attempts}), || match attempts.is_empty() {
            true => event.facts(),
            false => format!("{}\n{}", event.facts(), AttemptView::table(&attempts)),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn list<S: Store>(arguments: ShowArguments, outbox: Outbox<S>) -> Result<ExitCode, Failure> {
    let selection = Selection {
        period: arguments.period.map_or_else(|| any_time(arguments.accounts.now()), Ok)?,
        state: arguments.state,
        entitlement_id: arguments.entitlement,
        after: None,
        limit: arguments.limit.saturating_add(1),
    };
    let mut events = outbox.store().events(selection).await?;
    let is_cut = events.len() > arguments.limit;
    events.truncate(arguments.limit);
    let views: Vec<_> = events.iter().map(EventView::new).collect();
    arguments.format.print(&views, || event_view::table(&events, outbox.store().org_id()))?;
    let more = if is_cut { ", and more: --limit" } else { "" };
    terminal::print_progress(&format!("outbox: {}{more}", terminal::count(events.len(), "event")));
    Ok(ExitCode::SUCCESS)
}
