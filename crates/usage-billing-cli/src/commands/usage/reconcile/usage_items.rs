//! The usage side of a reconciliation: billable quantities by customer, SKU and unit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use usage_billing::{Decimal, Period, UsageRow};

use crate::accounts::Vendor;
use crate::commands::usage::counted_usage::CountedUsage;
use crate::commands::usage::show::read_distinct;
use crate::exit::Failure;

/// A customer of a vendor's account; without an id, the account itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CustomerKey {
    pub(super) vendor: String,
    pub(super) account: String,
    pub(super) id: Option<String>,
}

/// The names under which an invoice may list a customer.
#[derive(Clone, Debug, Default)]
pub(super) struct CustomerNames {
    pub(super) name: Option<String>,
    pub(super) reference: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ItemKey {
    pub(super) customer: CustomerKey,
    pub(super) sku: String,
    pub(super) unit: String,
}

/// Sum of the billable rows of a customer, a SKU and a unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    pub(super) quantity: Decimal,
    pub(super) metrics: BTreeSet<String>,
    pub(super) currency: Option<String>,
    /// Of the vendor; absent unless it is known of every row.
    pub(super) amount: Option<Decimal>,
    /// The vendor's price of one unit; absent unless all rows have the same, and their amounts are their quantities at this price: prepaid and
    /// included quantities have other prices.
    pub(super) price: Option<Decimal>,
    /// As the rows state them.
    pub(super) unit_prices: BTreeSet<Option<Decimal>>,
    rows: u64,
}

#[derive(Debug, Default)]
pub(super) struct UsageItems {
    pub(super) items: BTreeMap<ItemKey, Item>,
    /// Also of customers without billable rows.
    pub(super) customers: BTreeMap<CustomerKey, CustomerNames>,
    /// SKUs and metrics, also of rows that are not billable.
    pub(super) skus: BTreeSet<String>,
    /// Rows of which no source states whether they are billable.
    pub(super) unknown_rows: u64,
    months: BTreeSet<String>,
    counted: CountedUsage,
}

impl UsageItems {
    /// Reads the rows of one month.
    ///
    /// # Errors
    /// If there are none, or if a sum would count usage twice.
    pub(super) fn read(paths: &[PathBuf], period: Option<Period>, vendor: Option<Vendor>) -> Result<Self, Failure> {
        let vendor = vendor.map(|vendor| vendor.name());
        let mut usage = Self::default();
        read_distinct(paths, |row| {
            let is_wanted = period.is_none_or(|period| period.contains(row.period_start))
                && vendor.is_none_or(|vendor| row.vendor.to_string() == vendor);
            if is_wanted { usage.add(&row) } else { Ok(()) }
        })?;
        usage.check()?;
        Ok(usage)
    }

    pub(super) fn add(&mut self, row: &UsageRow) -> Result<(), Failure> {
        let customer = CustomerKey {
            vendor: row.vendor.to_string(),
            account: row.account_id.clone(),
            id: row.customer_id.clone(),
        };
        let names = self.customers.entry(customer.clone()).or_default();
        let own_name = if row.customer_id.is_none() { row.account_name.clone() } else { None };
        names.name = row.customer_name.clone().or(own_name).or(names.name.take());
        names.reference = row.customer_reference.clone().or(names.reference.take());
        self.skus.extend([row.sku.clone(), row.metric.clone()]);
        self.months.insert(row.period_start.format("%Y-%m").to_string());
        match row.is_billable {
            Some(true) => {}
            Some(false) => return Ok(()),
            None => {
                self.unknown_rows += 1;
                return Ok(());
            }
        }
        // Items are of one account.
        self.counted.check_reports(row)?;
        self.counted.check_operations(row)?;
        let item = self.items.entry(ItemKey { customer, sku: row.sku.clone(), unit: row.unit.clone() }).or_default();
        item.add(row).ok_or_else(|| Failure::Local("a sum of the rows has more than 28 digits".to_owned()))
    }

    fn check(&self) -> Result<(), Failure> {
        if self.customers.is_empty() {
            return Err(Failure::Usage("there is no usage of this period and vendor to compare".to_owned()));
        }
        if self.months.len() > 1 {
            let months = self.months.iter().cloned().collect::<Vec<_>>().join(", ");
            return Err(Failure::Usage(format!("the usage has several months ({months}): choose one with --period")));
        }
        Ok(())
    }
}

impl Item {
    fn add(&mut self, row: &UsageRow) -> Option<()> {
        let price =
            row.unit_price.filter(|price| row.amount.is_some_and(|amount| is_product(row.quantity, *price, amount)));
        let is_same_currency = self.rows == 0 || self.currency == row.currency;
        self.price = price.filter(|price| self.rows == 0 || self.price == Some(*price) && is_same_currency);
        self.amount = match (self.rows, self.amount, row.amount) {
            (0, _, amount) => amount,
            (_, Some(sum), Some(amount)) if is_same_currency => Some(sum.checked_add(amount)?),
            _ => None,
        };
        self.currency = row.currency.clone().filter(|_| is_same_currency);
        self.quantity = self.quantity.checked_add(row.quantity)?;
        self.unit_prices.insert(row.unit_price);
        self.metrics.insert(row.metric.clone());
        self.rows += 1;
        Some(())
    }
}

/// Returns whether an amount is a quantity at a price, rounded to cents or less.
fn is_product(quantity: Decimal, price: Decimal, amount: Decimal) -> bool {
    let difference = quantity.checked_mul(price).and_then(|product| product.checked_sub(amount));
    difference.is_some_and(|difference| difference.abs() <= Decimal::new(5, 3))
}
