//! Output formats of rows.

pub(crate) mod columns;
mod csv;
mod format;
mod json;
pub(crate) mod parquet;
mod row_writer;
mod table;
pub(crate) mod totals;
mod xlsx;

pub(crate) use format::Format;
pub(crate) use row_writer::RowWriter;

#[cfg(test)]
pub(crate) mod tests;
