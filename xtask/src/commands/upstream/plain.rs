//! Schemas as the comparison sees them.

use serde_json::Value;

use crate::import;

/// A schema with its references followed, and whether it may be null.
pub(super) struct Plain<'a> {
    pub(super) schema: &'a Value,
    /// The component that it is.
    pub(super) component: Option<String>,
    pub(super) nullable: bool,
}

/// A node with its references followed.
pub(super) fn plain<'a>(root: &'a Value, mut node: &'a Value) -> Plain<'a> {
    let (mut component, mut nullable) = (None, false);
    for _ in 0..16 {
        nullable |= node.get("nullable").and_then(Value::as_bool).unwrap_or_default();
        if let Some(target) = node.get("$ref").and_then(Value::as_str) {
            component = Some(target.to_owned());
            let Some(next) = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else { break };
            node = next;
        } else if let Some(part) = node.get("allOf").and_then(|parts| parts.get(0)) {
            node = part;
        } else {
            break;
        }
    }
    Plain { schema: node, component, nullable }
}

/// What a plain schema is.
pub(super) fn kind(schema: &Value) -> &str {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("any");
    if kind == "object" && schema.get("properties").is_none() { "map" } else { kind }
}

pub(super) fn shown(schema: &Value) -> String {
    let kind = kind(schema);
    match schema.get("format").and_then(Value::as_str) {
        Some(format) => format!("{kind} ({format})"),
        None if schema.get("enum").is_some() => "a list of values".to_owned(),
        None => kind.to_owned(),
    }
}

/// The schema of a request or response body: of its one media type.
pub(super) fn schema_of(holder: &Value) -> Option<&Value> {
    let content = holder.get("content")?.as_object()?;
    let json = content.iter().find(|(media, _)| import::is_json(media)).or_else(|| content.iter().next());
    json?.1.get("schema")
}
