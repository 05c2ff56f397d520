//! Requests of contracts and of their charges in billing periods.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use futures_util::{FutureExt, StreamExt, stream};
use usage_billing_core::__private::TimeLimit;
use usage_billing_core::{Error, ErrorKind, Result, printable};

use super::billing_period::{Search, Step};
use super::contract_charges::charges_of;
use super::{BillingPeriod, Client, ContractCharge, ContractCharges, Organization, types};
use crate::Period;
use crate::rows::canonical_id::canonical_id;

/// Largest number of contracts on a page (documented).
const PAGE: &str = "200";
/// Number of contracts that are requested concurrently. They share the client's rate limit.
const CONCURRENT: usize = 4;
/// Days before an instant in which contracts with last finished billing periods are searched: two months.
const LOOKBACK: Days = Days::new(62);

/// First and last day.
type DayRange = (NaiveDate, NaiveDate);

/// A contract in the vendor's list.
struct ListedContract {
    id: Result<String>,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
}

impl ListedContract {
    fn new(contract: types::BillingContract) -> Self {
        let missing_id = || missing_id("a contract in the list has no id".to_owned(), "getBillingContracts");
        Self { id: contract.id.ok_or_else(missing_id), first_day: contract.date_start, last_day: contract.date_end }
    }

    /// Returns whether the contract may have been in force on one of the days; always if its dates are not listed, or contradict each other.
    fn may_be_in_force(&self, (first, last): DayRange) -> bool {
        match (self.first_day, self.last_day) {
            (Some(start), Some(end)) if end < start => true,
            (start, end) => start.is_none_or(|start| start <= last) && end.is_none_or(|end| first <= end),
        }
    }
}

/// A contract whose charges could not be read.
struct UnreadContract {
    error: Error,
    /// Ids of its organizations; none if they are not known.
    organizations: Vec<String>,
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
        let charges = self.contract_charges_by_period(&[period.into()], timeout).await?;
        Ok(charges.into_iter().next().unwrap_or_default())
    }

    /// Returns the charges for several billing periods, in the order of the periods. The contracts are listed once, and each is requested once.
    ///
    /// # Errors
    /// Those of [`contract_charges_within`](Self::contract_charges_within).
    pub async fn contract_charges_by_period(
        &self,
        periods: &[BillingPeriod],
        timeout: Duration,
    ) -> Result<Vec<ContractCharges>> {
        let (now, limit) = (self.clock.now(), TimeLimit::new(timeout));
        periods.iter().try_for_each(|period| period.require_started(now))?;
        let days = periods.iter().map(search_days).collect::<Result<Vec<_>>>()?;
        let all_days = days.iter().copied().reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        let Some(all_days) = all_days else { return Ok(Vec::new()) };
        let contracts = limit.run(self.listed_contracts(all_days)).await;
        let contracts =
            contracts.unwrap_or_else(|| Err(limit.exceeded("the contracts were not listed to their end")))?;
        let wanted: &Vec<_> = &periods.iter().copied().zip(days).collect();
        let charges = contracts.into_iter().zip(0..).map(|(contract, position): (_, usize)| async move {
            (position, self.charges_of_contract(contract, wanted, limit).await)
        });
        // Boxed, because the compiler cannot otherwise prove that its borrows live long enough.
        let charges: Vec<_> = charges.map(FutureExt::boxed).collect();
        let mut outcomes: Vec<_> = stream::iter(charges).buffer_unordered(CONCURRENT).collect().await;
        outcomes.sort_by_key(|(position, _)| *position);
        let mut found: Vec<_> = periods.iter().map(|_| ContractCharges::default()).collect();
        for (_, of_contract) in outcomes {
            for (found, outcome) in found.iter_mut().zip(of_contract) {
                match outcome {
                    Ok(charges) => found.charges.extend(charges),
                    Err(UnreadContract { error, organizations }) => {
                        found.errors.push(error);
                        found.unread.add(organizations.iter().map(String::as_str));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Returns the distinct contracts in force between two days. A contract without an id has an error in its place.
    async fn listed_contracts(&self, (first, last): DayRange) -> Result<Vec<ListedContract>> {
        let contracts = self.api.get_billing_contracts().page_size(PAGE).date_start(first).date_end(last).stream();
        let contracts = contracts.try_collect().await?.into_iter().map(ListedContract::new);
        // Charges of a contract that is on two pages would be billed twice.
        let mut seen = HashSet::new();
        let mut is_first = |id: &String| seen.insert(canonical_id(id.clone()));
        Ok(contracts.filter(|contract| contract.id.as_ref().map_or(true, &mut is_first)).collect())
    }

    /// Returns the charges of a contract, or its failure, for each of the periods and its days.
    async fn charges_of_contract(
        &self,
        listed: ListedContract,
        periods: &[(BillingPeriod, DayRange)],
        limit: TimeLimit,
    ) -> Vec<Result<Vec<ContractCharge>, UnreadContract>> {
        let contract = async {
            let id = listed.id.clone()?;
            let late = || limit.exceeded(format_args!("the charges of contract {} were not read", printable(&id)));
            // The list does not contain the billing periods.
            let details = limit.run(self.api.get_billing_contract().contract_id(&id).send()).await;
            let details = details.unwrap_or_else(|| Err(late()))?.into_inner();
            Ok::<_, Error>((id, details))
        };
        let (id, details) = match contract.await {
            Ok(contract) => contract,
            Err(error) => {
                let unread = |(_, days): &(_, DayRange)| match listed.may_be_in_force(*days) {
                    true => Err(UnreadContract { error: error.clone(), organizations: Vec::new() }),
                    false => Ok(Vec::new()),
                };
                return periods.iter().map(unread).collect();
            }
        };
        let mut outcomes = Vec::with_capacity(periods.len());
        for (period, _) in periods {
            let late = || limit.exceeded(format_args!("the charges of contract {} were not read", printable(&id)));
            let read = limit.run(self.billing_period_charges(&id, &details.billing_periods, *period)).await;
            let read = read.unwrap_or_else(|| Err(late()));
            outcomes
                .push(read.map_err(|error| UnreadContract { error, organizations: organizations_of(&details.plans) }));
        }
        outcomes
    }

    async fn billing_period_charges(
        &self,
        contract: &str,
        listed: &[types::BillingContractPeriod],
        wanted: BillingPeriod,
    ) -> Result<Vec<ContractCharge>> {
        let found = find_period(wanted, listed).map_err(|reason| {
            let message = format!("contract {}: {reason}", printable(contract));
            Error::new(ErrorKind::Request, message).with_operation("getBillingContract")
        })?;
        let Some((position, period)) = found else { return Ok(Vec::new()) };
        let missing_id_error = || {
            let message = format!("the billing period {period} of contract {} has no id", printable(contract));
            missing_id(message, "getBillingContract")
        };
        let id = listed[position].id.clone().ok_or_else(missing_id_error)?;
        let request = self.api.get_billing_contract_billingperiod().contract_id(contract);
        let detail = request.billing_period_id(id).send().await?.into_inner();
        Ok(charges_of(contract, period, detail))
    }
}

/// Returns the organizations on the plans of a contract, which its charges are for; none if a plan names no organization, or one without an id.
fn organizations_of(plans: &[types::BillingPlan]) -> Vec<String> {
    if plans.iter().any(|plan| plan.organizations.is_empty()) {
        return Vec::new();
    }
    let organizations = plans.iter().flat_map(|plan| &plan.organizations);
    let ids = organizations.map(|of| Organization::new(of.id.clone().unwrap_or_default(), None).id);
    let ids: Option<Vec<_>> = ids.map(|id| Some(id).filter(|id| !id.is_empty())).collect();
    ids.unwrap_or_default()
}

/// Returns the first and last day of a billing period, or the days in which the last finished one is searched.
fn search_days(period: &BillingPeriod) -> Result<DayRange> {
    match period {
        BillingPeriod::Matching(period) | BillingPeriod::StartingIn(period) => period.days(),
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

fn missing_id(message: String, operation: &'static str) -> Error {
    Error::new(ErrorKind::Decode, message).with_operation(operation)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn organizations_of_a_contract_are_those_of_all_its_plans() {
        let plan = |ids: &[&str]| -> types::BillingPlan {
            let organizations: Vec<_> = ids.iter().map(|id| serde_json::json!({"id": id})).collect();
            serde_json::from_value(serde_json::json!({"organizations": organizations})).unwrap()
        };
        assert_eq!(organizations_of(&[plan(&["o-1"]), plan(&["o-2", " o-1"])]), ["o-1", "o-2", "o-1"]);
        for plans in [vec![], vec![plan(&["o-1"]), plan(&[])], vec![plan(&["o-1", " "])]] {
            assert!(organizations_of(&plans).is_empty(), "{plans:?}");
        }
    }

    #[test]
    fn contracts_are_searched_in_the_days_of_the_billing_period() {
        let days = |wanted| search_days(&wanted).map(|(first, last)| format!("{first} {last}"));
        let october: Period = "2026-10-15/2026-11-15".parse().unwrap();
        for wanted in [BillingPeriod::Matching(october), BillingPeriod::StartingIn(october)] {
            assert_eq!(days(wanted).unwrap(), "2026-10-15 2026-11-14");
        }
        let last = BillingPeriod::LastFinished { at: "2026-11-21T12:00:00Z".parse().unwrap() };
        assert_eq!(days(last).unwrap(), "2026-09-20 2026-11-21", "also contracts that ended in the month before");
        let hours: Period = "2026-10-15T01:00:00Z/2026-11-15T01:00:00Z".parse().unwrap();
        assert_eq!(days(BillingPeriod::Matching(hours)).unwrap_err().kind(), ErrorKind::Request);
    }
}
