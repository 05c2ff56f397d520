//! What the description of a failure takes from the client: its secrets, to mask them, and its proxies, to name them.

use std::sync::OnceLock;

use crate::Error;
use crate::connection_failure::ConnectionFailure;
use crate::known_secrets::KnownSecrets;
use crate::proxy::{EnvironmentProxies, Proxy};
use crate::retry::Cause;

/// One for a client, shared by its transport, its token requests and its responses.
#[derive(Debug, Default)]
pub(crate) struct FailureContext {
    pub(crate) secrets: KnownSecrets,
    /// Not set if the caller brought the HTTP client: whether that uses them is not known.
    pub(crate) proxies: OnceLock<EnvironmentProxies>,
}

impl FailureContext {
    /// The error of a connection that was not made or was lost.
    pub(crate) fn connection_error(
        &self,
        error: reqwest::Error,
        operation: &'static str,
        attempts: u32,
    ) -> (Cause, Error) {
        let failure = ConnectionFailure::new(&error, self.proxies.get());
        let cause = failure.cause();
        let error = failure.into_error(error).with_operation(operation).with_attempts(attempts);
        (cause, self.masked(error))
    }

    /// The proxy that requests to `url` go through, if that is known.
    pub(crate) fn proxy_for(&self, url: &reqwest::Url) -> Option<Proxy> {
        self.proxies.get()?.for_url(url)
    }

    /// The error without the client's secrets.
    pub(crate) fn masked(&self, error: Error) -> Error {
        error.masked(&self.secrets.masks())
    }
}
