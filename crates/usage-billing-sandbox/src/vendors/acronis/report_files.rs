//! The files of a report in the two machine-readable formats.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Serialize, Serializer};
use usage_billing_acronis::types::{ReportFormat, ReportKind, ReportLevel, ReportParameters};

use super::report_rows::{Cell, Row, columns, rows};
use crate::dataset::acronis::Tree;
use crate::dataset::midnight;

/// Returns the file in a format, as gzip, or `None` for a format whose layout is not documented.
pub(super) fn file(
    tree: &Tree,
    report: &ReportParameters,
    built: DateTime<Utc>,
    format: &ReportFormat,
) -> Option<Vec<u8>> {
    // The uncompressed file is never held in memory.
    let mut file = GzEncoder::new(Vec::new(), Compression::default());
    match format {
        ReportFormat::CsvV20 => csv(&mut file, &columns(tree, report), rows(tree, report, built)),
        ReportFormat::JsonV20 => json(&mut file, tree, report, built)?,
        _ => return None,
    }
    file.finish().ok()
}

pub(super) fn is_known(format: &ReportFormat) -> bool {
    matches!(format, ReportFormat::CsvV20 | ReportFormat::JsonV20)
}

/// Writes RFC 4180, but with a line feed at the end of each line.
fn csv(file: impl Write, columns: &[&str], rows: impl Iterator<Item = Row>) {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(file);
    // Writing to memory does not fail.
    let _ = writer.write_record(columns);
    for row in rows {
        let _ = writer.write_record(row.iter().map(text));
    }
    let _ = writer.flush();
}

/// Formats a CSV cell; booleans are spelled as in Python.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Flag(true) => "True".to_owned(),
        Cell::Flag(false) => "False".to_owned(),
        Cell::Count(count) => count.to_string(),
        Cell::Amount(amount) => amount.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

#[derive(Serialize)]
struct File<'a> {
    params: Params<'a>,
    tenants: Tenants<'a>,
}

/// Rows, computed while they are serialized.
struct Tenants<'a> {
    tree: &'a Tree,
    report: &'a ReportParameters,
    built: DateTime<Utc>,
}

impl Serialize for Tenants<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = columns(self.tree, self.report);
        let rows = rows(self.tree, self.report, self.built);
        serializer.collect_seq(rows.map(|row| nested(columns.iter().copied().zip(row))))
    }
}

#[derive(Serialize)]
struct Params<'a> {
    kind: Option<u8>,
    /// Unix time, as the two dates below.
    gen_date: i64,
    begin_date: i64,
    end_date: i64,
    group_id: Option<i64>,
    name: Option<&'a str>,
    report_level: Option<u8>,
    report_type: Option<u8>,
}

/// Columns as nested objects, split at their dots.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Node {
    Leaf(Cell),
    Object(BTreeMap<&'static str, Node>),
}

fn json(file: impl Write, tree: &Tree, report: &ReportParameters, built: DateTime<Utc>) -> Option<()> {
    let subject = tree.find(report.tenant_id).and_then(|index| tree.get(index));
    let kind = match report.kind {
        ReportKind::UsageDaily => Some(4),
        ReportKind::UsageSummary => Some(5),
        ReportKind::UsageCurrent => Some(8),
        // Not documented.
        _ => None,
    };
    let report_level = match report.level {
        ReportLevel::DirectPartners => Some(1),
        ReportLevel::AllCustomers => Some(2),
        ReportLevel::Accounts => Some(3),
        ReportLevel::AllPartners => Some(4),
        _ => None,
    };
    let params = Params {
        kind,
        gen_date: built.timestamp(),
        begin_date: midnight(report.period.start).timestamp(),
        end_date: midnight(report.period.end).timestamp(),
        group_id: subject.map(|tenant| tenant.numeric_id),
        name: subject.map(|tenant| tenant.name.as_str()),
        report_level,
        report_type: kind,
    };
    // serde_json writes in small pieces.
    let mut file = BufWriter::new(file);
    serde_json::to_writer(&mut file, &File { params, tenants: Tenants { tree, report, built } }).ok()?;
    file.flush().ok()
}

fn nested(cells: impl Iterator<Item = (&'static str, Cell)>) -> Node {
    let mut root = BTreeMap::new();
    for (name, cell) in cells {
        insert(&mut root, name, cell);
    }
    Node::Object(root)
}

fn insert(object: &mut BTreeMap<&'static str, Node>, name: &'static str, cell: Cell) {
    let Some((first, rest)) = name.split_once('.') else {
        object.insert(name, Node::Leaf(cell));
        return;
    };
    // No column is a prefix of another one.
    if let Node::Object(inner) = object.entry(first).or_insert_with(|| Node::Object(BTreeMap::new())) {
        insert(inner, rest, cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_quotes_and_line_ends_are_quoted() {
        let row = vec!["a, b".into(), "\"c\"".into(), "d\ne".into(), Cell::Empty, "株".into()];
        let mut file = Vec::new();
        csv(&mut file, &["1", "2", "3", "4", "5"], [row].into_iter());
        assert_eq!(String::from_utf8(file).unwrap(), "1,2,3,4,5\n\"a, b\",\"\"\"c\"\"\",\"d\ne\",,株\n");
    }

    #[test]
    fn csv_booleans_are_spelled_as_in_python() {
        assert_eq!(
            [Cell::Flag(true), Cell::Flag(false), Cell::Empty, (-5).into()].map(|cell| text(&cell)),
            ["True", "False", "", "-5"]
        );
    }

    #[test]
    fn dotted_columns_become_objects() {
        let cells = [("a.b.c", 1.into()), ("a.b.d", Cell::Empty), ("e", "f".into())];
        let json = serde_json::to_string(&nested(cells.into_iter())).unwrap();
        assert_eq!(json, r#"{"a":{"b":{"c":1,"d":null}},"e":"f"}"#);
    }
}
