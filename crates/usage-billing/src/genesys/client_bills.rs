//! Bills of all client organizations of a partner.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use usage_billing_core::{Error, ErrorKind, Result};

use super::organizations::id_of;
use super::overview::FoundBill;
use super::{BillingPeriod, Client, ClientBill, NoBill, Organization};
use crate::UsageRow;
use crate::memory_limit::MemoryLimit;
use crate::rows::canonical_id::canonical_id;
use usage_billing_core::__private::TimeLimit;

/// Number of organizations that are requested concurrently. They share the client's rate limit.
const CONCURRENT: usize = 4;

/// Id and name of an organization, as far as the list states them.
type OrganizationEntry = (Option<String>, Option<String>);

/// Selection of client organizations.
///
/// ```no_run
/// # use usage_billing::{Result, genesys::{BillingPeriod, Client, ClientOrganizations}};
/// # async fn bill(client: Client, october: BillingPeriod, ids: Vec<String>) -> Result<()> {
/// for outcome in client.client_bills(october, ClientOrganizations::Ids(ids)).await?.outcomes {
///     println!("{:?}: {:?}", outcome.organization_name, outcome.bill.map(|bill| bill.total().amount));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientOrganizations {
    /// All organizations that trust this one.
    All,
    /// The organizations with these ids.
    Ids(Vec<String>),
}

/// Bills of client organizations, with the outcome for each.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientBills {
    /// The partner's own organization.
    pub account: Organization,
    /// One outcome for each organization, in the order of the vendor's list or of the ids.
    pub outcomes: Vec<ClientOutcome>,
}

/// The outcome for one client organization.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientOutcome {
    /// Id of the organization; a UUID in lower case. `None` for an entry of the vendor's list that has none, and for organizations that may be
    /// missing in it.
    pub organization_id: Option<String>,
    /// Its name, as far as it is known.
    pub organization_name: Option<String>,
    /// Its bill, or the error.
    pub bill: Result<ClientBill>,
    /// Why there is no bill although nothing failed. Then no bill is missing, and the error states what the vendor shows.
    pub no_bill: Option<NoBill>,
}

impl Client {
    /// Returns the bills of client organizations, requested concurrently. Each is for the matching billing period, at any index.
    ///
    /// Every organization has an outcome; a failure is the outcome of its organization alone. A bill that exceeds, together with those before it,
    /// the limit of [`with_max_usage_bytes`](Self::with_max_usage_bytes) is a failure too.
    ///
    /// ```no_run
    /// # use usage_billing::{Result, chrono::Utc, genesys::{BillingPeriod, Client, ClientOrganizations}};
    /// # async fn month_end(client: Client) -> Result<()> {
    /// let last = BillingPeriod::LastFinished { at: Utc::now() };
    /// let bills = client.client_bills(last, ClientOrganizations::All).await?;
    /// for error in bills.errors() {
    ///     eprintln!("{error}");
    /// }
    /// println!("{} rows", bills.rows().len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period in the future. Otherwise the errors of [`organization`](Self::organization) and
    /// [`client_organizations`](Self::client_organizations): without a complete list, organizations would be missing.
    pub async fn client_bills(
        &self,
        period: impl Into<BillingPeriod>,
        organizations: ClientOrganizations,
    ) -> Result<ClientBills> {
        self.client_bills_within(period, organizations, Duration::MAX).await
    }

    /// Returns the bills like [`client_bills`](Self::client_bills), within a time limit. At the limit, an organization without a bill has an error
    /// of the kind [`ErrorKind::WaitTimeout`] as its outcome; the bills that were read are returned.
    ///
    /// # Errors
    /// Those of [`client_bills`](Self::client_bills); [`ErrorKind::WaitTimeout`] if the organizations are not listed by then.
    pub async fn client_bills_within(
        &self,
        period: impl Into<BillingPeriod>,
        organizations: ClientOrganizations,
        timeout: Duration,
    ) -> Result<ClientBills> {
        let bills = self.client_bills_by_period(&[period.into()], organizations, timeout).await?;
        let missing = || Error::new(ErrorKind::Request, "no billing period was requested");
        bills.into_iter().next().ok_or_else(missing)
    }

    /// Returns the bills for several billing periods, in the order of the periods. The organizations are listed once, and each of their overviews
    /// is requested once: a year takes little longer than its first month. The time limit is that of
    /// [`client_bills_within`](Self::client_bills_within), and the memory limit that of the bills of one period.
    ///
    /// ```no_run
    /// # use usage_billing::{Period, Result, chrono::Utc, genesys::{BillingPeriod, Client, ClientOrganizations}};
    /// # async fn year(client: Client, year: Period) -> Result<()> {
    /// let months = BillingPeriod::within(year, Utc::now());
    /// let timeout = std::time::Duration::from_secs(600);
    /// for bills in client.client_bills_by_period(&months, ClientOrganizations::All, timeout).await? {
    ///     println!("{} rows", bills.rows().len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`client_bills_within`](Self::client_bills_within).
    pub async fn client_bills_by_period(
        &self,
        periods: &[BillingPeriod],
        organizations: ClientOrganizations,
        timeout: Duration,
    ) -> Result<Vec<ClientBills>> {
        let (now, limit) = (self.clock.now(), TimeLimit::new(timeout));
        periods.iter().try_for_each(|period| period.require_started(now))?;
        if periods.is_empty() {
            return Ok(Vec::new());
        }
        let selected = limit.run(self.select(organizations)).await;
        let (account, selected, missing) =
            selected.unwrap_or_else(|| Err(limit.exceeded("the client organizations were not listed to their end")))?;
        let limits = periods.iter().map(|_| Mutex::new(MemoryLimit::new(self.max_usage_bytes)));
        let memory = &limits.collect::<Vec<_>>();
        let bills = selected.into_iter().zip(1..).map(|((id, name), position)| async move {
            let bills = match &id {
                Some(id) => self.bills_of_client(id, periods, limit).await,
                None => periods.iter().map(|_| Err(without_id(position).into())).collect(),
            };
            let outcomes = bills.into_iter().zip(memory);
            let outcomes =
                outcomes.map(|(bill, memory)| ClientOutcome::new(id.as_deref(), name.as_deref(), bill, memory));
            (position, outcomes.collect::<Vec<_>>())
        });
        // Boxed, because the compiler cannot otherwise prove that its borrows live long enough.
        let bills: Vec<_> = bills.map(FutureExt::boxed).collect();
        // In the order of completion: a slow organization does not delay the start of others.
        let mut bills: Vec<_> = stream::iter(bills).buffer_unordered(CONCURRENT).collect().await;
        bills.sort_by_key(|(position, _)| *position);
        let mut bills: Vec<_> = bills.into_iter().map(|(_, outcomes)| outcomes.into_iter()).collect();
        let of_period = |_| {
            let missing = missing.clone().map(|error| ClientOutcome {
                organization_id: None,
                organization_name: None,
                bill: Err(error),
                no_bill: None,
            });
            let outcomes = bills.iter_mut().filter_map(Iterator::next).chain(missing).collect();
            ClientBills { account: account.clone(), outcomes }
        };
        Ok(periods.iter().map(of_period).collect())
    }

    /// Returns the own organization, the ids and names of the selected ones, and an error if others may be missing.
    async fn select(
        &self,
        organizations: ClientOrganizations,
    ) -> Result<(Organization, Vec<OrganizationEntry>, Option<Error>)> {
        let account = self.organization().await?;
        let (selected, missing) = match organizations {
            ClientOrganizations::Ids(ids) => (distinct(ids).into_iter().map(|id| (Some(id), None)).collect(), None),
            ClientOrganizations::All => {
                let name = |trustor: &super::types::Trustor| trustor.organization.as_ref()?.name.clone();
                let (trustors, missing) = self.listed_organizations().await?;
                (trustors.iter().map(|trustor| (id_of(trustor), name(trustor))).collect(), missing)
            }
        };
        Ok((account, selected, missing))
    }
}

impl ClientOutcome {
    /// Creates the outcome of an organization with the name in the list, if its bill fits in `memory` with those before it.
    fn new(id: Option<&str>, listed_name: Option<&str>, bill: FoundBill, memory: &Mutex<MemoryLimit>) -> Self {
        let no_bill = bill.as_ref().err().and_then(|failure| failure.no_bill);
        let bill = bill.map_err(|failure| failure.error);
        let bytes = bill.as_ref().map_or_else(|error| error.body().len(), |(_, bytes)| *bytes);
        // No code that can panic runs under the lock.
        let kept = memory.lock().unwrap_or_else(PoisonError::into_inner).keep(bytes, || "the sum of all bills");
        let kept = kept.map_err(|error| error.with_hint("request the bills of fewer organizations at a time"));
        let bill = kept.and(bill).map(|(bill, _)| bill);
        let billed_name = bill.as_ref().ok().and_then(|bill| bill.organization.name.clone());
        let name = billed_name.or(listed_name.map(str::to_owned)).filter(|name| !name.trim().is_empty());
        Self { organization_id: id.map(str::to_owned), organization_name: name, bill, no_bill }
    }
}

impl ClientBills {
    /// Returns the bills that were found.
    pub fn bills(&self) -> impl Iterator<Item = &ClientBill> {
        self.outcomes.iter().filter_map(|outcome| outcome.bill.as_ref().ok())
    }

    /// Returns the rows of all bills.
    pub fn rows(&self) -> Vec<UsageRow> {
        self.bills().flat_map(|bill| bill.rows(&self.account)).collect()
    }

    /// Returns every error: of organizations whose bill is missing, and of unreadable charges. Organizations without a bill to show
    /// ([`no_bill`](ClientOutcome::no_bill)) are excluded.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        self.outcomes.iter().flat_map(|outcome| match &outcome.bill {
            Ok(bill) => bill.unreadable.iter().map(|charge| &charge.error).collect::<Vec<_>>(),
            Err(_) if outcome.no_bill.is_some() => Vec::new(),
            Err(error) => vec![error],
        })
    }
}

/// Removes duplicate ids, which would become two bills.
fn distinct(ids: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(ids.len());
    for id in ids.into_iter().map(canonical_id) {
        if !distinct.contains(&id) {
            distinct.push(id);
        }
    }
    distinct
}

fn without_id(position: u32) -> Error {
    let message =
        format!("entry {position} of the list of client organizations has no id: its bill cannot be requested");
    Error::new(ErrorKind::Decode, message).with_operation("getOrgauthorizationTrustors")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_organization_are_deduplicated() {
        let (id, again) = ("0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11", " 0D2F7C55-8A41-4B7E-9B0C-6A3F9E1D2C11");
        let ids = distinct([id, "o-1", again, "o-1 ", "O-1"].map(str::to_owned).to_vec());
        assert_eq!(ids, [id, "o-1", "O-1"]);
    }
}
