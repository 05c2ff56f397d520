//! Output of a list or a document: a table on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::exit::Failure;
use crate::formats::table::{Content, Display, Grid, GridColumn, LongText};
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

/// A column of a list: its header, what it contains, and when it is shown.
pub(crate) type ListColumn = (&'static str, Content, Display);

/// Returns a list as a table that is fitted to the terminal. Cells are escaped and bounded.
pub(crate) fn table<const N: usize>(columns: [ListColumn; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let column = |(header, content, display): ListColumn| GridColumn { header: header.to_owned(), content, display };
    let rows = rows.into_iter().map(Vec::from).collect();
    Grid { columns: columns.map(column).into(), rows, long_text: LongText::Wrapped }.render(terminal::width())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_cells_are_escaped() {
        let columns = ["A", "B"].map(|header| (header, Content::Text, Display::Always));
        let text = table(columns, [["x\ny".to_owned(), "\u{1b}[2K".to_owned()], ["1".to_owned(), String::new()]]);
        assert_eq!(text, "A     B\nx\\ny  \\u{1b}[2K\n1\n");
    }
}
