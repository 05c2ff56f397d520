//! The arguments of `usage reconcile`.

use std::path::PathBuf;

use clap::Args;
use usage_billing::Decimal;

use super::map_file::InvoiceColumns;
use super::number::DecimalSign;
use super::reconciliation::{Options, Tolerance};
use crate::accounts::Vendor;
use crate::commands::usage::fetch::PeriodArgument;
use crate::commands::usage::threshold::threshold;
use crate::formats::TextArguments;

pub(crate) const HELP: &str = "Billable rows are added up by customer, SKU and unit, and compared with the lines of the invoice, also added \
up. A customer is found by id, by the partner's own id of it, or by name; a SKU by its name or its metric. Names that differ are never \
guessed: they are reported with a similar name, and mapped by a file:

  [columns]                       # headers of the invoice
  customer = \"Client\"
  sku = \"Product\"
  quantity = \"Qty\"
  price = \"Rate\"                  # optional, as amount, currency and unit
  [customers]                     # name on the invoice = id or name in the usage
  \"Birch\" = \"Birch, Inc.\"
  [skus]
  \"Storage (GB)\" = \"STO-PG\"
  [prices]                        # expected price of a SKU of the usage
  \"STO-PG\" = \"0.10\"
  [ignore]                        # lines of the invoice that are not usage
  skus = [\"Support\"]

Exit codes: 0 all compared lines agree and nothing is missing, 6 there are exceptions, 2 nothing could be compared.

Examples:
  usage-billing usage reconcile usage-data/ --period 2026-10 --vendor acronis \\
    --against invoice.xlsx
  usage-billing usage reconcile october.csv --against psa.csv \\
    --customer-column Client --quantity-column Qty --save-map psa.toml
  usage-billing usage reconcile october.csv --against psa.csv --map psa.toml \\
    --tolerance 1% --format csv > exceptions.csv";

#[derive(Args)]
pub(crate) struct ReconcileArguments {
    /// Files of usage rows and data sets.
    #[arg(value_name = "FILE|DIR", required = true)]
    pub(crate) paths: Vec<PathBuf>,

    /// The invoice: .csv, .xlsx, .xls or .ods, with a line of headers.
    #[arg(long, value_name = "INVOICE")]
    pub(crate) against: PathBuf,

    /// Sheet of the workbook [default: the first one].
    #[arg(long)]
    pub(crate) sheet: Option<String>,

    /// Month of the usage, if the files have several.
    #[arg(long)]
    pub(crate) period: Option<PeriodArgument>,

    /// Compare usage of this vendor only.
    #[arg(long, value_enum)]
    pub(crate) vendor: Option<Vendor>,

    #[command(flatten)]
    pub(crate) columns: InvoiceColumns,

    /// File that maps columns, customers and SKUs.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) map: Option<PathBuf>,

    /// Write the map that was used, to complete it by hand.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) save_map: Option<PathBuf>,

    /// Numbers of the invoice have a comma before their decimal places.
    #[arg(long, conflicts_with = "decimal_point")]
    decimal_comma: bool,

    /// Commas in numbers of the invoice separate thousands. Without it, a number such as 1,234 is an error.
    #[arg(long)]
    decimal_point: bool,

    /// Largest difference of a quantity that is ignored, as a number or a percentage of the usage.
    #[arg(long, value_name = "NUMBER|PERCENT%", allow_negative_numbers = true, default_value = "0.01")]
    pub(crate) tolerance: Tolerance,

    /// Compare prices with those of the vendor; not for invoices at your own prices.
    #[arg(long)]
    pub(crate) vendor_prices: bool,

    /// Largest difference of an amount that is ignored.
    #[arg(long, value_name = "AMOUNT", value_parser = threshold, allow_negative_numbers = true, default_value = "0.01")]
    pub(crate) amount_tolerance: Decimal,

    /// Also print what agrees, after the exceptions.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) text: TextArguments,
}

impl ReconcileArguments {
    pub(super) fn decimal_sign(&self) -> DecimalSign {
        match (self.decimal_comma, self.decimal_point) {
            (true, _) => DecimalSign::Comma,
            (false, true) => DecimalSign::Point,
            (false, false) => DecimalSign::Unstated,
        }
    }

    pub(super) fn options(&self) -> Options {
        Options {
            tolerance: self.tolerance,
            amount_tolerance: self.amount_tolerance,
            compares_vendor_prices: self.vendor_prices,
        }
    }
}
