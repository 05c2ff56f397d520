//! Comparison of the events of a period with the vendor.

use std::collections::BTreeMap;

use serde::Serialize;
use usage_billing::suger::{Client, Reconciliation};
use usage_billing::{Period, Result};

use crate::store::Selection;
use crate::{Outbox, State, Store};

const PAGE: usize = 1000;

/// The events of a period and the usage that the vendor has of it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LedgerReconciliation {
    /// Number of events of the period by state.
    pub states: BTreeMap<State, u64>,
    /// The comparison. Events that are not delivered are missing at the vendor.
    pub reconciliation: Reconciliation,
}

impl LedgerReconciliation {
    /// Returns whether every event of the period is delivered, and the vendor has exactly its usage, which is billed or may still be.
    pub fn agrees(&self) -> bool {
        let delivered = [State::Delivered, State::AlreadyDelivered];
        self.states.iter().all(|(state, events)| *events == 0 || delivered.contains(state))
            && self.reconciliation.agrees()
    }
}

impl<S: Store> Outbox<S> {
    /// Compares all events of a period with the usage of the vendor ([`Client::reconcile`]), which is the proof of the states. The events of
    /// the period are kept in memory.
    ///
    /// # Errors
    /// Those of [`Client::reconcile`], and [`ErrorKind::File`](usage_billing::ErrorKind::File) if the store fails.
    pub async fn reconcile(&self, client: &Client, period: Period) -> Result<LedgerReconciliation> {
        let mut selection = Selection { period, state: None, entitlement_id: None, after: None, limit: PAGE };
        let (mut events, mut states) = (Vec::new(), BTreeMap::new());
        loop {
            let page = self.store.events(selection.clone()).await?;
            for stored in &page {
                events.push(stored.event.usage(self.store.org_id())?);
                *states.entry(stored.progress.state).or_default() += 1;
            }
            match page.last() {
                Some(last) if page.len() == PAGE => selection.after = Some((last.event.timestamp, last.event.key)),
                _ => break,
            }
        }
        let client = client.clone().with_now(self.clock.now());
        let reconciliation = client.reconcile(period, &events).await?;
        Ok(LedgerReconciliation { states, reconciliation })
    }
}
