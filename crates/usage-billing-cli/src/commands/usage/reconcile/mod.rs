//! `usage reconcile`: usage against an invoice.

mod arguments;
mod invoice;
mod map_file;
mod number;
mod reconciliation;
mod report;
mod usage_items;

use std::process::ExitCode;

pub(crate) use self::arguments::{HELP, ReconcileArguments};
use self::invoice::Invoice;
use self::map_file::MapFile;
use self::reconciliation::Reconciliation;
use self::usage_items::UsageItems;
use super::fetch::PeriodArgument;
use super::sheet::Sheet;
use crate::exit::{CHECK_FAILED, Failure};
use crate::terminal;

pub(crate) fn run(arguments: &ReconcileArguments) -> Result<ExitCode, Failure> {
    let map = match &arguments.map {
        Some(path) => MapFile::read(path)?,
        None => MapFile::default(),
    };
    let sheet = Sheet::read("the invoice", &arguments.against, arguments.sheet.as_deref())?;
    let columns = map.columns.or_else(&arguments.columns);
    let invoice = Invoice::read(&sheet, &columns, arguments.decimal_sign())?;
    if let Some(path) = &arguments.save_map {
        MapFile { columns: invoice.columns.clone(), ..map.clone() }.write(path)?;
    }
    let period = arguments.period.map(PeriodArgument::fixed).transpose()?;
    let usage = UsageItems::read(&arguments.paths, period, arguments.vendor)?;
    let result = Reconciliation::new(&usage, &invoice, &map, &arguments.options()).map_err(Failure::of_output)?;
    arguments.text.print(&report::records(&result, arguments.all))?;
    report::summary(&result, &usage, &invoice).iter().for_each(|line| terminal::eprint_line(line));
    if result.compared == 0 {
        let line = "nothing was compared: no line of the invoice is of a customer and a SKU of the usage; map names with --map";
        return Err(Failure::Usage(line.to_owned()));
    }
    Ok(if result.exceptions.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}
