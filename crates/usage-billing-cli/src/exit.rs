//! How the program ends, for people (a line) and scripts (a code).

use std::fmt;
use std::io;
use std::process::ExitCode;

use usage_billing::{Error, ErrorKind};

/// Why there is nothing to print.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something in the arguments or the environment.
    Usage(String),
    /// All vendors failed, in the same way or for several reasons; they have been told.
    Vendors(Vec<Error>),
    /// Reading or writing here.
    Local(String),
}

/// Some vendors' rows are printed, others failed.
pub(crate) const PARTIAL: u8 = 4;

impl Failure {
    /// Of what the sandbox checks and does: arguments that cannot be quoted, and options that make no sandbox, which is known only when it starts.
    pub(crate) fn of_sandbox(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidInput => Self::Usage(error.to_string()),
            _ => Self::Local(error.to_string()),
        }
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 2,
            Self::Vendors(errors) => match errors.split_first() {
                Some((first, others)) if others.iter().all(|other| code(other) == code(first)) => code(first),
                _ => 1,
            },
            Self::Local(_) => 1,
        })
    }
}

fn code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Config | ErrorKind::Request => 2,
        ErrorKind::Auth | ErrorKind::Permission => 3,
        ErrorKind::NotReady | ErrorKind::WaitTimeout => 5,
        _ => 1,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(line) | Self::Local(line) => f.write_str(line),
            Self::Vendors(_) => f.write_str("nothing was fetched"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendors(kinds: &[ErrorKind]) -> ExitCode {
        Failure::Vendors(kinds.iter().map(|kind| Error::new(*kind, "x")).collect()).code()
    }

    #[test]
    fn a_code_says_why_if_there_is_one_reason() {
        assert_eq!(vendors(&[ErrorKind::Auth, ErrorKind::Permission]), ExitCode::from(3));
        assert_eq!(vendors(&[ErrorKind::WaitTimeout]), ExitCode::from(5));
        assert_eq!(vendors(&[ErrorKind::Config]), ExitCode::from(2));
        assert_eq!(vendors(&[ErrorKind::Auth, ErrorKind::WaitTimeout]), ExitCode::from(1));
        assert_eq!(vendors(&[ErrorKind::Connection]), ExitCode::from(1));
    }
}
