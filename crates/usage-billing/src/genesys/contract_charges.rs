//! The vendor's own charges of contracts. Their API is a preview: bills come without them, too.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use futures_util::{FutureExt, StreamExt, stream};
use usage_billing_core::{Decimal, DecimalNumber, Error, ErrorKind, Result, printable};

use super::billing_period::{Search, Step};
use super::{BillingPeriod, Client, Organization, types};
use crate::Period;
use crate::rows::canonical_id::canonical_id;
use usage_billing_core::__private::TimeLimit;

pub(super) const OPERATION: &str = "getBillingContractBillingperiod";
/// Largest number of contracts on a page (documented).
const PAGE: &str = "200";
/// Number of contracts that are requested concurrently. They share the client's rate limit.
const CONCURRENT: usize = 4;
/// Days before an instant in which contracts with last finished billing periods are searched: two months.
const LOOKBACK: Days = Days::new(62);

/// Charges of contracts, and the errors of those that are missing.
#[derive(Debug)]
#[non_exhaustive]
pub struct ContractCharges {
    /// The charges, contract by contract, in the vendor's order.
    pub charges: Vec<ContractCharge>,
    /// Errors of contracts or billing periods that could not be read. Other contracts are not affected.
    pub errors: Vec<Error>,
}

/// The vendor's charge for one product in one billing period of a contract, by its own arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractCharge {
    /// Id of the charge, if the vendor states one.
    pub id: Option<String>,
    /// Id of the contract.
    pub contract: String,
    /// Position in the billing period, from 1; wallets come after the charges.
    pub position: u64,
    /// The billing period.
    pub period: Period,
    /// Whether the vendor has finished the billing period.
    pub is_closed: bool,
    /// Organizations that the charge covers, without duplicates. An id is empty if the vendor states none.
    pub organizations: Vec<Organization>,
    /// Part number of the product.
    pub part_number: String,
    /// Name of the charge, or else of the product.
    pub name: String,
    /// Unit of the quantities, in the vendor's words.
    pub unit: Option<String>,
    /// Quantity that is prepaid.
    pub prepaid_quantity: Option<Decimal>,
    /// Quantity that is free under the fair use policy.
    pub fair_use_quantity: Option<Decimal>,
    /// Quantity that was used.
    pub actual_quantity: Option<Decimal>,
    /// Quantity beyond the prepaid and free quantities.
    pub overage_quantity: Option<Decimal>,
    /// Price of one unit of the overage.
    pub overage_rate: Option<Decimal>,
    /// Amount of the overage.
    pub overage_charge: Option<Decimal>,
    /// Currency of rate and amount.
    pub currency: Option<String>,
    /// The usage converted into AI tokens, which another charge or a wallet of tokens may charge.
    pub converted_token_count: Option<Decimal>,
    /// Whether it is a wallet: a prepaid balance, the quantity taken from it, and the overage beyond it.
    pub is_wallet: bool,
}

impl Client {
    /// Returns the vendor's own charges for a billing period, over all contracts that the credential may read. A contract without that billing
    /// period has no charges.
    ///
    /// Preview: the vendor may change the operations without notice. Needs `billing:subscription:view`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period that is in the future or not of whole days. Otherwise the errors of the list of contracts. Failures of
    /// single contracts are in [`errors`](ContractCharges::errors).
    pub async fn contract_charges(&self, period: impl Into<BillingPeriod>) -> Result<ContractCharges> {
        self.contract_charges_within(period, Duration::MAX).await
    }

    /// Returns the charges like [`contract_charges`](Self::contract_charges), within a time limit. A contract that is not read by then has an error
    /// of the kind [`ErrorKind::WaitTimeout`] among the [`errors`](ContractCharges::errors).
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
        let charges = contracts.into_iter().zip(0..).map(|(id, position): (_, usize)| async move {
            let charges = async {
                let id = id?;
                let read = limit.run(self.billing_period_charges(&id, period)).await;
                let late = || limit.exceeded(format_args!("the charges of contract {} were not read", printable(&id)));
                read.unwrap_or_else(|| Err(late()))
            };
            (position, charges.await)
        });
        // Boxed, because the compiler cannot otherwise prove that its borrows live long enough.
        let charges: Vec<_> = charges.map(FutureExt::boxed).collect();
        let mut outcomes: Vec<_> = stream::iter(charges).buffer_unordered(CONCURRENT).collect().await;
        outcomes.sort_by_key(|(position, _)| *position);
        let mut found = ContractCharges { charges: Vec::new(), errors: Vec::new() };
        for (_, outcome) in outcomes {
            match outcome {
                Ok(charges) => found.charges.extend(charges),
                Err(error) => found.errors.push(error),
            }
        }
        Ok(found)
    }

    /// Returns the distinct ids of the contracts in force in a billing period; an error for a contract without an id.
    async fn contract_ids(&self, period: &BillingPeriod) -> Result<Vec<Result<String>>> {
        let (first, last) = search_days(period)?;
        let contracts = self.api.get_billing_contracts().page_size(PAGE).date_start(first).date_end(last).stream();
        let missing_id_error = || missing_id("a contract in the list has no id".to_owned(), "getBillingContracts");
        let ids = contracts.try_collect().await?.into_iter().map(|contract| contract.id.ok_or_else(missing_id_error));
        // Charges of a contract that is on two pages would be billed twice.
        let mut seen = HashSet::new();
        Ok(ids.filter(|id| id.as_ref().map_or(true, |id| seen.insert(canonical_id(id.clone())))).collect())
    }

    async fn billing_period_charges(&self, contract: &str, wanted: BillingPeriod) -> Result<Vec<ContractCharge>> {
        // The list does not contain the billing periods.
        let details = self.api.get_billing_contract().contract_id(contract).send().await?.into_inner();
        let found = find_period(wanted, &details.billing_periods).map_err(|reason| {
            let message = format!("contract {}: {reason}", printable(contract));
            Error::new(ErrorKind::Request, message).with_operation("getBillingContract")
        })?;
        let Some((position, period)) = found else { return Ok(Vec::new()) };
        let id = details.billing_periods[position].id.clone();
        let missing_id_error = || {
            let message = format!("the billing period {period} of contract {} has no id", printable(contract));
            missing_id(message, "getBillingContract")
        };
        let request = self.api.get_billing_contract_billingperiod().contract_id(contract);
        let detail = request.billing_period_id(id.ok_or_else(missing_id_error)?).send().await?.into_inner();
        let is_closed = detail.status == Some(types::BillingPeriodStatus::Closed);
        let charges = detail.charges.into_iter().map(|charge| (charge, false));
        let wallets = detail.wallets.into_iter().map(|wallet| (charge_of(wallet), true));
        let charges = charges.chain(wallets).zip(1..).map(|((charge, is_wallet), position)| ContractCharge {
            is_wallet,
            ..ContractCharge::new(contract, position, period, is_closed, charge)
        });
        Ok(without_repetitions(charges))
    }
}

/// Returns the numbers of a wallet that charges have, too.
fn charge_of(wallet: types::BillingWallet) -> types::BillingCharge {
    let mut product = wallet.product.unwrap_or_default();
    product.unit_of_measure = wallet.unit_of_measure.or(product.unit_of_measure);
    let mut charge = types::BillingCharge::default();
    (charge.id, charge.name) = (wallet.id, product.name.clone().or(wallet.name));
    (charge.product, charge.organizations) = (Some(product), wallet.organizations);
    (charge.actual_quantity, charge.overage_quantity) = (wallet.balance_consumption, wallet.balance_overage);
    (charge.overage_rate, charge.overage_charge) = (wallet.balance_overage_rate, wallet.balance_overage_charge);
    charge.overage_currency = wallet.balance_overage_currency;
    charge
}

/// Returns the first and last day of a billing period, or the days in which the last finished one is searched.
fn search_days(period: &BillingPeriod) -> Result<(NaiveDate, NaiveDate)> {
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

/// Finds the wanted billing period by the rules of overviews; returns its index in the list, or an error if there are several.
fn find_period(
    wanted: BillingPeriod,
    listed: &[types::BillingContractPeriod],
) -> Result<Option<(usize, Period)>, String> {
    let period = |listed: &types::BillingContractPeriod| Period::of_days(listed.date_start?, listed.date_end?).ok();
    let mut periods: Vec<_> =
        listed.iter().enumerate().filter_map(|(position, listed)| Some((position, period(listed)?))).collect();
    periods.sort_by_key(|(_, period)| std::cmp::Reverse(period.start()));
    let (mut search, mut before) = (Search::new(wanted), None);
    for found in periods.into_iter().map(Some).chain([None]) {
        match search.next(found.map(|(_, period)| period)) {
            Step::Continue => before = found,
            Step::Fits => return Ok(found),
            Step::FitsBefore => return Ok(before),
            Step::Fail(reason) if search.is_ambiguous => return Err(reason),
            Step::Fail(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// Removes charges that are listed again with their id. A charge of other content with the same id is kept.
fn without_repetitions(charges: impl Iterator<Item = ContractCharge>) -> Vec<ContractCharge> {
    let mut by_id: HashMap<String, Vec<ContractCharge>> = HashMap::new();
    let is_new = |charge: &ContractCharge| {
        let Some(id) = &charge.id else { return true };
        let before = by_id.entry(id.clone()).or_default();
        let is_new = !before.iter().any(|other| charge.content() == other.content());
        before.push(charge.clone());
        is_new
    };
    charges.filter(is_new).collect()
}

fn missing_id(message: String, operation: &'static str) -> Error {
    Error::new(ErrorKind::Decode, message).with_operation(operation)
}

impl ContractCharge {
    /// Returns what charges that repeat each other have in common, which is all but their id, contract and position.
    pub(super) fn content(&self) -> impl Eq + Hash + use<'_> {
        let Self { id: _, contract: _, position: _, is_closed: _, period, organizations, .. } = self;
        let Self { part_number, name, unit, prepaid_quantity, fair_use_quantity, actual_quantity, .. } = self;
        let Self { overage_quantity, overage_rate, overage_charge, currency, converted_token_count, is_wallet, .. } =
            self;
        let names = (part_number, name, unit, currency, is_wallet);
        let quantities = (prepaid_quantity, fair_use_quantity, actual_quantity, converted_token_count);
        (period, organizations, names, quantities, (overage_quantity, overage_rate, overage_charge))
    }

    /// Returns whether other charges may count its usage: its balance is prepaid, or it was converted into tokens.
    pub(super) fn may_be_charged_elsewhere(&self) -> bool {
        self.is_wallet || self.converted_token_count.is_some_and(|count| !count.is_zero())
    }

    fn new(contract: &str, position: u64, period: Period, is_closed: bool, charge: types::BillingCharge) -> Self {
        let number = |number: Option<DecimalNumber>| number.map(|number| number.0);
        let product = charge.product.unwrap_or_default();
        let mut ids = HashSet::new();
        let organizations = charge
            .organizations
            .into_iter()
            .map(|organization| Organization::new(organization.id.unwrap_or_default(), organization.name));
        let organizations = organizations.filter(|organization| ids.insert(organization.id.clone())).collect();
        Self {
            id: charge.id.filter(|id| !id.trim().is_empty()),
            contract: contract.to_owned(),
            position,
            period,
            is_closed,
            organizations,
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
            converted_token_count: number(charge.converted_token_count),
            is_wallet: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charge_that_is_listed_again_with_its_id_is_removed() {
        let charge = |id: &str, amount: &str, position| {
            let charge =
                serde_json::json!({"id": id, "name": "Voice", "overageCharge": amount, "convertedTokenCount": 3});
            ContractCharge::new(
                "CN-1",
                position,
                "2026-10".parse().unwrap(),
                true,
                serde_json::from_value(charge).unwrap(),
            )
        };
        let listed = [
            charge("1", "5", 1),
            charge("2", "5", 2),
            charge("1", "5", 3),
            charge("1", "6", 4),
            charge("", "5", 5),
            charge(" ", "5", 6),
        ];
        assert_eq!(listed[0].converted_token_count, Some(3.into()));
        let kept = without_repetitions(listed.into_iter());
        assert_eq!(kept.iter().map(|charge| charge.position).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
    }

    #[test]
    fn wallet_has_the_numbers_of_a_charge() {
        let wallet = serde_json::json!({
            "id": "w", "name": "Token wallet", "organizations": [{"id": "o-1"}], "product": {"sku": "GC-AIT", "name": "AI tokens"},
            "balanceConsumption": 41250.5, "balanceOverage": 500, "balanceOverageRate": 1, "balanceOverageCharge": 500,
            "balanceOverageCurrency": "EUR", "unitOfMeasure": "Token",
        });
        let wallet = charge_of(serde_json::from_value(wallet).unwrap());
        let found = ContractCharge::new("CN-1", 1, "2026-10".parse().unwrap(), true, wallet);
        assert_eq!(
            (found.part_number.as_str(), found.name.as_str(), found.unit.as_deref()),
            ("GC-AIT", "AI tokens", Some("Token"))
        );
        assert_eq!((found.actual_quantity, found.overage_quantity), (Some(Decimal::new(412_505, 1)), Some(500.into())));
        assert_eq!((found.overage_rate, found.overage_charge), (Some(Decimal::ONE), Some(500.into())));
        assert_eq!(
            (found.currency.as_deref(), found.id.as_deref(), found.prepaid_quantity),
            (Some("EUR"), Some("w"), None)
        );
        assert_eq!(found.organizations[0].id, "o-1");
        let unnamed = charge_of(serde_json::from_value(serde_json::json!({"name": "Token wallet"})).unwrap());
        assert_eq!(unnamed.name.as_deref(), Some("Token wallet"));
    }

    #[test]
    fn organizations_of_a_charge_are_distinct() {
        let charge = serde_json::json!({"name": "Voice", "organizations": [{"id": "o-1"}, {"id": "o-2"}, {"id": " o-1 ", "name": "One"}]});
        let charge =
            ContractCharge::new("CN-1", 1, "2026-10".parse().unwrap(), true, serde_json::from_value(charge).unwrap());
        let ids: Vec<_> = charge.organizations.iter().map(|organization| organization.id.as_str()).collect();
        assert_eq!(ids, ["o-1", "o-2"]);
    }

    #[test]
    fn billing_period_of_a_contract_is_found_in_any_order() {
        let listed = serde_json::json!([
            {"id": "a", "dateStart": "2026-09-15", "dateEnd": "2026-10-14"},
            {"id": "b", "dateStart": "2026-11-15", "dateEnd": "2026-12-14"},
            {"id": "c"},
            {"id": "d", "dateStart": "2026-10-15", "dateEnd": "2026-11-14"},
        ]);
        let listed: Vec<types::BillingContractPeriod> = serde_json::from_value(listed).unwrap();
        let find = |wanted| {
            let found = find_period(wanted, &listed).unwrap();
            found.map(|(position, _)| listed[position].id.as_deref().unwrap())
        };
        let period = |text: &str| text.parse::<Period>().unwrap();
        assert_eq!(find(BillingPeriod::Matching(period("2026-10-15/2026-11-15"))), Some("d"));
        assert_eq!(find(BillingPeriod::Matching(period("2026-10"))), None);
        assert_eq!(find(BillingPeriod::StartingIn(period("2026-09"))), Some("a"));
        assert_eq!(find(BillingPeriod::StartingIn(period("2026-11"))), Some("b"));
        assert_eq!(find(BillingPeriod::StartingIn(period("2026-08"))), None);
        let last = |at: &str| find(BillingPeriod::LastFinished { at: at.parse().unwrap() });
        assert_eq!((last("2026-11-21T12:00:00Z"), last("2026-11-14T23:59:59Z")), (Some("d"), Some("a")));
        assert_eq!((last("2027-03-01T00:00:00Z"), last("2026-10-01T00:00:00Z")), (None, None));
        // The contract has been replaced by another, which has the following period.
        let ended = &listed[..1];
        let last = |at: &str| find_period(BillingPeriod::LastFinished { at: at.parse().unwrap() }, ended).unwrap();
        assert!(last("2026-11-14T23:59:59Z").is_some() && last("2026-11-15T00:00:00Z").is_none());
        let moved = serde_json::json!([
            {"id": "e", "dateStart": "2026-10-01", "dateEnd": "2026-10-14"},
            {"id": "d", "dateStart": "2026-10-15", "dateEnd": "2026-11-14"},
        ]);
        let moved: Vec<types::BillingContractPeriod> = serde_json::from_value(moved).unwrap();
        let error = find_period(BillingPeriod::StartingIn(period("2026-10")), &moved).unwrap_err();
        assert!(error.contains("2026-10-01/2026-10-15 and 2026-10-15/2026-11-15"), "{error}");
    }
}
