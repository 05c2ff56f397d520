//! Errors of faults.

use std::error::Error;
use std::fmt;

/// Why a fault is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultError {
    /// The text is neither JSON nor the short form of a fault, or has a field that the fault does not have.
    Syntax(String),
    /// No vendor has an operation of this name.
    UnknownOperation(String),
    /// The value of a field is out of range.
    InvalidField {
        /// The field.
        field: &'static str,
        /// The values that it may have.
        expected: String,
    },
    /// The sandbox, or the request with the header, has too many faults.
    TooMany {
        /// The limit.
        max: usize,
    },
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(reason) => write!(f, "invalid fault: {reason}"),
            Self::UnknownOperation(operation) => write!(f, "invalid fault: there is no operation {operation}"),
            Self::InvalidField { field, expected } => write!(f, "invalid {field} of a fault: expected {expected}"),
            Self::TooMany { max } => write!(f, "too many faults: at most {max} are allowed"),
        }
    }
}

impl Error for FaultError {}
