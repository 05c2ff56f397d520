//! Offering items of tenants.

use axum::extract::{Path, State};
use usage_billing_acronis::types;
use usage_billing_acronis::types::{OfferingItemType, TenantKind};
use usage_billing_core::LenientDateTime;

use super::error::Failure;
use super::query::{Paged, flag, instant, lists, reject_unlisted, uuid};
use super::{Acronis, HandlerResult, Shared};
use crate::dataset::acronis::{Holding, Infra, Item, Unit};
use crate::dataset::midnight;
use crate::http_util::request::{Params, first_unlisted};
use crate::http_util::response::ok;

pub(super) async fn of_tenant(State(acronis): Shared, Path(tenant_id): Path<String>, query: Params) -> HandlerResult {
    let index = acronis.tenant(&tenant_id)?;
    let available_only = flag(&query, "available_only")?;
    // Nothing is in its grace period here, and nothing is secondary.
    flag(&query, "for_ui")?;
    flag(&query, "include_secondary")?;
    let infra = uuid(&query, "infra_uuid")?;
    let status = match query.get("status") {
        None => None,
        Some("0") => Some(0),
        Some("1") => Some(1),
        Some(other) => return Err(Failure::bad_request(format!("status is neither 0 nor 1: {other}"))),
    };
    let type_ = query.get("type").map(OfferingItemType::from);
    reject_unlisted(first_unlisted!(OfferingItemType, &type_))?;
    let items = acronis.items(index).into_iter().filter(|item| {
        has_edition(&query, item.edition.as_deref())
            && lists(&query, "usage_names", Some(&item.usage_name))
            && (infra.is_none() || item.infra_id == infra)
            && status.is_none_or(|status| item.status == status)
            && type_.as_ref().is_none_or(|type_| item.type_ == *type_)
            && (!available_only || item.status == 1)
    });
    Ok(ok(&acronis.item_list(items.collect(), None)))
}

pub(super) async fn list(State(acronis): Shared, paged: Paged) -> HandlerResult {
    let query = &paged.query;
    let Some(root) = query.get("subtree_root_tenant_id") else {
        return Err(Failure::bad_request("subtree_root_tenant_id: needed on the first page."));
    };
    let root = acronis.tenant(root)?;
    let since = instant(query, "updated_since")?;
    let with_deleted = flag(query, "allow_deleted")?;
    let tree = &acronis.dataset.acronis;
    let items = tree
        .subtree(root)
        .into_iter()
        .filter(|index| with_deleted || tree.is_live(*index))
        .flat_map(|index| acronis.items(index))
        .filter(|item| {
            lists(query, "usage_names", Some(&item.usage_name))
                && lists(query, "editions", item.edition.as_deref())
                && lists(query, "offering_items", Some(&item.name))
                && since.is_none_or(|since| item.updated_at.is_some_and(|updated| *updated >= since))
        });
    let (items, paging) = paged.page(items);
    Ok(ok(&acronis.item_list(items, paging)))
}

pub(super) async fn for_child(State(acronis): Shared, Path(tenant_id): Path<String>, query: Params) -> HandlerResult {
    let index = acronis.tenant(&tenant_id)?;
    let kind = acronis.dataset.acronis.get(index).map(|tenant| tenant.kind.clone());
    let sells_on = !matches!(kind, Some(TenantKind::Customer | TenantKind::Unit));
    match query.get("kind").map(TenantKind::from) {
        None => {}
        Some(TenantKind::Unit) if !sells_on => {}
        Some(TenantKind::Partner | TenantKind::Folder | TenantKind::Customer) if sells_on => {}
        Some(other) => return Err(Failure::bad_request(format!("kind: the tenant cannot have such a child: {other}"))),
    }
    let items = acronis.items(index).into_iter().filter(|item| {
        // Items that are off cannot be passed on.
        item.status == 1 && has_edition(&query, item.edition.as_deref())
    });
    // The limits are those of the future child: none.
    let unlimited = |item: types::OfferingItem| types::OfferingItem {
        quota: item.quota.map(|_| types::Quota { value: None, overage: None, version: 0 }),
        ..item
    };
    Ok(ok(&acronis.item_list(items.map(unlimited).collect(), None)))
}

/// Returns whether an item has the requested edition, `standard` by default; items without an edition are always included.
fn has_edition(query: &Params, edition: Option<&str>) -> bool {
    let requested = query.get("edition").unwrap_or("standard");
    requested == "*" || edition.is_none_or(|edition| edition == requested)
}

pub(super) fn type_of(item: &Item, infra: Option<&Infra>) -> OfferingItemType {
    match infra {
        _ if item.unit == Unit::Switch => OfferingItemType::Feature,
        Some(_) => OfferingItemType::Infra,
        None => OfferingItemType::Count,
    }
}

impl Acronis {
    fn item_list(&self, items: Vec<types::OfferingItem>, paging: Option<types::Paging>) -> types::OfferingItemList {
        types::OfferingItemList { timestamp: Some(LenientDateTime(self.clock.now())), items, paging }
    }

    /// Returns all items of a tenant, even if it is deleted.
    pub(super) fn items(&self, index: usize) -> Vec<types::OfferingItem> {
        let tree = &self.dataset.acronis;
        let Some(tenant) = tree.get(index) else { return Vec::new() };
        let updated = tenant.updated_on(self.dataset.today());
        let item = |held: Holding| types::OfferingItem {
            application_id: held.item.application.id(),
            name: held.item.name.to_owned(),
            edition: held.item.edition.map(str::to_owned),
            usage_name: held.item.usage_name.to_owned(),
            tenant_id: tenant.id,
            updated_at: Some(LenientDateTime(midnight(updated))),
            deleted_at: tenant.deleted_on().map(|day| LenientDateTime(midnight(day))),
            status: held.is_on.into(),
            locked: Some(!held.is_on),
            quota: held.limits(),
            type_: type_of(held.item, held.infra),
            infra_id: held.infra.map(|infra| infra.id()),
            measurement_unit: held.item.unit.in_items(),
        };
        tree.holdings(index).into_iter().map(item).collect()
    }
}
