//! Prices by SKU and month, from Acronis' effective price lists.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use usage_billing_core::{Decimal, LenientDecimal, printable};
use uuid::Uuid;

use crate::acronis::{Client, types};
use crate::rows::loadable;
use crate::{Period, UsageRow};

const OPERATION: &str = "list_effective_price_lists";

/// The price that a partner is charged for a SKU in a month. All prices fit their columns.
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
pub(crate) struct PriceBook {
    /// Prices by month (`2026-10`) and SKU; `None` if a price cannot be read or price lists contradict each other.
    prices: HashMap<(String, String), Option<SkuPrice>>,
}

impl PriceBook {
    fn new(lists: types::EffectivePriceLists) -> Self {
        let mut prices = HashMap::new();
        for list in lists.price_lists {
            for price in &list.prices {
                let new = SkuPrice::of(&list, price).map_err(|reason| warn(&list, price, &reason)).ok();
                match prices.entry((list.month.trim().to_owned(), price.sku.trim().to_owned())) {
                    Entry::Vacant(place) => {
                        place.insert(new);
                    }
                    // Equal prices in two lists are one. For different prices, no source states which is charged.
                    Entry::Occupied(mut place) => {
                        let known: &Option<SkuPrice> = place.get();
                        if known.as_ref().is_some_and(|known| new.as_ref().is_none_or(|new| !known.agrees(new))) {
                            warn(&list, price, "another price list has another price");
                            place.insert(None);
                        }
                    }
                }
            }
        }
        Self { prices }
    }

    /// Sets the price of the row's SKU in the month of the row. It sets no amount: no source states the unit of a price (a gigabyte, a hundred of
    /// them, a pack).
    pub(crate) fn apply(&self, row: &mut UsageRow) {
        let month = Period::month_of(row.period_start.date_naive());
        if row.period_end > month.end() {
            return;
        }
        let key = (name_of(month), row.sku.clone());
        let Some(Some(price)) = self.prices.get(&key) else { return };
        row.unit_price = Some(loadable::rounded_unit_price(price.effective));
        row.list_price = price.list.map(loadable::rounded_unit_price);
        row.sku_discount_percent = price.sku_discount.map(loadable::quantity);
        row.price_list_discount_percent = price.list_discount.map(loadable::quantity);
        row.price_list_code.clone_from(&price.list_code);
        row.price_source = Some(OPERATION.to_owned());
        // The cost, which the partner charges its customer, is in a currency that the row cannot state.
        if row.currency.as_deref() != Some(&price.currency) {
            (row.cost, row.cost_source) = (None, None);
        }
        row.currency = Some(price.currency.clone());
    }
}

impl SkuPrice {
    /// Reads a price.
    ///
    /// # Errors
    /// The reason why the price cannot be used.
    fn of(list: &types::EffectivePriceList, price: &types::EffectivePrice) -> Result<Self, String> {
        let number = |name: &str, number: &Option<LenientDecimal>| match number.as_ref().map(LenientDecimal::value) {
            None => Ok(None),
            Some(Ok(Some(value))) if !loadable::unit_price_fits(value) => {
                Err(format!("{name} {value} does not fit DECIMAL(38,12)"))
            }
            Some(value) => value.map_err(|reason| format!("{name} is {reason}")),
        };
        // These are optional beside the price.
        let optional = |name: &str, of: &Option<LenientDecimal>| {
            number(name, of).unwrap_or_else(|reason| {
                warn(list, price, &reason);
                None
            })
        };
        let effective = number("effective_price", &price.effective_price)?;
        let currency = list.currency.trim();
        if currency.is_empty() {
            return Err("the price list has no currency".to_owned());
        }
        Ok(Self {
            currency: currency.to_owned(),
            list_code: list.pricelist_code.clone().filter(|code| !code.is_empty()),
            effective: effective.ok_or("effective_price is missing")?,
            list: optional("list_price", &price.list_price),
            sku_discount: optional("sku_discount", &price.sku_discount),
            list_discount: optional("pricelist_discount", &price.pricelist_discount),
        })
    }

    fn agrees(&self, other: &Self) -> bool {
        (&self.currency, self.effective) == (&other.currency, other.effective)
    }
}

/// Logs a price that cannot be used; its rows have no price.
fn warn(list: &types::EffectivePriceList, price: &types::EffectivePrice, reason: &str) {
    tracing::warn!(
        price_list = %printable(list.pricelist_code.as_deref().unwrap_or_default()), sku = %printable(&price.sku),
        month = %printable(&list.month), reason = %printable(reason),
        "a price of a price list cannot be used; rows of the SKU lack Acronis' price: ask Acronis for it"
    );
}

/// Formats a month as the vendor does: `2026-10`.
fn name_of(month: Period) -> String {
    month.start().format("%Y-%m").to_string()
}

impl Client {
    /// Reads the prices of a partner in a month. The book is empty if they cannot be read.
    pub(crate) async fn price_book(&self, tenant: Uuid, month: Period) -> PriceBook {
        let month = name_of(month);
        match self.api.list_effective_price_lists().tenant_id(tenant).months(month).send().await {
            Ok(lists) => PriceBook::new(lists.into_inner()),
            Err(error) => {
                tracing::warn!(%error, "price lists cannot be read; rows lack Acronis' prices");
                PriceBook::default()
            }
        }
    }
}

#[cfg(test)]
mod tests;
