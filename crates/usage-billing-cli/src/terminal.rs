//! Output of the program: data on stdout, everything else on stderr.

use std::io::{self, ErrorKind, Write};

use usage_billing::printable_message;

/// A closed pipe (`| head`) is not a failure.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Prints one line to stderr, escaped and bounded. Write errors are ignored: the rows matter more.
pub(crate) fn eprint_line(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable_message(line));
}

pub(crate) fn row_count(rows: usize) -> String {
    format!("{rows} {}", if rows == 1 { "row" } else { "rows" })
}
