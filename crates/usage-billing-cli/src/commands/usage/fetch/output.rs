//! The file or stdout to which rows are written.

use std::fs::File;
use std::io::{self, IsTerminal, Seek};
use std::path::{Path, PathBuf};

use tempfile::TempPath;
use usage_billing::{UsageRow, printable};

use super::FetchArguments;
use crate::exit::Failure;
use crate::formats::{Format, RowWriter};
use crate::temporary_file;
use crate::terminal;

/// Where rows are written, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Stdout(Format),
    File(PathBuf, Format),
}

impl Destination {
    /// `--format` takes precedence over the extension of `--output`.
    pub(crate) fn of(arguments: &FetchArguments) -> Result<Self, Failure> {
        let is_terminal = io::stdout().is_terminal();
        let destination = Self::select(arguments.output.as_deref(), arguments.format, is_terminal)?;
        if arguments.excel && !matches!(destination, Self::Stdout(Format::Csv) | Self::File(_, Format::Csv)) {
            return Err(Failure::Usage("--excel is for CSV: add --format csv, or write an .xlsx file".to_owned()));
        }
        Ok(destination)
    }

    fn select(output: Option<&Path>, format: Option<Format>, is_terminal: bool) -> Result<Self, Failure> {
        let Some(path) = output else {
            let format = format.unwrap_or_else(|| Format::of_stdout(is_terminal));
            return match is_terminal && !format.is_text() {
                true => Err(Failure::Usage(
                    "a terminal cannot show this format: write it to a file with --output".to_owned(),
                )),
                false => Ok(Self::Stdout(format)),
            };
        };
        let shown = path.to_string_lossy();
        let shown = printable(&shown);
        let format = format.or_else(|| Format::of_extension(path)).ok_or_else(|| {
            Failure::Usage(format!(
                "the name `{shown}` states no format: use .csv, .xlsx, .parquet, .json, .jsonl or .txt, or --format"
            ))
        })?;
        Ok(Self::File(path.to_owned(), format))
    }
}

/// Rows on their way to the destination, which gets all of them or none.
pub(crate) struct RowOutput {
    writer: RowWriter,
    /// Absent for stdout.
    file: Option<(TempPath, PathBuf)>,
}

impl RowOutput {
    pub(crate) fn create(destination: Destination, is_for_excel: bool) -> Result<Self, Failure> {
        let (target, file, format) = match destination {
            Destination::Stdout(format) => {
                let target = tempfile::tempfile().map_err(|error| {
                    Failure::Local(format!(
                        "no temporary file can be created in {}: {error}",
                        std::env::temp_dir().display()
                    ))
                })?;
                (target, None, format)
            }
            Destination::File(path, format) => {
                let (target, temporary) = temporary_file::beside(&path)?.into_parts();
                (target, Some((temporary, path)), format)
            }
        };
        let writer = RowWriter::new(target, format, is_for_excel).map_err(|error| failure(file.as_ref(), &error))?;
        Ok(Self { writer, file })
    }

    pub(crate) fn write(&mut self, rows: Vec<UsageRow>) -> Result<(), Failure> {
        let mut rows = rows.into_iter();
        rows.try_for_each(|row| self.writer.write(row)).map_err(|error| failure(self.file.as_ref(), &error))
    }

    /// Completes the file, or copies the rows to stdout.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let finished = self.writer.finish();
        let mut target: File = finished.map_err(|error| failure(self.file.as_ref(), &error))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn select(output: &str, format: Option<Format>) -> Result<Destination, String> {
        Destination::select(Some(Path::new(output)), format, false).map_err(|failure| failure.to_string())
    }

    #[test]
    fn stdout_is_a_table_on_a_terminal_only() {
        let stdout = |format, is_terminal| Destination::select(None, format, is_terminal).ok();
        assert_eq!(stdout(None, true), Some(Destination::Stdout(Format::Table)));
        assert_eq!(stdout(None, false), Some(Destination::Stdout(Format::Jsonl)));
        assert_eq!(stdout(Some(Format::Csv), true), Some(Destination::Stdout(Format::Csv)));
        assert_eq!(stdout(Some(Format::Parquet), false), Some(Destination::Stdout(Format::Parquet)));
        assert_eq!(stdout(Some(Format::Xlsx), true), None);
    }

    #[test]
    fn format_takes_precedence_over_the_extension() {
        assert_eq!(select("a.csv", None), Ok(Destination::File("a.csv".into(), Format::Csv)));
        assert_eq!(select("a.csv", Some(Format::Json)), Ok(Destination::File("a.csv".into(), Format::Json)));
        let error = select("a.doc", None).unwrap_err();
        assert!(error.starts_with("the name `a.doc` states no format: use .csv"), "{error}");
    }
}
