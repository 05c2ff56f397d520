//! The row type of usage of all vendors.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use usage_billing_core::Decimal;
use uuid::Uuid;

use super::decimal_text;
use crate::BillingReason;

#[doc = include_str!("../../docs/usage-rows.md")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above documents the columns for all formats")]
pub struct UsageRow {
    pub row_key: Uuid,
    pub vendor: Vendor,
    pub account_id: String,
    pub account_name: Option<String>,
    pub customer_id: Option<String>,
    pub customer_name: Option<String>,
    pub customer_kind: Option<String>,
    pub customer_reference: Option<String>,
    pub service: Option<String>,
    pub edition: Option<String>,
    pub sku: String,
    pub metric: String,
    pub vendor_grouping: Option<String>,
    pub subscription_type: Option<String>,
    pub usage_mode: Option<UsageMode>,
    pub storage_host: Option<StorageHost>,
    pub report_kind: Option<String>,
    pub report_level: Option<String>,
    pub unit: String,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub occurrence: u32,
    pub as_of: Option<DateTime<Utc>>,
    pub is_final: bool,
    pub is_billable: Option<bool>,
    pub billing_reason: BillingReason,
    #[serde(with = "decimal_text")]
    pub quantity: Decimal,
    #[serde(with = "decimal_text")]
    pub raw_quantity: Decimal,
    pub raw_unit: Option<String>,
    #[serde(with = "decimal_text::option")]
    pub quota_quantity: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub included_quantity: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub prepaid_quantity: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub bundle_quantity: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub overage_quantity: Option<Decimal>,
    pub currency: Option<String>,
    #[serde(with = "decimal_text::option")]
    pub unit_price: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub list_price: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub prepaid_price: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub prepaid_amount: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub amount: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub cost: Option<Decimal>,
    pub source_operation: String,
    pub source_report_id: Option<String>,
    pub source_row: Option<u64>,
    pub price_source: Option<String>,
    pub cost_source: Option<String>,
    pub price_list_code: Option<String>,
    #[serde(with = "decimal_text::option")]
    pub sku_discount_percent: Option<Decimal>,
    #[serde(with = "decimal_text::option")]
    pub price_list_discount_percent: Option<Decimal>,
}

impl UsageRow {
    /// Names of the columns, in the order in which rows are written. Later versions append to it.
    pub const COLUMNS: [&str; 49] = [
        "row_key",
        "vendor",
        "account_id",
        "account_name",
        "customer_id",
        "customer_name",
        "customer_kind",
        "customer_reference",
        "service",
        "edition",
        "sku",
        "metric",
        "vendor_grouping",
        "subscription_type",
        "usage_mode",
        "storage_host",
        "report_kind",
        "report_level",
        "unit",
        "period_start",
        "period_end",
        "occurrence",
        "as_of",
        "is_final",
        "is_billable",
        "billing_reason",
        "quantity",
        "raw_quantity",
        "raw_unit",
        "quota_quantity",
        "included_quantity",
        "prepaid_quantity",
        "bundle_quantity",
        "overage_quantity",
        "currency",
        "unit_price",
        "list_price",
        "prepaid_price",
        "prepaid_amount",
        "amount",
        "cost",
        "source_operation",
        "source_report_id",
        "source_row",
        "price_source",
        "cost_source",
        "price_list_code",
        "sku_discount_percent",
        "price_list_discount_percent",
    ];

    /// Sets the sources of prices and cost, if the row has any, to the operation of the row.
    pub(crate) fn with_price_source(self) -> Self {
        let prices = [self.unit_price, self.list_price, self.prepaid_price];
        let source = |is_priced: bool| is_priced.then(|| self.source_operation.clone());
        let (price_source, cost_source) = (source(prices.iter().any(Option::is_some)), source(self.cost.is_some()));
        Self { price_source, cost_source, ..self }
    }
}

/// Whether usage is paid for or on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UsageMode {
    /// Use of a paying tenant.
    Production,
    /// Use on trial.
    Trial,
}

impl fmt::Display for UsageMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The host of storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageHost {
    /// The vendor, also in another provider's cloud.
    Vendor,
    /// The account itself, or a tenant below it.
    Partner,
    /// Storage of one component whose host is not stated.
    Unknown,
}

impl fmt::Display for StorageHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The vendor of a row.
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
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every column filled, in order.
    const LINE: &str = concat!(
        r#"{"row_key":"e18f1ce0-5c2d-454b-9b95-22deae344997","vendor":"genesys","account_id":"a","account_name":"A","customer_id":"c","#,
        r#""customer_name":"Birch, \"Inc.\" 株式会社","customer_kind":"trustor","customer_reference":"B-7","service":"backup","#,
        r#""edition":"standard","sku":"S-1","metric":"m","vendor_grouping":"g","subscription_type":"PREPAY","usage_mode":"production","#,
        r#""storage_host":"partner","report_kind":"usage_summary","report_level":"direct_partners","unit":"seat","period_start":"2026-10-01T00:00:00Z","#,
        r#""period_end":"2026-11-01T00:00:00Z","occurrence":1,"as_of":"2026-10-12T00:00:00Z","is_final":true,"is_billable":true,"billing_reason":"usage","#,
        r#""quantity":"12345678901234567.123456789","raw_quantity":"7200","raw_unit":"seconds","quota_quantity":"5","included_quantity":"1","#,
        r#""prepaid_quantity":"100","bundle_quantity":"1000","overage_quantity":"-0.50","currency":"EUR","unit_price":"132.00","#,
        r#""list_price":"140","prepaid_price":"110.00","prepaid_amount":"11000","amount":"11066.00","cost":"0.1","source_operation":"get","source_report_id":"r-7","source_row":3,"#,
        r#""price_source":"get","cost_source":"get","price_list_code":"EU-1","sku_discount_percent":"10","price_list_discount_percent":"2.5"}"#,
    );

    #[test]
    fn columns_and_their_order_are_stable() {
        let row: UsageRow = serde_json::from_str(LINE).unwrap();
        assert_eq!(serde_json::to_string(&row).unwrap(), LINE);
        let places = UsageRow::COLUMNS.map(|column| LINE.find(&format!("\"{column}\":")).unwrap());
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(LINE.matches("\":").count(), UsageRow::COLUMNS.len());
    }

    /// Reserved in standard SQL (SQL:2023, part 2), or in Postgres, Snowflake, BigQuery, Spark, DuckDB, MySQL or SQL Server.
    const RESERVED: &str = "abs absent acos all allocate alter analyse analyze and any any_value are array array_agg as asc asensitive asin \
        assert_rows_modified asymmetric at atan atomic authorization avg backup begin begin_frame begin_partition between bigint binary \
        blob boolean both browse btrim bulk by call called cardinality cascaded case cast ceil ceiling change char character check \
        checkpoint classifier clob close clustered coalesce collate collation collect column columns commit compute concurrently condition \
        connect connection constraint contains continue convert copy corr corresponding cos cosh count create cross cube cume_dist \
        current cursor cycle database date day dbcc deallocate dec decfloat decimal declare default deferrable define delete deny \
        dense_rank deref desc describe deterministic disconnect disk distinct distributed do double drop dump dynamic each element else \
        empty end end_frame end_partition enum equals errlvl escape every except exclude exec execute exists exit exp explain external \
        extract false fetch file fillfactor filter first_value float floor following for force foreign frame_row free freetext from full \
        function fusion gclass generated get global grant greatest group grouping groups gscluster hash having hold holdlock hour \
        identity identitycol if ignore ilike in increment index indicator initial initially inner inout insensitive insert int integer \
        intersect intersection interval into is isnull issue join json json_array json_object json_table json_value key keys kill lag \
        language large last_value lateral lead leading least left level like limit lineno listagg ln load local localtime localtimestamp \
        lock log lookup lower lpad ltrim match match_number matches max maxvalue member merge method min minus minute mod modifies \
        module month multiset national natural nchar nclob new no nocheck nonclustered none normalize not notnull nth_value ntile null \
        nullif nulls numeric occurrences_regex octet_length of off offset offsets old omit on one only open option or order organization \
        out outer over overlaps overlay parameter partition pattern per percent percent_rank period pivot placing plan portion position \
        power precedes precision prepare primary print proc procedure proto ptf public qualify raiserror range rank read reads readtext \
        real reconfigure recursive ref references referencing regexp release rename repeat replace replication require resignal restore \
        restrict result return returning returns revert revoke right rlike rollback rollup row row_number rowcount rows rpad rtrim rule \
        running savepoint schema scope scroll search second seek select sensitive session_user set shutdown signal similar sin skip \
        smallint some specific sql sqlexception sqlstate sqlwarning sqrt start static statistics stored struct submultiset subset \
        substring succeeds sum symmetric system system_time system_user table tablesample tan textsize then time timestamp to top \
        trailing tran transaction translate translation treat trigger trim true truncate try_cast tsequal uescape undo union unique \
        unknown unlock unnest unpivot unsigned update updatetext upper usage use user using value values var_pop varbinary varchar \
        variadic varying versioning view waitfor when whenever where while width_bucket window with within without write writetext xor \
        year zerofill";

    #[test]
    fn no_column_is_a_reserved_word_of_a_database() {
        let reserved: std::collections::BTreeSet<_> = RESERVED.split_whitespace().collect();
        let found: Vec<_> = UsageRow::COLUMNS.iter().filter(|column| reserved.contains(*column)).collect();
        assert!(found.is_empty() && reserved.contains("grouping") && reserved.contains("end"), "{found:?}");
    }

    #[test]
    fn absent_values_are_null_and_survive_json() {
        let mut row: UsageRow = serde_json::from_str(LINE).unwrap();
        row.overage_quantity = None;
        row.source_report_id = None;
        let json = serde_json::to_string(&row).unwrap();
        assert!(json.contains(r#""overage_quantity":null"#) && json.contains(r#""source_report_id":null"#), "{json}");
        assert_eq!(serde_json::from_str::<UsageRow>(&json).unwrap(), row);
    }

    #[test]
    fn quantity_other_than_decimal_string_is_rejected() {
        for wrong in ["0.5", "\"many\"", "\"1_000\"", "\"\"", "null"] {
            let line = LINE.replace("\"12345678901234567.123456789\"", wrong);
            assert!(serde_json::from_str::<UsageRow>(&line).is_err(), "{wrong}");
        }
    }

    #[test]
    fn price_source_is_set_only_for_rows_with_prices() {
        let row: UsageRow = serde_json::from_str(LINE).unwrap();
        let (unit_price, list_price, prepaid_price, cost, source) = (None, None, None, None, None);
        let none = UsageRow {
            unit_price,
            list_price,
            prepaid_price,
            cost,
            price_source: source.clone(),
            cost_source: source,
            ..row
        };
        let price = Some(Decimal::ONE);
        for (row, of_price, of_cost) in [
            (none.clone(), None, None),
            (UsageRow { unit_price: price, ..none.clone() }, Some("get"), None),
            (UsageRow { list_price: price, ..none.clone() }, Some("get"), None),
            (UsageRow { prepaid_price: price, ..none.clone() }, Some("get"), None),
            (UsageRow { cost: price, ..none.clone() }, None, Some("get")),
        ] {
            let row = row.with_price_source();
            assert_eq!((row.price_source.as_deref(), row.cost_source.as_deref()), (of_price, of_cost));
        }
    }

    #[test]
    fn every_column_is_documented_once_in_order() {
        let table = include_str!("../../docs/usage-rows.md");
        let explained: Vec<_> =
            table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect();
        // The reasons come after them.
        assert_eq!(explained[..UsageRow::COLUMNS.len()], UsageRow::COLUMNS);
    }
}
