//! Reads rows that this program wrote.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use usage_billing::{Period, UsageRow, printable};

use super::{Format, parquet};
use crate::dataset::{checked_files, vendor_of};
use crate::exit::Failure;
use crate::terminal;

/// Reads the rows of files and data sets one by one.
///
/// # Errors
/// One line that names the file, if it cannot be read or is not one of usage rows; otherwise those of `on_row`.
pub(crate) fn read_rows(
    paths: &[PathBuf],
    mut on_row: impl FnMut(&Path, UsageRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => files.extend(checked_files(path)?.into_iter().map(|(vendor, part)| (part, Some(vendor)))),
            false => files.push((path.clone(), None)),
        }
    }
    let mut seen = HashSet::new();
    if let Some((again, _)) = files.iter().find(|(path, _)| !seen.insert(path.canonicalize().unwrap_or(path.clone()))) {
        let line = format!("`{}` is named twice, itself or by its folder: name it once", display_path(again));
        return Err(Failure::Usage(line));
    }
    for (path, vendor) in &files {
        if let Some(vendor) = vendor {
            let rows = File::open(path).and_then(|file| parquet::read(file, Some(vendor)));
            pass_rows(path, rows.map_err(|error| failure(path, &error))?, &mut on_row)?;
            continue;
        }
        let mut is_empty = true;
        read_file(path, &mut |path: &Path, row| {
            is_empty = false;
            on_row(path, row)
        })?;
        if is_empty {
            terminal::eprint_line(&format!("warning: `{}` has no rows", display_path(path)));
        }
    }
    Ok(())
}

fn read_file(path: &Path, on_row: &mut impl FnMut(&Path, UsageRow) -> Result<(), Failure>) -> Result<(), Failure> {
    let format = Format::of_extension(path);
    let open = || File::open(path).map_err(|error| failure(path, &error));
    match format {
        Some(Format::Csv) => {
            let mut reader =
                csv::Reader::from_reader(without_byte_order_mark(open()?).map_err(|error| failure(path, &error))?);
            pass_rows(path, reader.deserialize().map(|row| row.map_err(io::Error::from)), on_row)
        }
        Some(Format::Jsonl) => {
            let rows = serde_json::Deserializer::from_reader(BufReader::new(open()?)).into_iter::<UsageRow>();
            pass_rows(path, rows.map(|row| row.map_err(io::Error::from)), on_row)
        }
        Some(Format::Json) => {
            let rows: Vec<UsageRow> = serde_json::from_reader(BufReader::new(open()?))
                .map_err(|error| failure(path, &io::Error::from(error)))?;
            pass_rows(path, rows.into_iter().map(Ok), on_row)
        }
        Some(Format::Parquet) => {
            let rows = parquet::read(open()?, vendor_of(path).as_deref()).map_err(|error| failure(path, &error))?;
            pass_rows(path, rows, on_row)
        }
        Some(Format::Table | Format::Xlsx) | None => {
            let line = format!(
                "`{}` cannot be read: expected .csv, .json, .jsonl, .parquet or a data set",
                display_path(path)
            );
            Err(Failure::Usage(line))
        }
    }
}

fn pass_rows(
    path: &Path,
    rows: impl Iterator<Item = io::Result<UsageRow>>,
    on_row: &mut impl FnMut(&Path, UsageRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for (row, number) in rows.zip(1u64..) {
        let of_row =
            |reason: &dyn std::fmt::Display| failure(path, &io::Error::other(format!("row {number}: {reason}")));
        let row = row.map_err(|error| of_row(&error))?;
        // Also checks that the period is not empty.
        Period::new(row.period_start, row.period_end).map_err(|error| of_row(&error.message()))?;
        on_row(path, row)?;
    }
    Ok(())
}

fn without_byte_order_mark(file: File) -> io::Result<impl BufRead> {
    let mut reader = BufReader::new(file);
    if reader.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        reader.consume("\u{feff}".len());
    }
    Ok(reader)
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    match error.raw_os_error() {
        Some(_) => Failure::Usage(format!("`{}` cannot be read: {error}", display_path(path))),
        None => Failure::Usage(format!(
            "`{}` is not a file of usage rows: {}",
            display_path(path),
            printable(&error.to_string())
        )),
    }
}

fn display_path(path: &Path) -> String {
    printable(&path.to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::RowWriter;
    use crate::formats::tests::{full_row, row};

    fn read(path: &Path) -> Result<Vec<UsageRow>, String> {
        let mut rows = Vec::new();
        let outcome = read_rows(&[path.to_owned()], |_, row| {
            rows.push(row);
            Ok(())
        });
        outcome.map(|()| rows).map_err(|failure| failure.to_string())
    }

    #[test]
    fn rows_of_every_format_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let rows = [full_row(), row("0.1")];
        for (name, is_for_excel) in
            [("a.csv", false), ("b.csv", true), ("c.json", false), ("d.jsonl", false), ("e.parquet", false)]
        {
            let path = folder.path().join(name);
            let format = Format::of_extension(&path).unwrap();
            let mut writer = RowWriter::new(File::create(&path).unwrap(), format, is_for_excel).unwrap();
            rows.iter().for_each(|row| writer.write(row.clone()).unwrap());
            writer.finish().unwrap();
            assert_eq!(read(&path).unwrap(), rows, "{name}");
        }
    }

    #[test]
    fn other_files_are_one_line_that_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, content, expected) in [
            (
                "a.csv",
                "sku,amount\nA,1\n",
                "a.csv` is not a file of usage rows: row 1: CSV deserialize error: record 1 (line: 2,",
            ),
            ("a.json", "{}", "invalid type: map, expected a sequence"),
            ("a.jsonl", "{}\n", "row 1: missing field `row_key`"),
            ("a.parquet", "PAR1", "a.parquet` is not a file of usage rows: "),
            ("a.xlsx", "", "a.xlsx` cannot be read: expected .csv, .json, .jsonl, .parquet or a data set"),
        ] {
            std::fs::write(path(name), content).unwrap();
            let line = read(&path(name)).unwrap_err();
            assert!(line.contains(expected) && line.lines().count() == 1, "{name}: {line}");
        }
        assert!(
            read(&path("absent.csv"))
                .unwrap_err()
                .ends_with("absent.csv` cannot be read: No such file or directory (os error 2)")
        );
        assert!(read(folder.path()).unwrap_err().contains("is not a data set: it has no vendor=…/period=…/*.parquet"));
    }
}
