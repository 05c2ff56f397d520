//! `meter reconcile --outbox`.

use std::process::ExitCode;

use usage_billing::Period;
use usage_billing::suger::Client;
use usage_billing_outbox::{Outbox, Store};

use super::location::OutboxArguments;
use super::status::seconds;
use super::verb::{self, Verb};
use crate::commands::meter::reconcile::{Comparison, ReconcileArguments, Stored};
use crate::exit::Failure;

/// Compares the events of an outbox with Suger's groups.
pub(in super::super) async fn reconcile(
    outbox: &OutboxArguments,
    client: Client,
    arguments: ReconcileArguments,
) -> Result<ExitCode, Failure> {
    let (location, accounts) = (outbox.find_existing(&arguments.accounts)?, arguments.accounts.clone());
    verb::run(location, &accounts, Reconcile { client, arguments }).await
}

struct Reconcile {
    client: Client,
    arguments: ReconcileArguments,
}

impl Verb for Reconcile {
    async fn run<S: Store>(self, outbox: Outbox<S>) -> Result<ExitCode, Failure> {
        let Self { client, arguments } = self;
        let period: Period = arguments.period;
        // Before the events: an hour that is reported in between is then stated as open, and not overlooked.
        let open_hour = outbox.status().await?.backlog.oldest_open_hour.filter(|hour| *hour < period.end());
        let mut ledger = outbox.ledger(period).await?;
        let events = std::mem::take(&mut ledger.events);
        let stored = Stored { ledger, open_hour: open_hour.map(seconds) };
        let comparison = Comparison { events, stored: Some(stored) };
        comparison.run(&client, &arguments).await
    }
}
