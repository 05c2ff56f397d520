//! The organization's OAuth clients, all on one page.

use axum::extract::State;
use axum::response::Response;
use usage_billing_genesys::types;

use super::Shared;
use crate::dataset;
use crate::http_util::response::ok;

pub(super) async fn list(State(genesys): Shared) -> Response {
    let clients = dataset::genesys::oauth_clients(genesys.dataset.today());
    let listing = types::OAuthClientEntityListing {
        page_size: i32::try_from(clients.len()).ok(),
        page_number: Some(1),
        page_count: Some(1),
        total: i64::try_from(clients.len()).ok(),
        entities: clients,
        self_uri: Some("/api/v2/oauth/clients".to_owned()),
        ..Default::default()
    };
    ok(&listing)
}
