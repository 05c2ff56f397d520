//! Computation of a month's charges before tax, and its limits. Pure functions.
//!
//! Sources, seen 2026-11-29: the vendor's help pages "Resource usage on your invoice" (billable is actual less fair use), "AI token
//! billing", "User overages on your invoice" (overage is billed monthly in arrears, also in annual contracts), "How is Genesys Cloud
//! billed during the ramp period" and AppFoundry's "Subscription Options" (with the sample of 1000 minutes at 0.25); the model
//! `BillingCharge` of SDK 257.1.0 (overage is "beyond what is prepaid and free").

mod line;
mod role;

use usage_billing_core::Decimal;

use super::SeeInvoice;
use super::allowance::{self, Allowance};
use super::charge::{self, Charge, ChargedItem, Grouping};
use super::exact::{exact_product, exact_sum};
use super::types::SubscriptionType;
pub use line::{BillLine, ChargeRole, RampPeriod};

/// Terms of all charges of a bill.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) has_currency: bool,
    /// Whether the billing period is one: prices of licences and commitments are for a month.
    pub(super) is_whole_month: bool,
    pub(super) subscription: Option<SubscriptionType>,
    pub(super) ramp: RampPeriod,
}

/// Computes the lines of a bill, one for each readable charge, in their order. `unreadable` charges are not computed but keep their roles: an
/// unreadable allowance leaves its charge unknown.
pub(super) fn lines(charges: Vec<Charge>, unreadable: &[&ChargedItem], terms: &Terms) -> Vec<BillLine> {
    let all: Vec<&ChargedItem> = charges.iter().map(|charge| &charge.item).chain(unreadable.iter().copied()).collect();
    let roles: Vec<_> = all.iter().map(|item| role::charge_role(item, &all, &charges)).collect();
    let allowances = allowance::assign(&charges, unreadable, &roles);
    let are_repeated = charge::are_repeated(&charges);
    let lines = charges.into_iter().zip(&roles).zip(allowances);
    let mut lines: Vec<_> =
        lines.map(|((charge, role), allowance)| compute_line(charge, *role, allowance, terms)).collect();
    lines
        .iter_mut()
        .zip(are_repeated)
        .filter(|(_, is_repeated)| *is_repeated)
        .for_each(|(line, _)| line.forget_numbers());
    lines
}

fn compute_line(charge: Charge, role: ChargeRole, allowance: Allowance, terms: &Terms) -> BillLine {
    let mut line = BillLine {
        role,
        included_quantity: allowance.quantity,
        overage_quantity: None,
        prepaid_amount: None,
        overage_amount: None,
        amount: None,
        is_free_in_ramp: false,
        see_invoice: Vec::new(),
        charge,
    };
    match role {
        ChargeRole::Part | ChargeRole::Allowance => return line,
        ChargeRole::Unknown => {
            line.included_quantity = Decimal::ZERO;
            line.note(match line.charge.item.grouping() {
                Grouping::RollupUsage => SeeInvoice::TotalUnknown,
                Grouping::StorageCategory => SeeInvoice::MayBeContained { grouping: role::STORAGE },
                Grouping::Other => SeeInvoice::MayBeContained { grouping: role::MESSAGING },
                _ => SeeInvoice::UnknownGrouping { grouping: line.charge.item.grouping.clone() },
            });
            return line;
        }
        ChargeRole::Usage | ChargeRole::Total => {}
    }
    compute_overage(&mut line, &allowance);
    if line.overage_quantity.is_none() && allowance.unknown.is_some() {
        line.included_quantity = Decimal::ZERO;
    }
    let is_bundle = line.see_invoice.iter().any(|reason| matches!(reason, SeeInvoice::Bundle { .. }));
    compute_amounts(&mut line, is_bundle, terms);
    apply_ramp_period(&mut line, terms.ramp);
    if !terms.has_currency && [line.prepaid_amount, line.overage_amount].into_iter().flatten().any(|of| !of.is_zero()) {
        line.note(SeeInvoice::CurrencyMissing);
        (line.prepaid_amount, line.overage_amount) = (None, None);
    }
    line.amount = match (line.prepaid_amount, line.overage_amount) {
        // Paid in another month: this month is charged for the overage alone.
        (None, overage) if line.see_invoice.contains(&SeeInvoice::PrepaidAnnually) => overage,
        (Some(prepaid), Some(overage)) => {
            let amount = exact_sum(prepaid, overage);
            if amount.is_none() {
                line.note(SeeInvoice::TooManyDigits);
            }
            amount
        }
        _ => None,
    };
    line
}

/// Computes usage less the prepaid and included quantities, if both are known.
fn compute_overage(line: &mut BillLine, allowance: &Allowance) {
    let (usage, prepaid) = (line.charge.usage_quantity, line.charge.prepaid_quantity);
    let is_negative = |number: Decimal| number < Decimal::ZERO;
    if is_negative(usage) || is_negative(prepaid) {
        return line.note(SeeInvoice::NegativeNumber);
    }
    let covered = exact_sum(prepaid, line.included_quantity);
    let Some(beyond) = covered.and_then(|covered| exact_sum(usage, -covered)) else {
        return line.note(SeeInvoice::TooManyDigits);
    };
    if let Some(quantity) = line.charge.bundle() {
        line.note(SeeInvoice::Bundle { quantity });
        line.overage_quantity = usage.is_zero().then_some(Decimal::ZERO);
        return;
    }
    // An allowance can only reduce the overage, which is already zero.
    if beyond <= Decimal::ZERO {
        line.overage_quantity = Some(Decimal::ZERO);
        return;
    }
    let item = &line.charge.item;
    let unknown = allowance.unknown.clone().or_else(|| {
        if allowance::may_be_free(item) {
            return Some(SeeInvoice::LicenceMayBeFree);
        }
        (!allowance.is_shown && allowance::may_apply(item)).then_some(SeeInvoice::AllowanceMayApply)
    });
    match unknown {
        Some(reason) => line.note(reason),
        None => line.overage_quantity = Some(beyond),
    }
}

fn compute_amounts(line: &mut BillLine, is_bundle: bool, terms: &Terms) {
    let subscription = terms.subscription.as_ref();
    let is_annual = subscription == Some(&SubscriptionType::Prepay);
    let is_monthly = subscription == Some(&SubscriptionType::PrepayMonthlyCommitment);
    let is_uncommitted = subscription == Some(&SubscriptionType::MonthToMonth);
    let (prepaid, prepaid_price) = (line.charge.prepaid_quantity, line.charge.prepaid_price);
    let is_nothing = line.charge.usage_quantity.is_zero() && prepaid.is_zero();
    if !is_annual && !is_monthly && !is_uncommitted && !is_nothing {
        let subscription_type = subscription.map(ToString::to_string).unwrap_or_default();
        return line.note(SeeInvoice::SubscriptionType { subscription_type });
    }
    line.prepaid_amount = if prepaid.is_zero() {
        Some(Decimal::ZERO)
    } else if is_annual {
        line.note(SeeInvoice::PrepaidAnnually);
        None
    } else if is_uncommitted {
        line.note(SeeInvoice::PrepaidWithoutCommitment);
        None
    } else if is_bundle || prepaid.is_sign_negative() {
        None
    } else if !terms.is_whole_month {
        line.note(SeeInvoice::NotAWholeMonth);
        None
    } else {
        exact_amount(line, prepaid, prepaid_price)
    };
    line.overage_amount = match line.overage_quantity {
        Some(quantity) if quantity.is_zero() => Some(Decimal::ZERO),
        Some(_) if !terms.is_whole_month && line.charge.item.grouping() == Grouping::Licence => {
            line.note(SeeInvoice::NotAWholeMonth);
            None
        }
        Some(quantity) => exact_amount(line, quantity, line.charge.overage_price),
        None => None,
    };
}

/// Returns the exact product, if there is a price and no digit is lost.
fn exact_amount(line: &mut BillLine, quantity: Decimal, price: Option<Decimal>) -> Option<Decimal> {
    let Some(price) = price else {
        line.note(SeeInvoice::PriceMissing);
        return None;
    };
    if price < Decimal::ZERO {
        line.note(SeeInvoice::NegativeNumber);
        return None;
    }
    let product = exact_product(quantity, price);
    if product.is_none() {
        line.note(SeeInvoice::TooManyDigits);
    }
    product
}

/// Applies the ramp period: the vendor's software is free of charge. Messaging, third parties' applications and "a small set of specific
/// Genesys services", which no source lists, are charged.
fn apply_ramp_period(line: &mut BillLine, ramp: RampPeriod) {
    let is_software = line.charge.item.grouping() == Grouping::Licence && line.charge.is_third_party == Some(false);
    let is_undocumented =
        |reason: &SeeInvoice| matches!(reason, SeeInvoice::SubscriptionType { .. } | SeeInvoice::NegativeNumber);
    if ramp == RampPeriod::Inside && is_software && !line.see_invoice.iter().any(is_undocumented) {
        line.is_free_in_ramp = true;
        line.overage_amount = Some(Decimal::ZERO);
        // The month in which a year is paid for stays unknown.
        line.see_invoice.retain(|reason| *reason == SeeInvoice::PrepaidAnnually);
        if line.see_invoice.is_empty() {
            line.prepaid_amount = Some(Decimal::ZERO);
        }
        return;
    }
    let amounts = [line.prepaid_amount, line.overage_amount];
    if ramp == RampPeriod::Outside || amounts.iter().all(|amount| amount.is_some_and(|amount| amount.is_zero())) {
        return;
    }
    line.note(if ramp == RampPeriod::Inside { SeeInvoice::RampPeriod } else { SeeInvoice::RampPeriodUnclear });
    (line.prepaid_amount, line.overage_amount) = (None, None);
}

#[cfg(test)]
mod tests;
