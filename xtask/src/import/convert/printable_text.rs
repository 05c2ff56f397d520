//! Documentation of a draft without the characters that rustc rejects in comments.

use openapi_document::pointer::{child, item};
use serde_json::{Map, Value};

use super::ConvertedOperation;
use crate::{
    import::losses::{Kind, Losses, Owner},
    packed::Packed,
    text::{
        markdown::{is_unsafe, safe_characters, unsafe_characters},
        one_line,
    },
};

/// The keys of human-readable strings. Others are on the wire, and have to stay as they are: code has them in literals, escaped.
const DOCUMENTATION: [&str; 4] = ["description", "summary", "title", "ref"];

/// Returns a human-readable name: a title or a tag, in one line. Notes the characters that it removes.
pub(super) fn label(text: &str, at: &str, losses: &mut Losses) -> String {
    let found = unsafe_characters(text);
    if !found.is_empty() {
        losses.add(Kind::Text, at, found.join(", "));
    }
    one_line(&safe_characters(text))
}

/// Removes the characters and notes where.
pub(super) fn clean(
    head: &mut Map<String, Value>,
    operations: &mut [ConvertedOperation],
    schemas: &mut [(String, Packed)],
    losses: &mut Losses,
) {
    let mut cleaned = |node: &mut Value, location: &str, owner: Owner| {
        let mut found = Vec::new();
        walk(node, "", &mut found);
        let outer = losses.belong_to(owner);
        for (at, characters) in found {
            losses.add(Kind::Text, location, format!("{characters} in {at}"));
        }
        losses.belong_to(outer);
    };
    for (key, value) in head.iter_mut() {
        cleaned(value, &child("", key), Owner::Document);
    }
    let mut packed = |packed: &mut Packed, location: &str, owner: Owner| {
        let mut value = packed.value();
        cleaned(&mut value, location, owner);
        *packed = value.into();
    };
    for operation in operations {
        packed(&mut operation.packed, &operation.at, Owner::Operation(operation.id.clone()));
    }
    for (name, schema) in schemas {
        packed(schema, "", Owner::Schema(name.clone()));
    }
}

fn walk(node: &mut Value, at: &str, found: &mut Vec<(String, String)>) {
    match node {
        Value::Object(map) => {
            for (key, value) in map.iter_mut().filter(|(key, _)| *key != "example") {
                let at = child(at, key);
                match value {
                    Value::String(text) if DOCUMENTATION.contains(&key.as_str()) && text.contains(is_unsafe) => {
                        let characters = unsafe_characters(text);
                        *text = safe_characters(text);
                        if !characters.is_empty() {
                            found.push((at, characters.join(", ")));
                        }
                    }
                    value => walk(value, &at, found),
                }
            }
        }
        Value::Array(list) => {
            list.iter_mut().enumerate().for_each(|(index, value)| walk(value, &item(at, index), found));
        }
        _ => {}
    }
}
