//! Usage rows: their columns, and the rules for keys, periods and numbers that all vendors share.

mod billing_reason;
#[cfg(any(feature = "acronis", feature = "genesys", feature = "suger"))]
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
