//! Where the rows of a fetch are written.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use usage_billing::chrono::{DateTime, Utc};
use usage_billing::{Error, printable};

use super::FetchArguments;
use super::checks::Customers;
use super::data_set_output::DataSetOutput;
use super::row_output::RowOutput;
use super::source::Source;
use super::target::FetchTarget;
use super::vendor_usage::Fetched;
use crate::exit::Failure;
use crate::formats::Format;
use crate::output_file::STDOUT;

/// Where rows are written, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Stdout(Format),
    File(PathBuf, Format),
    /// A folder.
    DataSet(PathBuf),
}

impl Destination {
    /// Returns the destination that the arguments state. `--format` takes precedence over the extension of `--output`.
    pub(crate) fn from_arguments(arguments: &FetchArguments) -> Result<Self, Failure> {
        let is_terminal = io::stdout().is_terminal();
        let destination = Self::select(arguments.output.as_deref(), arguments.format, is_terminal)?;
        if arguments.excel && !matches!(destination, Self::Stdout(Format::Csv) | Self::File(_, Format::Csv)) {
            return Err(Failure::Usage("--excel is for CSV: add --format csv, or omit --excel".to_owned()));
        }
        Ok(destination)
    }

    fn select(output: Option<&Path>, format: Option<Format>, is_terminal: bool) -> Result<Self, Failure> {
        let Some(path) = output.filter(|path| path.as_os_str() != STDOUT) else {
            let format = format.unwrap_or_else(|| Format::of_stdout(is_terminal));
            return match is_terminal && !format.is_text() {
                true => Err(Failure::Usage(
                    "a terminal cannot show this format: write it to a file with --output".to_owned(),
                )),
                false => Ok(Self::Stdout(format)),
            };
        };
        if path.is_dir() || path.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]) {
            return match format {
                None | Some(Format::Parquet) => Ok(Self::DataSet(path.to_owned())),
                Some(_) => Err(Failure::Usage(
                    "a folder is a data set of Parquet files: omit --format, or name a file".to_owned(),
                )),
            };
        }
        let shown = path.to_string_lossy();
        let shown = printable(&shown);
        let format = format.or_else(|| Format::of_extension(path)).ok_or_else(|| {
            Failure::Usage(format!(
                "the name `{shown}` states no format: use .csv, .xlsx, .parquet, .json, .jsonl or .txt, or --format; the name of a folder ends with /"
            ))
        })?;
        Ok(Self::File(path.to_owned(), format))
    }
}

/// The destination of rows.
pub(crate) enum Output {
    Rows(RowOutput),
    DataSet(DataSetOutput),
}

impl Output {
    pub(crate) fn create(
        destination: Destination,
        arguments: &FetchArguments,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        Ok(match destination {
            Destination::Stdout(format) => Self::Rows(RowOutput::create(Path::new(STDOUT), format, arguments.excel)?),
            Destination::File(path, format) => Self::Rows(RowOutput::create(&path, format, arguments.excel)?),
            Destination::DataSet(folder) => Self::DataSet(DataSetOutput::open(&folder, arguments, now)?),
        })
    }

    /// Returns whether a target need not be fetched again.
    pub(crate) fn keeps(&mut self, source: &Source, target: FetchTarget) -> Result<bool, Failure> {
        match self {
            Self::Rows(_) => Ok(false),
            Self::DataSet(data_set) => data_set.keeps(source, target),
        }
    }

    /// Returns the customers of the month before a target, as far as the output has them.
    pub(crate) fn customers_before(&self, source: &Source, target: FetchTarget) -> Option<Customers> {
        match self {
            Self::Rows(_) => None,
            Self::DataSet(data_set) => data_set.customers_before(source, target),
        }
    }

    pub(crate) fn write(
        &mut self,
        source: &Source,
        target: FetchTarget,
        outcome: Result<Fetched, Error>,
    ) -> Result<(), Failure> {
        match (self, outcome) {
            (Self::Rows(output), Ok(fetched)) => output.write(fetched.rows),
            (Self::Rows(_), Err(_)) => Ok(()),
            (Self::DataSet(data_set), outcome) => data_set.write(source, target, outcome),
        }
    }

    /// Returns what is written of an incomplete result if everything is required.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::DataSet(data_set) if !data_set.written().is_empty() => {
                format!("only complete months were written ({})", data_set.written().join(", "))
            }
            Self::Rows(_) | Self::DataSet(_) => "nothing was written".to_owned(),
        }
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Rows(output) => output.finish(),
            Self::DataSet(_) => Ok(()),
        }
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
        assert_eq!(select("-", Some(Format::Csv)), Ok(Destination::Stdout(Format::Csv)));
    }

    #[test]
    fn format_takes_precedence_over_the_extension() {
        assert_eq!(select("a.csv", None), Ok(Destination::File("a.csv".into(), Format::Csv)));
        assert_eq!(select("a.csv", Some(Format::Json)), Ok(Destination::File("a.csv".into(), Format::Json)));
        assert_eq!(select("data/", None), Ok(Destination::DataSet("data/".into())));
        assert_eq!(select(".", Some(Format::Parquet)), Ok(Destination::DataSet(".".into())));
        assert!(select("data/", Some(Format::Csv)).unwrap_err().starts_with("a folder is a data set of Parquet files"));
        let error = select("a.doc", None).unwrap_err();
        assert!(error.starts_with("the name `a.doc` states no format: use .csv"), "{error}");
    }
}
