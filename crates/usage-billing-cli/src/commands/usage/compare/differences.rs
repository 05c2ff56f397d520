//! The differences of two sides.

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use serde_json::{Value, json};
use usage_billing::Decimal;

use super::side::{Identity, Side, Values};
use crate::formats::Records;

/// Smallest differences that are printed.
#[derive(Debug, Default)]
pub(super) struct Thresholds {
    pub(super) change: Option<Decimal>,
    pub(super) percent: Option<Decimal>,
}

/// Numbers of rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    added: u64,
    removed: u64,
    changed: u64,
    below: u64,
    same: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, removed, changed, below, same } = self;
        write!(f, "{added} added, {removed} removed, {changed} changed, {same} the same")?;
        if *below > 0 {
            write!(f, "; {below} with smaller differences are not listed")?;
        }
        Ok(())
    }
}

const COLUMNS: [&str; 17] = [
    "change",
    "vendor",
    "customer_name",
    "sku",
    "metric",
    "quantity_before",
    "quantity_after",
    "quantity_change",
    "percent",
    "unit",
    "is_billable",
    "currency",
    "amount_before",
    "amount_after",
    "amount_change",
    "customer_id",
    "account_id",
];
const ESSENTIAL: [&str; 5] = ["change", "customer_name", "sku", "quantity_before", "quantity_after"];
const NUMBERS: [&str; 7] = [
    "quantity_before",
    "quantity_after",
    "quantity_change",
    "percent",
    "amount_before",
    "amount_after",
    "amount_change",
];

/// Returns the differences, the largest changes of an amount or else of a quantity first within each type of change.
pub(super) fn differences(before: &Side, after: &Side, thresholds: &Thresholds) -> io::Result<(Records, Summary)> {
    let (mut found, mut summary) = (Vec::new(), Summary::default());
    let identities: BTreeSet<_> = before.0.keys().chain(after.0.keys()).collect();
    for identity in identities {
        let difference = Difference::new(before.0.get(identity), after.0.get(identity))?;
        if !difference.exists() {
            summary.same += 1;
        } else if !difference.reaches(thresholds) {
            summary.below += 1;
        } else {
            match difference.change() {
                Change::Added => summary.added += 1,
                Change::Removed => summary.removed += 1,
                Change::Changed => summary.changed += 1,
            }
            found.push((identity, difference));
        }
    }
    // Stable: otherwise by identity.
    found.sort_by_key(|(_, difference)| (difference.change(), std::cmp::Reverse(difference.weight())));
    let rows = found.iter().map(|(identity, difference)| difference.record(identity)).collect();
    Ok((Records { columns: COLUMNS.into(), numbers: &NUMBERS, essential: &ESSENTIAL, rows }, summary))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Added,
    Removed,
    Changed,
}

struct Difference<'a> {
    before: Option<&'a Values>,
    after: Option<&'a Values>,
    quantity: Decimal,
    /// Percentage of the quantity before; absent if that is 0.
    percent: Option<Decimal>,
    /// Of one currency.
    amount: Option<Decimal>,
}

impl<'a> Difference<'a> {
    fn new(before: Option<&'a Values>, after: Option<&'a Values>) -> io::Result<Self> {
        let quantity = |values: Option<&Values>| values.map_or(Decimal::ZERO, |values| values.quantity);
        let too_long = || io::Error::other("a difference has more than 28 digits");
        let change = quantity(after).checked_sub(quantity(before)).ok_or_else(too_long)?;
        let percent =
            change.checked_div(quantity(before).abs()).and_then(|part| part.checked_mul(Decimal::ONE_HUNDRED));
        let amount = match (money(before), money(after)) {
            (Some((one, before)), Some((other, after))) if one == other => after.checked_sub(before),
            (Some((_, removed)), None) if after.is_none() => Some(-removed),
            (None, Some((_, added))) if before.is_none() => Some(added),
            _ => None,
        };
        Ok(Self { before, after, quantity: change, percent, amount })
    }

    fn change(&self) -> Change {
        match (self.before, self.after) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            (Some(_), Some(_)) => Change::Changed,
        }
    }

    fn exists(&self) -> bool {
        match (self.before, self.after) {
            (Some(before), Some(after)) => before.quantity != after.quantity || before.amounts != after.amounts,
            _ => true,
        }
    }

    fn reaches(&self, thresholds: &Thresholds) -> bool {
        let reaches = |value: Decimal, least: Option<Decimal>| least.is_none_or(|least| value.abs() >= least);
        reaches(self.quantity, thresholds.change)
            && self.percent.is_none_or(|percent| reaches(percent, thresholds.percent))
    }

    fn weight(&self) -> (Decimal, Decimal) {
        (self.amount.unwrap_or_default().abs(), self.quantity.abs())
    }

    fn record(&self, identity: &Identity) -> Vec<Value> {
        let decimal = |value: Decimal| value.normalize().to_string();
        let values = self.after.or(self.before);
        let mut currencies: Vec<_> =
            [self.before, self.after].into_iter().flatten().flat_map(|values| values.amounts.keys().cloned()).collect();
        currencies.sort();
        currencies.dedup();
        let change = match self.change() {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "changed",
        };
        vec![
            json!(change),
            json!(identity.vendor),
            json!(values.and_then(|values| values.customer_name.clone()).or(identity.customer.clone())),
            json!(identity.sku),
            json!(identity.metric),
            json!(self.before.map(|values| decimal(values.quantity))),
            json!(self.after.map(|values| decimal(values.quantity))),
            json!(decimal(self.quantity)),
            json!(self.percent.filter(|_| self.after.is_some()).map(|percent| decimal(percent.round_dp(1)))),
            json!(identity.unit),
            json!(identity.is_billable.map_or("unknown".to_owned(), |is_billable| is_billable.to_string())),
            json!(Some(currencies.join(", ")).filter(|currencies| !currencies.is_empty())),
            json!(money(self.before).map(|(_, amount)| decimal(amount))),
            json!(money(self.after).map(|(_, amount)| decimal(amount))),
            json!(self.amount.map(decimal)),
            json!(identity.customer),
            json!(identity.account),
        ]
    }
}

fn money(values: Option<&Values>) -> Option<(&str, Decimal)> {
    values.and_then(Values::money)
}

#[cfg(test)]
mod tests {
    use usage_billing::UsageRow;

    use super::*;
    use crate::formats::columns::text;
    use crate::formats::tests::row;

    fn side(rows: &[UsageRow]) -> Side {
        let mut side = Side::default();
        rows.iter().for_each(|row| side.add(row).unwrap());
        side
    }

    fn sku(sku: &str, quantity: &str, amount: Option<&str>) -> UsageRow {
        let mut row = row(quantity);
        row.sku = sku.to_owned();
        row.amount = amount.map(|amount| amount.parse().unwrap());
        row
    }

    fn found(before: &[UsageRow], after: &[UsageRow], thresholds: &Thresholds) -> (Vec<[String; 6]>, String) {
        let (records, summary) = differences(&side(before), &side(after), thresholds).unwrap();
        let columns = ["change", "sku", "quantity_change", "percent", "amount_change", "currency"];
        let values = |row: &Vec<Value>| {
            columns.map(|name| text(&row[COLUMNS.iter().position(|column| *column == name).unwrap()]))
        };
        (records.rows.iter().map(values).collect(), summary.to_string())
    }

    #[test]
    fn rows_of_two_months_are_compared_by_identity() {
        let before =
            [sku("A", "10", Some("1.00")), sku("B", "5", None), sku("C", "0.1", None), sku("D", "3", Some("3"))];
        let mut after = [
            sku("A", "12.5", Some("1.25")),
            sku("C", "0.10", None),
            sku("D", "3", Some("4")),
            sku("E", "7", Some("70")),
        ];
        for row in &mut after {
            (row.period_start, row.period_end) =
                ("2026-11-01T00:00:00Z".parse().unwrap(), "2026-12-01T00:00:00Z".parse().unwrap());
        }
        let (rows, summary) = found(&before, &after, &Thresholds::default());
        assert_eq!(
            rows,
            [
                ["added", "E", "7", "", "70", "EUR"],
                ["removed", "B", "-5", "", "", "EUR"],
                ["changed", "D", "0", "0", "1", "EUR"],
                ["changed", "A", "2.5", "25", "0.25", "EUR"],
            ]
        );
        assert_eq!(summary, "1 added, 1 removed, 2 changed, 1 the same");
    }

    #[test]
    fn smaller_differences_are_counted_and_not_listed() {
        let before = [sku("A", "100", None), sku("B", "100", None), sku("C", "1", None), sku("D", "0", None)];
        let after = [sku("A", "110", None), sku("B", "130", None), sku("C", "2", None), sku("D", "20", None)];
        let thresholds = Thresholds { change: "5".parse().ok(), percent: "20".parse().ok() };
        let (rows, summary) = found(&before, &after, &thresholds);
        assert_eq!(rows.iter().map(|row| &*row[1]).collect::<Vec<_>>(), ["B", "D"]);
        assert_eq!(summary, "0 added, 0 removed, 2 changed, 0 the same; 2 with smaller differences are not listed");
    }

    #[test]
    fn billable_rows_and_currencies_are_never_mixed() {
        let mut trial = sku("A", "10", None);
        trial.is_billable = Some(false);
        let mut dollars = sku("B", "1", Some("2"));
        dollars.currency = Some("USD".to_owned());
        let (rows, _) =
            found(&[trial, sku("B", "1", Some("1"))], &[sku("A", "10", None), dollars], &Thresholds::default());
        assert_eq!(
            rows,
            [
                ["added", "A", "10", "", "", "EUR"],
                ["removed", "A", "-10", "", "", "EUR"],
                ["changed", "B", "0", "0", "", "EUR, USD"],
            ]
        );
    }
}
