//! Genesys Cloud: the token endpoint, billing, API usage, licences and OAuth clients.

mod aggregation;
mod billing;
mod contracts;
mod error;
mod interval;
mod invoices;
mod job;
mod job_request;
mod jobs;
mod licences;
mod oauth_clients;
mod organizations;
mod page_summary;
mod pagination;
mod pdf;
mod queries;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use usage_billing_genesys::types;
use uuid::Uuid;

use self::error::Failure;
pub(crate) use self::page_summary::summary;
use crate::bounded_map::Bounded;
use crate::clock::Clock;
use crate::dataset::World;
use crate::dataset::genesys::Calendar;
use crate::http_util::oauth::{self, GENESYS_CLIENTS, Grant, Rights, Standing, Tokens};
use crate::http_util::response::{Sent, json};

/// The platform's own limit (`request.bytes.max`).
pub(crate) const LARGEST_BODY: usize = 512_000;
/// Reports and queries that are remembered.
const MOST_JOBS: usize = 1_000;
/// Entries on a page of contracts, invoices or lines.
const LONGEST_LIST: usize = 200;
/// Rows on a page of API requests.
const LONGEST_PAGE: usize = 1_000;
const TOKEN_PATH: &str = "/oauth/token";

pub(crate) struct Genesys {
    world: Arc<World>,
    clock: Clock,
    tokens: Tokens,
    polls_before_ready: u32,
    realm: Uuid,
    state: Mutex<Jobs>,
}

struct Jobs {
    /// By its dates: there is no other key.
    reports: Bounded<(DateTime<Utc>, DateTime<Utc>), Progress>,
    executions: Bounded<String, queries::Execution>,
    aggregations: Bounded<String, job::Job>,
    started: u64,
}

/// Of a report, query or job.
#[derive(Clone)]
struct Progress {
    began: DateTime<Utc>,
    polls: u32,
}

impl Progress {
    fn poll(&mut self) {
        self.polls = self.polls.saturating_add(1);
    }
}

impl Jobs {
    fn new_id(&mut self, realm: Uuid) -> String {
        self.started += 1;
        Uuid::new_v5(&realm, format!("job/{}", self.started).as_bytes()).to_string()
    }
}

impl Genesys {
    pub(crate) fn new(
        world: Arc<World>,
        clock: Clock,
        tokens: Tokens,
        polls_before_ready: u32,
        realm: Uuid,
    ) -> Arc<Self> {
        let jobs = Jobs {
            reports: Bounded::new(MOST_JOBS),
            executions: Bounded::new(MOST_JOBS),
            aggregations: Bounded::new(MOST_JOBS),
            started: 0,
        };
        Arc::new(Self { world, clock, tokens, polls_before_ready, realm, state: Mutex::new(jobs) })
    }

    pub(crate) fn owns(path: &str) -> bool {
        path == TOKEN_PATH || path.starts_with("/api/v2/") || path.starts_with(invoices::DOCUMENTS)
    }

    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route(TOKEN_PATH, post(issue_token))
            .route("/api/v2/billing/reports/billableusage", get(billing::billable_usage))
            .route("/api/v2/billing/trusteebillingoverview/{trustor_org_id}", get(billing::trustee_overview))
            .route("/api/v2/billing/contracts", get(contracts::list))
            .route("/api/v2/billing/contracts/{contract_id}", get(contracts::contract))
            .route("/api/v2/billing/contracts/{contract_id}/billingperiods/{period_id}", get(contracts::period))
            // The router takes a literal before a name, so this is no contract.
            .route("/api/v2/billing/contracts/invoices", get(invoices::list))
            .route("/api/v2/billing/contracts/invoices/{invoice_id}/lines", get(invoices::lines))
            .route("/api/v2/billing/contracts/invoices/{invoice_id}/document", get(invoices::document))
            .route("/genesys/invoices/{invoice_id}", get(invoices::file))
            .route("/api/v2/organizations/me", get(organizations::own))
            .route("/api/v2/orgauthorization/trustors", get(organizations::trustors))
            .route("/api/v2/usage/aggregates/query/jobs", post(jobs::start))
            .route("/api/v2/usage/aggregates/query/jobs/{job_id}", get(jobs::job))
            .route("/api/v2/usage/client/{client_id}/aggregates/query/jobs", post(jobs::start_of_client))
            .route("/api/v2/usage/client/{client_id}/aggregates/query/jobs/{job_id}", get(jobs::job_of_client))
            .route("/api/v2/usage/query", post(queries::start))
            .route("/api/v2/usage/query/{execution_id}/results", get(queries::results))
            .route("/api/v2/usage/simplesearch", post(queries::search))
            .route("/api/v2/usage/simplesearch/{execution_id}/results", get(queries::found))
            .route("/api/v2/oauth/clients", get(oauth_clients::list))
            .route("/api/v2/oauth/clients/{client_id}/usage/query", post(queries::start_of_client))
            .route(
                "/api/v2/oauth/clients/{client_id}/usage/query/results/{execution_id}",
                get(queries::results_of_client),
            )
            .route("/api/v2/oauth/clients/{client_id}/usage/summary", get(queries::summary))
            .route("/api/v2/license/definitions", get(licences::definitions))
            .route("/api/v2/license/definitions/{license_id}", get(licences::definition))
            .route("/api/v2/license/toggles/{feature_name}", get(licences::toggle))
            .route("/api/v2/license/users", get(licences::users))
            .route("/api/v2/license/users/{user_id}", get(licences::user))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(self.clone())
    }

    /// What all answers have in common: who may ask, the correlation id, and the form of errors.
    pub(crate) async fn frame(&self, correlation_id: Uuid, request: Request, next: Next) -> Response {
        let mut response = match self.admit(&request) {
            Ok(()) => next.run(request).await,
            Err(failure) => failure.into_response(),
        };
        let correlation_id = correlation_id.to_string();
        if let Some(mut body) = response.extensions_mut().remove::<types::ErrorBody>() {
            body.context_id = Some(correlation_id.clone());
            response = json(response.status(), &body);
        }
        if let Ok(value) = HeaderValue::from_str(&correlation_id) {
            response.headers_mut().insert("inin-correlation-id", value);
        }
        response
    }

    pub(crate) fn no_such_path() -> Response {
        Failure::new(StatusCode::NOT_FOUND, "not.found", "There is no such path under /api/v2 of the sandbox.")
            .into_response()
    }

    pub(crate) fn no_such_method() -> Response {
        Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method.not.allowed", "The path has no such method.")
            .into_response()
    }

    fn admit(&self, request: &Request) -> Result<(), Failure> {
        let path = request.uri().path();
        if path == TOKEN_PATH || path.starts_with(invoices::DOCUMENTS) {
            return Ok(());
        }
        let refused = |code, message| Err(Failure::new(StatusCode::UNAUTHORIZED, code, message));
        let Some(token) = oauth::credential(request.headers(), "Bearer") else {
            return refused(
                "authentication.required",
                "No authentication bearer token specified in authorization header.",
            );
        };
        match self.tokens.standing(token) {
            Standing::Good => Ok(()),
            Standing::Expired => refused("credentials.expired", "The token has expired."),
            Standing::Unknown => refused("bad.credentials", "Invalid login credentials."),
        }
    }

    fn calendar(&self) -> Calendar {
        self.world.calendar()
    }

    fn progress(&self) -> Progress {
        Progress { began: self.clock.now(), polls: 0 }
    }

    fn is_done(&self, progress: &Progress) -> bool {
        progress.polls > self.polls_before_ready || self.clock.is_job_done(progress.began)
    }

    /// With what a job is accepted.
    fn started(&self) -> StatusCode {
        if self.polls_before_ready == 0 { StatusCode::OK } else { StatusCode::ACCEPTED }
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

/// Neither an [`types::ErrorBody`] nor quite the body of RFC 6749.
#[derive(Serialize)]
struct TokenRefused {
    error: &'static str,
    description: String,
    error_description: String,
}

async fn issue_token(State(genesys): State<Arc<Genesys>>, headers: HeaderMap, sent: Sent) -> Result<Response, Failure> {
    let form = sent.form()?;
    Ok(match grant(oauth::basic(&headers), form.get("grant_type")) {
        Ok(rights) => json(
            StatusCode::OK,
            &Token {
                access_token: genesys.tokens.issue(Grant { rights, tenant: None }),
                token_type: "bearer",
                expires_in: genesys.tokens.lifetime().as_secs(),
            },
        ),
        Err((error, description)) => {
            let refused = TokenRefused { error, error_description: description.clone(), description };
            json(StatusCode::BAD_REQUEST, &refused)
        }
    })
}

/// What the caller may do with a token, or why there is none: the code of the error and what it says.
fn grant(client: Option<(String, String)>, grant: Option<&str>) -> Result<Rights, (&'static str, String)> {
    let Some(grant) = grant else {
        return Err(("invalid_request", "grant_type is missing".to_owned()));
    };
    let Some((known, (_, secret))) = client.and_then(|given| Some((oauth::client(&GENESYS_CLIENTS, &given.0)?, given)))
    else {
        return Err(("invalid_client", "client not found".to_owned()));
    };
    if known.secret != secret {
        return Err(("invalid_client", "authentication failed".to_owned()));
    }
    match grant {
        "client_credentials" => Ok(known.rights),
        other => Err(("unauthorized_client", format!("client is not authorized to use the {other} grant type"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET};

    #[test]
    fn each_refusal_of_a_token_has_its_words() {
        let client = |secret: &str| Some((GENESYS_CLIENT_ID.to_owned(), secret.to_owned()));
        let words =
            |client, asked| grant(client, asked).err().map(|(error, description)| format!("{error}: {description}"));
        let granted = Some("client_credentials");
        assert_eq!(words(client(GENESYS_CLIENT_SECRET), granted), None);
        assert_eq!(words(client("no"), granted).unwrap(), "invalid_client: authentication failed");
        assert_eq!(words(Some(("no".into(), "no".into())), granted).unwrap(), "invalid_client: client not found");
        assert_eq!(words(None, granted).unwrap(), "invalid_client: client not found");
        assert_eq!(words(client(GENESYS_CLIENT_SECRET), None).unwrap(), "invalid_request: grant_type is missing");
        assert_eq!(
            words(client(GENESYS_CLIENT_SECRET), Some("password")).unwrap(),
            "unauthorized_client: client is not authorized to use the password grant type"
        );
    }
}
