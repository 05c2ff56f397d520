//! The events of a period, for the comparison with the vendor.

use std::collections::BTreeMap;

use usage_billing::suger::{Reconciliation, UsageEvent};
use usage_billing::{Period, Result};

use crate::store::Selection;
use crate::{Outbox, State, Store};

const PAGE: usize = 1000;

/// The events of a period, without those that an operator has resolved.
///
/// ```no_run
/// # use usage_billing_outbox::{Outbox, SqliteStore};
/// # async fn prove(outbox: Outbox<SqliteStore>, client: usage_billing::suger::Client) -> usage_billing::Result<()> {
/// let october = "2026-10".parse()?;
/// let ledger = outbox.ledger(october).await?;
/// let reconciliation = client.reconcile(october, &ledger.events).await?;
/// println!("{reconciliation}, agrees: {}", ledger.agrees(&reconciliation));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ledger {
    /// The events as they are sent, oldest first.
    pub events: Vec<UsageEvent>,
    /// Number of events by state.
    pub states: BTreeMap<State, u64>,
}

impl Ledger {
    /// Returns whether every event is delivered or resolved, and the vendor has exactly their usage, which is billed or may still be. Events that are
    /// not delivered are missing at the vendor.
    pub fn agrees(&self, reconciliation: &Reconciliation) -> bool {
        let is_delivered = |state| matches!(state, State::Delivered | State::AlreadyDelivered | State::Resolved);
        self.states.iter().all(|(state, events)| *events == 0 || is_delivered(*state)) && reconciliation.agrees()
    }
}

impl<S: Store> Outbox<S> {
    /// Returns all events of a period, which are kept in memory. Compare them with the vendor by
    /// [`Client::reconcile`](usage_billing::suger::Client::reconcile): that is the proof of their states.
    ///
    /// # Errors
    /// - [`ErrorKind::File`](usage_billing::ErrorKind::File) if the store fails.
    /// - [`ErrorKind::Decode`](usage_billing::ErrorKind::Decode) for an event that was changed in the database.
    pub async fn ledger(&self, period: Period) -> Result<Ledger> {
        let mut selection = Selection { period, state: None, entitlement_id: None, after: None, limit: PAGE };
        let mut ledger = Ledger::default();
        loop {
            let page = self.store.events(selection.clone()).await?;
            for stored in &page {
                if stored.progress.state != State::Resolved {
                    ledger.events.push(stored.event.usage(self.store.org_id())?);
                }
                *ledger.states.entry(stored.progress.state).or_default() += 1;
            }
            if !selection.advance(&page) {
                return Ok(ledger);
            }
        }
    }
}
