//! The comparison of usage with an invoice. Pure: no I/O.

mod amount;
mod subject;
mod tolerance;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use usage_billing::Decimal;

use crate::commands::usage::names::normalized;
use crate::commands::usage::reconcile::invoice::{Invoice, InvoiceLine};
use crate::commands::usage::reconcile::map_file::MapFile;
use crate::commands::usage::reconcile::usage_items::{CustomerKey, Item, ItemKey, UsageItems};
use crate::suggestion::similar;

use self::amount::{is_other_currency, product_difference};
use self::subject::{Subject, subject};
pub(crate) use self::tolerance::Tolerance;

#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) tolerance: Tolerance,
    pub(super) amount_tolerance: Decimal,
    pub(super) compares_vendor_prices: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    NotBilled,
    NotUsed,
    Quantity,
    Price,
    Amount,
    Currency,
    UnknownCustomer,
    UnknownSku,
    Ambiguous,
    Agrees,
}

/// An exception, or an item that agrees.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) vendor: Option<String>,
    pub(super) customer: String,
    pub(super) sku: String,
    pub(super) unit: Option<String>,
    pub(super) used: Option<Decimal>,
    pub(super) billed: Option<Decimal>,
    pub(super) price_expected: Option<Decimal>,
    pub(super) price_billed: Option<Decimal>,
    /// The amount that was billed too much; negative if it was too little.
    pub(super) amount: Option<Decimal>,
    pub(super) currency: Option<String>,
    /// Lines of the invoice.
    pub(super) lines: Vec<usize>,
    pub(super) suggestion: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Reconciliation {
    /// The largest amounts first.
    pub(super) exceptions: Vec<Entry>,
    pub(super) agreements: Vec<Entry>,
    /// Items that are on both sides.
    pub(super) compared: usize,
    pub(super) compared_lines: usize,
    pub(super) ignored_lines: usize,
    /// Items of the usage that were not compared, as a line of the invoice is probably theirs and its name differs.
    pub(super) withheld: usize,
}

impl Reconciliation {
    /// Compares the usage with the invoice.
    ///
    /// # Errors
    /// If a sum has more than 28 digits.
    pub(super) fn new(usage: &UsageItems, invoice: &Invoice, map: &MapFile, options: &Options) -> io::Result<Self> {
        let mut result = Self::default();
        let mut subjects = BTreeMap::<Subject, Vec<&InvoiceLine>>::new();
        for line in &invoice.lines {
            let is_ignored =
                |names: &[String], name: &str| names.iter().any(|ignored| normalized(ignored) == normalized(name));
            if is_ignored(&map.ignore.customers, &line.customer) || is_ignored(&map.ignore.skus, &line.sku) {
                result.ignored_lines += 1;
            } else {
                subjects.entry(subject(usage, map, line)).or_default().push(line);
            }
        }
        let mut withheld = BTreeSet::new();
        for (subject, lines) in &subjects {
            match subject {
                Subject::Item(key) => {
                    result.compared += 1;
                    result.compared_lines += lines.len();
                    result.compare(usage, key, lines, map, options)?;
                }
                other => {
                    let (entry, items) = unmatched(usage, other, lines)?;
                    withheld.extend(items);
                    result.exceptions.push(entry);
                }
            }
        }
        for (key, item) in &usage.items {
            let is_compared = subjects.contains_key(&Subject::Item(key.clone()));
            if is_compared || item.quantity.is_zero() {
                continue;
            }
            if withheld.contains(key) {
                result.withheld += 1;
                continue;
            }
            result.exceptions.push(not_billed(usage, key, item, map)?);
        }
        result.exceptions.sort_by_key(|entry| (std::cmp::Reverse(entry.amount.map(|amount| amount.abs())), entry.kind));
        Ok(result)
    }

    /// Compares the lines of an item with its usage.
    fn compare(
        &mut self,
        usage: &UsageItems,
        key: &ItemKey,
        lines: &[&InvoiceLine],
        map: &MapFile,
        options: &Options,
    ) -> io::Result<()> {
        let item = &usage.items[key];
        let billed = sum(lines.iter().map(|line| line.quantity))?;
        let vendor_price = item.price.filter(|_| options.compares_vendor_prices);
        let price_expected = map.price(&key.sku).or(vendor_price);
        let prices: BTreeSet<_> = lines.iter().filter_map(|line| line.price).collect();
        let price_billed = prices.first().copied().filter(|_| prices.len() == 1);
        let entry = |kind, amount, lines: &[&InvoiceLine]| Entry {
            price_expected,
            price_billed,
            amount,
            currency: lines.iter().find_map(|line| line.currency.clone()).or(item.currency.clone()),
            lines: numbers(lines),
            billed: Some(billed),
            ..of_item(usage, key, item, kind)
        };
        let mut found = Vec::new();
        let amount_difference = amount::amount_difference(item, lines, map.price(&key.sku), options)?;
        let difference = billed - item.quantity;
        let is_other_quantity = !options.tolerance.covers(item.quantity, difference);
        if is_other_quantity {
            let at_price = || price_expected.or(price_billed).and_then(|price| difference.checked_mul(price));
            found.push(entry(Kind::Quantity, amount_difference.or_else(at_price), lines));
        }
        let overpriced: Vec<_> = lines
            .iter()
            .copied()
            .filter(|line| price_expected.is_some() && line.price.is_some() && line.price != price_expected)
            .collect();
        if let (Some(expected), false) = (price_expected, overpriced.is_empty()) {
            let amounts =
                overpriced.iter().map(|line| line.quantity.checked_mul(line.price.unwrap_or(expected) - expected));
            let amount = amounts.collect::<Option<Vec<_>>>().map(|amounts| sum(amounts.into_iter())).transpose()?;
            found.push(Entry { price_billed: overpriced[0].price, ..entry(Kind::Price, amount, &overpriced) });
        }
        match amount_difference {
            // The exception of the quantity states it.
            Some(_) if is_other_quantity => {}
            Some(difference) => {
                let of_price = found.iter().find_map(|entry| entry.amount).unwrap_or_default();
                let rest = sum([difference, -of_price].into_iter())?;
                if rest.abs() > options.amount_tolerance {
                    found.push(entry(Kind::Amount, Some(rest), lines));
                }
            }
            None => {
                for line in lines {
                    let Some(price) = line.price.or(map.price(&key.sku)).filter(|_| line.amount.is_some()) else {
                        continue;
                    };
                    let difference = product_difference(line, price);
                    if difference.is_none_or(|difference| difference.abs() > options.amount_tolerance) {
                        found.push(Entry { price_billed: line.price, ..entry(Kind::Amount, difference, &[*line]) });
                    }
                }
            }
        }
        let currencies: Vec<_> = lines.iter().copied().filter(|line| is_other_currency(item, line)).collect();
        if !currencies.is_empty() {
            found.push(entry(Kind::Currency, None, &currencies));
        }
        match found.is_empty() {
            true => self.agreements.push(entry(Kind::Agrees, None, lines)),
            false => self.exceptions.extend(found),
        }
        Ok(())
    }
}

/// Returns the exception of lines without an item, and the items that are probably theirs.
fn unmatched(usage: &UsageItems, subject: &Subject, lines: &[&InvoiceLine]) -> io::Result<(Entry, Vec<ItemKey>)> {
    let first = lines[0];
    let of_customer =
        |wanted: &CustomerKey| usage.items.keys().filter(|key| key.customer == *wanted).cloned().collect::<Vec<_>>();
    let (kind, customer, suggestion, items) = match subject {
        Subject::UnknownCustomer(name) => {
            let names = usage.customers.values().filter_map(|names| names.name.as_deref());
            let suggestion = similar(name, names);
            let is_meant = |names: &str| Some(names) == suggestion;
            let meant = usage.customers.iter().filter(|(_, names)| names.name.as_deref().is_some_and(is_meant));
            (
                Kind::UnknownCustomer,
                None,
                suggestion.map(str::to_owned),
                meant.flat_map(|(key, _)| of_customer(key)).collect(),
            )
        }
        Subject::UnknownSku(customers, sku) => {
            let own = || usage.items.keys().filter(|key| customers.contains(&key.customer));
            let suggestion =
                similar(sku, own().map(|key| &*key.sku)).or_else(|| similar(sku, usage.skus.iter().map(|sku| &**sku)));
            let items = own().filter(|key| Some(&*key.sku) == suggestion).cloned().collect();
            (Kind::UnknownSku, customers.first(), suggestion.map(str::to_owned), items)
        }
        Subject::NotUsed(customer, _) => (Kind::NotUsed, Some(customer), None, Vec::new()),
        Subject::Ambiguous(..) | Subject::Item(_) => {
            let items = usage.items.keys().filter(|key| normalized(&key.sku) == normalized(&first.sku));
            let suggestion =
                "several customers or units have this name: use the customer's id, or a column of units".to_owned();
            (Kind::Ambiguous, None, Some(suggestion), items.cloned().collect())
        }
    };
    let is_one_sku = lines.iter().all(|line| line.sku == first.sku);
    let amounts = lines.iter().map(|line| line.amount.or_else(|| line.quantity.checked_mul(line.price?)));
    let entry = Entry {
        kind,
        vendor: customer.map(|customer| customer.vendor.clone()),
        customer: customer.map_or_else(|| first.customer.clone(), |customer| display_name(usage, customer)),
        sku: if is_one_sku { first.sku.clone() } else { String::new() },
        unit: first.unit.clone().filter(|_| is_one_sku),
        used: (kind == Kind::NotUsed).then_some(Decimal::ZERO),
        billed: if is_one_sku { Some(sum(lines.iter().map(|line| line.quantity))?) } else { None },
        price_expected: None,
        price_billed: first.price.filter(|price| lines.iter().all(|line| line.price == Some(*price))),
        amount: amounts.collect::<Option<Vec<_>>>().map(|amounts| sum(amounts.into_iter())).transpose()?,
        currency: first.currency.clone(),
        lines: numbers(lines),
        suggestion,
    };
    Ok((entry, items))
}

fn not_billed(usage: &UsageItems, key: &ItemKey, item: &Item, map: &MapFile) -> io::Result<Entry> {
    let price_expected = map.price(&key.sku);
    let at_price = price_expected.and_then(|price| item.quantity.checked_mul(price));
    // At the vendor's price if no other is known.
    let amount = at_price.or(item.amount).map(|amount| -amount);
    Ok(Entry { price_expected, amount, billed: Some(Decimal::ZERO), ..of_item(usage, key, item, Kind::NotBilled) })
}

fn of_item(usage: &UsageItems, key: &ItemKey, item: &Item, kind: Kind) -> Entry {
    Entry {
        kind,
        vendor: Some(key.customer.vendor.clone()),
        customer: display_name(usage, &key.customer),
        sku: key.sku.clone(),
        unit: Some(key.unit.clone()),
        used: Some(item.quantity),
        billed: None,
        price_expected: None,
        price_billed: None,
        amount: None,
        currency: item.currency.clone(),
        lines: Vec::new(),
        suggestion: None,
    }
}

fn display_name(usage: &UsageItems, customer: &CustomerKey) -> String {
    let name = usage.customers.get(customer).and_then(|names| names.name.clone());
    name.or(customer.id.clone()).unwrap_or_else(|| customer.account.clone())
}

fn numbers(lines: &[&InvoiceLine]) -> Vec<usize> {
    lines.iter().map(|line| line.number).collect()
}

fn sum(mut numbers: impl Iterator<Item = Decimal>) -> io::Result<Decimal> {
    let sum = numbers.try_fold(Decimal::ZERO, |sum, number| sum.checked_add(number));
    sum.ok_or_else(|| io::Error::other("a sum of the invoice has more than 28 digits"))
}

#[cfg(test)]
mod tests;
