//! Changes between two OpenAPI documents, from the point of view of the API's consumers.
//!
//! [`diff`] compares two documents and returns a [`Report`]: one finding per thing that a reader would open (an operation, a
//! component), with the operations that it reaches. Direction decides: a change that is harmless in responses may break
//! requests. Nothing is omitted silently: a change without a known effect is an `unknown-change`.
//!
//! OpenAPI 3.0 fully; of 3.1 and 3.2 what vendors use.
//!
//! The feature `cli` (default) adds the program `spec-diff` and its parts: reading documents, accept files, gates and output formats.

#![cfg_attr(docsrs, feature(doc_cfg))]

// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod classification;
#[cfg(feature = "cli")]
#[cfg_attr(docsrs, doc(cfg(feature = "cli")))]
pub mod cli;
mod compare;
mod grouping;
#[cfg(feature = "cli")]
#[cfg_attr(docsrs, doc(cfg(feature = "cli")))]
pub mod input;
mod options;
#[cfg(feature = "cli")]
#[cfg_attr(docsrs, doc(cfg(feature = "cli")))]
pub mod output;
mod report;
#[cfg(feature = "cli")]
#[cfg_attr(docsrs, doc(cfg(feature = "cli")))]
pub mod review;
mod rule;
pub mod rules;
mod schema;

pub use crate::classification::{Bump, Direction, Level, Role};
pub use crate::options::Options;
pub use crate::report::json::{JSON_SCHEMA, to_json};
pub use crate::report::{Change, Location, Member, OperationRef, Owner, Report, Side, TouchedOperation, Version};
pub use openapi_document::Files;

use openapi_document::DocumentTree;
use serde_json::Value;

use crate::compare::compare;

/// A value that is not an OpenAPI 3 document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOpenApi {
    /// The side of the value.
    pub side: Side,
    /// The value instead of `openapi: 3.x`.
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

/// Compares two documents of one API.
///
/// # Errors
///
/// [`NotOpenApi`] if one of them is not an OpenAPI 3 document.
pub fn diff(base: &Value, revision: &Value, options: &Options) -> Result<Report, NotOpenApi> {
    let files = Files::default();
    diff_with_files((base, &files), (revision, &files), options)
}

/// Compares two documents of one API, each with the files that references of it lead into. References into other files than these are
/// not followed, which is an `unknown-change`.
///
/// # Errors
///
/// [`NotOpenApi`] if one of the documents is not an OpenAPI 3 document.
pub fn diff_with_files(
    (base, base_files): (&Value, &Files),
    (revision, revision_files): (&Value, &Files),
    options: &Options,
) -> Result<Report, NotOpenApi> {
    let tree =
        |root, files, side| DocumentTree::with_files(root, files).map_err(|error| NotOpenApi { side, found: error.0 });
    let base = tree(base, base_files, Side::Base)?;
    let revision = tree(revision, revision_files, Side::Revision)?;
    Ok(grouping::report(compare(base, revision, options)))
}
