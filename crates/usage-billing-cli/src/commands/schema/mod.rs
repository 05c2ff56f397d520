//! `schema`: the columns of usage rows, in the language of an engine.

mod engines;
mod json_schema;

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::exit::Failure;
use crate::terminal;

pub(crate) const HELP: &str = "Examples:
  usage-billing schema --format duckdb > usage.sql
  usage-billing schema --format spark > usage.ddl
  usage-billing schema --format bigquery > usage.json
  usage-billing schema --format json-schema

Spark reads a data set with spark.read.schema(open(\"usage.ddl\").read()).parquet(\"usage-data\"), BigQuery with bq load \
--source_format=PARQUET --hive_partitioning_mode=CUSTOM and the file as its schema.";

#[derive(Args)]
pub(crate) struct SchemaArguments {
    #[arg(long, value_enum)]
    format: SchemaFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemaFormat {
    /// JSON Schema (2020-12) of a row in JSON and JSON lines.
    JsonSchema,
    /// CREATE TABLE for the rows of a data set, with the columns of its folders.
    Duckdb,
    /// Schema file of the files of a data set; the columns of its folders are those of the URI prefix.
    Bigquery,
    /// DDL of the rows of a data set, with the columns of its folders.
    Spark,
}

pub(crate) fn run(arguments: &SchemaArguments) -> Result<ExitCode, Failure> {
    terminal::print(&schema(arguments.format)).map_err(Failure::of_output)?;
    Ok(ExitCode::SUCCESS)
}

fn schema(format: SchemaFormat) -> String {
    match format {
        SchemaFormat::JsonSchema => format!("{:#}\n", json_schema::schema()),
        SchemaFormat::Duckdb => engines::duckdb(),
        SchemaFormat::Bigquery => format!("{:#}\n", engines::bigquery()),
        SchemaFormat::Spark => engines::spark(),
    }
}
