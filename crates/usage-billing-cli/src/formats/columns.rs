//! The columns of rows with the types that they have in typed formats.

use std::collections::BTreeSet;
use std::io;

use serde_json::{Map, Value};
use usage_billing::UsageRow;

use crate::suggestion::did_you_mean;

/// Type of a column in Parquet and in a spreadsheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Text,
    /// DECIMAL(38, places).
    Decimal {
        places: u32,
    },
    /// An instant in UTC.
    Time,
    Boolean,
    Integer,
}

/// Returns the type of a column. `raw_quantity` is text: its 28 digits fit no decimal type of fixed places.
pub(crate) fn column_type(name: &str) -> ColumnType {
    match name {
        "unit_price" | "list_price" | "prepaid_price" => ColumnType::Decimal { places: 12 },
        "quantity"
        | "quota_quantity"
        | "included_quantity"
        | "prepaid_quantity"
        | "bundle_quantity"
        | "overage_quantity"
        | "prepaid_amount"
        | "amount"
        | "cost"
        | "sku_discount_percent"
        | "price_list_discount_percent" => ColumnType::Decimal { places: 9 },
        "period_start" | "period_end" | "as_of" => ColumnType::Time,
        "is_final" | "is_billable" => ColumnType::Boolean,
        "occurrence" | "source_row" => ColumnType::Integer,
        _ => ColumnType::Text,
    }
}

/// Columns that are never null.
pub(crate) fn is_required(name: &str) -> bool {
    matches!(
        name,
        "row_key"
            | "vendor"
            | "account_id"
            | "sku"
            | "metric"
            | "unit"
            | "period_start"
            | "period_end"
            | "occurrence"
            | "is_final"
            | "billing_reason"
            | "quantity"
            | "raw_quantity"
            | "source_operation"
    )
}

/// Returns the values of a row by column, as in JSON.
pub(crate) fn values(row: &UsageRow) -> io::Result<Map<String, Value>> {
    match serde_json::to_value(row)? {
        Value::Object(values) => Ok(values),
        other => Err(io::Error::other(format!("a row is not an object: {other}"))),
    }
}

/// Returns a value as text; empty for null.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Reads names of columns, separated by commas.
pub(crate) fn parse_columns(text: &str) -> Result<Box<[&'static str]>, String> {
    let mut seen = BTreeSet::new();
    text.split(',')
        .map(str::trim)
        .map(|name| {
            let column = UsageRow::COLUMNS.into_iter().find(|column| *column == name);
            let column =
                column.ok_or_else(|| format!("`{name}` is not a column: {}", did_you_mean(name, UsageRow::COLUMNS)))?;
            if seen.insert(column) { Ok(column) } else { Err(format!("`{name}` is named twice")) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::full_row;

    #[test]
    fn types_agree_with_the_values_of_rows() {
        let row = full_row();
        let values = values(&row).unwrap();
        assert_eq!(values.len(), UsageRow::COLUMNS.len());
        for column in UsageRow::COLUMNS {
            let value = &values[column];
            let agrees = match column_type(column) {
                ColumnType::Text => value.is_string(),
                ColumnType::Decimal { .. } => {
                    value.as_str().is_some_and(|text| text.parse::<usage_billing::Decimal>().is_ok())
                }
                ColumnType::Time => value.as_str().is_some_and(|text| text.ends_with('Z')),
                ColumnType::Boolean => value.is_boolean(),
                ColumnType::Integer => value.is_u64(),
            };
            assert!(agrees, "{column}: {value}");
            // A column is required exactly if a row without it is rejected.
            let mut without = values.clone();
            without.insert(column.to_owned(), Value::Null);
            let is_rejected = serde_json::from_value::<UsageRow>(Value::Object(without)).is_err();
            assert_eq!(is_required(column), is_rejected, "{column}");
        }
    }

    /// The documentation of the columns states the decimal types.
    #[test]
    fn decimal_types_are_the_documented_ones() {
        let documentation = include_str!("../../../usage-billing/docs/usage-rows.md");
        for column in UsageRow::COLUMNS {
            let line = documentation.lines().find(|line| line.starts_with(&format!("| `{column}` |"))).unwrap();
            let documented = [9, 12].into_iter().find(|places| line.contains(&format!("DECIMAL(38,{places})")));
            let places = match column_type(column) {
                ColumnType::Decimal { places } => Some(places),
                _ => None,
            };
            assert_eq!(places, documented, "{column}");
        }
    }

    #[test]
    fn unknown_column_suggests_a_similar_one() {
        assert_eq!(parse_columns("sku, amount"), Ok(["sku", "amount"].into()));
        let error = parse_columns("sku,amount_").unwrap_err();
        assert_eq!(error, "`amount_` is not a column: did you mean `amount`?");
        let error = parse_columns("foo").unwrap_err();
        assert!(error.starts_with("`foo` is not a column: expected one of row_key, vendor, "), "{error}");
        assert_eq!(parse_columns("sku,sku").unwrap_err(), "`sku` is named twice");
    }
}
