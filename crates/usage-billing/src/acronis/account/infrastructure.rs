//! Owners of storage components, as the vendor states them. `billing/hosting.rs` decides the host from them.

use std::collections::{BTreeSet, HashSet};

use usage_billing_core::Error;
use uuid::Uuid;

use crate::acronis::account::tenants::{TENANT_BATCH, comma_separated};
use crate::acronis::billing::hosting::{Component, Owners, Ownership, StatedOwner};
use crate::acronis::{Client, types};

/// Ids per request; no maximum is documented.
const BATCH: usize = 100;
/// The maximum number of components and of owners that are looked up; a report has a few dozen. The others stay unknown.
const MAX_LOOKUPS: usize = 2_000;

impl Client {
    /// Reads the components of a report. If the vendor does not state whether a component is its own, the owner is looked up. Components that
    /// cannot be read stay unknown.
    pub(crate) async fn ownership(&self, components: &BTreeSet<&Component>, owners: &Owners) -> Ownership {
        let mut ownership = Ownership::default();
        let ids: BTreeSet<_> = components.iter().filter_map(|component| component.id()).take(MAX_LOOKUPS).collect();
        for ids in Vec::from_iter(ids).chunks(BATCH) {
            match self.infra(ids).await {
                Ok(stated) => ownership.components.extend(stated.into_iter().map(|infra| (infra.id, owner(&infra)))),
                Err(error) => {
                    tracing::warn!(%error, "the owners of storage components cannot be read; they stay unknown");
                    break;
                }
            }
        }
        let unresolved = owners.to_look_up(components.iter().copied(), &ownership);
        for ids in unresolved.into_iter().take(MAX_LOOKUPS).collect::<Vec<_>>().chunks(TENANT_BATCH) {
            match self.visible_tenants(ids).await {
                Ok(below) => ownership.below.extend(below),
                Err(error) => {
                    tracing::warn!(%error, "whether owners of storage are tenants of the account cannot be read; it stays unknown");
                    break;
                }
            }
        }
        ownership
    }

    /// Reads components by their ids. A deleted component may fail the request for all of them (404); they are read one by one then.
    async fn infra(&self, ids: &[Uuid]) -> Result<Vec<types::Infra>, Error> {
        let is_not_found = |error: &Error| error.status().is_some_and(|status| status.as_u16() == 404);
        match self.api.list_infra().uuids(comma_separated(ids)).send().await {
            Ok(batch) => return Ok(batch.into_inner().items),
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(error),
        }
        let mut known = Vec::new();
        for id in ids {
            match self.api.get_infra().infra_id(*id).send().await {
                Ok(infra) => known.push(infra.into_inner()),
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(known)
    }

    /// Returns the tenants that are visible to the API client: its own and those below it, not those above.
    async fn visible_tenants(&self, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        Ok(self.tenants(ids).await?.into_iter().map(|tenant| tenant.id).collect())
    }
}

fn owner(infra: &types::Infra) -> StatedOwner {
    StatedOwner { platform_owned: infra.platform_owned, owner: infra.owner_tenant_id }
}
