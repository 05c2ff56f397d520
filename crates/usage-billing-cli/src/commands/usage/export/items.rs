//! Items of rows that are not charges, each with a reason.

use std::collections::BTreeMap;

use usage_billing::{UsageRow, printable};

use crate::terminal::count;

/// Items that are listed one by one.
const LISTED: usize = 20;

/// Items with a reason, and the numbers of their rows.
#[derive(Debug, Default)]
pub(super) struct Items(BTreeMap<Item, usize>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    vendor: String,
    sku: String,
    metric: String,
    unit: String,
    reason: String,
}

impl Items {
    pub(super) fn add(&mut self, row: &UsageRow, reason: String) {
        let item = Item {
            vendor: row.vendor.to_string(),
            sku: row.sku.clone(),
            metric: row.metric.clone(),
            unit: row.unit.clone(),
            reason,
        };
        *self.0.entry(item).or_default() += 1;
    }

    /// Returns the number of rows.
    pub(super) fn rows(&self) -> usize {
        self.0.values().sum()
    }

    /// Returns the number of items.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the first items, and how many more there are.
    pub(super) fn list(&self) -> Vec<String> {
        let item = |(item, rows): (&Item, &usize)| {
            let Item { vendor, sku, metric, unit, reason } = item;
            let [sku, metric, unit] = [sku, metric, unit].map(|text| printable(text));
            format!("{vendor} {sku} (metric {metric}, unit {unit}, {}: {reason})", count(*rows, "row"))
        };
        let more = self.0.len().checked_sub(LISTED + 1).map(|more| count(more + 1, "more item"));
        self.0.iter().take(LISTED).map(item).chain(more).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::row;

    #[test]
    fn items_are_listed_once_and_their_number_is_bounded() {
        let mut items = Items::default();
        assert!(items.list().is_empty());
        items.add(&row("1"), "no line".to_owned());
        items.add(&row("2"), "no line".to_owned());
        assert_eq!(items.list(), ["acronis STO (metric pw_base_storage, unit GiB, 2 rows: no line)"]);
        for number in 0..LISTED {
            let mut row = row("1");
            row.sku = format!("SKU-{number}");
            items.add(&row, "no line".to_owned());
        }
        assert_eq!((items.rows(), items.len(), items.list().len()), (22, LISTED + 1, LISTED + 1));
        assert_eq!(items.list()[LISTED], "1 more item");
    }
}
