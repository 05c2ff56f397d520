//! Headers and query parameters that a request has beside those of its operation.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Request;
use serde::Serialize;

use crate::auth::Auth;
use crate::page_link;
use crate::query_param::QueryParam;
use crate::{Error, ErrorKind, Result};

/// Headers and query parameters of the caller. The first invalid one is reported when a request is sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct RequestAdditions {
    headers: HeaderMap,
    query: Vec<(String, String)>,
    /// A link whose query replaces that of the request.
    link: Option<String>,
    invalid: Option<String>,
}

impl RequestAdditions {
    pub(crate) fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.query.is_empty() && self.link.is_none() && self.invalid.is_none()
    }

    pub(crate) fn add_header(&mut self, name: &str, value: &str) {
        // Neither is quoted: one of them may be a secret, also if they were swapped.
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            (Err(_), _) => self.reject("invalid header name: expected letters, digits and hyphens"),
            (Ok(name), Err(_)) => {
                self.reject(format!(
                    "invalid value of the header {name}: expected visible ASCII characters and spaces"
                ));
            }
        }
    }

    pub(crate) fn add_query(&mut self, name: &str, value: &impl Serialize) {
        match QueryParam::new(name, value).pairs() {
            Ok(pairs) => self.query.extend(pairs),
            Err(error) => self.reject(format!("invalid value of the query parameter {name}: {error}")),
        }
    }

    pub(crate) fn follow(&mut self, link: String) {
        self.link = Some(link);
    }

    fn reject(&mut self, reason: impl Into<String>) {
        self.invalid.get_or_insert(reason.into());
    }

    /// Returns these additions with others, whose headers replace those of the same name.
    pub(crate) fn with(&self, others: Self) -> Self {
        let mut all = self.clone();
        all.headers.extend(others.headers);
        all.query.extend(others.query);
        all.link = others.link.or(all.link);
        all.invalid = all.invalid.or(others.invalid);
        all
    }

    /// Adds the headers and the query parameters to a request.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for an invalid addition, and for a header that the client sets; [`ErrorKind::Decode`] for a link to another address.
    pub(crate) fn apply(&self, request: &mut Request, auth: &Auth) -> Result<()> {
        let invalid = |reason: String| Err(Error::new(ErrorKind::Request, reason));
        if let Some(reason) = &self.invalid {
            return invalid(reason.clone());
        }
        if let Some(name) = self.headers.keys().find(|name| auth.sets(name)) {
            return invalid(format!("the header {name} is reserved: the client sets it"));
        }
        request.headers_mut().extend(self.headers.clone());
        if !self.query.is_empty() {
            request.url_mut().query_pairs_mut().extend_pairs(&self.query);
        }
        if let Some(link) = &self.link {
            page_link::follow(request.url_mut(), link)?;
        }
        Ok(())
    }
}

/// Prints names only: the values may be secrets.
impl fmt::Debug for RequestAdditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.query.iter().map(|(name, _)| name);
        f.debug_struct("RequestAdditions")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("query", &query.collect::<Vec<_>>())
            .field("invalid", &self.invalid)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(additions: &RequestAdditions) -> Result<Request> {
        let mut request = Request::new(reqwest::Method::GET, "http://x/a?b=1".parse().unwrap());
        request.headers_mut().insert("accept", HeaderValue::from_static("application/json"));
        additions.apply(&mut request, &Auth::key("X-Key", "hush"))?;
        Ok(request)
    }

    #[test]
    fn added_headers_replace_and_query_parameters_append() {
        let mut additions = RequestAdditions::default();
        additions.add_header("Accept", "text/csv");
        additions.add_header("X-Trace", "7");
        additions.add_query("c d", &["x&y", "ü"]);
        additions.add_query("e", &None::<u8>);
        let request = applied(&additions).unwrap();
        assert_eq!(request.url().query(), Some("b=1&c+d=x%26y&c+d=%C3%BC"));
        assert_eq!(request.headers()["accept"], "text/csv");
        assert!(!format!("{additions:?} {:?}", request.headers()).contains("text/csv"));
    }

    #[test]
    fn later_additions_replace_earlier_ones() {
        let mut first = RequestAdditions::default();
        first.add_header("x-trace", "1");
        let mut second = RequestAdditions::default();
        second.add_header("x-trace", "2");
        assert_eq!(applied(&first.with(second)).unwrap().headers()["x-trace"], "2");
    }

    #[test]
    fn invalid_addition_is_reported_without_its_value() {
        for (name, value, expected) in [
            ("hush key", "x", "invalid header name"),
            ("x-trace", "hush\n", "invalid value of the header x-trace"),
            ("Authorization", "hush", "the header authorization is reserved"),
            ("x-key", "hush", "the header x-key is reserved"),
            ("host", "hush", "the header host is reserved"),
        ] {
            let mut additions = RequestAdditions::default();
            additions.add_header(name, value);
            let error = applied(&additions).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Request);
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
