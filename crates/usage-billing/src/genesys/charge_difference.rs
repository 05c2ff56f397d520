//! Our arithmetic beside the vendor's.

use usage_billing_core::Decimal;

use super::charge::is_same;
use super::{ClientBill, ContractCharge};

/// A difference between our arithmetic and the vendor's. The vendor's number is the one that is billed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChargeDifference {
    /// Part number of the product.
    pub part_number: String,
    /// Which number differs: `overage_quantity`, `overage_amount` or `currency`.
    pub number: &'static str,
    /// Ours; `None` if it is unknown to us.
    pub ours: Option<String>,
    /// The vendor's.
    pub vendors: String,
}

impl ClientBill {
    /// Compares the bill with the vendor's own charges: those that cover this organization alone, by part number. Where they differ, the
    /// vendor's number is right, and the formula here is not.
    pub fn compare(&self, charges: &[ContractCharge]) -> Vec<ChargeDifference> {
        let own = |charge: &&ContractCharge| matches!(charge.organizations.as_slice(), [one] if is_same(&one.id, &self.organization.id));
        let mut differences = Vec::new();
        for charge in charges.iter().filter(own) {
            let is_line = |part_number: &str| !part_number.is_empty() && is_same(part_number, &charge.part_number);
            let lines: Vec<_> =
                self.lines.iter().filter(|line| line.is_counted() && is_line(&line.charge.item.part_number)).collect();
            let sum = |of: fn(&super::BillLine) -> Option<Decimal>| {
                lines
                    .iter()
                    .try_fold(Decimal::ZERO, |sum, line| sum.checked_add(of(line)?))
                    .filter(|_| !lines.is_empty())
            };
            let mut note = |number: &'static str, ours: Option<String>, vendors: String| {
                differences.push(ChargeDifference { part_number: charge.part_number.clone(), number, ours, vendors });
            };
            for (number, ours, vendors) in [
                ("overage_quantity", sum(|line| line.overage_quantity), charge.overage_quantity),
                ("overage_amount", sum(|line| line.overage_amount), charge.overage_charge),
            ] {
                let Some(vendors) = vendors else { continue };
                // The vendor rounds amounts to places of its own.
                let unit = Decimal::new(1, vendors.scale().min(Decimal::MAX_SCALE));
                let agrees = ours.is_some_and(|ours| {
                    ours == vendors || (number == "overage_amount" && (ours - vendors).abs() < unit)
                });
                let is_nothing = lines.is_empty() && vendors.is_zero();
                if !agrees && !is_nothing {
                    note(number, ours.map(|ours| ours.to_string()), vendors.to_string());
                }
            }
            match (&self.currency, &charge.currency) {
                (ours, Some(vendors)) if ours.as_deref().is_none_or(|ours| !is_same(ours, vendors)) => {
                    note("currency", ours.clone(), vendors.clone());
                }
                _ => {}
            }
        }
        differences
    }
}
