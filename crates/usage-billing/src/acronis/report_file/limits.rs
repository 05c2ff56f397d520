//! Memory limits for reading one report file.
//!
//! They are fixed: rows of real files have about 60 columns and 1 KiB.

use usage_billing_core::{Error, ErrorKind};

/// Unpacked bytes up to the end of the header or of the next row.
pub(crate) const RECORD_BYTES: u64 = 1 << 20;
/// Columns of a file or values of a JSON row.
pub(crate) const COLUMNS: usize = 4096;
/// Nested objects and arrays in a JSON file.
pub(crate) const DEPTH: usize = 64;
/// Bytes of gzip that unpack to nothing: endless headers, empty members.
pub(crate) const IDLE_GZIP_BYTES: u64 = 1 << 20;

/// Returns the error of a limit: `what` exceeds `limit`.
pub(crate) fn exceeded(what: &str, limit: &str) -> Error {
    let message = format!("the report's file cannot be read: {what} exceeds the limit of {limit}");
    Error::new(ErrorKind::Limit, message)
        .with_hint("this limit is fixed; no known report comes near it: create a new report")
}
