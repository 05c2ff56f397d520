//! Rows on their way to one file or to stdout.

use std::path::Path;

use usage_billing::UsageRow;

use crate::exit::Failure;
use crate::formats::{Format, RowWriter};
use crate::output_file::OutputFile;

/// Rows on their way to the destination, which gets all of them or none.
pub(crate) struct RowOutput {
    writer: RowWriter,
    destination: OutputFile,
}

impl RowOutput {
    pub(crate) fn create(path: &Path, format: Format, is_for_excel: bool) -> Result<Self, Failure> {
        let (file, destination) = OutputFile::create(path)?;
        let writer = RowWriter::new(file, format, is_for_excel).map_err(|error| destination.failure(&error))?;
        Ok(Self { writer, destination })
    }

    pub(crate) fn write(&mut self, rows: Vec<UsageRow>) -> Result<(), Failure> {
        let mut rows = rows.into_iter();
        rows.try_for_each(|row| self.writer.write(row)).map_err(|error| self.destination.failure(&error))
    }

    /// Completes the file, or copies the rows to stdout.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let file = self.writer.finish().map_err(|error| self.destination.failure(&error))?;
        self.destination.complete(file)
    }
}
