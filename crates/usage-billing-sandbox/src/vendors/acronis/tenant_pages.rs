//! Lists tenants by ids, by parent, or of a subtree.

use axum::extract::State;
use usage_billing_acronis::types;
use usage_billing_acronis::types::{OfferingItemType, TenantLod};
use usage_billing_core::LenientDateTime;

use super::error::Failure;
use super::query::{Paged, flag, instant, reject_unlisted};
use super::tenants::contact;
use super::{Acronis, HandlerResult, Shared};
use crate::http_util::request::{Params, first_unlisted};
use crate::http_util::response::ok;

/// The documented limit of `uuids`.
const MAX_IDS: usize = 100;

pub(super) async fn list(State(acronis): Shared, paged: Paged) -> HandlerResult {
    let query = &paged.query;
    let shape = TenantDetail::read(query)?;
    let with_deleted = flag(query, "allow_deleted")?;
    let with_countable = flag(query, "with_offering_items")?;
    let with_infra = flag(query, "with_infra_offering_items")?;
    let since = instant(query, "updated_since")?;
    let indexes = acronis.chosen(query)?;
    let tree = &acronis.dataset.acronis;
    let has = |index: usize, type_: OfferingItemType| acronis.items(index).iter().any(|item| item.type_ == type_);
    let tenants = indexes
        .into_iter()
        .filter(|index| with_deleted || tree.is_live(*index))
        .filter(|index| !with_countable || has(*index, OfferingItemType::Count))
        .filter(|index| !with_infra || has(*index, OfferingItemType::Infra))
        .filter_map(|index| shape.of(&acronis, index))
        .filter(|tenant| since.is_none_or(|since| tenant.updated_at.is_some_and(|updated| *updated >= since)));
    let (items, paging) = paged.page(tenants);
    let batch = types::TenantBatch { timestamp: Some(LenientDateTime(acronis.clock.now())), items, paging };
    Ok(ok(&batch))
}

impl Acronis {
    /// Returns the tenants of a list, selected by exactly one of three parameters.
    fn chosen(&self, query: &Params) -> Result<Vec<usize>, Failure> {
        let tree = &self.dataset.acronis;
        let with_path = flag(query, "include_relative_path")?;
        match (query.get("uuids"), query.get("parent_id"), query.get("subtree_root_id")) {
            (Some(_), None, None) => {
                let given = super::query::uuids(query, "uuids")?.unwrap_or_default();
                if given.len() > MAX_IDS {
                    return Err(Failure::bad_request(format!("uuids: more than {MAX_IDS}.")));
                }
                let mut indexes: Vec<usize> = given.into_iter().filter_map(|id| tree.find_any(id)).collect();
                if with_path {
                    for above in indexes.clone().into_iter().flat_map(|index| tree.ancestors(index)) {
                        if !indexes.contains(&above) {
                            indexes.push(above);
                        }
                    }
                }
                Ok(indexes)
            }
            _ if with_path => Err(Failure::bad_request("include_relative_path: only together with uuids.")),
            (None, Some(parent), None) => Ok(tree.children(self.tenant(parent)?).collect()),
            (None, None, Some(root)) => Ok(tree.subtree(self.tenant(root)?)),
            _ => Err(Failure::bad_request("Exactly one of uuids, parent_id and subtree_root_id is needed.")),
        }
    }
}

/// The level of detail of tenants.
struct TenantDetail {
    detail: TenantLod,
    with_contacts: bool,
    with_items: bool,
}

impl TenantDetail {
    fn read(query: &Params) -> Result<Self, Failure> {
        let detail = query.get("lod").map_or(TenantLod::Full, TenantLod::from);
        reject_unlisted(first_unlisted!(TenantLod, [&detail]))?;
        // The vendor's document states that `with_offering_items` selects the tenants that have items; its Go connector embeds them. Here
        // it does both.
        let with_items = flag(query, "expand_offering_items")? || flag(query, "with_offering_items")?;
        Ok(Self { detail, with_contacts: flag(query, "with_contacts")?, with_items })
    }

    fn of(&self, acronis: &Acronis, index: usize) -> Option<types::Tenant> {
        let mut tenant = acronis.describe(index)?;
        if self.with_contacts {
            tenant.contacts.extend(acronis.dataset.acronis.get(index).map(contact));
        }
        if self.with_items {
            tenant.offering_items = acronis.items(index);
        }
        Some(match self.detail {
            TenantLod::Stamps => types::Tenant { name: None, kind: None, enabled: None, ..stamps(tenant) },
            TenantLod::Basic => {
                let (name, kind, enabled) = (tenant.name.take(), tenant.kind.take(), tenant.enabled);
                types::Tenant { name, kind, enabled, ..stamps(tenant) }
            }
            _ => tenant,
        })
    }
}

/// Removes all but "id, parent, version, times, contacts, offering items".
fn stamps(tenant: types::Tenant) -> types::Tenant {
    types::Tenant {
        customer_type: None,
        customer_id: None,
        brand_uuid: None,
        brand_enabled: None,
        language: None,
        has_children: None,
        default_idp_id: None,
        update_lock: None,
        ancestral_access: None,
        mfa_status: None,
        pricing_mode: None,
        production_start_date: None,
        contact: None,
        ..tenant
    }
}
