//! The partner's own organization, and the client organizations that trust it.

use axum::extract::State;
use axum::response::Response;
use usage_billing_genesys::types;

use super::pagination;
use super::{HandlerResult, Shared};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

const DEFAULT_PAGE: usize = 25;
/// The vendor documents no maximum. This one is small, so that even few organizations have several pages.
const MAX_PAGE: usize = 5;

pub(super) async fn own(State(genesys): Shared) -> Response {
    ok(&genesys.dataset.genesys.own_organization())
}

/// Lists trustors. A page may be shorter than requested; it states its own size.
pub(super) async fn trustors(State(genesys): Shared, query: Params) -> HandlerResult {
    let size = pagination::number(&query, "pageSize", DEFAULT_PAGE, i32::MAX as usize)?.min(MAX_PAGE);
    let number = pagination::number(&query, "pageNumber", 1, i32::MAX as usize)?;
    let trustors: Vec<_> = genesys.dataset.genesys.trustors(genesys.calendar()).collect();
    let pages = trustors.len().div_ceil(size);
    let link = |number: usize| format!("/api/v2/orgauthorization/trustors?pageSize={size}&pageNumber={number}");
    let count = |count: usize| i32::try_from(count).ok();
    let listing = types::TrustorEntityListing {
        page_size: count(size),
        page_number: count(number),
        total: i64::try_from(trustors.len()).ok(),
        page_count: count(pages),
        first_uri: Some(link(1)),
        previous_uri: (number > 1).then(|| link(number - 1)),
        next_uri: (number < pages).then(|| link(number + 1)),
        last_uri: Some(link(pages.max(1))),
        self_uri: Some(link(number)),
        entities: Some(trustors.into_iter().skip((number - 1).saturating_mul(size)).take(size).collect()),
    };
    Ok(ok(&listing))
}
