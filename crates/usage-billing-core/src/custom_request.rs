//! Requests that the OpenAPI document lacks.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::operation::Operation;
use crate::raw_response::RawResponse;
use crate::request_additions::RequestAdditions;
use crate::{ByteStream, Error, ErrorKind, ResponseValue, Result, Transport, encode_path};

/// A request that the OpenAPI document lacks, with the credentials, limits, retries, traces and errors of the client. `request` of a client
/// creates it.
///
/// It is retried like the calls of the document: GET, HEAD, OPTIONS, PUT and DELETE are idempotent, other methods only after
/// [`idempotent`](Self::idempotent).
///
/// ```
/// use serde::Deserialize;
/// use usage_billing_core::{Result, Transport, reqwest::Method};
///
/// #[derive(Deserialize)]
/// struct Quota {
///     seats: u64,
/// }
///
/// # async fn quota(client: Client, tenant: &str) -> Result<u64> {
/// let request = client.request(Method::GET, "/tenants/{tenant}/quota").path_parameter("tenant", tenant);
/// let quota = request.query("unit", "seats").header("X-Trace-Id", "7").send_json::<Quota>().await?;
/// # Ok(quota.seats) }
/// # struct Client { http: usage_billing_core::reqwest::Client, transport: Transport }
/// # impl Client {
/// #     fn request(&self, method: Method, path: &'static str) -> usage_billing_core::CustomRequest<'_> {
/// #         self.transport.custom_request(&self.http, method, path)
/// #     }
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct CustomRequest<'a> {
    http: &'a reqwest::Client,
    transport: &'a Transport,
    method: Method,
    operation: Operation,
    /// Names and encoded values.
    parameters: Vec<(String, String)>,
    additions: RequestAdditions,
    body: Option<(HeaderValue, Bytes)>,
    /// The first setting that cannot be sent.
    invalid: Option<String>,
}

impl<'a> CustomRequest<'a> {
    pub(crate) fn new(
        http: &'a reqwest::Client,
        transport: &'a Transport,
        method: Method,
        path: Cow<'static, str>,
    ) -> Self {
        let operation = Operation::new(format!("{method} {path}"), path);
        let (parameters, additions) = (Vec::new(), RequestAdditions::default());
        Self { http, transport, method, operation, parameters, additions, body: None, invalid: None }
    }

    /// Replaces `{name}` in the path. The value is percent-encoded, so that it stays one segment.
    pub fn path_parameter(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.parameters.push((name.into(), encode_path(&value.to_string()).to_string()));
        self
    }

    /// Adds a query parameter. An array is sent as one parameter for each item, and `None` not at all.
    pub fn query(mut self, name: impl AsRef<str>, value: impl Serialize) -> Self {
        self.additions.add_query(name.as_ref(), &value);
        self
    }

    /// Sets a header. Those that the client sets for the credentials and the connection are an error.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.additions.add_header(name.as_ref(), value.as_ref());
        self
    }

    /// Sets a JSON body.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(json) => self.body = Some((HeaderValue::from_static("application/json"), json.into())),
            Err(error) => self.reject(format!("the body cannot be written as JSON: {error}")),
        }
        self
    }

    /// Sets a body of another media type, such as `text/csv`.
    pub fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        match HeaderValue::try_from(media_type) {
            Ok(media_type) => self.body = Some((media_type, body.into())),
            Err(_) => self.reject("invalid media type of the body: expected visible ASCII characters"),
        }
        self
    }

    /// States that sending the request twice has the same effect as sending it once: it is retried whatever its method.
    pub fn idempotent(mut self) -> Self {
        self.operation.idempotent = true;
        self
    }

    /// Sends the request and returns the body of a success unchanged, up to
    /// [`max_response_bytes`](crate::ClientBuilder::max_response_bytes).
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a path, parameter, header or body that cannot be sent, and the errors of all calls.
    pub async fn send(self) -> Result<ResponseValue<Bytes>> {
        ResponseValue::bytes(self.execute("*/*").await?).await
    }

    /// Sends the request and decodes the JSON body of a success.
    ///
    /// # Errors
    /// The same as of [`send`](Self::send), and [`ErrorKind::Decode`] with the path in the body.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<ResponseValue<T>> {
        ResponseValue::from_response(self.execute("application/json").await?).await
    }

    /// Sends the request and returns the body of a success as a stream, which has no limit of size.
    ///
    /// # Errors
    /// The same as of [`send`](Self::send).
    pub async fn send_stream(mut self) -> Result<ResponseValue<ByteStream>> {
        self.operation.download = true;
        Ok(ResponseValue::stream(self.execute("*/*").await?))
    }

    async fn execute(self, accept: &'static str) -> Result<Box<RawResponse>> {
        let mut request = self.build(accept).map_err(|error| {
            // Values may be keys by mistake.
            self.transport.masked(error.with_operation(self.operation.name.clone()))
        })?;
        self.transport.send_operation(self.http, &mut request, &self.operation).await
    }

    fn build(&self, accept: &'static str) -> Result<Request> {
        let path = match &self.invalid {
            Some(reason) => Err(reason.clone()),
            None => path(&self.operation.path, &self.parameters),
        };
        let path = path.map_err(|reason| Error::new(ErrorKind::Request, reason))?;
        let mut request = Request::new(self.method.clone(), self.transport.url(&path));
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
        if let Some((media_type, body)) = &self.body {
            request.headers_mut().insert(CONTENT_TYPE, media_type.clone());
            *request.body_mut() = Some(body.clone().into());
        }
        self.additions.apply(&mut request, self.transport.auth())?;
        Ok(request)
    }

    fn reject(&mut self, reason: impl Into<String>) {
        self.invalid.get_or_insert(reason.into());
    }
}

/// Prints method and path template only: the rest may contain secrets.
impl fmt::Debug for CustomRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomRequest").field("operation", &self.operation.name).finish_non_exhaustive()
    }
}

/// Returns the path of a template with its parameters replaced.
///
/// # Errors
/// The reason, if the template is not a path, or if a parameter is missing or unknown.
fn path(template: &str, parameters: &[(String, String)]) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/{}%-._~!$&'()*+,;=:@".contains(&byte);
    let is_dots = |segment: &str| matches!(segment, "." | "..");
    if !template.starts_with('/') || !template.bytes().all(is_allowed) || template.split('/').any(is_dots) {
        return Err(format!(
            "invalid path {template:?}: expected one that begins with `/`, without `.` and `..`, other characters percent-encoded, the \
             query set by `query`"
        ));
    }
    let mut path = String::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (name, tail) =
            tail.split_once('}').ok_or_else(|| format!("invalid path {template:?}: `{{` without `}}`"))?;
        let (_, value) = parameters
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .ok_or_else(|| format!("the path parameter {name} is required"))?;
        path += literal;
        path += value;
        rest = tail;
    }
    match parameters.iter().find(|(name, _)| !template.contains(&format!("{{{name}}}"))) {
        Some((name, _)) => Err(format!("the path {template} has no parameter {name}")),
        None => Ok(path + rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(template: &str, parameters: &[(&str, &str)]) -> Result<String, String> {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), encode_path(value).to_string())).collect();
        path(template, &parameters)
    }

    #[test]
    fn path_parameters_are_encoded() {
        assert_eq!(path_of("/a", &[]).unwrap(), "/a");
        assert_eq!(path_of("/a/{id}/b:{c}", &[("id", "x/y?"), ("c", "ü")]).unwrap(), "/a/x%2Fy%3F/b:%C3%BC");
    }

    #[test]
    fn invalid_path_error_states_the_expected_form() {
        for (template, parameters, expected) in [
            ("a", &[][..], "begins with `/`"),
            ("https://elsewhere.example/a", &[], "begins with `/`"),
            ("/a?b=1", &[], "the query set by `query`"),
            ("/a/../b", &[], "without `.` and `..`"),
            ("/a b", &[], "percent-encoded"),
            ("/a/{id", &[("id", "7")], "`{` without `}`"),
            ("/a/{id}", &[], "the path parameter id is required"),
            ("/a", &[("id", "7")], "the path /a has no parameter id"),
        ] {
            let reason = path_of(template, parameters).unwrap_err();
            assert!(reason.contains(expected), "{template}: {reason}");
        }
    }
}
