//! The fields of each object of a document, with the JSON types that they take.

use serde_json::Value;

/// The JSON type that a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lint) enum ValueType {
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

impl ValueType {
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

/// A sort of object: its name with an article, and its fields by the JSON type that they take.
pub(in crate::lint) struct Shape(pub(in crate::lint) &'static str, &'static [(ValueType, &'static str)]);

impl Shape {
    /// Returns the JSON type of a field, if the object has it.
    pub(in crate::lint) fn type_of(&self, field: &str) -> Option<ValueType> {
        let is_here = |names: &str| names.split_whitespace().any(|name| name == field);
        self.1.iter().find(|(_, names)| is_here(names)).map(|(value_type, _)| *value_type)
    }
}

pub(in crate::lint) const DOCUMENT: Shape = Shape(
    "a document",
    &[
        (ValueType::Any, "openapi"),
        (ValueType::Object, "info components externalDocs"),
        (ValueType::Objects, "servers tags security"),
        (ValueType::NamedObjects, "paths"),
    ],
);

pub(in crate::lint) const INFO: Shape = Shape(
    "`info`",
    &[
        (ValueType::String, "title description termsOfService"),
        (ValueType::Any, "version"),
        (ValueType::Object, "contact license"),
    ],
);

pub(in crate::lint) const SERVER: Shape =
    Shape("a server", &[(ValueType::String, "url description"), (ValueType::NamedObjects, "variables")]);

pub(in crate::lint) const COMPONENTS: Shape = Shape(
    "`components`",
    &[
        (ValueType::NamedObjects, "parameters requestBodies responses headers examples links callbacks"),
        (ValueType::NamedObjects, "schemas securitySchemes"),
    ],
);

pub(in crate::lint) const PATH: Shape = Shape(
    "a path",
    &[
        (ValueType::String, "summary description"),
        (ValueType::Objects, "servers parameters"),
        (ValueType::Object, "get put post delete options head patch trace"),
    ],
);

pub(in crate::lint) const OPERATION: Shape = Shape(
    "an operation",
    &[
        (ValueType::String, "operationId summary description"),
        (ValueType::Strings, "tags"),
        (ValueType::Objects, "parameters security servers"),
        (ValueType::Object, "requestBody externalDocs"),
        (ValueType::NamedObjects, "responses"),
        (ValueType::Boolean, "deprecated"),
    ],
);

pub(in crate::lint) const PARAMETER: Shape = Shape(
    "a parameter",
    &[
        (ValueType::String, "$ref name in description style"),
        (ValueType::Boolean, "required explode allowReserved allowEmptyValue deprecated"),
        (ValueType::Object, "schema examples"),
        (ValueType::Any, "example"),
        (ValueType::NamedObjects, "content"),
    ],
);

pub(in crate::lint) const BODY: Shape = Shape(
    "a request body",
    &[(ValueType::String, "$ref description"), (ValueType::NamedObjects, "content"), (ValueType::Boolean, "required")],
);

pub(in crate::lint) const RESPONSE: Shape =
    Shape("a response", &[(ValueType::String, "$ref description"), (ValueType::NamedObjects, "content headers")]);

pub(in crate::lint) const MEDIA_TYPE: Shape =
    Shape("a media type", &[(ValueType::Object, "schema examples encoding"), (ValueType::Any, "example")]);

pub(in crate::lint) const SCHEMA: Shape = Shape(
    "a schema",
    &[
        (ValueType::String, "$ref format title description pattern"),
        (ValueType::Any, "type default example"),
        (ValueType::NamedObjects, "properties"),
        (ValueType::Strings, "required x-enum-varnames"),
        (ValueType::BooleanOrObject, "additionalProperties"),
        (ValueType::Object, "items not discriminator externalDocs xml"),
        (ValueType::Array, "enum"),
        (ValueType::Boolean, "nullable deprecated readOnly writeOnly exclusiveMinimum exclusiveMaximum uniqueItems"),
        (ValueType::Objects, "allOf oneOf anyOf"),
        (ValueType::Number, "minimum maximum multipleOf"),
        (ValueType::Count, "minLength maxLength minItems maxItems minProperties maxProperties"),
    ],
);
