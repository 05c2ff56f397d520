//! Output of a list or a document: a table on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal};

use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use serde::Serialize;
use usage_billing::printable;

use crate::exit::Failure;
use crate::terminal;

/// The format option of verbs that print a list or a document.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FormatArguments {
    /// Output format [default: table on a terminal, JSON elsewhere].
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Human-readable columns.
    Table,
    /// JSON; quantities are exact strings.
    Json,
}

impl FormatArguments {
    /// Returns the same, with another default.
    pub(crate) fn or(self, default: Option<OutputFormat>) -> Self {
        Self { format: self.format.or(default) }
    }

    /// Prints a value as JSON, or as the table that `table` returns.
    pub(crate) fn print<T: Serialize>(self, value: &T, table: impl FnOnce() -> String) -> Result<(), Failure> {
        let default = if io::stdout().is_terminal() { OutputFormat::Table } else { OutputFormat::Json };
        let text = match self.format.unwrap_or(default) {
            OutputFormat::Table => table(),
            OutputFormat::Json => json(value)?,
        };
        terminal::print(&text).map_err(Failure::of_output)
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::of_output(error.into()))?;
    Ok(format!("{text}\n"))
}

/// Returns a table without borders. Cells are escaped and bounded.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| printable(&cell).to_string()));
    }
    // Without borders the table still pads each line.
    table.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_one_line_for_each_row() {
        let text = table(["A", "B"], [["x\ny".to_owned(), "\u{1b}[2K".to_owned()], ["1".to_owned(), String::new()]]);
        assert_eq!(text, "A     B\nx\\ny  \\u{1b}[2K\n1\n");
    }
}
