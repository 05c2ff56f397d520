//! Parquet: typed columns, exact decimals.

mod reader;
mod writer;

pub(crate) use reader::read;
pub(crate) use writer::ParquetWriter;
