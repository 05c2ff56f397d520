//! The data of a client that descriptions of failures need: its secrets, to mask them, and its proxies, to name them.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::Error;
use crate::connection_failure::ConnectionFailure;
use crate::known_secrets::KnownSecrets;
use crate::proxy::{EnvironmentProxies, Proxy};
use crate::retry::Cause;

/// The secrets and proxies of a client, shared by its transport, token requests and responses.
#[derive(Debug, Default)]
pub(crate) struct FailureContext {
    pub(crate) secrets: KnownSecrets,
    /// Not set if the caller passed the HTTP client: it may use other proxies.
    pub(crate) proxies: OnceLock<EnvironmentProxies>,
}

impl FailureContext {
    /// Returns the cause and the error of a connection that failed.
    pub(crate) fn connection_error(
        &self,
        error: reqwest::Error,
        operation: Cow<'static, str>,
        attempts: u32,
    ) -> (Cause, Error) {
        let failure = ConnectionFailure::new(&error, self.proxies.get());
        let cause = failure.cause();
        let error = failure.into_error(error).with_operation(operation).with_attempts(attempts);
        (cause, self.masked(error))
    }

    /// Returns the proxy that requests to `url` go through, if it is known.
    pub(crate) fn proxy_for(&self, url: &reqwest::Url) -> Option<Proxy> {
        self.proxies.get()?.for_url(url)
    }

    /// Masks the client's secrets in an error.
    pub(crate) fn masked(&self, error: Error) -> Error {
        error.masked(&self.secrets.masks())
    }
}
