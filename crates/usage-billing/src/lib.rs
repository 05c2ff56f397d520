#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
#[cfg(any(feature = "acronis", feature = "genesys"))]
mod failed_month;
#[cfg_attr(
    not(any(feature = "acronis", feature = "genesys", feature = "suger")),
    allow(dead_code, reason = "without a vendor, only lists have a limit")
)]
mod memory_limit;
#[cfg(all(test, any(feature = "genesys", feature = "suger")))]
mod month_to_date;
mod period;
mod rows;

#[cfg(feature = "acronis")]
#[cfg_attr(docsrs, doc(cfg(feature = "acronis")))]
pub mod acronis;
#[cfg(feature = "genesys")]
#[cfg_attr(docsrs, doc(cfg(feature = "genesys")))]
pub mod genesys;
#[cfg(feature = "suger")]
#[cfg_attr(docsrs, doc(cfg(feature = "suger")))]
pub mod suger;

pub use period::Period;
pub use rows::{BillingReason, StorageHost, UsageMode, UsageRow, Vendor};
pub use usage_billing_core::{
    AccessToken, ApiKey, ByteStream, CallOptions, ClientBuilder, Credentials, Decimal, DecimalNumber, DecimalString,
    Error, ErrorKind, LenientDateTime, MinTransferRate, Pager, PollResult, Poller, RateLimit, ResponseValue, Result,
    RetryPolicy, SecretString, SecretText, TokenRequest, http_client, printable, printable_message, reqwest,
};

/// Crates whose types are in the public API.
pub use chrono;
pub use uuid;
