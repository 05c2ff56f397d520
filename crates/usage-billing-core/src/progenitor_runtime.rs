//! The items that generated code expects of its runtime, `progenitor_client`.

use std::fmt;
use std::future::Future;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Request, RequestBuilder};
use serde::Serialize;

use crate::raw_response::RawResponse;
use crate::{Result, Transport};

/// The properties of a generated client.
pub trait ClientInfo<Inner> {
    /// Returns `info.version` of the OpenAPI document: the date of its last comparison with the vendor's.
    fn api_version() -> &'static str;

    /// Returns the URL that requests are sent to.
    fn baseurl(&self) -> &str;

    /// Returns the HTTP client.
    fn client(&self) -> &reqwest::Client;

    /// Returns the transport.
    fn inner(&self) -> &Inner;
}

impl<T: ClientInfo<Inner>, Inner> ClientInfo<Inner> for &T {
    fn api_version() -> &'static str {
        T::api_version()
    }

    fn baseurl(&self) -> &str {
        (*self).baseurl()
    }

    fn client(&self) -> &reqwest::Client {
        (*self).client()
    }

    fn inner(&self) -> &Inner {
        (*self).inner()
    }
}

/// The operation that a generated method calls.
#[derive(Clone, Copy, Debug)]
pub struct OperationInfo {
    /// The name of the method.
    pub operation_id: &'static str,
}

/// Passes requests of generated methods to the client's [`Transport`].
pub trait ClientHooks<Inner = Transport>: ClientInfo<Transport> {
    /// Does nothing. Generated code calls it before `exec`.
    fn pre(&self, _: &mut Request, _: &OperationInfo) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Does nothing. Generated code calls it after `exec`.
    fn post(&self, _: &Result<Box<RawResponse>>, _: &OperationInfo) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Sends the request, with retries, and returns a success.
    fn exec(&self, request: Request, info: &OperationInfo) -> impl Future<Output = Result<Box<RawResponse>>> + Send {
        self.inner().send(self.client(), request, info.operation_id)
    }
}

/// A request body that generated code sets by its own name.
pub trait RequestBuilderExt: Sized {
    /// Sets a body of `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// None: `build` returns the error of a value that is not a flat list of fields.
    fn form_urlencoded<T: Serialize + ?Sized>(self, body: &T) -> Result<Self>;
}

impl RequestBuilderExt for RequestBuilder {
    fn form_urlencoded<T: Serialize + ?Sized>(self, body: &T) -> Result<Self> {
        Ok(self.form(body))
    }
}

/// Characters that are not escaped in a path: the unreserved ones of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a path parameter with all characters escaped that would end or split its segment.
///
/// The transport, which knows the template, rejects segments that URL parsing would remove (`..`).
pub fn encode_path(value: &str) -> impl fmt::Display {
    utf8_percent_encode(value, UNRESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parameter_stays_one_segment() {
        assert_eq!(encode_path("a/b?c#d e%ü").to_string(), "a%2Fb%3Fc%23d%20e%25%C3%BC");
        assert_eq!(encode_path("A-z_0.9~").to_string(), "A-z_0.9~");
    }
}
