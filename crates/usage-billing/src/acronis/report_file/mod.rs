//! Rows of a report file, in CSV and JSON.

pub(super) mod columns;
pub(super) mod csv;
mod csv_line;
pub(super) mod json;
pub(super) mod limits;
pub(super) mod meter;
mod metered;
pub(super) mod record;
pub(super) mod row;
pub(super) mod rows;
