//! Sums of rows. Only billable rows are added up, and only numbers of one kind.

use std::collections::BTreeMap;
use std::io;

use usage_billing::{Decimal, UsageRow};

use serde_json::{Value, json};

use super::Records;
use super::columns::ColumnType;

/// The key by which rows are added up, besides the vendor and its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Dimension {
    Customer,
    Sku,
    Month,
}

/// Sums by vendor, account and dimensions.
///
/// Rows that are billable, that are not, and of which it is unknown are separate, as are currencies and levels of a report. A quantity is added
/// up by SKU, metric and unit, and only of billable rows: others may count the same usage again.
pub(crate) struct Totals {
    dimensions: Vec<Dimension>,
    sums: BTreeMap<Key, Sum>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    vendor: String,
    account: String,
    customer: Option<Option<String>>,
    sku: Option<(String, String, String)>,
    month: Option<String>,
    report_level: Option<String>,
    /// Billable rows first.
    billable: std::cmp::Reverse<Option<bool>>,
    currency: Option<String>,
}

#[derive(Default)]
struct Sum {
    rows: u64,
    customer_name: Option<String>,
    quantity: Decimal,
    amount: Option<Decimal>,
    unpriced_rows: u64,
    cost: Option<Decimal>,
}

impl Default for Totals {
    /// By customer.
    fn default() -> Self {
        Self::new(&[Dimension::Customer])
    }
}

impl Totals {
    /// Names of the columns of a sum.
    pub(crate) const COLUMNS: [&str; 16] = [
        "vendor",
        "customer_name",
        "sku",
        "metric",
        "month",
        "is_billable",
        "rows",
        "quantity",
        "unit",
        "currency",
        "amount",
        "unpriced_rows",
        "cost",
        "customer_id",
        "account_id",
        "report_level",
    ];

    const ESSENTIAL: [&str; 6] = ["customer_name", "sku", "rows", "quantity", "amount", "unpriced_rows"];
    const NUMBERS: [&str; 5] = ["rows", "quantity", "amount", "unpriced_rows", "cost"];

    pub(crate) fn new(dimensions: &[Dimension]) -> Self {
        Self { dimensions: dimensions.to_vec(), sums: BTreeMap::new() }
    }

    pub(crate) fn column_type(column: &str) -> ColumnType {
        match column {
            "quantity" | "amount" | "cost" => ColumnType::Decimal { places: 9 },
            "rows" | "unpriced_rows" => ColumnType::Integer,
            _ => ColumnType::Text,
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// If a sum has more than 28 digits.
    pub(crate) fn add(&mut self, row: &UsageRow) -> io::Result<()> {
        let has = |dimension| self.dimensions.contains(&dimension);
        let key = Key {
            vendor: row.vendor.to_string(),
            account: row.account_id.clone(),
            customer: has(Dimension::Customer).then(|| row.customer_id.clone()),
            sku: has(Dimension::Sku).then(|| (row.sku.clone(), row.metric.clone(), row.unit.clone())),
            month: has(Dimension::Month).then(|| row.period_start.format("%Y-%m").to_string()),
            report_level: row.report_level.clone(),
            billable: std::cmp::Reverse(row.is_billable),
            currency: row.currency.clone(),
        };
        let is_billable = row.is_billable == Some(true);
        let sum = self.sums.entry(key).or_default();
        sum.rows += 1;
        sum.customer_name = row.customer_name.clone().or(sum.customer_name.take());
        if !is_billable {
            return Ok(());
        }
        if has(Dimension::Sku) {
            sum.quantity = add(sum.quantity, row.quantity)?;
        }
        for (sum, value) in [(&mut sum.amount, row.amount), (&mut sum.cost, row.cost)] {
            if let Some(value) = value {
                *sum = Some(add(sum.unwrap_or_default(), value)?);
            }
        }
        sum.unpriced_rows += u64::from(row.amount.is_none());
        Ok(())
    }

    /// Returns the sums, sorted.
    pub(crate) fn records(&self) -> Records {
        let rows = self.sums.iter().map(|(key, sum)| record(key, sum).into()).collect();
        Records { columns: Self::COLUMNS.into(), numbers: &Self::NUMBERS, essential: &Self::ESSENTIAL, rows }
    }
}

fn add(one: Decimal, other: Decimal) -> io::Result<Decimal> {
    one.checked_add(other).ok_or_else(|| io::Error::other("a sum of the rows has more than 28 digits"))
}

fn record(key: &Key, sum: &Sum) -> [Value; Totals::COLUMNS.len()] {
    let is_billable = key.billable.0 == Some(true);
    let customer_name = key.customer.as_ref().and(sum.customer_name.as_deref());
    let (sku, metric, unit) = match &key.sku {
        Some((sku, metric, unit)) => (json!(sku), json!(metric), Some(unit)),
        None => (Value::Null, Value::Null, None),
    };
    let decimal = |value: Decimal| value.normalize().to_string();
    [
        json!(key.vendor),
        json!(customer_name),
        sku,
        metric,
        json!(key.month),
        json!(key.billable.0.map_or("unknown".to_owned(), |is_billable| is_billable.to_string())),
        json!(sum.rows),
        json!((is_billable && unit.is_some()).then(|| decimal(sum.quantity))),
        json!(unit),
        json!(key.currency),
        json!(sum.amount.map(decimal)),
        json!(is_billable.then_some(sum.unpriced_rows)),
        json!(sum.cost.map(decimal)),
        json!(key.customer.as_ref().and_then(Option::as_ref)),
        json!(key.account),
        json!(key.report_level),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::columns::text;
    use crate::formats::tests::row;

    fn columns(totals: &Totals, columns: [&str; 4]) -> Vec<[String; 4]> {
        let value = |record: &[Value], column: &str| {
            let index = Totals::COLUMNS.iter().position(|name| *name == column).unwrap();
            if record[index].is_null() { "-".to_owned() } else { text(&record[index]) }
        };
        totals.records().rows.iter().map(|record| columns.map(|column| value(record, column))).collect()
    }

    #[test]
    fn only_billable_rows_of_one_unit_are_added_up() {
        let mut rows = [row("0.1"), row("0.2"), row("5"), row("7"), row("9")];
        rows[2].unit = "seat".to_owned();
        (rows[3].is_billable, rows[4].is_billable) = (Some(false), None);
        let mut totals = Totals::new(&[Dimension::Sku]);
        rows.iter().for_each(|row| totals.add(row).unwrap());
        assert_eq!(
            columns(&totals, ["is_billable", "unit", "quantity", "rows"]),
            [
                ["true", "GiB", "0.3", "2"],
                ["false", "GiB", "-", "1"],
                ["unknown", "GiB", "-", "1"],
                ["true", "seat", "5", "1"],
            ]
        );
        let mut totals = Totals::default();
        rows.iter().for_each(|row| totals.add(row).unwrap());
        let billable = &columns(&totals, ["is_billable", "unit", "quantity", "rows"])[0];
        assert_eq!(billable, &["true", "-", "-", "3"], "no quantity without a SKU");
    }

    #[test]
    fn amounts_are_separate_by_currency_and_level() {
        let mut rows = [row("1"), row("1"), row("1"), row("1")];
        (rows[0].amount, rows[1].amount) = ("0.10".parse().ok(), "0.20".parse().ok());
        rows[2].currency = Some("USD".to_owned());
        rows[3].report_level = Some("all_customers".to_owned());
        let mut totals = Totals::new(&[]);
        rows.iter().for_each(|row| totals.add(row).unwrap());
        assert_eq!(
            columns(&totals, ["report_level", "currency", "amount", "unpriced_rows"]),
            [["-", "EUR", "0.3", "0"], ["-", "USD", "-", "1"], ["all_customers", "EUR", "-", "1"]]
        );
    }

    #[test]
    fn sum_of_too_many_digits_is_an_error() {
        let mut totals = Totals::new(&[Dimension::Sku]);
        totals.add(&row("79228162514264337593543950335")).unwrap();
        assert!(totals.add(&row("1")).is_err());
    }
}
