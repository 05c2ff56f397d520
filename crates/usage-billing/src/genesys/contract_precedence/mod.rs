//! Decides whether a contract's charge or the rows of bills count the same usage. Pure functions.

use std::collections::{BTreeSet, HashMap};

use usage_billing_core::Decimal;

use super::billing_period::is_same_period;
use super::charge::is_same;
use super::charge_difference::is_rounded;
use super::exact::{exact_sum, exact_total};
use super::{ContractCharge, overview};
use crate::rows::loadable;
use crate::{BillingReason, Period, UsageRow};

/// A charge of an ended period.
pub(super) struct EndedCharge<'a> {
    charge: &'a ContractCharge,
    /// Position of its row; `None` if the charge has no row.
    row: Option<usize>,
    /// Ids of the organizations that it covers.
    organizations: BTreeSet<&'a str>,
}

impl<'a> EndedCharge<'a> {
    pub(super) fn new(charge: &'a ContractCharge, row: Option<usize>) -> Self {
        let organizations = charge.organizations.iter().map(|organization| organization.id.as_str()).collect();
        Self { charge, row, organizations }
    }
}

/// Decides about the rows of charges for clients of the organization `account`. The vendor's charge takes precedence over the rows of bills that
/// count the same usage, unless these are billable and agree with it: one of the two is billable, never both. Without such rows, the charge is not
/// decided.
pub(super) fn apply(charges: &[EndedCharge<'_>], account: &str, rows: &mut [UsageRow], bill_rows: &mut [UsageRow]) {
    let usage = CountedUsage::new(charges, bill_rows);
    let of_clients = charges.iter().filter(|charge| !charge.organizations.contains(account));
    let decisions: Vec<_> = of_clients.filter_map(|charge| usage.decide(charge)).collect();
    for decision in decisions {
        let Some(row) = rows.get_mut(decision.row) else { continue };
        set_reason(row, decision.reason);
        let Some(replaced) = decision.replaced else { continue };
        row.subscription_type = replaced.subscription_type;
        if let Some(prepaid) = replaced.prepaid_amount {
            add_prepaid(row, prepaid);
        }
        for position in replaced.positions {
            if let Some(row) = bill_rows.get_mut(position) {
                set_reason(row, BillingReason::NotABillingBasis);
            }
        }
    }
}

/// The decision about the row of a charge.
struct Decision {
    /// Position of the row.
    row: usize,
    reason: BillingReason,
    /// The rows of bills that a billable charge replaces.
    replaced: Option<ReplacedRows>,
}

/// Rows of bills that count the usage of a billable charge, and what they state beyond the charge.
struct ReplacedRows {
    positions: Vec<usize>,
    subscription_type: Option<String>,
    /// Their prepaid amount, which may be unknown; `None` if another charge takes it over.
    prepaid_amount: Option<Option<Decimal>>,
}

/// An organization, and a part number in lower case.
type Product<'a> = (&'a str, String);

fn product<'a>(organization: &'a str, sku: &str) -> Product<'a> {
    (organization, sku.trim().to_ascii_lowercase())
}

/// Charges and rows of bills by the usage that they count.
struct CountedUsage<'a> {
    charges: HashMap<Product<'a>, Vec<&'a EndedCharge<'a>>>,
    bill_rows: HashMap<Product<'a>, Vec<(usize, &'a UsageRow)>>,
}

impl<'a> CountedUsage<'a> {
    fn new(charges: &'a [EndedCharge<'a>], bill_rows: &'a [UsageRow]) -> Self {
        let mut usage = Self { charges: HashMap::new(), bill_rows: HashMap::new() };
        for charge in charges {
            let Some(sku) = charge.charge.sku() else { continue };
            for organization in &charge.organizations {
                usage.charges.entry(product(organization, sku)).or_default().push(charge);
            }
        }
        for (position, row) in bill_rows.iter().enumerate() {
            let counts = row.source_operation == overview::OPERATION && row.billing_reason != BillingReason::Allowance;
            let Some(customer) = row.customer_id.as_deref().filter(|_| counts) else { continue };
            usage.bill_rows.entry(product(customer, &row.sku)).or_default().push((position, row));
        }
        usage
    }

    /// Decides about a charge; `None` if it has no row, or if no rows of bills count its usage.
    fn decide(&self, charge: &EndedCharge<'_>) -> Option<Decision> {
        let (row, first) = (charge.row?, charge.organizations.first()?);
        let (positions, counted): (Vec<_>, Vec<_>) = self.counting_rows(charge)?.into_iter().unzip();
        let of_product = self.charges(first, charge);
        // Charges without a row do not state every number. The usage of charges for other organizations is in the rows of their bills, too.
        let is_comparable =
            |other: &EndedCharge<'_>| other.row.is_some() && other.organizations == charge.organizations;
        let are_comparable =
            charge.organizations.iter().all(|id| self.charges(id, charge).into_iter().all(is_comparable));
        let reason = match are_comparable {
            true => compare(&of_product, &counted),
            false if counted.iter().all(|row| row.is_billable == Some(true)) => BillingReason::NotABillingBasis,
            false => BillingReason::SeeInvoice,
        };
        let is_first = of_product.first().is_some_and(|first| first.row == charge.row);
        let replaced = (reason == BillingReason::Usage).then(|| ReplacedRows {
            positions,
            subscription_type: counted.first().and_then(|row| row.subscription_type.clone()),
            prepaid_amount: is_first.then(|| exact_total(counted.iter().map(|row| row.prepaid_amount))),
        });
        Some(Decision { row, reason, replaced })
    }

    /// Returns the charges of an organization for the product and the billing period of `charge`, including it.
    fn charges(&self, organization: &str, charge: &EndedCharge<'_>) -> Vec<&'a EndedCharge<'a>> {
        let sku = charge.charge.sku().unwrap_or_default();
        let of_product = self.charges.get(&product(organization, sku)).into_iter().flatten().copied();
        of_product.filter(|other| is_same_period(other.charge.period, charge.charge.period)).collect()
    }

    /// Returns the rows of bills that count the usage of a charge, with their positions; `None` if an organization has none.
    fn counting_rows(&self, charge: &EndedCharge<'_>) -> Option<Vec<(usize, &'a UsageRow)>> {
        let sku = charge.charge.sku()?;
        let is_of_period = |row: &UsageRow| {
            Period::new(row.period_start, row.period_end).is_ok_and(|of| is_same_period(of, charge.charge.period))
        };
        let mut counting = Vec::new();
        for organization in &charge.organizations {
            let of_product = self.bill_rows.get(&product(organization, sku))?;
            let of_period = of_product.iter().copied().filter(|(_, row)| is_of_period(row));
            let (parts, others): (Vec<_>, Vec<_>) = of_period.partition(|(_, row)| is_part(row));
            let found = if others.is_empty() { parts } else { others };
            if found.is_empty() {
                return None;
            }
            counting.extend(found);
        }
        Some(counting)
    }
}

/// Returns whether the row is of a part of a total, which is never charged: the total is.
fn is_part(row: &UsageRow) -> bool {
    row.vendor_grouping.as_deref().is_some_and(|grouping| is_same(grouping, "rollup-usage"))
}

/// Decides about all charges for a product and the same organizations.
fn compare(charges: &[&EndedCharge<'_>], counted: &[&UsageRow]) -> BillingReason {
    let are_counted = counted.iter().all(|row| {
        let is_free = row.billing_reason == BillingReason::RampPeriod;
        row.is_billable == Some(true) || is_free || row.billing_reason == BillingReason::PartOfRow
    });
    let states_charge =
        |of: &&EndedCharge<'_>| of.charge.overage_charge.is_some() || of.charge.overage_quantity.is_some();
    let has_parts = counted.iter().any(|row| is_part(row));
    let is_charged = !has_parts && charges.iter().all(states_charge);
    match (are_counted, is_charged) {
        (true, false) => BillingReason::NotABillingBasis,
        // A part whose total is unknown, or no charge is stated.
        (false, false) => BillingReason::SeeInvoice,
        (true, true) if agree(charges, counted) => BillingReason::NotABillingBasis,
        (_, true) => BillingReason::Usage,
    }
}

/// Returns whether the rows of bills have all numbers that the charges state.
fn agree(charges: &[&EndedCharge<'_>], counted: &[&UsageRow]) -> bool {
    let sum = |number: fn(&ContractCharge) -> Option<Decimal>| exact_total(charges.iter().map(|of| number(of.charge)));
    let ours = |number: fn(&UsageRow) -> Option<Decimal>| exact_total(counted.iter().map(|row| number(row)));
    let overage = ours(|row| row.overage_quantity);
    // An amount without a prepaid amount is of the overage alone.
    let amount = ours(|row| exact_sum(row.amount?, -row.prepaid_amount.unwrap_or_default()));
    let currency = charges.first().and_then(|of| of.charge.currency.as_deref());
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

/// Adds the prepaid amount of the rows of bills, which charges do not state.
fn add_prepaid(row: &mut UsageRow, prepaid: Option<Decimal>) {
    row.prepaid_amount = prepaid.map(loadable::quantity);
    // Paid in another month, or nothing is prepaid.
    let is_not_due = row.subscription_type.as_deref() == Some("PREPAY") || row.prepaid_quantity == Some(Decimal::ZERO);
    let due = prepaid.or(is_not_due.then_some(Decimal::ZERO));
    row.amount = row.amount.zip(due).and_then(|(overage, prepaid)| exact_sum(overage, prepaid));
}

fn set_reason(row: &mut UsageRow, reason: BillingReason) {
    (row.billing_reason, row.is_billable) = (reason, reason.is_billable());
}

#[cfg(test)]
mod tests;
