//! Excel workbooks.

use std::fs::File;
use std::io;

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use serde_json::Value;
use usage_billing::chrono::DateTime;
use usage_billing::{Decimal, UsageRow};

use super::columns::{self, ColumnType, column_type};
use super::totals::Totals;

/// Excel keeps 15 digits of a number. A number with more of them becomes text, so that no digit changes.
const EXCEL_DIGITS: usize = 15;

/// Writes a workbook with a sheet of the rows and one of the totals. The library holds the cells in memory until the end.
pub(crate) struct XlsxWriter {
    target: File,
    sheet: Worksheet,
    rows: u32,
    totals: Totals,
}

impl XlsxWriter {
    pub(crate) fn new(target: File) -> io::Result<Self> {
        let mut sheet = Worksheet::new();
        header(&mut sheet, "usage", &UsageRow::COLUMNS)?;
        Ok(Self { target, sheet, rows: 0, totals: Totals::default() })
    }

    pub(crate) fn write(&mut self, row: &UsageRow) -> io::Result<()> {
        self.rows += 1;
        self.totals.add(row)?;
        let values = columns::values(row)?;
        for (column, index) in UsageRow::COLUMNS.into_iter().zip(0..) {
            write_cell(&mut self.sheet, self.rows, index, &values[column], column_type(column))?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<File> {
        let last_column = UsageRow::COLUMNS.len() as u16 - 1;
        self.sheet.autofilter(0, 0, self.rows, last_column).map_err(error)?;
        let mut workbook = Workbook::new();
        workbook.push_worksheet(self.sheet);
        workbook.push_worksheet(totals_sheet(&self.totals)?);
        workbook.save_to_writer(&mut self.target).map_err(error)?;
        Ok(self.target)
    }
}

fn totals_sheet(totals: &Totals) -> io::Result<Worksheet> {
    let mut sheet = Worksheet::new();
    header(&mut sheet, "totals", &Totals::COLUMNS)?;
    for (total, row) in totals.records().rows.into_iter().zip(1..) {
        for ((value, column), index) in total.iter().zip(Totals::COLUMNS).zip(0..) {
            write_cell(&mut sheet, row, index, value, Totals::column_type(column))?;
        }
    }
    Ok(sheet)
}

fn header(sheet: &mut Worksheet, name: &str, columns: &[&str]) -> io::Result<()> {
    let bold = Format::new().set_bold();
    sheet.set_name(name).and_then(|sheet| sheet.set_freeze_panes(1, 0)).map_err(error)?;
    for (column, index) in columns.iter().zip(0..) {
        sheet.write_string_with_format(0, index, *column, &bold).map_err(error)?;
        sheet.set_column_width(index, column.len().max(12) as f64 + 1.0).map_err(error)?;
    }
    Ok(())
}

fn write_cell(sheet: &mut Worksheet, row: u32, column: u16, value: &Value, kind: ColumnType) -> io::Result<()> {
    let text = columns::text(value);
    let written = match (kind, value) {
        (_, Value::Null) => return Ok(()),
        (_, Value::Bool(value)) => sheet.write_boolean(row, column, *value),
        (ColumnType::Decimal { .. }, _) => match number(&text) {
            Some(number) => sheet.write_number(row, column, number),
            None => sheet.write_string(row, column, text),
        },
        (ColumnType::Integer, _) => match text.parse::<u32>() {
            Ok(number) => sheet.write_number(row, column, number),
            Err(_) => sheet.write_string(row, column, text),
        },
        (ColumnType::Time, _) => match serial_date(&text) {
            Some(days) => {
                let format = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
                sheet.write_number_with_format(row, column, days, &format)
            }
            None => sheet.write_string(row, column, text),
        },
        // A string cell never is a formula.
        _ => sheet.write_string(row, column, text),
    };
    written.map(|_| ()).map_err(error)
}

/// Returns a decimal as the format's only type of number, if Excel shows the same digits.
fn number(text: &str) -> Option<f64> {
    let exact: Decimal = text.parse().ok()?;
    let digits = exact.normalize().mantissa().unsigned_abs().to_string().len();
    let number: f64 = text.parse().ok()?;
    (digits <= EXCEL_DIGITS && number.to_string().parse() == Ok(exact)).then_some(number)
}

/// Returns the days since the 30th of December 1899, as Excel counts them; whole seconds only.
fn serial_date(text: &str) -> Option<f64> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    // The 1st of January 1970 is day 25569.
    let seconds = instant.timestamp() + 25_569 * 86_400;
    (seconds > 61 * 86_400).then(|| seconds as f64 / 86_400.0)
}

fn error(error: XlsxError) -> io::Error {
    match error {
        XlsxError::RowColumnLimitError => {
            io::Error::other("a worksheet has at most 1048575 rows: use csv or parquet, or fewer months")
        }
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Reader, Xlsx};
    use std::io::{BufReader, Seek};

    use super::*;
    use crate::formats::tests::full_row;

    #[test]
    fn numbers_become_text_if_excel_would_change_digits() {
        assert_eq!(number("11066.00"), Some(11_066.0));
        assert_eq!(number("-0.123456789"), Some(-0.123_456_789));
        assert_eq!(number("123456789012345"), Some(123_456_789_012_345.0));
        assert_eq!(number("1234567890123456"), None);
        assert_eq!(number("12345678901234567.123456789"), None);
        assert_eq!(serial_date("2026-10-01T00:00:00Z"), Some(46_296.0));
    }

    #[test]
    fn workbook_has_typed_cells_and_totals() {
        let mut writer = XlsxWriter::new(tempfile::tempfile().unwrap()).unwrap();
        let mut row = full_row();
        row.customer_name = Some("=1+1".to_owned());
        row.quantity = "7.5".parse().unwrap();
        writer.write(&row).unwrap();
        let mut file = writer.finish().unwrap();
        file.rewind().unwrap();
        let mut book = Xlsx::new(BufReader::new(file)).unwrap();
        let sheet = book.worksheet_range("usage").unwrap();
        let cell = |name: &str| {
            let column = UsageRow::COLUMNS.iter().position(|column| *column == name).unwrap();
            sheet.get_value((1, column as u32)).unwrap().clone()
        };
        assert_eq!(cell("customer_name"), Data::String("=1+1".to_owned()));
        assert!(book.worksheet_formula("usage").unwrap().is_empty());
        assert_eq!(cell("quantity"), Data::Float(7.5));
        assert_eq!(cell("is_final"), Data::Bool(true));
        assert!(matches!(cell("period_start"), Data::DateTime(_)), "{:?}", cell("period_start"));
        assert_eq!(cell("raw_quantity"), Data::String("7200".to_owned()));
        let totals = book.worksheet_range("totals").unwrap();
        let amount = Totals::COLUMNS.iter().position(|column| *column == "amount").unwrap();
        assert_eq!(totals.get_value((1, amount as u32)), Some(&Data::Float(11_066.0)));
    }
}
