//! A tenant, the ids of its children, and the representation of tenants in all responses.

use std::cmp::Reverse;

use axum::extract::{Path, State};
use chrono::NaiveDate;
use usage_billing_acronis::types;
use usage_billing_core::LenientDateTime;
use uuid::Uuid;

use super::error::Failure;
use super::query::{Paged, flag, uuids};
use super::{Acronis, HandlerResult, Shared, pricing};
use crate::dataset;
use crate::dataset::acronis::{Span, Tenant, Tree};
use crate::dataset::{days_before, midnight, month_of};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

pub(super) async fn read(State(acronis): Shared, Path(tenant_id): Path<String>, query: Params) -> HandlerResult {
    let embed_path = flag(&query, "embed_path")?;
    let index = acronis.index(&tenant_id, flag(&query, "allow_deleted")?)?;
    let mut tenant = acronis.describe(index);
    if let Some(tenant) = tenant.as_mut().filter(|_| embed_path) {
        let tree = &acronis.dataset.acronis;
        tenant.path = tree.ancestors(index).filter_map(|above| tree.get(above)).map(|above| above.id).collect();
    }
    Ok(ok(&tenant))
}

pub(super) async fn children(State(acronis): Shared, Path(tenant_id): Path<String>, paged: Paged) -> HandlerResult {
    let index = acronis.tenant(&tenant_id)?;
    let query = &paged.query;
    let with_deleted = flag(query, "allow_deleted")?;
    let tree = &acronis.dataset.acronis;
    let mut children: Vec<_> = tree.children(index).filter(|child| with_deleted || tree.is_live(*child)).collect();
    let order = query.get("order").unwrap_or("name");
    let (reversed, by) = order.strip_prefix('-').map_or((false, order), |by| (true, by));
    match (by, by.strip_prefix("usage.")) {
        ("as_is", _) => {}
        ("name", _) => children.sort_by_key(|child| tree.get(*child).map(|tenant| tenant.name.as_str())),
        ("status", _) => children.sort_by_key(|child| Reverse(tree.is_live(*child))),
        (_, Some(metric)) => children.sort_by_cached_key(|child| acronis.level(*child, metric)),
        _ => return Err(Failure::bad_request(format!("order: there is no such order: {order}"))),
    }
    if reversed {
        children.reverse();
    }
    let (items, paging) = paged.page(children.into_iter().filter_map(|child| tree.get(child)).map(|tenant| tenant.id));
    Ok(ok(&types::TenantChildren { items, paging }))
}

impl Acronis {
    /// Returns the index of a tenant that the client can reach.
    pub(super) fn tenant(&self, id: &str) -> Result<usize, Failure> {
        self.index(id, false)
    }

    fn index(&self, id: &str, or_deleted: bool) -> Result<usize, Failure> {
        let uuid = Uuid::parse_str(id).map_err(|_| Failure::no_such_tenant(id))?;
        let tree = &self.dataset.acronis;
        match if or_deleted { tree.find_any(uuid) } else { tree.find(uuid) } {
            Some(index) => Ok(index),
            None if uuid == Tree::root_id() => Err(Failure::access_denied(id)),
            None => Err(Failure::no_such_tenant(id)),
        }
    }

    /// Returns the existing tenants of a list of ids.
    pub(super) fn tenants(&self, query: &Params, name: &str) -> Result<Vec<(Uuid, usize)>, Failure> {
        let ids = uuids(query, name)?.ok_or_else(|| Failure::bad_request(format!("{name}: needed.")))?;
        if ids.contains(&Tree::root_id()) {
            return Err(Failure::access_denied(&Tree::root_id().to_string()));
        }
        Ok(ids.into_iter().filter_map(|id| Some((id, self.dataset.acronis.find(id)?))).collect())
    }

    /// Returns the usage of a metric (`storage`, optionally with `.` and the id of a component).
    fn level(&self, index: usize, metric: &str) -> i64 {
        let (metric, infra) = metric.split_once('.').map_or((metric, None), |(metric, infra)| (metric, Some(infra)));
        let infra = infra.map(|id| Uuid::parse_str(id).unwrap_or_default());
        let today = self.dataset.today();
        let usages = self.dataset.acronis.usage(index, Span::summary(month_of(today), today, days_before(today, 1)));
        let counted = usages.iter().filter(|usage| {
            [usage.item.usage_name, usage.item.name].contains(&metric)
                && (infra.is_none() || usage.infra.map(|infra| infra.id()) == infra)
        });
        counted.map(|usage| usage.total()[usage.effective()]).sum()
    }

    /// Returns a tenant without the optional fields.
    pub(super) fn describe(&self, index: usize) -> Option<types::Tenant> {
        let tree = &self.dataset.acronis;
        let tenant = tree.get(index)?;
        let parent = tenant.parent.and_then(|parent| tree.get(parent)).map_or_else(Tree::root_id, |parent| parent.id);
        let founded = since(Tenant::founded());
        Some(types::Tenant {
            id: tenant.id,
            version: 4,
            name: Some(tenant.name.clone()),
            kind: Some(tenant.kind.clone()),
            parent_id: parent.to_string(),
            enabled: Some(!tenant.deleted),
            customer_type: Some(types::CustomerType::Default),
            customer_id: tenant.customer_id.clone(),
            created_at: Some(founded),
            updated_at: Some(since(tenant.updated_on(self.dataset.today()))),
            deleted_at: tenant.deleted_on().map(since),
            contact: Some(Box::new(contact(tenant))),
            contacts: Vec::new(),
            brand_id: None,
            brand_uuid: Some(Tree::root_id().to_string()),
            brand_enabled: Some(false),
            barrier: None,
            internal_tag: None,
            language: Some("en".to_owned()),
            offering_items: Vec::new(),
            owner_id: None,
            has_children: Some(tree.children(index).any(|child| tree.is_live(child))),
            default_idp_id: Some("11111111-1111-4111-8111-111111111111".to_owned()),
            update_lock: Some(types::UpdateLock { enabled: false, owner_id: None }),
            ancestral_access: Some(true),
            mfa_status: Some(types::MfaStatus::Disabled),
            pricing_mode: Some(pricing::mode(tenant, self.dataset.today())),
            production_start_date: pricing::production_start(tenant),
            external_operation_status: None,
            path: Vec::new(),
        })
    }
}

pub(super) fn contact(tenant: &Tenant) -> types::Contact {
    types::Contact {
        id: Some(dataset::id(&format!("acronis/contact/{}", tenant.name)).to_string()),
        types: vec![types::ContactType::Legal],
        email: Some(format!("office-{}@tenant.example", tenant.numeric_id)),
        created_at: Some(since(Tenant::founded())),
        updated_at: Some(since(Tenant::founded())),
        ..Default::default()
    }
}

pub(super) fn since(day: NaiveDate) -> LenientDateTime {
    LenientDateTime(midnight(day))
}
