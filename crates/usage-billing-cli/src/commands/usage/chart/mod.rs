//! `usage chart`: one HTML page with charts of billable usage.

mod page;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use self::page::{ChartRows, page};
use super::counted_usage::CountedUsage;
use super::fetch::PeriodArgument;
use super::show::read_distinct;
use crate::exit::Failure;
use crate::output_file::{self, OutputFile};
use crate::terminal;

pub(crate) const HELP: &str = "The page contains everything that it shows: it opens without a network, and may be sent by mail to those who may see \
the numbers.

Example:
  usage-billing usage chart usage-data/ --period 2026 --output usage.html";

#[derive(Args)]
pub(crate) struct ChartArguments {
    /// Files of usage rows and data sets.
    #[arg(value_name = "FILE|DIR", required = true)]
    paths: Vec<PathBuf>,

    /// Period of the rows: a month, quarter, year or months [default: all].
    #[arg(long)]
    period: Option<PeriodArgument>,

    /// Page to write; - for stdout.
    #[arg(long, short, value_name = "FILE.html")]
    output: PathBuf,
}

pub(crate) fn run(arguments: &ChartArguments) -> Result<ExitCode, Failure> {
    output_file::check_extension(&arguments.output, "html")?;
    let period = arguments.period.map(PeriodArgument::fixed).transpose()?;
    let (mut rows, mut counted) = (ChartRows::default(), CountedUsage::default());
    read_distinct(&arguments.paths, |row| match period {
        Some(period) if !period.contains(row.period_start) => Ok(()),
        _ => {
            counted.check(&row)?;
            rows.add(&row).map_err(Failure::of_output)
        }
    })?;
    if rows.is_empty() {
        return Err(Failure::Usage("there are no billable rows of this period to show".to_owned()));
    }
    let page = page(&rows).map_err(Failure::of_output)?;
    let path = &arguments.output;
    let (mut file, output) = OutputFile::create(path)?;
    file.write_all(page.as_bytes()).map_err(|error| output.failure(&error))?;
    output.complete(file)?;
    terminal::eprint_line(&format!("{}: {}", path.display(), rows.note()));
    Ok(ExitCode::SUCCESS)
}
