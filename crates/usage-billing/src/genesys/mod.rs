#![doc = include_str!("../../docs/genesys.md")]

mod api_usage;
mod billable_usage;
mod licences;
mod overview;
mod usage_job;
mod usage_query;

use std::fmt;

use chrono::TimeDelta;
use usage_billing_core::{CallOptions, ClientBuilder, Credentials, Result};
pub use usage_billing_genesys::{Region, builder, types};

use crate::clock::Clock;
pub use api_usage::ApiUsage;
pub use billable_usage::usage_rows;
pub use licences::licence_rows;
pub use overview::{overage, overview_rows};
pub use usage_job::{ClientJobQuery, JobQuery};
pub use usage_query::UsageQuery;

/// The vendor's figures lag by a day (its billing pages, seen 2026-11-21).
const LAG: TimeDelta = TimeDelta::days(1);

/// A client of one organization.
#[derive(Clone)]
pub struct Client {
    api: usage_billing_genesys::Client,
    account: String,
    clock: Clock,
}

/// Without the account: it is the client id unless set, and that may be the secret, if the two are swapped.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}

impl Client {
    /// By an OAuth client of the type "client credentials".
    pub fn builder(region: &Region, credentials: Credentials) -> ClientBuilder<Self> {
        let account = credentials.client_id().to_owned();
        usage_billing_genesys::Client::builder(region, credentials).map(|api| Self {
            api,
            account,
            clock: Clock::default(),
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

    /// Names the organization in rows, in place of the OAuth client. Give its id (Admin > Organization Settings), and keys of rows survive a
    /// change of the OAuth client.
    pub fn with_account(self, organization: impl Into<String>) -> Self {
        Self { account: organization.into(), ..self }
    }

    /// What rows name as account, and their keys are made of.
    pub fn account(&self) -> &str {
        &self.account
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

    /// Every operation of the curated document, authorised and retried like the wrappers.
    pub fn api(&self) -> &usage_billing_genesys::Client {
        &self.api
    }
}
