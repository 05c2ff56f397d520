//! Failures and exit codes.

use std::fmt;
use std::io;
use std::process::ExitCode;

use usage_billing::{Error, ErrorKind};

/// The reason why nothing is printed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Invalid arguments or settings.
    Usage(String),
    /// All vendors failed. Their errors are printed already.
    Vendors(Vec<Error>),
    /// Local I/O failed.
    Local(String),
}

/// The exit code if some vendors' rows are printed and others failed.
pub(crate) const PARTIAL: u8 = 4;

impl Failure {
    /// Converts an error of the sandbox; invalid options are known only when it starts.
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
    fn exit_code_is_specific_if_all_failures_agree() {
        assert_eq!(vendors(&[ErrorKind::Auth, ErrorKind::Permission]), ExitCode::from(3));
        assert_eq!(vendors(&[ErrorKind::WaitTimeout]), ExitCode::from(5));
        assert_eq!(vendors(&[ErrorKind::Config]), ExitCode::from(2));
        assert_eq!(vendors(&[ErrorKind::Auth, ErrorKind::WaitTimeout]), ExitCode::from(1));
        assert_eq!(vendors(&[ErrorKind::Connection]), ExitCode::from(1));
    }
}
