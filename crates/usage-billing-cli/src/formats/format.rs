//! The formats, and which one applies.

use std::path::Path;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Human-readable columns; quantities are truncated after six decimal places.
    Table,
    /// One array of objects; quantities are exact strings.
    Json,
    /// One object per line; quantities are exact strings.
    Jsonl,
    /// With a header line; quantities are exact.
    Csv,
    /// An Excel workbook with typed cells and a sheet of totals; numbers of more than 15 digits are text.
    Xlsx,
    /// Typed columns with exact decimals.
    Parquet,
}

impl Format {
    /// Returns the format that the extension of a file states.
    pub(crate) fn of_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "parquet" => Some(Self::Parquet),
            "txt" => Some(Self::Table),
            _ => None,
        }
    }

    /// Reads the name of a format that is text, for commands that write no workbooks and Parquet.
    pub(crate) fn text_parser() -> impl TypedValueParser<Value = Self> {
        PossibleValuesParser::new(["table", "json", "jsonl", "csv"]).try_map(|name| Self::from_str(&name, false))
    }

    /// Returns the format for stdout if none is set: programs read lines of JSON.
    pub(crate) fn of_stdout(is_terminal: bool) -> Self {
        if is_terminal { Self::Table } else { Self::Jsonl }
    }

    /// Returns whether a terminal can show it.
    pub(crate) fn is_text(self) -> bool {
        !matches!(self, Self::Xlsx | Self::Parquet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_states_the_format() {
        for (name, expected) in [
            ("october.csv", Some(Format::Csv)),
            ("a.b/October.XLSX", Some(Format::Xlsx)),
            ("x.ndjson", Some(Format::Jsonl)),
            ("x.parquet", Some(Format::Parquet)),
            ("x.doc", None),
            ("october", None),
            (".csv", None),
        ] {
            assert_eq!(Format::of_extension(Path::new(name)), expected, "{name}");
        }
    }
}
