//! A small document that keeps all rules, for tests to break.

use openapi_document::Document;
use serde_json::Value;

/// The document's text.
pub(crate) const MINI: &str = include_str!("mini.yaml");

/// The small document.
pub(crate) fn mini() -> Document {
    Document::parse("openapi/mini.yaml", MINI).expect("it is YAML")
}

/// The small document with one value set or, at the end of a list, added; or removed, if it is null.
pub(crate) fn changed(pointer: &str, value: Value) -> Document {
    let mut document = mini();
    let (parent, key) = pointer.rsplit_once('/').expect("it is a pointer");
    let key = openapi_document::pointer::unescape(key);
    match document.root.pointer_mut(parent).expect("the parent exists") {
        Value::Object(map) if value.is_null() => {
            map.remove(&key);
        }
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(list) => match key.parse::<usize>().expect("it is an index") {
            index if value.is_null() => drop(list.remove(index)),
            index if index == list.len() => list.push(value),
            index => list[index] = value,
        },
        other => panic!("{other} holds nothing"),
    }
    document
}
