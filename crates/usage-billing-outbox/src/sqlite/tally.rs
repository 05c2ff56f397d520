//! The numbers of events by state: counting rows would take seconds in a large file.

use std::collections::BTreeMap;

use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::failed;
use crate::State;

/// Changes of the numbers by one transaction.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<&'static str, i64>);

impl Tally {
    pub(super) fn add(&mut self, state: State) {
        *self.0.entry(state.as_str()).or_default() += 1;
    }

    pub(super) fn remove(&mut self, state: State) {
        *self.0.entry(state.as_str()).or_default() -= 1;
    }

    /// Counts an event that changes its state.
    pub(super) fn change(&mut self, before: State, after: State) {
        self.remove(before);
        self.add(after);
    }

    pub(super) fn write(self, transaction: &Transaction<'_>) -> Result<()> {
        for (state, events) in self.0.into_iter().filter(|(_, events)| *events != 0) {
            transaction
                .prepare_cached(
                    "INSERT INTO tally (state, events) VALUES (?1, ?2)
                     ON CONFLICT (state) DO UPDATE SET events = events + excluded.events",
                )
                .and_then(|mut statement| statement.execute((state, events)))
                .map_err(failed)?;
        }
        Ok(())
    }
}
