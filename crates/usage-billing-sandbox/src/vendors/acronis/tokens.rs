//! The token endpoint: grants `client_credentials`, and `jwt-bearer` for a token that is bound to a tenant.

use axum::extract::State;
use axum::response::Response;
use chrono::Utc;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use usage_billing_acronis::types::{OAuthError, TokenErrorCode};
use uuid::Uuid;

use super::{Acronis, Shared};
use crate::dataset::acronis::Tree;
use crate::http_util::oauth::{self, ACRONIS_CLIENTS, Grant};
use crate::http_util::request::{BodyError, Params, RequestBody};
use crate::http_util::response::{http_date, json, ok};

const PATH: &str = "/api/2/idp/token";
/// The same endpoint under another path (connector guide, WHMCS module).
pub(crate) const ALIAS: &str = "/bc/idp/token";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The prefix of the scope that names a tenant.
const SCOPE: &str = "urn:acronis.com:tenant-id:";

pub(super) const PATHS: [&str; 2] = [PATH, ALIAS];

#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    /// Unix time.
    expires_on: i64,
    id_token: String,
}

/// An error of the token endpoint: status, code and description.
type TokenRejection = (StatusCode, &'static str, &'static str);

pub(super) async fn issue(State(acronis): Shared, headers: HeaderMap, body: RequestBody) -> Response {
    let grant = match body.form() {
        Ok(form) => grant(&acronis, &headers, &form),
        Err(BodyError::TooLarge) => Err((StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "Too large.")),
        Err(_) => Err((StatusCode::BAD_REQUEST, "invalid_request", "The body cannot be read.")),
    };
    let access_token = match grant {
        Ok(grant) => acronis.tokens.issue(grant),
        Err((status, error, description)) => {
            let error_description = Some(description.to_owned());
            return json(status, &OAuthError { error: TokenErrorCode::from(error), error_description });
        }
    };
    // Callers compare `expires_on` with the real time, which differs from the sandbox's clock. `Date` is the real time, too.
    let now = Utc::now();
    let life = i64::try_from(acronis.tokens.lifetime().as_secs()).unwrap_or(i64::MAX);
    let token = Token {
        id_token: format!("id-{access_token}"),
        access_token,
        token_type: "bearer",
        expires_on: now.timestamp().saturating_add(life),
    };
    let mut response = ok(&token);
    response.headers_mut().insert(header::DATE, http_date(now));
    response
}

fn grant(acronis: &Acronis, headers: &HeaderMap, form: &Params) -> Result<Grant, TokenRejection> {
    if form.get("grant_type") == Some(EXCHANGE) {
        return exchange(acronis, form);
    }
    let client = oauth::basic(headers)
        .and_then(|(id, secret)| oauth::client(&ACRONIS_CLIENTS, &id).filter(|client| client.secret == secret));
    let client = client.ok_or((StatusCode::UNAUTHORIZED, "invalid_client", "Unknown client or wrong secret."))?;
    // The sandbox's tokens have no policies that could be left out.
    if form.get("not_required_introspection").is_some_and(|flag| !["true", "false"].contains(&flag)) {
        let description = "not_required_introspection must be true or false.";
        return Err((StatusCode::BAD_REQUEST, "invalid_request", description));
    }
    match form.get("grant_type") {
        Some("client_credentials") => Ok(Grant { access: client.access, tenant: None }),
        None => Err((StatusCode::BAD_REQUEST, "invalid_request", "grant_type is missing.")),
        Some(_) => {
            let description = "The sandbox knows the grants client_credentials and jwt-bearer only.";
            Err((StatusCode::BAD_REQUEST, "unsupported_grant_type", description))
        }
    }
}

/// Exchanges a token for another one. The codes are those of RFC 6749 and RFC 7523, except for `access_denied`, which is the vendor's.
fn exchange(acronis: &Acronis, form: &Params) -> Result<Grant, TokenRejection> {
    let bad = |error, description| (StatusCode::BAD_REQUEST, error, description);
    let assertion = form.get("assertion").ok_or(bad("invalid_request", "assertion is missing."))?;
    let held = acronis.tokens.grant(assertion);
    let held = held.map_err(|_| bad("invalid_grant", "The assertion is not a token, or has expired."))?;
    let mut scopes = form.get("scope").unwrap_or_default().split(' ');
    let tenant = scopes.find_map(|scope| Uuid::try_parse(scope.strip_prefix(SCOPE)?).ok());
    let tenant =
        tenant.ok_or(bad("invalid_scope", "scope must be urn:acronis.com:tenant-id: and the tenant's UUID."))?;
    let tree = &acronis.dataset.acronis;
    match tree.find(tenant).is_some_and(|index| reaches(tree, held.tenant, index)) {
        true => Ok(Grant { tenant: Some(tenant), ..held }),
        false => Err((StatusCode::FORBIDDEN, "access_denied", "The tenant is out of reach.")),
    }
}

/// Returns whether a token that is bound to a tenant, or to none, reaches the tenant at an index.
pub(super) fn reaches(tree: &Tree, bound_to: Option<Uuid>, index: usize) -> bool {
    let mut above = std::iter::once(index).chain(tree.ancestors(index)).filter_map(|index| tree.get(index));
    bound_to.is_none_or(|id| above.any(|tenant| tenant.id == id))
}
