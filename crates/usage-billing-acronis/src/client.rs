//! Setting up a client.

use progenitor_client::{Auth, Credentials, Result, Service, required_env};

use crate::{Client, ClientBuilder, DataCenter, OPERATIONS};

// No header that names a request or the end of a rate limit is documented.
const SERVICE: Service = Service {
    operations: OPERATIONS,
    request_id_headers: &[],
    limit_reset_headers: &[],
    credential_hint: "check the API client's id and secret, and that it belongs to this data centre",
};

impl Client {
    /// A client of one tenant, by an API client of its console.
    ///
    /// No rate limit is documented; [`rate_limit`](ClientBuilder::rate_limit) sets one.
    pub fn builder(data_center: &DataCenter, credentials: Credentials) -> ClientBuilder<Self> {
        let auth = Auth::client_credentials(data_center.token_url(), credentials);
        ClientBuilder::new(SERVICE, data_center.url(), auth, Self::new_with_client)
    }

    /// Data centre and credentials from `ACRONIS_DATA_CENTER`, `ACRONIS_CLIENT_ID` and `ACRONIS_CLIENT_SECRET`, or the file that
    /// `ACRONIS_CLIENT_SECRET_FILE` names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming what is missing, or a data centre that is none.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let (data_center, credentials) = Self::settings_from_env()?;
        Ok(Self::builder(&data_center, credentials))
    }

    /// What [`builder_from_env`](Self::builder_from_env) reads.
    ///
    /// # Errors
    /// Those of [`builder_from_env`](Self::builder_from_env).
    pub fn settings_from_env() -> Result<(DataCenter, Credentials)> {
        let [data_center, id, secret] =
            required_env(["ACRONIS_DATA_CENTER", "ACRONIS_CLIENT_ID", "ACRONIS_CLIENT_SECRET"])?;
        Ok((data_center.parse()?, Credentials::new(id, secret)))
    }
}
