//! OpenAPI documents as trees of JSON values: parsing within limits, positions in the text, JSON pointers, references, schemas.
//!
//! Two views of one model: functions over a [`Value`](serde_json::Value) and its JSON pointers, for documents that are checked,
//! converted or generated from; and [`DocumentTree`] with nodes that have their location, for comparisons of large documents.
//!
//! The feature `yaml`, on by default, contains everything that needs the YAML parser: documents as files have them, and positions in their text.
//! Without it, documents are JSON that the caller parses, and serde and serde_json are the only dependencies.

// The README's example is a test.
#[cfg(all(doctest, feature = "yaml"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod addresses;
mod budget;
#[cfg(feature = "yaml")]
mod document;
mod files;
mod index;
#[cfg(feature = "yaml")]
mod locations;
mod names;
mod node;
mod operation;
pub mod pointer;
#[cfg(feature = "yaml")]
mod positions;
mod reach;
mod resolve;
pub mod text;
mod tree;
mod walk;

pub use addresses::Addresses;
#[cfg(feature = "yaml")]
pub use budget::YamlError;
pub use budget::{Budget, Unread};
#[cfg(feature = "yaml")]
pub use document::{Document, is_json};
pub use files::Files;
pub use index::{gives_names, names_file, outside_references};
#[cfg(feature = "yaml")]
pub use locations::Locations;
pub use node::Node;
pub use operation::{METHODS, Operation, component_of, component_schemas, is_same_parameter, operations};
#[cfg(feature = "yaml")]
pub use positions::{Position, Positions};
pub use reach::{SCHEMAS, reachable, references};
pub use resolve::{lookup, resolve, resolve_at};
#[cfg(feature = "yaml")]
pub use serde_saphyr::DuplicateKeyPolicy;
pub use tree::{DocumentTree, NotOpenApi};
pub use walk::{SchemaLocation, SchemaNode, field, schemas};
