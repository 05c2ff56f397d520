//! The client, and its configuration.

use std::fmt;

use usage_billing_acronis::Client as Api;
use usage_billing_core::{CallOptions, ClientBuilder, Credentials, Error, ErrorKind, Result};

use super::DataCenter;
use super::error_hints::hinted;
use crate::clock::Clock;
use crate::memory_limit::MAX_USAGE_BYTES;

/// A client of one tenant and all below it.
#[derive(Clone)]
pub struct Client {
    pub(super) api: Api,
    pub(super) client_id: String,
    pub(super) clock: Clock,
    pub(super) max_usage_bytes: usize,
}

/// Without the id: it may be the secret, if the two are swapped.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}

impl Client {
    /// By an API client of the tenant's console.
    pub fn builder(data_center: &DataCenter, credentials: Credentials) -> ClientBuilder<Self> {
        let client_id = credentials.client_id().to_owned();
        Api::builder(data_center, credentials).map(|api| Self {
            api,
            client_id,
            clock: Clock::default(),
            max_usage_bytes: MAX_USAGE_BYTES,
        })
    }

    /// From `ACRONIS_DATA_CENTER` (host or URL), `ACRONIS_CLIENT_ID` and `ACRONIS_CLIENT_SECRET`, or the file that
    /// `ACRONIS_CLIENT_SECRET_FILE` names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming what is missing or wrong.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let (data_center, credentials) = Api::settings_from_env()?;
        Ok(Self::builder(&data_center, credentials))
    }

    /// Returns a handle whose calls have other settings. It shares the token, the rate limit and the connections with this client.
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

    /// Takes `now` as the current time, in place of the system's clock: for tests, and for a sandbox whose day is fixed. What is final, which
    /// periods are open and up to which day lists are read depends on it; retries and deadlines do not.
    pub fn with_now(self, now: chrono::DateTime<chrono::Utc>) -> Self {
        Self { clock: Clock::fixed(now), ..self }
    }

    /// Sets how much memory usage may take while it is put together, in bytes: the sums of a report and the [rows](crate::UsageRow) that are
    /// made of them, and lists that are read for it. 64 MiB unless set, which is enough for about 30,000 rows. More is an error of the kind
    /// [`Limit`](ErrorKind::Limit).
    pub fn with_max_usage_bytes(self, bytes: usize) -> Self {
        Self { max_usage_bytes: bytes, ..self }
    }

    /// Every operation of the curated document, authorised and retried like the wrappers.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The tenant that the API client belongs to.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a client id that is no UUID; those of the call.
    pub async fn own_tenant(&self) -> Result<uuid::Uuid> {
        let client_id: uuid::Uuid = self.client_id.parse().map_err(|_| {
            // Not quoted: it may be the secret.
            let message = "the Acronis client id is not a UUID: copy it from the console (it may be the secret, if the two are swapped)";
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(self.api.get_client().client_id(client_id).send().await.map_err(hinted)?.tenant_id)
    }
}
