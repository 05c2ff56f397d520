//! The bills of all months of a Genesys account.

use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;
use usage_billing::Result;
use usage_billing::genesys::{BillingPeriod, Client, ClientBills, ClientOrganizations, ContractCharges, Organization};

use super::FetchArguments;
use super::client_selection::ClientSelection;
use super::target::FetchTarget;

/// The bills and contract charges of an account for all its targets. They are read in one pass by the target that needs them first: overviews have no
/// dates, so that a pass for each month would request most of them again. A pass takes little longer than the first month alone.
pub(crate) struct AccountBills {
    periods: Vec<BillingPeriod>,
    found: OnceCell<FoundBills>,
}

/// Bills, and the vendor's own charges with the own organization, one for each billing period; `None` if they are not selected.
pub(crate) struct FoundBills {
    clients: Option<Result<Vec<ClientBills>>>,
    charges: Option<Result<(Vec<ContractCharges>, Organization)>>,
}

impl AccountBills {
    pub(crate) fn new(targets: impl Iterator<Item = FetchTarget>, now: DateTime<Utc>) -> Self {
        Self { periods: targets.flat_map(|target| billing_periods(target, now)).collect(), found: OnceCell::new() }
    }

    /// Returns the bills and charges of all targets. The time limit is that of one month for each of them.
    pub(crate) async fn read(&self, client: &Client, arguments: &FetchArguments) -> &FoundBills {
        self.found.get_or_init(|| FoundBills::read(client, &self.periods, arguments)).await
    }

    /// Returns those of a target, from a list with one for each billing period.
    pub(crate) fn of_target<'a, T>(&self, target: FetchTarget, now: DateTime<Utc>, all: &'a [T]) -> Vec<&'a T> {
        let wanted = billing_periods(target, now);
        self.periods.iter().zip(all).filter(|(period, _)| wanted.contains(period)).map(|(_, one)| one).collect()
    }
}

impl FoundBills {
    async fn read(client: &Client, periods: &[BillingPeriod], arguments: &FetchArguments) -> Self {
        let timeout = arguments.timeout.saturating_mul(u32::try_from(periods.len()).unwrap_or(u32::MAX));
        let selection = match &arguments.clients {
            ClientSelection::All => Some(ClientOrganizations::All),
            ClientSelection::Ids(ids) => Some(ClientOrganizations::Ids(ids.clone())),
            ClientSelection::None => None,
        };
        let clients = async { Some(client.client_bills_by_period(periods, selection?, timeout).await) };
        // Contract charges have the same time as bills, and no time of their own.
        let charges = async {
            let charges = async {
                let charges = client.contract_charges_by_period(periods, timeout).await?;
                Ok((charges, client.organization().await?))
            };
            if arguments.genesys_contracts { Some(charges.await) } else { None }
        };
        let (clients, charges) = tokio::join!(clients, charges);
        Self { clients, charges }
    }

    pub(crate) fn clients(&self) -> Option<Result<&[ClientBills]>> {
        self.clients.as_ref().map(|found| found.as_deref().map_err(Clone::clone))
    }

    pub(crate) fn charges(&self) -> Option<Result<(&[ContractCharges], &Organization)>> {
        let found = self.charges.as_ref()?.as_ref();
        Some(found.map(|(charges, account)| (charges.as_slice(), account)).map_err(Clone::clone))
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
