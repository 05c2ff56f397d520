//! OpenAPI documents as trees of JSON values: parsing within limits, positions in the text, JSON pointers, references, schemas.
//!
//! Two views of one model: functions over a [`Value`](serde_json::Value) and its JSON pointers, for documents that are checked,
//! converted or generated from; and [`DocumentTree`] with nodes that know their location, for comparisons of large documents.

#![warn(clippy::self_named_module_files)]

// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod addresses;
mod budget;
mod document;
mod files;
mod index;
mod locations;
mod names;
mod node;
pub mod pointer;
mod positions;
mod reach;
mod resolve;
pub mod text;
mod tree;
mod walk;

pub use addresses::Addresses;
pub use budget::{Budget, YamlError};
pub use document::{Document, METHODS, Operation, component_schemas, is_json, operations};
pub use files::Files;
pub use index::{gives_names, names_file, outside_references};
pub use locations::Locations;
pub use node::Node;
pub use positions::{Position, Positions};
pub use reach::{SCHEMAS, reachable, references};
pub use resolve::{lookup, resolve, resolve_at};
pub use serde_saphyr::DuplicateKeyPolicy;
pub use tree::{DocumentTree, NotOpenApi};
pub use walk::{Place, SchemaNode, field, schemas};
