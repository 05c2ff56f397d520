//! The cells of a table that users keep, such as an invoice, as text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use calamine::{Data, Reader, open_workbook_auto};
use usage_billing::{Decimal, printable};

use crate::exit::Failure;

/// Larger files are not such tables.
const MAX_BYTES: u64 = 128 << 20;

/// Headers and lines, with their line numbers as programs show them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) name: String,
    pub(crate) headers: Vec<String>,
    pub(crate) lines: Vec<(usize, Vec<String>)>,
}

impl Sheet {
    /// Reads a file. `what` it is, such as "the invoice", begins each error.
    pub(crate) fn read(what: &str, path: &Path, sheet: Option<&str>) -> Result<Self, Failure> {
        let name = printable(&path.to_string_lossy()).to_string();
        let failure = |reason: &dyn std::fmt::Display| {
            let reason = reason.to_string();
            Failure::Usage(format!("{what} `{name}` cannot be read: {}", printable(&reason)))
        };
        let size = std::fs::metadata(path).map_err(|error| failure(&error))?.len();
        if size > MAX_BYTES {
            return Err(failure(&format_args!("it is larger than {} MiB", MAX_BYTES >> 20)));
        }
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
        let lines = match &*extension {
            "csv" | "txt" | "tsv" => csv_lines(path).map_err(|reason| failure(&reason))?,
            "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => {
                workbook_lines(path, sheet).map_err(|reason| failure(&reason))?
            }
            _ => return Err(failure(&"expected .csv, .xlsx, .xls or .ods")),
        };
        let mut lines = lines.into_iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()));
        let (_, headers) = lines.next().ok_or_else(|| failure(&"it is empty"))?;
        Ok(Self { name, headers, lines: lines.collect() })
    }
}

type Lines = Vec<(usize, Vec<String>)>;

fn csv_lines(path: &Path) -> Result<Lines, String> {
    let not_utf8 = || "it is not UTF-8: save it as CSV UTF-8".to_owned();
    let mut text = String::new();
    File::open(path).and_then(|mut file| file.read_to_string(&mut text)).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => not_utf8(),
        _ => error.to_string(),
    })?;
    // UTF-16 of ASCII is valid UTF-8.
    if text.contains('\0') {
        return Err(not_utf8());
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let header = text.lines().next().unwrap_or_default();
    // The separator of most columns.
    let separator = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|separator| (header.bytes().filter(|byte| byte == separator).count(), *separator == b','));
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).delimiter(separator.unwrap_or(b','));
    let records = reader.from_reader(text.as_bytes()).into_records();
    let lines = records.map(|record| {
        let record = record.map_err(|error| error.to_string())?;
        // The position is before blank lines, which are not records.
        let blank = |from: usize| text.bytes().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let line = record.position().map_or(0, |position| {
            position.line() as usize + blank(position.byte() as usize).filter(|byte| *byte == b'\n').count()
        });
        Ok((line, record.iter().map(|cell| cell.trim().to_owned()).collect()))
    });
    lines.collect()
}

fn workbook_lines(path: &Path, sheet: Option<&str>) -> Result<Lines, String> {
    let mut book = open_workbook_auto(path)
        .map_err(|error| format!("it is not a valid workbook ({error}): open it and save it as .xlsx or .csv"))?;
    let names = book.sheet_names();
    let name = match sheet {
        Some(name) => names.iter().find(|known| *known == name),
        None => names.first(),
    };
    let name = name.ok_or_else(|| format!("it has no such sheet; it has {}", names.join(", ")))?.clone();
    let range = book.worksheet_range(&name).map_err(|error| error.to_string())?;
    let first = range.start().map_or(0, |(row, _)| row as usize) + 1;
    Ok(range.rows().zip(first..).map(|(row, line)| (line, row.iter().map(text).collect())).collect())
}

/// Returns a cell as text. A number has the digits that Excel shows.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.trim().to_owned(),
        // The shortest digits that are this number; of sums, without the noise beyond Excel's 15 digits.
        Data::Float(number) => {
            let text = number.to_string();
            let decimal: Option<Decimal> = text.parse().ok();
            let rounded = decimal.and_then(|decimal| decimal.round_sf(15)).map(|decimal| decimal.normalize());
            rounded.map_or(text, |decimal| decimal.to_string())
        }
        // Excel stores a day as a number.
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, ..) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> Result<Sheet, String> {
        let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Sheet::read("the invoice", file.path(), None).map_err(|failure| failure.to_string())
    }

    #[test]
    fn csv_is_read_with_its_separator_and_line_numbers() {
        let lines = [(3, vec!["Birch, Inc.".to_owned(), "1,5".to_owned()])];
        for text in ["\u{feff}Client;Qty\n\n\"Birch, Inc.\"; 1,5\n", "Client\tQty\r\n\t\r\nBirch, Inc.\t\"1,5\"\r\n"] {
            let sheet = csv(text).unwrap();
            assert_eq!(
                (&*sheet.headers, &*sheet.lines),
                (&["Client".to_owned(), "Qty".to_owned()][..], &lines[..]),
                "{text}"
            );
        }
        assert!(csv("").unwrap_err().ends_with("it is empty"));
        let utf16: String = "Qty\n1\n".chars().flat_map(|sign| [sign, '\0']).collect();
        assert!(csv(&utf16).unwrap_err().ends_with("it is not UTF-8: save it as CSV UTF-8"));
    }

    #[test]
    fn workbook_is_read_by_sheet() {
        let file = tempfile::Builder::new().suffix(".xlsx").tempfile().unwrap();
        let mut book = rust_xlsxwriter::Workbook::new();
        book.add_worksheet().set_name("cover").unwrap().write_string(0, 0, "Invoice").unwrap();
        let sheet = book.add_worksheet().set_name("lines").unwrap();
        sheet.write_string(2, 0, "Qty").unwrap().write_number(3, 0, 0.1 + 0.2).unwrap();
        let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 10, 1).unwrap();
        let format = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_datetime_with_format(4, 0, &day, &format).unwrap();
        book.save(file.path()).unwrap();
        let sheet = Sheet::read("the invoice", file.path(), Some("lines")).unwrap();
        let lines = vec![(4, vec!["0.3".to_owned()]), (5, vec!["2026-10-01".to_owned()])];
        assert_eq!((sheet.headers, sheet.lines), (vec!["Qty".to_owned()], lines));
        let line = Sheet::read("the invoice", file.path(), Some("other")).unwrap_err().to_string();
        assert!(line.ends_with("it has no such sheet; it has cover, lines"), "{line}");
    }
}
