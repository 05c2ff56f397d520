//! Genesys Cloud: the token endpoint, billing and API usage.

mod billing;
mod error;
mod usage;

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
use crate::answer::{Sent, json};
use crate::auth::{self, Standing, Tokens};
use crate::bounded::Bounded;
use crate::world::World;
use crate::{GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET};

/// The platform's own limit (`request.bytes.max`).
const LARGEST_BODY: usize = 512_000;
/// Reports and queries that are remembered.
const MOST_JOBS: usize = 1_000;
const TOKEN_PATH: &str = "/oauth/token";

pub(crate) struct Genesys {
    world: Arc<World>,
    tokens: Tokens,
    polls_before_ready: u32,
    realm: Uuid,
    state: Mutex<Jobs>,
}

struct Jobs {
    /// How often a report was asked for, by its dates: there is no other key.
    reports: Bounded<(DateTime<Utc>, DateTime<Utc>), u32>,
    queries: Bounded<String, usage::Query>,
    started: u64,
}

impl Genesys {
    pub(crate) fn new(world: Arc<World>, tokens: Tokens, polls_before_ready: u32, realm: Uuid) -> Arc<Self> {
        let jobs = Jobs { reports: Bounded::new(MOST_JOBS), queries: Bounded::new(MOST_JOBS), started: 0 };
        Arc::new(Self { world, tokens, polls_before_ready, realm, state: Mutex::new(jobs) })
    }

    pub(crate) fn owns(path: &str) -> bool {
        path == TOKEN_PATH || path.starts_with("/api/v2/")
    }

    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route(TOKEN_PATH, post(issue_token))
            .route("/api/v2/billing/reports/billableusage", get(billing::billable_usage))
            .route("/api/v2/billing/trusteebillingoverview/{trustor_org_id}", get(billing::trustee_overview))
            .route("/api/v2/usage/query", post(usage::start))
            .route("/api/v2/usage/query/{execution_id}/results", get(usage::results))
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
        if request.uri().path() == TOKEN_PATH {
            return Ok(());
        }
        let refused = |code, message| Err(Failure::new(StatusCode::UNAUTHORIZED, code, message));
        let Some(token) = auth::credential(request.headers(), "Bearer") else {
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
    Ok(match refusal(auth::basic(&headers), form.get("grant_type")) {
        None => json(
            StatusCode::OK,
            &Token {
                access_token: genesys.tokens.issue(),
                token_type: "bearer",
                expires_in: genesys.tokens.lifetime().as_secs(),
            },
        ),
        Some((error, description)) => {
            let refused = TokenRefused { error, error_description: description.clone(), description };
            json(StatusCode::BAD_REQUEST, &refused)
        }
    })
}

/// Why there is no token for this caller: the code of the error and what it says.
fn refusal(client: Option<(String, String)>, grant: Option<&str>) -> Option<(&'static str, String)> {
    match (client, grant) {
        (_, None) => Some(("invalid_request", "grant_type is missing".to_owned())),
        (Some((id, _)), _) if id != GENESYS_CLIENT_ID => Some(("invalid_client", "client not found".to_owned())),
        (None, _) => Some(("invalid_client", "client not found".to_owned())),
        (Some((_, secret)), _) if secret != GENESYS_CLIENT_SECRET => {
            Some(("invalid_client", "authentication failed".to_owned()))
        }
        (Some(_), Some("client_credentials")) => None,
        (Some(_), Some(other)) => {
            Some(("unauthorized_client", format!("client is not authorized to use the {other} grant type")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_a_token_has_its_words() {
        let client = |secret: &str| Some((GENESYS_CLIENT_ID.to_owned(), secret.to_owned()));
        let words =
            |client, grant| refusal(client, grant).map(|(error, description)| format!("{error}: {description}"));
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
