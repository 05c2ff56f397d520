//! `usage compare`: what was added, removed and changed between two periods or data sets.

mod differences;
mod side;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use usage_billing::Decimal;

use self::differences::{Thresholds, differences};
use self::side::Side;
use super::fetch::PeriodArgument;
use super::threshold::threshold;
use crate::exit::{CHECK_FAILED, Failure};
use crate::formats::TextArguments;
use crate::terminal;

pub(crate) const HELP: &str = "Rows are the same if vendor, account, customer, SKU, metric, unit and the other identity columns are, whatever their \
period. Several rows of one side that are the same are added up.

Exit codes: 0, also if there are differences; with --exit-code, 6 if any is printed.

Examples:
  usage-billing usage compare september.csv october.csv
  usage-billing usage compare usage-data/ --before 2026-09 --after 2026-10
  usage-billing usage compare september.csv october.csv --min-percent 20
  usage-billing usage compare old/ new/ --format csv --exit-code > differences.csv";

#[derive(Args)]
pub(crate) struct CompareArguments {
    /// The file or data set before.
    #[arg(value_name = "BEFORE")]
    before_path: PathBuf,

    /// The file or data set after [default: the same, with --before and --after].
    #[arg(value_name = "AFTER", required_unless_present = "before")]
    after_path: Option<PathBuf>,

    /// Period of the rows before: a month, quarter, year or months.
    #[arg(long, value_name = "PERIOD", requires = "after")]
    before: Option<PeriodArgument>,

    /// Period of the rows after.
    #[arg(long, value_name = "PERIOD", requires = "before")]
    after: Option<PeriodArgument>,

    /// Print only differences of a quantity of at least this.
    #[arg(long, value_name = "QUANTITY", value_parser = threshold, allow_negative_numbers = true)]
    min_change: Option<Decimal>,

    /// Print only differences of a quantity of at least this percentage of the one before.
    #[arg(long, value_name = "PERCENT", value_parser = threshold, allow_negative_numbers = true)]
    min_percent: Option<Decimal>,

    /// Exit with 6 if there are differences.
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    text: TextArguments,
}

pub(crate) fn run(arguments: &CompareArguments) -> Result<ExitCode, Failure> {
    let after = arguments.after_path.as_ref().unwrap_or(&arguments.before_path);
    let before = Side::read(&arguments.before_path, arguments.before)?;
    let after = Side::read(after, arguments.after)?;
    let thresholds = Thresholds { change: arguments.min_change, percent: arguments.min_percent };
    let (records, summary) = differences(&before, &after, &thresholds).map_err(Failure::of_output)?;
    let is_different = !records.rows.is_empty();
    arguments.text.print(&records)?;
    terminal::eprint_line(&summary.to_string());
    Ok(if arguments.exit_code && is_different { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}
