//! Where a command writes: results to the standard output, errors and notes to the standard error.

use std::{
    io::{Result, Write},
    process::ExitCode,
};

pub(crate) use openapi_document::text::pluralize;
use serde_json::json;

use crate::text::printable;

/// The two streams of a command.
pub(crate) struct Output<'a> {
    /// What was asked for, and nothing else: in a format for programs, one document.
    pub(crate) out: &'a mut dyn Write,
    /// Errors, notes, and what becomes of the command.
    pub(crate) err: &'a mut dyn Write,
}

impl Output<'_> {
    /// Writes why the command failed, for programs also as a document. Exit code 2.
    pub(crate) fn failed(&mut self, as_json: bool, error: &str) -> Result<ExitCode> {
        writeln!(self.err, "error: {}", printable(error))?;
        if as_json {
            writeln!(self.out, "{:#}", json!({"schema": 1, "error": error}))?;
        }
        Ok(ExitCode::from(2))
    }

    /// Writes a note.
    pub(crate) fn note(&mut self, text: &str) -> Result<()> {
        writeln!(self.err, "note: {}", printable(text))
    }
}
