//! OpenAPI documents as trees of JSON values: parsing within limits, positions in the text, JSON pointers, references, schemas.
//!
//! Two views of one model: functions over a [`Value`](serde_json::Value) and its JSON pointers, for documents that are checked,
//! converted or generated from; and [`DocumentTree`] with nodes that know their location, for comparisons of large documents.

#![warn(clippy::self_named_module_files)]

mod budget;
mod document;
mod locations;
pub mod pointer;
mod positions;
mod reach;
mod resolve;
pub mod text;
mod tree;
mod walk;

pub use budget::{Budget, YamlError};
pub use document::{Document, METHODS, Operation, component_schemas, is_json, operations};
pub use locations::Locations;
pub use positions::{Position, Positions};
pub use reach::{SCHEMAS, reachable, references};
pub use resolve::{lookup, resolve, resolve_at};
pub use serde_saphyr::DuplicateKeyPolicy;
pub use tree::{DocumentTree, Files, Node, NotOpenApi};
pub use walk::{Place, SchemaNode, field, schemas};
