//! `usage export`: rows in the format of another system.

mod charge;
mod focus;
mod price_book;
mod service;
mod unpriced;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use usage_billing::UsageRow;

use self::charge::Charge;
use self::focus::FocusVersion;
use self::price_book::PriceBook;
use self::unpriced::Unpriced;
use super::fetch::PeriodArgument;
use super::show::read_distinct;
use crate::accounts::Vendor;
use crate::exit::{Failure, PARTIAL};
use crate::output_file::{self, OutputFile, STDOUT};
use crate::terminal;

pub(crate) const HELP: &str = "FOCUS is the FinOps Foundation's format of cost and usage. Only billable rows are charges. Each needs a price: the vendor's own \
amount, or a line of --prices, a file with the columns vendor, sku, metric, unit, currency, unit_price, prepaid_unit_price, valid_from and \
valid_to (the first and the last day, empty for no limit). A line has a sku or a metric. Without a price for every billable row, nothing is \
written, and the items without one are listed. Rows of which no source states whether they are billed are left out: the exit code is 4 \
then. Suger's rows are sales of the account, not costs, and are left out as well.

Examples:
  usage-billing usage export usage-data/ --focus 1.2 --prices prices.csv -o focus.csv
  usage-billing usage export usage-data/ --focus 1.4 --vendor genesys -o focus.csv";

#[derive(Args)]
pub(crate) struct ExportArguments {
    /// Files of usage rows and data sets.
    #[arg(value_name = "FILE|DIR", required = true)]
    paths: Vec<PathBuf>,

    /// Version of FOCUS.
    #[arg(long, value_enum, value_name = "VERSION")]
    focus: FocusVersion,

    /// Prices of items whose amount the vendor does not state: .csv, or a workbook whose first sheet has them.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Vendors whose rows are exported [default: all].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "VENDOR,…")]
    vendor: Vec<Vendor>,

    /// Period of the rows: a month, quarter, year or months [default: all].
    #[arg(long)]
    period: Option<PeriodArgument>,

    /// Name of the company whose invoice contains the charges, such as a distributor [default: the vendor].
    #[arg(long, value_name = "NAME", value_parser = parse_issuer)]
    invoice_issuer: Option<String>,

    /// File to write (CSV); - for stdout.
    #[arg(long, short, value_name = "FILE.csv", default_value = STDOUT)]
    output: PathBuf,
}

fn parse_issuer(name: &str) -> Result<String, String> {
    let name = name.trim();
    if name.is_empty() { Err("expected the name of a company".to_owned()) } else { Ok(name.to_owned()) }
}

pub(crate) fn run(arguments: &ExportArguments) -> Result<ExitCode, Failure> {
    output_file::check_extension(&arguments.output, "csv")?;
    let period = arguments.period.map(PeriodArgument::fixed).transpose()?;
    let book = arguments.prices.as_deref().map(PriceBook::read).transpose()?.unwrap_or_default();
    let (file, output) = OutputFile::create(&arguments.output)?;
    let failed = |error: csv::Error| output.failure(&error.into());
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(arguments.focus.columns()).map_err(failed)?;

    let mut counts = Counts::default();
    let mut unpriced = Unpriced::default();
    read_distinct(&arguments.paths, |row| {
        let is_asked_for = arguments.vendor.is_empty()
            || arguments.vendor.iter().any(|vendor| vendor.name() == row.vendor.to_string());
        if !is_asked_for || period.is_some_and(|period| !period.contains(row.period_start)) || !counts.is_charge(&row) {
            return Ok(());
        }
        match charge::of_row(&row, &book)? {
            Some(charges) => charges.iter().try_for_each(|charge: &Charge| {
                counts.charges += 1;
                let record = arguments.focus.record(&row, charge, arguments.invoice_issuer.as_deref());
                writer.write_record(record).map_err(failed)
            }),
            None => {
                unpriced.add(&row);
                Ok(())
            }
        }
    })?;
    unpriced.check()?;
    if counts.charges == 0 {
        return Err(Failure::Usage(format!("there are no billable rows to export{}", counts.note())));
    }
    let file = writer.into_inner().map_err(|error| output.failure(error.error()))?;
    output.complete(file)?;
    terminal::eprint_line(&format!("{}: {} charges{}", arguments.output.display(), counts.charges, counts.note()));
    Ok(if counts.undecided == 0 { ExitCode::SUCCESS } else { ExitCode::from(PARTIAL) })
}

/// Numbers of rows by their result.
#[derive(Debug, Default)]
struct Counts {
    charges: u64,
    /// Rows of which no source states whether they are billed.
    undecided: u64,
    sales: u64,
}

impl Counts {
    /// Returns whether a row is a cost of the account, and counts it if that is not known.
    fn is_charge(&mut self, row: &UsageRow) -> bool {
        if row.vendor == usage_billing::Vendor::Suger {
            self.sales += u64::from(row.is_billable == Some(true));
            return false;
        }
        self.undecided += u64::from(row.is_billable.is_none());
        row.is_billable == Some(true)
    }

    fn note(&self) -> String {
        let mut note = String::new();
        if self.undecided > 0 {
            note += &format!("; {} rows are left out because no source states whether they are billed", self.undecided);
        }
        if self.sales > 0 {
            note += &format!("; {} rows of suger are left out because they are sales", self.sales);
        }
        note
    }
}
