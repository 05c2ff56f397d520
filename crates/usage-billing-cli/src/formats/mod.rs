//! Output formats of rows.

pub(crate) mod columns;
mod csv;
mod format;
mod json;
pub(crate) mod parquet;
mod reader;
mod record_writer;
mod records;
mod row_writer;
pub(crate) mod table;
mod text_arguments;
pub(crate) mod totals;
mod xlsx;

pub(crate) use format::Format;
pub(crate) use reader::read_rows;
pub(crate) use record_writer::RecordWriter;
pub(crate) use records::Records;
pub(crate) use row_writer::RowWriter;
pub(crate) use text_arguments::TextArguments;

#[cfg(test)]
pub(crate) mod tests;
