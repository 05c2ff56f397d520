//! The services of the platform, and those that a tenant can use.

use axum::extract::{Path, State};
use axum::response::Response;
use usage_billing_acronis::types;
use uuid::Uuid;

use super::error::Failure;
use super::query::flag;
use super::{Acronis, HandlerResult, Shared};
use crate::dataset::acronis::{APPLICATIONS, Application};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

pub(super) async fn list() -> Response {
    ok(&types::ApplicationList { items: APPLICATIONS.map(application).into() })
}

pub(super) async fn read(Path(application_id): Path<String>) -> HandlerResult {
    let known = Uuid::parse_str(&application_id).ok();
    let found = APPLICATIONS.into_iter().find(|application| Some(application.id()) == known);
    let found = found.ok_or_else(|| Failure::no_such_thing("No such application.").about(&application_id))?;
    Ok(ok(&application(found)))
}

pub(super) async fn of_tenant(State(acronis): Shared, Path(tenant_id): Path<String>, query: Params) -> HandlerResult {
    let index = acronis.tenant(&tenant_id)?;
    // Nothing is in its grace period here.
    flag(&query, "for_ui")?;
    Ok(ok(&types::UuidList { items: acronis.usable(index) }))
}

pub(super) async fn of_tenants(State(acronis): Shared, query: Params) -> HandlerResult {
    let indexes = acronis.tenants(&query, "tenants")?;
    let of = |(tenant, index)| types::TenantApplications { tenant, applications: acronis.usable(index) };
    Ok(ok(&types::TenantApplicationsBatch { items: indexes.into_iter().map(of).collect() }))
}

impl Acronis {
    /// Returns the services of which the tenant has an item.
    fn usable(&self, index: usize) -> Vec<Uuid> {
        let holdings = self.dataset.acronis.holdings(index);
        let has = |application: &&Application| holdings.iter().any(|held| held.item.application == *application);
        APPLICATIONS.into_iter().filter(has).map(Application::id).collect()
    }
}

fn application(application: &Application) -> types::Application {
    types::Application {
        id: application.id(),
        name: application.name.to_owned(),
        type_: application.type_(),
        usages: application.usages.iter().map(|usage| (*usage).to_owned()).collect(),
        api_base_url: application.base_url.to_owned(),
    }
}
