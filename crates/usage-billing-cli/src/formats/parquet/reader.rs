//! Reads rows from Parquet.

use std::fs::File;
use std::io;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use serde_json::{Map, Value};
use usage_billing::chrono::{DateTime, SecondsFormat};
use usage_billing::{Decimal, UsageRow};

use crate::formats::columns::{ColumnType, column_type};

/// Rows of a file, read one by one.
pub(crate) struct ParquetRows {
    rows: RowIter<'static>,
    /// Columns that the name of the folder contains.
    partition: Map<String, Value>,
}

/// Opens a file. `vendor` is the value of the column that the file of a data set does not contain.
pub(crate) fn read(file: File, vendor: Option<&str>) -> io::Result<ParquetRows> {
    let reader = SerializedFileReader::new(file).map_err(error)?;
    // The reader of another type would panic on a value that it does not expect.
    for column in reader.metadata().file_metadata().schema_descr().columns() {
        if !UsageRow::COLUMNS.contains(&column.name()) {
            return Err(io::Error::other(format!("the column `{}` is not one of a usage row", column.name())));
        }
    }
    let partition = vendor.map(|vendor| ("vendor".to_owned(), Value::from(vendor))).into_iter().collect();
    Ok(ParquetRows { rows: RowIter::from_file_into(Box::new(reader)), partition })
}

impl Iterator for ParquetRows {
    type Item = io::Result<UsageRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        Some(row.map_err(error).and_then(|row| self.usage_row(row)))
    }
}

impl ParquetRows {
    fn usage_row(&self, row: Row) -> io::Result<UsageRow> {
        let mut values = self.partition.clone();
        for (column, field) in row.into_columns() {
            let value = value(&column, field)?;
            values.insert(column, value);
        }
        Ok(serde_json::from_value(Value::Object(values))?)
    }
}

fn value(column: &str, field: Field) -> io::Result<Value> {
    let value = match (column_type(column), field) {
        (_, Field::Null) => Some(Value::Null),
        (ColumnType::Boolean, Field::Bool(value)) => Some(value.into()),
        (ColumnType::Integer, Field::Long(value)) => Some(value.into()),
        (ColumnType::Text, Field::Str(value)) => Some(value.into()),
        (ColumnType::Time, Field::TimestampMicros(value)) => DateTime::from_timestamp_micros(value)
            .map(|instant| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()),
        (ColumnType::Decimal { places }, Field::Decimal(value)) if value.scale() == places as i32 => {
            decimal(value.data(), places).map(|value| value.to_string().into())
        }
        _ => None,
    };
    value.ok_or_else(|| io::Error::other(format!("the column `{column}` has another type than in a usage row")))
}

/// Returns a decimal from its two's complement; `None` if it has more than 28 digits.
fn decimal(bytes: &[u8], places: u32) -> Option<Decimal> {
    let mut unscaled = i128::from_be_bytes(bytes.try_into().ok()?);
    let mut places = places;
    while places > 0 && unscaled % 10 == 0 {
        (unscaled, places) = (unscaled / 10, places - 1);
    }
    Decimal::try_from_i128_with_scale(unscaled, places).ok()
}

fn error(error: ParquetError) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;
    use crate::formats::parquet::ParquetWriter;
    use crate::formats::tests::{full_row, row};
    use proptest::prelude::*;

    fn round_trip(rows: &[UsageRow], omitted: Option<&str>) -> Vec<UsageRow> {
        let mut writer = ParquetWriter::new(tempfile::tempfile().unwrap(), omitted).unwrap();
        rows.iter().for_each(|row| writer.write(row).unwrap());
        let mut file = writer.finish().unwrap();
        file.rewind().unwrap();
        read(file, omitted.map(|_| "acronis")).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn file_reads_back_as_it_was_written() {
        let rows = [full_row(), row("1"), row("-0.000000001"), row("79228162514264337593543950335")];
        assert_eq!(round_trip(&rows, None), rows);
        assert_eq!(round_trip(&[], None), []);
        assert_eq!(round_trip(&rows[1..], Some("vendor")), rows[1..]);
    }

    #[test]
    fn other_file_is_an_error_and_not_a_panic() {
        let mut file = tempfile::tempfile().unwrap();
        assert!(read(file.try_clone().unwrap(), None).is_err());
        file.write_all(b"PAR1 this is not Parquet PAR1").unwrap();
        file.rewind().unwrap();
        assert!(read(file, None).is_err());
        // Without the vendor.
        let mut writer = ParquetWriter::new(tempfile::tempfile().unwrap(), Some("vendor")).unwrap();
        writer.write(&row("1")).unwrap();
        let error = read(writer.finish().unwrap(), None).unwrap().next().unwrap().unwrap_err();
        assert!(error.to_string().contains("missing field `vendor`"), "{error}");
    }

    proptest! {
        #[test]
        fn every_quantity_survives(mantissa in any::<i64>(), scale in 0u32..=9, name in "\\PC{0,40}") {
            let mut row = row("1");
            row.quantity = Decimal::new(mantissa, scale);
            row.customer_name = Some(name);
            prop_assert_eq!(round_trip(std::slice::from_ref(&row), None), [row]);
        }
    }
}
