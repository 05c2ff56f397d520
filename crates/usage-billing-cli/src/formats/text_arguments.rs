//! The options of verbs that print rows or records as text.

use std::io::{self, IsTerminal};

use clap::Args;

use super::{Format, Records};
use crate::exit::Failure;
use crate::terminal;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct TextArguments {
    /// Output format: table, json, jsonl or csv [default: a table on a terminal, and jsonl in a pipe].
    #[arg(long, value_parser = Format::text_parser())]
    format: Option<Format>,

    /// Width of tables [default: COLUMNS, or that of the terminal].
    #[arg(long, value_name = "CHARACTERS")]
    width: Option<u16>,
}

impl TextArguments {
    pub(crate) fn format(self) -> Format {
        self.format.unwrap_or_else(|| Format::of_stdout(io::stdout().is_terminal()))
    }

    pub(crate) fn width(self) -> Option<u16> {
        self.width.or_else(terminal::width)
    }

    /// Prints records; of none, no table.
    pub(crate) fn print(self, records: &Records) -> Result<(), Failure> {
        if records.rows.is_empty() && self.format() == Format::Table {
            return Ok(());
        }
        let text = records.text(self.format(), self.width());
        text.and_then(|text| terminal::print(&text)).map_err(Failure::of_output)
    }
}
