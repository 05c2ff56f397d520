//! Decides whether a contract's charge or the rows of bills count the same usage. Pure functions.

mod comparison;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use usage_billing_core::Decimal;

use super::billing_period::is_same_period;
use super::charge::is_same;
use super::exact::{exact_sum, exact_total};
use super::{ContractCharge, overview};
use crate::rows::loadable;
use crate::{BillingReason, Period, UsageRow};
use comparison::{Fit, Sides};

/// A charge of an ended period.
pub(super) struct EndedCharge<'a> {
    charge: &'a ContractCharge,
    /// Position of the charge.
    position: usize,
    /// Position of its row; `None` if the charge has no row.
    row: Option<usize>,
    /// Ids of the organizations that it covers; a blank one if the vendor does not state them.
    organizations: BTreeSet<&'a str>,
}

impl<'a> EndedCharge<'a> {
    pub(super) fn new(charge: &'a ContractCharge, position: usize, row: Option<usize>) -> Self {
        let mut organizations: BTreeSet<_> =
            charge.organizations.iter().map(|organization| organization.id.as_str()).collect();
        if organizations.is_empty() {
            organizations.insert(UNSTATED);
        }
        Self { charge, position, row, organizations }
    }
}

/// Id of organizations that the vendor does not state.
const UNSTATED: &str = "";

/// Decides about the rows of charges for clients of the organization `account`. The vendor's charge takes precedence over the rows of bills that
/// count the same usage, unless these are billable and agree with it: one of the two is billable, never both. Without such rows, the charge is not
/// decided. `are_complete` states whether the charges of all contracts were read.
pub(super) fn apply(
    charges: &[EndedCharge<'_>],
    are_complete: bool,
    account: &str,
    rows: &mut [UsageRow],
    bill_rows: &mut [UsageRow],
) {
    let usage = CountedUsage::new(charges, are_complete, bill_rows);
    let of_clients = charges.iter().filter(|charge| !charge.organizations.contains(account));
    let decisions: Vec<_> = of_clients.filter_map(|charge| usage.decide(charge)).collect();
    for decision in decisions {
        let Some(row) = rows.get_mut(decision.row) else { continue };
        set_reason(row, decision.reason);
        if let Some(terms) = decision.terms {
            row.subscription_type = terms.subscription_type;
            row.prepaid_amount = terms.prepaid_amount;
            row.amount = terms.amount;
        }
        let Some((reason, positions)) = decision.bill_rows else { continue };
        for position in positions {
            if let Some(row) = bill_rows.get_mut(position).filter(|row| !is_part(row)) {
                set_reason(row, reason);
            }
        }
    }
}

fn set_reason(row: &mut UsageRow, reason: BillingReason) {
    (row.billing_reason, row.is_billable) = (reason, reason.is_billable());
}

/// The decision about the row of a charge.
struct Decision {
    /// Position of the row.
    row: usize,
    reason: BillingReason,
    /// What a billable charge takes over from the rows of bills.
    terms: Option<Terms>,
    /// The reason of the rows of bills that count the same usage, if it changes, and their positions.
    bill_rows: Option<(BillingReason, Vec<usize>)>,
}

/// Terms that the rows of bills state, and charges do not.
struct Terms {
    subscription_type: Option<String>,
    prepaid_amount: Option<Decimal>,
    /// The vendor's charge and the prepaid amount.
    amount: Option<Decimal>,
}

/// An organization, and a part number in lower case.
type Product<'a> = (&'a str, String);

fn product<'a>(organization: &'a str, sku: &str) -> Product<'a> {
    (organization, sku.trim().to_ascii_lowercase())
}

/// Charges and rows of bills by the usage that they count.
struct CountedUsage<'a> {
    charges: HashMap<Product<'a>, Vec<&'a EndedCharge<'a>>>,
    are_complete: bool,
    bill_rows: HashMap<Product<'a>, Vec<(usize, &'a UsageRow)>>,
    /// Rows of totals (`rollup`) by organization.
    totals: HashMap<&'a str, Vec<&'a UsageRow>>,
}

/// Rows of bills that count the usage of a charge.
struct CountingRows<'a> {
    rows: Vec<(usize, &'a UsageRow)>,
    /// Whether each organization of the charge has such rows.
    are_complete: bool,
}

impl<'a> CountedUsage<'a> {
    fn new(charges: &'a [EndedCharge<'a>], are_complete: bool, bill_rows: &'a [UsageRow]) -> Self {
        let mut usage =
            Self { charges: HashMap::new(), are_complete, bill_rows: HashMap::new(), totals: HashMap::new() };
        for charge in charges {
            let Some(sku) = charge.charge.sku() else { continue };
            for organization in &charge.organizations {
                usage.charges.entry(product(organization, sku)).or_default().push(charge);
            }
        }
        for (position, row) in bill_rows.iter().enumerate() {
            let counts = row.source_operation == overview::OPERATION && row.billing_reason != BillingReason::Allowance;
            let Some(customer) = row.customer_id.as_deref().filter(|_| counts) else { continue };
            if has_grouping(row, "rollup") {
                usage.totals.entry(customer).or_default().push(row);
            }
            usage.bill_rows.entry(product(customer, &row.sku)).or_default().push((position, row));
        }
        usage
    }

    /// Decides about a charge; `None` if it has no row, or if no rows of bills count its usage.
    fn decide(&self, charge: &EndedCharge<'_>) -> Option<Decision> {
        let row = charge.row?;
        let CountingRows { rows, are_complete } = self.counting_rows(charge)?;
        let (positions, counted): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let charges = self.charges_of_same_usage(charge);
        let sides = Sides {
            charges: &charges,
            are_all_charges: self.are_complete,
            organizations: &charge.organizations,
            rows: &counted,
            are_all_rows: are_complete,
        };
        let are_counted = are_complete && counted.iter().all(|row| self.is_counted(row));
        // Together, the charges and the rows count the same usage, and the vendor states what it charges for it.
        let states_charge =
            |of: &EndedCharge<'_>| of.charge.overage_charge.is_some() || of.charge.overage_quantity.is_some();
        let is_decided = |other: &&EndedCharge<'_>| {
            other.row.is_some() && other.organizations == charge.organizations && states_charge(other)
        };
        let are_decided = are_complete && charges.iter().all(is_decided) && !counted.iter().any(|row| is_part(row));
        let (reason, of_rows) = match sides.compare() {
            Fit::Agrees if are_counted => (BillingReason::NotABillingBasis, None),
            _ if are_decided => (BillingReason::Usage, Some(BillingReason::NotABillingBasis)),
            // One of the two is wrong, and which is unknown.
            Fit::Contradicts => (BillingReason::SeeInvoice, Some(BillingReason::SeeInvoice)),
            _ if are_counted => (BillingReason::NotABillingBasis, None),
            _ => (BillingReason::SeeInvoice, None),
        };
        let is_first = charges.first().is_some_and(|first| first.position == charge.position);
        let terms = (reason == BillingReason::Usage).then(|| terms(charge.charge, is_first, &counted));
        let bill_rows = of_rows.map(|reason| (reason, positions));
        Some(Decision { row, reason, terms, bill_rows })
    }

    /// Returns the charges that may count usage of the same organizations, product and billing period, in their order.
    fn charges_of_same_usage(&self, charge: &EndedCharge<'_>) -> Vec<&'a EndedCharge<'a>> {
        let sku = charge.charge.sku().unwrap_or_default();
        let organizations = charge.organizations.iter().copied().chain([UNSTATED]);
        let of_product = organizations.filter_map(|id| self.charges.get(&product(id, sku))).flatten();
        let of_period = of_product.filter(|other| is_same_period(other.charge.period, charge.charge.period));
        of_period.map(|other| (other.position, *other)).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// Returns the rows of bills that count the usage of a charge, with their positions; `None` if there are none.
    fn counting_rows(&self, charge: &EndedCharge<'_>) -> Option<CountingRows<'a>> {
        let sku = charge.charge.sku()?;
        let is_of_period = |row: &UsageRow| {
            Period::new(row.period_start, row.period_end).is_ok_and(|of| is_same_period(of, charge.charge.period))
        };
        let mut found = CountingRows { rows: Vec::new(), are_complete: true };
        for organization in &charge.organizations {
            let of_product = self.bill_rows.get(&product(organization, sku)).into_iter().flatten();
            let of_period = of_product.copied().filter(|(_, row)| is_of_period(row));
            let (parts, others): (Vec<_>, Vec<_>) = of_period.partition(|(_, row)| is_part(row));
            let counting = if others.is_empty() { parts } else { others };
            found.are_complete &= !counting.is_empty();
            found.rows.extend(counting);
        }
        (!found.rows.is_empty()).then_some(found)
    }

    /// Returns whether the vendor charges for the row's usage or states that it is free; for a part, whether it charges for the total.
    fn is_counted(&self, row: &UsageRow) -> bool {
        if !is_part(row) {
            return row.is_billable == Some(true) || row.billing_reason == BillingReason::RampPeriod;
        }
        let totals = row.customer_id.as_deref().and_then(|customer| self.totals.get(customer)).into_iter().flatten();
        let mut totals =
            totals.filter(|total| total.period_start == row.period_start && is_same(&total.unit, &row.unit)).peekable();
        row.billing_reason == BillingReason::PartOfRow
            && totals.peek().is_some()
            && totals.all(|total| total.is_billable == Some(true))
    }
}

/// Returns whether the row is of a part of a total, which is never charged: the total is.
fn is_part(row: &UsageRow) -> bool {
    has_grouping(row, "rollup-usage")
}

fn has_grouping(row: &UsageRow, wanted: &str) -> bool {
    row.vendor_grouping.as_deref().is_some_and(|grouping| is_same(grouping, wanted))
}

/// Returns the terms of a charge that replaces these rows. The first of several charges takes over the prepaid amount, which is unknown if it is
/// in another currency.
fn terms(charge: &ContractCharge, is_first: bool, replaced: &[&UsageRow]) -> Terms {
    let overage = charge.overage_charge.map(loadable::quantity);
    let mut types = replaced.iter().map(|row| row.subscription_type.as_deref());
    let first = types.next().flatten();
    let subscription_type = first.filter(|first| types.all(|other| other == Some(first)));
    let with_prepaid = |prepaid_amount: Option<Decimal>, amount: Option<Decimal>| Terms {
        subscription_type: subscription_type.map(str::to_owned),
        prepaid_amount,
        amount,
    };
    let is_in_currency = |row: &&UsageRow| {
        row.currency.as_deref().zip(charge.currency.as_deref()).is_some_and(|(ours, theirs)| is_same(ours, theirs))
    };
    match exact_total(replaced.iter().map(|row| row.prepaid_amount)) {
        _ if !is_first => with_prepaid(None, overage),
        Some(prepaid) if prepaid.is_zero() || replaced.iter().all(is_in_currency) => {
            with_prepaid(Some(prepaid), overage.and_then(|overage| exact_sum(overage, prepaid)))
        }
        // Paid in another month, or nothing is prepaid.
        None if subscription_type == Some("PREPAY") || charge.prepaid_quantity == Some(Decimal::ZERO) => {
            with_prepaid(None, overage)
        }
        _ => with_prepaid(None, None),
    }
}

#[cfg(test)]
mod tests;
