//! The usage that billable rows count. Rows that count it in another view must not be added to them.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Utc};
use usage_billing::{UsageRow, Vendor, printable};

use crate::exit::Failure;

/// The views of the usage of billable rows. Each check adds a row, and rejects one that counts the usage of others in another view.
#[derive(Debug, Default)]
pub(crate) struct CountedUsage {
    /// The reports of an account, or of one of its levels.
    reports: Views<(Vendor, String, Option<String>)>,
    /// The accounts whose rows have a customer, also as the account itself.
    accounts: Views<(Vendor, String)>,
    /// The operations whose rows have an item of a customer.
    operations: Views<(Vendor, String, String, Name)>,
}

/// A name of an item in lower case. An item without a part number, whose SKU is its metric, is found by the metric of those with one.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Name {
    Sku(String),
    Metric { name: String, has_part_number: bool },
}

impl CountedUsage {
    /// Checks that a sum over reports, accounts and operations counts nothing twice.
    pub(crate) fn check(&mut self, row: &UsageRow) -> Result<(), Failure> {
        self.check_reports(row)?;
        self.check_accounts(row)?;
        self.check_operations(row)
    }

    /// Checks that sums of each level of reports and each account count nothing twice.
    pub(crate) fn check_within_levels(&mut self, row: &UsageRow) -> Result<(), Failure> {
        self.check_reports_of(row, row.report_level.clone())?;
        self.check_operations(row)
    }

    /// Checks that the rows of an account and month are from one report of one level of the tree: every level has the same usage again.
    pub(crate) fn check_reports(&mut self, row: &UsageRow) -> Result<(), Failure> {
        self.check_reports_of(row, None)
    }

    fn check_reports_of(&mut self, row: &UsageRow, level_apart: Option<String>) -> Result<(), Failure> {
        let Some(level) = row.report_level.as_deref().filter(|_| is_billable(row)) else { return Ok(()) };
        let report = row.source_report_id.as_deref().unwrap_or("without id");
        let view = format!("the level {} (report {})", printable(level), printable(report));
        let key = (row.vendor, row.account_id.clone(), level_apart);
        if let Some(other) = self.reports.other(&key, &view, row) {
            return Err(failure(row, &format!("account {}", printable(&row.account_id)), &view, other, ""));
        }
        self.reports.add(key, &view, row);
        Ok(())
    }

    /// Checks that the rows of a customer are those of one account. Levels of a tree contain what is below their customers, so that an account
    /// that is another one's customer counts the same usage, too.
    fn check_accounts(&mut self, row: &UsageRow) -> Result<(), Failure> {
        // What two organizations sell to a buyer is never the same usage.
        if row.vendor == Vendor::Suger {
            return Ok(());
        }
        let account = row.report_level.as_ref().map(|_| row.account_id.as_str());
        for customer in customers(row).chain(account).filter(|_| is_billable(row)) {
            let key = (row.vendor, customer.to_owned());
            if let Some(other) = self.accounts.other(&key, &row.account_id, row) {
                let [one, other] =
                    [&row.account_id, other].map(|account| format!("the account {}", printable(account)));
                let of = format!("customer {}", printable(customer));
                let files = format!(" (in a data set, `vendor={}/*/part-ACCOUNT.parquet`)", row.vendor);
                return Err(failure(row, &of, &one, &other, &files));
            }
            self.accounts.add(key, &row.account_id, row);
        }
        Ok(())
    }

    /// Checks that the rows of an item are those of one operation, such as a bill, or the charges of a contract that replace it.
    pub(crate) fn check_operations(&mut self, row: &UsageRow) -> Result<(), Failure> {
        // Rows of a tree are of one operation, as are the months and hours of a metric that Suger counts apart. A row of nothing is added to any other.
        let is_of_one_operation = row.report_level.is_some() || row.vendor == Vendor::Suger;
        if !is_billable(row) || is_of_one_operation || is_nothing(row) {
            return Ok(());
        }
        let [sku, metric] = [&row.sku, &row.metric].map(|name| name.trim().to_lowercase());
        let has_part_number = sku != metric;
        let names = |has_part_number| [Name::Sku(sku.clone()), Name::Metric { name: metric.clone(), has_part_number }];
        let operation = &row.source_operation;
        for customer in customers(row) {
            let key = |name: Name| (row.vendor, row.account_id.clone(), customer.to_owned(), name);
            for name in names(!has_part_number) {
                if let Some(other) = self.operations.other(&key(name), operation, row) {
                    let of = format!("customer {} and {}", printable(customer), printable(&row.sku));
                    let [one, other] = [operation, other].map(|name| format!("the operation {}", printable(name)));
                    return Err(failure(row, &of, &one, &other, ""));
                }
            }
            for name in names(has_part_number) {
                self.operations.add(key(name), operation, row);
            }
        }
        Ok(())
    }
}

fn is_billable(row: &UsageRow) -> bool {
    row.is_billable == Some(true)
}

/// Returns whether the row adds nothing to a sum.
fn is_nothing(row: &UsageRow) -> bool {
    let amounts = [row.prepaid_quantity, row.prepaid_amount, row.amount, row.cost];
    row.quantity.is_zero() && amounts.into_iter().flatten().all(|amount| amount.is_zero())
}

/// Returns the ids of the customers; that of the account, if it is the customer itself. A charge of several organizations names all of them.
fn customers(row: &UsageRow) -> impl Iterator<Item = &str> {
    row.customer_id.as_deref().unwrap_or(&row.account_id).split(',')
}

fn failure(row: &UsageRow, of: &str, view: &str, other: &str, files: &str) -> Failure {
    let (vendor, month) = (row.vendor, row.period_start.format("%Y-%m"));
    Failure::Usage(format!(
        "{vendor}: the billable rows of {of} in {month} are of {other} and of {view}, which count the same usage: name the files of one of them{files}"
    ))
}

/// Views of the same usage by what it is of, with the periods of their rows.
#[derive(Debug)]
struct Views<K>(HashMap<K, Vec<View>>);

#[derive(Debug)]
struct View {
    name: String,
    periods: Vec<Period>,
}

type Period = (DateTime<Utc>, DateTime<Utc>);

impl<K> Default for Views<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Views<K> {
    /// Returns another view with rows of the same period.
    fn other(&self, key: &K, name: &str, row: &UsageRow) -> Option<&str> {
        let period = (row.period_start, row.period_end);
        let overlaps = |view: &&View| view.name != name && view.periods.iter().any(|other| is_same(period, *other));
        self.0.get(key)?.iter().find(overlaps).map(|view| view.name.as_str())
    }

    /// Adds the period of a row.
    fn add(&mut self, key: K, name: &str, row: &UsageRow) {
        let period = (row.period_start, row.period_end);
        let views = self.0.entry(key).or_default();
        match views.iter_mut().find(|view| view.name == name) {
            Some(view) if view.periods.last() == Some(&period) => {}
            Some(view) => view.periods.push(period),
            None => views.push(View { name: name.to_owned(), periods: vec![period] }),
        }
    }
}

/// Returns whether one period is mostly within the other. Those of bills and contracts begin at midnight of different time zones, so that neighbours
/// overlap by hours.
fn is_same((start, end): Period, (other_start, other_end): Period) -> bool {
    let common = end.min(other_end) - start.max(other_start);
    common * 2 > (end - start).min(other_end - other_start)
}

#[cfg(test)]
mod tests {
    use usage_billing::Decimal;

    use super::*;
    use crate::formats::tests::{full_row, row};

    fn october(change: impl FnOnce(&mut UsageRow)) -> UsageRow {
        let mut row = row("1");
        row.report_level = Some("direct_partners".to_owned());
        row.source_report_id = Some("r-1".to_owned());
        change(&mut row);
        row
    }

    /// A row of a bill, or of a contract's charge.
    fn genesys(operation: &str, change: impl FnOnce(&mut UsageRow)) -> UsageRow {
        let mut row = full_row();
        (row.source_operation, row.report_level) = (operation.to_owned(), None);
        change(&mut row);
        row
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn found(rows: &[UsageRow]) -> Result<(), String> {
        let mut counted = CountedUsage::default();
        rows.iter().try_for_each(|row| counted.check(row)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn usage_in_two_views_is_rejected_with_both() {
        let all = |row: &mut UsageRow| row.report_level = text("all_customers");
        let cases = [
            (
                [october(|_| {}), october(all)],
                "acronis: the billable rows of account t-0 in 2026-10 are of the level direct_partners (report r-1) and of the level all_customers (report r-1), \
                which count the same usage: name the files of one of them",
            ),
            // A report of the same level that has other items.
            (
                [october(|_| {}), october(|row| row.source_report_id = text("r-2"))],
                "(report r-1) and of the level direct_partners (report r-2)",
            ),
            (
                [october(|_| {}), october(|row| row.source_report_id = None)],
                "(report r-1) and of the level direct_partners (report without id)",
            ),
            // The partner's customer is an account as well.
            (
                [october(|_| {}), october(|row| (row.account_id, row.customer_id) = ("t-1".to_owned(), text("t-9")))],
                "of customer t-1 in 2026-10 are of the account t-0 and of the account t-1, which count the same usage: name the files of one of them \
                (in a data set, `vendor=acronis/*/part-ACCOUNT.parquet`)",
            ),
            (
                [october(|_| {}), october(|row| row.account_id = "t-7".to_owned())],
                "of customer t-1 in 2026-10 are of the account t-0 and of the account t-7",
            ),
            (
                [
                    genesys("bill", |_| {}),
                    genesys("contract", |row| (row.account_id, row.customer_id) = ("c".to_owned(), None)),
                ],
                "genesys: the billable rows of customer c in 2026-10 are of the account a and of the account c",
            ),
            // A charge of several organizations, whose period begins at another midnight.
            (
                [
                    genesys("bill", |row| row.period_end = "2026-10-31T20:00:00Z".parse().unwrap()),
                    genesys("contract", |row| (row.customer_id, row.sku) = (text("b,c"), "s-1 ".to_owned())),
                ],
                "genesys: the billable rows of customer c and s-1  in 2026-10 are of the operation bill and of the operation contract",
            ),
            // By name, if one of them has no part number.
            (
                [genesys("bill", |row| row.sku = "M ".to_owned()), genesys("contract", |_| {})],
                "and S-1 in 2026-10 are of the operation bill and of the operation contract",
            ),
            // Periods of which one is within the other.
            (
                [
                    genesys("bill", |_| {}),
                    genesys("contract", |row| row.period_end = "2026-10-01T01:00:00Z".parse().unwrap()),
                ],
                "are of the operation bill and of the operation contract",
            ),
        ];
        for (rows, expected) in cases {
            let line = found(&rows).unwrap_err();
            assert!(line.contains(expected), "{line}");
            let [one, other] = rows;
            assert!(found(&[other, one]).is_err(), "in another order: {expected}");
        }
    }

    #[test]
    fn rows_that_count_other_usage_are_accepted() {
        let month = |row: &mut UsageRow| {
            (row.period_start, row.period_end) =
                ("2026-11-01T00:00:00Z".parse().unwrap(), "2026-12-01T00:00:00Z".parse().unwrap());
        };
        let all = |row: &mut UsageRow| row.report_level = text("all_customers");
        for rows in [
            [october(|_| {}), october(|row| row.sku = "other".to_owned())],
            [
                october(|_| {}),
                october(|row| {
                    all(row);
                    month(row);
                }),
            ],
            [
                october(|_| {}),
                october(|row| {
                    all(row);
                    row.is_billable = Some(false);
                }),
            ],
            [
                october(|_| {}),
                october(|row| {
                    all(row);
                    row.is_billable = None;
                }),
            ],
            [
                october(|_| {}),
                october(|row| {
                    all(row);
                    (row.account_id, row.customer_id) = ("t-2".to_owned(), text("t-3"));
                }),
            ],
            [
                genesys("bill", |_| {}),
                genesys("contract", |row| (row.sku, row.metric) = ("S-2".to_owned(), "n".to_owned())),
            ],
            [genesys("bill", |_| {}), genesys("contract", |row| row.customer_id = text("b"))],
            // Two part numbers of one name.
            [genesys("bill", |_| {}), genesys("contract", |row| row.sku = "S-3".to_owned())],
            // Neighbours of different time zones.
            [
                genesys("bill", |row| row.period_end = "2026-11-01T07:00:00Z".parse().unwrap()),
                genesys("contract", month),
            ],
            // A partner's own charges, and its bills of clients.
            [genesys("bill", |_| {}), genesys("contract", |row| row.customer_id = None)],
        ] {
            assert_eq!(found(&rows), Ok(()));
        }
        let suger = |operation: &str, account: &str| {
            genesys(operation, |row| (row.vendor, row.account_id) = (Vendor::Suger, account.to_owned()))
        };
        assert_eq!(
            found(&[suger("groups", "a"), suger("groups", "b")]),
            Ok(()),
            "sales of two organizations to a buyer"
        );
        // As one fetch has them after a change of the metric's kind.
        let mut hour = suger("reports", "a");
        hour.period_end = "2026-10-01T01:00:00Z".parse().unwrap();
        assert_eq!(found(&[suger("groups", "a"), hour]), Ok(()), "the groups of a month, and an hour of a report");
        let mut nothing = genesys("contract", |row| (row.quantity, row.prepaid_quantity) = (Decimal::ZERO, None));
        (nothing.prepaid_amount, nothing.amount, nothing.cost) = (None, None, None);
        assert_eq!(found(&[genesys("bill", |_| {}), nothing]), Ok(()), "a row of nothing");
    }

    #[test]
    fn levels_apart_are_accepted_and_two_reports_of_one_are_rejected() {
        let check = |rows: [UsageRow; 2]| {
            let mut counted = CountedUsage::default();
            rows.iter().try_for_each(|row| counted.check_within_levels(row)).map_err(|failure| failure.to_string())
        };
        let other_report = |row: &mut UsageRow| row.source_report_id = text("r-2");
        assert_eq!(check([october(|_| {}), october(|row| row.report_level = text("all_customers"))]), Ok(()));
        let line = check([october(|_| {}), october(other_report)]).unwrap_err();
        assert!(line.contains("(report r-1) and of the level direct_partners (report r-2)"), "{line}");
        assert!(check([genesys("bill", |_| {}), genesys("contract", |_| {})]).is_err());
    }
}
