//! Rows of a report file: tenants, days and columns.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use usage_billing_acronis::types::{ReportKind, ReportParameters};
use usage_billing_core::{Decimal, DecimalNumber};
use uuid::Uuid;

use super::pricing;
use crate::dataset::acronis::{Charge, Span, Tenant, Tree, Usage};
use crate::dataset::{days, days_before};

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
/// Present only if it was requested by a partner that may see it.
const SKU: &str = "sku";

/// A value in JSON; CSV formats it as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Cell {
    Empty,
    Flag(bool),
    Count(i64),
    Amount(DecimalNumber),
    Text(String),
}

/// Cells in the order of [`columns`].
pub(super) type Row = Vec<Cell>;

/// Columns of a report's files.
pub(super) fn columns(tree: &Tree, report: &ReportParameters) -> Vec<&'static str> {
    let skus = report.show_skus == Some(true) && tree.find(report.tenant_id).is_some_and(|at| tree.sees_skus(at));
    COLUMNS.into_iter().filter(|name| skus || *name != SKU).collect()
}

/// Iterates over the rows known when the report was built: up to the day before. They are computed one by one, because days of many tenants
/// are millions.
pub(super) fn rows(tree: &Tree, report: &ReportParameters, built: DateTime<Utc>) -> impl Iterator<Item = Row> {
    let (start, end) = (report.period.start, report.period.end);
    let known = days_before(built.date_naive(), 1);
    // With the date of the row.
    let spans: Vec<(NaiveDate, Span)> = match report.kind {
        // The change of a day is counted from the end of the day before.
        ReportKind::UsageDaily | ReportKind::UsageBreakdown => days(start, end.min(known))
            .map(|day| (day, Span { first: day, last: day, since: days_before(day, 1) }))
            .collect(),
        _ => vec![(end, Span::summary(start, end, known))],
    };
    let width = columns(tree, report).len();
    let hides_zeros = report.hide_zero_usage == Some(true);
    let indexes = tree.find(report.tenant_id).map(|subject| tree.at_level(subject, &report.level));
    let tenants = indexes.into_iter().flatten().filter_map(|index| Some((index, tree.get(index)?)));
    tenants.flat_map(move |(index, tenant)| {
        spans.clone().into_iter().flat_map(move |(date, span)| {
            let usages = tree.usage(index, span).into_iter().filter(move |usage| !hides_zeros || !usage.is_zero());
            usages.map(move |usage| row(tree, tenant, &usage, date, width))
        })
    })
}

fn row(tree: &Tree, tenant: &Tenant, usage: &Usage, date: NaiveDate, width: usize) -> Row {
    let item = usage.item;
    let total = usage.total();
    let billed = usage.effective();
    // Only tenants with a currency have prices, and only for charged items.
    let currency = tenant.currency.filter(|_| item.charge != Charge::Nothing);
    let mode = currency.map(|_| pricing::mode(tenant, date).to_string());
    let price = currency.map(|_| item.price());
    // Inferred: "price x usage", in the unit of the price. A trial is not billed.
    let cost = price.map(|price| (price * item.unit.billed(usage.production[billed]).0).round_dp(2));
    let described = usage.infra.filter(|infra| infra.is_described);
    let mut row = vec![
        item.application.id().into(),
        item.application.kind.into(),
        date.to_string().into(),
        described.map(|infra| infra.backend).into(),
        usage.infra.map(|infra| infra.id()).into(),
        described.map(|infra| infra.name).into(),
        described.map(|infra| infra.owner(tree)).into(),
        Cell::Flag(item.is_range),
        item.unit.in_reports().into(),
        item.name.into(),
        currency.into(),
        mode.into(),
        price.into(),
        cost.into(),
        usage.quota.into(),
        tenant.customer_id.as_deref().into(),
        tenant.id.into(),
        tenant.kind.to_string().into(),
        tenant.name.as_str().into(),
        usage.production[0].into(),
        total[0].into(),
        usage.trial[0].into(),
        usage.production[1].into(),
        total[1].into(),
        usage.trial[1].into(),
        usage.production[billed].into(),
        total[billed].into(),
        usage.trial[billed].into(),
        item.edition.into(),
        usage.sku().into(),
    ];
    row.truncate(width);
    row
}

impl From<i64> for Cell {
    fn from(count: i64) -> Self {
        Self::Count(count)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Uuid> for Cell {
    fn from(id: Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<Decimal> for Cell {
    fn from(amount: Decimal) -> Self {
        Self::Amount(amount.normalize().into())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_sorted_except_newer_ones() {
        assert!(COLUMNS[..28].is_sorted());
        assert_eq!(COLUMNS[28..], ["edition", "sku"]);
    }

    #[test]
    fn cells_keep_their_json_type() {
        let price: Cell = Decimal::new(500, 4).into();
        let cells = [Cell::Empty, Cell::Flag(true), (-5).into(), price, "a".into()];
        assert_eq!(serde_json::to_string(&cells).unwrap(), r#"[null,true,-5,0.05,"a"]"#);
    }
}
