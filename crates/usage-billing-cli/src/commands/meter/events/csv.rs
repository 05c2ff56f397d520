//! Events in CSV: one quantity a line.

use usage_billing::printable;

use super::collect::Collector;
use super::quantity::quantity;
use super::{Entry, timestamp};
use crate::suggestion::did_you_mean;

const REQUIRED: [&str; 4] = ["entitlement_id", "timestamp", "dimension", "quantity"];
const COLUMNS: [&str; 5] = ["entitlement_id", "timestamp", "dimension", "quantity", "sequence"];

pub(super) fn read(text: &str, collector: &mut Collector) {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = match reader.headers().map_err(|error| error.to_string()).and_then(columns) {
        Ok(columns) => columns,
        Err(problem) => return collector.problem(1, problem),
    };
    for record in reader.records() {
        let outcome = match &record {
            Ok(record) => entry(record, &columns).map_err(|problem| (line_of(record.position()), problem)),
            Err(error) => Err((line_of(error.position()), problem_of(error))),
        };
        match outcome {
            Ok(entry) => collector.add_quantity(entry),
            Err((line, problem)) => collector.problem(line, problem),
        }
    }
}

fn line_of(position: Option<&csv::Position>) -> u64 {
    position.map_or(1, csv::Position::line)
}

fn problem_of(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} columns: expected {expected_len} as in the header")
        }
        _ => format!("invalid CSV: {error}"),
    }
}

/// Returns the place of each column in a line.
fn columns(header: &csv::StringRecord) -> Result<[Option<usize>; 5], String> {
    for (separator, name) in [(';', "semicolons"), ('\t', "tabs")] {
        if header.len() == 1 && header.get(0).is_some_and(|text| text.contains(separator)) {
            return Err(format!("the columns are separated by {name}: expected commas"));
        }
    }
    for (place, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name) {
            return Err(format!("unknown column \"{}\": {}", printable(name), did_you_mean(name, COLUMNS)));
        }
        if header.iter().take(place).any(|other| other == name) {
            return Err(format!("the column {name} is there twice"));
        }
    }
    let places = COLUMNS.map(|column| header.iter().position(|name| name == column));
    let missing: Vec<_> = REQUIRED.into_iter().filter(|column| !header.iter().any(|name| name == *column)).collect();
    match missing.is_empty() {
        true => Ok(places),
        false => Err(format!("the header lacks {}", missing.join(", "))),
    }
}

fn entry(record: &csv::StringRecord, columns: &[Option<usize>; 5]) -> Result<Entry, String> {
    let [entitlement_id, time, dimension, amount, sequence] =
        columns.map(|place| place.and_then(|place| record.get(place)).unwrap_or_default());
    let sequence = match sequence {
        "" => 0,
        text => text.parse().map_err(|_| {
            format!("invalid sequence \"{}\": expected a whole number from 0 to {}", printable(text), u32::MAX)
        })?,
    };
    Ok(Entry {
        line: line_of(record.position()),
        entitlement_id: entitlement_id.to_owned(),
        timestamp: timestamp(time)?,
        sequence,
        dimension: dimension.to_owned(),
        quantity: quantity(amount)?,
    })
}
