//! Clients of the vendors, from the environment or of a sandbox.

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use usage_billing::{Credentials, Error, ErrorKind, Result, acronis, genesys, suger};
use usage_billing_sandbox as demo;

use super::Vendor;

pub(crate) enum Client {
    Acronis(acronis::Client),
    Genesys(genesys::Client),
    Suger(suger::Client),
}

impl Client {
    pub(crate) fn vendor(&self) -> Vendor {
        match self {
            Self::Acronis(_) => Vendor::Acronis,
            Self::Genesys(_) => Vendor::Genesys,
            Self::Suger(_) => Vendor::Suger,
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

    fn from_env(vendor: Vendor) -> Result<Self> {
        match vendor {
            Vendor::Acronis => acronis::Client::builder_from_env()?.build().map(Self::Acronis),
            Vendor::Genesys => genesys::Client::builder_from_env()?.build().map(Self::Genesys),
            Vendor::Suger => suger::Client::builder_from_env()?.build().map(Self::Suger),
        }
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
pub(crate) fn of_sandbox(wanted: &[Vendor], url: &str) -> Result<Vec<Client>> {
    let wanted = if wanted.is_empty() { Vendor::value_variants() } else { wanted };
    in_order(wanted).map(|vendor| Client::of_sandbox(vendor, url)).collect()
}

/// Clients of the wanted vendors; of all that have any setting if none is named.
pub(crate) fn from_env(wanted: &[Vendor]) -> Result<Vec<Client>> {
    let mentioned = |vendor: Vendor| {
        vendor.settings().iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    };
    let mentioned: Vec<_> = Vendor::value_variants().iter().copied().filter(|vendor| mentioned(*vendor)).collect();
    let wanted = if wanted.is_empty() { &mentioned } else { wanted };
    in_order(wanted).map(Client::from_env).collect()
}

fn in_order(wanted: &[Vendor]) -> impl Iterator<Item = Vendor> {
    Vendor::value_variants().iter().copied().filter(|vendor| wanted.contains(vendor))
}
