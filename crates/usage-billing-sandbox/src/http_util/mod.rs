//! HTTP without a vendor: requests, responses, tokens.

pub(crate) mod oauth;
pub(crate) mod response;
