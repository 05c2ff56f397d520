use std::fs::File;
use std::io::{Read, Seek};

use proptest::prelude::*;
use usage_billing::{UsageRow, printable_message};

use super::table::usage_table;
use super::{Format, RowWriter};

pub(crate) fn row(quantity: &str) -> UsageRow {
    let mut row = serde_json::json!({
        "row_key": "e18f1ce0-5c2d-454b-9b95-22deae344997", "vendor": "acronis", "account_id": "t-0", "customer_id": "t-1",
        "customer_name": "Birch, \"Inc.\" 株式会社", "customer_kind": "customer", "service": "backup", "sku": "STO",
        "metric": "pw_base_storage", "usage_mode": "production", "storage_host": "vendor", "unit": "GiB",
        "period_start": "2026-10-01T00:00:00Z", "period_end": "2026-11-01T00:00:00Z", "occurrence": 1, "is_final": true, "is_billable": true,
        "billing_reason": "usage", "quantity": quantity, "raw_quantity": "1073741824", "raw_unit": "bytes", "currency": "EUR",
        "unit_price": "0.10", "source_operation": "download_stored_report", "source_row": 3,
    });
    for column in UsageRow::COLUMNS {
        row.as_object_mut().unwrap().entry(column).or_insert_with(|| serde_json::Value::Null);
    }
    serde_json::from_value(row).unwrap()
}

/// A row with a value in every column.
pub(crate) fn full_row() -> UsageRow {
    let row = r#"{
        "row_key": "e18f1ce0-5c2d-454b-9b95-22deae344997", "vendor": "genesys", "account_id": "a", "account_name": "A",
        "customer_id": "c", "customer_name": "Birch", "customer_kind": "trustor", "customer_reference": "B-7", "service": "backup",
        "edition": "standard", "sku": "S-1", "metric": "m", "vendor_grouping": "g", "subscription_type": "PREPAY",
        "usage_mode": "production", "storage_host": "partner", "report_kind": "usage_summary", "report_level": "direct_partners",
        "unit": "seat", "period_start": "2026-10-01T00:00:00Z", "period_end": "2026-11-01T00:00:00Z", "occurrence": 1,
        "as_of": "2026-10-12T00:00:00.000001Z", "is_final": true, "is_billable": true, "billing_reason": "usage",
        "quantity": "12345678901234567.123456789", "raw_quantity": "7200", "raw_unit": "seconds", "quota_quantity": "5",
        "included_quantity": "1", "prepaid_quantity": "100", "bundle_quantity": "1000", "overage_quantity": "-0.50",
        "currency": "EUR", "unit_price": "132.00", "list_price": "0.000000000001", "prepaid_price": "110.00",
        "prepaid_amount": "11000", "amount": "11066.00", "cost": "0.1", "source_operation": "get", "source_report_id": "r-7",
        "source_row": 3, "price_source": "get", "cost_source": "get", "price_list_code": "EU-1", "sku_discount_percent": "10",
        "price_list_discount_percent": "2.5"
    }"#;
    serde_json::from_str(row).unwrap()
}

fn bytes(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).unwrap();
    bytes
}

fn written(rows: &[UsageRow], format: Format, is_for_excel: bool) -> String {
    let mut writer = RowWriter::new(tempfile::tempfile().unwrap(), format, is_for_excel).unwrap();
    rows.iter().for_each(|row| writer.write(row.clone()).unwrap());
    String::from_utf8(bytes(writer.finish().unwrap())).unwrap()
}

fn csv(rows: &[UsageRow]) -> String {
    written(rows, Format::Csv, false)
}

#[test]
fn files_have_exact_quantities_and_tables_mark_truncation() {
    let rows = [row("12345678901234567.123456789")];
    assert!(csv(&rows).contains(",12345678901234567.123456789,1073741824,"));
    for format in [Format::Json, Format::Jsonl] {
        assert!(written(&rows, format, false).contains(r#""quantity":"12345678901234567.123456789""#));
    }
    assert!(usage_table(&rows, None).contains(" 12345678901234567.123456… "));
    assert!(usage_table(&[row("-0.5")], None).contains(" -0.5 "));
}

#[test]
fn row_without_a_customer_names_the_account() {
    let table = |row: &UsageRow| usage_table(&[row.clone(), full_row()], None);
    let mut row = row("1");
    (row.customer_name, row.customer_id) = (None, None);
    assert!(table(&row).contains(" t-0 "));
    row.account_name = Some("Birch Partner".to_owned());
    assert!(table(&row).contains("  Birch Partner  "), "{}", table(&row));
    row.customer_id = Some("t-1".to_owned());
    assert!(table(&row).contains("  t-1  "), "the account is not the customer: {}", table(&row));
}

#[test]
fn a_name_is_one_line_of_a_table_and_as_it_is_in_files() {
    let mut row = row("1");
    row.customer_name = Some("Birch\n\u{1b}[2K, Inc.".to_owned());
    let text = usage_table(std::slice::from_ref(&row), None);
    assert!(text.contains(r" Birch\n\u{1b}[2K, Inc. ") && text.lines().count() == 3, "{text}");
    let file = csv(std::slice::from_ref(&row));
    let read: Vec<UsageRow> = ::csv::Reader::from_reader(file.as_bytes()).deserialize().map(Result::unwrap).collect();
    assert_eq!(read, [row.clone()]);
    let lines = written(&[row.clone(), row.clone()], Format::Jsonl, false);
    let read: Vec<UsageRow> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, [row.clone(), row]);
}

#[test]
fn csv_for_excel_has_a_byte_order_mark_and_no_formulas() {
    let mut row = row("-0.5");
    row.customer_name = Some("=HYPERLINK(\"http://example.test\")".to_owned());
    let text = written(std::slice::from_ref(&row), Format::Csv, true);
    assert!(text.starts_with("\u{feff}row_key,vendor,"), "{text}");
    assert!(text.contains(",\"'=HYPERLINK(\"\"http://example.test\"\")\","), "{text}");
    assert!(text.contains(",-0.5,"), "{text}");
    assert!(csv(&[row]).contains("\"=HYPERLINK"), "other programs get the name as it is");
}

#[test]
fn an_empty_file_is_valid_in_every_text_format() {
    assert_eq!(written(&[], Format::Json, false), "[]\n");
    assert_eq!(written(&[], Format::Jsonl, false), "");
    assert_eq!(csv(&[]).trim().split(',').collect::<Vec<_>>(), UsageRow::COLUMNS);
}

proptest! {
    #[test]
    fn every_cell_of_a_table_is_one_bounded_line(strings in prop::collection::vec(".{0,60}|\\PC{0,300}|[\\p{Cc}\\p{Cf}]{0,300}", 6)) {
        let [account, customer, name, sku, metric, unit] = strings.try_into().unwrap();
        let plain = row("1");
        let mut row = row("1");
        (row.account_id, row.sku, row.metric, row.unit) = (account, sku, metric, unit);
        row.customer_id = Some(customer).filter(|id| !id.is_empty());
        row.customer_name = Some(name).filter(|name| !name.is_empty());
        for rows in [vec![row.clone()], vec![plain, row]] {
            let text = usage_table(&rows, None);
            // The header, a line of the values that all rows have, and the legend.
            prop_assert!((rows.len() + 2..=rows.len() + 3).contains(&text.lines().count()), "{}", text);
            for line in text.lines() {
                prop_assert_eq!(printable_message(line).to_string(), line);
                prop_assert!(line.chars().count() < 5 * 200 + 200);
            }
        }
    }
}

#[test]
fn csv_without_rows_has_its_header_in_the_order_of_rows() {
    let line = csv(&[row("1")]);
    let expected = concat!(
        "e18f1ce0-5c2d-454b-9b95-22deae344997,acronis,t-0,,t-1,\"Birch, \"\"Inc.\"\" 株式会社\",customer,,backup,,STO,pw_base_storage,,,",
        "production,vendor,,,GiB,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,1,,true,true,usage,1,1073741824,bytes,,,,,,EUR,0.10,,,,,,",
        "download_stored_report,,3,,,,,"
    );
    assert_eq!(line.lines().nth(1), Some(expected));
    let read: Vec<UsageRow> = ::csv::Reader::from_reader(line.as_bytes()).deserialize().map(Result::unwrap).collect();
    assert_eq!(read, [row("1")], "a file is read as it was written");
}
