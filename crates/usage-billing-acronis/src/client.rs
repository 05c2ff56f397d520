//! Creates clients of the API.

use progenitor_client::{Auth, Credentials, Result, Service, required_env};

use crate::{Client, ClientBuilder, DataCenter, OPERATIONS};

// The vendor documents no headers for ids of requests or the end of a rate limit.
const SERVICE: Service = Service {
    operations: OPERATIONS,
    request_id_headers: &[],
    limit_reset_headers: &[],
    credential_hint: "check the API client's id and secret, and that it belongs to this data centre",
};

impl Client {
    /// Returns a builder of a client of one tenant, with the credentials of an API client of its console.
    ///
    /// No rate limit is documented; [`rate_limit`](ClientBuilder::rate_limit) sets one.
    pub fn builder(data_center: &DataCenter, credentials: Credentials) -> ClientBuilder<Self> {
        let auth = Auth::client_credentials(data_center.token_url(), credentials);
        ClientBuilder::new(SERVICE, data_center.url(), auth, Self::new_with_client)
    }

    /// Returns a builder with data centre and credentials from `ACRONIS_DATA_CENTER`, `ACRONIS_CLIENT_ID` and `ACRONIS_CLIENT_SECRET`, or the
    /// file that `ACRONIS_CLIENT_SECRET_FILE` names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the names of missing variables, or for an invalid data centre or secret.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let (data_center, credentials) = Self::settings_from_env()?;
        Ok(Self::builder(&data_center, credentials))
    }

    /// Returns the data centre and credentials that [`builder_from_env`](Self::builder_from_env) uses.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) as of [`builder_from_env`](Self::builder_from_env).
    pub fn settings_from_env() -> Result<(DataCenter, Credentials)> {
        let [data_center, id, secret] =
            required_env(["ACRONIS_DATA_CENTER", "ACRONIS_CLIENT_ID", "ACRONIS_CLIENT_SECRET"])?;
        Ok((data_center.parse()?, Credentials::new(id, secret)))
    }
}
