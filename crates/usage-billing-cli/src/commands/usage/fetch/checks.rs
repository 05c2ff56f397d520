//! Checks of the rows of a month before they are written.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use usage_billing::uuid::Uuid;
use usage_billing::{UsageRow, printable};

/// Names that a line lists.
const NAMES: usize = 5;

/// Returns the keys that several rows have: a load by key would lose all but one of them.
pub(crate) fn duplicate_keys(rows: &[UsageRow]) -> BTreeSet<Uuid> {
    let mut seen = HashSet::with_capacity(rows.len());
    rows.iter().map(|row| row.row_key).filter(|key| !seen.insert(*key)).collect()
}

/// Customers of a vendor in one month: their names by account and id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Customers(BTreeMap<(String, String), String>);

impl Customers {
    pub(crate) fn add(&mut self, row: &UsageRow) {
        if let Some(id) = &row.customer_id {
            let name = row.customer_name.as_ref().unwrap_or(id).clone();
            self.0.insert((row.account_id.clone(), id.clone()), name);
        }
    }

    /// Returns a line that names the customers without rows in the next month, if there are any.
    pub(crate) fn missing_in(&self, next: &Self) -> Option<String> {
        let missing: Vec<_> = self.0.iter().filter(|(id, _)| !next.0.contains_key(id)).map(|(_, name)| name).collect();
        if missing.is_empty() {
            return None;
        }
        let names: Vec<_> = missing.iter().take(NAMES).map(|name| printable(name).to_string()).collect();
        let others = missing.len().saturating_sub(NAMES);
        let others = if others == 0 { String::new() } else { format!(" and {others} more") };
        let count = if missing.len() == 1 { "1 customer".to_owned() } else { format!("{} customers", missing.len()) };
        Some(format!("{count} of the month before have no rows: {}{others}", names.join(", ")))
    }
}

impl<'a> FromIterator<&'a UsageRow> for Customers {
    fn from_iter<T: IntoIterator<Item = &'a UsageRow>>(rows: T) -> Self {
        let mut customers = Self::default();
        rows.into_iter().for_each(|row| customers.add(row));
        customers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::row;

    fn customer(id: &str, name: &str) -> UsageRow {
        let mut row = row("1");
        (row.customer_id, row.customer_name) = (Some(id.to_owned()), Some(name.to_owned()));
        row
    }

    #[test]
    fn duplicate_keys_are_found() {
        let (one, mut other) = (row("1"), row("2"));
        other.row_key = Uuid::nil();
        assert!(duplicate_keys(&[one.clone(), other.clone()]).is_empty());
        assert_eq!(duplicate_keys(&[one.clone(), other, one.clone()]), BTreeSet::from([one.row_key]));
    }

    #[test]
    fn missing_customers_are_named() {
        let before: Vec<_> = (0..7).map(|id| customer(&id.to_string(), &format!("C{id}\n"))).collect();
        // Renamed, which is the same customer.
        let after = [customer("0", "Other")];
        let before = Customers::from_iter(&before);
        let line = before.missing_in(&Customers::from_iter(&after)).unwrap();
        assert_eq!(line, r"6 customers of the month before have no rows: C1\n, C2\n, C3\n, C4\n, C5\n and 1 more");
        assert_eq!(before.missing_in(&before), None);
    }
}
