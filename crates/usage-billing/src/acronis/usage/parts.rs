//! The two parts of a number, production and trial, with the price of each.

use usage_billing_core::{Decimal, Error, ErrorKind, Result};

use crate::UsageMode;
use crate::acronis::{Amounts, Price, ReportRow};

const TRIAL: &str = "trial";

/// Production and trial in the unit of the file.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    production: PricedQuantity,
    trial: PricedQuantity,
    /// Whether columns of a row contradict each other about what is trial.
    pub(crate) contradict: bool,
}

#[derive(Clone, Debug, Default)]
struct PricedQuantity {
    quantity: Decimal,
    /// The price, if a row states one for this part. It is `Some(None)` if a row lacks it or rows differ, because the price of one row would be
    /// wrong for the sum.
    price: Option<Option<Price>>,
}

impl Parts {
    /// Splits a row into production and the rest of the total. Both add up to the total for any value of the column for trial.
    pub(crate) fn from_row(row: &ReportRow) -> Result<Self> {
        let Amounts { production, trial: stated, total } = row.change_or_level();
        let trial = total.checked_sub(production).ok_or_else(|| {
            let message = format!("row {} of the report: its usage has more than 28 digits", row.number);
            Error::new(ErrorKind::Decode, message)
        })?;
        let states_trial = row.pricing_mode.as_deref().is_some_and(|mode| mode.trim().eq_ignore_ascii_case(TRIAL));
        let is_trial = !trial.is_zero() && (states_trial || production.is_zero());
        // Some files repeat the total in the column for trial if there is no trial.
        let is_repeated = trial.is_zero() && stated == total;
        let priced = |of_trial: bool| (is_trial == of_trial).then(|| row.price.clone());
        Ok(Self {
            production: PricedQuantity { quantity: production, price: priced(false) },
            trial: PricedQuantity { quantity: trial, price: priced(true) },
            contradict: (stated != trial && !is_repeated) || (states_trial && trial.is_zero() && !production.is_zero()),
        })
    }

    /// Adds parts; returns `None` if a sum has more than 28 digits.
    pub(crate) fn add(&mut self, other: Self) -> Option<()> {
        self.contradict |= other.contradict;
        self.production.add(other.production)?;
        self.trial.add(other.trial)
    }

    /// Returns production and trial together.
    pub(crate) fn total(&self) -> Decimal {
        self.production.quantity.saturating_add(self.trial.quantity)
    }

    /// Returns the size of the names of currencies, in bytes.
    pub(crate) fn currency_bytes(&self) -> usize {
        let prices = [&self.production, &self.trial].into_iter().filter_map(|part| part.price.as_ref()?.as_ref());
        prices.map(|price| price.currency.len()).sum()
    }

    /// Returns the parts that exist: production, unless all use is trial; trial, if there is any.
    pub(crate) fn by_mode(&self) -> impl Iterator<Item = (UsageMode, Decimal, Option<&Price>)> {
        let has_trial = !self.trial.quantity.is_zero();
        let has_production = !self.production.quantity.is_zero() || !has_trial;
        let parts =
            [(UsageMode::Production, &self.production, has_production), (UsageMode::Trial, &self.trial, has_trial)];
        let present = parts.into_iter().filter(|(.., is_present)| *is_present);
        present.map(|(mode, part, _)| (mode, part.quantity, part.price.as_ref().and_then(Option::as_ref)))
    }
}

impl PricedQuantity {
    fn add(&mut self, other: Self) -> Option<()> {
        self.quantity = self.quantity.checked_add(other.quantity)?;
        self.price = match (self.price.take(), other.price) {
            (Some(one), Some(other)) => Some(one.zip(other).and_then(|(one, other)| price_of_both(one, other))),
            (one, other) => one.or(other),
        };
        Some(())
    }
}

/// Returns the price of both; `None` for fields that do not apply to both.
fn price_of_both(one: Price, other: Price) -> Option<Price> {
    let total = one.total.zip(other.total).and_then(|(one, other)| one.checked_add(other));
    let unit = one.unit.filter(|_| one.unit == other.unit);
    (one.currency == other.currency).then_some(Price { total, unit, ..one })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acronis::usage::aggregator::tests::{amounts, row};

    fn parts(row: &ReportRow) -> Vec<(UsageMode, String)> {
        Parts::from_row(row).unwrap().by_mode().map(|(mode, quantity, _)| (mode, quantity.to_string())).collect()
    }

    #[test]
    fn parts_add_up_to_the_total() {
        use UsageMode::{Production, Trial};
        let with = |effective| ReportRow { effective: Some(effective), ..row("customer", "seats", None) };
        assert_eq!(parts(&with(amounts(3, 2))), [(Production, "3".to_owned()), (Trial, "2".to_owned())]);
        assert_eq!(parts(&with(amounts(0, 2))), [(Trial, "2".to_owned())]);
        assert_eq!(parts(&with(amounts(0, 0))), [(Production, "0".to_owned())]);
        // A file whose trial is the total again.
        let doubled = Amounts { trial: 3.into(), ..amounts(3, 0) };
        assert_eq!(parts(&with(doubled)), [(Production, "3".to_owned())]);
    }

    #[test]
    fn contradictory_columns_are_detected() {
        let row_with = |production: i64, trial: i64, total: i64, mode: Option<&str>| ReportRow {
            effective: Some(Amounts { production: production.into(), trial: trial.into(), total: total.into() }),
            pricing_mode: mode.map(str::to_owned),
            ..row("customer", "seats", None)
        };
        for (row, expected) in [
            (row_with(3, 2, 5, None), false),
            (row_with(-3, 1, -2, None), false),
            (row_with(3, 2, 5, Some("trial")), false),
            (row_with(0, 2, 2, Some("trial")), false),
            (row_with(0, 0, 0, Some("trial")), false),
            (row_with(3, 0, 3, Some("production")), false),
            (row_with(3, 0, 3, Some("trial")), true),
            (row_with(3, 0, 3, Some(" Trial ")), true),
            (row_with(2, 1, 2, None), true),
            (row_with(0, 0, 2, None), true),
            (row_with(3, 3, 3, None), false),
            (row_with(2, 3, 3, None), true),
        ] {
            let parts = Parts::from_row(&row).unwrap();
            assert_eq!(parts.contradict, expected, "{row:?}");
            let mut sum = Parts::from_row(&row_with(1, 0, 1, None)).unwrap();
            sum.add(parts).unwrap();
            assert_eq!(sum.contradict, expected, "a sum with it: {row:?}");
        }
    }

    #[test]
    fn price_belongs_to_the_part_of_its_row() {
        use UsageMode::{Production, Trial};
        for (mode, production, trial, expected) in [
            (None, 3, 2, &[Production][..]),
            (None, 3, 0, &[Production]),
            (None, 0, 2, &[Trial]),
            (None, 0, 0, &[Production]),
            (Some("trial"), 3, 2, &[Trial]),
            (Some("TRIAL\t"), 3, 2, &[Trial]),
            (Some("trial"), 3, 0, &[Production]),
            (Some("production"), 3, 2, &[Production]),
        ] {
            let price = Price { currency: "EUR".to_owned(), unit: None, total: None };
            let row = ReportRow {
                effective: Some(amounts(production, trial)),
                pricing_mode: mode.map(str::to_owned),
                price: Some(price),
                ..row("customer", "seats", None)
            };
            let parts = Parts::from_row(&row).unwrap();
            let priced: Vec<_> = parts.by_mode().filter(|(.., price)| price.is_some()).map(|(mode, ..)| mode).collect();
            assert_eq!((priced.as_slice(), parts.currency_bytes()), (expected, 3), "{mode:?} {production} {trial}");
        }
    }
}
