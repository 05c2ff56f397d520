//! Decides whether a contract's charge or the rows of bills count the same usage. Pure functions.

use std::collections::HashMap;

use usage_billing_core::Decimal;

use super::bill::exact_sum;
use super::billing_period::is_same_period;
use super::charge::is_same;
use super::charge_difference::is_rounded;
use super::{ContractCharge, overview};
use crate::rows::loadable;
use crate::{BillingReason, Period, UsageRow};

/// A charge for client organizations in an ended period, and its row.
pub(super) struct ClientCharge<'a> {
    pub(super) charge: &'a ContractCharge,
    /// Position of its row; `None` if the charge has no row.
    pub(super) row: Option<usize>,
}

/// Decides about the rows of charges for client organizations. The vendor's charge takes precedence over the rows of bills that count the same
/// usage, unless these are billable and agree with it: one of the two is billable, never both. Without such rows, the charge is not decided.
pub(super) fn apply(charges: &[ClientCharge<'_>], rows: &mut [UsageRow], bill_rows: &mut [UsageRow]) {
    let mut by_customer: HashMap<&str, Vec<usize>> = HashMap::new();
    let overviews = bill_rows.iter().enumerate().filter(|(_, row)| row.source_operation == overview::OPERATION);
    for (place, row) in overviews {
        by_customer.entry(row.customer_id.as_deref().unwrap_or_default()).or_default().push(place);
    }
    let mut by_organization: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, charge) in charges.iter().enumerate() {
        for organization in &charge.charge.organizations {
            by_organization.entry(&organization.id).or_default().push(position);
        }
    }
    let mut decided = Vec::new();
    for charge in charges {
        let Some(row) = charge.row else { continue };
        let Some(counted) = counted_rows(charge.charge, &by_customer, bill_rows) else { continue };
        let first = charge.charge.organizations.first().map_or("", |organization| &organization.id);
        let of_product = by_organization.get(first).into_iter().flatten().filter_map(|position| charges.get(*position));
        let of_product: Vec<_> = of_product.filter(|other| is_same_product(other.charge, charge.charge)).collect();
        // A charge for some of the organizations: its usage is in the rows of the others' bills too.
        let is_shared = charge.charge.organizations.iter().any(|organization| {
            let mut others = by_organization.get(&*organization.id).into_iter().flatten();
            others.any(|position| {
                charges.get(*position).is_some_and(|other| {
                    is_same_product(other.charge, charge.charge) && !has_same_organizations(other.charge, charge.charge)
                })
            })
        });
        let counted_now: Vec<&UsageRow> = counted.iter().filter_map(|place| bill_rows.get(*place)).collect();
        let reason = match is_shared || of_product.iter().any(|other| other.row.is_none()) {
            true if counted_now.iter().all(|row| row.is_billable == Some(true)) => BillingReason::NotABillingBasis,
            true => BillingReason::SeeInvoice,
            false => reason(&of_product, &counted_now),
        };
        // Of several charges of the product, the first one has the prepaid amount.
        let is_first = of_product.first().is_some_and(|first| first.row == charge.row);
        decided.push((row, reason, counted, is_first));
    }
    let mut outranked = Vec::new();
    for (row, reason, counted, is_first) in decided {
        let Some(row) = rows.get_mut(row) else { continue };
        set_reason(row, reason);
        if reason != BillingReason::Usage {
            continue;
        }
        let counted_now: Vec<&UsageRow> = counted.iter().filter_map(|place| bill_rows.get(*place)).collect();
        add_prepaid(row, &counted_now, is_first);
        outranked.extend(counted);
    }
    for place in outranked {
        if let Some(row) = bill_rows.get_mut(place) {
            set_reason(row, BillingReason::NotABillingBasis);
        }
    }
}

/// Returns the rows of bills that count the usage of a charge; `None` if an organization has none.
fn counted_rows(
    charge: &ContractCharge,
    by_customer: &HashMap<&str, Vec<usize>>,
    bill_rows: &[UsageRow],
) -> Option<Vec<usize>> {
    let sku = charge.sku()?;
    let counts = |place: &usize| {
        bill_rows.get(*place).is_some_and(|row| {
            row.billing_reason != BillingReason::Allowance
                && is_same(sku, &row.sku)
                && Period::new(row.period_start, row.period_end).is_ok_and(|of| is_same_period(of, charge.period))
        })
    };
    let is_part = |place: &usize| bill_rows.get(*place).is_some_and(is_part);
    let mut counted = Vec::new();
    for organization in &charge.organizations {
        let of_customer = by_customer.get(&*organization.id)?;
        let all: Vec<usize> = of_customer.iter().copied().filter(counts).collect();
        let without_parts: Vec<usize> = all.iter().copied().filter(|place| !is_part(place)).collect();
        let found = if without_parts.is_empty() { all } else { without_parts };
        if found.is_empty() {
            return None;
        }
        counted.extend(found);
    }
    Some(counted)
}

/// Returns whether the row is of a part of a total, which is never charged: the total is.
fn is_part(row: &UsageRow) -> bool {
    row.vendor_grouping.as_deref().is_some_and(|grouping| is_same(grouping, "rollup-usage"))
}

fn is_same_product(one: &ContractCharge, other: &ContractCharge) -> bool {
    let is_same_sku = one.sku().zip(other.sku()).is_some_and(|(one, other)| is_same(one, other));
    is_same_sku && is_same_period(one.period, other.period)
}

fn has_same_organizations(one: &ContractCharge, other: &ContractCharge) -> bool {
    let is_in = |one: &ContractCharge, other: &ContractCharge| {
        one.organizations.iter().all(|of| other.organizations.iter().any(|organization| organization.id == of.id))
    };
    is_in(one, other) && is_in(other, one)
}

/// Decides about all charges of one product and the same organizations.
fn reason(charges: &[&ClientCharge<'_>], counted: &[&UsageRow]) -> BillingReason {
    let are_counted = counted.iter().all(|row| {
        let is_free = row.billing_reason == BillingReason::RampPeriod;
        row.is_billable == Some(true) || is_free || row.billing_reason == BillingReason::PartOfRow
    });
    let has_parts = counted.iter().any(|row| is_part(row));
    let states_charge =
        |charge: &&ClientCharge<'_>| charge.charge.overage_charge.is_some() || charge.charge.overage_quantity.is_some();
    match are_counted {
        true if has_parts || !charges.iter().all(states_charge) || agree(charges, counted) => {
            BillingReason::NotABillingBasis
        }
        // A part whose total is unknown, or no charge is stated.
        false if has_parts || !charges.iter().all(states_charge) => BillingReason::SeeInvoice,
        _ => BillingReason::Usage,
    }
}

/// Returns whether the rows of bills have all numbers that the charges state.
fn agree(charges: &[&ClientCharge<'_>], counted: &[&UsageRow]) -> bool {
    let sum = |number: fn(&ContractCharge) -> Option<Decimal>| {
        charges.iter().try_fold(Decimal::ZERO, |sum, charge| exact_sum(sum, number(charge.charge)?))
    };
    let ours = |number: fn(&UsageRow) -> Option<Decimal>| {
        counted.iter().try_fold(Decimal::ZERO, |sum, row| exact_sum(sum, number(row)?))
    };
    let overage = ours(|row| row.overage_quantity);
    // An amount without a prepaid amount is of the overage alone.
    let amount = ours(|row| exact_sum(row.amount?, -row.prepaid_amount.unwrap_or_default()));
    let currency = charges.first().and_then(|charge| charge.charge.currency.as_deref());
    let is_currency = |row: &&UsageRow| match (currency, row.currency.as_deref()) {
        (Some(theirs), Some(ours)) => is_same(theirs, ours),
        _ => true,
    };
    let quantities = sum(|charge| charge.overage_quantity);
    let amounts = sum(|charge| charge.overage_charge);
    quantities.is_none_or(|theirs| overage == Some(loadable::quantity(theirs)))
        && amounts.is_none_or(|theirs| amount.is_some_and(|ours| is_rounded(theirs, ours, currency)))
        && counted.iter().all(is_currency)
}

/// Adds what a charge does not state and the rows of bills do: the terms, and the prepaid amount.
fn add_prepaid(row: &mut UsageRow, counted: &[&UsageRow], is_first: bool) {
    row.subscription_type = counted.first().and_then(|first| first.subscription_type.clone());
    if !is_first {
        return;
    }
    let prepaid = counted.iter().try_fold(Decimal::ZERO, |sum, row| exact_sum(sum, row.prepaid_amount?));
    row.prepaid_amount = prepaid.map(loadable::quantity);
    let is_annual = row.subscription_type.as_deref() == Some("PREPAY");
    row.amount = match prepaid {
        None if is_annual || row.prepaid_quantity.is_some_and(|quantity| quantity.is_zero()) => row.amount,
        prepaid => row.amount.zip(prepaid).and_then(|(overage, prepaid)| exact_sum(overage, prepaid)),
    };
}

fn set_reason(row: &mut UsageRow, reason: BillingReason) {
    (row.billing_reason, row.is_billable) = (reason, reason.is_billable());
}
