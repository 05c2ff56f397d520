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

    /// Returns the name in messages.
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

/// One kind of object: its name with an article, and its fields by the JSON type that they take.
pub(in crate::lint) struct Shape(pub(in crate::lint) &'static str, &'static [(Kind, &'static str)]);

impl Shape {
    /// Returns the JSON type of a field, if the object has it.
    pub(in crate::lint) fn kind_of(&self, field: &str) -> Option<Kind> {
        let is_here = |names: &str| names.split_whitespace().any(|name| name == field);
        self.1.iter().find(|(_, names)| is_here(names)).map(|(kind, _)| *kind)
    }
}

pub(in crate::lint) const DOCUMENT: Shape = Shape(
    "a document",
    &[
        (Kind::Any, "openapi"),
        (Kind::Object, "info components externalDocs"),
        (Kind::Objects, "servers tags security"),
        (Kind::NamedObjects, "paths"),
    ],
);

pub(in crate::lint) const INFO: Shape = Shape(
    "`info`",
    &[(Kind::String, "title description termsOfService"), (Kind::Any, "version"), (Kind::Object, "contact license")],
);

pub(in crate::lint) const SERVER: Shape =
    Shape("a server", &[(Kind::String, "url description"), (Kind::NamedObjects, "variables")]);

pub(in crate::lint) const COMPONENTS: Shape = Shape(
    "`components`",
    &[
        (Kind::NamedObjects, "parameters requestBodies responses headers examples links callbacks"),
        (Kind::NamedObjects, "schemas securitySchemes"),
    ],
);

pub(in crate::lint) const PATH: Shape = Shape(
    "a path",
    &[
        (Kind::String, "summary description"),
        (Kind::Objects, "servers parameters"),
        (Kind::Object, "get put post delete options head patch trace"),
    ],
);

pub(in crate::lint) const OPERATION: Shape = Shape(
    "an operation",
    &[
        (Kind::String, "operationId summary description"),
        (Kind::Strings, "tags"),
        (Kind::Objects, "parameters security servers"),
        (Kind::Object, "requestBody externalDocs"),
        (Kind::NamedObjects, "responses"),
        (Kind::Boolean, "deprecated"),
    ],
);

pub(in crate::lint) const PARAMETER: Shape = Shape(
    "a parameter",
    &[
        (Kind::String, "$ref name in description style"),
        (Kind::Boolean, "required explode allowReserved allowEmptyValue deprecated"),
        (Kind::Object, "schema examples"),
        (Kind::Any, "example"),
        (Kind::NamedObjects, "content"),
    ],
);

pub(in crate::lint) const BODY: Shape = Shape(
    "a request body",
    &[(Kind::String, "$ref description"), (Kind::NamedObjects, "content"), (Kind::Boolean, "required")],
);

pub(in crate::lint) const RESPONSE: Shape =
    Shape("a response", &[(Kind::String, "$ref description"), (Kind::NamedObjects, "content headers")]);

pub(in crate::lint) const MEDIA_TYPE: Shape =
    Shape("a media type", &[(Kind::Object, "schema examples encoding"), (Kind::Any, "example")]);

pub(in crate::lint) const SCHEMA: Shape = Shape(
    "a schema",
    &[
        (Kind::String, "$ref format title description pattern"),
        (Kind::Any, "type default example"),
        (Kind::NamedObjects, "properties"),
        (Kind::Strings, "required x-enum-varnames"),
        (Kind::BooleanOrObject, "additionalProperties"),
        (Kind::Object, "items not discriminator externalDocs xml"),
        (Kind::Array, "enum"),
        (Kind::Boolean, "nullable deprecated readOnly writeOnly exclusiveMinimum exclusiveMaximum uniqueItems"),
        (Kind::Objects, "allOf oneOf anyOf"),
        (Kind::Number, "minimum maximum multipleOf"),
        (Kind::Count, "minLength maxLength minItems maxItems minProperties maxProperties"),
    ],
);
