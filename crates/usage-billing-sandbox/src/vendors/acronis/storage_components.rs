//! Storage and recovery components, and their owners.

use axum::extract::{Path, State};
use usage_billing_acronis::types;
use uuid::Uuid;

use super::error::Failure;
use super::query::uuids;
use super::{HandlerResult, Shared};
use crate::dataset::acronis::{INFRA, Infra, Tree};
use crate::dataset::id;
use crate::http_util::request::Params;
use crate::http_util::response::ok;

pub(super) async fn list(State(acronis): Shared, query: Params) -> HandlerResult {
    let requested = uuids(&query, "uuids")?.ok_or_else(|| Failure::bad_request("uuids: needed."))?;
    let known = requested.into_iter().filter_map(|id| INFRA.into_iter().find(|infra| infra.id() == id));
    let items = known.map(|infra| describe(infra, &acronis.dataset.acronis)).collect();
    Ok(ok(&types::InfraBatch { items }))
}

pub(super) async fn read(State(acronis): Shared, Path(infra_id): Path<String>) -> HandlerResult {
    let known = Uuid::parse_str(&infra_id).ok();
    let found = INFRA.into_iter().find(|infra| Some(infra.id()) == known);
    let found = found.ok_or_else(|| Failure::no_such_thing("No such component.").about(&infra_id))?;
    Ok(ok(&describe(found, &acronis.dataset.acronis)))
}

fn describe(infra: &Infra, tree: &Tree) -> types::Infra {
    let host = infra.id().simple();
    types::Infra {
        id: infra.id(),
        owner_tenant_id: Some(infra.owner(tree)),
        location_id: Some(id(&format!("acronis/location/{}", infra.is_vendors()))),
        platform_owned: Some(infra.is_vendors()),
        name: Some(infra.name.to_owned()),
        url: Some(format!("acronis+fes://{host}.storage.example:44445")),
        capabilities: vec![types::InfraCapability::Backup, types::InfraCapability::DisasterRecovery],
        content_url: Some(format!("https://browse.{host}.storage.example/")),
        content_mobile_url: Some(format!("https://browse.{host}.storage.example/mobile/")),
        backend_type: Some(infra.backend.to_owned()),
        version: Some(3),
        readonly: Some(infra.is_vendors()),
    }
}
