//! Collects the quantities of a file into events, and everything that is wrong.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use usage_billing::printable;
use usage_billing::suger::UsageEvent;

use super::{Entry, FileEvent, Problem};

/// The entitlement, timestamp and sequence of a quantity.
type Usage = (String, DateTime<Utc>, u32);

#[derive(Default)]
pub(super) struct Collector {
    /// In the order of the file.
    events: Vec<FileEvent>,
    /// Lines by dimension and usage: each usage is stated once.
    lines: BTreeMap<(Usage, String), u64>,
    /// Indexes of the events that later lines of a CSV file add to.
    open: BTreeMap<Usage, usize>,
    problems: Vec<Problem>,
}

impl Collector {
    pub(super) fn problem(&mut self, line: u64, message: String) {
        self.problems.push(Problem { line, message });
    }

    /// Adds a quantity to the event of the same entitlement, timestamp and sequence.
    pub(super) fn add_quantity(&mut self, entry: Entry) {
        if !self.is_first(&entry) {
            return;
        }
        let usage = (entry.entitlement_id.clone(), entry.timestamp, entry.sequence);
        let (events, line) = (&mut self.events, entry.line);
        let index = *self.open.entry(usage).or_insert_with(|| {
            let event = UsageEvent::new(&*entry.entitlement_id, entry.timestamp).sequence(entry.sequence);
            events.push(FileEvent { line, sequence: entry.sequence, event });
            events.len() - 1
        });
        let event = &mut self.events[index].event;
        *event = event.clone().quantity(entry.dimension, entry.quantity);
    }

    /// Adds a complete event, one entry for each quantity.
    pub(super) fn add_event(&mut self, mut one: FileEvent, entries: Vec<Entry>) {
        let before = self.problems.len();
        one.event = entries.into_iter().fold(one.event, |event, entry| match self.is_first(&entry) {
            true => event.quantity(entry.dimension, entry.quantity),
            false => event,
        });
        if self.problems.len() == before {
            self.events.push(one);
        }
    }

    /// Notes the line of a usage. A second line with the same usage is a problem: whether to add it up is not known here.
    fn is_first(&mut self, entry: &Entry) -> bool {
        let usage = (entry.entitlement_id.clone(), entry.timestamp, entry.sequence);
        match self.lines.entry((usage, entry.dimension.clone())) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(entry.line);
                true
            }
            std::collections::btree_map::Entry::Occupied(first) => {
                let message = format!(
                    "{} of {} at this time is in line {} already: add the quantities up, or number the lines by sequence",
                    printable(&entry.dimension),
                    printable(&entry.entitlement_id),
                    first.get()
                );
                self.problem(entry.line, message);
                false
            }
        }
    }

    /// Returns the events and all problems by line.
    pub(super) fn finish(mut self) -> (Vec<FileEvent>, Vec<Problem>) {
        for FileEvent { line, event, .. } in &self.events {
            if let Err(error) = event.check() {
                self.problems.push(Problem { line: *line, message: error.message().to_owned() });
            }
        }
        self.problems.sort_by_key(|problem| problem.line);
        (self.events, self.problems)
    }
}
