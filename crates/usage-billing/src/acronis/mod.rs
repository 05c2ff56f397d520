#![doc = include_str!("../../docs/acronis.md")]

mod account;
mod billing;
mod client;
mod error_hints;
mod report_file;
mod reports;
mod usage;

pub use usage_billing_acronis::{DataCenter, builder, types};
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub use usage_billing_acronis::{httpmock, mock};

pub use client::Client;
pub use report_file::row::{Amounts, Price, ReportRow};
pub use report_file::rows::{Rows, read_rows};
pub use reports::create::ObtainedReport;
pub use reports::request::ReportRequest;
pub use reports::stored_file::{ReportFiles, StoredFile};
pub use usage::billed_quantity::in_billing_unit;
pub use usage::fetch::usage_rows;
pub use usage::options::{ReportEvent, UsageOptions};
pub use usage::saved_file::saved_usage;
