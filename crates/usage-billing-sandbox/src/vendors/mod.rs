//! Whose request it is, which operation of the curated document, and how that vendor refuses.

pub(crate) mod acronis;
pub(crate) mod genesys;
pub(crate) mod suger;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usage_billing_core::Operation;
use usage_billing_genesys::types::ErrorBody;
use uuid::Uuid;

use self::acronis::Acronis;
use self::genesys::Genesys;
use self::suger::Suger;
use crate::http_util::response;

/// The three that a sandbox stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// Genesys Cloud: `/oauth/token` and `/api/v2`.
    Genesys,
    /// Suger: `/org`.
    Suger,
    /// Acronis Cyber Protect Cloud: `/api/2`, `/api/price_sync` and `/bc/idp/token`.
    Acronis,
}

/// The token endpoints, which stand in no generated table: the clients' core calls them.
static GENESYS_TOKEN: Operation = token_endpoint("issueToken", "/oauth/token");
static ACRONIS_TOKEN: Operation = token_endpoint("issue_token", "/api/2/idp/token");

const fn token_endpoint(name: &'static str, path: &'static str) -> Operation {
    let (method, idempotent_with) = ("POST", None);
    Operation {
        id: "issue_token",
        name,
        method,
        path,
        idempotent: false,
        idempotent_with,
        download: false,
        final_statuses: &[],
        permissions: &[],
    }
}

/// What is known of a request before anyone looks into it; goes with the request as an extension.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// In the log.
    pub(crate) number: u64,
    pub(crate) correlation_id: Uuid,
    pub(crate) vendor: Option<Vendor>,
    pub(crate) operation: Option<&'static Operation>,
}

impl Vendor {
    const ALL: [Self; 3] = [Self::Genesys, Self::Suger, Self::Acronis];

    pub(crate) fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| match vendor {
            Self::Genesys => Genesys::owns(path),
            Self::Suger => Suger::owns(path),
            Self::Acronis => Acronis::owns(path),
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Genesys => "genesys",
            Self::Suger => "suger",
            Self::Acronis => "acronis",
        }
    }

    #[cfg(feature = "cli")]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }

    fn operations(self) -> impl Iterator<Item = &'static Operation> {
        let (table, more) = match self {
            Self::Genesys => (usage_billing_genesys::OPERATIONS, Some(&GENESYS_TOKEN)),
            Self::Suger => (usage_billing_suger::OPERATIONS, None),
            Self::Acronis => (usage_billing_acronis::OPERATIONS, Some(&ACRONIS_TOKEN)),
        };
        table.iter().chain(more)
    }

    /// The operation that a request is. Of two that fit, the one with fewer names in its path.
    pub(crate) fn operation(self, method: &Method, path: &str) -> Option<&'static Operation> {
        let path = if path == acronis::TOKEN_ALIAS { ACRONIS_TOKEN.path } else { path };
        self.operations()
            .filter(|operation| operation.method == method.as_str() && fits(operation.path, path))
            .min_by_key(|operation| operation.path.matches('{').count())
    }

    /// Whether `selector` means this operation: the vendor's name, the operation's, or its method and path template.
    pub(crate) fn is_meant(self, operation: Option<&Operation>, selector: &str) -> bool {
        selector == self.name()
            || operation.is_some_and(|operation| {
                [operation.id, operation.name].contains(&selector)
                    || selector.split_once(' ') == Some((operation.method, operation.path))
            })
    }

    pub(crate) fn is_known(selector: &str) -> bool {
        Self::ALL.iter().any(|vendor| {
            vendor.is_meant(None, selector) || vendor.operations().any(|one| vendor.is_meant(Some(one), selector))
        })
    }

    /// An error answer as the vendor words it.
    pub(crate) fn refuse(self, call: &Call, status: StatusCode, message: &str) -> Response {
        let is_token = call.operation.is_some_and(|operation| operation.id == "issue_token");
        let mut response = match self {
            _ if is_token => response::json(status, &oauth_error(status, message)),
            Self::Genesys => {
                let body = ErrorBody {
                    message: Some(message.to_owned()),
                    code: Some(genesys_code(status).to_owned()),
                    status: Some(status.as_u16().into()),
                    context_id: Some(call.correlation_id.to_string()),
                    ..ErrorBody::default()
                };
                response::json(status, &body)
            }
            Self::Suger => response::json(status, &message),
            Self::Acronis if call.operation.is_some_and(|operation| operation.id == "list_effective_price_lists") => {
                acronis::PriceListFailure::new(status, message).into_response()
            }
            Self::Acronis => response::json(status, &acronis_error(status, message)),
        };
        self.sign(call, &mut response);
        response
    }

    /// The header under which the vendor's support finds the request.
    pub(crate) fn sign(self, call: &Call, response: &mut Response) {
        let name = match self {
            Self::Genesys => "inin-correlation-id",
            Self::Suger => "x-correlation-id",
            Self::Acronis => return,
        };
        if let Ok(value) = HeaderValue::from_str(&call.correlation_id.to_string()) {
            response.headers_mut().insert(name, value);
        }
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (mut names, mut values) = (segments(template), segments(path));
    loop {
        match (names.next(), values.next()) {
            (None, None) => return true,
            (Some(name), Some(value)) if name.starts_with(b"{") && !value.is_empty() || name == value => {}
            _ => return false,
        }
    }
}

/// As bytes: every request is held against every template, and to search for a `char` is what took most of that time.
fn segments(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| *byte == b'/')
}

/// Both token endpoints have this form; `description` is Genesys Cloud's own.
fn oauth_error(status: StatusCode, message: &str) -> Value {
    let error = if status.is_server_error() { "server_error" } else { "invalid_request" };
    json!({"error": error, "description": message, "error_description": message})
}

/// See `x-inin-error-codes` of the vendor's public definition.
fn genesys_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "bad.credentials",
        403 => "missing.any.permissions",
        404 => "not.found",
        405 => "method.not.allowed",
        408 => "client.timeout",
        409 => "general.conflict",
        413 => "request.entity.too.large",
        415 => "unsupported.media.type",
        429 => "too.many.requests.retry.after",
        400..500 => "bad.request",
        503 => "service.unavailable",
        504 => "request.timeout",
        _ => "internal.server.error",
    }
}

fn acronis_error(status: StatusCode, message: &str) -> Value {
    // 1002 is the platform's "access denied"; text for 401 and a number elsewhere, as the vendor has both.
    let code = match status.as_u16() {
        401 => json!("401"),
        403 => json!(1002),
        other => json!(other),
    };
    json!({"error": {"code": code, "domain": "PlatformAccountServer", "message": message, "details": {}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: Method, path: &str) -> Option<&'static str> {
        Some(Vendor::of(path)?.operation(&method, path)?.name)
    }

    #[test]
    fn a_request_is_the_operation_with_the_fewest_names_in_its_path() {
        for (path, operation) in [
            ("/api/2/tenants/usages", Some("list_tenants_usages")),
            ("/api/2/tenants/7", Some("get_tenant")),
            ("/api/2/tenants/", None),
            ("/api/price_sync/v1/effective_price_lists", Some("list_effective_price_lists")),
            ("/org/x/usageRecordGroup/aggregate", Some("aggregateUsageRecordGroups")),
            ("/api/v2/billing/contracts/invoices", Some("getBillingContractsInvoices")),
            ("/api/v2/billing/contracts/7", Some("getBillingContract")),
            ("/api/v2/x", None),
            ("/", None),
        ] {
            assert_eq!(name(Method::GET, path), operation, "{path}");
        }
        assert_eq!(name(Method::POST, "/oauth/token"), Some("issueToken"));
        assert_eq!(name(Method::POST, "/api/2/idp/token"), Some("issue_token"));
        assert_eq!(name(Method::POST, "/bc/idp/token"), Some("issue_token"));
    }

    #[test]
    fn an_operation_is_meant_by_its_names_and_by_method_and_template() {
        for selector in [
            "genesys",
            "get_report",
            "getBuyer",
            "GET /api/2/reports/{report_id}",
            "GET /api/price_sync/v1/effective_price_lists",
            "POST /oauth/token",
            "GET /org/{orgId}/buyer",
        ] {
            assert!(Vendor::is_known(selector), "{selector}");
        }
        for selector in ["", "Genesys", "GET", "get /api/2/reports/{report_id}", "GET /api/2/reports/7"] {
            assert!(!Vendor::is_known(selector), "{selector}");
        }
    }
}
