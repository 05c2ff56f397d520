//! Creates clients of the API.

use progenitor_client::{ApiKey, Auth, Result, Service, optional_env, required_env};

use crate::{Client, ClientBuilder, OPERATIONS};

const SERVICE: Service = Service {
    operations: OPERATIONS,
    request_id_headers: &["x-correlation-id"],
    limit_reset_headers: &[],
    credential_hint: "check the API key, and that it belongs to this organization",
};

/// The production API. Older SDKs of the vendor have `http://https://api.suger.cloud` by mistake.
const BASE_URL: &str = "https://api.suger.cloud";

impl Client {
    /// Returns a builder of a client of one organization, with an API key of the console ("API clients"). Keys do not expire.
    /// [`ApiKey::provider`] supplies a key from a vault, or one that is rotated.
    ///
    /// No rate limit is documented; [`rate_limit`](ClientBuilder::rate_limit) sets one.
    pub fn builder(api_key: impl Into<ApiKey>) -> ClientBuilder<Self> {
        ClientBuilder::new(SERVICE, BASE_URL, Auth::header("Key", api_key), Self::new_with_client)
    }

    /// Returns a builder with the key from `SUGER_API_KEY`, or from the file that `SUGER_API_KEY_FILE` names, and with the URL in
    /// `SUGER_BASE_URL`, if that is set.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the key is missing, cannot be read or has an invalid format.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let [api_key] = required_env(["SUGER_API_KEY"])?;
        let builder = Self::builder(api_key);
        Ok(match optional_env("SUGER_BASE_URL")? {
            Some(url) => builder.base_url(url),
            None => builder,
        })
    }
}
