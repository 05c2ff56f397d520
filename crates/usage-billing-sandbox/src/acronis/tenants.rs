//! The client's own entry, and the tenants that it may see.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use http::StatusCode;
use usage_billing_acronis::types;
use usage_billing_core::LenientDateTime;
use uuid::Uuid;

use super::Acronis;
use super::error::Failure;
use crate::answer::{Values, json};
use crate::world::acronis::Tree;
use crate::world::{self, midnight};
use crate::{ACRONIS_CLIENT_ID, ACRONIS_TENANT_ID};

pub(super) async fn client(
    State(acronis): State<Arc<Acronis>>,
    Path(client_id): Path<String>,
) -> Result<Response, Failure> {
    let own = Uuid::parse_str(ACRONIS_CLIENT_ID).unwrap_or_default();
    if Uuid::parse_str(&client_id) != Ok(own) {
        return Err(Failure::no_such_thing("No such client.").about(&client_id));
    }
    let client = types::ApiClient {
        client_id: Some(own),
        tenant_id: Uuid::parse_str(ACRONIS_TENANT_ID).unwrap_or_default(),
        client_secret_expires_at: Some(0),
        type_: Some(types::ClientType::ApiClient),
        data: [("client_name".to_owned(), "invoice-run".into())].into_iter().collect(),
        token_endpoint_auth_method: Some(types::ClientAuthMethod::ClientSecretBasic),
        created_at: Some(since(2025, 1, 9)),
        created_by: Some(world::id("acronis/user/admin").to_string()),
        last_access_at: Some(LenientDateTime(acronis.clock.now())),
        last_access_from_ip: Some("127.0.0.1".to_owned()),
        status: Some(types::ClientStatus::Enabled),
        redirect_uris: Vec::new(),
        origin_id: None,
    };
    Ok(json(StatusCode::OK, &client))
}

pub(super) async fn read(
    State(acronis): State<Arc<Acronis>>,
    Path(tenant_id): Path<String>,
    query: Values,
) -> Result<Response, Failure> {
    let place = acronis.tenant(&tenant_id)?;
    let embed_path = flag(&query, "embed_path")?;
    // There are no deleted tenants here, but the value is checked all the same.
    flag(&query, "allow_deleted")?;
    Ok(json(StatusCode::OK, &tenant(&acronis.world.acronis, place, embed_path)))
}

pub(super) async fn children(
    State(acronis): State<Arc<Acronis>>,
    Path(tenant_id): Path<String>,
    query: Values,
) -> Result<Response, Failure> {
    let place = acronis.tenant(&tenant_id)?;
    flag(&query, "allow_deleted")?;
    if query.get("after").is_some() {
        // All children are on the first page, so no cursor was ever given out.
        return Err(Failure::bad_request("There is no such cursor."));
    }
    let tree = &acronis.world.acronis;
    let mut items: Vec<_> = tree.children(place).filter_map(|child| tree.tenants().get(child)).collect();
    match query.get("order").unwrap_or("name") {
        "name" => items.sort_by_key(|tenant| tenant.name),
        "-name" => items.sort_by_key(|tenant| std::cmp::Reverse(tenant.name)),
        "-as_is" | "-status" => items.reverse(),
        // By state (all are alike), or as the tree has them. By usage is not here yet.
        _ => {}
    }
    let children = types::TenantChildren { items: items.iter().map(|tenant| tenant.id).collect(), paging: None };
    Ok(json(StatusCode::OK, &children))
}

impl Acronis {
    /// Position of a tenant within the client's reach.
    pub(super) fn tenant(&self, id: &str) -> Result<usize, Failure> {
        let uuid = Uuid::parse_str(id).map_err(|_| Failure::no_such_tenant(id))?;
        match self.world.acronis.find(uuid) {
            Some(place) => Ok(place),
            None if uuid == Tree::root_id() => Err(Failure::access_denied(id)),
            None => Err(Failure::no_such_tenant(id)),
        }
    }
}

pub(super) fn flag(query: &Values, name: &str) -> Result<bool, Failure> {
    match query.get(name) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => Err(Failure::bad_request(format!("{name} is neither true nor false: {other}"))),
    }
}

fn tenant(tree: &Tree, place: usize, embed_path: bool) -> Option<types::Tenant> {
    let tenant = tree.tenants().get(place)?;
    let parent =
        tenant.parent.and_then(|parent| tree.tenants().get(parent)).map_or_else(Tree::root_id, |parent| parent.id);
    let contact = types::Contact {
        id: Some(world::id(&format!("acronis/contact/{}", tenant.name)).to_string()),
        types: vec![types::ContactType::Legal],
        email: Some(format!("office-{}@tenant.example", tenant.numeric_id)),
        created_at: Some(since(2025, 3, 18)),
        updated_at: Some(since(2025, 3, 18)),
        ..Default::default()
    };
    let mut path: Vec<Uuid> = Vec::new();
    if embed_path {
        path.extend(
            tree.ancestors(place).filter_map(|ancestor| tree.tenants().get(ancestor)).map(|ancestor| ancestor.id),
        );
        path.reverse();
    }
    Some(types::Tenant {
        id: tenant.id,
        version: 4,
        name: Some(tenant.name.to_owned()),
        kind: Some(tenant.kind.clone()),
        parent_id: parent.to_string(),
        enabled: Some(true),
        customer_type: Some(types::CustomerType::Default),
        customer_id: tenant.customer_id.map(str::to_owned),
        created_at: Some(since(2025, 3, 18)),
        updated_at: Some(since(2025, 9, 2)),
        deleted_at: None,
        contact: Some(contact),
        contacts: Vec::new(),
        brand_id: None,
        brand_uuid: Some(Tree::root_id().to_string()),
        brand_enabled: Some(false),
        barrier: None,
        internal_tag: None,
        language: Some("en".to_owned()),
        offering_items: Vec::new(),
        owner_id: None,
        has_children: Some(tree.children(place).next().is_some()),
        default_idp_id: Some("11111111-1111-4111-8111-111111111111".to_owned()),
        update_lock: Some(types::UpdateLock { enabled: false, owner_id: None }),
        ancestral_access: Some(true),
        mfa_status: Some(types::MfaStatus::Disabled),
        pricing_mode: Some(if tenant.trial { types::PricingMode::Trial } else { types::PricingMode::Production }),
        production_start_date: (!tenant.trial).then(|| since(2025, 5, 1)),
        external_operation_status: None,
        path,
    })
}

fn since(year: i32, month: u32, day: u32) -> LenientDateTime {
    LenientDateTime(NaiveDate::from_ymd_opt(year, month, day).map_or(DateTime::<Utc>::UNIX_EPOCH, midnight))
}
