//! Data sets: folders with a Parquet file for each account and month, and a manifest.
//!
//! ```text
//! _manifest.json
//! vendor=acronis/period=2026-10/part-6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264.parquet
//! ```
//!
//! Names that begin with `_` or `.` are ignored by Spark and DuckDB. The file of an account's month is replaced by renaming, so that readers see the whole
//! month before or after it. The manifest is written after it: a file that does not have the checksum of the manifest is fetched again.

mod checked_files;
mod checksum;
mod data_set;
mod manifest;
mod partition;

pub(crate) use checked_files::checked_files;
pub(crate) use data_set::{DataSet, FetchedMonth};
pub(crate) use partition::{PARTITION_COLUMNS, Partition, vendor_of};
