//! What the curated document says of an operation, as far as the transport has to know it.

/// One operation of a vendor's API. The generated crates hold a table of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Name of the generated method.
    pub id: &'static str,
    /// `operationId` as in the document; stands in errors and spans.
    pub name: &'static str,
    /// HTTP method in capitals.
    pub method: &'static str,
    /// Path template, `/reports/{report_id}`.
    pub path: &'static str,
    /// `x-idempotent`: the same request sent twice has the effect of one.
    pub idempotent: bool,
    /// `x-idempotent-with`: the guarantee holds if this field of the JSON body is set.
    pub idempotent_with: Option<&'static str>,
    /// `x-download`: the body is handed on as it arrives.
    pub download: bool,
    /// `x-final-statuses`: error statuses that are this operation's response and no failure of the server: not sent again after them.
    pub final_statuses: &'static [u16],
    /// `x-permissions`: the caller needs any one of them; stand in the error if it has none.
    pub permissions: &'static [&'static str],
}

impl Operation {
    /// Whether a request may be sent again although its first copy may have been acted on.
    ///
    /// By method (RFC 9110, 9.2.2) or by the document's marks.
    pub(crate) fn is_idempotent(&self, body: Option<&[u8]>) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
            || self.idempotent
            || self.idempotent_with.is_some_and(|field| has_field(body, field))
    }

    /// Whether `path` is this operation's template with every value filled in.
    ///
    /// URL parsing drops `.` and `..` and a vendor may fold `//`: a value of that kind would address another resource.
    pub(crate) fn matches(&self, base: &str, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(base.trim_end_matches('/')) else {
            return false;
        };
        // By bytes: done for every request, and `str::split` is slow with short parts.
        let until = |text: &[u8], end: u8| text.iter().position(|byte| *byte == end).unwrap_or(text.len());
        let (mut template, mut rest) = (self.path.as_bytes(), rest.as_bytes());
        loop {
            let (literal, name) = template.split_at(until(template, b'{'));
            let Some(value) = rest.strip_prefix(literal) else { return false };
            if name.is_empty() {
                return value.is_empty();
            }
            let end = until(value, b'/');
            if end == 0 {
                return false;
            }
            (template, rest) = (&name[until(name, b'/')..], &value[end..]);
        }
    }
}

fn has_field(body: Option<&[u8]>, field: &str) -> bool {
    body.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok())
        .and_then(|value| value.get(field).map(|id| !id.is_null() && id != ""))
        .unwrap_or(false)
}

/// What is the same for every client of one vendor.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// All operations, sorted by `id`.
    pub operations: &'static [Operation],
    /// Response headers that name the request in the vendor's logs, best first.
    pub request_id_headers: &'static [&'static str],
    /// Headers of a 429 with the seconds until the vendor's limit is reset, for when there is no `Retry-After`; best first.
    pub limit_reset_headers: &'static [&'static str],
    /// What to look at if the vendor does not take the credential; stands in the error.
    pub credential_hint: &'static str,
}

impl Service {
    pub(crate) fn operation(&self, id: &'static str) -> Operation {
        match self.operations.binary_search_by(|operation| operation.id.cmp(id)) {
            Ok(found) => self.operations[found],
            Err(_) => Operation {
                id,
                name: id,
                method: "",
                path: "",
                idempotent: false,
                idempotent_with: None,
                download: false,
                final_statuses: &[],
                permissions: &[],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: Operation = Operation {
        id: "report",
        name: "report",
        method: "POST",
        path: "/org/{orgId}/usage/{id}",
        idempotent: false,
        idempotent_with: Some("id"),
        download: false,
        final_statuses: &[],
        permissions: &[],
    };

    #[test]
    fn a_post_is_repeatable_only_by_its_marks() {
        assert!(!REPORT.is_idempotent(None));
        assert!(!REPORT.is_idempotent(Some(b"{}")));
        assert!(!REPORT.is_idempotent(Some(br#"{"id":null}"#)));
        assert!(!REPORT.is_idempotent(Some(br#"{"id":""}"#)));
        assert!(!REPORT.is_idempotent(Some(b"no json")));
        assert!(REPORT.is_idempotent(Some(br#"{"id":"7"}"#)));
        assert!(Operation { idempotent: true, ..REPORT }.is_idempotent(None));
        assert!(Operation { method: "GET", ..REPORT }.is_idempotent(None));
        assert!(!Operation { method: "PATCH", idempotent_with: None, ..REPORT }.is_idempotent(Some(br#"{"id":"7"}"#)));
    }

    #[test]
    fn a_path_value_that_changes_the_path_does_not_match() {
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
}
