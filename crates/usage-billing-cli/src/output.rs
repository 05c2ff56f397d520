//! Rows on stdout.

use std::io::{self, ErrorKind, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{CellAlignment, Table, presets};
use usage_billing::{UsageRow, printable, printable_message};

use crate::arguments::Format;

/// Places after the point in tables.
const PLACES: usize = 6;

pub(crate) fn print(rows: &[UsageRow], format: Format) -> io::Result<()> {
    let text = match format {
        Format::Table => table(rows),
        Format::Json => json(rows)?,
        Format::Csv => csv(rows)?,
    };
    write(&text)
}

/// A closed pipe (`| head`) is not a failure.
fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Prints one line to stderr, escaped and bounded. Write errors are ignored: the rows matter more.
pub(crate) fn eprint_line(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable_message(line));
}

pub(crate) fn row_count(rows: usize) -> String {
    format!("{rows} {}", if rows == 1 { "row" } else { "rows" })
}

fn table(rows: &[UsageRow]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["VENDOR", "CUSTOMER", "SKU", "QUANTITY", "UNIT", "FROM", "UNTIL", "FINAL", "BILLABLE", "REASON"]);
    for row in rows {
        let customer = row.customer_name.as_ref().or(row.customer_id.as_ref()).unwrap_or(&row.account_id);
        let cells = [
            row.vendor.to_string(),
            customer.clone(),
            // The metric distinguishes rows of one SKU, such as storage in different clouds.
            if row.sku.contains(&row.metric) { row.sku.clone() } else { format!("{} ({})", row.sku, row.metric) },
            shortened(&row.quantity.to_string()),
            row.unit.clone(),
            instant(row.period_start),
            instant(row.period_end),
            yes_or_no(row.is_final),
            row.is_billable.map_or_else(|| "?".to_owned(), yes_or_no),
            row.billing_reason.to_string(),
        ];
        // Customers name themselves: a line break or a terminal's escape sequence would forge rows.
        table.add_row(cells.map(|cell| printable(&cell).to_string()));
    }
    if let Some(quantity) = table.column_mut(3) {
        quantity.set_cell_alignment(CellAlignment::Right);
    }
    // Without borders the table still pads each line.
    let lines: String =
        table.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect();
    format!(
        "{lines}{}; FROM is included, UNTIL is not (UTC); FINAL: the vendor does not change it any more; BILLABLE: the vendor charges this account for it (?: unknown)\n",
        row_count(rows.len())
    )
}

fn yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// Returns the day alone at midnight.
fn instant(instant: DateTime<Utc>) -> String {
    let text = instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    text.strip_suffix("T00:00:00Z").map(str::to_owned).unwrap_or(text)
}

/// Truncates instead of rounding, with a mark: the other formats have the exact number.
fn shortened(quantity: &str) -> String {
    match quantity.split_once('.') {
        Some((whole, places)) if places.len() > PLACES => format!("{whole}.{}…", &places[..PLACES]),
        _ => quantity.to_owned(),
    }
}

/// Returns an array with one row per line.
fn json(rows: &[UsageRow]) -> io::Result<String> {
    let lines = rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) })
}

fn csv(rows: &[UsageRow]) -> io::Result<String> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    // By hand: without rows the writer would not know the columns.
    writer.write_record(UsageRow::COLUMNS)?;
    for row in rows {
        writer.serialize(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        let read: Vec<UsageRow> = csv::Reader::from_reader(file.as_bytes()).deserialize().map(Result::unwrap).collect();
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
        let read: Vec<UsageRow> = csv::Reader::from_reader(line.as_bytes()).deserialize().map(Result::unwrap).collect();
        assert_eq!(read, [row("1")], "a file reads back as it was");
        assert_eq!(json(&[]).unwrap(), "[]\n");
    }
}
