//! Events as JSON lines: one event a line.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use usage_billing::printable_message;
use usage_billing::suger::UsageEvent;

use super::collect::Collector;
use super::quantity::quantity;
use super::{Entry, FileEvent, timestamp};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    entitlement_id: String,
    timestamp: String,
    #[serde(default)]
    sequence: u32,
    #[serde(borrow)]
    quantities: Quantities<'a>,
}

/// Every entry of the object, also of a name that is there twice. Numbers keep their digits.
struct Quantities<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Quantities<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Quantities<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of quantities by dimension")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Quantities(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

pub(super) fn read(text: &str, collector: &mut Collector) {
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        match event(number, line) {
            Ok((event, entries)) => collector.add_event(event, entries),
            Err(problem) => collector.problem(number, problem),
        }
    }
}

fn event(number: u64, line: &str) -> Result<(FileEvent, Vec<Entry>), String> {
    let line: Line<'_> = serde_json::from_str(line).map_err(|error| {
        let message = error.to_string();
        // The line in it is always 1.
        let message =
            message.replace(&format!(" at line 1 column {}", error.column()), &format!(" (column {})", error.column()));
        format!("invalid event: {}", printable_message(&message))
    })?;
    let timestamp = timestamp(&line.timestamp)?;
    let event = UsageEvent::new(&*line.entitlement_id, timestamp).sequence(line.sequence);
    let event = FileEvent { line: number, sequence: line.sequence, event };
    let entries = line.quantities.0.into_iter().map(|(dimension, raw)| {
        let text = serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
        let entitlement_id = line.entitlement_id.clone();
        Ok(Entry {
            line: number,
            entitlement_id,
            timestamp,
            sequence: line.sequence,
            dimension,
            quantity: quantity(&text)?,
        })
    });
    Ok((event, entries.collect::<Result<_, String>>()?))
}
