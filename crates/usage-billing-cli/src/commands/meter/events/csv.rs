//! Events in CSV: one quantity a line.

use usage_billing::printable;

use super::collect::Collector;
use super::quantity::quantity;
use super::{Entry, Problem, timestamp};
use crate::suggestion::did_you_mean;

const COLUMNS: [&str; 5] = ["entitlement_id", "timestamp", "dimension", "quantity", "sequence"];

pub(super) fn read(text: &str, collector: &mut Collector) {
    let problems = rows(text, COLUMNS, Some("sequence"), |line, cells| {
        collector.add_quantity(entry(line, cells)?);
        Ok(())
    });
    problems.into_iter().for_each(|Problem { line, message }| collector.problem(line, message));
}

/// Calls `row` with the line and the cells of each record, in the order of `names`. Returns what is wrong.
pub(super) fn rows<const N: usize>(
    text: &str,
    names: [&'static str; N],
    optional: Option<&str>,
    mut row: impl FnMut(u64, [&str; N]) -> Result<(), String>,
) -> Vec<Problem> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let found = reader.headers().map_err(|error| error.to_string());
    let columns = match found.and_then(|header| columns(header, names, optional)) {
        Ok(columns) => columns,
        Err(message) => return vec![Problem { line: 1, message }],
    };
    let mut problems = Vec::new();
    for record in reader.records() {
        let (line, outcome) = match &record {
            Ok(record) => {
                let cells = columns.map(|place| place.and_then(|place| record.get(place)).unwrap_or_default());
                let line = line_of(record.position());
                (line, row(line, cells))
            }
            Err(error) => (line_of(error.position()), Err(problem_of(error))),
        };
        problems.extend(outcome.err().map(|message| Problem { line, message }));
    }
    problems
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

/// Returns the position of each column in a line.
fn columns<const N: usize>(
    header: &csv::StringRecord,
    names: [&'static str; N],
    optional: Option<&str>,
) -> Result<[Option<usize>; N], String> {
    for (separator, name) in [(';', "semicolons"), ('\t', "tabs")] {
        if header.len() == 1 && header.get(0).is_some_and(|text| text.contains(separator)) {
            return Err(format!("the columns are separated by {name}: expected commas"));
        }
    }
    for (place, name) in header.iter().enumerate() {
        if !names.contains(&name) {
            return Err(format!("unknown column \"{}\": {}", printable(name), did_you_mean(name, names)));
        }
        if header.iter().take(place).any(|other| other == name) {
            return Err(format!("the column {name} is there twice"));
        }
    }
    let places = names.map(|column| header.iter().position(|name| name == column));
    let is_missing = |column: &&str| Some(*column) != optional && !header.iter().any(|name| name == *column);
    let missing: Vec<_> = names.into_iter().filter(is_missing).collect();
    match missing.is_empty() {
        true => Ok(places),
        false => Err(format!("the header lacks {}", missing.join(", "))),
    }
}

fn entry(line: u64, [entitlement_id, time, dimension, amount, sequence]: [&str; 5]) -> Result<Entry, String> {
    let sequence = match sequence {
        "" => 0,
        text => text.parse().map_err(|_| {
            format!("invalid sequence \"{}\": expected a whole number from 0 to {}", printable(text), u32::MAX)
        })?,
    };
    Ok(Entry {
        line,
        entitlement_id: entitlement_id.to_owned(),
        timestamp: timestamp(time)?,
        sequence,
        dimension: dimension.to_owned(),
        quantity: quantity(amount)?,
    })
}
