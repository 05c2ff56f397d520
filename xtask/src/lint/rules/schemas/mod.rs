//! Rules about schemas.

pub(in crate::lint) mod all_of;
pub(in crate::lint) mod any;
pub(in crate::lint) mod closed_object;
pub(in crate::lint) mod description;
pub(in crate::lint) mod enum_names;
pub(in crate::lint) mod enum_type;
pub(in crate::lint) mod enum_values;
pub(in crate::lint) mod example_value;
pub(in crate::lint) mod format;
pub(in crate::lint) mod free_object;
pub(in crate::lint) mod inline_enum;
pub(in crate::lint) mod inline_object;
pub(in crate::lint) mod keyword;
pub(in crate::lint) mod name;
pub(in crate::lint) mod number;
pub(in crate::lint) mod one_of;
pub(in crate::lint) mod open_object;
pub(in crate::lint) mod property_default;
pub(in crate::lint) mod required;
pub(in crate::lint) mod schema_type;

use openapi_document::{SchemaLocation, SchemaNode};
use serde_json::{Map, Value};

use crate::lint::Context;

fn properties<'a>(node: &SchemaNode<'a>) -> Option<&'a Map<String, Value>> {
    node.schema.get("properties").and_then(Value::as_object)
}

/// Returns the schemas with an enum that has values.
fn enums<'c, 'a>(context: &'c Context<'a>) -> impl Iterator<Item = (&'c SchemaNode<'a>, &'a Vec<Value>)> {
    context.own_schemas().filter_map(|node| {
        let list = node.schema.get("enum")?.as_array()?;
        (!list.iter().all(Value::is_null)).then_some((node, list))
    })
}

/// Returns the enums that become types: components of type string.
fn named_enums<'c, 'a>(context: &'c Context<'a>) -> impl Iterator<Item = (&'c SchemaNode<'a>, &'a Vec<Value>)> {
    enums(context).filter(|(node, _)| node.text("type") == "string" && node.location == SchemaLocation::Component)
}
