//! Billing mode of tenants, and prices where their parents keep them in the platform.

use axum::extract::{Path, State};
use chrono::NaiveDate;
use usage_billing_acronis::types;
use usage_billing_core::LenientDateTime;

use super::{HandlerResult, Shared};
use crate::dataset::acronis::{Charge, Holding, Tenant};
use crate::dataset::midnight;
use crate::http_util::response::ok;

pub(super) async fn of_items(State(acronis): Shared, Path(tenant_id): Path<String>) -> HandlerResult {
    let index = acronis.tenant(&tenant_id)?;
    let tree = &acronis.dataset.acronis;
    let is_kept = tree.get(index).is_some_and(|tenant| tenant.currency.is_some());
    let price = |held: Holding| types::OfferingItemPrice {
        application_id: held.item.application.id(),
        name: held.item.name.to_owned(),
        infra_id: held.infra.map(|infra| infra.id()),
        price: held.item.price().into(),
        version: version(),
    };
    let held = tree.holdings(index).into_iter().filter(|held| is_kept && held.item.charge != Charge::Nothing);
    Ok(ok(&types::OfferingItemPriceList { items: held.map(price).collect() }))
}

pub(super) async fn of_tenant(State(acronis): Shared, Path(tenant_id): Path<String>) -> HandlerResult {
    let index = acronis.tenant(&tenant_id)?;
    let pricing = acronis.dataset.acronis.get(index).map(|tenant| types::TenantPricing {
        mode: mode(tenant, acronis.dataset.today()),
        currency: tenant.currency.map(types::Currency::from),
        version: version(),
        production_start_date: production_start(tenant),
    });
    Ok(ok(&pricing))
}

pub(super) fn mode(tenant: &Tenant, day: NaiveDate) -> types::PricingMode {
    if tenant.is_trial(day) { types::PricingMode::Trial } else { types::PricingMode::Production }
}

pub(super) fn production_start(tenant: &Tenant) -> Option<LenientDateTime> {
    tenant.billed_since.map(|day| LenientDateTime(midnight(day)))
}

/// Looks like milliseconds since 1970, as the vendor's versions do.
fn version() -> i64 {
    midnight(Tenant::founded()).timestamp_millis()
}
