//! What every generated call goes through.

use std::fmt;
use std::sync::Arc;

use reqwest::{Request, Url};

use crate::answer::Answer;
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
    /// That all operations' paths stand below.
    pub(crate) base: Url,
    pub(crate) auth: Auth,
    pub(crate) retry: RetryPolicy,
    pub(crate) limiter: Option<Limiter>,
}

impl Transport {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Named by generated code: where the operation with this filled-in path is, whose values are encoded already.
    #[doc(hidden)]
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.0.base.clone();
        let base = url.path().trim_end_matches('/');
        if base.is_empty() {
            url.set_path(path);
        } else {
            let whole = format!("{base}{path}");
            url.set_path(&whole);
        }
        url
    }

    /// Named by generated code: a parameter's value, unless it was not set (which has no reason) or does not convert.
    ///
    /// # Errors
    /// [`ErrorKind::Request`], naming the operation and the parameter.
    #[doc(hidden)]
    pub fn parameter<T>(&self, id: &'static str, name: &str, value: Result<T, String>) -> Result<T> {
        value.map_err(|reason| {
            let message = if reason.is_empty() {
                format!("the parameter {name} is required: set it before `send`")
            } else {
                format!("the parameter {name} is wrong: {reason}")
            };
            Error::new(ErrorKind::Request, message).with_operation(self.0.service.operation(id).name)
        })
    }

    pub(crate) async fn send(&self, http: &reqwest::Client, request: Request, id: &'static str) -> Result<Answer> {
        let parts = &*self.0;
        let operation = parts.service.operation(id);
        if !operation.matches(parts.base.path(), request.url().path()) {
            let message = format!("a path value is empty, `.` or `..`: {} became another path", operation.path);
            return Err(Error::new(ErrorKind::Request, message).with_operation(operation.name));
        }
        let Parts { service, auth, retry, limiter, .. } = parts;
        let attempts = Attempts { http, operation, service, retry, auth: Some(auth), limiter: limiter.as_ref() };
        // In a box: callers move a call's future about before they await it, and this is nearly all of its size.
        Box::pin(attempts.send(request)).await
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("auth", &self.0.auth).field("retry", &self.0.retry).finish_non_exhaustive()
    }
}
