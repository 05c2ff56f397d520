//! Creates clients of the API.

use progenitor_client::{Auth, Credentials, RateLimit, Result, Service, required_env};

use crate::{Client, ClientBuilder, OPERATIONS, Region};

const SERVICE: Service = Service {
    operations: OPERATIONS,
    request_id_headers: &["inin-correlation-id"],
    limit_reset_headers: &["inin-ratelimit-reset"],
    credential_hint: "check the OAuth client's id, secret and type (client credentials), and that it belongs to this region",
};

/// Requests a minute of one client-credentials token (platform limit `client.credentials.token.rate.per.minute`, as quoted
/// by the vendor's community site in 2025).
const RATE_LIMIT: RateLimit = RateLimit::per_minute(300);

impl Client {
    /// Returns a builder of a client of one organization, with an OAuth client of the type "client credentials".
    pub fn builder(region: &Region, credentials: Credentials) -> ClientBuilder<Self> {
        let auth = Auth::client_credentials(format!("{}/oauth/token", region.login_url()), credentials);
        ClientBuilder::new(SERVICE, region.api_url(), auth, Self::new_with_client).rate_limit(RATE_LIMIT)
    }

    /// Returns a builder with region and credentials from `GENESYS_REGION`, `GENESYS_CLIENT_ID` and `GENESYS_CLIENT_SECRET`, or the file that
    /// `GENESYS_CLIENT_SECRET_FILE` names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the names of missing variables, or for an invalid region or secret.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let (region, credentials) = Self::settings_from_env()?;
        Ok(Self::builder(&region, credentials))
    }

    /// Returns the region and credentials that [`builder_from_env`](Self::builder_from_env) uses.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) as of [`builder_from_env`](Self::builder_from_env).
    pub fn settings_from_env() -> Result<(Region, Credentials)> {
        let [region, id, secret] = required_env(["GENESYS_REGION", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET"])?;
        Ok((region.parse()?, Credentials::new(id, secret)))
    }
}
