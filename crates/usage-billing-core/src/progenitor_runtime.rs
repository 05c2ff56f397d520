//! The rest of what generated code names of its runtime, `progenitor_client`.

use std::fmt;
use std::future::Future;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Request, RequestBuilder};
use serde::Serialize;

use crate::raw_response::RawResponse;
use crate::{Result, Transport};

/// What every generated client can say of itself.
pub trait ClientInfo<Inner> {
    /// `info.version` of the curated document: the date of its last check against the vendor.
    fn api_version() -> &'static str;

    /// Where requests go.
    fn baseurl(&self) -> &str;

    /// The HTTP client.
    fn client(&self) -> &reqwest::Client;

    /// The transport.
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

/// Which operation a generated method is about to call.
#[derive(Clone, Copy, Debug)]
pub struct OperationInfo {
    /// Name of the method.
    pub operation_id: &'static str,
}

/// Where generated methods hand over the request: always to the client's [`Transport`].
pub trait ClientHooks<Inner = Transport>: ClientInfo<Transport> {
    /// Named by generated code; the transport does all.
    fn pre(&self, _: &mut Request, _: &OperationInfo) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Named by generated code; the transport does all.
    fn post(&self, _: &Result<Box<RawResponse>>, _: &OperationInfo) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Sends the request as often as needed and allowed; a response is a success.
    fn exec(&self, request: Request, info: &OperationInfo) -> impl Future<Output = Result<Box<RawResponse>>> + Send {
        self.inner().send(self.client(), request, info.operation_id)
    }
}

/// Bodies that reqwest has no method for.
pub trait RequestBuilderExt: Sized {
    /// A body of `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](crate::ErrorKind::Request) if the value is no flat list of fields.
    fn form_urlencoded<T: Serialize + ?Sized>(self, body: &T) -> Result<Self>;
}

impl RequestBuilderExt for RequestBuilder {
    fn form_urlencoded<T: Serialize + ?Sized>(self, body: &T) -> Result<Self> {
        // reqwest defers the failure to `build`, where the operation is named.
        Ok(self.form(body))
    }
}

/// What may stand in a path as it is: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path value with everything escaped that would end or split its segment.
///
/// What URL parsing drops all the same (`..`) is refused by the transport, which knows the template.
pub fn encode_path(value: &str) -> impl fmt::Display {
    utf8_percent_encode(value, UNRESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_value_stays_one_segment() {
        assert_eq!(encode_path("a/b?c#d e%ü").to_string(), "a%2Fb%3Fc%23d%20e%25%C3%BC");
        assert_eq!(encode_path("A-z_0.9~").to_string(), "A-z_0.9~");
    }
}
