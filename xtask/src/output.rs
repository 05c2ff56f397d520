//! The output of a command: results to the standard output, errors and notes to the standard error.

use std::{
    io::{Result, Write},
    process::ExitCode,
};

pub(crate) use openapi_document::text::pluralize;
use serde_json::json;

use crate::text::printable;

/// Why a command fails, in a line.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    /// The pointer into the document, if it is known.
    pub(crate) at: Option<String>,
    /// 1 if the output cannot be written, 2 if the command cannot do its work.
    code: u8,
    /// Whether the reader of the output has closed it.
    is_unread: bool,
}

impl From<String> for Failure {
    /// Splits the pointer off, which the generator names at the end.
    fn from(reason: String) -> Self {
        let at = reason.rsplit_once(" at /").map(|(_, pointer)| format!("/{pointer}"));
        Self { reason, at, code: 2, is_unread: false }
    }
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let is_unread = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self { reason: error.to_string(), at: None, code: 1, is_unread }
    }
}

/// The two streams of a command.
pub(crate) struct Output<'a> {
    /// The result, and nothing else: in a format for programs, one document.
    pub(crate) out: &'a mut dyn Write,
    /// Errors, notes, and what becomes of the command.
    pub(crate) err: &'a mut dyn Write,
    /// Whether a failure is also written to the standard output, for programs.
    pub(crate) as_json: bool,
}

impl<'a> Output<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self { out, err, as_json: false }
    }

    /// Returns the exit code of a command, and writes why it failed, unless its reader needs no more output, as `head` does.
    pub(crate) fn exit_code(&mut self, done: std::result::Result<ExitCode, Failure>) -> ExitCode {
        done.unwrap_or_else(|Failure { reason, code, is_unread, .. }| {
            if is_unread {
                return ExitCode::from(code);
            }
            _ = writeln!(self.err, "error: {}", printable(&reason));
            if self.as_json && code == 2 {
                _ = writeln!(self.out, "{:#}", json!({"schema": 1, "error": reason}));
            }
            ExitCode::from(code)
        })
    }

    /// Writes a note.
    pub(crate) fn note(&mut self, text: &str) -> Result<()> {
        writeln!(self.err, "note: {}", printable(text))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn output_that_its_reader_has_closed_ends_silently() {
        for (kind, is_silent) in [(ErrorKind::BrokenPipe, true), (ErrorKind::StorageFull, false)] {
            let mut err = Vec::new();
            let mut out = Vec::new();
            let code = Output::new(&mut out, &mut err).exit_code(Err(Error::from(kind).into()));
            assert_eq!((err.is_empty(), code), (is_silent, ExitCode::from(1)), "{kind}");
        }
    }
}
