//! Comparison of the charges of a product with the rows of bills that count the same usage.

use std::collections::BTreeSet;

use usage_billing_core::Decimal;

use super::EndedCharge;
use crate::UsageRow;
use crate::genesys::ContractCharge;
use crate::genesys::charge::is_same;
use crate::genesys::charge_difference::is_rounded;
use crate::genesys::exact::{exact_sum, exact_total};
use crate::rows::loadable;

/// The result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The rows of bills are complete and have the numbers that the charges state.
    Agrees,
    /// Numbers are unknown, or charges or rows are missing. The known ones do not contradict each other.
    MayAgree,
    /// The charges and the rows cannot both be right.
    Contradicts,
}

/// The sides of a comparison.
pub(super) struct Sides<'a> {
    /// All charges that may count usage of the organizations.
    pub(super) charges: &'a [&'a EndedCharge<'a>],
    /// Whether no other charge exists.
    pub(super) are_all_charges: bool,
    /// The organizations whose rows are compared.
    pub(super) organizations: &'a BTreeSet<&'a str>,
    pub(super) rows: &'a [&'a UsageRow],
    /// Whether each of the organizations has rows.
    pub(super) are_all_rows: bool,
}

impl Sides<'_> {
    /// Compares quantity, amount and currency of the overage, as far as the charges state them.
    pub(super) fn compare(&self) -> Fit {
        let currencies = self.charges.iter().map(|of| of.charge.currency.as_deref());
        let mut currencies = currencies.chain(self.rows.iter().map(|row| row.currency.as_deref())).flatten();
        let currency = currencies.next();
        if currencies.any(|other| currency.is_some_and(|first| !is_same(first, other))) {
            return Fit::Contradicts;
        }
        let quantities = self.fit(
            |charge| charge.overage_quantity,
            |row| row.overage_quantity,
            |theirs, ours| loadable::quantity(theirs) == ours,
        );
        // An amount without a prepaid amount is of the overage alone.
        let overage_amount = |row: &UsageRow| exact_sum(row.amount?, -row.prepaid_amount.unwrap_or_default());
        let amounts =
            self.fit(|charge| charge.overage_charge, overage_amount, |theirs, ours| is_rounded(theirs, ours, currency));
        quantities.max(amounts)
    }

    /// Compares a number. The charges for these organizations alone are the least of what the rows count, all charges together the most.
    fn fit(
        &self,
        theirs: fn(&ContractCharge) -> Option<Decimal>,
        ours: fn(&UsageRow) -> Option<Decimal>,
        is_near: impl Fn(Decimal, Decimal) -> bool,
    ) -> Fit {
        let stated = || self.charges.iter().filter(|of| theirs(of.charge).is_some());
        if stated().next().is_none() {
            return Fit::Agrees;
        }
        let own = stated().filter(|of| of.organizations.is_subset(self.organizations));
        let least = exact_total(own.map(|of| theirs(of.charge)));
        let most = exact_total(self.charges.iter().map(|of| theirs(of.charge))).filter(|_| self.are_all_charges);
        let numbers = || self.rows.iter().map(|row| ours(row));
        let Some(known) = exact_total(numbers().filter(Option::is_some)) else { return Fit::MayAgree };
        let is_known = self.are_all_rows && numbers().all(|number| number.is_some());
        let is_above = most.is_some_and(|most| known > most && !is_near(most, known));
        let is_below = is_known && least.is_some_and(|least| known < least && !is_near(least, known));
        match is_known {
            _ if is_above || is_below => Fit::Contradicts,
            true => Fit::Agrees,
            false => Fit::MayAgree,
        }
    }
}
