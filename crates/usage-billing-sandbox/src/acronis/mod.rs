//! Acronis Cyber Protect Cloud: the token endpoint, reports and their files, usages, tenants and what they may use.

mod applications;
mod error;
mod files;
mod identity;
mod items;
mod pricing;
mod query;
mod reports;
mod rows;
mod schedule;
mod stored;
mod summary;
mod tenant_list;
mod tenants;
mod usages;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::Utc;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use usage_billing_acronis::types::{OAuthError, TokenErrorCode};
use uuid::Uuid;

pub(crate) use self::summary::summary;

use self::error::Failure;
use crate::answer::{BadBody, Sent, json};
use crate::auth::{self, ACRONIS_CLIENTS, Standing, Tokens};
use crate::clock::Clock;
use crate::world::World;

/// Not documented; no request of this API is anywhere near.
pub(crate) const LARGEST_BODY: usize = 256 * 1024;
/// Reports that are remembered.
const MOST_REPORTS: usize = 1_000;
const TOKEN_PATH: &str = "/api/2/idp/token";

pub(crate) struct Acronis {
    world: Arc<World>,
    clock: Clock,
    tokens: Tokens,
    polls_before_ready: u32,
    gzip_header: bool,
    realm: Uuid,
    state: Mutex<reports::Reports>,
}

impl Acronis {
    pub(crate) fn new(
        world: Arc<World>,
        clock: Clock,
        tokens: Tokens,
        polls_before_ready: u32,
        gzip_header: bool,
        realm: Uuid,
    ) -> Arc<Self> {
        let state = Mutex::new(reports::Reports::new(MOST_REPORTS));
        Arc::new(Self { world, clock, tokens, polls_before_ready, gzip_header, realm, state })
    }

    pub(crate) fn owns(path: &str) -> bool {
        path.starts_with("/api/2/")
    }

    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route(TOKEN_PATH, post(issue_token))
            .route("/api/2/reports", post(reports::create))
            .route("/api/2/reports/{report_id}", get(reports::read).put(reports::update).delete(reports::delete))
            .route("/api/2/reports/{report_id}/stored", get(stored::list))
            .route("/api/2/reports/{report_id}/stored/{stored_report_id}", get(stored::download))
            .route("/api/2/tenants/{tenant_id}/reports", get(reports::list_of_tenant))
            .route("/api/2/tenants/usages", get(usages::of_tenants))
            .route("/api/2/tenants/{tenant_id}/usages", get(usages::of_tenant))
            .route("/api/2/tenants", get(tenant_list::list))
            .route("/api/2/tenants/{tenant_id}", get(tenants::read))
            .route("/api/2/tenants/{tenant_id}/children", get(tenants::children))
            .route("/api/2/tenants/offering_items", get(items::list))
            .route("/api/2/tenants/{tenant_id}/offering_items", get(items::of_tenant))
            .route("/api/2/tenants/{tenant_id}/offering_items/available_for_child", get(items::for_child))
            .route("/api/2/tenants/{tenant_id}/offering_items/pricing", get(pricing::of_items))
            .route("/api/2/tenants/{tenant_id}/pricing", get(pricing::of_tenant))
            .route("/api/2/applications", get(applications::list))
            .route("/api/2/applications/{application_id}", get(applications::read))
            .route("/api/2/tenants/applications", get(applications::of_tenants))
            .route("/api/2/tenants/{tenant_id}/applications", get(applications::of_tenant))
            .route("/api/2/clients/{client_id}", get(identity::client))
            .route("/api/2/users/me", get(identity::me))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(self.clone())
    }

    pub(crate) async fn frame(&self, request: Request, next: Next) -> Response {
        let free = request.uri().path() == TOKEN_PATH;
        let standing = auth::credential(request.headers(), "Bearer").map(|token| self.tokens.standing(token));
        match standing {
            _ if free => next.run(request).await,
            Some(Standing::Good) => next.run(request).await,
            Some(Standing::Expired) => Failure::unauthorized("The token has expired.").into_response(),
            Some(Standing::Unknown) | None => Failure::unauthorized("Authentication needed.").into_response(),
        }
    }

    pub(crate) fn no_such_path() -> Response {
        Failure::no_such_thing("There is no such endpoint under /api/2 of the sandbox.").into_response()
    }

    pub(crate) fn no_such_method() -> Response {
        Failure::new(StatusCode::METHOD_NOT_ALLOWED, 405, "The endpoint has no such method.").into_response()
    }

    fn reports(&self) -> MutexGuard<'_, reports::Reports> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    /// Unix time.
    expires_on: i64,
    id_token: String,
}

async fn issue_token(State(acronis): State<Arc<Acronis>>, headers: HeaderMap, sent: Sent) -> Response {
    let refused = |status, error: &str, description: &str| {
        let error_description = Some(description.to_owned());
        json(status, &OAuthError { error: TokenErrorCode::from(error), error_description })
    };
    let form = match sent.form() {
        Ok(form) => form,
        Err(BadBody::TooLarge) => return refused(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "Too large."),
        Err(_) => return refused(StatusCode::BAD_REQUEST, "invalid_request", "The body cannot be read."),
    };
    let client = auth::basic(&headers)
        .and_then(|(id, secret)| auth::client(&ACRONIS_CLIENTS, &id).filter(|client| client.secret == secret));
    let Some(client) = client else {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "Unknown client or wrong secret.");
    };
    match form.get("grant_type") {
        Some("client_credentials") => {}
        None => return refused(StatusCode::BAD_REQUEST, "invalid_request", "grant_type is missing."),
        Some(_) => {
            let description = "The sandbox knows the grant client_credentials only.";
            return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", description);
        }
    }
    let access_token = acronis.tokens.issue(client.rights);
    let life = i64::try_from(acronis.tokens.lifetime().as_secs()).unwrap_or(i64::MAX);
    let token = Token {
        id_token: format!("id-{access_token}"),
        access_token,
        token_type: "bearer",
        // By the caller's clock, which knows nothing of the sandbox's day.
        expires_on: Utc::now().timestamp().saturating_add(life),
    };
    json(StatusCode::OK, &token)
}
