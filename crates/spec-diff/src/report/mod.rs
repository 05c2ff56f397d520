//! The result of a comparison: a [`Report`] of [`Change`]s.
//!
//! The JSON form is described by [`JSON_SCHEMA`](crate::JSON_SCHEMA); field names here and there are the same.

pub(crate) mod json;

use openapi_document::text::excerpt;
use serde::Serialize;
use serde_json::Value;

use crate::classification::{Bump, Direction, Group, Level, MessagePart, Role};

/// An operation as it is named in the revision; in the base if it was removed. In JSON `["GET", "/path"]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationRef {
    /// Upper case; empty for a whole path.
    pub method: String,
    /// The path's template.
    pub path: String,
}

impl Serialize for OperationRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.method, &self.path).serialize(serializer)
    }
}

impl std::fmt::Display for OperationRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The part of a document that a reader would open to see the change: findings are grouped by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Owner {
    /// The document as a whole: servers, the global security requirement, lists of components, edits that many owners share.
    Document,
    /// A path with all its operations.
    Path {
        /// The path's template.
        path: String,
    },
    /// One operation.
    Operation {
        /// Upper case.
        method: String,
        /// The path's template.
        path: String,
    },
    /// A part of another file, or the whole file.
    File {
        /// The file's path from the document's folder, with a JSON pointer: `models.yaml#/Car`.
        path: String,
    },
    /// A named component.
    Component {
        /// The section of `components`: `schemas`, `parameters`, `securitySchemes`, …
        section: String,
        /// The component's name in the revision; in the base if it was removed.
        name: String,
    },
}

/// A location in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Location {
    /// The file, if it is not the document's own, by its path from the document's folder.
    pub file: Option<String>,
    /// A JSON pointer (RFC 6901) in the file.
    pub pointer: String,
    /// The line in the file's text, from 1; none before [`Report::locate`].
    pub line: Option<u32>,
    /// The column in characters, from 1; none before [`Report::locate`].
    pub column: Option<u32>,
}

/// `/components/schemas/Car`, in another file `models/car.yaml#/Car`.
impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{file}#{}", self.pointer),
            None => f.write_str(&self.pointer),
        }
    }
}

/// One of the things that a change names: a property, an enum's value, a parameter, a scope.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    /// Its name within the owner: `address.city`, `items[].id`, `limit (query)`; empty if the owner itself changed.
    pub name: String,
    /// Its location in the base; none if it was added.
    pub base: Option<Location>,
    /// Its location in the revision; none if it was removed.
    pub revision: Option<Location>,
    /// The part that changed as it was: a type, a limit, a value. Cut to what the rule is about.
    pub before: Option<Value>,
    /// The part that changed as it is now.
    pub after: Option<Value>,
}

/// One finding: what one rule states of one owner, with all members that it concerns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The id that accept files and [`Options::levels`](crate::Options::levels) name, oasdiff's word where it has one:
    /// `response-property-became-nullable`.
    pub id: String,
    /// The rule without direction and location: `became-nullable`. [`rules`](crate::rules::RULES) explains it.
    pub rule: &'static str,
    /// The rule's group, to filter by.
    pub group: Group,
    /// The effect on the wire for programs that work with the base.
    pub level: Level,
    /// The direction of the data.
    pub direction: Direction,
    /// The part of a message, for rules about schemas.
    pub location: Option<MessagePart>,
    /// The part of the document that a reader would open.
    pub owner: Owner,
    /// The members that are concerned, at least one, sorted by name.
    pub members: Vec<Member>,
    /// The operations that the change reaches, sorted.
    #[serde(rename = "ops")]
    pub operations: Vec<OperationRef>,
    /// The roles in which these operations use it, sorted.
    pub roles: Vec<Role>,
    /// The probable step for generated code. A hint: only generating both sides decides.
    pub source: Bump,
    /// One sentence with the owner, the members, before and after.
    pub message: String,
    /// 12 hexadecimal digits of API, id, owner, members, before and after. Lines, order and locations do not change it.
    pub fingerprint: String,
}

/// Title and versions of a document, as it states them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Version {
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// The version of OpenAPI.
    pub openapi: String,
}

/// An operation that at least one change reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TouchedOperation {
    /// Upper case.
    pub method: String,
    /// The path's template.
    pub path: String,
    /// The operation's id, if it has one.
    pub operation_id: Option<String>,
    /// The worst level of the changes that reach it.
    pub level: Level,
}

/// All that changed between two documents of one API.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The API's name, as the caller gave it.
    pub api: String,
    /// The document before.
    pub base: Version,
    /// The document after.
    pub revision: Version,
    /// The worst level of the changes.
    pub wire: Level,
    /// The greatest bump that a change hints at.
    pub source: Bump,
    /// The number of descriptions, titles and examples that differ. They are counted, not listed.
    pub docs_changed: usize,
    /// The number of operations that were compared.
    pub operations_compared: usize,
    /// The operations that changes reach, sorted.
    pub operations: Vec<TouchedOperation>,
    /// The findings, worst first, then by owner.
    #[serde(skip)]
    pub changes: Vec<Change>,
}

/// The two sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The document before.
    Base,
    /// The document after.
    Revision,
}

impl Owner {
    /// Returns the owner as it is named in a sentence, whatever its length.
    pub(crate) fn label(&self) -> String {
        match self {
            Owner::Document => "the API".to_owned(),
            Owner::Path { path } | Owner::File { path } => path.clone(),
            Owner::Operation { method, path } => format!("{method} {path}"),
            Owner::Component { section, name } => match section.as_str() {
                "schemas" => name.clone(),
                "securitySchemes" => format!("security scheme {name}"),
                section => format!(
                    "{} {name}",
                    section.strip_suffix("ies").map_or_else(
                        || section.strip_suffix('s').unwrap_or(section).to_owned(),
                        |stem| format!("{stem}y"),
                    )
                ),
            },
        }
    }
}

/// As messages name it: on one line, and not longer than a line.
impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&excerpt(&self.label(), OWNER))
    }
}

/// The number of characters of an owner's name that are shown.
const OWNER: usize = 160;

impl Member {
    /// Returns its location: in the revision, or in the base if it was removed.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.revision.as_ref().or(self.base.as_ref())
    }
}

impl Change {
    /// Returns the message without the owner at its beginning.
    #[must_use]
    pub fn statement(&self) -> &str {
        let owner = self.owner.to_string();
        self.message.strip_prefix(&owner).unwrap_or(&self.message).trim_start_matches([',', ':', ' '])
    }
}

impl Report {
    /// Fills in the positions of all locations: `position` returns line and column of a location in a side's text.
    pub fn locate(&mut self, position: impl Fn(Side, &Location) -> Option<(u32, u32)>) {
        for member in self.changes.iter_mut().flat_map(|change| &mut change.members) {
            for (side, location) in [(Side::Base, &mut member.base), (Side::Revision, &mut member.revision)] {
                if let Some(location) = location {
                    (location.line, location.column) = position(side, location).unzip();
                }
            }
        }
    }
}
