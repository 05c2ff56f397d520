#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempts;
mod auth;
mod base_url;
mod body_buffers;
mod body_permits;
mod boolean;
mod builder;
mod call_options;
mod call_settings;
mod call_span;
mod client_builder;
mod connection_failure;
mod credentials;
mod custom_request;
mod date_time;
mod decimal;
mod decode_memory;
mod departure;
mod display_bytes;
mod download;
mod environment;
mod error;
mod error_response;
mod escapes;
mod failure_context;
mod foreign_text;
mod http_client;
mod known_secrets;
mod lenient_decimal;
mod list_end;
mod object;
mod open_enum;
mod operation;
mod page_link;
mod pager;
mod pages;
mod path_parameter;
mod pause;
mod poller;
mod progenitor_runtime;
mod proxy;
mod query_param;
mod rate_limit;
mod raw_response;
mod read_ahead;
mod request_additions;
mod response;
mod response_body;
mod retry;
mod secret_file;
mod secret_format;
mod secret_text;
mod setter;
mod time_limit;
#[cfg(any(feature = "rustls", feature = "aws-lc"))]
mod tls_failure;
mod token_cache;
mod token_provider;
mod token_source;
mod transfer_rate;
mod transport;
#[cfg(all(any(feature = "rustls", feature = "aws-lc"), any(target_os = "linux", target_os = "freebsd")))]
mod trusted_roots;
mod update;

pub use auth::Auth;
pub use call_options::CallOptions;
pub use client_builder::ClientBuilder;
pub use credentials::Credentials;
pub use custom_request::CustomRequest;
pub use date_time::LenientDateTime;
pub use decimal::{DecimalNumber, DecimalString};
pub use environment::{optional as optional_env, required as required_env};
pub use error::{Error, ErrorKind, Result};
pub use foreign_text::{printable, printable_message};
pub use http_client::http_client;
pub use lenient_decimal::LenientDecimal;
pub use open_enum::UnknownValue;
pub use operation::{Operation, Service};
pub use pager::Pager;
pub use poller::{PollResult, Poller};
pub use rate_limit::RateLimit;
pub use response::{ByteStream, ResponseValue};
pub use retry::RetryPolicy;
pub use secret_file::read_secret_file;
pub use secret_format::check_secret;
pub use secret_text::SecretText;
pub use setter::{BuildError, IntoOptional, IntoRequired};
pub use token_provider::{AccessToken, ApiKey, TokenRequest};
pub use transfer_rate::MinTransferRate;
pub use transport::Transport;
pub use update::Update;

/// The HTTP client reqwest 0.13. [`ClientBuilder::http_client`] takes its `Client`, and [`http_client()`] returns its `ClientBuilder`. Its
/// next incompatible version will be an incompatible version of this crate.
pub use reqwest;
pub use rust_decimal::Decimal;
pub use secrecy::SecretString;

/// Names that progenitor's output expects at the root of its runtime, beside [`ByteStream`], [`Error`] and [`ResponseValue`].
#[doc(hidden)]
pub use {
    path_parameter::encode_path,
    progenitor_runtime::{ClientInfo, RequestBuilderExt},
    query_param::QueryParam,
};

/// Items for generated code, its macros and the facade. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::departure::Departure;
    pub use crate::display_bytes::display_bytes;
    pub use crate::error::invalid_header;
    pub use crate::list_end::Numbering;
    pub use crate::object::{
        Object, ObjectWriter, boolean_field, boxed_field, collection_field, date_time_field, field, field_name,
        field_value, first_field, nested_collection_field, optional_boolean_field, optional_date_time_field,
        other_field, read_object, required_field, skip_field, write_object,
    };
    pub use crate::open_enum::{open_enum_impls, unknown_value};
    pub use crate::page_link::{cursor_in_link, next_link, query_link};
    pub use crate::pages::{
        JobState, Page, job_id, linked_pages, number_in, numbered_pages, position, stated_error, text_in,
    };
    pub use crate::query_param::joined_query;
    pub use crate::raw_response::RawResponse;
    pub use crate::read_ahead::read_ahead;
    pub use crate::setter::in_field;
    pub use crate::time_limit::TimeLimit;
    pub use serde;
}
