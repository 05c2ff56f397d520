//! Writes rows in any format.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use usage_billing::UsageRow;

use super::Format;
use super::csv::CsvWriter;
use super::json::{self, JsonWriter};
use super::parquet::ParquetWriter;
use super::table::usage_table;
use super::xlsx::XlsxWriter;
use crate::terminal;

/// Writes rows to a file as they arrive. Only a table and a workbook are held in memory until the end.
pub(crate) enum RowWriter {
    Table(File, Vec<UsageRow>),
    Json(JsonWriter),
    Jsonl(BufWriter<File>),
    Csv(Box<CsvWriter>),
    Xlsx(Box<XlsxWriter>),
    Parquet(Box<ParquetWriter>),
}

impl RowWriter {
    /// Creates a writer. `is_for_excel` concerns CSV only.
    pub(crate) fn new(target: File, format: Format, is_for_excel: bool) -> io::Result<Self> {
        Ok(match format {
            Format::Table => Self::Table(target, Vec::new()),
            Format::Json => Self::Json(JsonWriter::new(target)),
            Format::Jsonl => Self::Jsonl(BufWriter::new(target)),
            Format::Csv => Self::Csv(Box::new(CsvWriter::new(target, is_for_excel)?)),
            Format::Xlsx => Self::Xlsx(Box::new(XlsxWriter::new(target)?)),
            Format::Parquet => Self::Parquet(Box::new(ParquetWriter::new(target, None)?)),
        })
    }

    pub(crate) fn write(&mut self, row: UsageRow) -> io::Result<()> {
        match self {
            Self::Table(_, rows) => {
                rows.push(row);
                Ok(())
            }
            Self::Json(writer) => writer.write(&row),
            Self::Jsonl(writer) => json::write_line(writer, &row),
            Self::Csv(writer) => writer.write(&row),
            Self::Xlsx(writer) => writer.write(&row),
            Self::Parquet(writer) => writer.write(&row),
        }
    }

    /// Ends the file and returns it.
    pub(crate) fn finish(self) -> io::Result<File> {
        match self {
            Self::Table(mut target, rows) => {
                target.write_all(usage_table(&rows, terminal::width()).as_bytes())?;
                Ok(target)
            }
            Self::Json(writer) => writer.finish(),
            Self::Jsonl(writer) => writer.into_inner().map_err(io::IntoInnerError::into_error),
            Self::Csv(writer) => writer.finish(),
            Self::Xlsx(writer) => writer.finish(),
            Self::Parquet(writer) => writer.finish(),
        }
    }
}
