//! Rejects arguments that messages cannot quote.

use std::ffi::OsString;
use std::io::{self, ErrorKind};

use usage_billing_core::{printable, printable_message};

/// Rejects arguments that cannot be quoted on one line, because control characters could forge output. Takes all arguments, the program's
/// own name first, before they are parsed.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput), on one line.
pub fn check_arguments(arguments: impl IntoIterator<Item = OsString>) -> io::Result<()> {
    for (place, argument) in arguments.into_iter().enumerate().skip(1) {
        let argument = argument.to_string_lossy();
        if printable_message(&argument).to_string() != argument {
            let shown = printable(&argument);
            let message = format!("argument {place} (`{shown}`) holds control or invisible characters, or is too long");
            return Err(io::Error::new(ErrorKind::InvalidInput, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(argument: &str) -> io::Result<()> {
        check_arguments(["\u{1b}program", "--period", "2026-10", argument].map(OsString::from))
    }

    #[test]
    fn argument_with_control_characters_is_rejected_on_one_line() {
        for argument in ["2026-10\nerror: forged", "\u{1b}[2K", "\u{202e}01-6202", &"x".repeat(100_000)] {
            let line = check(argument).unwrap_err().to_string();
            assert!(line.starts_with("argument 3 (`") && line.chars().count() < 400, "{line}");
            assert!(!line.contains(['\n', '\u{1b}', '\u{202e}']), "{line}");
        }
        assert!(check("株式会社 2026-10/2026-11").is_ok());
    }
}
