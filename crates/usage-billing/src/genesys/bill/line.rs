//! The lines of a bill.

use usage_billing_core::Decimal;

use crate::BillingReason;
use crate::genesys::SeeInvoice;
use crate::genesys::charge::Charge;

/// Role of a charge in the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChargeRole {
    /// Usage that the vendor charges for separately.
    Usage,
    /// A total of other charges (`rollup`); the vendor charges for it, and not for its parts.
    Total,
    /// A part of a total (`rollup-usage`). Never charged.
    Part,
    /// A free quantity (`fair-use`), subtracted from the usage of another charge. Never charged.
    Allowance,
    /// Not documented.
    Unknown,
}

impl ChargeRole {
    /// Returns whether the vendor charges for it, or may do so.
    pub(in crate::genesys) fn is_charged(self) -> bool {
        !matches!(self, Self::Part | Self::Allowance)
    }
}

/// Whether a billing period lies in the ramp period of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RampPeriod {
    /// The complete billing period.
    Inside,
    /// No part of the billing period.
    Outside,
    /// A part of the billing period, or the overview contradicts itself.
    Unclear,
}

/// A charge and its computed amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BillLine {
    /// The charge as the vendor states it.
    pub charge: Charge,
    /// Its role in the bill.
    pub role: ChargeRole,
    /// The allowance that is subtracted from its usage; never negative, and 0 if it is unknown.
    pub included_quantity: Decimal,
    /// Usage beyond the prepaid and included quantities; never negative. `None` if unknown or never charged.
    pub overage_quantity: Option<Decimal>,
    /// Amount of the prepaid quantity this month. `None` if unknown, paid in another month, or never charged.
    pub prepaid_amount: Option<Decimal>,
    /// Amount of the overage. `None` if unknown or never charged.
    pub overage_amount: Option<Decimal>,
    /// This month's amount before tax, exact and not rounded. `None` if unknown or never charged.
    pub amount: Option<Decimal>,
    /// Whether it is free of charge because of the ramp period.
    pub is_free_in_ramp: bool,
    /// Reasons for unknown numbers. Empty if all are known.
    pub see_invoice: Vec<SeeInvoice>,
}

impl BillLine {
    /// Returns whether the vendor charges for the quantity; `None` where no source states it.
    ///
    /// The charges of an overview for which this is true count no usage twice.
    pub fn is_billable(&self) -> Option<bool> {
        self.billing_reason().is_billable()
    }

    /// Returns why the vendor charges for the quantity or does not, or why that is unknown.
    pub fn billing_reason(&self) -> BillingReason {
        let has = |reason: fn(&SeeInvoice) -> bool| self.see_invoice.iter().any(reason);
        match self.role {
            ChargeRole::Part => BillingReason::PartOfRow,
            ChargeRole::Allowance => BillingReason::Allowance,
            ChargeRole::Unknown if has(|reason| matches!(reason, SeeInvoice::UnknownGrouping { .. })) => {
                BillingReason::UnknownItem
            }
            ChargeRole::Unknown => BillingReason::SeeInvoice,
            ChargeRole::Usage | ChargeRole::Total if self.is_free_in_ramp => BillingReason::RampPeriod,
            ChargeRole::Usage | ChargeRole::Total if has(SeeInvoice::leaves_charging_unknown) => {
                BillingReason::SeeInvoice
            }
            ChargeRole::Usage | ChargeRole::Total => BillingReason::Usage,
        }
    }

    /// Leaves a charge that the overview repeats to the invoice: no source states whether it is one charge or several.
    pub(super) fn forget_numbers(&mut self) {
        let is_nothing = self.charge.usage_quantity.is_zero() && self.charge.prepaid_quantity.is_zero();
        if !self.role.is_charged() || is_nothing {
            return;
        }
        self.note(SeeInvoice::ListedTwice);
        self.is_free_in_ramp = false;
        self.included_quantity = Decimal::ZERO;
        (self.overage_quantity, self.prepaid_amount, self.overage_amount, self.amount) = (None, None, None, None);
    }

    pub(super) fn note(&mut self, reason: SeeInvoice) {
        if !self.see_invoice.contains(&reason) {
            self.see_invoice.push(reason);
        }
    }
}
