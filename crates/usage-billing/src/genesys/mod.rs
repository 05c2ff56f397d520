#![doc = include_str!("../../docs/genesys.md")]

mod allowance;
mod api_usage;
mod bill;
mod billable_usage;
mod billing_period;
mod charge;
mod charge_difference;
mod client_bills;
mod contract_charges;
mod contract_fetch;
mod contract_precedence;
mod contract_rows;
mod exact;
mod licences;
mod organizations;
mod overview;
mod repeated_charges;
mod see_invoice;
#[cfg(test)]
mod test_support;
mod unread_charges;
mod usage_job;
mod usage_query;

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::OnceCell;
use usage_billing_core::{CallOptions, ClientBuilder, Credentials, Result};
pub use usage_billing_genesys::{Region, builder, types};
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub use usage_billing_genesys::{httpmock, mock};

use crate::clock::Clock;
use crate::memory_limit::MAX_USAGE_BYTES;
pub use api_usage::ApiUsage;
pub use bill::{BillLine, ChargeRole, RampPeriod};
pub use billable_usage::usage_rows;
pub use billing_period::{BillingPeriod, NoBill};
pub use charge::{Charge, ChargedItem, UnreadableCharge};
pub use charge_difference::ChargeDifference;
pub use client_bills::{ClientBills, ClientOrganizations, ClientOutcome};
pub use contract_charges::{ContractCharge, ContractCharges};
pub use contract_rows::ContractRows;
pub use licences::licence_rows;
pub use organizations::Organization;
pub use overview::{BillTotal, ClientBill};
pub use see_invoice::SeeInvoice;
pub use usage_job::{ClientJobQuery, JobQuery};
pub use usage_query::UsageQuery;

/// The vendor's figures lag by a day (its billing pages, seen 2026-11-21).
const LAG: TimeDelta = TimeDelta::days(1);

/// Client of one organization.
#[derive(Clone)]
pub struct Client {
    api: usage_billing_genesys::Client,
    /// The organization of the credential, requested at its first use.
    organization: Arc<OnceCell<Organization>>,
    clock: Clock,
    max_usage_bytes: usize,
}

/// Omits the account, which the caller may have set to any string.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}

impl Client {
    /// Returns a builder for an OAuth client of the type "client credentials".
    pub fn builder(region: &Region, credentials: Credentials) -> ClientBuilder<Self> {
        let organization = Arc::default();
        usage_billing_genesys::Client::builder(region, credentials).map(|api| Self {
            api,
            organization,
            clock: Clock::default(),
            max_usage_bytes: MAX_USAGE_BYTES,
        })
    }

    /// Returns a builder from the environment: `GENESYS_REGION` (a region's name, domain or a URL), `GENESYS_CLIENT_ID`, and
    /// `GENESYS_CLIENT_SECRET` or the file that `GENESYS_CLIENT_SECRET_FILE` names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the missing or invalid variables.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let (region, credentials) = usage_billing_genesys::Client::settings_from_env()?;
        Ok(Self::builder(&region, credentials))
    }

    /// Sets the id of the own organization: the account of rows, and a part of their keys. Without it,
    /// [`organization`](Self::organization) requests it from the vendor once.
    pub fn with_account(self, organization_id: impl Into<String>) -> Self {
        Self { organization: Arc::new(OnceCell::new_with(Some(Organization::new(organization_id, None)))), ..self }
    }

    /// Returns a handle whose calls have other settings. It shares the token, the rate limit and the connections with this client.
    pub fn with_call_options(&self, options: CallOptions) -> Self {
        Self { api: self.api.with_call_options(options), ..self.clone() }
    }

    /// Replaces the system's clock with `now`, for tests and for a sandbox whose day is fixed. It decides which rows are final, which periods
    /// are open, and up to which day lists are read. Retries and deadlines do not use it.
    pub fn with_now(self, now: chrono::DateTime<chrono::Utc>) -> Self {
        Self { clock: Clock::fixed(now), ..self }
    }

    /// Sets the memory limit for the assembly of usage, in bytes: lists, bills and their [rows](crate::UsageRow). The default of 64 MiB is enough
    /// for about 30,000 rows. More is an error of the kind [`Limit`](crate::ErrorKind::Limit).
    pub fn with_max_usage_bytes(self, bytes: usize) -> Self {
        Self { max_usage_bytes: bytes, ..self }
    }

    /// Returns the client of every operation of the document, authorised and retried like the wrappers.
    pub fn api(&self) -> &usage_billing_genesys::Client {
        &self.api
    }
}
