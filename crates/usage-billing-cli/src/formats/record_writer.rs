//! Writes records as JSON, JSON lines or CSV, one by one.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::Format;
use super::columns;

/// Named columns on their way to a target. Nothing is held in memory.
pub(crate) struct RecordWriter<W: Write> {
    columns: Vec<&'static str>,
    encoder: Encoder<W>,
}

enum Encoder<W: Write> {
    Json { target: W, is_empty: bool },
    Jsonl(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> RecordWriter<W> {
    /// Creates a writer.
    ///
    /// # Errors
    /// For a format that is not one of records, and for a target that cannot be written to.
    pub(crate) fn new(target: W, columns: Vec<&'static str>, format: Format) -> io::Result<Self> {
        let encoder = match format {
            Format::Json => Encoder::Json { target, is_empty: true },
            Format::Jsonl => Encoder::Jsonl(target),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(target);
                writer.write_record(&columns)?;
                Encoder::Csv(Box::new(writer))
            }
            Format::Table | Format::Xlsx | Format::Parquet => {
                return Err(io::Error::other("this format is for usage rows: use table, json, jsonl or csv"));
            }
        };
        Ok(Self { columns, encoder })
    }

    pub(crate) fn write(&mut self, row: &[Value]) -> io::Result<()> {
        let object = || -> Map<_, _> {
            self.columns.iter().map(|column| (*column).to_owned()).zip(row.iter().cloned()).collect()
        };
        match &mut self.encoder {
            Encoder::Json { target, is_empty } => {
                target.write_all(if *is_empty { b"[\n" } else { b",\n" })?;
                *is_empty = false;
                Ok(serde_json::to_writer(target, &object())?)
            }
            Encoder::Jsonl(target) => {
                serde_json::to_writer(&mut *target, &object())?;
                target.write_all(b"\n")
            }
            Encoder::Csv(writer) => Ok(writer.write_record(row.iter().map(columns::text))?),
        }
    }

    /// Ends the records and returns the target.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self.encoder {
            Encoder::Json { mut target, is_empty } => {
                target.write_all(if is_empty { b"[]\n" } else { b"\n]\n" })?;
                Ok(target)
            }
            Encoder::Jsonl(target) => Ok(target),
            Encoder::Csv(writer) => writer.into_inner().map_err(|error| error.into_error()),
        }
    }
}
