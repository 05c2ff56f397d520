//! The transport of all generated calls.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::CONTENT_LENGTH;
use reqwest::{Method, Request, RequestBuilder, Url};

use crate::attempts::{Attempts, ClientWide};
use crate::auth::Auth;
use crate::body_permits::{BodyPermit, BodyPermits};
use crate::call_settings::CallSettings;
use crate::error::invalid_request;
use crate::operation::{Operation, Service};
use crate::pause::Pause;
use crate::rate_limit::Limiter;
use crate::raw_response::RawResponse;
use crate::request_additions::RequestAdditions;
use crate::{BuildError, CallOptions, CustomRequest, Error, ErrorKind, Result, read_ahead};

/// Authorises, limits, sends, retries and traces the requests of a client. [`ClientBuilder`](crate::ClientBuilder) creates it. Clones are
/// cheap, and share the token and the rate limit.
#[derive(Clone)]
pub struct Transport {
    parts: Arc<Parts>,
    /// The settings of this handle's calls.
    settings: CallSettings,
    /// Headers and query parameters of this handle's calls.
    additions: Option<Arc<RequestAdditions>>,
}

pub(crate) struct Parts {
    pub(crate) service: Service,
    /// The URL that the operations' paths are relative to.
    pub(crate) base: Url,
    pub(crate) auth: Auth,
    /// The settings that the client was built with.
    pub(crate) settings: CallSettings,
    pub(crate) limiter: Option<Limiter>,
    pub(crate) pause: Pause,
    pub(crate) body_permits: BodyPermits,
}

impl Transport {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { settings: parts.settings, additions: None, parts: Arc::new(parts) }
    }

    /// Returns a handle whose calls have other settings, with the same token, rate limit and pause.
    pub fn with_call_options(&self, options: CallOptions) -> Self {
        let settings = options.apply(self.settings);
        let additions = match (&self.additions, options.additions) {
            (known, new) if new.is_empty() => known.clone(),
            (None, new) => Some(Arc::new(new)),
            (Some(known), new) => Some(Arc::new(known.with(new))),
        };
        Self { settings, additions, parts: self.parts.clone() }
    }

    /// Returns the URL of an operation. The parameters in `path` are encoded. Generated code calls it.
    #[doc(hidden)]
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.parts.base.clone();
        let base = url.path().trim_end_matches('/');
        if base.is_empty() {
            url.set_path(path);
        } else {
            let full_path = format!("{base}{path}");
            url.set_path(&full_path);
        }
        url
    }

    /// Creates a request that the OpenAPI document lacks. The generated client calls it.
    #[doc(hidden)]
    pub fn custom_request<'a>(
        &'a self,
        http: &'a reqwest::Client,
        method: Method,
        path: impl Into<Cow<'static, str>>,
    ) -> CustomRequest<'a> {
        CustomRequest::new(http, self, method, path.into())
    }

    /// Returns the value of a parameter. The error of a parameter that was not set is empty. Generated code calls it.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] with the operation and the parameter, if it is required but not set, or invalid.
    #[doc(hidden)]
    pub fn parameter<T>(&self, id: &'static str, name: &str, value: Result<T, String>) -> Result<T> {
        value.map_err(|reason| {
            let message = if reason.is_empty() {
                format!("the parameter {name} is required: set it before `send`")
            } else {
                format!("parameter {name}: {reason}")
            };
            let error = Error::new(ErrorKind::Request, message);
            // The value may be a key by mistake.
            self.masked(error.with_operation(self.parts.service.operation(id).name))
        })
    }

    /// Returns the body of a generated call, which its builder makes.
    ///
    /// # Errors
    /// Those of [`parameter`](Self::parameter).
    #[doc(hidden)]
    pub fn body<T, B: TryInto<T, Error = BuildError>>(
        &self,
        id: &'static str,
        name: &str,
        body: Result<B, String>,
    ) -> Result<T> {
        self.parameter(id, name, body.and_then(|body| body.try_into().map_err(|error| error.to_string())))
    }

    /// Masks the client's secrets in an error that was created from a response elsewhere, such as for a failed job or an invalid row. Errors of
    /// calls are masked already.
    #[doc(hidden)]
    pub fn masked(&self, error: Error) -> Error {
        self.parts.auth.context().masked(error)
    }

    /// Returns a function that does the same for many errors: finding the forms of the secrets takes longer than masking an error.
    #[doc(hidden)]
    pub fn mask(&self) -> impl Fn(Error) -> Error + use<> {
        let masks = self.parts.auth.context().secrets.masks();
        move |error| error.masked(&masks)
    }

    /// Masks the client's secrets in a string of the caller, such as an id, which may be a key by mistake.
    #[doc(hidden)]
    pub fn masked_text(&self, text: &str) -> String {
        self.parts.auth.context().secrets.masks().apply(text)
    }

    /// Sends the request of a generated call, with retries, and returns a success. The future is boxed: callers move a call's future before
    /// they await it, and this part is nearly all of its size. The box owns the request and the functions below borrow it: a future that takes
    /// it by value has room for it twice.
    #[doc(hidden)]
    pub fn call(&self, request: RequestBuilder, id: &'static str) -> BoxFuture<'_, Result<Box<RawResponse>>> {
        Box::pin(async move {
            let operation = self.parts.service.operation(id);
            let (http, request) = request.build_split();
            let mut request = request.map_err(|error| invalid_request(error).with_operation(operation.name.clone()))?;
            self.send_operation(&http, &mut request, &operation).await
        })
    }

    /// Sends the request of an operation.
    pub(crate) async fn send_operation(
        &self,
        http: &reqwest::Client,
        request: &mut Request,
        operation: &Operation,
    ) -> Result<Box<RawResponse>> {
        let parts = &*self.parts;
        if !operation.matches(parts.base.path(), request.url().path()) {
            let message = format!("a path parameter is empty, `.` or `..`: the request would leave {}", operation.path);
            return Err(Error::new(ErrorKind::Request, message).with_operation(operation.name.clone()));
        }
        if let Some(additions) = &self.additions {
            let added = additions.apply(request, &parts.auth);
            added.map_err(|error| error.with_operation(operation.name.clone()))?;
        }
        state_empty_body(request);
        let Parts { service, auth, settings, limiter, pause, body_permits, .. } = parts;
        let client = ClientWide { auth, settings, limiter: limiter.as_ref(), body_permits };
        let attempts = Attempts {
            http,
            operation,
            service,
            settings: &self.settings,
            client: Some(client),
            context: auth.context(),
            pause,
        };
        let mut response = attempts.send(request).await?;
        if let Some(size) = response.body.as_ref().map(Bytes::len).filter(|size| read_ahead::should_stop_at(*size)) {
            // Other bodies do not wait until this one is read.
            response.body_permit = BodyPermit::default();
            read_ahead::stop().await;
            body_permits.acquire(&mut response.body_permit, size).await;
        }
        Ok(response)
    }
}

impl Transport {
    /// Returns the authorization of the requests.
    pub(crate) fn auth(&self) -> &Auth {
        &self.parts.auth
    }
}

/// States the length of an empty body where servers expect one: some respond to a POST without it with 411 (RFC 9110, 8.6).
fn state_empty_body(request: &mut Request) {
    let has_meaning = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let is_empty = request.body().is_none_or(|body| body.as_bytes().is_some_and(<[u8]>::is_empty));
    if has_meaning && is_empty {
        request.headers_mut().insert(CONTENT_LENGTH, 0.into());
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("auth", &self.parts.auth)
            .field("retry", &self.settings.retry)
            .field("deadline", &self.settings.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_body_has_a_length_where_the_method_takes_one() {
        for (method, body, expected) in [
            (Method::POST, None, Some("0")),
            (Method::PUT, Some(""), Some("0")),
            (Method::PATCH, Some("a"), None),
            (Method::GET, None, None),
            (Method::DELETE, None, None),
        ] {
            let mut request = Request::new(method.clone(), "https://api.example/".parse().unwrap());
            *request.body_mut() = body.map(Into::into);
            state_empty_body(&mut request);
            let length = request.headers().get(CONTENT_LENGTH).map(|length| length.to_str().unwrap());
            assert_eq!(length, expected, "{method} {body:?}");
        }
    }
}
