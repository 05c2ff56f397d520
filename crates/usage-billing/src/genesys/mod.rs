//! Genesys Cloud: what an organization is billed for.
//!
//! Permissions (any one): `billing:subscription:read`, `billing:subscription:view`, on a role of the OAuth client.

mod billable_usage;

use usage_billing_core::{ClientBuilder, Credentials, Result, required_env};
pub use usage_billing_genesys::{Region, builder, types};

pub use billable_usage::usage_rows;

/// A client of one organization.
#[derive(Clone, Debug)]
pub struct Client {
    api: usage_billing_genesys::Client,
    account: String,
}

impl Client {
    /// By an OAuth client of the type "client credentials".
    pub fn builder(region: &Region, credentials: Credentials) -> ClientBuilder<Self> {
        let account = credentials.client_id().to_owned();
        usage_billing_genesys::Client::builder(region, credentials).map(|api| Self { api, account })
    }

    /// From `GENESYS_REGION` (a region's name, domain or a URL), `GENESYS_CLIENT_ID` and `GENESYS_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming what is missing or wrong.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let [region, id, secret] = required_env(["GENESYS_REGION", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET"])?;
        Ok(Self::builder(&region.parse()?, Credentials::new(id, secret)))
    }

    /// Every operation of the curated document, authorised and retried like the wrappers.
    pub fn api(&self) -> &usage_billing_genesys::Client {
        &self.api
    }
}
