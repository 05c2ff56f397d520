//! A violation of the document by a request.

use std::fmt;

use crate::vendors::document::Location;

/// What is wrong in a request, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) location: Location,
    /// JSON pointer into the body, or `/` and the name of a parameter or header.
    pub(super) pointer: String,
    pub(super) kind: ViolationKind,
    /// What was expected.
    pub(super) message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViolationKind {
    Missing,
    /// Another JSON type, or text that is not a number or boolean.
    Type,
    /// An invalid date, date-time, UUID or decimal.
    Format,
    /// Not one of the listed values.
    Unlisted,
    /// Too small, too large, too long.
    Range,
    /// Not in the document: an error in strict mode only.
    Unknown,
}

impl fmt::Display for Violation {
    /// Formats the violation as in the log: `query#/limit: must be at most 1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = match self.location {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Body => "body",
        };
        write!(f, "{location}#{}: {}", self.pointer, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violation_names_location_and_pointer() {
        let message = "must be at most 1000".to_owned();
        let (location, pointer) = (Location::Query, "/limit".to_owned());
        let violation = Violation { location, pointer, kind: ViolationKind::Range, message };
        assert_eq!(violation.to_string(), "query#/limit: must be at most 1000");
    }
}
