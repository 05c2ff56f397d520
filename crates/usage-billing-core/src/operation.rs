//! The properties of operations and vendors that the transport uses.

use std::borrow::Cow;

use reqwest::Method;

/// An operation of a vendor's API. Each generated crate has a table of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The name of the generated method.
    pub id: &'static str,
    /// The `operationId` of the OpenAPI document, for errors and spans.
    pub name: Cow<'static, str>,
    /// The HTTP method in capitals.
    pub method: &'static str,
    /// The path template, such as `/reports/{report_id}`.
    pub path: Cow<'static, str>,
    /// `x-idempotent`: sending the request twice has the same effect as sending it once.
    pub idempotent: bool,
    /// `x-idempotent-with`: the request is idempotent if this field of the JSON body is set.
    pub idempotent_with: Option<&'static str>,
    /// `security: []`: the request is sent without credentials.
    pub anonymous: bool,
    /// `x-download`: the body is returned as a stream.
    pub download: bool,
    /// `x-final-statuses`: error statuses that are a regular response of the operation and are not retried.
    pub final_statuses: &'static [u16],
    /// `x-permissions`: the caller needs one of them. A 403 error names them.
    pub permissions: &'static [&'static str],
}

impl Operation {
    /// Creates an operation without extensions.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, path: impl Into<Cow<'static, str>>) -> Self {
        Self {
            id: "",
            name: name.into(),
            method: "",
            path: path.into(),
            idempotent: false,
            idempotent_with: None,
            anonymous: false,
            download: false,
            final_statuses: &[],
            permissions: &[],
        }
    }

    /// Returns whether a request with this method and body may be retried although the vendor may have acted on it.
    ///
    /// By its method (RFC 9110, 9.2.2) or by extensions of the OpenAPI document.
    pub(crate) fn is_idempotent(&self, method: &Method, body: Option<&[u8]>) -> bool {
        matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
            || self.idempotent
            || self.idempotent_with.is_some_and(|field| has_field(body, field))
    }

    /// Returns whether `path` is this operation's template with all parameters replaced.
    ///
    /// URL parsing removes `.` and `..`, and a vendor may merge `//`: such a parameter would address another resource.
    pub(crate) fn matches(&self, base: &str, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(base.trim_end_matches('/')) else {
            return false;
        };
        // On bytes: it runs for every request, and `str::split` is slow for short parts.
        let until = |text: &[u8], end: u8| text.iter().position(|byte| *byte == end).unwrap_or(text.len());
        let (mut template, mut rest) = (self.path.as_bytes(), rest.as_bytes());
        loop {
            let (literal, name) = template.split_at(until(template, b'{'));
            let Some(value) = rest.strip_prefix(literal) else { return false };
            if name.is_empty() {
                return value.is_empty();
            }
            let (segment, end) = (&name[..until(name, b'/')], until(value, b'/'));
            if !is_of_segment(segment, &value[..end]) {
                return false;
            }
            (template, rest) = (&name[segment.len()..], &value[end..]);
        }
    }
}

/// Returns whether a segment is that of a template which begins with a parameter, such as `{id}:cancel`, with no parameter empty.
fn is_of_segment(template: &[u8], mut value: &[u8]) -> bool {
    // The first part is what precedes the first parameter: nothing.
    let parts = template.split(|byte| *byte == b'{').skip(1);
    let mut literals = parts
        .map(|part| part.iter().position(|byte| *byte == b'}').map_or(&part[..0], |end| &part[end + 1..]))
        .peekable();
    while let Some(literal) = literals.next() {
        if literals.peek().is_none() {
            return value.len() > literal.len() && value.ends_with(literal);
        }
        // The shortest value that a parameter may have leaves most to those after it.
        let Some(at) = (1..value.len()).find(|at| value[*at..].starts_with(literal)) else { return false };
        value = &value[at + literal.len()..];
    }
    false
}

fn has_field(body: Option<&[u8]>, field: &str) -> bool {
    body.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok())
        .and_then(|value| value.get(field).map(|id| !id.is_null() && id != ""))
        .unwrap_or(false)
}

/// The properties of a vendor's API, for vendor crates.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// All operations, sorted by `id`.
    pub operations: &'static [Operation],
    /// Response headers with the id of the request in the vendor's logs, in order of preference.
    pub request_id_headers: &'static [&'static str],
    /// Headers of a 429 with the seconds until the vendor's rate limit is reset, if there is no `Retry-After`, in order of preference.
    pub limit_reset_headers: &'static [&'static str],
    /// The hint of errors of rejected credentials.
    pub credential_hint: &'static str,
}

impl Service {
    pub(crate) fn operation(&self, id: &'static str) -> Operation {
        match self.operations.binary_search_by(|operation| operation.id.cmp(id)) {
            Ok(found) => self.operations[found].clone(),
            Err(_) => Operation::new(id, ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: Operation = Operation {
        id: "report",
        name: Cow::Borrowed("report"),
        method: "POST",
        path: Cow::Borrowed("/org/{orgId}/usage/{id}"),
        idempotent: false,
        idempotent_with: Some("id"),
        anonymous: false,
        download: false,
        final_statuses: &[],
        permissions: &[],
    };

    #[test]
    fn post_is_idempotent_only_by_extension() {
        let is_idempotent = |operation: &Operation, body| operation.is_idempotent(&Method::POST, body);
        assert!(!is_idempotent(&REPORT, None));
        assert!(!is_idempotent(&REPORT, Some(b"{}")));
        assert!(!is_idempotent(&REPORT, Some(br#"{"id":null}"#)));
        assert!(!is_idempotent(&REPORT, Some(br#"{"id":""}"#)));
        assert!(!is_idempotent(&REPORT, Some(b"no json")));
        assert!(is_idempotent(&REPORT, Some(br#"{"id":"7"}"#)));
        assert!(is_idempotent(&Operation { idempotent: true, ..REPORT }, None));
        let plain = Operation::new("plain", "/");
        assert!(plain.is_idempotent(&Method::GET, None));
        assert!(!plain.is_idempotent(&Method::PATCH, Some(br#"{"id":"7"}"#)));
    }

    #[test]
    fn parameter_that_changes_the_path_does_not_match() {
        assert!(REPORT.matches("", "/org/acme/usage/7"));
        assert!(REPORT.matches("/api/2", "/api/2/org/acme/usage/7"));
        assert!(REPORT.matches("/api/2/", "/api/2/org/a%2Fb/usage/7"));
        assert!(!REPORT.matches("/api/2", "/api/22/org/acme/usage/7"));
        for path in [
            "",
            "/org/usage/7",
            "/org//usage/7",
            "/org/acme/usage/",
            "/org/acme/usage",
            "/acme/usage/7",
            "/org/a/usage/7/8",
        ] {
            assert!(!REPORT.matches("", path), "{path}");
        }
    }

    #[test]
    fn empty_parameter_beside_other_text_does_not_match() {
        for (template, path, expected) in [
            ("/jobs/{id}:cancel", "/jobs/7:cancel", true),
            ("/jobs/{id}:cancel", "/jobs/:cancel", false),
            ("/jobs/{id}:cancel", "/jobs/7", false),
            ("/files/{name}.{kind}", "/files/a.b.csv", true),
            ("/files/{name}.{kind}", "/files/.csv", false),
            ("/files/{name}.{kind}", "/files/a.", false),
            ("/days/{from}..{to}/rows", "/days/1..2/rows", true),
            ("/days/{from}..{to}/rows", "/days/..2/rows", false),
            ("/x/{a}{b}", "/x/12", true),
            ("/x/{a}{b}", "/x/1", false),
            ("/items({id})", "/items(7)", true),
            ("/items({id})", "/items()", false),
        ] {
            assert_eq!(Operation::new("a", template).matches("", path), expected, "{template} {path}");
        }
    }
}
