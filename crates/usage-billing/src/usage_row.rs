//! Usage of any vendor in one shape.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use usage_billing_core::Decimal;
use uuid::Uuid;

use crate::exact;

#[doc = include_str!("../docs/usage-rows.md")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above says it once, for all formats")]
pub struct UsageRow {
    pub key: Uuid,
    pub vendor: Vendor,
    pub account: String,
    pub customer_id: Option<String>,
    pub customer_name: Option<String>,
    pub customer_kind: Option<String>,
    pub sku: String,
    pub metric: String,
    #[serde(with = "exact")]
    pub quantity: Decimal,
    pub unit: String,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    #[serde(rename = "final")]
    pub is_final: bool,
    pub billable: bool,
    #[serde(with = "exact::option")]
    pub included_quantity: Option<Decimal>,
    #[serde(with = "exact::option")]
    pub prepaid_quantity: Option<Decimal>,
    #[serde(with = "exact::option")]
    pub bundle_quantity: Option<Decimal>,
    #[serde(with = "exact::option")]
    pub overage_quantity: Option<Decimal>,
    pub currency: Option<String>,
    #[serde(with = "exact::option")]
    pub unit_price: Option<Decimal>,
    #[serde(with = "exact::option")]
    pub list_price: Option<Decimal>,
    #[serde(with = "exact::option")]
    pub prepaid_price: Option<Decimal>,
    #[serde(with = "exact::option")]
    pub cost: Option<Decimal>,
    pub operation: String,
    pub report_id: Option<String>,
    pub report_row: Option<u64>,
}

impl UsageRow {
    /// Names of the columns, in the order in which rows are written. Later versions append to it.
    pub const COLUMNS: [&str; 26] = [
        "key",
        "vendor",
        "account",
        "customer_id",
        "customer_name",
        "customer_kind",
        "sku",
        "metric",
        "quantity",
        "unit",
        "start",
        "end",
        "final",
        "billable",
        "included_quantity",
        "prepaid_quantity",
        "bundle_quantity",
        "overage_quantity",
        "currency",
        "unit_price",
        "list_price",
        "prepaid_price",
        "cost",
        "operation",
        "report_id",
        "report_row",
    ];
}

/// A vendor that rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Vendor {
    /// Acronis Cyber Protect Cloud.
    Acronis,
    /// Genesys Cloud.
    Genesys,
    /// Suger.
    Suger,
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Acronis => "acronis",
            Self::Genesys => "genesys",
            Self::Suger => "suger",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every column filled, in order.
    const LINE: &str = concat!(
        r#"{"key":"e18f1ce0-5c2d-454b-9b95-22deae344997","vendor":"genesys","account":"a","customer_id":"c","customer_name":"Birch, \"Inc.\" 株式会社","#,
        r#""customer_kind":"trustor","sku":"S-1","metric":"m","quantity":"12345678901234567.123456789","unit":"seat","start":"2026-10-01T00:00:00Z","#,
        r#""end":"2026-11-01T00:00:00Z","final":true,"billable":true,"included_quantity":"1","prepaid_quantity":"100","bundle_quantity":"1000","#,
        r#""overage_quantity":"-0.50","currency":"EUR","unit_price":"132.00","list_price":"140","prepaid_price":"110.00","cost":"0.1","#,
        r#""operation":"get","report_id":"r-7","report_row":3}"#,
    );

    #[test]
    fn the_columns_and_their_order_stay() {
        let row: UsageRow = serde_json::from_str(LINE).unwrap();
        assert_eq!(serde_json::to_string(&row).unwrap(), LINE);
        let places = UsageRow::COLUMNS.map(|column| LINE.find(&format!("\"{column}\":")).unwrap());
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(LINE.matches("\":").count(), UsageRow::COLUMNS.len());
    }

    #[test]
    fn what_the_vendor_does_not_say_is_null_and_reads_back() {
        let mut row: UsageRow = serde_json::from_str(LINE).unwrap();
        row.overage_quantity = None;
        row.report_id = None;
        let json = serde_json::to_string(&row).unwrap();
        assert!(json.contains(r#""overage_quantity":null"#) && json.contains(r#""report_id":null"#), "{json}");
        assert_eq!(serde_json::from_str::<UsageRow>(&json).unwrap(), row);
    }

    #[test]
    fn a_quantity_that_is_no_text_or_no_number_is_refused() {
        for wrong in ["0.5", "\"many\"", "\"1_000\"", "\"\"", "null"] {
            let line = LINE.replace("\"12345678901234567.123456789\"", wrong);
            assert!(serde_json::from_str::<UsageRow>(&line).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_column_is_explained_once_and_in_order() {
        let table = include_str!("../docs/usage-rows.md");
        let explained: Vec<_> =
            table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect();
        assert_eq!(explained, UsageRow::COLUMNS);
    }
}
