//! One field of an object: what alternatives and parts of `allOf` state of it.

use serde_json::{Map, Value, json};

use super::keywords::{kinds, states_something};

/// Schemas with their locations.
pub(super) type Nodes = Vec<(Value, String)>;

#[derive(Clone)]
pub(super) struct Field {
    /// The schemas of the field: one, unless alternatives differ in it.
    pub(super) nodes: Nodes,
    /// What other parts of `allOf` state of the same field, beside the one schema.
    pub(super) also: Nodes,
    pub(super) required: bool,
}
impl Field {
    pub(super) fn of(node: Value, at: String, required: bool) -> Self {
        Self { nodes: vec![(node, at)], also: Vec::new(), required }
    }

    /// Adds what another part of `allOf` states of the field. A part without a type may still be nullable.
    pub(super) fn refine(&mut self, mut other: Self) {
        let states = |nodes: &Nodes| nodes.iter().any(|(node, _)| states_something(node));
        self.required |= other.required;
        if !states(&self.nodes) {
            std::mem::swap(&mut self.nodes, &mut other.nodes);
        }
        let only_null = |node: &Value| node.get("type").and_then(Value::as_str) == Some("null");
        match (self.nodes.as_slice(), other.nodes.as_slice()) {
            ([(own, at)], [(added, added_at)]) if own != added => {
                let is_null = only_null(added) || added.get("nullable") == Some(&json!(true));
                let kind = |node: &Value| node.get("type").cloned();
                // Objects and arrays have parts, which are merged by what they describe.
                let is_same_type = kind(own) == kind(added);
                let has_parts = |node: &Value| kind(node).is_some_and(|kind| kind == "object" || kind == "array");
                let merged = match (is_typed(own) && !only_null(own), is_typed(added) && !only_null(added)) {
                    (true, true) if is_same_type && kind(own).is_some() && !has_parts(own) => merged(own, added),
                    (true, true) => {
                        self.also.push((added.clone(), added_at.clone()));
                        own.clone()
                    }
                    (false, true) if is_same_type => merged(own, added),
                    (_, true) => added.clone(),
                    (_, false) if only_null(added) => own.clone(),
                    (_, false) => merged(own, added),
                };
                let merged = if is_null { with_null(merged) } else { merged };
                self.nodes = vec![(merged, at.clone())];
            }
            ([_], [_]) => {}
            // Of alternatives, each of which is refined.
            _ if states(&other.nodes) => self.also.append(&mut other.nodes),
            _ => {}
        }
        self.also.append(&mut other.also);
    }

    /// Returns the field as one of several alternatives.
    pub(super) fn alternatives(&mut self) -> &mut Nodes {
        if !self.also.is_empty() {
            let at = self.nodes.first().map(|(_, at)| at.clone()).unwrap_or_default();
            self.nodes = vec![(self.node(), at)];
            self.also.clear();
        }
        &mut self.nodes
    }

    /// Returns one schema of all that is stated of the field.
    pub(super) fn node(&self) -> Value {
        let nodes = self.nodes.iter().map(|(node, _)| node.clone()).collect::<Vec<_>>();
        let node = match nodes.as_slice() {
            [only] => only.clone(),
            several => json!({"anyOf": several}),
        };
        if self.also.is_empty() {
            return node;
        }
        let others = self.also.iter().map(|(node, _)| node.clone());
        json!({"allOf": std::iter::once(node).chain(others).collect::<Vec<_>>()})
    }
}

/// Returns whether a schema states a type, or has parts or alternatives that do.
pub(super) fn is_typed(node: &Value) -> bool {
    let map = node.as_object();
    map.is_some_and(|map| {
        !kinds(map).is_empty() || ["$ref", "allOf", "oneOf", "anyOf"].iter().any(|key| map.contains_key(*key))
    })
}

/// Returns a schema with the keywords that another adds to it. A reference has none beside it.
fn merged(own: &Value, other: &Value) -> Value {
    let (Some(first), Some(second)) = (own.as_object(), other.as_object()) else { return own.clone() };
    if first.contains_key("$ref") {
        let text = second.get("description").cloned();
        let mut whole = json!({"allOf": [own]});
        if let Some(text) = text {
            whole["description"] = text;
        }
        return whole;
    }
    let mut all = first.clone();
    all.extend(second.iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(all)
}

/// Returns whether two schemas differ in their documentation only, or in an `allOf` around a reference alone. Fields of the other
/// direction are left out already. Copies nothing: each of many alternatives is compared with all before it.
pub(super) fn is_alike(one: &Value, other: &Value) -> bool {
    match (unwrapped(one).as_object(), unwrapped(other).as_object()) {
        (Some(one), Some(other)) => {
            keywords(one).all(|(key, value)| other.get(key) == Some(value))
                && keywords(one).count() == keywords(other).count()
        }
        _ => one == other,
    }
}

/// Returns the part of an `allOf` that has one part, and nothing beside it but documentation.
fn unwrapped(node: &Value) -> &Value {
    let Some(map) = node.as_object() else { return node };
    match map.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if keywords(map).count() == 1 => only,
        _ => node,
    }
}

/// Returns the keywords of a schema other than documentation.
fn keywords(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let documentation =
        ["description", "title", "example", "examples", "externalDocs", "deprecated", "readOnly", "writeOnly"];
    map.iter().filter(move |(key, _)| !documentation.contains(&key.as_str()))
}

/// Returns the same schema, which may be null.
fn with_null(node: Value) -> Value {
    let mut node = if node.get("$ref").is_some() { json!({"allOf": [node]}) } else { node };
    node["nullable"] = json!(true);
    node
}
