//! Schemas in normal form: two ways to write the same set of values look the same here.

mod canonical;
mod constraints;
mod equivalence;
mod excludes;
mod fits;
mod implied;
mod listed;
mod merge;
mod normal;
mod null;
mod same;
mod types;
mod usage;

pub(crate) use canonical::matches_all;
pub(crate) use constraints::{Bound, Limit, compare, equal, is_tighter};
pub(crate) use equivalence::is_equivalent;
pub(crate) use excludes::excludes;
pub(crate) use fits::{Effort, InDocument, fits, fits_any, fits_schema, fits_union};
pub(crate) use implied::is_never;
pub(crate) use listed::{all_match, keeps};
pub(crate) use normal::{Additional, Branch, Forbidden, Item, Schema, Union};
pub(crate) use same::{dangling, has_effect, is_usual_dialect, same, written};
pub(crate) use types::{NULL, Relation, Types};
pub(crate) use usage::Usage;

/// A schema that everything fits, for keywords that are not there.
pub(crate) static ANYTHING: serde_json::Value = serde_json::Value::Bool(true);

/// Keywords that describe the use of a schema, or nothing about its values.
const ANNOTATIONS: &[&str] = &[
    "$comment",
    "$id",
    "$anchor",
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "externalDocs",
    "nullable",
    "readOnly",
    "summary",
    "title",
    "writeOnly",
];

/// Keywords that are documentation: differences are counted, not listed.
pub(crate) const DOCS: &[&str] =
    &["$comment", "description", "example", "examples", "externalDocs", "summary", "title", "tags"];

fn is_annotation(key: &str) -> bool {
    key.starts_with("x-") || ANNOTATIONS.contains(&key)
}
