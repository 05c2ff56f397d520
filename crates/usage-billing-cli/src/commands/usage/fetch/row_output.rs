//! Rows on their way to one file or to stdout.

use std::fs::File;
use std::io::{self, Seek};
use std::path::PathBuf;

use tempfile::TempPath;
use usage_billing::UsageRow;

use crate::exit::Failure;
use crate::formats::{Format, RowWriter};
use crate::temporary_file;
use crate::terminal;

/// Rows on their way to the destination, which gets all of them or none.
pub(crate) struct RowOutput {
    writer: RowWriter,
    /// Absent for stdout.
    file: Option<(TempPath, PathBuf)>,
}

impl RowOutput {
    pub(crate) fn stdout(format: Format, is_for_excel: bool) -> Result<Self, Failure> {
        let target = tempfile::tempfile().map_err(|error| {
            let folder = std::env::temp_dir();
            Failure::Local(format!("no temporary file can be created in {}: {error}", folder.display()))
        })?;
        Self::new(target, None, format, is_for_excel)
    }

    pub(crate) fn file(path: PathBuf, format: Format, is_for_excel: bool) -> Result<Self, Failure> {
        let (target, temporary) = temporary_file::beside(&path)?.into_parts();
        Self::new(target, Some((temporary, path)), format, is_for_excel)
    }

    fn new(
        target: File,
        file: Option<(TempPath, PathBuf)>,
        format: Format,
        is_for_excel: bool,
    ) -> Result<Self, Failure> {
        let writer = RowWriter::new(target, format, is_for_excel).map_err(|error| failure(file.as_ref(), &error))?;
        Ok(Self { writer, file })
    }

    pub(crate) fn write(&mut self, rows: Vec<UsageRow>) -> Result<(), Failure> {
        let mut rows = rows.into_iter();
        rows.try_for_each(|row| self.writer.write(row)).map_err(|error| failure(self.file.as_ref(), &error))
    }

    /// Completes the file, or copies the rows to stdout.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let mut target = self.writer.finish().map_err(|error| failure(self.file.as_ref(), &error))?;
        match self.file {
            None => target.rewind().and_then(|()| terminal::copy(&mut target)).map_err(|error| failure(None, &error)),
            Some((temporary, path)) => temporary_file::persist(&target, temporary, &path),
        }
    }
}

fn failure(file: Option<&(TempPath, PathBuf)>, error: &io::Error) -> Failure {
    match file {
        Some((_, path)) => temporary_file::failure(path, error),
        None => Failure::Local(format!("the rows cannot be written: {error}")),
    }
}
