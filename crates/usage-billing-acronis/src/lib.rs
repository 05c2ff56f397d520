#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
#[rustfmt::skip]
mod generated;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
#[rustfmt::skip]
#[path = "generated_mock.rs"]
pub mod mock;
mod data_center;

pub use data_center::DataCenter;
pub use generated::*;
pub use progenitor_client::{
    AccessToken, ApiKey, Auth, BuildError, CallOptions, ClientBuilder, Credentials, CustomRequest, Decimal,
    DecimalNumber, DecimalString, ErrorKind, IntoOptional, IntoRequired, LenientDateTime, MinTransferRate, RateLimit,
    RetryPolicy, SecretString, SecretText, TokenRequest, Transport, UnknownValue, http_client, reqwest,
};

/// Crates whose types are part of this crate's API.
pub use chrono;
#[cfg(feature = "mock")]
pub use httpmock;
pub use uuid;
