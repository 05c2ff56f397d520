//! The vendor's own arithmetic: charges of contracts. Their API is a preview, so nothing else here depends on it.

use usage_billing_core::{Decimal, DecimalNumber, Error, ErrorKind, Result};

use super::bill::exact_product;
use super::charge::is_same;
use super::page_link::next_cursor;
use super::{Client, ClientBill, types};
use crate::{Pager, Period};

/// Contracts on a page, at most (documented).
const PAGE: &str = "200";

/// What the vendor charges for one product in one billing period of a contract, by its own arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractCharge {
    /// Number of the contract.
    pub contract: String,
    /// Ids of the organizations that the charge covers.
    pub organizations: Vec<String>,
    /// Part number of the product.
    pub part_number: String,
    /// Name of the charge, else of the product.
    pub name: String,
    /// Quantity that is prepaid.
    pub prepaid_quantity: Option<Decimal>,
    /// Quantity that is free under the fair use policy.
    pub fair_use_quantity: Option<Decimal>,
    /// Quantity that was used.
    pub actual_quantity: Option<Decimal>,
    /// Quantity beyond what is prepaid and free.
    pub overage_quantity: Option<Decimal>,
    /// Price of one unit of the overage.
    pub overage_rate: Option<Decimal>,
    /// Amount of the overage.
    pub overage_charge: Option<Decimal>,
    /// Currency of rate and amount.
    pub currency: Option<String>,
}

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

impl Client {
    /// Returns the vendor's own charges for the billing periods with these dates, over all contracts that the credential may read.
    ///
    /// Preview: the vendor may change the operations without notice. Needs `billing:subscription:view`.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for a contract or a billing period without an id; else those of the calls.
    pub async fn contract_charges(&self, period: Period) -> Result<Vec<ContractCharge>> {
        let (first, last) = (period.first_day()?, period.last_day()?);
        let api = self.api.clone();
        let mut contracts = Pager::new(String::new(), move |after: String| {
            let api = api.clone();
            async move {
                let request = api.get_billing_contracts().page_size(PAGE).date_start(first).date_end(last);
                let request = if after.is_empty() { request } else { request.after(after) };
                let page = request.send().await?.into_inner();
                Ok((page.entities, next_cursor(page.next_uri.as_deref())?))
            }
        })
        .masking(&self.api);
        let mut charges = Vec::new();
        while let Some(contract) = contracts.next().await {
            let id = contract?.id.ok_or_else(|| lacks("a contract in the list", "getBillingContracts"))?;
            // The list leaves out the billing periods.
            let contract = self.api.get_billing_contract().contract_id(&id).send().await?.into_inner();
            let fits = |period: &&types::BillingContractPeriod| {
                (period.date_start, period.date_end) == (Some(first), Some(last))
            };
            for period in contract.billing_periods.iter().filter(fits) {
                let period_id = period.id.clone().ok_or_else(|| lacks("a billing period", "getBillingContract"))?;
                let request =
                    self.api.get_billing_contract_billingperiod().contract_id(&id).billing_period_id(period_id);
                let detail = request.send().await?.into_inner();
                charges.extend(detail.charges.into_iter().map(|charge| ContractCharge::new(&id, charge)));
            }
        }
        Ok(charges)
    }
}

fn lacks(what: &str, operation: &'static str) -> Error {
    Error::new(ErrorKind::Decode, format!("{what} has no id")).with_operation(operation)
}

impl ContractCharge {
    fn new(contract: &str, charge: types::BillingCharge) -> Self {
        let number = |number: Option<DecimalNumber>| number.map(|number| number.0);
        let (sku, product) = charge.product.map(|product| (product.sku, product.name)).unwrap_or_default();
        Self {
            contract: contract.to_owned(),
            organizations: charge.organizations.into_iter().filter_map(|organization| organization.id).collect(),
            name: charge.name.or(product).unwrap_or_default(),
            part_number: sku.unwrap_or_default(),
            prepaid_quantity: number(charge.prepaid_quantity),
            fair_use_quantity: number(charge.fairuse_quantity),
            actual_quantity: number(charge.actual_quantity),
            overage_quantity: number(charge.overage_quantity),
            overage_rate: number(charge.overage_rate),
            overage_charge: number(charge.overage_charge),
            currency: charge.overage_currency,
        }
    }

    /// Whether the vendor's overage is what was used less what is prepaid and free, never negative; `None` if a number is missing.
    pub fn has_expected_overage(&self) -> Option<bool> {
        let covered = self.prepaid_quantity?.checked_add(self.fair_use_quantity?)?;
        let expected = self.actual_quantity?.checked_sub(covered)?.max(Decimal::ZERO);
        Some(self.overage_quantity? == expected)
    }

    /// Whether the vendor's amount is the exact product of overage and rate, or that rounded to its own places; `None` if a number is
    /// missing.
    pub fn has_expected_charge(&self) -> Option<bool> {
        let (charge, exact) = (self.overage_charge?, exact_product(self.overage_quantity?, self.overage_rate?)?);
        let unit = Decimal::new(1, charge.scale().min(Decimal::MAX_SCALE));
        Some((charge - exact).abs() < unit)
    }
}

impl ClientBill {
    /// Compares the bill with the vendor's own charges: those that cover this organization alone, by part number. Where they differ, the
    /// vendor's number is right, and the formula here is not.
    pub fn compare(&self, charges: &[ContractCharge]) -> Vec<ChargeDifference> {
        let own = |charge: &&ContractCharge| matches!(charge.organizations.as_slice(), [one] if is_same(one, &self.organization.id));
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
