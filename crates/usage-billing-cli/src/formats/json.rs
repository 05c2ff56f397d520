//! JSON: one array, or one object per line.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use usage_billing::UsageRow;

/// Writes an array with one row per line.
pub(crate) struct JsonWriter {
    target: BufWriter<File>,
    is_empty: bool,
}

impl JsonWriter {
    pub(crate) fn new(target: File) -> Self {
        Self { target: BufWriter::new(target), is_empty: true }
    }

    pub(crate) fn write(&mut self, row: &UsageRow) -> io::Result<()> {
        self.target.write_all(if self.is_empty { b"[\n" } else { b",\n" })?;
        self.is_empty = false;
        Ok(serde_json::to_writer(&mut self.target, row)?)
    }

    pub(crate) fn finish(mut self) -> io::Result<File> {
        self.target.write_all(if self.is_empty { b"[]\n" } else { b"\n]\n" })?;
        self.target.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// Writes a row as one line.
pub(crate) fn write_line(target: &mut BufWriter<File>, row: &UsageRow) -> io::Result<()> {
    serde_json::to_writer(&mut *target, row)?;
    target.write_all(b"\n")
}
