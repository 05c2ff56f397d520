//! Columns for people.

use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{CellAlignment, Table, presets};
use usage_billing::{UsageRow, printable};

use crate::terminal::count;

/// Places after the point in tables.
const PLACES: usize = 6;

pub(super) fn table(rows: &[UsageRow]) -> String {
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
        count(rows.len(), "row")
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
