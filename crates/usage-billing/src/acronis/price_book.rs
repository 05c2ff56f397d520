//! Prices by SKU and month, from Acronis' effective price lists.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use usage_billing_core::{Decimal, LenientDecimal, Result, printable};
use uuid::Uuid;

use super::{Client, types};
use crate::{Period, UsageRow, loadable};

const OPERATION: &str = "list_effective_price_lists";

/// What a partner is charged for one unit of a SKU in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SkuPrice {
    currency: String,
    list_code: Option<String>,
    effective: Decimal,
    list: Option<Decimal>,
    sku_discount: Option<Decimal>,
    list_discount: Option<Decimal>,
}

/// Prices of several months; empty if none can be read.
#[derive(Debug, Default)]
pub(super) struct PriceBook {
    /// By month (`2026-10`) and SKU; `None` where price lists contradict each other.
    prices: HashMap<(String, String), Option<SkuPrice>>,
}

impl PriceBook {
    fn new(lists: types::EffectivePriceLists) -> Self {
        let mut prices = HashMap::new();
        for list in lists.price_lists {
            for price in &list.prices {
                let Some(new) = SkuPrice::of(&list, price) else { continue };
                match prices.entry((list.month.trim().to_owned(), price.sku.trim().to_owned())) {
                    Entry::Vacant(place) => {
                        place.insert(Some(new));
                    }
                    // The same price in two lists is one; of two prices nothing states which is charged.
                    Entry::Occupied(mut place) if place.get().as_ref().is_some_and(|known| !known.agrees(&new)) => {
                        tracing::warn!(
                            sku = %printable(&price.sku), month = %printable(&list.month),
                            "price lists have different prices; the row has none"
                        );
                        place.insert(None);
                    }
                    Entry::Occupied(_) => {}
                }
            }
        }
        Self { prices }
    }

    /// Fills in the price of the row's SKU in the month that the row lies in. No amount: what a price is for (a gigabyte, a hundred of them, a
    /// pack) no source states.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](usage_billing_core::ErrorKind::Decode) if a price does not fit; names the SKU and month.
    pub(super) fn apply(&self, row: &mut UsageRow) -> Result<()> {
        let month = Period::month_of(row.period_start.date_naive());
        if row.period_end > month.end() {
            return Ok(());
        }
        let key = (name_of(month), row.sku.clone());
        let Some(Some(price)) = self.prices.get(&key) else { return Ok(()) };
        let place = || format!("the price of {} in {}", printable(&key.1), key.0);
        let in_same_currency = row.currency.as_deref() == Some(&price.currency);
        let unit_price = loadable::unit_price(price.effective, place)?;
        row.unit_price = Some(unit_price);
        row.list_price = price.list.map(|price| loadable::unit_price(price, place)).transpose()?;
        row.sku_discount_percent = price.sku_discount.map(loadable::quantity);
        row.price_list_discount_percent = price.list_discount.map(loadable::quantity);
        row.price_list_code.clone_from(&price.list_code);
        row.price_source = Some(OPERATION.to_owned());
        // What the partner's customer is charged, in a currency that the row cannot name.
        row.cost = row.cost.filter(|_| in_same_currency);
        row.currency = Some(price.currency.clone());
        Ok(())
    }
}

impl SkuPrice {
    /// `None` without a price that can be read.
    fn of(list: &types::EffectivePriceList, price: &types::EffectivePrice) -> Option<Self> {
        let read = |value: &Option<LenientDecimal>| value.as_ref().and_then(|value| value.value().ok().flatten());
        let currency = list.currency.trim();
        Some(Self {
            currency: Some(currency.to_owned()).filter(|currency| !currency.is_empty())?,
            list_code: list.pricelist_code.clone().filter(|code| !code.is_empty()),
            effective: read(&price.effective_price)?,
            list: read(&price.list_price),
            sku_discount: read(&price.sku_discount),
            list_discount: read(&price.pricelist_discount),
        })
    }

    fn agrees(&self, other: &Self) -> bool {
        (&self.currency, self.effective) == (&other.currency, other.effective)
    }
}

/// As the vendor writes a month: `2026-10`.
fn name_of(month: Period) -> String {
    month.start().format("%Y-%m").to_string()
}

impl Client {
    /// Reads what a partner is charged in a month. Without prices if they cannot be read.
    pub(super) async fn price_book(&self, tenant: Uuid, month: Period) -> PriceBook {
        let month = name_of(month);
        match self.api.list_effective_price_lists().tenant_id(tenant).months(month).send().await {
            Ok(lists) => PriceBook::new(lists.into_inner()),
            Err(error) => {
                tracing::warn!(%error, "price lists cannot be read; rows are without Acronis' prices");
                PriceBook::default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row_identity::RowIdentity;
    use crate::{BillingReason, Vendor};
    use serde_json::{Value, json};

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn book(lists: Value) -> PriceBook {
        PriceBook::new(serde_json::from_value(json!({"price_lists": lists})).unwrap())
    }

    fn list(month: &str, currency: &str, prices: Value) -> Value {
        json!({"month": month, "currency": currency, "commitment": "0", "pricelist_code": "EU-1", "prices": prices})
    }

    fn price(sku: &str, effective: &str) -> Value {
        json!({"sku": sku, "effective_price": effective, "list_price": "4", "sku_discount": "10", "pricelist_discount": "2.5"})
    }

    fn row(sku: &str, period: &str, quantity: &str, reason: BillingReason) -> UsageRow {
        let identity = RowIdentity {
            sku,
            ..RowIdentity::new(Vendor::Acronis, "download_stored_report", "t-0", period.parse().unwrap())
        };
        identity.row(decimal(quantity), reason)
    }

    #[test]
    fn a_row_has_the_price_of_its_sku_and_month_and_where_it_is_from() {
        let book = book(json!([
            list("2026-09", "EUR", json!([price("S-1", "9.99")])),
            list("2026-10", "EUR", json!([price("S-1", "3.51"), price("S-2", "1")])),
        ]));
        let mut row = row("S-1", "2026-10", "2.000000001", BillingReason::Usage);
        book.apply(&mut row).unwrap();
        assert_eq!((row.unit_price, row.amount), (Some(decimal("3.51")), None));
        assert_eq!((row.currency.as_deref(), row.list_price), (Some("EUR"), Some(4.into())));
        assert_eq!(
            (row.sku_discount_percent, row.price_list_discount_percent),
            (Some(10.into()), Some(decimal("2.5")))
        );
        assert_eq!((row.price_source.as_deref(), row.price_list_code.as_deref()), (Some(OPERATION), Some("EU-1")));
    }

    #[test]
    fn another_sku_another_month_and_two_months_have_no_price() {
        let book = book(json!([list("2026-10", "EUR", json!([price("S-1", "3.51")]))]));
        for (sku, period) in [("S-9", "2026-10"), ("S-1", "2026-09"), ("S-1", "2026-10-01/2026-12-01")] {
            let mut row = row(sku, period, "2", BillingReason::Usage);
            let before = row.clone();
            book.apply(&mut row).unwrap();
            assert_eq!(row, before, "{sku} {period}");
        }
    }

    #[test]
    fn contradicting_price_lists_give_no_price_and_equal_ones_do() {
        let lists = |other: Value| json!([list("2026-10", "EUR", json!([price("S-1", "3.51")])), other]);
        for (other, expected) in [
            (list("2026-10", "EUR", json!([price("S-1", "3.510")])), Some(decimal("3.51"))),
            (list("2026-10", "EUR", json!([price("S-1", "3.52")])), None),
            (list("2026-10", "USD", json!([price("S-1", "3.51")])), None),
        ] {
            let mut row = row("S-1", "2026-10", "2", BillingReason::Usage);
            book(lists(other.clone())).apply(&mut row).unwrap();
            assert_eq!(row.unit_price, expected, "{other}");
        }
        // A third list does not bring the price back.
        let third = json!([list("2026-10", "EUR", json!([price("S-1", "1"), price("S-1", "2"), price("S-1", "2")]))]);
        let mut row = row("S-1", "2026-10", "2", BillingReason::Usage);
        book(third).apply(&mut row).unwrap();
        assert_eq!(row.unit_price, None);
    }

    #[test]
    fn unreadable_prices_hide_no_others() {
        for unreadable in [json!(""), json!("on request"), json!({}), Value::Null] {
            let odd = json!({"sku": "S-1", "effective_price": unreadable, "list_price": "4"});
            let book = book(json!([list("2026-10", "EUR", json!([odd, price("S-2", "1")]))]));
            let priced = |sku| {
                let mut row = row(sku, "2026-10", "2", BillingReason::Usage);
                book.apply(&mut row).unwrap();
                row.unit_price
            };
            assert_eq!((priced("S-1"), priced("S-2")), (None, Some(1.into())), "{unreadable}");
        }
    }

    #[test]
    fn a_cost_in_another_currency_is_dropped_with_it() {
        let book = book(json!([list("2026-10", "EUR", json!([price("S-1", "3.51")]))]));
        for (currency, cost) in [("EUR", Some(6.into())), ("USD", None)] {
            let mut row = row("S-1", "2026-10", "2", BillingReason::Usage);
            (row.currency, row.cost) = (Some(currency.to_owned()), Some(6.into()));
            book.apply(&mut row).unwrap();
            assert_eq!((row.currency.as_deref(), row.cost), (Some("EUR"), cost), "{currency}");
        }
    }

    #[test]
    fn a_price_that_does_not_fit_is_an_error_that_names_it() {
        let book = book(json!([list("2026-10", "EUR", json!([price("S-1", "100000000000000000000000000")]))]));
        let error = book.apply(&mut row("S-1", "2026-10", "1", BillingReason::Usage)).unwrap_err();
        assert!(error.message().starts_with("the price of S-1 in 2026-10: "), "{error}");
    }
}
