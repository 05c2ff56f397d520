//! The vendor's prices for the partner by SKU and month.

use chrono::{Datelike, NaiveDate};
use usage_billing_core::Decimal;

use super::catalogue::SOLD;

/// Prices of a month.
pub(crate) struct PriceList {
    pub(crate) month: NaiveDate,
    pub(crate) currency: &'static str,
    pub(crate) commitment: &'static str,
    pub(crate) code: String,
    pub(crate) prices: Vec<SkuPrice>,
}

/// The price of one unit of a SKU as it is billed.
pub(crate) struct SkuPrice {
    pub(crate) sku: &'static str,
    pub(crate) item: &'static str,
    pub(crate) effective: Decimal,
    pub(crate) list: Decimal,
    /// Percent.
    pub(crate) sku_discount: Decimal,
    pub(crate) list_discount: Decimal,
}

/// Returns the prices of the month that begins on a day. The discount of the list differs from month to month.
pub(crate) fn price_list(month: NaiveDate) -> PriceList {
    let list_discount = Decimal::new(100 + i64::from(month.month() % 3) * 25, 1);
    let prices = SOLD.iter().zip(0i64..).filter_map(|(item, number)| {
        let sku_discount = Decimal::new(number % 4 * 5, 0);
        let list = item.price();
        let left = |percent: Decimal| Decimal::ONE - percent / Decimal::ONE_HUNDRED;
        let effective = (list * left(sku_discount) * left(list_discount)).normalize();
        Some(SkuPrice { sku: item.sku?, item: item.name, effective, list, sku_discount, list_discount })
    });
    PriceList {
        month,
        currency: "EUR",
        commitment: "2500",
        code: format!("DEMO-EU-{}", month.year()),
        prices: prices.collect(),
    }
}

impl PriceList {
    pub(crate) fn of(&self, sku: &str) -> Option<&SkuPrice> {
        self.prices.iter().find(|price| price.sku == sku)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact_and_differ_by_month() {
        let of = |day: &str| price_list(day.parse().unwrap());
        let (october, november) = (of("2026-10-01"), of("2026-11-01"));
        for (one, other) in october.prices.iter().zip(&november.prices) {
            assert_eq!(one.sku, other.sku);
            assert!(one.effective != other.effective && one.effective < one.list, "{}", one.sku);
            assert!(one.effective.to_string().len() <= 16);
        }
        let servers = october.of("DEMO-SRV-PW").unwrap();
        // 19.00, less 10 % and 12.5 %.
        assert_eq!(servers.effective.to_string(), "14.9625");
    }
}
