//! The files of a report: rows, and their two forms for machines.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value, json};
use usage_billing_acronis::types::{ReportFormat, ReportKind, ReportLevel, ReportParameters, TenantKind};

use crate::world::acronis::{Span, Tree, Usage};
use crate::world::{days, days_before, midnight};

/// Columns of `csv_v2_0`, in its order: names with dots sorted, newer ones at the end.
const COLUMNS: [&str; 30] = [
    "application.id",
    "application.name",
    "date",
    "infra.backend_type",
    "infra.id",
    "infra.name",
    "infra.owner_id",
    "is_range",
    "measurement_unit",
    "name",
    "pricing.currency",
    "pricing.mode",
    "pricing.price",
    "pricing.total_cost",
    "quota.value",
    "tenant.customer_id",
    "tenant.id",
    "tenant.kind",
    "tenant.name",
    "usage.absolute.production",
    "usage.absolute.total",
    "usage.absolute.trial",
    "usage.delta.production",
    "usage.delta.total",
    "usage.delta.trial",
    "usage.effective.production",
    "usage.effective.total",
    "usage.effective.trial",
    "edition",
    SKU,
];
/// Only there if it was asked for.
const SKU: &str = "sku";

/// Values in the order of [`COLUMNS`]; those of JSON, of which CSV makes text.
type Row = [Value; 30];

/// The file in a format, or `None` for a format whose layout nobody has written down.
pub(super) fn file(
    tree: &Tree,
    report: &ReportParameters,
    built: DateTime<Utc>,
    format: &ReportFormat,
) -> Option<Vec<u8>> {
    match format {
        ReportFormat::CsvV20 => Some(csv(report, &rows(tree, report))),
        ReportFormat::JsonV20 => Some(json_file(tree, report, built, &rows(tree, report))),
        _ => None,
    }
}

pub(super) fn is_known(format: &ReportFormat) -> bool {
    matches!(format, ReportFormat::CsvV20 | ReportFormat::JsonV20)
}

fn rows(tree: &Tree, report: &ReportParameters) -> Vec<Row> {
    let Some(subject) = tree.find(report.tenant_id) else { return Vec::new() };
    let (start, end) = (report.period.start, report.period.end);
    let spans: Vec<Span> = match report.kind {
        // The change of a day is that since the end of the day before.
        ReportKind::UsageDaily | ReportKind::UsageBreakdown => {
            days(start, end).map(|day| Span { first: day, last: day, since: days_before(day, 1) }).collect()
        }
        _ => vec![Span { first: start, last: end, since: start }],
    };
    let mut rows = Vec::new();
    for place in tenants(tree, subject, &report.level) {
        for span in &spans {
            let mut usages = tree.usage(place, *span);
            usages.retain(|usage| report.hide_zero_usage != Some(true) || !usage.is_zero());
            rows.extend(usages.iter().filter_map(|usage| row(tree, place, usage, span.last)));
        }
    }
    rows
}

/// Tenants that have rows of their own at a level.
fn tenants(tree: &Tree, subject: usize, level: &ReportLevel) -> Vec<usize> {
    let is = |place: usize, kind: TenantKind| tree.tenants().get(place).is_some_and(|tenant| tenant.kind == kind);
    match level {
        ReportLevel::Itself => vec![subject],
        ReportLevel::DirectPartners => tree.children(subject).collect(),
        ReportLevel::AllPartners => tree.descendants(subject).filter(|place| is(*place, TenantKind::Partner)).collect(),
        // `accounts` is said to have details of users besides; how they look is not documented.
        _ => tree.descendants(subject).collect(),
    }
}

fn row(tree: &Tree, place: usize, usage: &Usage, date: NaiveDate) -> Option<Row> {
    let tenant = tree.tenants().get(place)?;
    let item = usage.item;
    let total = |at: usize| usage.production[at] + usage.trial[at];
    let billed = usize::from(item.is_range);
    Some([
        item.application.0.into(),
        item.application.1.into(),
        date.to_string().into(),
        usage.infra.map(|infra| infra.backend).into(),
        usage.infra.map(|infra| infra.id).into(),
        usage.infra.map(|infra| infra.name).into(),
        usage.infra.map(|infra| infra.owner).into(),
        item.is_range.into(),
        item.unit.into(),
        item.name.into(),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        usage.quota.into(),
        tenant.customer_id.into(),
        tenant.id.to_string().into(),
        tenant.kind.as_str().into(),
        tenant.name.into(),
        usage.production[0].into(),
        total(0).into(),
        usage.trial[0].into(),
        usage.production[1].into(),
        total(1).into(),
        usage.trial[1].into(),
        usage.production[billed].into(),
        total(billed).into(),
        usage.trial[billed].into(),
        item.edition.into(),
        // What is on trial has no SKU yet.
        item.sku.filter(|_| usage.production != [0; 2]).into(),
    ])
}

fn columns(report: &ReportParameters) -> impl Iterator<Item = (usize, &'static str)> {
    let skus = report.show_skus == Some(true);
    COLUMNS.into_iter().enumerate().filter(move |(_, name)| skus || *name != SKU)
}

fn csv(report: &ReportParameters, rows: &[Row]) -> Vec<u8> {
    let mut lines = vec![columns(report).map(|(_, name)| name.to_owned()).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| columns(report).map(|(at, _)| text(&row[at])).collect()));
    write_csv(&lines)
}

/// As RFC 4180 has it, but with a line feed at the end of each line.
fn write_csv(lines: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    for line in lines {
        // Writing to memory does not fail.
        let _ = writer.write_record(line);
    }
    writer.into_inner().unwrap_or_default()
}

/// A value in a CSV cell, the booleans as Python spells them.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn json_file(tree: &Tree, report: &ReportParameters, built: DateTime<Utc>, rows: &[Row]) -> Vec<u8> {
    let subject = tree.find(report.tenant_id).and_then(|place| tree.tenants().get(place));
    let kind = match report.kind {
        ReportKind::UsageDaily => Some(4),
        ReportKind::UsageSummary => Some(5),
        ReportKind::UsageCurrent => Some(8),
        // Not known.
        _ => None,
    };
    let level = match report.level {
        ReportLevel::DirectPartners => Some(1),
        ReportLevel::AllCustomers => Some(2),
        ReportLevel::Accounts => Some(3),
        ReportLevel::AllPartners => Some(4),
        _ => None,
    };
    let tenants: Vec<Value> =
        rows.iter().map(|row| nested(columns(report).map(|(at, name)| (name, row[at].clone())))).collect();
    let file = json!({
        "params": {
            "kind": kind,
            "gen_date": built.timestamp(),
            "begin_date": midnight(report.period.start).timestamp(),
            "end_date": midnight(report.period.end).timestamp(),
            "group_id": subject.map(|tenant| tenant.numeric_id),
            "name": subject.map(|tenant| tenant.name),
            "report_level": level,
            "report_type": kind,
        },
        "tenants": tenants,
    });
    file.to_string().into_bytes()
}

/// Columns unfolded at their dots.
fn nested(columns: impl Iterator<Item = (&'static str, Value)>) -> Value {
    let mut root = Map::new();
    for (name, value) in columns {
        let mut object = &mut root;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                object.insert(part.to_owned(), value);
                break;
            }
            match object.entry(part).or_insert_with(|| Map::new().into()) {
                Value::Object(inner) => object = inner,
                _ => break,
            }
        }
    }
    root.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_quotes_and_line_ends_are_quoted() {
        let lines = [vec!["a, b".to_owned(), "\"c\"".to_owned(), "d\ne".to_owned(), String::new(), "株".to_owned()]];
        assert_eq!(String::from_utf8(write_csv(&lines)).unwrap(), "\"a, b\",\"\"\"c\"\"\",\"d\ne\",,株\n");
    }

    #[test]
    fn booleans_are_those_of_python_and_nothing_is_empty() {
        assert_eq!(
            [Value::Bool(true), Value::Bool(false), Value::Null, json!(-5)].map(|value| text(&value)),
            ["True", "False", "", "-5"]
        );
    }

    #[test]
    fn dots_become_objects() {
        let columns = [("a.b.c", json!(1)), ("a.b.d", Value::Null), ("e", json!("f"))];
        assert_eq!(nested(columns.into_iter()), json!({"a": {"b": {"c": 1, "d": null}}, "e": "f"}));
    }

    #[test]
    fn columns_are_sorted_but_for_the_newer_ones() {
        assert!(COLUMNS[..28].is_sorted());
        assert_eq!(COLUMNS[28..], ["edition", "sku"]);
    }
}
