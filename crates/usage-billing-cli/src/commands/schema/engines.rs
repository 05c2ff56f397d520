//! The columns of a data set in the types of DuckDB, BigQuery and Spark.

use serde_json::{Value, json};
use usage_billing::UsageRow;

use crate::dataset::PARTITION_COLUMNS;
use crate::formats::columns::{ColumnType, column_type, is_required};

/// Returns a statement that creates a table, and one as a comment that fills it.
pub(super) fn duckdb() -> String {
    let column = |column: &str| {
        let type_name = match column_type(column) {
            ColumnType::Text => "VARCHAR".to_owned(),
            ColumnType::Decimal { places } => format!("DECIMAL(38,{places})"),
            ColumnType::Time => "TIMESTAMP WITH TIME ZONE".to_owned(),
            ColumnType::Boolean => "BOOLEAN".to_owned(),
            ColumnType::Integer => "BIGINT".to_owned(),
        };
        format!("  {column} {type_name}{},\n", not_null(column))
    };
    let columns: String = columns_of_data_set().map(column).collect();
    format!(
        "CREATE TABLE usage (\n{columns}  PRIMARY KEY (row_key)\n);\n\
         -- INSERT OR REPLACE INTO usage BY NAME\n\
         -- SELECT * FROM read_parquet('usage-data/**/*.parquet', hive_partitioning = true, hive_types_autocast = false);\n"
    )
}

/// Returns the DDL that `spark.read.schema` takes.
pub(super) fn spark() -> String {
    let column = |column: &str| {
        let type_name = match column_type(column) {
            ColumnType::Text => "STRING".to_owned(),
            ColumnType::Decimal { places } => format!("DECIMAL(38,{places})"),
            ColumnType::Time => "TIMESTAMP".to_owned(),
            ColumnType::Boolean => "BOOLEAN".to_owned(),
            ColumnType::Integer => "BIGINT".to_owned(),
        };
        format!("{column} {type_name}{}", not_null(column))
    };
    columns_of_data_set().map(column).collect::<Vec<_>>().join(",\n") + "\n"
}

/// Returns a schema file. BigQuery rejects one that contains the columns of folders.
pub(super) fn bigquery() -> Value {
    let field = |column: &'static str| {
        let type_of = match column_type(column) {
            ColumnType::Text => json!({"type": "STRING"}),
            // NUMERIC is DECIMAL(38,9).
            ColumnType::Decimal { places: 9 } => json!({"type": "NUMERIC"}),
            ColumnType::Decimal { places } => {
                json!({"type": "BIGNUMERIC", "precision": "38", "scale": places.to_string()})
            }
            ColumnType::Time => json!({"type": "TIMESTAMP"}),
            ColumnType::Boolean => json!({"type": "BOOLEAN"}),
            ColumnType::Integer => json!({"type": "INTEGER"}),
        };
        let mut field = json!({"name": column, "mode": if is_required(column) { "REQUIRED" } else { "NULLABLE" }});
        if let (Some(field), Value::Object(type_of)) = (field.as_object_mut(), type_of) {
            field.extend(type_of);
        }
        field
    };
    columns_of_files().map(field).collect()
}

fn not_null(column: &str) -> &'static str {
    if is_required(column) || PARTITION_COLUMNS.contains(&column) { " NOT NULL" } else { "" }
}

fn columns_of_files() -> impl Iterator<Item = &'static str> {
    UsageRow::COLUMNS.into_iter().filter(|column| !PARTITION_COLUMNS.contains(column))
}

/// Returns the columns in the order in which engines read them: those of folders last.
fn columns_of_data_set() -> impl Iterator<Item = &'static str> {
    columns_of_files().chain(PARTITION_COLUMNS)
}

#[cfg(test)]
mod tests {
    use parquet::basic::{LogicalType, Type as PhysicalType};
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;
    use crate::formats::parquet::ParquetWriter;
    use crate::formats::tests::full_row;

    /// Returns the columns of a written file: its name, its type in DuckDB, Spark and BigQuery, and whether it is never null.
    fn columns_of_a_file() -> Vec<(String, String, String, String, bool)> {
        let mut writer = ParquetWriter::new(tempfile::tempfile().unwrap(), Some("vendor")).unwrap();
        writer.write(&full_row()).unwrap();
        let reader = SerializedFileReader::new(writer.finish().unwrap()).unwrap();
        let schema = reader.metadata().file_metadata().schema_descr();
        let of_column = |column: &parquet::schema::types::ColumnDescPtr| {
            let types = match (column.logical_type_ref(), column.physical_type()) {
                (Some(LogicalType::String), PhysicalType::BYTE_ARRAY) => {
                    ["VARCHAR", "STRING", "STRING"].map(str::to_owned)
                }
                (Some(LogicalType::Decimal(_)), PhysicalType::FIXED_LEN_BYTE_ARRAY) => {
                    let name = format!("DECIMAL({},{})", column.type_precision(), column.type_scale());
                    [name.clone(), name, if column.type_scale() == 9 { "NUMERIC" } else { "BIGNUMERIC" }.to_owned()]
                }
                (Some(LogicalType::Timestamp(_)), PhysicalType::INT64) => {
                    ["TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP"].map(str::to_owned)
                }
                (None, PhysicalType::BOOLEAN) => ["BOOLEAN"; 3].map(str::to_owned),
                (None, PhysicalType::INT64) => ["BIGINT", "BIGINT", "INTEGER"].map(str::to_owned),
                other => panic!("{}: {other:?}", column.name()),
            };
            let [duckdb, spark, bigquery] = types;
            (column.name().to_owned(), duckdb, spark, bigquery, column.max_def_level() == 0)
        };
        schema.columns().iter().map(of_column).collect()
    }

    #[test]
    fn schemas_are_those_of_a_written_file() {
        let columns = columns_of_a_file();
        let (duckdb, spark, bigquery) = (duckdb(), spark(), bigquery());
        let mut duckdb = duckdb.lines().skip(1).map(|line| line.trim().trim_end_matches(','));
        let mut spark = spark.lines().map(|line| line.trim_end_matches(','));
        let mut fields = bigquery.as_array().unwrap().iter();
        for (name, in_duckdb, in_spark, in_bigquery, is_required) in columns {
            let not_null = if is_required { " NOT NULL" } else { "" };
            assert_eq!(duckdb.next(), Some(&*format!("{name} {in_duckdb}{not_null}")));
            assert_eq!(spark.next(), Some(&*format!("{name} {in_spark}{not_null}")));
            let field = fields.next().unwrap();
            let mode = if is_required { "REQUIRED" } else { "NULLABLE" };
            assert_eq!(
                (&field["name"], &field["type"], &field["mode"]),
                (&json!(name), &json!(in_bigquery), &json!(mode))
            );
        }
        assert_eq!(fields.next(), None);
        assert_eq!(spark.collect::<Vec<_>>(), ["vendor STRING NOT NULL", "period STRING NOT NULL"]);
        assert_eq!(duckdb.take(2).collect::<Vec<_>>(), ["vendor VARCHAR NOT NULL", "period VARCHAR NOT NULL"]);
    }
}
