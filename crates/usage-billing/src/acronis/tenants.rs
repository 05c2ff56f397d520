//! Who is there, and what is switched on for whom.

use uuid::Uuid;

use super::hints::hinted;
use super::{Client, types};
use crate::Pager;

impl Client {
    /// Direct children of a tenant.
    pub fn children(&self, tenant: Uuid) -> Pager<types::Tenant> {
        let api = self.api.clone();
        Pager::new(String::new(), move |after: String| {
            let api = api.clone();
            async move {
                // The cursor carries the filter.
                let request = match after.as_str() {
                    "" => api.list_tenants().parent_id(tenant),
                    after => api.list_tenants().after(after),
                };
                let page = request.send().await.map_err(hinted)?.into_inner();
                Ok((page.items, following(page.paging)))
            }
        })
        .masking(&self.api)
    }

    /// Offering items (what can be used and billed, with its quota) of a tenant and all below it.
    pub fn offering_items(&self, tenant: Uuid) -> Pager<types::OfferingItem> {
        let api = self.api.clone();
        Pager::new(String::new(), move |after: String| {
            let api = api.clone();
            async move {
                let request = match after.as_str() {
                    "" => api.list_offering_items().subtree_root_tenant_id(tenant),
                    after => api.list_offering_items().after(after),
                };
                let page = request.send().await.map_err(hinted)?.into_inner();
                Ok((page.items, following(page.paging)))
            }
        })
        .masking(&self.api)
    }
}

fn following(paging: Option<types::Paging>) -> Option<String> {
    paging.and_then(|paging| paging.cursors?.after).filter(|after| !after.is_empty())
}
