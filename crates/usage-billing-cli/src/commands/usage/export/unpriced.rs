//! Items without a price.

use std::collections::BTreeMap;
use std::fmt;

use usage_billing::{UsageRow, printable};

use super::charge::prepaid_quantity;
use crate::exit::Failure;

/// Items that are named one by one.
const NAMED: usize = 20;

/// Billable items that no source prices, with the numbers of their rows.
#[derive(Debug, Default)]
pub(super) struct Unpriced(BTreeMap<Item, u64>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    vendor: String,
    sku: String,
    metric: String,
    unit: String,
    /// Whether a part is paid for beforehand.
    is_prepaid: bool,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sku, metric, unit) = (printable(&self.sku), printable(&self.metric), printable(&self.unit));
        let prepaid = if self.is_prepaid { ", with a prepaid_unit_price" } else { "" };
        write!(f, "{} {sku} (metric {metric}, unit {unit}{prepaid})", self.vendor)
    }
}

impl Unpriced {
    pub(super) fn add(&mut self, row: &UsageRow) {
        let item = Item {
            vendor: row.vendor.to_string(),
            sku: row.sku.clone(),
            metric: row.metric.clone(),
            unit: row.unit.clone(),
            is_prepaid: prepaid_quantity(row).is_some(),
        };
        *self.0.entry(item).or_default() += 1;
    }

    /// Fails if items have no price.
    ///
    /// # Errors
    /// The items, if there are any.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let named: Vec<_> = self.0.keys().take(NAMED).map(Item::to_string).collect();
        let more = match self.0.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(Failure::Check(format!(
            "nothing was written, because {} billable rows have no price; add a line for each of these items to the file of --prices: {}{more}",
            self.0.values().sum::<u64>(),
            named.join(", ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::row;

    #[test]
    fn items_are_named_once() {
        let mut unpriced = Unpriced::default();
        assert!(unpriced.check().is_ok());
        unpriced.add(&row("1"));
        unpriced.add(&row("2"));
        let line = unpriced.check().unwrap_err().to_string();
        assert!(line.ends_with(": acronis STO (metric pw_base_storage, unit GiB)"), "{line}");
        for number in 0..NAMED {
            let mut row = row("1");
            row.sku = format!("SKU-{number}");
            unpriced.add(&row);
        }
        let line = unpriced.check().unwrap_err().to_string();
        assert!(line.contains("because 22 billable rows have no price") && line.ends_with(" and 1 more"), "{line}");
    }
}
