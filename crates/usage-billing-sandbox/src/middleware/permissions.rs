//! Operations for which the limited client of each vendor lacks the permission, and the error that it gets.
//!
//! Genesys Cloud and Acronis: by `x-permissions` of the curated documents. Suger documents no permissions; its limited key reads and does not
//! write.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use usage_billing_core::Operation;

use crate::http_util::oauth::{self, Access, Tokens};
use crate::vendors::{RequestContext, Vendor, genesys};

const GENESYS_GRANTED: &[&str] = &["authorization:license:view", "oauth:client:view"];
/// The roles of a read-only administrator and of a viewer of tenants.
const ACRONIS_GRANTED: &[&str] =
    &["urn:acronis.com::account-server::readonly_admin", "urn:acronis.com::account-server::tenant_viewer"];

/// The tokens of the vendors that issue them.
pub(crate) struct Permissions {
    pub(crate) genesys: Tokens,
    pub(crate) acronis: Tokens,
}

/// Rejects requests without permission. Requests with invalid credentials pass, because the vendor rejects them.
pub(crate) async fn check(State(permissions): State<Arc<Permissions>>, request: Request, next: Next) -> Response {
    let context = request.extensions().get::<RequestContext>();
    match context.and_then(|context| permissions.rejection(context, &request)) {
        Some(rejection) => rejection,
        None => next.run(request).await,
    }
}

impl Permissions {
    fn rejection(&self, context: &RequestContext, request: &Request) -> Option<Response> {
        let vendor = context.vendor?;
        let of_token = |tokens: &Tokens| {
            let grant = tokens.grant(oauth::credential(request.headers(), "Bearer")?);
            grant.ok().map(|grant| grant.access)
        };
        let access = match vendor {
            Vendor::Genesys => of_token(&self.genesys),
            Vendor::Suger => oauth::suger_access(request.headers()),
            Vendor::Acronis => of_token(&self.acronis),
        };
        if access != Some(Access::Limited) {
            return None;
        }
        let lacks = |granted| context.operation.filter(|operation| lacks_permission(operation, granted));
        match vendor {
            Vendor::Genesys => lacks(GENESYS_GRANTED).map(|operation| {
                let error = genesys::Failure::missing_permissions(operation.permissions);
                vendor.complete(context, error.into_response())
            }),
            Vendor::Suger => (request.method() != Method::GET)
                .then(|| vendor.error_response(context, StatusCode::FORBIDDEN, "forbidden")),
            Vendor::Acronis => {
                lacks(ACRONIS_GRANTED).map(|_| vendor.error_response(context, StatusCode::FORBIDDEN, "Access denied."))
            }
        }
    }
}

/// Returns whether none of the permissions of which an operation needs one was granted.
fn lacks_permission(operation: &Operation, granted: &[&str]) -> bool {
    !operation.permissions.is_empty() && !operation.permissions.iter().any(|needed| granted.contains(needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(operations: &[Operation], granted: &[&str]) -> Vec<&'static str> {
        operations
            .iter()
            .filter(|operation| lacks_permission(operation, granted))
            .map(|operation| operation.id)
            .collect()
    }

    #[test]
    fn limited_clients_may_not_bill() {
        let mut acronis = rejected(usage_billing_acronis::OPERATIONS, ACRONIS_GRANTED);
        acronis.sort_unstable();
        assert_eq!(acronis, ["create_report", "delete_report", "list_effective_price_lists", "update_report"]);
        let genesys = rejected(usage_billing_genesys::OPERATIONS, GENESYS_GRANTED);
        assert_eq!(genesys.len(), 13, "{genesys:?}");
        assert!(genesys.iter().all(|id| ["billing", "orgauthorization", "_job"].iter().any(|part| id.contains(part))));
    }
}
