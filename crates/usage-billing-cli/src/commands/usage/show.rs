//! `usage show`: rows of files as a table, and their sums.

use std::collections::HashMap;
use std::io::{self, BufWriter, Seek};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use usage_billing::uuid::Uuid;
use usage_billing::{Decimal, UsageRow};

use super::counted_usage::CountedUsage;
use crate::exit::Failure;
use crate::formats::columns::{self, ColumnType, column_type};
use crate::formats::table::usage_table;
use crate::formats::totals::{Dimension, Totals};
use crate::formats::{Format, RecordWriter, Records, TextArguments, read_rows};
use crate::terminal;

pub(crate) const HELP: &str = "Examples:
  usage-billing usage show october.csv
  usage-billing usage show usage-data/ --by customer,month
  usage-billing usage show usage-data/ --by sku --format csv > skus.csv
  usage-billing usage show october.parquet --columns customer_name,sku,quantity,unit

Sums are of billable rows; quantities are added up by SKU and unit only, amounts by currency. UNPRICED ROWS are \
billable rows of which no source states the amount: the sum lacks them.";

#[derive(Args)]
pub(crate) struct ShowArguments {
    /// Files of rows (.csv, .json, .jsonl, .parquet) and folders of data sets.
    #[arg(value_name = "FILE|DIR", required = true)]
    pub(crate) paths: Vec<PathBuf>,

    /// Print sums in place of rows.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "customer|sku|month,…")]
    pub(crate) by: Vec<Dimension>,

    /// Columns to print, separated by commas [default: those that differ].
    #[arg(long, value_name = "NAMES", value_parser = columns::parse_columns, conflicts_with = "by")]
    columns: Option<Columns>,

    #[command(flatten)]
    text: TextArguments,
}

impl ShowArguments {
    fn columns(&self) -> Vec<&'static str> {
        self.columns.as_deref().map_or_else(|| UsageRow::COLUMNS.to_vec(), <[_]>::to_vec)
    }
}

/// The value of `--columns`; clap takes a `Vec` for a repeated option.
type Columns = Box<[&'static str]>;

pub(crate) fn run(arguments: &ShowArguments) -> Result<ExitCode, Failure> {
    let (format, width) = (arguments.text.format(), arguments.text.width());
    if !arguments.by.is_empty() {
        let text = sums(&arguments.paths, &arguments.by)?.text(format, width).map_err(Failure::of_output)?;
        terminal::print(&text).map_err(Failure::of_output)?;
    } else if format == Format::Table {
        terminal::print(&table_of_rows(arguments, width)?).map_err(Failure::of_output)?;
    } else {
        copy_rows(arguments, format)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints rows without holding them in memory. Nothing is printed if they cannot be read to their end.
fn copy_rows(arguments: &ShowArguments, format: Format) -> Result<(), Failure> {
    let columns = arguments.columns();
    let target = BufWriter::new(tempfile::tempfile().map_err(Failure::of_output)?);
    let mut writer = RecordWriter::new(target, columns.clone(), format).map_err(Failure::of_output)?;
    read_distinct(&arguments.paths, |row| {
        record(&row, &columns).and_then(|record| writer.write(&record)).map_err(Failure::of_output)
    })?;
    let file = writer.finish().and_then(|target| target.into_inner().map_err(io::IntoInnerError::into_error));
    let mut file = file.map_err(Failure::of_output)?;
    file.rewind().and_then(|()| terminal::copy(&mut file)).map_err(Failure::of_output)
}

fn record(row: &UsageRow, columns: &[&'static str]) -> io::Result<Vec<Value>> {
    let values = columns::values(row)?;
    Ok(columns.iter().map(|column| normalized(column, &values[*column])).collect())
}

fn table_of_rows(arguments: &ShowArguments, width: Option<u16>) -> Result<String, Failure> {
    let (mut rows, mut counted) = (Vec::new(), CountedUsage::default());
    read_distinct(&arguments.paths, |row| {
        if arguments.columns.is_none() {
            counted.check_within_levels(&row)?;
        }
        rows.push(row);
        Ok(())
    })?;
    if arguments.columns.is_none() {
        let sums = [&[Dimension::Customer][..], &[]].map(|dimensions| totals(&rows, dimensions));
        let [customers, vendors] = sums;
        let table = |records: Records| records.text(Format::Table, width).map_err(Failure::of_output);
        return Ok(format!(
            "{}\nBy customer:\n{}\nBy vendor:\n{}",
            usage_table(&rows, width),
            table(customers?)?,
            table(vendors?)?
        ));
    }
    let columns = arguments.columns();
    let records =
        rows.iter().map(|row| record(row, &columns)).collect::<io::Result<_>>().map_err(Failure::of_output)?;
    Records { columns, numbers: numbers(), essential: numbers(), rows: records }
        .text(Format::Table, width)
        .map_err(Failure::of_output)
}

/// Returns a decimal without trailing zeros, as only some formats keep them.
fn normalized(column: &str, value: &Value) -> Value {
    let decimal = || value.as_str()?.parse::<Decimal>().ok();
    match numbers().contains(&column).then(decimal).flatten() {
        Some(decimal) => Value::String(decimal.normalize().to_string()),
        None => value.clone(),
    }
}

/// Columns of usage rows that are numbers.
fn numbers() -> &'static [&'static str] {
    static NUMBERS: std::sync::LazyLock<Vec<&str>> = std::sync::LazyLock::new(|| {
        let is_number = |column: &&str| {
            matches!(column_type(column), ColumnType::Decimal { .. } | ColumnType::Integer) || *column == "raw_quantity"
        };
        UsageRow::COLUMNS.into_iter().filter(is_number).collect()
    });
    &NUMBERS
}

/// Returns the sums of files; their rows are not kept in memory. Accounts and levels of reports have sums of their own.
fn sums(paths: &[PathBuf], dimensions: &[Dimension]) -> Result<Records, Failure> {
    let (mut totals, mut counted) = (Totals::new(dimensions), CountedUsage::default());
    read_distinct(paths, |row| {
        counted.check_within_levels(&row)?;
        totals.add(&row).map_err(|error| Failure::Local(error.to_string()))
    })?;
    Ok(totals.records())
}

fn totals(rows: &[UsageRow], dimensions: &[Dimension]) -> Result<Records, Failure> {
    let mut totals = Totals::new(dimensions);
    rows.iter().try_for_each(|row| totals.add(row)).map_err(|error| Failure::Local(error.to_string()))?;
    Ok(totals.records())
}

/// Reads rows, and rejects a row that is there twice: sums would count it twice.
pub(crate) fn read_distinct(
    paths: &[PathBuf],
    mut on_row: impl FnMut(UsageRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut files, mut seen): (Vec<PathBuf>, HashMap<Uuid, usize>) = (Vec::new(), HashMap::new());
    read_rows(paths, |path: &Path, row| {
        if files.last().is_none_or(|last| last != path) {
            files.push(path.to_owned());
        }
        if let Some(first) = seen.insert(row.row_key, files.len() - 1) {
            let found = match first + 1 == files.len() {
                true => "a row twice".to_owned(),
                false => format!("a row again that is in `{}`", files[first].display()),
            };
            let (path, key) = (path.display(), row.row_key);
            return Err(Failure::Usage(format!("`{path}` has {found} (row_key {key}): sums would count it twice")));
        }
        on_row(row)
    })
}
