//! A document: what is where, and what a reference points to.

use crate::report::Side;

/// A value is no OpenAPI 3 document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOpenApi {
    /// Which of the two.
    pub side: Side,
    /// What was found instead of `openapi: 3.x`.
    pub found: String,
}

impl std::fmt::Display for NotOpenApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = match self.side {
            Side::Base => "base",
            Side::Revision => "revision",
        };
        write!(f, "the {side} is not an OpenAPI 3 document: {}", self.found)
    }
}

impl std::error::Error for NotOpenApi {}
