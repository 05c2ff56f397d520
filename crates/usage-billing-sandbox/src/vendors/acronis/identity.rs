//! The API client and its user.

use axum::extract::{Path, State};
use axum::response::Response;
use usage_billing_acronis::types;
use usage_billing_core::LenientDateTime;
use uuid::Uuid;

use super::error::Failure;
use super::tenants::since;
use super::{HandlerResult, Shared};
use crate::dataset;
use crate::dataset::acronis::Tenant;
use crate::demo_credentials::ACRONIS_TENANT_ID;
use crate::http_util::oauth::ACRONIS_CLIENTS;
use crate::http_util::response::ok;

pub(super) async fn client(State(acronis): Shared, Path(client_id): Path<String>) -> HandlerResult {
    let requested = Uuid::parse_str(&client_id).ok();
    let known =
        ACRONIS_CLIENTS.iter().find(|client| requested.is_some() && Uuid::parse_str(client.id).ok() == requested);
    if known.is_none() {
        return Err(Failure::no_such_thing("No such client.").about(&client_id));
    }
    let client = types::ApiClient {
        client_id: requested,
        tenant_id: own_tenant(),
        client_secret_expires_at: Some(0),
        type_: Some(types::ClientType::ApiClient),
        data: [("client_name".to_owned(), "invoice-run".into())].into_iter().collect(),
        token_endpoint_auth_method: Some(types::ClientAuthMethod::ClientSecretBasic),
        created_at: Some(since(Tenant::founded())),
        created_by: Some(administrator().to_string()),
        last_access_at: Some(LenientDateTime(acronis.clock.now())),
        last_access_from_ip: Some("127.0.0.1".to_owned()),
        status: Some(types::ClientStatus::Enabled),
        redirect_uris: Vec::new(),
        origin_id: None,
    };
    Ok(ok(&client))
}

/// Returns the user who created the client. The vendor's response for the token of a client is not documented.
pub(super) async fn me() -> Response {
    let me = types::UserMe {
        id: administrator(),
        tenant_id: own_tenant(),
        login: Some("billing@northwind.example".to_owned()),
        version: Some(3),
    };
    ok(&me)
}

fn own_tenant() -> Uuid {
    Uuid::parse_str(ACRONIS_TENANT_ID).unwrap_or_default()
}

fn administrator() -> Uuid {
    dataset::id("acronis/user/admin")
}
