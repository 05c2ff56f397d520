//! The bills of all months of a Genesys account.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;
use usage_billing::Result;
use usage_billing::genesys::{BillingPeriod, Client, ClientBills, ClientOrganizations, ContractCharges, Organization};

use super::FetchArguments;
use super::client_selection::ClientSelection;
use super::target::FetchTarget;

/// The bills and contract charges of an account for all its targets. They are read in one pass by the target that needs them first: overviews have no
/// dates, so that a pass for each month would request most of them again. A pass takes little longer than the first month alone. If the clients or the
/// contracts cannot be listed, the next target tries again.
pub(crate) struct AccountBills {
    periods: Vec<BillingPeriod>,
    clients: OnceCell<Vec<ClientBills>>,
    charges: OnceCell<(Vec<ContractCharges>, Organization)>,
}

impl AccountBills {
    pub(crate) fn new(targets: impl Iterator<Item = FetchTarget>, now: DateTime<Utc>) -> Self {
        let periods = targets.flat_map(|target| billing_periods(target, now)).collect();
        Self { periods, clients: OnceCell::new(), charges: OnceCell::new() }
    }

    /// Returns the bills, one for each billing period; `None` if no clients are selected.
    pub(crate) async fn clients(&self, client: &Client, arguments: &FetchArguments) -> Option<Result<&[ClientBills]>> {
        let selection = match &arguments.clients {
            ClientSelection::All => ClientOrganizations::All,
            ClientSelection::Ids(ids) => ClientOrganizations::Ids(ids.clone()),
            ClientSelection::None => return None,
        };
        let read = || client.client_bills_by_period(&self.periods, selection, self.timeout(arguments));
        Some(self.clients.get_or_try_init(read).await.map(Vec::as_slice))
    }

    /// Returns the vendor's own charges, one for each billing period, and the own organization; `None` if they are not selected.
    pub(crate) async fn charges(
        &self,
        client: &Client,
        arguments: &FetchArguments,
    ) -> Option<Result<&(Vec<ContractCharges>, Organization)>> {
        let read = || async {
            // Contract charges have the same time as bills, and no time of their own.
            let charges = client.contract_charges_by_period(&self.periods, self.timeout(arguments)).await?;
            Ok((charges, client.organization().await?))
        };
        if arguments.genesys_contracts { Some(self.charges.get_or_try_init(read).await) } else { None }
    }

    /// Returns those of a target, from a list with one for each billing period.
    pub(crate) fn of_target<'a, T>(&self, target: FetchTarget, now: DateTime<Utc>, all: &'a [T]) -> Vec<&'a T> {
        let wanted = billing_periods(target, now);
        self.periods.iter().zip(all).filter(|(period, _)| wanted.contains(period)).map(|(_, one)| one).collect()
    }

    /// Returns the time limit of a pass: that of one month for each of them.
    fn timeout(&self, arguments: &FetchArguments) -> Duration {
        arguments.timeout.saturating_mul(u32::try_from(self.periods.len()).unwrap_or(u32::MAX))
    }
}

/// Returns the billing periods of a target.
fn billing_periods(target: FetchTarget, now: DateTime<Utc>) -> Vec<BillingPeriod> {
    match target {
        FetchTarget::Period(period) => BillingPeriod::within(period, now),
        FetchTarget::LastMonth(_) => vec![BillingPeriod::LastFinished { at: now }],
        FetchTarget::Report(_) => Vec::new(),
    }
}
