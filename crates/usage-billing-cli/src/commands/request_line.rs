//! Requests as `--dry-run` prints them: one JSON object a line.

use serde::Serialize;
use serde_json::value::RawValue;
use usage_billing::uuid::Uuid;
use usage_billing_core::encode_path;

use crate::exit::Failure;

#[derive(Serialize)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a str,
    /// With the host, encoded as it is sent.
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<&'a RawValue>,
}

impl<'a> RequestLine<'a> {
    /// Creates a request without a body.
    pub(super) fn new(method: &'a str, base_url: &str, path: &str) -> Self {
        Self { method, url: format!("{}{path}", base_url.trim_end_matches('/')), id: None, body: None }
    }

    pub(super) fn text(&self) -> Result<String, Failure> {
        let line = serde_json::to_string(self).map_err(|error| Failure::of_output(error.into()))?;
        Ok(line + "\n")
    }
}

/// Returns a path whose parameters are replaced by encoded values.
pub(super) fn path<'a>(template: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    parameters.into_iter().fold(template.to_owned(), |path, (name, value)| {
        path.replace(&format!("{{{name}}}"), &encode_path(value).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_that_of_the_request() {
        let path = path("/org/{orgId}/buyer/{buyerId}", [("orgId", "a/b"), ("buyerId", "株 {x}")]);
        let line = RequestLine::new("GET", "https://api.example.test/", &path).text().unwrap();
        let url = "https://api.example.test/org/a%2Fb/buyer/%E6%A0%AA%20%7Bx%7D";
        assert_eq!(line, format!("{{\"method\":\"GET\",\"url\":\"{url}\"}}\n"));
    }
}
