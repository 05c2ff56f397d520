//! The vendor's own arithmetic: charges of contracts. Their API is a preview, so nothing else here depends on it.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use futures_util::{FutureExt, StreamExt, stream};
use usage_billing_core::{Decimal, DecimalNumber, Error, ErrorKind, Result, printable};

use super::billing_period::{Search, Step};
use super::page_link::next_cursor;
use super::{BillingPeriod, Client, Organization, types};
use crate::time_limit::TimeLimit;
use crate::{Pager, Period};

pub(super) const OPERATION: &str = "getBillingContractBillingperiod";
/// Contracts on a page, at most (documented).
const PAGE: &str = "200";
/// How many contracts are asked about at a time. The client's rate limit holds for all of them together.
const CONCURRENT: usize = 4;
/// Days before an instant in which the contracts of the last finished billing periods are looked for: two months.
const LOOKBACK: Days = Days::new(62);

/// Charges of contracts, and why some are missing.
#[derive(Debug)]
#[non_exhaustive]
pub struct ContractCharges {
    /// The charges, contract by contract, in the vendor's order.
    pub charges: Vec<ContractCharge>,
    /// Why a contract or its billing period could not be read. One failure stops no other.
    pub errors: Vec<Error>,
}

/// What the vendor charges for one product in one billing period of a contract, by its own arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractCharge {
    /// Id of the contract.
    pub contract: String,
    /// Place in the billing period, from 1.
    pub place: u64,
    /// The billing period.
    pub period: Period,
    /// Whether the vendor has finished the billing period.
    pub is_closed: bool,
    /// Organizations that the charge covers. An id is empty if the vendor states none.
    pub organizations: Vec<Organization>,
    /// Part number of the product.
    pub part_number: String,
    /// Name of the charge, else of the product.
    pub name: String,
    /// Unit of the quantities, in the vendor's words.
    pub unit: Option<String>,
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

impl Client {
    /// Returns the vendor's own charges for a billing period, over all contracts that the credential may read. A contract without such a billing
    /// period has none.
    ///
    /// Preview: the vendor may change the operations without notice. Needs `billing:subscription:view`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period in the future or not of whole days; those of the list of contracts. Failures of single contracts are
    /// in [`errors`](ContractCharges::errors).
    pub async fn contract_charges(&self, period: impl Into<BillingPeriod>) -> Result<ContractCharges> {
        self.contract_charges_within(period, Duration::MAX).await
    }

    /// As [`contract_charges`](Self::contract_charges), within a time limit: a contract that is not read by then hides no other. It is among the
    /// [`errors`](ContractCharges::errors), of the kind [`ErrorKind::WaitTimeout`].
    ///
    /// # Errors
    /// Those of [`contract_charges`](Self::contract_charges); [`ErrorKind::WaitTimeout`] if the contracts are not listed by then.
    pub async fn contract_charges_within(
        &self,
        period: impl Into<BillingPeriod>,
        timeout: Duration,
    ) -> Result<ContractCharges> {
        let (period, limit) = (period.into(), TimeLimit::new(timeout));
        period.require_started(self.clock.now())?;
        let contracts = limit.run(self.contract_ids(&period)).await;
        let contracts =
            contracts.unwrap_or_else(|| Err(limit.exceeded("the contracts were not listed to their end")))?;
        let charges = contracts.into_iter().zip(0..).map(|(id, place): (_, usize)| async move {
            let charges = async {
                let id = id?;
                let read = limit.run(self.charges_of(&id, period)).await;
                let late = || limit.exceeded(format_args!("the charges of contract {} were not read", printable(&id)));
                read.unwrap_or_else(|| Err(late()))
            };
            (place, charges.await)
        });
        // Boxed: the compiler cannot tell otherwise that what it borrows lives long enough.
        let charges: Vec<_> = charges.map(FutureExt::boxed).collect();
        let mut outcomes: Vec<_> = stream::iter(charges).buffer_unordered(CONCURRENT).collect().await;
        outcomes.sort_by_key(|(place, _)| *place);
        let mut found = ContractCharges { charges: Vec::new(), errors: Vec::new() };
        for (_, outcome) in outcomes {
            match outcome {
                Ok(charges) => found.charges.extend(charges),
                Err(error) => found.errors.push(error),
            }
        }
        Ok(found)
    }

    /// Ids of the contracts that are in force in a billing period; an error for one without an id.
    async fn contract_ids(&self, period: &BillingPeriod) -> Result<Vec<Result<String>>> {
        let (first, last) = days(period)?;
        let api = self.api.clone();
        let contracts = Pager::new(String::new(), move |after: String| {
            let api = api.clone();
            async move {
                let request = api.get_billing_contracts().page_size(PAGE).date_start(first).date_end(last);
                let request = if after.is_empty() { request } else { request.after(after) };
                let page = request.send().await?.into_inner();
                Ok((page.entities, next_cursor(page.next_uri.as_deref())?))
            }
        })
        .masking(&self.api);
        let lacks_id = || lacks("a contract in the list has no id".to_owned(), "getBillingContracts");
        Ok(contracts.try_collect().await?.into_iter().map(|contract| contract.id.ok_or_else(lacks_id)).collect())
    }

    async fn charges_of(&self, contract: &str, wanted: BillingPeriod) -> Result<Vec<ContractCharge>> {
        // The list leaves out the billing periods.
        let details = self.api.get_billing_contract().contract_id(contract).send().await?.into_inner();
        let Some((place, period)) = find(wanted, &details.billing_periods) else { return Ok(Vec::new()) };
        let id = details.billing_periods[place].id.clone();
        let lacks_id = || {
            let message = format!("the billing period {period} of contract {} has no id", printable(contract));
            lacks(message, "getBillingContract")
        };
        let request = self.api.get_billing_contract_billingperiod().contract_id(contract);
        let detail = request.billing_period_id(id.ok_or_else(lacks_id)?).send().await?.into_inner();
        let is_closed = detail.status == Some(types::BillingPeriodStatus::Closed);
        let charges = detail.charges.into_iter().zip(1..);
        Ok(charges.map(|(charge, place)| ContractCharge::new(contract, place, period, is_closed, charge)).collect())
    }
}

/// The days of a billing period, or those around the last finished one.
fn days(period: &BillingPeriod) -> Result<(NaiveDate, NaiveDate)> {
    match period {
        BillingPeriod::Matching(period) | BillingPeriod::StartingIn(period) => {
            Ok((period.first_day()?, period.last_day()?))
        }
        BillingPeriod::LastFinished { at } => {
            let last = at.date_naive();
            Ok((last.checked_sub_days(LOOKBACK).unwrap_or(last), last))
        }
    }
}

/// The billing period that is wanted, by the same rules as in overviews, and its place in the list.
fn find(wanted: BillingPeriod, listed: &[types::BillingContractPeriod]) -> Option<(usize, Period)> {
    let period = |listed: &types::BillingContractPeriod| Period::of_days(listed.date_start?, listed.date_end?).ok();
    let mut periods: Vec<_> =
        listed.iter().enumerate().filter_map(|(place, listed)| Some((place, period(listed)?))).collect();
    periods.sort_by_key(|(_, period)| std::cmp::Reverse(period.start()));
    let mut search = Search::new(wanted);
    let step = |(place, period): (usize, Period)| match search.next(Some(period)) {
        Step::GoOn => None,
        Step::Fits => Some(Some((place, period))),
        Step::Fail(_) => Some(None),
    };
    periods.into_iter().find_map(step).flatten()
}

fn lacks(message: String, operation: &'static str) -> Error {
    Error::new(ErrorKind::Decode, message).with_operation(operation)
}

impl ContractCharge {
    fn new(contract: &str, place: u64, period: Period, is_closed: bool, charge: types::BillingCharge) -> Self {
        let number = |number: Option<DecimalNumber>| number.map(|number| number.0);
        let product = charge.product.unwrap_or_default();
        let named = |organization: types::NamedEntity| {
            Organization::new(organization.id.unwrap_or_default(), organization.name)
        };
        Self {
            contract: contract.to_owned(),
            place,
            period,
            is_closed,
            organizations: charge.organizations.into_iter().map(named).collect(),
            name: charge.name.or(product.name).unwrap_or_default(),
            part_number: product.sku.unwrap_or_default(),
            unit: product.unit_of_measure.map(|unit| unit.to_string()),
            prepaid_quantity: number(charge.prepaid_quantity),
            fair_use_quantity: number(charge.fairuse_quantity),
            actual_quantity: number(charge.actual_quantity),
            overage_quantity: number(charge.overage_quantity),
            overage_rate: number(charge.overage_rate),
            overage_charge: number(charge.overage_charge),
            currency: charge.overage_currency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_billing_period_of_a_contract_is_found_by_its_dates_in_whichever_order_they_are_listed() {
        let listed = serde_json::json!([
            {"id": "a", "dateStart": "2026-09-15", "dateEnd": "2026-10-14"},
            {"id": "b", "dateStart": "2026-11-15", "dateEnd": "2026-12-14"},
            {"id": "c"},
            {"id": "d", "dateStart": "2026-10-15", "dateEnd": "2026-11-14"},
        ]);
        let listed: Vec<types::BillingContractPeriod> = serde_json::from_value(listed).unwrap();
        let find = |wanted| super::find(wanted, &listed).map(|(place, _)| listed[place].id.as_deref().unwrap());
        let period = |text: &str| text.parse::<Period>().unwrap();
        assert_eq!(find(BillingPeriod::Matching(period("2026-10-15/2026-11-15"))), Some("d"));
        assert_eq!(find(BillingPeriod::Matching(period("2026-10"))), None);
        assert_eq!(find(BillingPeriod::StartingIn(period("2026-09"))), Some("a"));
        assert_eq!(find(BillingPeriod::StartingIn(period("2026-08"))), None);
        let last = |at: &str| find(BillingPeriod::LastFinished { at: at.parse().unwrap() });
        assert_eq!((last("2026-11-21T12:00:00Z"), last("2026-11-14T23:59:59Z")), (Some("d"), Some("a")));
        assert_eq!((last("2027-03-01T00:00:00Z"), last("2026-10-01T00:00:00Z")), (None, None));
    }
}
