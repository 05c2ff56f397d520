//! The numbers of events by state: counting rows would take seconds in a large store.

use std::collections::BTreeMap;

use crate::State;

/// Changes of the numbers by one transaction.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<State, i64>);

impl Tally {
    pub(crate) fn add(&mut self, state: State) {
        *self.0.entry(state).or_default() += 1;
    }

    pub(crate) fn remove(&mut self, state: State) {
        *self.0.entry(state).or_default() -= 1;
    }

    /// Counts an event that changes its state.
    pub(crate) fn change(&mut self, before: State, after: State) {
        self.remove(before);
        self.add(after);
    }

    /// Returns the states whose number changes, and by how much.
    pub(crate) fn changes(self) -> impl Iterator<Item = (&'static str, i64)> {
        self.0.into_iter().filter(|(_, events)| *events != 0).map(|(state, events)| (state.as_str(), events))
    }
}
