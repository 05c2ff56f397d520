//! CSV.

use std::fs::File;
use std::io::{self, Write};

use usage_billing::UsageRow;

use super::columns::{self, ColumnType, column_type};

/// Writes rows with a header line.
pub(crate) struct CsvWriter {
    target: csv::Writer<File>,
    is_for_excel: bool,
}

impl CsvWriter {
    /// Writes the header. For Excel, the file begins with a byte order mark, without which Excel reads names in the code page of the machine.
    pub(crate) fn new(mut target: File, is_for_excel: bool) -> io::Result<Self> {
        if is_for_excel {
            target.write_all("\u{feff}".as_bytes())?;
        }
        let mut target = csv::WriterBuilder::new().has_headers(false).from_writer(target);
        // By hand: without rows the writer would not know the columns.
        target.write_record(UsageRow::COLUMNS)?;
        Ok(Self { target, is_for_excel })
    }

    pub(crate) fn write(&mut self, row: &UsageRow) -> io::Result<()> {
        if !self.is_for_excel {
            return Ok(self.target.serialize(row)?);
        }
        let values = columns::values(row)?;
        Ok(self.target.write_record(UsageRow::COLUMNS.map(|column| {
            let text = columns::text(&values[column]);
            if column_type(column) == ColumnType::Text { without_formula(text) } else { text }
        }))?)
    }

    pub(crate) fn finish(self) -> io::Result<File> {
        self.target.into_inner().map_err(|error| error.into_error())
    }
}

/// Puts an apostrophe before text that a spreadsheet would run as a formula (OWASP, CSV injection). Customers name themselves.
fn without_formula(text: String) -> String {
    let number = || text.parse::<usage_billing::Decimal>().is_ok();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) && !number() {
        return format!("'{text}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralized_and_numbers_are_not() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+49 30 1", "'+49 30 1"),
            ("-2+3", "'-2+3"),
            ("\t=1", "'\t=1"),
            ("-0.5", "-0.5"),
            ("Birch = Inc.", "Birch = Inc."),
            ("", ""),
        ] {
            assert_eq!(without_formula(text.to_owned()), expected);
        }
    }
}
