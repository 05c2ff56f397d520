//! Acronis Cyber Protect Cloud: tokens, reports and their files, usages, tenants and their offering items.

mod applications;
mod error;
mod identity;
mod offering_items;
mod page_summary;
mod price_lists;
mod pricing;
mod query;
mod report_files;
mod report_rows;
mod reports;
mod schedule;
mod settings;
mod storage_components;
mod stored_reports;
mod tenant_pages;
mod tenants;
mod tokens;
mod usages;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

pub(crate) use self::error::Failure;
pub(crate) use self::page_summary::summary;
pub(crate) use self::price_lists::PriceListFailure;
pub(crate) use self::tokens::ALIAS as TOKEN_ALIAS;

use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::http_util::oauth::{self, TokenError, Tokens};

/// The vendor documents no limit; its requests are far smaller.
pub(crate) const MAX_BODY_BYTES: usize = 256 * 1024;
/// Reports that are kept.
const MAX_REPORTS: usize = 1_000;

/// The extractor of handlers.
type Shared = State<Arc<Acronis>>;
type HandlerResult = Result<Response, Failure>;

pub(crate) struct Acronis {
    dataset: Arc<Dataset>,
    clock: Clock,
    tokens: Tokens,
    polls_before_ready: u32,
    gzip_header: bool,
    realm: Uuid,
    state: Mutex<reports::Reports>,
}

impl Acronis {
    pub(crate) fn new(
        dataset: Arc<Dataset>,
        clock: Clock,
        tokens: Tokens,
        polls_before_ready: u32,
        gzip_header: bool,
        realm: Uuid,
    ) -> Arc<Self> {
        let state = Mutex::new(reports::Reports::new(MAX_REPORTS));
        Arc::new(Self { dataset, clock, tokens, polls_before_ready, gzip_header, realm, state })
    }

    pub(crate) fn owns(path: &str) -> bool {
        path.starts_with("/api/2/") || path.starts_with("/api/price_sync/") || path == TOKEN_ALIAS
    }

    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route(tokens::PATHS[0], post(tokens::issue))
            .route(tokens::PATHS[1], post(tokens::issue))
            .route("/api/2/reports", post(reports::create))
            .route("/api/2/reports/{report_id}", get(reports::read).put(reports::update).delete(reports::delete))
            .route("/api/2/reports/{report_id}/stored", get(stored_reports::list))
            .route("/api/2/reports/{report_id}/stored/{stored_report_id}", get(stored_reports::download))
            .route("/api/2/tenants/{tenant_id}/reports", get(reports::list_of_tenant))
            .route("/api/2/tenants/usages", get(usages::of_tenants))
            .route("/api/2/tenants/{tenant_id}/usages", get(usages::of_tenant))
            .route("/api/2/tenants", get(tenant_pages::list))
            .route("/api/2/tenants/{tenant_id}", get(tenants::read))
            .route("/api/2/tenants/{tenant_id}/children", get(tenants::children))
            .route("/api/2/tenants/offering_items", get(offering_items::list))
            .route("/api/2/tenants/{tenant_id}/offering_items", get(offering_items::of_tenant))
            .route("/api/2/tenants/{tenant_id}/offering_items/available_for_child", get(offering_items::for_child))
            .route("/api/2/tenants/{tenant_id}/offering_items/pricing", get(pricing::of_items))
            .route("/api/2/tenants/{tenant_id}/pricing", get(pricing::of_tenant))
            .route("/api/2/infra", get(storage_components::list))
            .route("/api/2/infra/{infra_id}", get(storage_components::read))
            .route(
                "/api/2/applications/{application_id}/settings/tenants/{tenant_id}/{setting_name}",
                get(settings::read),
            )
            .route(price_lists::PATH, get(price_lists::list))
            .route("/api/2/applications", get(applications::list))
            .route("/api/2/applications/{application_id}", get(applications::read))
            .route("/api/2/tenants/applications", get(applications::of_tenants))
            .route("/api/2/tenants/{tenant_id}/applications", get(applications::of_tenant))
            .route("/api/2/clients/{client_id}", get(identity::client))
            .route("/api/2/users/me", get(identity::me))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(self.clone())
    }

    /// # Errors
    /// The error response of the API that has the path.
    pub(crate) fn authenticate(&self, request: &Request) -> Result<(), Box<Response>> {
        let is_price_list = request.uri().path() == price_lists::PATH;
        self.check_token(request).map_err(|failure| match is_price_list {
            true => Box::new(failure.into_price_list_failure().into_response()),
            false => Box::new(failure.into_response()),
        })
    }

    fn check_token(&self, request: &Request) -> Result<(), Failure> {
        let path = request.uri().path();
        if tokens::PATHS.contains(&path) {
            return Ok(());
        }
        let token = oauth::credential(request.headers(), "Bearer");
        let bound_to = match token.map_or(Err(TokenError::Unknown), |token| self.tokens.grant(token)) {
            Ok(grant) => grant.tenant,
            Err(TokenError::Expired) => return Err(Failure::unauthorized("The token has expired.")),
            Err(TokenError::Unknown) => return Err(Failure::unauthorized("Authentication needed.")),
        };
        let tenant = path.strip_prefix("/api/2/tenants/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let tree = &self.dataset.acronis;
        let tenant = percent_decode_str(tenant).decode_utf8_lossy();
        let index = Uuid::try_parse(&tenant).ok().and_then(|id| tree.find_any(id));
        match index.is_none_or(|index| tokens::reaches(tree, bound_to, index)) {
            true => Ok(()),
            false => Err(Failure::access_denied(&tenant)),
        }
    }

    fn reports(&self) -> MutexGuard<'_, reports::Reports> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
