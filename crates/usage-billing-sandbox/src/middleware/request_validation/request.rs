//! A request against the operation that it means.

use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::document::{Document, Operation};
use super::schema::{Check, within};
use super::{Kind, Misfit, Place};
use crate::vendors::Vendor;

/// Headers that belong to HTTP, to proxies and to browsers rather than to any vendor. `sec-…`, `x-forwarded-…` and our own
/// `x-sandbox-…` come on top.
const COMMON_HEADERS: [&str; 41] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "baggage",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "warning",
];
const COMMON_PREFIXES: [&str; 3] = ["sec-", "x-forwarded-", "x-sandbox-"];

/// Headers of the vendor's own SDKs that are in no document.
fn own_headers(vendor: Vendor) -> &'static [&'static str] {
    match vendor {
        Vendor::Genesys => &["inin-correlation-id", "purecloud-sdk"],
        Vendor::Suger => &["x-correlation-id"],
        // The vendor's WHMCS module sends it.
        Vendor::Acronis => &["x-acronis-api"],
    }
}

/// Whether a value that is not listed is refused as a rule. Suger is written in Go, where such values are plain texts; where
/// it does refuse them, its handlers do.
fn closes_enums(vendor: Vendor) -> bool {
    vendor != Vendor::Suger
}

/// What came.
pub(super) struct Asked<'a> {
    pub(super) vendor: Vendor,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// Empty if it was not read.
    pub(super) body: &'a [u8],
    pub(super) strict: bool,
}

impl Asked<'_> {
    pub(super) fn misfits(&self, document: &Document, operation: &Operation) -> Vec<Misfit> {
        let (strict, closed_enums) = (self.strict, self.strict || closes_enums(self.vendor));
        // Acronis' own samples send some flags of reports as text.
        let text_flags = !strict && self.vendor == Vendor::Acronis;
        let mut check = Check { document, place: Place::Path, strict, closed_enums, text_flags, misfits: Vec::new() };
        self.path(&mut check, operation);
        check.place = Place::Query;
        self.query(&mut check, operation);
        if strict {
            check.place = Place::Header;
            self.foreign_headers(&mut check, operation);
        }
        check.place = Place::Body;
        // What is no JSON, or nothing, is refused by the handlers, each in its vendor's words.
        if let Some(schema) = &operation.body
            && let Ok(value) = serde_json::from_slice::<Value>(self.body)
        {
            check.value(schema, &value, "");
        }
        check.misfits
    }

    fn path(&self, check: &mut Check<'_>, operation: &Operation) {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Path) {
            let given = operation.in_path(&parameter.name, self.uri.path()).unwrap_or_default();
            let given = percent_decode_str(given).decode_utf8_lossy();
            check.parameter(&parameter.schema, &given, &within("", &parameter.name));
        }
    }

    fn query(&self, check: &mut Check<'_>, operation: &Operation) {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let known = || operation.parameters.iter().filter(|parameter| parameter.place == Place::Query);
        for parameter in known() {
            // An empty value is none, and of a name that stands there twice the first one counts, as with the handlers.
            let given =
                form_urlencoded::parse(query).find(|(name, value)| *name == parameter.name && !value.is_empty());
            let pointer = within("", &parameter.name);
            match given {
                Some((_, value)) => check.parameter(&parameter.schema, &value, &pointer),
                None if parameter.required => check.note(&pointer, Kind::Missing, "is missing"),
                None => {}
            }
        }
        if self.strict {
            for (name, _) in form_urlencoded::parse(query) {
                if !known().any(|parameter| parameter.name == name) {
                    check.note(&within("", &name), Kind::Unknown, "is not known");
                }
            }
        }
    }

    fn foreign_headers(&self, check: &mut Check<'_>, operation: &Operation) {
        for name in self.headers.keys().map(http::HeaderName::as_str) {
            let documented = operation
                .parameters
                .iter()
                .any(|parameter| parameter.place == Place::Header && parameter.name.eq_ignore_ascii_case(name));
            let common = COMMON_HEADERS.contains(&name)
                || COMMON_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                || own_headers(self.vendor).contains(&name);
            if !documented && !common {
                check.note(&within("", name), Kind::Unknown, "is not known");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn misfits(method: Method, uri: &str, headers: &[&'static str], body: &str, strict: bool) -> Vec<String> {
        let uri: Uri = uri.parse().unwrap();
        let vendor = Vendor::of(uri.path()).unwrap();
        let document = Document::of(vendor);
        let operation = document.operation(vendor.operation(&method, uri.path()).unwrap().name).unwrap();
        let headers = headers.iter().map(|name| (http::HeaderName::from_static(name), "1".parse().unwrap())).collect();
        let asked = Asked { vendor, uri: &uri, headers: &headers, body: body.as_bytes(), strict };
        asked.misfits(document, operation).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let orders = "/api/2/reports";
        let queries = "/api/v2/usage/query";
        for (method, uri, body, wanted) in [
            (Method::GET, "/org/o/usageRecordGroup?limit=1000&status=&startDate=2026-11-21", "", ""),
            (Method::GET, "/org/o/usageRecordGroup?limit=1001", "", "query#/limit: must be at most 1000"),
            (Method::GET, "/org/o/usageRecordGroup?offset=-1", "", "query#/offset: must be at least 0"),
            (Method::GET, "/org/o/usageRecordGroup/aggregate?partner=AWS", "", "query#/granularity: is missing"),
            // Go has texts, no enums.
            (Method::GET, "/org/o/billableMetric?status=ODD", "", ""),
            (Method::GET, "/api/2/tenants?lod=odd", "", "query#/lod: is not one of the known values: odd"),
            (Method::GET, "/api/2/tenants/no-uuid?embed_path=1", "", ""),
            (Method::POST, orders, r#"{"parameters": []}"#, "body#/parameters: must be an object"),
            (Method::POST, queries, r#"{"interval": 1}"#, "body#/interval: must be a string"),
            (Method::POST, queries, r#"{}"#, "body#/interval: is missing"),
            (Method::POST, queries, "{", ""),
            (Method::POST, queries, "", ""),
        ] {
            let found = misfits(method, uri, &[], body, false);
            assert!(
                if wanted.is_empty() { found.is_empty() } else { found.iter().any(|it| it == wanted) },
                "{uri} {found:?}"
            );
        }
    }

    #[test]
    fn strictness_sees_what_is_in_no_document() {
        let sent = &["user-agent", "sec-fetch-mode", "x-sandbox-fault", "purecloud-sdk", "x-api-key"];
        let uri = "/org/o/buyer?limit=1&cursor=a~b&%00=";
        let wanted = [
            "query#/cursor: is not known",
            "query#/\0: is not known",
            "header#/purecloud-sdk: is not known",
            "header#/x-api-key: is not known",
        ];
        let mut found = misfits(Method::GET, uri, sent, "", true);
        found[2..].sort();
        assert_eq!(found, wanted);
        assert!(misfits(Method::GET, uri, sent, "", false).is_empty());
        let body = r#"{"interval": "2026-09/2026-10", "interwal": 1}"#;
        assert_eq!(
            misfits(Method::POST, "/api/v2/usage/query", &["purecloud-sdk"], body, true),
            ["body#/interwal: is not known"]
        );
    }

    #[test]
    fn headers_are_listed_in_order() {
        assert!(COMMON_HEADERS.is_sorted());
    }
}
