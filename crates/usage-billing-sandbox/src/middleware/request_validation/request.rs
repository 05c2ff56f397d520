//! Validates the path, query, headers and body of a request.

use http::{HeaderMap, Uri};
use openapi_document::pointer::child;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::schema::Validator;
use super::violation::{Violation, ViolationKind};
use crate::vendors::Vendor;
use crate::vendors::document::{Document, Location, Operation};

/// Headers of HTTP, proxies and browsers, in addition to `sec-…`, `x-forwarded-…` and the sandbox's `x-sandbox-…`.
const COMMON_HEADERS: &str = "accept accept-charset accept-encoding accept-language authorization baggage cache-control \
    connection content-encoding content-language content-length content-type cookie date dnt expect \
    forwarded from host http2-settings if-match if-modified-since if-none-match if-range if- \
    unmodified-since keep-alive max-forwards origin pragma priority range referer te traceparent \
    tracestate trailer transfer-encoding upgrade user-agent via warning";
const COMMON_PREFIXES: [&str; 3] = ["sec-", "x-forwarded-", "x-sandbox-"];

/// Returns undocumented headers of the vendor's SDKs.
fn sdk_headers(vendor: Vendor) -> &'static [&'static str] {
    match vendor {
        Vendor::Genesys => &["inin-correlation-id", "purecloud-sdk"],
        Vendor::Suger => &["x-correlation-id"],
        // RequestBody by the vendor's WHMCS module.
        Vendor::Acronis => &["x-acronis-api"],
    }
}

/// Returns whether unlisted values of enums are violations. Suger is written in Go, where enums are plain strings; its handlers reject some
/// of them.
fn closes_enums(vendor: Vendor) -> bool {
    vendor != Vendor::Suger
}

/// A request and how it is validated.
pub(super) struct IncomingRequest<'a> {
    pub(super) vendor: Vendor,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// Empty if the body was not read.
    pub(super) body: &'a [u8],
    pub(super) strict: bool,
}

impl IncomingRequest<'_> {
    pub(super) fn violations(&self, document: &Document, operation: &Operation) -> Vec<Violation> {
        let (strict, closed_enums) = (self.strict, self.strict || closes_enums(self.vendor));
        // Acronis' own samples send some booleans of reports as strings.
        let string_booleans = !strict && self.vendor == Vendor::Acronis;
        let mut validator = Validator {
            root: document.root,
            location: Location::Path,
            strict,
            closed_enums,
            string_booleans,
            violations: Vec::new(),
        };
        self.path(&mut validator, operation);
        validator.location = Location::Query;
        self.query(&mut validator, operation);
        if strict {
            validator.location = Location::Header;
            self.unknown_headers(&mut validator, operation);
        }
        validator.location = Location::Body;
        // A missing body or one that is not JSON is rejected by the handlers.
        if let Some(schema) = operation.body
            && let Ok(value) = serde_json::from_slice::<Value>(self.body)
        {
            validator.value(schema, &value, "");
        }
        validator.violations
    }

    fn path(&self, validator: &mut Validator, operation: &Operation) {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.location == Location::Path) {
            let given = operation.in_path(parameter.name, self.uri.path()).unwrap_or_default();
            let given = percent_decode_str(given).decode_utf8_lossy();
            validator.parameter(parameter.schema, &given, &child("", parameter.name));
        }
    }

    fn query(&self, validator: &mut Validator, operation: &Operation) {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let known = || operation.parameters.iter().filter(|parameter| parameter.location == Location::Query);
        for parameter in known() {
            // As in the handlers, an empty value is missing, and the first of several counts.
            let given =
                form_urlencoded::parse(query).find(|(name, value)| *name == parameter.name && !value.is_empty());
            let pointer = child("", parameter.name);
            match given {
                Some((_, value)) => validator.parameter(parameter.schema, &value, &pointer),
                None if parameter.required => validator.report(&pointer, ViolationKind::Missing, "is missing"),
                None => {}
            }
        }
        if self.strict {
            for (name, _) in form_urlencoded::parse(query) {
                if !known().any(|parameter| parameter.name == name) {
                    validator.report(&child("", &name), ViolationKind::Unknown, "is not known");
                }
            }
        }
    }

    fn unknown_headers(&self, validator: &mut Validator, operation: &Operation) {
        for name in self.headers.keys().map(http::HeaderName::as_str) {
            let documented = operation
                .parameters
                .iter()
                .any(|parameter| parameter.location == Location::Header && parameter.name.eq_ignore_ascii_case(name));
            let common = COMMON_HEADERS.split_ascii_whitespace().any(|common| common == name)
                || COMMON_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                || sdk_headers(self.vendor).contains(&name);
            if !documented && !common {
                validator.report(&child("", name), ViolationKind::Unknown, "is not known");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn violations(method: Method, uri: &str, headers: &[&'static str], body: &str, strict: bool) -> Vec<String> {
        let uri: Uri = uri.parse().unwrap();
        let vendor = Vendor::of(uri.path()).unwrap();
        let document = Document::of(vendor);
        let operation = document.operation(&vendor.operation(&method, uri.path()).unwrap().name).unwrap();
        let headers = headers.iter().map(|name| (http::HeaderName::from_static(name), "1".parse().unwrap())).collect();
        let request = IncomingRequest { vendor, uri: &uri, headers: &headers, body: body.as_bytes(), strict };
        request.violations(document, operation).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn violations_name_location_and_pointer() {
        let orders = "/api/2/reports";
        let queries = "/api/v2/usage/query";
        for (method, uri, body, expected) in [
            (Method::GET, "/org/o/usageRecordGroup?limit=1000&status=&startDate=2026-11-21", "", ""),
            (Method::GET, "/org/o/usageRecordGroup?limit=1001", "", "query#/limit: must be at most 1000"),
            (Method::GET, "/org/o/usageRecordGroup?offset=-1", "", "query#/offset: must be at least 0"),
            (Method::GET, "/org/o/usageRecordGroup/aggregate?partner=AWS", "", "query#/granularity: is missing"),
            // Suger's enums are open.
            (Method::GET, "/org/o/billableMetric?status=ODD", "", ""),
            (Method::GET, "/api/2/tenants?lod=odd", "", "query#/lod: is not one of the known values: odd"),
            (Method::GET, "/api/2/tenants/no-uuid?embed_path=1", "", ""),
            (Method::POST, orders, r#"{"parameters": []}"#, "body#/parameters: must be an object"),
            (Method::POST, queries, r#"{"interval": 1}"#, "body#/interval: must be a string"),
            (Method::POST, queries, r#"{}"#, "body#/interval: is missing"),
            (Method::POST, queries, "{", ""),
            (Method::POST, queries, "", ""),
        ] {
            let found = violations(method, uri, &[], body, false);
            assert!(
                if expected.is_empty() { found.is_empty() } else { found.iter().any(|it| it == expected) },
                "{uri} {found:?}"
            );
        }
    }

    #[test]
    fn strict_validation_finds_undocumented_names() {
        let sent = &["user-agent", "sec-fetch-mode", "x-sandbox-fault", "purecloud-sdk", "x-api-key"];
        let uri = "/org/o/buyer?limit=1&cursor=a~b&%00=";
        let expected = [
            "query#/cursor: is not known",
            "query#/\0: is not known",
            "header#/purecloud-sdk: is not known",
            "header#/x-api-key: is not known",
        ];
        let mut found = violations(Method::GET, uri, sent, "", true);
        found[2..].sort();
        assert_eq!(found, expected);
        assert!(violations(Method::GET, uri, sent, "", false).is_empty());
        let body = r#"{"interval": "2026-09/2026-10", "interwal": 1}"#;
        assert_eq!(
            violations(Method::POST, "/api/v2/usage/query", &["purecloud-sdk"], body, true),
            ["body#/interwal: is not known"]
        );
    }
}
