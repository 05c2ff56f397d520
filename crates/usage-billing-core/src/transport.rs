//! What every generated call goes through.

use std::fmt;
use std::sync::Arc;

use reqwest::{Request, Response};

use crate::attempts::Attempts;
use crate::auth::Auth;
use crate::operation::Service;
use crate::rate_limit::Limiter;
use crate::{Error, ErrorKind, Result, RetryPolicy};

/// Authorises, limits, sends, repeats and traces the requests of one client. Made by [`ClientBuilder`](crate::ClientBuilder);
/// cheap to clone, clones share the token and the rate limit.
#[derive(Clone)]
pub struct Transport(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) service: Service,
    /// Path that all operations' paths stand below.
    pub(crate) base_path: String,
    pub(crate) auth: Auth,
    pub(crate) retry: RetryPolicy,
    pub(crate) limiter: Option<Limiter>,
}

impl Transport {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) async fn send(&self, http: &reqwest::Client, request: Request, id: &'static str) -> Result<Response> {
        let parts = &*self.0;
        let operation = parts.service.operation(id);
        if !operation.matches(&parts.base_path, request.url().path()) {
            let message = format!("a path value is empty, `.` or `..`: {} became another path", operation.path);
            return Err(Error::new(ErrorKind::Request, message).with_operation(operation.name));
        }
        let Parts { service, auth, retry, limiter, .. } = parts;
        Attempts { http, operation, service, retry, auth: Some(auth), limiter: limiter.as_ref() }.send(request).await
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("auth", &self.0.auth).field("retry", &self.0.retry).finish_non_exhaustive()
    }
}
