//! The client, and its configuration.

use std::fmt;

use usage_billing_acronis::Client as Api;
use usage_billing_core::{CallOptions, ClientBuilder, Credentials, Error, ErrorKind, Result};

use super::DataCenter;
use super::error_hints::hinted;
use crate::clock::Clock;
use crate::memory_limit::MAX_USAGE_BYTES;

/// A client for one tenant and all tenants below it.
#[derive(Clone)]
pub struct Client {
    pub(super) api: Api,
    pub(super) client_id: String,
    pub(super) clock: Clock,
    pub(super) max_usage_bytes: usize,
}

/// Omits the id, which is the secret if the two are swapped.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a builder from the credentials of an API client, which the tenant's console issues.
    pub fn builder(data_center: &DataCenter, credentials: Credentials) -> ClientBuilder<Self> {
        let client_id = credentials.client_id().to_owned();
        Api::builder(data_center, credentials).map(|api| Self {
            api,
            client_id,
            clock: Clock::default(),
            max_usage_bytes: MAX_USAGE_BYTES,
        })
    }

    /// Creates a builder from `ACRONIS_DATA_CENTER` (host or URL), `ACRONIS_CLIENT_ID` and `ACRONIS_CLIENT_SECRET`, or the file that
    /// `ACRONIS_CLIENT_SECRET_FILE` names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming what is missing or wrong.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let (data_center, credentials) = Api::settings_from_env()?;
        Ok(Self::builder(&data_center, credentials))
    }

    /// Returns a client with other call options. It shares the token, the rate limit and the connections with this client.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use usage_billing::{CallOptions, Result, RetryPolicy, acronis::Client};
    /// # async fn check(client: Client) -> Result<()> {
    /// let quick = client.with_call_options(CallOptions::new().retry(RetryPolicy::none()).deadline(Duration::from_secs(5)));
    /// println!("{}", quick.own_tenant().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_call_options(&self, options: CallOptions) -> Self {
        Self { api: self.api.with_call_options(options), ..self.clone() }
    }

    /// Sets the current time, in place of the system's clock, for tests and for a sandbox with a fixed day. It decides which rows are final,
    /// which periods have ended and up to which day lists are read. Retries and deadlines do not depend on it.
    pub fn with_now(self, now: chrono::DateTime<chrono::Utc>) -> Self {
        Self { clock: Clock::fixed(now), ..self }
    }

    /// Sets the memory limit for usage, in bytes. It covers the sums of a report, the [rows](crate::UsageRow) that are created from them, and
    /// the lists that are read for them. The default of 64 MiB is enough for about 30,000 rows. More is an error of the kind
    /// [`Limit`](ErrorKind::Limit).
    pub fn with_max_usage_bytes(self, bytes: usize) -> Self {
        Self { max_usage_bytes: bytes, ..self }
    }

    /// Returns the generated client with every operation of the OpenAPI document, authorised and retried like the wrappers.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Returns the tenant to which the API client belongs.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the client id is not a UUID; otherwise the errors of the call.
    pub async fn own_tenant(&self) -> Result<uuid::Uuid> {
        let client_id: uuid::Uuid = self.client_id.parse().map_err(|_| {
            // Not quoted: it may be the secret.
            let message = "the Acronis client id is not a UUID: copy it from the console (it may be the secret, if the two are swapped)";
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(self.api.get_client().client_id(client_id).send().await.map_err(hinted)?.tenant_id)
    }
}
