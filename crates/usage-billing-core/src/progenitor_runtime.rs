//! The items that generated code expects of its runtime, `progenitor_client`.

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, HeaderValue};
use serde::Serialize;

use crate::query_param::QueryParam;
use crate::{Error, ErrorKind, Result};

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

/// Parts of a request that generated code sets by names of their own.
pub trait RequestBuilderExt: Sized {
    /// Sets the header `Accept`.
    #[must_use]
    fn accept(self, media_types: &'static str) -> Self;

    /// Sets a body of `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a value that is not an object. A field may be an array: it is sent once for each item.
    fn form_urlencoded<T: Serialize + ?Sized>(self, body: &T) -> Result<Self>;
}

impl RequestBuilderExt for RequestBuilder {
    fn accept(self, media_types: &'static str) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(media_types))
    }

    fn form_urlencoded<T: Serialize + ?Sized>(self, body: &T) -> Result<Self> {
        let pairs = QueryParam::new("", &body).pairs();
        let pairs = pairs.map_err(|error| Error::new(ErrorKind::Request, format!("invalid form: {error}")))?;
        Ok(self.form(&pairs))
    }
}
