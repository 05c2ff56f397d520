//! Clients of the vendors, for accounts or for a sandbox.

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use usage_billing::reqwest::Method;
use usage_billing::{CallOptions, ClientBuilder, Credentials, Error, ErrorKind, Result, acronis, genesys, suger};
use usage_billing_core::{ClientInfo as _, CustomRequest, Operation};
use usage_billing_sandbox as demo;

use super::Vendor;
use super::account::Account;
use crate::exit::Failure;

pub(crate) enum Client {
    Acronis(acronis::Client),
    Genesys(genesys::Client),
    Suger(suger::Client),
}

/// A client and the name of its account.
pub(crate) struct AccountClient {
    pub(crate) name: String,
    pub(crate) client: Client,
}

impl Client {
    pub(crate) fn vendor(&self) -> Vendor {
        match self {
            Self::Acronis(_) => Vendor::Acronis,
            Self::Genesys(_) => Vendor::Genesys,
            Self::Suger(_) => Vendor::Suger,
        }
    }

    /// Returns the operations of the vendor's API, sorted by name.
    pub(crate) fn operations(&self) -> &'static [Operation] {
        self.vendor().operations()
    }

    /// Creates a request with the credentials of the account.
    pub(crate) fn request(&self, method: Method, path: &'static str) -> CustomRequest<'_> {
        match self {
            Self::Acronis(client) => client.api().request(method, path),
            Self::Genesys(client) => client.api().request(method, path),
            Self::Suger(client) => client.api().request(method, path),
        }
    }

    /// Returns the URL that paths are relative to.
    pub(crate) fn base_url(&self) -> &str {
        match self {
            Self::Acronis(client) => client.api().baseurl(),
            Self::Genesys(client) => client.api().baseurl(),
            Self::Suger(client) => client.api().baseurl(),
        }
    }

    /// Returns a client with other options for its calls.
    pub(crate) fn with_call_options(&self, options: CallOptions) -> Self {
        match self {
            Self::Acronis(client) => Self::Acronis(client.with_call_options(options)),
            Self::Genesys(client) => Self::Genesys(client.with_call_options(options)),
            Self::Suger(client) => Self::Suger(client.with_call_options(options)),
        }
    }

    /// Takes `now` as the current time.
    pub(crate) fn with_now(self, now: DateTime<Utc>) -> Self {
        match self {
            Self::Acronis(client) => Self::Acronis(client.with_now(now)),
            Self::Genesys(client) => Self::Genesys(client.with_now(now)),
            Self::Suger(client) => Self::Suger(client.with_now(now)),
        }
    }

    /// Sets how much memory the usage may take.
    pub(crate) fn with_max_usage_mib(self, mib: usize) -> Self {
        let bytes = mib.saturating_mul(1 << 20);
        match self {
            Self::Acronis(client) => Self::Acronis(client.with_max_usage_bytes(bytes)),
            Self::Genesys(client) => Self::Genesys(client.with_max_usage_bytes(bytes)),
            Self::Suger(client) => Self::Suger(client.with_max_usage_bytes(bytes)),
        }
    }

    fn of_account(account: &Account) -> std::result::Result<Self, Failure> {
        let text = |key| account.text(key).unwrap_or_default();
        let invalid = |key| move |error: Error| Failure::Usage(format!("{}{error}", account.prefix(key)));
        let vendor_key = account.vendor.fields()[0].key;
        match account.vendor {
            Vendor::Acronis => {
                let credentials = Credentials::new(text("client_id"), account.secret("client_secret")?);
                let data_center = text("data_center").parse().map_err(invalid("data_center"))?;
                acronis::Client::builder(&data_center, credentials).build().map(Self::Acronis)
            }
            Vendor::Genesys => {
                let credentials = Credentials::new(text("client_id"), account.secret("client_secret")?);
                let region = text("region").parse().map_err(invalid("region"))?;
                genesys::Client::builder(&region, credentials).build().map(Self::Genesys)
            }
            Vendor::Suger => {
                let builder = suger::Client::builder(text("org_id"), account.secret("api_key")?);
                let builder = account.text("base_url").into_iter().fold(builder, ClientBuilder::base_url);
                return builder.build().map(Self::Suger).map_err(invalid("base_url"));
            }
        }
        .map_err(invalid(vendor_key))
    }

    fn of_sandbox(vendor: Vendor, url: &str) -> Result<Self> {
        // Loopback needs no proxy, whatever the environment contains.
        let http = usage_billing::http_client()?
            .no_proxy()
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, "the HTTP client cannot be set up").with_source(error))?;
        match vendor {
            Vendor::Acronis => {
                let credentials = Credentials::new(demo::ACRONIS_CLIENT_ID, demo::ACRONIS_CLIENT_SECRET);
                let builder = acronis::Client::builder(&url.parse()?, credentials);
                builder.http_client(http).build().map(Self::Acronis)
            }
            Vendor::Genesys => {
                let credentials = Credentials::new(demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET);
                let builder = genesys::Client::builder(&url.parse()?, credentials);
                builder.http_client(http).build().map(Self::Genesys)
            }
            Vendor::Suger => {
                let builder = suger::Client::builder(demo::SUGER_ORG_ID, demo::SUGER_API_KEY.to_owned());
                builder.base_url(url).http_client(http).build().map(Self::Suger)
            }
        }
    }
}

/// Clients of the wanted vendors at a sandbox; of all if none is named.
pub(crate) fn of_sandbox(wanted: &[Vendor], url: &str) -> Result<Vec<AccountClient>> {
    let wanted = if wanted.is_empty() { Vendor::value_variants() } else { wanted };
    let client =
        |vendor: Vendor| Ok(AccountClient { name: vendor.name().to_owned(), client: Client::of_sandbox(vendor, url)? });
    in_order(wanted).map(client).collect()
}

/// Clients of the wanted vendors; of all that are configured if none is named.
pub(crate) fn of_accounts(accounts: &[Account]) -> std::result::Result<Vec<AccountClient>, Failure> {
    let client = |account: &Account| {
        let client = Client::of_account(account)?;
        Ok(AccountClient { name: account.name.clone(), client })
    };
    accounts.iter().map(client).collect()
}

fn in_order(wanted: &[Vendor]) -> impl Iterator<Item = Vendor> {
    Vendor::value_variants().iter().copied().filter(|vendor| wanted.contains(vendor))
}
