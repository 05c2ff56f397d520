//! Writes rows as Parquet.

use std::fs::File;
use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde_json::{Map, Value};
use usage_billing::chrono::DateTime;
use usage_billing::{Decimal, UsageRow};

use crate::formats::columns::{self, ColumnType, column_type, is_required};

/// Rows that are held in memory before they are written.
const ROW_GROUP: usize = 20_000;
const PRECISION: i32 = 38;
/// Bytes of a DECIMAL(38).
const DECIMAL_BYTES: i32 = 16;

/// Writes row groups as rows arrive.
pub(crate) struct ParquetWriter {
    file: SerializedFileWriter<File>,
    columns: Vec<&'static str>,
    buffered: Vec<Map<String, Value>>,
}

impl ParquetWriter {
    /// Starts a file with all columns but `omitted`, which the name of the folder contains.
    pub(crate) fn new(target: File, omitted: Option<&str>) -> io::Result<Self> {
        let columns: Vec<_> = UsageRow::COLUMNS.into_iter().filter(|column| Some(*column) != omitted).collect();
        let fields = columns.iter().map(|column| field(column).map(Arc::new)).collect::<Result<_, _>>();
        let schema = fields.and_then(|fields| Type::group_type_builder("usage").with_fields(fields).build());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("usage-billing ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(target, Arc::new(schema.map_err(error)?), Arc::new(properties));
        Ok(Self { file: file.map_err(error)?, columns, buffered: Vec::new() })
    }

    pub(crate) fn write(&mut self, row: &UsageRow) -> io::Result<()> {
        self.buffered.push(columns::values(row)?);
        if self.buffered.len() < ROW_GROUP { Ok(()) } else { self.flush() }
    }

    pub(crate) fn finish(mut self) -> io::Result<File> {
        self.flush()?;
        self.file.into_inner().map_err(error)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffered.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.buffered);
        let mut group = self.file.next_row_group().map_err(error)?;
        for column in &self.columns {
            let mut writer =
                group.next_column().map_err(error)?.ok_or_else(|| io::Error::other("a column is missing"))?;
            let values = rows.iter().map(|row| &row[*column]);
            write_column(writer.untyped(), column, values)?;
            writer.close().map_err(error)?;
        }
        group.close().map_err(error)?;
        Ok(())
    }
}

fn field(column: &'static str) -> Result<Type, ParquetError> {
    let physical = match column_type(column) {
        ColumnType::Text => PhysicalType::BYTE_ARRAY,
        ColumnType::Decimal { .. } => PhysicalType::FIXED_LEN_BYTE_ARRAY,
        ColumnType::Time | ColumnType::Integer => PhysicalType::INT64,
        ColumnType::Boolean => PhysicalType::BOOLEAN,
    };
    let logical = match column_type(column) {
        ColumnType::Text => Some(LogicalType::String),
        ColumnType::Decimal { places } => Some(LogicalType::decimal(places as i32, PRECISION)),
        ColumnType::Time => Some(LogicalType::timestamp(true, parquet::basic::TimeUnit::MICROS)),
        ColumnType::Boolean | ColumnType::Integer => None,
    };
    let field = Type::primitive_type_builder(column, physical).with_logical_type(logical);
    let field = match column_type(column) {
        ColumnType::Decimal { places } => {
            field.with_length(DECIMAL_BYTES).with_precision(PRECISION).with_scale(places as i32)
        }
        _ => field,
    };
    let repetition = if is_required(column) { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    field.with_repetition(repetition).build()
}

fn write_column<'a>(
    writer: &mut ColumnWriter<'_>,
    column: &str,
    values: impl Iterator<Item = &'a Value> + Clone,
) -> io::Result<()> {
    let levels: Vec<i16> = values.clone().map(|value| i16::from(!value.is_null())).collect();
    let levels = (!is_required(column)).then_some(levels.as_slice());
    let present = values.filter(|value| !value.is_null());
    let invalid =
        |value: &Value| io::Error::other(format!("column {column}: {value} does not fit its type in Parquet"));
    let written = match writer {
        ColumnWriter::BoolColumnWriter(writer) => {
            let values = present.map(|value| value.as_bool().ok_or_else(|| invalid(value)));
            writer.write_batch(&values.collect::<io::Result<Vec<_>>>()?, levels, None)
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let integer = |value: &Value| match column_type(column) {
                ColumnType::Time => microseconds(value.as_str()?),
                _ => value.as_i64(),
            };
            let values = present.map(|value| integer(value).ok_or_else(|| invalid(value)));
            writer.write_batch(&values.collect::<io::Result<Vec<_>>>()?, levels, None)
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let values: Vec<_> = present.map(|value| ByteArray::from(columns::text(value).into_bytes())).collect();
            writer.write_batch(&values, levels, None)
        }
        ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
            let ColumnType::Decimal { places } = column_type(column) else {
                return Err(io::Error::other(format!("column {column} is not a decimal")));
            };
            let decimal = |value: &Value| decimal_bytes(value.as_str()?.parse().ok()?, places);
            let values = present.map(|value| decimal(value).ok_or_else(|| invalid(value)));
            let values = values.map(|value| value.map(|bytes| FixedLenByteArray::from(bytes.to_vec())));
            writer.write_batch(&values.collect::<io::Result<Vec<_>>>()?, levels, None)
        }
        _ => return Err(io::Error::other(format!("column {column} has an unexpected type"))),
    };
    written.map(|_| ()).map_err(error)
}

/// Returns the microseconds since 1970. Parts of a microsecond are truncated: only `as_of` can have any.
fn microseconds(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.timestamp_micros())
}

/// Returns the two's complement of a decimal at fixed places, or `None` if it has more digits.
fn decimal_bytes(value: Decimal, places: u32) -> Option<[u8; DECIMAL_BYTES as usize]> {
    let value = value.normalize();
    let factor = 10i128.checked_pow(places.checked_sub(value.scale())?)?;
    let unscaled = value.mantissa().checked_mul(factor)?;
    (unscaled.unsigned_abs() < 10u128.pow(PRECISION as u32)).then(|| unscaled.to_be_bytes())
}

/// Returns the error of the file system, if that is the reason.
fn error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_fixed_places_or_do_not_fit() {
        let bytes = |text: &str, places| decimal_bytes(text.parse().unwrap(), places).map(i128::from_be_bytes);
        assert_eq!(bytes("1.50", 9), Some(1_500_000_000));
        assert_eq!(bytes("-0.000000001", 9), Some(-1));
        assert_eq!(bytes("0.0000000001", 9), None);
        assert_eq!(bytes("79228162514264337593543950335", 9), Some(79_228_162_514_264_337_593_543_950_335_000_000_000));
        assert_eq!(bytes("100000000000000000000000000", 12), None);
    }
}
