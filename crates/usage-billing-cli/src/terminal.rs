//! Output of the program: data on stdout, everything else on stderr.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::MultiProgress;
use usage_billing::printable_message;

/// Whether `--quiet` is set. For the complete program, like stderr itself.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Lines that are redrawn below those that stay.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Suppresses progress.
pub(crate) fn set_quiet(is_quiet: bool) {
    IS_QUIET.store(is_quiet, Ordering::Relaxed);
}

pub(crate) fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Returns the lines that are redrawn, on a terminal only.
pub(crate) fn bars() -> &'static MultiProgress {
    &BARS
}

/// Prints one line about progress to stderr, unless `--quiet` is set.
pub(crate) fn print_progress(line: &str) {
    if !is_quiet() {
        eprint_line(line);
    }
}

/// Copies a file to stdout. A closed pipe (`| head`) is not a failure.
pub(crate) fn copy(source: &mut impl Read) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match io::copy(source, &mut stdout).and_then(|_| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Prints one line to stderr, escaped and bounded. Write errors are ignored: the rows matter more.
pub(crate) fn eprint_line(line: &str) {
    print_above_bars(&printable_message(line));
}

/// Prints a line to stderr, above the lines that are redrawn.
fn print_above_bars(line: &dyn fmt::Display) {
    let _ = BARS.suspend(|| writeln!(io::stderr(), "{line}"));
}

/// Prints one line of the log to stderr, escaped and bounded like a message. JSON is escaped already, and complete.
pub(crate) fn eprint_log(line: &str) {
    match line.starts_with('{') && !line.contains(char::is_control) {
        true => print_above_bars(&line),
        false => eprint_line(line),
    }
}

/// Returns a number with its noun: `1 row`, `2 rows`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Returns the width that tables may have: that of `COLUMNS` or of the terminal; `None` in a pipe.
pub(crate) fn width() -> Option<u16> {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    columns.or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0))
}

/// Prints text to stdout. A closed pipe is not a failure.
pub(crate) fn print(text: &str) -> io::Result<()> {
    copy(&mut text.as_bytes())
}
