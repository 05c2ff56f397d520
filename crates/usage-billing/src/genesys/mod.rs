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
mod contract_rows;
mod licences;
mod organizations;
mod overview;
mod page_link;
mod see_invoice;
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

/// A client of one organization.
#[derive(Clone)]
pub struct Client {
    api: usage_billing_genesys::Client,
    /// Of the credential; asked for when it is first needed.
    organization: Arc<OnceCell<Organization>>,
    clock: Clock,
    max_usage_bytes: usize,
}

/// Without the account: the caller may have set it to anything.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}

impl Client {
    /// By an OAuth client of the type "client credentials".
    pub fn builder(region: &Region, credentials: Credentials) -> ClientBuilder<Self> {
        let organization = Arc::default();
        usage_billing_genesys::Client::builder(region, credentials).map(|api| Self {
            api,
            organization,
            clock: Clock::default(),
            max_usage_bytes: MAX_USAGE_BYTES,
        })
    }

    /// From `GENESYS_REGION` (a region's name, domain or a URL), `GENESYS_CLIENT_ID` and `GENESYS_CLIENT_SECRET`, or the file that
    /// `GENESYS_CLIENT_SECRET_FILE` names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming what is missing or wrong.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let (region, credentials) = usage_billing_genesys::Client::settings_from_env()?;
        Ok(Self::builder(&region, credentials))
    }

    /// Sets the id of the own organization, which rows name as account and their keys are made of. Without it,
    /// [`organization`](Self::organization) asks the vendor once.
    pub fn with_account(self, organization_id: impl Into<String>) -> Self {
        Self { organization: Arc::new(OnceCell::new_with(Some(Organization::new(organization_id, None)))), ..self }
    }

    /// Returns a handle whose calls have other settings. It shares the token, the rate limit and the connections with this client.
    pub fn with_call_options(&self, options: CallOptions) -> Self {
        Self { api: self.api.with_call_options(options), ..self.clone() }
    }

    /// Takes `now` as the current time, in place of the system's clock: for tests, and for a sandbox whose day is fixed. What is final, which
    /// periods are open and up to which day lists are read depends on it; retries and deadlines do not.
    pub fn with_now(self, now: chrono::DateTime<chrono::Utc>) -> Self {
        Self { clock: Clock::fixed(now), ..self }
    }

    /// Sets how much memory usage may take while it is put together, in bytes: lists, bills and the [rows](crate::UsageRow) that are made of
    /// them. 64 MiB unless set, which is enough for about 30,000 rows. More is an error of the kind [`Limit`](crate::ErrorKind::Limit).
    pub fn with_max_usage_bytes(self, bytes: usize) -> Self {
        Self { max_usage_bytes: bytes, ..self }
    }

    /// Every operation of the curated document, authorised and retried like the wrappers.
    pub fn api(&self) -> &usage_billing_genesys::Client {
        &self.api
    }
}
