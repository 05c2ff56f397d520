//! Prices by SKU and month, from Acronis' effective price lists.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use usage_billing_core::{Decimal, Error, ErrorKind, LenientDecimal, Result, printable};
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
    /// Prices by month (`2026-10`) and SKU.
    prices: HashMap<(String, String), Result<SkuPrice, PriceProblem>>,
}

/// Why a SKU has no price in a month.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PriceProblem {
    /// A price cannot be read, or price lists contradict each other. Its rows lack the price.
    Unknown(String),
    /// A price does not fit its column. Its rows are errors.
    DoesNotFit(String),
}

impl PriceBook {
    pub(crate) fn new(lists: types::EffectivePriceLists) -> Self {
        let mut prices = HashMap::new();
        for list in lists.price_lists {
            for price in &list.prices {
                let new = SkuPrice::new(&list, price);
                if let Err(PriceProblem::Unknown(reason)) = &new {
                    warn(&list, price, reason);
                }
                match prices.entry((list.month.trim().to_owned(), price.sku.trim().to_owned())) {
                    Entry::Vacant(place) => {
                        place.insert(new);
                    }
                    Entry::Occupied(mut place) => {
                        let known = place.get_mut();
                        *known = match (std::mem::replace(known, new.clone()), new) {
                            // Equal prices in two lists are one. For different prices, no source states which is charged.
                            (Ok(known), Ok(new)) if known.agrees(&new) => Ok(known),
                            (Ok(_), Ok(_)) => {
                                let reason = "another price list has another price";
                                warn(&list, price, reason);
                                Err(PriceProblem::Unknown(reason.to_owned()))
                            }
                            (Err(one), Err(other)) => Err(one.max(other)),
                            (Err(unusable), Ok(_)) | (Ok(_), Err(unusable)) => Err(unusable),
                        };
                    }
                }
            }
        }
        Self { prices }
    }

    /// Sets the price of the row's SKU in the month of the row. It sets no amount: no source states the unit of a price (a gigabyte, a hundred of
    /// them, a pack).
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for a price that does not fit its column; the error names the row.
    pub(crate) fn apply(&self, row: &mut UsageRow) -> Result<()> {
        let month = Period::month_of(row.period_start.date_naive());
        if row.period_end > month.end() {
            return Ok(());
        }
        let price = match self.prices.get(&(name_of(month), row.sku.clone())) {
            Some(Ok(price)) => price,
            Some(Err(PriceProblem::DoesNotFit(reason))) => {
                let number = row.source_row.unwrap_or_default();
                let message = format!("row {number} of the report: the {reason}");
                return Err(Error::new(ErrorKind::Decode, message).with_operation(OPERATION));
            }
            Some(Err(PriceProblem::Unknown(_))) | None => return Ok(()),
        };
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
        Ok(())
    }
}

impl SkuPrice {
    /// Reads a price.
    ///
    /// # Errors
    /// The reason why the price cannot be used.
    fn new(list: &types::EffectivePriceList, price: &types::EffectivePrice) -> Result<Self, PriceProblem> {
        let number = |name: &str, number: &Option<LenientDecimal>| {
            let value = number.as_ref().map_or(Ok(None), LenientDecimal::value);
            value.map_err(|reason| format!("{name} is {reason}"))
        };
        // These are optional beside the price.
        let optional = |name: &str, of: &Option<LenientDecimal>| {
            number(name, of).unwrap_or_else(|reason| {
                warn(list, price, &reason);
                None
            })
        };
        let fitting = |name: &str, value: Option<Decimal>| match value {
            Some(value) if !loadable::unit_price_fits(value) => {
                let code = list.pricelist_code.as_deref().unwrap_or_default();
                let (sku, code, month) = (printable(&price.sku), printable(code), printable(&list.month));
                let reason =
                    format!("{name} {value} of {sku} in the price list {code} of {month} does not fit DECIMAL(38,12)");
                Err(PriceProblem::DoesNotFit(reason))
            }
            value => Ok(value),
        };
        let list_price = fitting("list_price", optional("list_price", &price.list_price))?;
        let effective = number("effective_price", &price.effective_price).map_err(PriceProblem::Unknown)?;
        let effective = fitting("effective_price", effective)?;
        let currency = list.currency.trim();
        if currency.is_empty() {
            return Err(PriceProblem::Unknown("the price list has no currency".to_owned()));
        }
        Ok(Self {
            currency: currency.to_owned(),
            list_code: list.pricelist_code.clone().filter(|code| !code.is_empty()),
            effective: effective.ok_or_else(|| PriceProblem::Unknown("effective_price is missing".to_owned()))?,
            list: list_price,
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
