//! HTTP without a vendor: requests, responses, credentials and tokens.

pub(crate) mod oauth;
pub(crate) mod request;
pub(crate) mod response;
