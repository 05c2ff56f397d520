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
use axum::response::Response;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use uuid::Uuid;

pub(crate) use self::error::Failure;
pub(crate) use self::page_summary::summary;
use crate::bounded_map::BoundedMap;
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::dataset::genesys::Calendar;
use crate::http_util::oauth::{self, Access, GENESYS_CLIENTS, Grant, TokenError, Tokens};
use crate::http_util::request::RequestBody;
use crate::http_util::response::{json, ok};

/// The platform's own limit (`request.bytes.max`).
pub(crate) const MAX_BODY_BYTES: usize = 512_000;
/// Reports and queries that are kept.
const MAX_JOBS: usize = 1_000;
/// Entries on a page of contracts, invoices or lines.
const MAX_LIST: usize = 200;
/// Rows on a page of API requests.
const MAX_PAGE: usize = 1_000;
const TOKEN_PATH: &str = "/oauth/token";

/// The extractor of handlers.
type Shared = State<Arc<Genesys>>;
type HandlerResult = Result<Response, Failure>;

pub(crate) struct Genesys {
    dataset: Arc<Dataset>,
    clock: Clock,
    tokens: Tokens,
    polls_before_ready: u32,
    realm: Uuid,
    state: Mutex<Jobs>,
}

struct Jobs {
    /// Reports by their dates, which are the only key.
    reports: BoundedMap<(DateTime<Utc>, DateTime<Utc>), Progress>,
    executions: BoundedMap<String, queries::Execution>,
    aggregations: BoundedMap<String, job::Job>,
    started: u64,
}

/// The progress of a report, query or job.
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
        dataset: Arc<Dataset>,
        clock: Clock,
        tokens: Tokens,
        polls_before_ready: u32,
        realm: Uuid,
    ) -> Arc<Self> {
        let jobs = Jobs {
            reports: BoundedMap::new(MAX_JOBS),
            executions: BoundedMap::new(MAX_JOBS),
            aggregations: BoundedMap::new(MAX_JOBS),
            started: 0,
        };
        Arc::new(Self { dataset, clock, tokens, polls_before_ready, realm, state: Mutex::new(jobs) })
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
            // The router prefers a literal to a parameter, so that this is not a contract.
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
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(self.clone())
    }

    pub(crate) fn authenticate(&self, request: &Request) -> Result<(), Failure> {
        let path = request.uri().path();
        if path == TOKEN_PATH || path.starts_with(invoices::DOCUMENTS) {
            return Ok(());
        }
        let rejected = |code, message| Err(Failure::new(StatusCode::UNAUTHORIZED, code, message));
        let Some(token) = oauth::credential(request.headers(), "Bearer") else {
            const MISSING: &str = "No authentication bearer token specified in authorization header.";
            return rejected("authentication.required", MISSING);
        };
        match self.tokens.grant(token) {
            Ok(_) => Ok(()),
            Err(TokenError::Expired) => rejected("credentials.expired", "The token has expired."),
            Err(TokenError::Unknown) => rejected("bad.credentials", "Invalid login credentials."),
        }
    }

    fn calendar(&self) -> Calendar {
        self.dataset.calendar()
    }

    fn progress(&self) -> Progress {
        Progress { began: self.clock.now(), polls: 0 }
    }

    fn is_done(&self, progress: &Progress) -> bool {
        progress.polls > self.polls_before_ready || self.clock.is_job_done(progress.began)
    }

    /// Returns the status with which a job is accepted.
    fn accepted_status(&self) -> StatusCode {
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

/// The error of a token, which is neither the platform's `ErrorBody` nor exactly that of RFC 6749.
#[derive(Serialize)]
struct TokenFailure {
    error: &'static str,
    description: String,
    error_description: String,
}

async fn issue_token(State(genesys): Shared, headers: HeaderMap, body: RequestBody) -> HandlerResult {
    let form = body.form()?;
    Ok(match grant(oauth::basic(&headers), form.get("grant_type")) {
        Ok(access) => ok(&Token {
            access_token: genesys.tokens.issue(Grant { access, tenant: None }),
            token_type: "bearer",
            expires_in: genesys.tokens.lifetime().as_secs(),
        }),
        Err((error, description)) => {
            let failure = TokenFailure { error, error_description: description.clone(), description };
            json(StatusCode::BAD_REQUEST, &failure)
        }
    })
}

/// Returns what the token permits, or the code and description of an error.
fn grant(client: Option<(String, String)>, grant: Option<&str>) -> Result<Access, (&'static str, String)> {
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
        "client_credentials" => Ok(known.access),
        other => Err(("unauthorized_client", format!("client is not authorized to use the {other} grant type"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_credentials::{GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET};

    #[test]
    fn token_errors_have_the_documented_descriptions() {
        let client = |secret: &str| Some((GENESYS_CLIENT_ID.to_owned(), secret.to_owned()));
        let error = |client, grant_type| {
            grant(client, grant_type).err().map(|(error, description)| format!("{error}: {description}"))
        };
        let granted = Some("client_credentials");
        assert_eq!(error(client(GENESYS_CLIENT_SECRET), granted), None);
        assert_eq!(error(client("no"), granted).unwrap(), "invalid_client: authentication failed");
        assert_eq!(error(Some(("no".into(), "no".into())), granted).unwrap(), "invalid_client: client not found");
        assert_eq!(error(None, granted).unwrap(), "invalid_client: client not found");
        assert_eq!(error(client(GENESYS_CLIENT_SECRET), None).unwrap(), "invalid_request: grant_type is missing");
        assert_eq!(
            error(client(GENESYS_CLIENT_SECRET), Some("password")).unwrap(),
            "unauthorized_client: client is not authorized to use the password grant type"
        );
    }
}
