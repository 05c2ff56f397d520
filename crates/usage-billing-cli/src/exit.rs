//! Failures and exit codes.

use std::fmt;
use std::io;
use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
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
    /// A call failed.
    Call(Error),
    /// The data does not pass a check, such as a file with invalid events.
    Check(String),
    /// A vendor is still at work.
    NotReady(String),
    /// Another process is at work, and a later call is to be made.
    TryLater(String),
    /// Local I/O failed, or the user declined.
    Local(String),
    /// The user stopped the program.
    Interrupted(String),
}

/// The exit code if some vendors' rows are written and others failed.
pub(crate) const PARTIAL: u8 = 4;
/// The exit code of a vendor that is still at work.
pub(crate) const NOT_READY: u8 = 5;
/// The exit code of data that does not pass a check.
pub(crate) const CHECK_FAILED: u8 = 6;
/// The exit code of a rejection that a later attempt avoids; `EX_TEMPFAIL` of sysexits.h.
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

    /// Returns the failure to write the output.
    pub(crate) fn of_output(error: io::Error) -> Self {
        Self::Local(format!("the output cannot be written: {error}"))
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 2,
            Self::Vendors(errors) => code_of_all(errors),
            Self::Call(error) => code(error),
            Self::Check(_) => CHECK_FAILED,
            Self::NotReady(_) => NOT_READY,
            Self::TryLater(_) => TRY_LATER,
            Self::Incomplete(_) | Self::Local(_) => 1,
            Self::Interrupted(_) => INTERRUPTED,
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// Returns the code that all errors have, or 1.
fn code_of_all(errors: &[Error]) -> u8 {
    match errors.split_first() {
        Some((first, others)) if others.iter().all(|other| code(other) == code(first)) => code(first),
        _ => 1,
    }
}

fn code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Config | ErrorKind::Request => 2,
        ErrorKind::Auth | ErrorKind::Permission => 3,
        ErrorKind::Api | ErrorKind::NotReady if is_try_later(error) => TRY_LATER,
        // A response that leaves the outcome open, such as the page of a proxy: waiting does not help.
        ErrorKind::NotReady if error.status().is_some() => 1,
        ErrorKind::NotReady | ErrorKind::WaitTimeout => NOT_READY,
        _ => 1,
    }
}

/// Returns whether the vendor rejected the request for now: too many requests, or a time of maintenance.
fn is_try_later(error: &Error) -> bool {
    error.retry_after().is_some() || error.status().is_some_and(|status| [429, 503].contains(&status.as_u16()))
}

/// Returns the line of an error, with the time from which a later attempt may succeed, if the vendor states it.
pub(crate) fn error_line(error: &Error, now: DateTime<Utc>) -> String {
    match try_again(error, now) {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    }
}

/// Returns when a later attempt may succeed, if one may.
fn try_again(error: &Error, now: DateTime<Utc>) -> Option<String> {
    let delay = error.retry_after().and_then(|delay| TimeDelta::from_std(delay).ok());
    match delay.and_then(|delay| now.checked_add_signed(delay)) {
        Some(time) => Some(format!("try again after {}", time.to_rfc3339_opts(SecondsFormat::Secs, true))),
        None => is_try_later(error).then(|| "try again later".to_owned()),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(line)
            | Self::Incomplete(line)
            | Self::Check(line)
            | Self::NotReady(line)
            | Self::TryLater(line)
            | Self::Local(line)
            | Self::Interrupted(line) => f.write_str(line),
            Self::Call(error) => f.write_str(&error_line(error, Utc::now())),
            Self::Vendors(errors) => {
                let longest = errors.iter().max_by_key(|error| error.retry_after());
                match longest.and_then(|error| try_again(error, Utc::now())) {
                    Some(hint) => write!(f, "nothing was fetched: {hint}"),
                    None => f.write_str("nothing was fetched"),
                }
            }
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
    fn rejection_for_now_states_the_time_and_has_a_code_of_its_own() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let error = Error::new(ErrorKind::Api, "too many requests").with_retry_after(Some(Duration::from_secs(90)));
        let line = error_line(&error, now);
        assert!(line.ends_with("(try again after 2026-11-21T12:01:30Z)"), "{line}");
        assert_eq!(Failure::from(error).code(), ExitCode::from(75));
        let error = Error::new(ErrorKind::Api, "no").with_retry_after(Some(Duration::MAX));
        assert!(error_line(&error, now).ends_with("(try again later)"));
        assert_eq!(error_line(&Error::new(ErrorKind::Api, "no"), now), "no");
    }
}
