//! The charts of the bills, one for each currency.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use usage_billing_core::Decimal;

use super::amount::cents;
use crate::vendors::Vendor;

/// Bars of a chart.
const MAX_BARS: usize = 15;

/// The largest amounts in one currency.
#[derive(Serialize)]
pub(super) struct Chart {
    currency: String,
    total: String,
    /// The largest first.
    vendors: Vec<Share>,
    bars: Vec<Bar>,
    /// Amounts without a bar.
    others: usize,
}

/// The part of the total that one vendor has.
#[derive(Serialize)]
struct Share {
    vendor: Vendor,
    /// Percentage of the total.
    length: String,
}

#[derive(Serialize)]
struct Bar {
    vendor: Vendor,
    /// `None` for the account itself.
    customer: Option<String>,
    amount: String,
    /// Percentage of the longest bar.
    length: String,
}

/// What a customer owes to a vendor.
pub(super) struct ChartAmount {
    pub(super) vendor: Vendor,
    pub(super) customer: Option<String>,
    pub(super) currency: String,
    pub(super) amount: Decimal,
}

impl Chart {
    pub(super) fn by_currency(amounts: impl Iterator<Item = ChartAmount>) -> Vec<Self> {
        let mut by_currency: BTreeMap<String, Vec<ChartAmount>> = BTreeMap::new();
        for amount in amounts.filter(|amount| amount.amount > Decimal::ZERO) {
            by_currency.entry(amount.currency.clone()).or_default().push(amount);
        }
        by_currency.into_iter().map(|(currency, amounts)| Self::new(currency, amounts)).collect()
    }

    fn new(currency: String, mut amounts: Vec<ChartAmount>) -> Self {
        amounts.sort_by_key(|amount| Reverse(amount.amount));
        let sum = |vendor: Option<Vendor>| {
            let of_vendor = amounts.iter().filter(|amount| vendor.is_none_or(|vendor| amount.vendor == vendor));
            of_vendor.fold(Decimal::ZERO, |sum, amount| sum.saturating_add(amount.amount))
        };
        let total = sum(None);
        let mut sums: Vec<_> = Vendor::ALL.map(|vendor| (vendor, sum(Some(vendor)))).into();
        sums.retain(|(_, sum)| *sum > Decimal::ZERO);
        sums.sort_by_key(|(_, sum)| Reverse(*sum));
        let share = |(vendor, sum)| Share { vendor, length: percentage(sum, total) };
        let vendors = sums.into_iter().map(share).collect();
        let longest = amounts.first().map_or(Decimal::ONE, |amount| amount.amount);
        let others = amounts.len().saturating_sub(MAX_BARS);
        amounts.truncate(MAX_BARS);
        let bar = |ChartAmount { vendor, customer, amount, .. }| Bar {
            vendor,
            customer,
            amount: cents(amount),
            length: percentage(amount, longest),
        };
        let bars = amounts.into_iter().map(bar).collect();
        Self { currency, total: cents(total), vendors, bars, others }
    }
}

/// Returns a percentage, for the length of bars; `whole` is positive.
fn percentage(part: Decimal, whole: Decimal) -> String {
    (part / whole * Decimal::ONE_HUNDRED).round_dp(2).normalize().to_string()
}
