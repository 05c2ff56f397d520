//! Licences, and their holders.

use axum::extract::{Path, State};
use axum::response::Response;
use usage_billing_genesys::types;

use super::error::Failure;
use super::pagination;
use super::{HandlerResult, Shared};
use crate::dataset;
use crate::http_util::request::Params;
use crate::http_util::response::ok;

const DEFAULT_PAGE: usize = 25;
/// The vendor documents no limit; numbers must fit into the response.
const MAX_PAGE: usize = i32::MAX as usize;

pub(super) async fn definitions() -> Response {
    ok(&dataset::genesys::licences())
}

pub(super) async fn definition(Path(id): Path<String>) -> HandlerResult {
    let licence = dataset::genesys::licence(&id).ok_or_else(|| Failure::not_found(&id))?;
    Ok(ok(&licence))
}

/// Returns a toggle; all are enabled.
pub(super) async fn toggle(Path(feature): Path<String>) -> Response {
    ok(&types::LicenseOrgToggle { enabled: Some(true), feature_name: Some(feature) })
}

pub(super) async fn users(State(genesys): Shared, query: Params) -> HandlerResult {
    let size = pagination::number(&query, "pageSize", DEFAULT_PAGE, MAX_PAGE)?;
    let number = pagination::number(&query, "pageNumber", 1, MAX_PAGE)?;
    let users = genesys.dataset.genesys.users(genesys.dataset.today());
    let count = |count: usize| i32::try_from(count).ok();
    let listing = types::UserLicensesEntityListing {
        page_size: count(size),
        page_number: count(number),
        total: i64::try_from(users.len()).ok(),
        page_count: count(users.len().div_ceil(size)),
        entities: Some(users.into_iter().skip((number - 1).saturating_mul(size)).take(size).collect()),
    };
    Ok(ok(&listing))
}

/// Returns a user with complete definitions, unlike the list.
pub(super) async fn user(State(genesys): Shared, Path(id): Path<String>) -> HandlerResult {
    let user =
        genesys.dataset.genesys.users(genesys.dataset.today()).into_iter().find(|user| user.id.as_ref() == Some(&id));
    let user = user.ok_or_else(|| Failure::not_found(&id))?;
    let licenses = user.licenses.iter().filter_map(|id| dataset::genesys::licence(id)).collect();
    Ok(ok(&types::LicenseUser { id: user.id, licenses, self_uri: user.self_uri }))
}
