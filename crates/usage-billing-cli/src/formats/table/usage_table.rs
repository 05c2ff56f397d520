//! Usage rows as a table.

use usage_billing::chrono::{DateTime, SecondsFormat, Utc};
use usage_billing::{Decimal, Period, UsageRow};

use super::Content::{Number, Text};
use super::Display::{Always, IfDiffers, IfSpace};
use super::{Content, Display, Grid, GridColumn, LongText, MONEY_PLACES, PLACES, shortened, wrapped};
use crate::terminal::count;

/// A column: its header, what it contains, when it is shown, and its value.
type Column = (&'static str, Content, Display, fn(&UsageRow) -> String);

/// The last ones are omitted first if the terminal is narrow.
const COLUMNS: [Column; 17] = [
    ("VENDOR", Text, IfSpace, |row| row.vendor.to_string()),
    ("CUSTOMER", Text, Always, |row| {
        let customer = row.customer_name.as_ref().or(row.customer_id.as_ref()).or(row.account_name.as_ref());
        customer.unwrap_or(&row.account_id).clone()
    }),
    // The metric distinguishes rows of one SKU, such as storage in different clouds.
    ("SKU", Text, Always, |row| match row.sku.contains(&row.metric) {
        true => row.sku.clone(),
        false => format!("{} ({})", row.sku, row.metric),
    }),
    ("QUANTITY", Number, Always, |row| decimal(Some(row.quantity), PLACES)),
    ("UNIT", Text, Always, |row| row.unit.clone()),
    ("AMOUNT", Number, IfDiffers, |row| decimal(row.amount, MONEY_PLACES)),
    ("CURRENCY", Text, IfDiffers, |row| row.currency.clone().unwrap_or_default()),
    ("BILLABLE", Text, IfDiffers, |row| row.is_billable.map_or("?", yes_or_no).to_owned()),
    ("PERIOD", Text, IfSpace, period),
    ("COST", Number, IfSpace, |row| decimal(row.cost, MONEY_PLACES)),
    ("REASON", Text, IfSpace, |row| row.billing_reason.to_string()),
    ("UNIT PRICE", Number, IfSpace, |row| decimal(row.unit_price, PLACES)),
    ("OVERAGE", Number, IfSpace, |row| decimal(row.overage_quantity, PLACES)),
    ("FINAL", Text, IfSpace, |row| yes_or_no(row.is_final).to_owned()),
    ("LEVEL", Text, IfSpace, |row| row.report_level.clone().unwrap_or_default()),
    ("MODE", Text, IfSpace, |row| row.usage_mode.map(|mode| mode.to_string()).unwrap_or_default()),
    ("ACCOUNT", Text, IfSpace, |row| row.account_name.as_ref().unwrap_or(&row.account_id).clone()),
];

const LEGEND: &str = "PERIOD: the end is excluded (UTC); FINAL: the vendor does not change it any more; BILLABLE: the vendor charges this account for it (?: unknown)";

/// Returns the rows as a table of at most a width.
pub(crate) fn usage_table(rows: &[UsageRow], width: Option<u16>) -> String {
    let columns = COLUMNS.map(|(header, content, display, _)| GridColumn {
        header: header.to_owned(),
        content,
        display: if rows.is_empty() && header == "VENDOR" { Always } else { display },
    });
    let cells = rows.iter().map(|row| COLUMNS.map(|(.., value)| value(row)).into());
    let grid = Grid { columns: columns.into(), rows: cells.collect(), long_text: LongText::Truncated };
    format!("{}{}", grid.render(width), wrapped(&format!("{}; {LEGEND}", count(rows.len(), "row")), width))
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn decimal(value: Option<Decimal>, places: usize) -> String {
    value.map(|value| shortened(&value.normalize().to_string(), places)).unwrap_or_default()
}

fn period(row: &UsageRow) -> String {
    let instant = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    match Period::new(row.period_start, row.period_end) {
        Ok(period) => period.to_string(),
        Err(_) => format!("{}/{}", instant(row.period_start), instant(row.period_end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::{full_row, row};

    #[test]
    fn table_has_money_if_a_row_has_any() {
        let header = |rows: &[UsageRow]| usage_table(rows, None).lines().next().unwrap().to_owned();
        let mut other = row("1");
        (other.sku, other.currency, other.unit_price) = ("B".to_owned(), None, None);
        let mut plain = other.clone();
        plain.sku = "C".to_owned();
        assert!(!header(&[other.clone(), plain]).contains("AMOUNT"));
        assert!(header(&[other, full_row()]).contains("AMOUNT  CURRENCY"));
    }

    #[test]
    fn constant_columns_are_below_the_table() {
        let text = usage_table(&[row("1"), row("2")], None);
        assert_eq!(
            text.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
            ["CUSTOMER", "SKU", "QUANTITY", "UNIT"]
        );
        assert!(
            text.contains("all rows: VENDOR acronis, CURRENCY EUR, BILLABLE yes, PERIOD 2026-10, REASON usage, "),
            "{text}"
        );
    }
}
