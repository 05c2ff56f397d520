//! The fields of each object of a document, with the JSON types that they take.

use serde_json::Value;

/// The JSON type that a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lint) enum Kind {
    /// Another rule checks it.
    Any,
    String,
    Boolean,
    Number,
    /// An integer that is not negative.
    Count,
    Array,
    Strings,
    Objects,
    Object,
    /// An object whose values are objects.
    NamedObjects,
    BooleanOrObject,
}

impl Kind {
    /// Returns whether a value is of this type.
    pub(in crate::lint) fn fits(self, value: &Value) -> bool {
        let all = |fits: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(fits));
        match self {
            Self::Any => true,
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Count => value.is_u64(),
            Self::Array => value.is_array(),
            Self::Strings => all(Value::is_string),
            Self::Objects => all(Value::is_object),
            Self::Object => value.is_object(),
            Self::NamedObjects => value.as_object().is_some_and(|map| map.values().all(Value::is_object)),
            Self::BooleanOrObject => value.is_boolean() || value.is_object(),
        }
    }

    /// The name in messages.
    pub(in crate::lint) const fn name(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::String => "a string",
            Self::Boolean => "`true` or `false`",
            Self::Number => "a number",
            Self::Count => "a whole number",
            Self::Array => "an array",
            Self::Strings => "an array of strings",
            Self::Objects => "an array of objects",
            Self::Object => "an object",
            Self::NamedObjects => "an object of objects",
            Self::BooleanOrObject => "`true` or a schema",
        }
    }
}

/// One kind of object: its name with an article, and its fields.
pub(in crate::lint) struct Shape(pub(in crate::lint) &'static str, pub(in crate::lint) &'static [(&'static str, Kind)]);

pub(in crate::lint) const DOCUMENT: Shape = Shape(
    "a document",
    &[
        ("openapi", Kind::Any),
        ("info", Kind::Object),
        ("servers", Kind::Objects),
        ("tags", Kind::Objects),
        ("security", Kind::Objects),
        ("paths", Kind::NamedObjects),
        ("components", Kind::Object),
        ("externalDocs", Kind::Object),
    ],
);

pub(in crate::lint) const INFO: Shape = Shape(
    "`info`",
    &[
        ("title", Kind::String),
        ("version", Kind::Any),
        ("description", Kind::String),
        ("termsOfService", Kind::String),
        ("contact", Kind::Object),
        ("license", Kind::Object),
    ],
);

pub(in crate::lint) const SERVER: Shape =
    Shape("a server", &[("url", Kind::String), ("description", Kind::String), ("variables", Kind::NamedObjects)]);

pub(in crate::lint) const COMPONENTS: Shape = Shape(
    "`components`",
    &[
        ("parameters", Kind::NamedObjects),
        ("requestBodies", Kind::NamedObjects),
        ("responses", Kind::NamedObjects),
        ("headers", Kind::NamedObjects),
        ("examples", Kind::NamedObjects),
        ("links", Kind::NamedObjects),
        ("callbacks", Kind::NamedObjects),
        ("schemas", Kind::NamedObjects),
        ("securitySchemes", Kind::NamedObjects),
    ],
);

pub(in crate::lint) const PATH: Shape = Shape(
    "a path",
    &[
        ("summary", Kind::String),
        ("description", Kind::String),
        ("servers", Kind::Objects),
        ("parameters", Kind::Objects),
        ("get", Kind::Object),
        ("put", Kind::Object),
        ("post", Kind::Object),
        ("delete", Kind::Object),
        ("options", Kind::Object),
        ("head", Kind::Object),
        ("patch", Kind::Object),
        ("trace", Kind::Object),
    ],
);

pub(in crate::lint) const OPERATION: Shape = Shape(
    "an operation",
    &[
        ("operationId", Kind::String),
        ("tags", Kind::Strings),
        ("summary", Kind::String),
        ("description", Kind::String),
        ("parameters", Kind::Objects),
        ("requestBody", Kind::Object),
        ("responses", Kind::NamedObjects),
        ("deprecated", Kind::Boolean),
        ("security", Kind::Objects),
        ("servers", Kind::Objects),
        ("externalDocs", Kind::Object),
    ],
);

pub(in crate::lint) const PARAMETER: Shape = Shape(
    "a parameter",
    &[
        ("$ref", Kind::String),
        ("name", Kind::String),
        ("in", Kind::String),
        ("required", Kind::Boolean),
        ("description", Kind::String),
        ("schema", Kind::Object),
        ("example", Kind::Any),
        ("examples", Kind::Object),
        ("style", Kind::String),
        ("explode", Kind::Boolean),
        ("allowReserved", Kind::Boolean),
        ("allowEmptyValue", Kind::Boolean),
        ("deprecated", Kind::Boolean),
        ("content", Kind::NamedObjects),
    ],
);

pub(in crate::lint) const BODY: Shape = Shape(
    "a request body",
    &[
        ("$ref", Kind::String),
        ("description", Kind::String),
        ("content", Kind::NamedObjects),
        ("required", Kind::Boolean),
    ],
);

pub(in crate::lint) const RESPONSE: Shape = Shape(
    "a response",
    &[
        ("$ref", Kind::String),
        ("description", Kind::String),
        ("content", Kind::NamedObjects),
        ("headers", Kind::NamedObjects),
    ],
);

pub(in crate::lint) const MEDIA_TYPE: Shape = Shape(
    "a media type",
    &[("schema", Kind::Object), ("example", Kind::Any), ("examples", Kind::Object), ("encoding", Kind::Object)],
);

pub(in crate::lint) const SCHEMA: Shape = Shape(
    "a schema",
    &[
        ("$ref", Kind::String),
        ("type", Kind::Any),
        ("format", Kind::String),
        ("title", Kind::String),
        ("description", Kind::String),
        ("properties", Kind::NamedObjects),
        ("required", Kind::Strings),
        ("additionalProperties", Kind::BooleanOrObject),
        ("items", Kind::Object),
        ("enum", Kind::Array),
        ("nullable", Kind::Boolean),
        ("allOf", Kind::Objects),
        ("oneOf", Kind::Objects),
        ("anyOf", Kind::Objects),
        ("not", Kind::Object),
        ("default", Kind::Any),
        ("example", Kind::Any),
        ("deprecated", Kind::Boolean),
        ("readOnly", Kind::Boolean),
        ("writeOnly", Kind::Boolean),
        ("discriminator", Kind::Object),
        ("externalDocs", Kind::Object),
        ("xml", Kind::Object),
        ("minimum", Kind::Number),
        ("maximum", Kind::Number),
        ("exclusiveMinimum", Kind::Boolean),
        ("exclusiveMaximum", Kind::Boolean),
        ("multipleOf", Kind::Number),
        ("minLength", Kind::Count),
        ("maxLength", Kind::Count),
        ("pattern", Kind::String),
        ("minItems", Kind::Count),
        ("maxItems", Kind::Count),
        ("uniqueItems", Kind::Boolean),
        ("minProperties", Kind::Count),
        ("maxProperties", Kind::Count),
        ("x-enum-varnames", Kind::Strings),
    ],
);
