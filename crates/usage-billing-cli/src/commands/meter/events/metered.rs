//! Files of metered usage, which hourly reports add up: CSV or JSON lines, one record a line.

use std::collections::HashMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use usage_billing::printable;
use usage_billing_outbox::MeteredUsage;

use super::quantity::quantity;
use super::{FileFormat, Problem, csv, format_of, impossible_times, json_lines, read_text, reject, timestamp};
use crate::exit::Failure;

const COLUMNS: [&str; 5] = ["id", "entitlement_id", "timestamp", "dimension", "quantity"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: String,
    entitlement_id: String,
    timestamp: String,
    dimension: String,
    #[serde(borrow)]
    quantity: &'a RawValue,
}

/// The records of a file.
pub(in super::super) struct MeteredFile {
    name: String,
    /// With their lines.
    pub(in super::super) records: Vec<(u64, MeteredUsage)>,
}

impl MeteredFile {
    /// Reads the records of a file, or of stdin for `-`. Prints every error with its line.
    pub(in super::super) fn read(path: &Path, now: DateTime<Utc>) -> Result<Self, Failure> {
        let (name, text) = read_text(path)?;
        let (records, mut problems) = parse(&text);
        problems.extend(impossible_times(records.iter().map(|(line, record)| (*line, record.timestamp)), now));
        problems.sort_by_key(|problem| problem.line);
        reject(&name, &problems, "invalid line")?;
        match records.is_empty() {
            true => Err(Failure::Check(format!("{name} has no records"))),
            false => Ok(Self { name, records }),
        }
    }

    pub(in super::super) fn reject(&self, problems: &[Problem], what: &str) -> Result<(), Failure> {
        reject(&self.name, problems, what)
    }
}

fn parse(text: &str) -> (Vec<(u64, MeteredUsage)>, Vec<Problem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut records = Records::default();
    let problems = match format_of(text) {
        Ok(Some(FileFormat::Csv)) => {
            csv::rows(text, COLUMNS, None, |line, [id, entitlement_id, time, dimension, amount]| {
                let (id, entitlement_id, dimension) = (id.to_owned(), entitlement_id.to_owned(), dimension.to_owned());
                let (timestamp, quantity) = (timestamp(time)?, quantity(amount)?);
                records.add(line, MeteredUsage { id, entitlement_id, dimension, timestamp, quantity })
            })
        }
        Ok(Some(FileFormat::JsonLines)) => {
            let read = |(line, text)| {
                let Line { id, entitlement_id, timestamp: time, dimension, quantity } =
                    json_lines::object(text, "record")?;
                let (timestamp, quantity) = (timestamp(&time)?, json_lines::raw_quantity(quantity)?);
                records.add(line, MeteredUsage { id, entitlement_id, dimension, timestamp, quantity })
            };
            let mut read = read;
            let problem = |(line, text)| read((line, text)).err().map(|message| Problem { line, message });
            json_lines::lines(text).filter_map(problem).collect()
        }
        Ok(None) => Vec::new(),
        Err(problem) => vec![problem],
    };
    (records.records, problems)
}

#[derive(Default)]
struct Records {
    records: Vec<(u64, MeteredUsage)>,
    /// Lines by id.
    lines: HashMap<String, u64>,
}

impl Records {
    fn add(&mut self, line: u64, record: MeteredUsage) -> Result<(), String> {
        record.check().map_err(|error| error.message().to_owned())?;
        if let Some(first) = self.lines.insert(record.id.clone(), line) {
            return Err(format!(
                "the id {} is in line {first} already: give each record its own",
                printable(&record.id)
            ));
        }
        self.records.push((line, record));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_and_json_lines_give_the_same_records() {
        let csv =
            "\u{feff}id,timestamp,entitlement_id,quantity,dimension\nr-1,2026-10-01T09:00:00.5+02:00,ent-7,0.125,gb\n";
        let json = r#"{"id":"r-1","entitlement_id":"ent-7","timestamp":"2026-10-01T07:00:00.5Z","dimension":"gb","quantity":0.125}"#;
        let (records, problems) = parse(csv);
        assert_eq!((problems, records.len()), (vec![], 1));
        assert_eq!(records[0].1, parse(json).0[0].1);
        assert_eq!((records[0].0, records[0].1.quantity.to_string()), (2, "0.125".to_owned()));
    }

    #[test]
    fn each_invalid_record_is_named_by_its_line() {
        let header = "id,entitlement_id,timestamp,dimension,quantity\n";
        let time = "2026-10-01T07:00:00Z";
        for (text, expected) in [
            ("entitlement_id,timestamp,dimension,quantity\n".to_owned(), "1: the header lacks id"),
            (format!("{header}r,e,{time},gb,1\n"), ""),
            (format!("{header}r,e,{time},gb,1\nr,e,{time},gb,2\n"), "3: the id r is in line 2 already"),
            (format!("{header},e,{time},gb,1\n"), "2: metered usage : it has no id"),
            (format!("{header}r,e,{time},gb,-1\n"), "2: metered usage r: -1 is negative"),
            (format!("{header}r,e,2026,gb,1\n"), "2: invalid timestamp \"2026\""),
            (format!("{header}r,e,{time},gb\n"), "2: 4 columns: expected 5"),
            ("{\"id\":\"r\",\"sequence\":1}".to_owned(), "1: invalid record: unknown field `sequence`"),
            ("[]".to_owned(), "1: a JSON array"),
        ] {
            let found: Vec<_> = parse(&text).1.iter().map(|one| format!("{}: {}", one.line, one.message)).collect();
            assert!(
                found.join("\n").starts_with(expected) && found.len() == usize::from(!expected.is_empty()),
                "{found:?}"
            );
        }
    }
}
