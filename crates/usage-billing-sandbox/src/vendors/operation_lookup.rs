//! Finds the operation of a request, and the operations that a selector names.

use std::borrow::Cow;

use http::Method;
use usage_billing_core::Operation;

use super::{Vendor, acronis};

/// The token endpoints are in no generated table, because the runtime calls them.
static GENESYS_TOKEN: Operation = token_endpoint("issueToken", "/oauth/token");
static ACRONIS_TOKEN: Operation = token_endpoint("issue_token", "/api/2/idp/token");

const fn token_endpoint(name: &'static str, path: &'static str) -> Operation {
    let (method, idempotent_with) = ("POST", None);
    Operation {
        id: "issue_token",
        name: Cow::Borrowed(name),
        method,
        path: Cow::Borrowed(path),
        idempotent: false,
        idempotent_with,
        anonymous: true,
        download: false,
        final_statuses: &[],
        permissions: &[],
    }
}

impl Vendor {
    fn operations(self) -> impl Iterator<Item = &'static Operation> {
        let (table, more) = match self {
            Self::Genesys => (usage_billing_genesys::OPERATIONS, Some(&GENESYS_TOKEN)),
            Self::Suger => (usage_billing_suger::OPERATIONS, None),
            Self::Acronis => (usage_billing_acronis::OPERATIONS, Some(&ACRONIS_TOKEN)),
        };
        table.iter().chain(more)
    }

    /// Returns the operation of a request: of several path templates that match, the one with the fewest parameters.
    pub(crate) fn operation(self, method: &Method, path: &str) -> Option<&'static Operation> {
        let path = if path == acronis::TOKEN_ALIAS { &*ACRONIS_TOKEN.path } else { path };
        self.operations()
            .filter(|operation| operation.method == method.as_str() && matches_template(&operation.path, path))
            .min_by_key(|operation| operation.path.matches('{').count())
    }

    /// Returns whether a selector names this operation: by the vendor, by id or name, or by method and path template.
    pub(crate) fn matches_selector(self, operation: Option<&Operation>, selector: &str) -> bool {
        selector == self.name()
            || operation.is_some_and(|operation| {
                [operation.id, &*operation.name].contains(&selector)
                    || selector.split_once(' ') == Some((operation.method, &*operation.path))
            })
    }

    pub(crate) fn is_known_selector(selector: &str) -> bool {
        Self::ALL.iter().any(|vendor| {
            vendor.matches_selector(None, selector)
                || vendor.operations().any(|one| vendor.matches_selector(Some(one), selector))
        })
    }
}

fn matches_template(template: &str, path: &str) -> bool {
    let (mut names, mut values) = (segments(template), segments(path));
    loop {
        match (names.next(), values.next()) {
            (None, None) => return true,
            (Some(name), Some(value)) if name.starts_with(b"{") && !value.is_empty() || name == value => {}
            _ => return false,
        }
    }
}

/// Splits bytes, not characters: each request is compared with each template, and the search for a `char` took most of that time.
fn segments(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| *byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: Method, path: &str) -> Option<&'static str> {
        Some(&*Vendor::of(path)?.operation(&method, path)?.name)
    }

    #[test]
    fn operation_with_fewest_path_parameters_is_found() {
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
    fn selector_matches_names_and_method_with_template() {
        for selector in [
            "genesys",
            "get_report",
            "getBuyer",
            "GET /api/2/reports/{report_id}",
            "GET /api/price_sync/v1/effective_price_lists",
            "POST /oauth/token",
            "GET /org/{orgId}/buyer",
        ] {
            assert!(Vendor::is_known_selector(selector), "{selector}");
        }
        for selector in ["", "Genesys", "GET", "get /api/2/reports/{report_id}", "GET /api/2/reports/7"] {
            assert!(!Vendor::is_known_selector(selector), "{selector}");
        }
    }
}
