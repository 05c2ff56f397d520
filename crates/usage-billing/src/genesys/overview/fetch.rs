//! Requests of overviews, and the search for the bills of billing periods in them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use usage_billing_core::{__private::TimeLimit, ClientInfo as _, Error, ErrorKind, Result, printable};

use super::{ClientBill, OPERATION, billing_period, check_organization};
use crate::Period;
use crate::genesys::billing_period::{BillingPeriod, ContractDates, NoBill, Search, Step};
use crate::genesys::{BillLine, Client, types};
use crate::memory_limit::{ROW, value_bytes};
use crate::rows::canonical_id::canonical_id;

/// A bill, and the approximate memory of the bill and its rows in bytes.
pub(in crate::genesys) type FoundBill = Result<(ClientBill, usize), BillFailure>;

/// Failure of the search for a bill.
pub(in crate::genesys) struct BillFailure {
    pub(in crate::genesys) error: Error,
    /// Set if no bill is missing.
    pub(in crate::genesys) no_bill: Option<NoBill>,
}

impl From<Error> for BillFailure {
    fn from(error: Error) -> Self {
        Self { error, no_bill: None }
    }
}

/// The search for the bill of one billing period.
struct BillSearch {
    search: Search,
    /// `None` while it is running.
    outcome: Option<FoundBill>,
}

/// An overview that the vendor shows at an index.
struct IndexedOverview {
    index: u16,
    period: Period,
    overview: types::TrusteeBillingOverview,
}

impl Client {
    /// Returns the billing overview of a client organization (trustor) at an index: 0 is the current billing period, 1 the one before. The
    /// index moves days after a billing period has ended; [`client_bill`](Self::client_bill) searches by dates.
    ///
    /// Prices are before tax. Telephony of Genesys Cloud Voice and BYOC Cloud is not included.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for the overview of another organization. 403 without `affiliateOrganization:clientBilling:view`; 404 for an
    /// organization without trust in this one, or an index before its first billing period (inferred). Otherwise the errors of the call.
    pub async fn billing_overview(&self, organization: &str, index: u16) -> Result<types::TrusteeBillingOverview> {
        let request = self.api.get_billing_trusteebillingoverview_trustor_org_id().trustor_org_id(organization);
        let overview = request.billing_period_index(i32::from(index)).send().await.map_err(|error| {
            match error.status().map(|status| status.as_u16()) {
                Some(404) => error.with_hint(format!(
                    "check that {} trusts this organization and has a billing period {index}, and the region",
                    printable(organization)
                )),
                _ => error,
            }
        })?;
        let overview = overview.into_inner();
        check_organization(&overview, organization).map_err(|error| self.api.inner().masked(error))?;
        Ok(overview)
    }

    /// Returns the bill of a client organization for a billing period, found by its dates.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period in the future, and if no index has the billing period; otherwise those of
    /// [`billing_overview`](Self::billing_overview).
    pub async fn client_bill(&self, organization: &str, period: impl Into<BillingPeriod>) -> Result<ClientBill> {
        let period = period.into();
        period.require_started(self.clock.now())?;
        let organization = canonical_id(organization.to_owned());
        let found = self.bills_of_client(&organization, &[period], TimeLimit::new(Duration::MAX)).await;
        let missing = || Error::new(ErrorKind::Request, "no billing period was searched");
        let found = found.into_iter().next().unwrap_or_else(|| Err(missing().into()));
        found.map(|(bill, _)| bill).map_err(|failure| failure.error)
    }

    /// Returns the bills of a client organization, one for each billing period. None of the periods may be in the future. Each overview is requested
    /// once. At the time limit, the bills that were not found are errors.
    pub(in crate::genesys) async fn bills_of_client(
        &self,
        organization: &str,
        periods: &[BillingPeriod],
        limit: TimeLimit,
    ) -> Vec<FoundBill> {
        let search = |period: &BillingPeriod| BillSearch { search: Search::new(*period), outcome: None };
        let mut searches: Vec<_> = periods.iter().map(search).collect();
        // Without an outcome if the limit ended it.
        let _ = limit.run(self.find_bills(organization, &mut searches)).await;
        let late = || limit.exceeded(format_args!("the bill of organization {} was not read", printable(organization)));
        let masked = |error| self.api.inner().masked(error);
        let found = searches.into_iter().map(|of| of.outcome.unwrap_or_else(|| Err(late().into())));
        let found = found.map(|found| {
            let (mut bill, bytes) = found.map_err(|failure| BillFailure { error: masked(failure.error), ..failure })?;
            for charge in &mut bill.unreadable {
                charge.error = masked(charge.error.clone());
            }
            Ok((bill, bytes))
        });
        found.collect()
    }

    /// Reads the overviews at the indexes 0, 1, 2 … until each search has an outcome.
    async fn find_bills(&self, organization: &str, searches: &mut [BillSearch]) {
        // Before the responses, whose figures are of this time or later.
        let now = self.clock.now();
        let (mut contract, mut before) = (ContractDates::default(), None);
        for index in 0..=u16::MAX {
            if searches.iter().all(|of| of.outcome.is_some()) {
                return;
            }
            let shown = self.billing_overview(organization, index).await;
            let shown =
                shown.and_then(|overview| Ok(IndexedOverview { index, period: billing_period(&overview)?, overview }));
            if let Ok(IndexedOverview { overview, .. }) = &shown {
                contract.add(overview.contract_effective_date, overview.contract_end_date);
            }
            for BillSearch { search, outcome } in searches.iter_mut().filter(|of| of.outcome.is_none()) {
                let this = match &shown {
                    Ok(shown) => Some(shown),
                    // Before its first billing period (inferred). At index 0 the trust is missing.
                    Err(error) if index > 0 && is_end(error, search.has_candidate()) => None,
                    Err(error) => {
                        *outcome = Some(Err(error.clone().into()));
                        continue;
                    }
                };
                let fitting = match search.next(this.map(|shown| shown.period)) {
                    Step::Continue => None,
                    Step::Fits => this,
                    Step::FitsBefore => before.as_ref(),
                    Step::Fail(reason) => {
                        let message = format!("organization {}: {reason}", printable(organization));
                        let error = Error::new(ErrorKind::Request, message).with_operation(OPERATION);
                        *outcome = Some(Err(BillFailure { error, no_bill: search.no_bill(&contract, now) }));
                        continue;
                    }
                };
                *outcome = fitting.map(|shown| shown.bill(organization, now).map_err(BillFailure::from));
            }
            before = shown.ok();
        }
    }
}

impl IndexedOverview {
    fn bill(&self, organization: &str, now: DateTime<Utc>) -> Result<(ClientBill, usize)> {
        let bill = ClientBill::new(&self.overview, organization, self.index, now)?;
        let bytes = value_bytes(&self.overview) + bill.lines.len() * (size_of::<BillLine>() + ROW);
        Ok((bill, bytes))
    }
}

/// Returns whether an error states that there is no earlier billing period. Once a bill was found, any rejection of the next index does: how the vendor
/// rejects an index that does not exist is not documented.
fn is_end(error: &Error, is_found: bool) -> bool {
    error.status().is_some_and(|status| match status.as_u16() {
        404 => true,
        400 | 403 | 410 | 422 => is_found,
        _ => false,
    })
}
