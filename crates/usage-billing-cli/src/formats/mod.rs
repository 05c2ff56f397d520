//! Output formats of rows.

mod csv;
mod json;
mod table;

use std::io;

use clap::ValueEnum;
use usage_billing::UsageRow;

use crate::terminal;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// Human-readable columns; quantities are truncated after six decimal places.
    Table,
    /// One array of objects; quantities are exact strings.
    Json,
    /// With a header line; quantities are exact.
    Csv,
}

pub(crate) fn print(rows: &[UsageRow], format: Format) -> io::Result<()> {
    let text = match format {
        Format::Table => table::table(rows),
        Format::Json => json::json(rows)?,
        Format::Csv => csv::csv(rows)?,
    };
    terminal::print(&text)
}

#[cfg(test)]
mod tests {
    use super::csv::csv;
    use super::json::json;
    use super::table::table;
    use super::*;
    use proptest::prelude::*;
    use usage_billing::printable_message;

    fn row(quantity: &str) -> UsageRow {
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

    #[test]
    fn files_hold_the_exact_quantity_and_tables_mark_what_they_cut() {
        let rows = [row("12345678901234567.123456789")];
        assert!(csv(&rows).unwrap().contains(",12345678901234567.123456789,1073741824,"));
        assert!(json(&rows).unwrap().contains(r#""quantity":"12345678901234567.123456789""#));
        assert!(table(&rows).contains(" 12345678901234567.123456… "));
        assert!(table(&[row("-0.5")]).contains(" -0.5 "));
    }

    #[test]
    fn a_name_is_one_line_of_a_table_and_as_it_is_in_files() {
        let mut row = row("1");
        row.customer_name = Some("Birch\n\u{1b}[2K, Inc.".to_owned());
        let text = table(std::slice::from_ref(&row));
        assert!(text.contains(r" Birch\n\u{1b}[2K, Inc. ") && text.lines().count() == 3, "{text}");
        let file = csv(std::slice::from_ref(&row)).unwrap();
        let read: Vec<UsageRow> =
            ::csv::Reader::from_reader(file.as_bytes()).deserialize().map(Result::unwrap).collect();
        assert_eq!(read, [row]);
    }

    proptest! {
        #[test]
        fn every_cell_of_a_table_is_one_bounded_line(texts in prop::collection::vec(".{0,60}|\\PC{0,300}|[\\p{Cc}\\p{Cf}]{0,300}", 6)) {
            let [account, customer, name, sku, metric, unit] = texts.try_into().unwrap();
            let plain = row("1");
            let mut row = row("1");
            (row.account_id, row.sku, row.metric, row.unit) = (account, sku, metric, unit);
            row.customer_id = Some(customer).filter(|id| !id.is_empty());
            row.customer_name = Some(name).filter(|name| !name.is_empty());
            for rows in [vec![row.clone()], vec![plain, row]] {
                let text = table(&rows);
                prop_assert_eq!(text.lines().count(), rows.len() + 2);
                for line in text.lines() {
                    prop_assert_eq!(printable_message(line).to_string(), line);
                    prop_assert!(line.chars().count() < 5 * 200 + 200);
                }
            }
        }
    }

    #[test]
    fn a_csv_has_its_header_in_the_order_of_the_rows_even_without_rows() {
        let header = csv(&[]).unwrap();
        assert_eq!(header.trim().split(',').collect::<Vec<_>>(), UsageRow::COLUMNS);
        let line = csv(&[row("1")]).unwrap();
        let expected = concat!(
            "e18f1ce0-5c2d-454b-9b95-22deae344997,acronis,t-0,,t-1,\"Birch, \"\"Inc.\"\" 株式会社\",customer,,backup,,STO,pw_base_storage,,,",
            "production,vendor,,,GiB,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,1,,true,true,usage,1,1073741824,bytes,,,,,,EUR,0.10,,,,,,",
            "download_stored_report,,3,,,,,"
        );
        assert_eq!(line.lines().nth(1), Some(expected));
        let read: Vec<UsageRow> =
            ::csv::Reader::from_reader(line.as_bytes()).deserialize().map(Result::unwrap).collect();
        assert_eq!(read, [row("1")], "a file reads back as it was");
        assert_eq!(json(&[]).unwrap(), "[]\n");
    }
}
