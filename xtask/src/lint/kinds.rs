//! The keys of each thing in a document, and the kind of JSON that each holds.

use serde_json::Value;

/// The kind of JSON that a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A rule of its own judges it.
    Any,
    Text,
    Flag,
    Number,
    /// A whole number, not below zero.
    Count,
    List,
    /// A list of texts.
    Texts,
    /// A list of mappings.
    Mappings,
    Mapping,
    /// A mapping whose values are mappings.
    Named,
    /// A flag or a mapping.
    Open,
}

impl Kind {
    /// Whether a value is of this kind.
    pub(super) fn fits(self, value: &Value) -> bool {
        let all = |fits: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(fits));
        match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Count => value.is_u64(),
            Self::List => value.is_array(),
            Self::Texts => all(Value::is_string),
            Self::Mappings => all(Value::is_object),
            Self::Mapping => value.is_object(),
            Self::Named => value.as_object().is_some_and(|map| map.values().all(Value::is_object)),
            Self::Open => value.is_boolean() || value.is_object(),
        }
    }

    /// How messages name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Text => "a text",
            Self::Flag => "`true` or `false`",
            Self::Number => "a number",
            Self::Count => "a whole number",
            Self::List => "a list",
            Self::Texts => "a list of texts",
            Self::Mappings => "a list of mappings",
            Self::Mapping => "a mapping",
            Self::Named => "a mapping of names to mappings",
            Self::Open => "`true` or a schema",
        }
    }
}

/// What is known of one kind of thing: its name with an article, and its keys.
pub(super) struct Shape(pub(super) &'static str, pub(super) &'static [(&'static str, Kind)]);

pub(super) const DOCUMENT: Shape = Shape(
    "a document",
    &[
        ("openapi", Kind::Any),
        ("info", Kind::Mapping),
        ("servers", Kind::Mappings),
        ("tags", Kind::Mappings),
        ("security", Kind::Mappings),
        ("paths", Kind::Named),
        ("components", Kind::Mapping),
        ("externalDocs", Kind::Mapping),
    ],
);

pub(super) const INFO: Shape = Shape(
    "`info`",
    &[
        ("title", Kind::Text),
        ("version", Kind::Any),
        ("description", Kind::Text),
        ("termsOfService", Kind::Text),
        ("contact", Kind::Mapping),
        ("license", Kind::Mapping),
    ],
);

pub(super) const SERVER: Shape =
    Shape("a server", &[("url", Kind::Text), ("description", Kind::Text), ("variables", Kind::Named)]);

pub(super) const COMPONENTS: Shape = Shape(
    "`components`",
    &[
        ("parameters", Kind::Named),
        ("requestBodies", Kind::Named),
        ("responses", Kind::Named),
        ("headers", Kind::Named),
        ("examples", Kind::Named),
        ("links", Kind::Named),
        ("callbacks", Kind::Named),
        ("schemas", Kind::Named),
        ("securitySchemes", Kind::Named),
    ],
);

pub(super) const PATH: Shape = Shape(
    "a path",
    &[
        ("summary", Kind::Text),
        ("description", Kind::Text),
        ("servers", Kind::Mappings),
        ("parameters", Kind::Mappings),
        ("get", Kind::Mapping),
        ("put", Kind::Mapping),
        ("post", Kind::Mapping),
        ("delete", Kind::Mapping),
        ("options", Kind::Mapping),
        ("head", Kind::Mapping),
        ("patch", Kind::Mapping),
        ("trace", Kind::Mapping),
    ],
);

pub(super) const OPERATION: Shape = Shape(
    "an operation",
    &[
        ("operationId", Kind::Text),
        ("tags", Kind::Texts),
        ("summary", Kind::Text),
        ("description", Kind::Text),
        ("parameters", Kind::Mappings),
        ("requestBody", Kind::Mapping),
        ("responses", Kind::Named),
        ("deprecated", Kind::Flag),
        ("security", Kind::Mappings),
        ("servers", Kind::Mappings),
        ("externalDocs", Kind::Mapping),
    ],
);

pub(super) const PARAMETER: Shape = Shape(
    "a parameter",
    &[
        ("$ref", Kind::Text),
        ("name", Kind::Text),
        ("in", Kind::Text),
        ("required", Kind::Flag),
        ("description", Kind::Text),
        ("schema", Kind::Mapping),
        ("example", Kind::Any),
        ("examples", Kind::Mapping),
        ("style", Kind::Text),
        ("explode", Kind::Flag),
        ("allowReserved", Kind::Flag),
        ("allowEmptyValue", Kind::Flag),
        ("deprecated", Kind::Flag),
        ("content", Kind::Named),
    ],
);

pub(super) const BODY: Shape = Shape(
    "a request body",
    &[("$ref", Kind::Text), ("description", Kind::Text), ("content", Kind::Named), ("required", Kind::Flag)],
);

pub(super) const ANSWER: Shape = Shape(
    "an answer",
    &[("$ref", Kind::Text), ("description", Kind::Text), ("content", Kind::Named), ("headers", Kind::Named)],
);

pub(super) const MEDIA: Shape = Shape(
    "a media type",
    &[("schema", Kind::Mapping), ("example", Kind::Any), ("examples", Kind::Mapping), ("encoding", Kind::Mapping)],
);

pub(super) const SCHEMA: Shape = Shape(
    "a schema",
    &[
        ("$ref", Kind::Text),
        ("type", Kind::Any),
        ("format", Kind::Text),
        ("title", Kind::Text),
        ("description", Kind::Text),
        ("properties", Kind::Named),
        ("required", Kind::Texts),
        ("additionalProperties", Kind::Open),
        ("items", Kind::Mapping),
        ("enum", Kind::List),
        ("nullable", Kind::Flag),
        ("allOf", Kind::Mappings),
        ("oneOf", Kind::Mappings),
        ("anyOf", Kind::Mappings),
        ("not", Kind::Mapping),
        ("default", Kind::Any),
        ("example", Kind::Any),
        ("deprecated", Kind::Flag),
        ("readOnly", Kind::Flag),
        ("writeOnly", Kind::Flag),
        ("discriminator", Kind::Mapping),
        ("externalDocs", Kind::Mapping),
        ("xml", Kind::Mapping),
        ("minimum", Kind::Number),
        ("maximum", Kind::Number),
        ("exclusiveMinimum", Kind::Flag),
        ("exclusiveMaximum", Kind::Flag),
        ("multipleOf", Kind::Number),
        ("minLength", Kind::Count),
        ("maxLength", Kind::Count),
        ("pattern", Kind::Text),
        ("minItems", Kind::Count),
        ("maxItems", Kind::Count),
        ("uniqueItems", Kind::Flag),
        ("minProperties", Kind::Count),
        ("maxProperties", Kind::Count),
        ("x-enum-varnames", Kind::Texts),
    ],
);
