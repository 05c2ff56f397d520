//! Events as JSON lines: one event a line.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use usage_billing::suger::UsageEvent;
use usage_billing::{Decimal, printable_message};

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
    for (number, line) in lines(text) {
        match event(number, line) {
            Ok((event, entries)) => collector.add_event(event, entries),
            Err(problem) => collector.problem(number, problem),
        }
    }
}

/// Returns the lines that are not blank, with their numbers.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
}

/// Reads the object of a line.
pub(super) fn object<'a, T: Deserialize<'a>>(line: &'a str, what: &str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| {
        let message = error.to_string();
        // The line in it is always 1.
        let message =
            message.replace(&format!(" at line 1 column {}", error.column()), &format!(" (column {})", error.column()));
        format!("invalid {what}: {}", printable_message(&message))
    })
}

/// Returns the quantity of a number or a string.
pub(super) fn raw_quantity(raw: &RawValue) -> Result<Decimal, String> {
    quantity(&serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned()))
}

fn event(number: u64, line: &str) -> Result<(FileEvent, Vec<Entry>), String> {
    let line: Line<'_> = object(line, "event")?;
    let timestamp = timestamp(&line.timestamp)?;
    let event = UsageEvent::new(&*line.entitlement_id, timestamp).sequence(line.sequence);
    let event = FileEvent { line: number, sequence: line.sequence, event };
    let entries = line.quantities.0.into_iter().map(|(dimension, raw)| {
        let entitlement_id = line.entitlement_id.clone();
        Ok(Entry {
            line: number,
            entitlement_id,
            timestamp,
            sequence: line.sequence,
            dimension,
            quantity: raw_quantity(raw)?,
        })
    });
    Ok((event, entries.collect::<Result<_, String>>()?))
}
