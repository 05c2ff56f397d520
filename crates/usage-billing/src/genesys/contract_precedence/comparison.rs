//! Comparison of the charges for a product with the rows of bills that count the same usage.

use usage_billing_core::Decimal;

use super::EndedCharge;
use crate::UsageRow;
use crate::genesys::ContractCharge;
use crate::genesys::charge::is_same;
use crate::genesys::charge_difference::rounding_of_sum;
use crate::genesys::exact::{exact_sum, exact_total};
use crate::rows::loadable;

/// Returns whether the rows of bills have all numbers that the charges state, in the same currency.
pub(super) fn agree(charges: &[&EndedCharge<'_>], rows: &[&UsageRow]) -> bool {
    let currencies = charges.iter().map(|of| of.charge.currency.as_deref());
    let mut currencies = currencies.chain(rows.iter().map(|row| row.currency.as_deref())).flatten();
    let currency = currencies.next();
    let is_one_currency = currencies.all(|other| currency.is_none_or(|first| is_same(first, other)));
    // An amount without a prepaid amount is of the overage alone.
    let overage_amount = |row: &UsageRow| exact_sum(row.amount?, -row.prepaid_amount.unwrap_or_default());
    let tolerance = rounding_of_sum(charges.iter().map(|of| of.charge), currency);
    // A contract without a commitment also states a prepaid quantity of 0.
    let prepaid = exact_total(charges.iter().map(|of| of.charge.prepaid_quantity)).filter(|sum| !sum.is_zero());
    let has_same_prepaid = prepaid.is_none_or(|theirs| {
        exact_total(rows.iter().map(|row| row.prepaid_quantity)) == Some(loadable::quantity(theirs))
    });
    is_one_currency
        && has_same_prepaid
        && is_stated(
            charges,
            |charge| charge.overage_quantity,
            |theirs| exact_total(rows.iter().map(|row| row.overage_quantity)) == Some(loadable::quantity(theirs)),
        )
        && is_stated(
            charges,
            |charge| charge.overage_charge,
            |theirs| {
                let ours = exact_total(rows.iter().map(|row| overage_amount(row)));
                ours.is_some_and(|ours| (theirs - ours).abs() < tolerance)
            },
        )
}

/// Returns whether the sum of a number fits; also if no charge states it, but not if some do.
fn is_stated(
    charges: &[&EndedCharge<'_>],
    number: fn(&ContractCharge) -> Option<Decimal>,
    fits: impl FnOnce(Decimal) -> bool,
) -> bool {
    match exact_total(charges.iter().map(|of| number(of.charge))) {
        Some(sum) => fits(sum),
        None => charges.iter().all(|of| number(of.charge).is_none()),
    }
}
