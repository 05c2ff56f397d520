//! Tenants and their offering items.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use usage_billing_core::Error;
use uuid::Uuid;

use crate::Pager;
use crate::acronis::error_hints::hinted;
use crate::acronis::{Client, types};

/// Ids per request, the maximum of `list_tenants`.
pub(crate) const TENANT_BATCH: usize = 100;
/// The maximum number of tenants whose kind is looked up; the others stay unknown.
const MAX_KIND_LOOKUPS: usize = 10_000;

impl Client {
    /// Lists the direct children of a tenant.
    pub fn children(&self, tenant: Uuid) -> Pager<types::Tenant> {
        self.api.list_tenants().parent_id(tenant).stream().map_err(hinted)
    }

    /// Lists the offering items (usable and billable items with their quotas) of a tenant and all tenants below it.
    pub fn offering_items(&self, tenant: Uuid) -> Pager<types::OfferingItem> {
        self.api.list_offering_items().subtree_root_tenant_id(tenant).stream().map_err(hinted)
    }
}

impl Client {
    /// Reads the current name of a tenant; `None` if it cannot be read.
    pub(crate) async fn tenant_name(&self, tenant: Uuid) -> Option<String> {
        match self.api.get_tenant().tenant_id(tenant).send().await {
            Ok(tenant) => tenant.into_inner().name.filter(|name| !name.is_empty()),
            Err(error) => {
                tracing::warn!(%error, "the name of the account cannot be read; rows lack it");
                None
            }
        }
    }

    /// Reads the kinds of tenants. Kinds that cannot be read are missing.
    pub(crate) async fn tenant_kinds(&self, ids: &BTreeSet<Uuid>) -> HashMap<Uuid, Arc<str>> {
        let mut kinds = HashMap::new();
        for ids in ids.iter().take(MAX_KIND_LOOKUPS).copied().collect::<Vec<_>>().chunks(TENANT_BATCH) {
            match self.tenants(ids).await {
                Ok(tenants) => {
                    let stated =
                        tenants.into_iter().filter_map(|tenant| Some((tenant.id, tenant.kind?.as_str().into())));
                    kinds.extend(stated);
                }
                Err(error) => {
                    tracing::warn!(%error, "the kinds of tenants cannot be read; they stay unknown");
                    break;
                }
            }
        }
        kinds
    }

    /// Reads at most [`TENANT_BATCH`] tenants. Only those visible to the API client are returned: its own and those below it, not those above.
    pub(crate) async fn tenants(&self, ids: &[Uuid]) -> Result<Vec<types::Tenant>, Error> {
        let page = self.api.list_tenants().uuids(comma_separated(ids)).lod(types::TenantLod::Basic).send().await?;
        Ok(page.into_inner().items.into_iter().filter(|tenant| ids.contains(&tenant.id)).collect())
    }
}

pub(crate) fn comma_separated(ids: &[Uuid]) -> String {
    ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",")
}
