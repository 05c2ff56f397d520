//! Setting up a client.

use progenitor_client::{ApiKey, Auth, Result, Service, optional_env, required_env};

use crate::{Client, ClientBuilder, OPERATIONS};

const SERVICE: Service = Service {
    operations: OPERATIONS,
    request_id_headers: &["x-correlation-id"],
    limit_reset_headers: &[],
    credential_hint: "check the API key, and that it belongs to this organization",
};

/// Production. Older SDKs of the vendor name `http://https://api.suger.cloud` by mistake.
const BASE_URL: &str = "https://api.suger.cloud";

impl Client {
    /// A client of one organization, by an API key of the console ("API clients"). Keys do not expire. A key that is kept in a vault or
    /// rotated can be supplied by [`ApiKey::provider`].
    ///
    /// No rate limit is documented; [`rate_limit`](ClientBuilder::rate_limit) sets one.
    pub fn builder(api_key: impl Into<ApiKey>) -> ClientBuilder<Self> {
        ClientBuilder::new(SERVICE, BASE_URL, Auth::header("Key", api_key), Self::new_with_client)
    }

    /// The key from `SUGER_API_KEY`, or from the file that `SUGER_API_KEY_FILE` names; and another address from `SUGER_BASE_URL` if that
    /// is set.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the key is missing or cannot be read.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let [api_key] = required_env(["SUGER_API_KEY"])?;
        let builder = Self::builder(api_key);
        Ok(match optional_env("SUGER_BASE_URL")? {
            Some(url) => builder.base_url(url),
            None => builder,
        })
    }
}
