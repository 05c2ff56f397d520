//! The usage of one vendor.

use std::future::Future;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use usage_billing::{Error, ErrorKind, Result, UsageRow};

use super::account_bills::AccountBills;
use super::source::Source;
use super::target::FetchTarget;
use super::{FetchArguments, acronis, genesys};
use crate::accounts::Client;

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

/// Fetches usage within the timeout. An error names the report if there is one.
pub(crate) async fn usage(
    source: &Source,
    wanted: FetchTarget,
    bills: &AccountBills,
    arguments: &FetchArguments,
    now: DateTime<Utc>,
) -> Result<Fetched> {
    let timeout = arguments.timeout;
    let label = &source.label;
    match (&source.client, wanted) {
        (Client::Genesys(client), FetchTarget::Period(period) | FetchTarget::LastMonth(period)) => {
            genesys::fetch(client, label, wanted, period, bills, arguments, now).await
        }
        (Client::Acronis(client), FetchTarget::Period(period) | FetchTarget::LastMonth(period)) => {
            acronis::fetch(client, label, period, arguments).await
        }
        (Client::Acronis(client), FetchTarget::Report(id)) => {
            let start = Instant::now();
            let mut report = in_time(timeout, &format!("report {id} was not found"), client.report(id)).await?;
            client.usage_from_report(&mut report, timeout.saturating_sub(start.elapsed())).await.map(Fetched::from)
        }
        (Client::Suger(client), FetchTarget::Period(period) | FetchTarget::LastMonth(period)) => {
            client.usage(period, timeout).await.map(Fetched::from)
        }
        (Client::Genesys(_) | Client::Suger(_), FetchTarget::Report(_)) => {
            Err(Error::new(ErrorKind::Request, "this vendor has no reports with ids: use --period"))
        }
    }
}

/// Runs the first part of a fetch; `not_done` is the error's text if it does not end in time.
async fn in_time<T>(timeout: Duration, not_done: &str, part: impl Future<Output = Result<T>>) -> Result<T> {
    let too_late = || {
        let message = format!("{not_done} within {}", humantime::format_duration(timeout));
        Err(Error::new(ErrorKind::WaitTimeout, message))
    };
    match timeout.is_zero() {
        true => too_late(),
        false => tokio::time::timeout(timeout, part).await.unwrap_or_else(|_| too_late()),
    }
}
