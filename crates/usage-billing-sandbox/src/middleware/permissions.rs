//! What the second client of each vendor may not do, and how it is told.
//!
//! Genesys Cloud and Acronis: by `x-permissions` of the curated documents. Suger documents no permissions; there the
//! second key reads and does not write.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};
use usage_billing_genesys::types::ErrorBody;

use crate::http_util::oauth::{self, Rights, Tokens};
use crate::http_util::response;
use crate::vendors::{Call, Vendor};

/// Operations of which the limited client of Genesys Cloud has none of the permissions, and these permissions.
/// It has [`GENESYS_HELD`].
const GENESYS: &[(&str, &str)] = &[
    ("get_billing_contract", "billing:subscription:view"),
    ("get_billing_contract_billingperiod", "billing:subscription:view"),
    ("get_billing_contracts", "billing:subscription:view"),
    ("get_billing_contracts_invoice_document", "billing:subscription:view"),
    ("get_billing_contracts_invoice_lines", "billing:subscription:view"),
    ("get_billing_contracts_invoices", "billing:subscription:view"),
    ("get_billing_reports_billableusage", "billing:subscription:read, billing:subscription:view"),
    ("get_billing_trusteebillingoverview_trustor_org_id", "affiliateOrganization:clientBilling:view"),
    ("get_orgauthorization_trustors", "authorization:orgTrustor:view"),
    ("get_usage_aggregates_query_job", "usage:organization:view"),
    ("get_usage_client_client_id_aggregates_query_job", "usage:client:view"),
    ("post_usage_aggregates_query_jobs", "usage:organization:view"),
    ("post_usage_client_client_id_aggregates_query_jobs", "usage:client:view"),
];

/// Operations that neither a read-only administrator nor a viewer of tenants may call ([`ACRONIS_HELD`]).
const ACRONIS: &[&str] = &["create_report", "delete_report", "list_effective_price_lists", "update_report"];

#[cfg(test)]
const GENESYS_HELD: &[&str] = &["authorization:license:view", "oauth:client:view"];
#[cfg(test)]
const ACRONIS_HELD: &[&str] =
    &["urn:acronis.com::account-server::readonly_admin", "urn:acronis.com::account-server::tenant_viewer"];

/// The tokens of those that have any.
pub(crate) struct Permissions {
    pub(crate) genesys: Tokens,
    pub(crate) acronis: Tokens,
}

/// Stands before the vendors: lets pass what is permitted, and what they will refuse for its credentials.
pub(crate) async fn permit(State(permissions): State<Arc<Permissions>>, request: Request, next: Next) -> Response {
    let refused = request.extensions().get::<Call>().and_then(|call| permissions.refusal(call, &request));
    match refused {
        Some(refusal) => refusal,
        None => next.run(request).await,
    }
}

impl Permissions {
    fn refusal(&self, call: &Call, request: &Request) -> Option<Response> {
        let vendor = call.vendor?;
        let of_token = |tokens: &Tokens| {
            let grant = tokens.grant(oauth::credential(request.headers(), "Bearer")?);
            grant.ok().map(|grant| grant.rights)
        };
        let rights = match vendor {
            Vendor::Genesys => of_token(&self.genesys),
            Vendor::Suger => oauth::suger_rights(request.headers()),
            Vendor::Acronis => of_token(&self.acronis),
        };
        if rights != Some(Rights::Limited) {
            return None;
        }
        let id = call.operation.map_or("", |operation| operation.id);
        match vendor {
            Vendor::Genesys => {
                let (_, needed) = GENESYS.iter().find(|(operation, _)| *operation == id)?;
                Some(missing_permissions(call, needed))
            }
            Vendor::Suger => {
                (request.method() != Method::GET).then(|| vendor.refuse(call, StatusCode::FORBIDDEN, "forbidden"))
            }
            Vendor::Acronis => {
                ACRONIS.contains(&id).then(|| vendor.refuse(call, StatusCode::FORBIDDEN, "Access denied."))
            }
        }
    }
}

/// In the vendor's words (facts: developer.genesys.cloud, error codes of the public definition).
fn missing_permissions(call: &Call, needed: &str) -> Response {
    let needed = format!("[{needed}]");
    let message = format!(
        "Unable to perform the requested action. You must have at least one of the following permissions assigned: \
         {needed}"
    );
    let body = ErrorBody {
        message: Some(message),
        code: Some("missing.any.permissions".to_owned()),
        status: Some(403),
        message_params: [("permissions".to_owned(), needed)].into_iter().collect(),
        context_id: Some(call.correlation_id.to_string()),
        ..ErrorBody::default()
    };
    let mut response = response::json(StatusCode::FORBIDDEN, &body);
    Vendor::Genesys.sign(call, &mut response);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Permissions of each operation, by its id in the generated table.
    fn documented(vendor: &str) -> Option<Vec<(String, Vec<String>)>> {
        // Not in the published crate.
        let path = format!("{}/../../openapi/{vendor}.yaml", env!("CARGO_MANIFEST_DIR"));
        let document: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).ok()?).unwrap();
        let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
        let of = |operation: &Value| {
            let needed = operation["x-permissions"].as_array().cloned().unwrap_or_default();
            needed.iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let named = operations.filter_map(|(_, operation)| {
            let name = operation["operationId"].as_str()?;
            let all =
                if vendor == "genesys" { usage_billing_genesys::OPERATIONS } else { usage_billing_acronis::OPERATIONS };
            let id = all.iter().find(|one| one.name == name)?.id;
            Some((id.to_owned(), of(operation)))
        });
        let mut named: Vec<_> = named.collect();
        named.sort();
        Some(named)
    }

    fn refused(vendor: &str, held: &[&str]) -> Option<Vec<(String, String)>> {
        let lacking = documented(vendor)?
            .into_iter()
            .filter(|(_, needed)| !needed.is_empty() && !needed.iter().any(|one| held.contains(&one.as_str())));
        Some(lacking.map(|(id, needed)| (id, needed.join(", "))).collect())
    }

    #[test]
    fn the_tables_are_those_of_the_documents() {
        if let Some(genesys) = refused("genesys", GENESYS_HELD) {
            let table: Vec<_> = GENESYS.iter().map(|(id, needed)| ((*id).to_owned(), (*needed).to_owned())).collect();
            assert_eq!(genesys, table);
        }
        if let Some(acronis) = refused("acronis", ACRONIS_HELD) {
            assert_eq!(acronis.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ACRONIS);
        }
    }
}
