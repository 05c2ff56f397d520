//! The charts of the bills, one for each currency.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use usage_billing_core::Decimal;

use super::bill::cents;
use crate::vendors::Vendor;

/// Bars of a chart.
const MAX_BARS: usize = 15;

/// The largest amounts in one currency.
#[derive(Serialize)]
pub(super) struct Chart {
    currency: String,
    bars: Vec<Bar>,
    /// Amounts without a bar.
    others: usize,
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
        let longest = amounts.first().map_or(Decimal::ONE, |amount| amount.amount);
        let others = amounts.len().saturating_sub(MAX_BARS);
        amounts.truncate(MAX_BARS);
        let bar = |ChartAmount { vendor, customer, amount, .. }| {
            let length = (amount / longest * Decimal::ONE_HUNDRED).round_dp(2).normalize();
            Bar { vendor, customer, amount: cents(amount), length: length.to_string() }
        };
        Self { currency, bars: amounts.into_iter().map(bar).collect(), others }
    }
}
