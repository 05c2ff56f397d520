//! Clients of the vendors, from the environment or of a sandbox.

use std::future::Future;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use usage_billing::genesys::BillingPeriod;
use usage_billing::uuid::Uuid;
use usage_billing::{Credentials, Error, ErrorKind, Period, Result, UsageRow, acronis, genesys, suger};
use usage_billing_sandbox as demo;

use crate::arguments::{FetchArguments, Vendor};
use crate::{acronis_usage, genesys_usage};

/// What to fetch.
#[derive(Clone, Copy)]
pub(crate) enum FetchTarget {
    Period(Period),
    /// No period was set: the last month, or the vendor's last finished billing periods.
    LastMonth(Period),
    /// An existing report.
    Report(Uuid),
}

/// Rows, and the errors of what is missing.
pub(crate) struct Fetched {
    pub(crate) rows: Vec<UsageRow>,
    pub(crate) errors: Vec<Error>,
}

impl From<Vec<UsageRow>> for Fetched {
    fn from(rows: Vec<UsageRow>) -> Self {
        Self { rows, errors: Vec::new() }
    }
}

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

    /// Fetches usage within the timeout. An error names the report if there is one.
    pub(crate) async fn usage(
        &self,
        wanted: FetchTarget,
        arguments: &FetchArguments,
        now: DateTime<Utc>,
    ) -> Result<Fetched> {
        let timeout = arguments.timeout;
        match (self, wanted) {
            (Self::Genesys(client), FetchTarget::Period(period)) => {
                let bills = BillingPeriod::within(period, now);
                genesys_usage::fetch(client, period, &bills, arguments, now).await
            }
            (Self::Genesys(client), FetchTarget::LastMonth(period)) => {
                genesys_usage::fetch(client, period, &[BillingPeriod::LastFinished { at: now }], arguments, now).await
            }
            (Self::Acronis(client), FetchTarget::Period(period) | FetchTarget::LastMonth(period)) => {
                acronis_usage::fetch(client, period, arguments).await
            }
            (Self::Acronis(client), FetchTarget::Report(id)) => {
                let start = Instant::now();
                let mut report = in_time(timeout, &format!("report {id} was not found"), client.report(id)).await?;
                client.usage_from_report(&mut report, timeout.saturating_sub(start.elapsed())).await.map(Fetched::from)
            }
            (Self::Suger(client), FetchTarget::Period(period) | FetchTarget::LastMonth(period)) => {
                client.usage(period, timeout).await.map(Fetched::from)
            }
            (Self::Genesys(_) | Self::Suger(_), FetchTarget::Report(_)) => {
                Err(Error::new(ErrorKind::Request, "this vendor has no reports with ids: use --period"))
            }
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

/// Runs the first part of a fetch; `not_done` is the error's text if it does not end in time.
pub(crate) async fn in_time<T>(timeout: Duration, not_done: &str, part: impl Future<Output = Result<T>>) -> Result<T> {
    let too_late = || {
        let message = format!("{not_done} within {}", humantime::format_duration(timeout));
        Err(Error::new(ErrorKind::WaitTimeout, message))
    };
    match timeout.is_zero() {
        true => too_late(),
        false => tokio::time::timeout(timeout, part).await.unwrap_or_else(|_| too_late()),
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
