//! The accounts from which usage is fetched.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use usage_billing::{Error, ErrorKind, Result, printable};

use crate::accounts::{AccountClient, Client, Vendor};
use crate::exit::Failure;

/// An account from which usage is fetched.
pub(crate) struct Source {
    /// The name in the configuration.
    pub(crate) name: String,
    /// The prefix of its lines: the vendor, and the name if there are several accounts of the vendor.
    pub(crate) label: String,
    pub(crate) client: Client,
    /// The `account_id` of its rows, if that was requested.
    pub(crate) account: Option<Result<String>>,
}

impl Source {
    pub(crate) fn vendor(&self) -> Vendor {
        self.client.vendor()
    }

    /// Returns the id of its account, if it is known.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_ref()?.as_deref().ok()
    }
}

/// Returns the sources of some clients, labelled so that no two are the same.
pub(crate) fn sources(clients: Vec<AccountClient>) -> Vec<Source> {
    let mut numbers = BTreeMap::<Vendor, usize>::new();
    for one in &clients {
        *numbers.entry(one.client.vendor()).or_default() += 1;
    }
    let source = |AccountClient { name, client }: AccountClient| {
        let vendor = client.vendor();
        let label = match numbers[&vendor] {
            1 => vendor.name().to_owned(),
            _ => format!("{} ({})", vendor.name(), printable(&name)),
        };
        Source { name, label, client, account: None }
    };
    clients.into_iter().map(source).collect()
}

/// Returns whether a vendor has several sources, whose rows must not be those of the same account.
pub(crate) fn has_several_of_a_vendor(sources: &[Source]) -> bool {
    sources.iter().any(|source| source.label != source.vendor().name())
}

/// Requests the ids of the accounts.
///
/// # Errors
/// If two sources are of the same account: its usage would be there twice.
pub(crate) async fn identify(sources: &mut [Source], timeout: Duration) -> Result<(), Failure> {
    let ids = join_all(sources.iter().map(|source| identity(&source.client, timeout))).await;
    sources.iter_mut().zip(ids).for_each(|(source, id)| source.account = Some(id));
    let mut seen = BTreeMap::new();
    for source in sources.iter() {
        let Some(id) = source.account() else { continue };
        if let Some(other) = seen.insert((source.vendor(), id), &source.name) {
            return Err(Failure::Usage(format!(
                "the accounts {} and {} are both of {} {}: choose one with --account",
                printable(other),
                printable(&source.name),
                source.vendor().name(),
                printable(id)
            )));
        }
    }
    Ok(())
}

/// Returns the `account_id` that the rows of a client have.
async fn identity(client: &Client, timeout: Duration) -> Result<String> {
    let id = async {
        match client {
            Client::Acronis(client) => client.own_tenant().await.map(|tenant| tenant.to_string()),
            Client::Genesys(client) => client.organization().await.map(|organization| organization.id),
            Client::Suger(client) => Ok(client.org_id().to_owned()),
        }
    };
    let too_late = |_| Err(Error::new(ErrorKind::WaitTimeout, "the id of the account was not known in time"));
    tokio::time::timeout(timeout, id).await.unwrap_or_else(too_late)
}
