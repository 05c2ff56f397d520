//! Classification of a change: its level, the step of a version, the direction of its data, and what it is about.

use serde::Serialize;

/// The severity of a change. The order is intended: `Breaking` is the greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing changes on the wire; names in generated code may.
    #[default]
    None,
    /// Working programs continue to work.
    Info,
    /// Some programs may behave differently, or the effect is unknown.
    Warning,
    /// Programs that work may fail.
    Breaking,
}

/// A step of a version under semantic versioning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// Generated code stays as it is.
    #[default]
    None,
    /// Fixes: the generated code's behaviour changes, its items do not.
    Patch,
    /// New items.
    Minor,
    /// Items that exist change or go away.
    Major,
}

/// The direction of the data that a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// What callers send.
    Request,
    /// What callers receive.
    Response,
    /// The change was found in what is sent and in what is received; the worse of the two decides `id` and `level`.
    Both,
    /// No data: operations, security, servers.
    None,
}

/// The part of an operation in which the changed value is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The operation itself: its path, method, security, server.
    Operation,
    /// A parameter in path, query, header or cookie.
    Parameter,
    /// The request's body.
    Request,
    /// The body of a successful response (2xx, 3xx).
    Response,
    /// The body of any other response.
    Error,
    /// A header of a response.
    Header,
}

/// The subject of a rule, to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of OpenAPI")]
pub enum Group {
    Operations,
    Deprecation,
    Security,
    Servers,
    Parameters,
    RequestBody,
    Responses,
    MediaTypes,
    Headers,
    Properties,
    TypeFormat,
    Nullable,
    Enums,
    Composition,
    Constraints,
    Defaults,
    Mutability,
    Components,
    Unknown,
}

/// The part of a message that a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessagePart {
    /// The body itself.
    Body,
    /// A property, or an item of a list, anywhere below a body.
    Property,
    /// A parameter itself.
    Parameter,
    /// A part of a structured parameter.
    ParameterProperty,
    /// A header of a response.
    Header,
}

impl MessagePart {
    pub(crate) const ALL: [Self; 5] =
        [Self::Body, Self::Property, Self::Parameter, Self::ParameterProperty, Self::Header];

    /// Returns the word in a finding's id.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Property => "property",
            Self::Parameter => "parameter",
            Self::ParameterProperty => "parameter-property",
            Self::Header => "header",
        }
    }

    /// Returns the part that is inside of this one.
    pub(crate) const fn inside(self) -> Self {
        match self {
            Self::Body | Self::Property => Self::Property,
            Self::Parameter | Self::ParameterProperty => Self::ParameterProperty,
            Self::Header => Self::Header,
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Breaking => "breaking",
        })
    }
}

impl std::fmt::Display for Bump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}
