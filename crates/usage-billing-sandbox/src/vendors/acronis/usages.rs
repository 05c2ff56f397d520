//! Usages of the current period, as in reports of this month as of yesterday.

use axum::extract::{Path, State};
use usage_billing_acronis::types;
use usage_billing_core::LenientDateTime;

use super::query::lists;
use super::{Acronis, HandlerResult, Shared};
use crate::dataset::acronis::{Span, Usage};
use crate::dataset::{days_before, midnight, month_of};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

pub(super) async fn of_tenant(State(acronis): Shared, Path(tenant_id): Path<String>, query: Params) -> HandlerResult {
    let index = acronis.tenant(&tenant_id)?;
    Ok(ok(&types::UsageList { items: acronis.usages(index, &query) }))
}

pub(super) async fn of_tenants(State(acronis): Shared, query: Params) -> HandlerResult {
    let indexes = acronis.tenants(&query, "tenants")?;
    let of = |(tenant, index)| types::TenantUsages { tenant, usages: acronis.usages(index, &query) };
    Ok(ok(&types::TenantUsagesBatch { items: indexes.into_iter().map(of).collect() }))
}

impl Acronis {
    fn usages(&self, index: usize, query: &Params) -> Vec<types::Usage> {
        let today = self.dataset.today();
        let first = month_of(today);
        let span = Span::summary(first, today, days_before(today, 1));
        let usages = self.dataset.acronis.usage(index, span);
        let requested = |usage: &&Usage| {
            // Counters of the platform are in reports only.
            usage.item.is_of_service()
                && lists(query, "usage_names", Some(usage.item.usage_name))
                && lists(query, "editions", usage.item.edition)
        };
        usages
            .iter()
            .filter(requested)
            .filter_map(|usage| self.usage(index, usage, LenientDateTime(midnight(first))))
            .collect()
    }

    fn usage(&self, index: usize, usage: &Usage, range_start: LenientDateTime) -> Option<types::Usage> {
        let tree = &self.dataset.acronis;
        let tenant = tree.get(index)?;
        let item = usage.item;
        let held = tree.holdings(index).into_iter().find(|held| held.item == item && held.infra == usage.infra);
        Some(types::Usage {
            application_id: item.application.id(),
            name: item.name.to_owned(),
            edition: item.edition.map(str::to_owned),
            usage_name: Some(item.usage_name.to_owned()),
            type_: Some(super::offering_items::type_of(item, usage.infra)),
            measurement_unit: item.unit.in_items(),
            infra_id: usage.infra.map(|infra| infra.id()),
            tenant_uuid: Some(tenant.id),
            tenant_id: Some(tenant.numeric_id),
            range_start,
            absolute_value: Some(usage.total()[0].into()),
            value: usage.total()[usage.effective()].into(),
            offering_item: held
                .map(|held| types::UsageOfferingItem { status: held.is_on.into(), quota: held.limits() }),
        })
    }
}
