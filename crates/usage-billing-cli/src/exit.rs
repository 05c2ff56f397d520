//! Failures and exit codes.

use std::fmt;
use std::io;
use std::process::ExitCode;

use usage_billing::reqwest::StatusCode;
use usage_billing::{Error, ErrorKind};

/// The reason why a command does not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Invalid arguments or settings.
    Usage(String),
    /// All vendors failed. Their errors are printed already.
    Vendors(Vec<Error>),
    /// Some vendors failed, and all are required. Their errors are printed already.
    Incomplete(String),
    /// Local I/O failed.
    Local(String),
    /// The user stopped the program.
    Interrupted(String),
}

/// The exit code if some vendors' rows are written and others failed.
pub(crate) const PARTIAL: u8 = 4;
/// The exit code if a check of the rows failed.
pub(crate) const CHECK_FAILED: u8 = 6;
/// `EX_TEMPFAIL` of sysexits.h.
const TRY_LATER: u8 = 75;
/// As shells report the end of a program by SIGINT.
const INTERRUPTED: u8 = 130;

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
            Self::Incomplete(_) | Self::Local(_) => 1,
            Self::Interrupted(_) => INTERRUPTED,
        })
    }
}

fn code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Config | ErrorKind::Request => 2,
        ErrorKind::Auth | ErrorKind::Permission => 3,
        ErrorKind::NotReady | ErrorKind::WaitTimeout => 5,
        _ if error.status() == Some(StatusCode::TOO_MANY_REQUESTS) || error.retry_after().is_some() => TRY_LATER,
        _ => 1,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(line) | Self::Incomplete(line) | Self::Local(line) | Self::Interrupted(line) => {
                f.write_str(line)
            }
            Self::Vendors(errors) => match errors.iter().filter_map(Error::retry_after).max() {
                Some(wait) => write!(f, "nothing was fetched: try again in {} s", wait.as_secs().max(1)),
                None => f.write_str("nothing was fetched"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    #[test]
    fn failure_that_ends_by_itself_states_when_to_try_again() {
        let error = Error::new(ErrorKind::Api, "too many").with_retry_after(Some(Duration::from_secs(90)));
        let failure = Failure::Vendors(vec![error]);
        assert_eq!(failure.code(), ExitCode::from(75));
        assert_eq!(failure.to_string(), "nothing was fetched: try again in 90 s");
    }
}
