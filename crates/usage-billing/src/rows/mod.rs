//! Usage rows: their columns, and the rules of keys, periods, numbers and verdicts that all vendors share.

mod billing_reason;
#[cfg(any(feature = "acronis", feature = "genesys"))]
pub(crate) mod canonical_id;
pub(crate) mod decimal_text;
#[cfg(any(feature = "acronis", feature = "genesys", feature = "suger"))]
pub(crate) mod identity;
#[cfg(any(feature = "acronis", feature = "genesys", feature = "suger"))]
pub(crate) mod loadable;
#[cfg(any(feature = "acronis", feature = "genesys", feature = "suger"))]
pub(crate) mod period;
mod usage_row;

pub use billing_reason::BillingReason;
pub use usage_row::{StorageHost, UsageMode, UsageRow, Vendor};
