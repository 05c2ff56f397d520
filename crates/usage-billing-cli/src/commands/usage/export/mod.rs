//! `usage export`: rows in the format of another system.

mod charge;
mod currencies;
mod focus;
mod items;
mod price_book;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use usage_billing::UsageRow;

use self::charge::{Charge, Unknown};
use self::currencies::Currencies;
use self::focus::FocusVersion;
use self::items::Items;
use self::price_book::PriceBook;
use super::counted_usage::CountedUsage;
use super::fetch::PeriodArgument;
use super::show::read_distinct;
use crate::accounts::Vendor;
use crate::exit::{Failure, PARTIAL};
use crate::output_file::{self, OutputFile, STDOUT};
use crate::terminal::{self, count};

pub(crate) const HELP: &str = "FOCUS is the FinOps Foundation's format of cost and usage. Only billable rows are charges. Each needs a price: the vendor's own \
amount, or a line of --prices, a file with the columns vendor, sku, metric, unit, currency, unit_price, prepaid_unit_price, valid_from and \
valid_to (the first and the last day, empty for no limit). A line has a sku or a metric; a SKU that has a line is never priced by its metric. \
Without a price for every billable row, nothing is written, and the items without one are listed. Rows of which no source states whether \
they are billed, or how much of them, are left out and listed: the exit code is 4 then. Suger's rows are sales of the account, not costs, \
and are left out as well. Rows that count the same usage twice, such as two levels of a report, are rejected.

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

    /// Name of the company whose invoice contains the charges of one vendor, such as a distributor [default: the vendor].
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

    let mut export = Export::default();
    read_distinct(&arguments.paths, |row| {
        let is_asked_for = arguments.vendor.is_empty()
            || arguments.vendor.iter().any(|vendor| vendor.name() == row.vendor.to_string());
        if !is_asked_for || period.is_some_and(|period| !period.contains(row.period_start)) {
            return Ok(());
        }
        let issuer = arguments.invoice_issuer.as_deref();
        let charges = export.charges(&row, &book, issuer)?;
        charges
            .iter()
            .try_for_each(|charge| writer.write_record(arguments.focus.record(&row, charge, issuer)).map_err(failed))
    })?;
    export.check_complete()?;
    let file = writer.into_inner().map_err(|error| output.failure(error.error()))?;
    output.complete(file)?;
    terminal::eprint_line(&format!(
        "{}: {}{}",
        arguments.output.display(),
        count(export.charges, "charge"),
        export.note()
    ));
    for (what, items) in [("left out", &export.undecided), ("incomplete", &export.incomplete)] {
        items.list().iter().for_each(|item| terminal::eprint_line(&format!("{what}: {item}")));
    }
    let is_complete = export.undecided.rows() + export.incomplete.rows() == 0;
    Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::from(PARTIAL) })
}

/// Numbers of rows by their result.
#[derive(Debug, Default)]
struct Export {
    charges: usize,
    vendor: Option<usage_billing::Vendor>,
    counted: CountedUsage,
    currencies: Currencies,
    unpriced: Items,
    /// Of which no source states whether they are billed, or how much of them.
    undecided: Items,
    /// Charges that may lack a part.
    incomplete: Items,
    sales: usize,
}

impl Export {
    /// Returns the charges of a row; none if it is not a cost of the account that is known.
    fn charges(&mut self, row: &UsageRow, book: &PriceBook, issuer: Option<&str>) -> Result<Vec<Charge>, Failure> {
        if row.vendor == usage_billing::Vendor::Suger {
            self.sales += usize::from(row.is_billable == Some(true));
            return Ok(Vec::new());
        }
        match row.is_billable {
            Some(true) => {}
            Some(false) => return Ok(Vec::new()),
            None => {
                self.undecided.add(row, row.billing_reason.to_string());
                return Ok(Vec::new());
            }
        }
        self.counted.check(row)?;
        let vendor = *self.vendor.get_or_insert(row.vendor);
        if issuer.is_some() && vendor != row.vendor {
            let vendors = format!("{vendor} and {}", row.vendor);
            return Err(Failure::Usage(format!(
                "--invoice-issuer is for the charges of one vendor, and these are of {vendors}: choose one with --vendor"
            )));
        }
        let charges = match charge::of_row(row, book) {
            Ok(charges) => charges,
            Err(unknown) => {
                match unknown {
                    Unknown::Price(reason) => self.unpriced.add(row, reason),
                    Unknown::Quantity => self.undecided.add(row, "how much of it is charged is not stated".to_owned()),
                }
                return Ok(Vec::new());
            }
        };
        if charge::lacks_prepaid_amount(row) {
            self.incomplete.add(row, "what is prepaid is not stated".to_owned());
        }
        charges.iter().for_each(|charge| self.currencies.add(row, &charge.currency));
        self.charges += charges.len();
        Ok(charges)
    }

    /// # Errors
    /// If rows have no price, if currencies are mixed, or if there is nothing to export.
    fn check_complete(&self) -> Result<(), Failure> {
        if self.unpriced.rows() > 0 {
            return Err(Failure::Check(format!(
                "nothing was written, because a price is missing for {} of {}; add a line for each of these items to the file of --prices, or correct its line: {}",
                count(self.unpriced.rows(), "billable row"),
                count(self.unpriced.len(), "item"),
                self.unpriced.list().join(", ")
            )));
        }
        self.currencies.check()?;
        if self.charges == 0 {
            return Err(Failure::Usage(format!("there are no billable rows to export{}", self.note())));
        }
        Ok(())
    }

    fn note(&self) -> String {
        let notes = [
            (self.undecided.rows(), "left out, as no source states what is billed"),
            (self.incomplete.rows(), "without what is prepaid, as no source states it"),
            (self.sales, "of suger left out, as sales of the account"),
        ];
        let notes = notes.into_iter().filter(|(rows, _)| *rows > 0);
        notes.map(|(rows, note)| format!("; {} {note}", count(rows, "row"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::full_row;

    #[test]
    fn issuer_is_that_of_the_charges_of_one_vendor() {
        let [mut acronis, genesys] = [full_row(), full_row()];
        acronis.vendor = usage_billing::Vendor::Acronis;
        acronis.customer_id = None;
        let book = PriceBook::default();
        for issuer in [None, Some("Distributor")] {
            let mut export = Export::default();
            let mut charges = |row: &UsageRow| export.charges(row, &book, issuer);
            assert!(charges(&genesys).is_ok() && charges(&genesys).is_ok());
            assert_eq!(charges(&acronis).is_err(), issuer.is_some());
        }
    }
}
