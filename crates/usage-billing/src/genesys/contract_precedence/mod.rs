//! Decides whether a contract's charges or the rows of bills count the same usage. Pure functions.

mod comparison;
mod group;

use std::collections::HashSet;

use usage_billing_core::Decimal;

use super::ContractCharge;
use super::charge::is_same;
use super::exact::{exact_sum, exact_total};
use super::unread_charges::UnreadCharges;
use crate::rows::loadable;
use crate::{BillingReason, UsageRow};
use comparison::agree;
use group::{Group, Groups, groups};

/// A charge of an ended period.
pub(super) struct EndedCharge<'a> {
    pub(super) charge: &'a ContractCharge,
    /// Position of its row; `None` if the charge has no row.
    pub(super) row: Option<usize>,
    /// Whether another charge may repeat it.
    pub(super) is_repeated: bool,
}

/// Decides about the rows of charges and of bills that count the same usage: the rows of bills are billable, or the charges, or all of them are
/// unknown. The vendor's charges take precedence over rows that are not known to be billable or have other numbers, if they are complete. Charges
/// without such rows, wallets, and those for the organization `account` alone, are not decided. `unread` states whose charges may be missing.
pub(super) fn apply(
    charges: &[EndedCharge<'_>],
    unread: &UnreadCharges,
    account: &str,
    rows: &mut [UsageRow],
    bill_rows: &mut [UsageRow],
) {
    let Groups { groups, without_charge, of_wallets } = groups(charges, account, bill_rows);
    let decisions: Vec<_> = groups.iter().map(|group| decide(group, unread)).collect();
    for Decision { charges, of_charges, bill_rows: positions, of_bills } in decisions {
        for (position, terms) in charges {
            let Some(row) = rows.get_mut(position) else { continue };
            set_reason(row, of_charges);
            if let Some(Terms { subscription_type, prepaid_amount, amount }) = terms {
                (row.subscription_type, row.prepaid_amount, row.amount) = (subscription_type, prepaid_amount, amount);
            }
        }
        let Some(of_bills) = of_bills else { continue };
        for position in positions {
            if let Some(row) = bill_rows.get_mut(position) {
                set_reason(row, of_bills);
            }
        }
    }
    // The contract of an organization charges for its other products and not for this overage, or it was not read.
    let is_unread = |position: usize| {
        let organization = bill_rows.get(position).and_then(|row| row.customer_id.as_deref());
        organization.is_none_or(|organization| unread.may_be_of(organization))
    };
    let without_charge: Vec<_> = without_charge.into_iter().filter(|position| !is_unread(*position)).collect();
    for position in without_charge.into_iter().chain(of_wallets) {
        if let Some(row) = bill_rows.get_mut(position).filter(|row| row.is_billable == Some(true)) {
            set_reason(row, BillingReason::SeeInvoice);
        }
    }
}

fn set_reason(row: &mut UsageRow, reason: BillingReason) {
    (row.billing_reason, row.is_billable) = (reason, reason.is_billable());
}

/// The decision about the rows of charges and of bills that count the same usage.
struct Decision {
    /// Positions of the rows of charges, with the terms of billable ones.
    charges: Vec<(usize, Option<Terms>)>,
    of_charges: BillingReason,
    /// Positions of the rows of bills.
    bill_rows: Vec<usize>,
    /// The reason of the rows of bills, if it changes.
    of_bills: Option<BillingReason>,
}

/// Terms that the rows of bills state, and charges do not.
struct Terms {
    subscription_type: Option<String>,
    prepaid_amount: Option<Decimal>,
    /// The vendor's charge and the prepaid amount.
    amount: Option<Decimal>,
}

fn decide(group: &Group<'_>, unread: &UnreadCharges) -> Decision {
    let counted: Vec<_> = group.rows.iter().map(|(_, row)| *row).collect();
    let are_counted =
        counted.iter().all(|row| row.is_billable == Some(true) || row.billing_reason == BillingReason::RampPeriod);
    let is_certain = group.has_all_rows
        && group.is_of_clients
        && group.is_of_same_organizations
        && !group.has_wallet_overage
        && !group.charges.iter().any(|of| of.is_repeated && of.charge.has_overage());
    // Of repetitions without an overage, none is billed. They are compared once.
    let mut seen = HashSet::new();
    let distinct: Vec<_> =
        group.charges.iter().copied().filter(|of| !of.is_repeated || seen.insert(of.charge.content())).collect();
    let is_complete = |of: &&EndedCharge<'_>| {
        of.row.is_some() && !of.is_repeated && of.charge.states_overage() && !of.charge.may_be_charged_elsewhere()
    };
    let are_all_read = !group.organizations.iter().any(|organization| unread.may_be_of(organization));
    let is_charged =
        are_all_read && group.is_of_same_product && !group.has_wallet && group.charges.iter().all(is_complete);
    let (of_charges, of_bills) = match is_certain {
        true if are_counted && agree(&distinct, &counted) => (BillingReason::NotABillingBasis, None),
        true if is_charged => (BillingReason::Usage, Some(BillingReason::NotABillingBasis)),
        // The charges and the bills contradict each other, or what they count is unknown.
        _ => (BillingReason::SeeInvoice, Some(BillingReason::SeeInvoice)),
    };
    let mut terms = match of_charges {
        BillingReason::Usage => terms(&group.charges, &counted),
        _ => Vec::new(),
    }
    .into_iter();
    let charges = group.charges.iter().filter_map(|of| Some((of.row?, terms.next()))).collect();
    Decision { charges, of_charges, bill_rows: group.rows.iter().map(|(position, _)| *position).collect(), of_bills }
}

/// Returns the terms of charges that replace these rows, in the order of the charges. The first one takes over the prepaid amount. Where the
/// prepaid amount is unknown, in another currency or of another quantity, the amounts are unknown; if the rows state nothing as prepaid, those of
/// charges with a prepaid quantity.
fn terms(charges: &[&EndedCharge<'_>], replaced: &[&UsageRow]) -> Vec<Terms> {
    let mut types = replaced.iter().map(|row| row.subscription_type.as_deref());
    let first = types.next().flatten();
    let subscription_type = first.filter(|first| types.all(|other| other == Some(first)));
    let currency = charges.first().and_then(|of| of.charge.currency.as_deref());
    let is_in_currency = |other: Option<&str>| currency.zip(other).is_some_and(|(one, other)| is_same(one, other));
    let are_in_currency = replaced.iter().all(|row| is_in_currency(row.currency.as_deref()))
        && charges.iter().all(|of| is_in_currency(of.charge.currency.as_deref()));
    let quantity = exact_total(charges.iter().map(|of| of.charge.prepaid_quantity)).map(loadable::quantity);
    let is_same_quantity =
        quantity.is_some() && quantity == exact_total(replaced.iter().map(|row| row.prepaid_quantity));
    // A contract without a commitment also states a prepaid quantity of 0, so that it does not contradict what the rows state as prepaid.
    let is_prepaid = |row: &&UsageRow| {
        [row.prepaid_quantity, row.prepaid_amount].into_iter().flatten().any(|prepaid| !prepaid.is_zero())
    };
    let replaces_prepaid = replaced.iter().any(is_prepaid);
    let prepaid = exact_total(replaced.iter().map(|row| row.prepaid_amount))
        .filter(|prepaid| is_same_quantity && (prepaid.is_zero() || are_in_currency))
        .or(quantity.filter(|quantity| quantity.is_zero() && !replaces_prepaid));
    // A year is paid for in a month that no response names.
    let is_annual = subscription_type == Some("PREPAY");
    let nothing = is_annual.then_some(Decimal::ZERO);
    let amount = |of: &&EndedCharge<'_>, is_first: bool| {
        let overage = of.charge.overage_charge.map(loadable::quantity)?;
        match prepaid.or(nothing) {
            Some(due) if is_first => exact_sum(overage, due),
            None if replaces_prepaid => None,
            None if of.charge.prepaid_quantity.is_none_or(|quantity| !quantity.is_zero()) => None,
            _ => Some(overage),
        }
    };
    let terms = charges.iter().enumerate().map(|(number, of)| Terms {
        subscription_type: subscription_type.map(str::to_owned),
        prepaid_amount: prepaid.filter(|_| number == 0),
        amount: amount(of, number == 0),
    });
    terms.collect()
}

#[cfg(test)]
mod tests;
