//! The amounts of an invoice compared with those of the usage.

use std::io;

use usage_billing::Decimal;

use super::{Options, sum};
use crate::commands::usage::reconcile::invoice::InvoiceLine;
use crate::commands::usage::reconcile::usage_items::Item;

/// Returns by how much the amounts of lines exceed that of their usage, if they are at the vendor's prices: not if the map states a price, and
/// not if each is its quantity at a price that is not the vendor's.
pub(super) fn amount_difference(
    item: &Item,
    lines: &[&InvoiceLine],
    own_price: Option<Decimal>,
    options: &Options,
) -> io::Result<Option<Decimal>> {
    let is_product = |line: &&InvoiceLine| {
        let difference = line.price.and_then(|price| product_difference(line, price));
        difference.is_some_and(|difference| difference.abs() <= options.amount_tolerance)
    };
    let has_own_prices = own_price.is_some()
        || !options.compares_vendor_prices
            && lines.iter().all(|line| !item.unit_prices.contains(&line.price))
            && lines.iter().all(is_product);
    let billed: Option<Vec<_>> = lines.iter().map(|line| line.amount).collect();
    match item.amount.zip(billed) {
        Some((used, billed)) if !has_own_prices && !lines.iter().any(|line| is_other_currency(item, line)) => {
            sum(billed.into_iter().chain([-used])).map(Some)
        }
        _ => Ok(None),
    }
}

/// Returns by how much the amount of a line exceeds its quantity at a price; `None` if it has more than 28 digits.
pub(super) fn product_difference(line: &InvoiceLine, price: Decimal) -> Option<Decimal> {
    line.amount?.checked_sub(line.quantity.checked_mul(price)?)
}

pub(super) fn is_other_currency(item: &Item, line: &InvoiceLine) -> bool {
    line.currency.is_some() && item.currency.is_some() && line.currency != item.currency
}
