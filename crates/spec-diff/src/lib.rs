//! What changed between two OpenAPI documents, from the point of view of those who call the API.
//!
//! [`diff`] compares two documents and answers with a [`Report`]: one finding per thing that a reader would open (an operation, a
//! component), with the operations that it reaches. Direction decides: what is harmless in an answer may break a
//! request. Nothing is passed over in silence: what cannot be judged is an `unknown-change`.
//!
//! OpenAPI 3.0 fully; of 3.1 and 3.2 what vendors use.

// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod compare;
mod document;
mod group;
mod json;
mod naming;
mod options;
mod pointer;
mod reach;
mod report;
pub mod rules;
mod schema;

pub use document::NotOpenApi;
pub use json::{JSON_SCHEMA, to_json};
pub use options::Options;
pub use report::{
    Accepted, AcceptedKind, Bump, Change, Direction, Level, Location, Member, OperationRef, Owner, Report, Role, Side,
    TouchedOperation, Version,
};

use compare::Comparison;
use document::Document;
use serde_json::Value;

/// Compares two documents of one API.
///
/// # Errors
///
/// [`NotOpenApi`] if one of them is no OpenAPI 3 document.
pub fn diff(base: &Value, revision: &Value, options: &Options) -> Result<Report, NotOpenApi> {
    let documents = (Document::new(base, Side::Base)?, Document::new(revision, Side::Revision)?);
    Ok(group::report(Comparison::run(documents.0, documents.1, options)))
}
