//! How parts of a form are written.

use std::collections::BTreeMap;

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

/// The encodings of a form's parts, without what is so anyway.
pub(super) fn parts<'a>(
    document: &DocumentTree<'a>,
    name: &str,
    media: &Node<'a>,
) -> BTreeMap<&'a str, BTreeMap<&'a str, &'a Value>> {
    let is_usual = |style: &str, key: &str, value: &Value| match key {
        // In `multipart`, a style of any kind says that the part is not written as its media type is.
        "style" => value == "form" && name.contains("urlencoded"),
        "explode" => value.as_bool() == Some(style == "form"),
        "allowReserved" => value == &Value::Bool(false),
        // That of all parts of which nothing is said.
        "contentType" => value == "application/octet-stream",
        "headers" => value.as_object().is_some_and(serde_json::Map::is_empty),
        key => key.starts_with("x-"),
    };
    let part = |(name, part): (&'a str, Node<'a>)| {
        let style = part.text("style").unwrap_or("form");
        (name, part.members().filter(|(key, value)| !is_usual(style, key, value)).collect::<BTreeMap<_, _>>())
    };
    let mut parts: BTreeMap<_, _> =
        media.get("encoding").iter().flat_map(Node::entries).map(part).filter(|(_, part)| !part.is_empty()).collect();
    // From 3.1 on, schemas may name the type of a part.
    let schema = media.get("schema").filter(|_| name.starts_with("multipart/")).map(|schema| document.resolve(schema));
    for (name, property) in schema.and_then(|schema| schema.get("properties")).iter().flat_map(Node::entries) {
        let media_type = property.value.get("contentMediaType").filter(|name| *name != "application/octet-stream");
        if let Some(media_type) = media_type {
            parts.entry(name).or_default().entry("contentType").or_insert(media_type);
        }
    }
    parts
}
