//! One schema after the other.

use std::borrow::Cow;

use openapi_document::{
    pointer::{child, item},
    resolve,
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Converter,
    field::Nodes,
    keywords::{UNREAD, annotates, beside, describe, is_nullable, kinds, set_nullable},
};
use crate::{
    codegen::identifiers::type_name,
    example_mismatches::{mismatch_text, mismatches},
    import::{losses::Kind, parse::Edition},
};

/// So deep may schemas be nested, references included; real ones are a tenth as deep.
const DEEPEST: usize = 400;

impl Converter<'_> {
    /// Returns a schema as it stands where it is used: components are referred to. `hint` is what a component made of it is
    /// called.
    pub(super) fn schema(&mut self, node: &Value, at: &str, hint: &str) -> Value {
        let parts = ["properties", "allOf"];
        if node.get("$ref").is_some() || !parts.iter().any(|key| node.get(*key).is_some()) {
            let converted = self.convert(node, at, hint);
            return self.placed(converted, hint);
        }
        // What has parts may be reached again from one of them, or by way of a union that it is in.
        let nullable = node.as_object().is_some_and(is_nullable);
        let key = self.direction_key(node).to_owned() + &fingerprint(std::iter::once((at, node)));
        self.once(&key, at, &type_name(hint), nullable, |converter, name| converter.convert(node, at, name))
    }

    /// Returns a schema as a component would have it.
    pub(super) fn convert(&mut self, node: &Value, at: &str, hint: &str) -> Value {
        if self.depth >= DEEPEST {
            return self.any(&Map::new(), at, "nested too deep");
        }
        self.depth += 1;
        let converted = self.convert_nested(node, at, hint);
        self.depth -= 1;
        // An example of a schema with fields of one direction may have those of the other.
        if node.get("$ref").is_none() && self.direction_key(node).is_empty() {
            self.compare_examples(node, &converted, at);
        }
        converted
    }

    /// Returns the key of the one type of several schemas, for [`once`](Self::once).
    pub(super) fn key_of(&self, nodes: &Nodes) -> String {
        let direction = nodes.iter().map(|(node, _)| self.direction_key(node)).max().unwrap_or_default();
        direction.to_owned() + &fingerprint(nodes.iter().map(|(node, at)| (at.as_str(), node)))
    }

    /// Notes the examples of a schema or a parameter that do not fit the converted schema.
    pub(super) fn compare_examples(&mut self, node: &Value, converted: &Value, at: &str) {
        let list = child(at, "examples");
        let several = node.get("examples").and_then(Value::as_array).into_iter().flatten().enumerate();
        let several = several.map(|(index, example)| (item(&list, index), example));
        let all = node.get("example").map(|example| (child(at, "example"), example)).into_iter().chain(several);
        // Null may be one of several types, which are converted one by one.
        for (location, example) in all.filter(|(_, example)| !example.is_null()) {
            let component = |name: &str| self.named(name).map(Cow::Owned);
            let found = mismatches(converted, example, &component);
            found.iter().for_each(|mismatch| self.losses.add(Kind::Evidence, &location, mismatch_text(mismatch)));
        }
    }

    fn convert_nested(&mut self, node: &Value, at: &str, hint: &str) -> Value {
        let Some(map) = node.as_object() else {
            let why = match node {
                Value::Bool(true) => "any value is allowed",
                Value::Bool(false) => "no value is allowed",
                _ => "the specification does not describe it",
            };
            return self.any(&Map::new(), at, why);
        };
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            let beside_it = map.iter().filter(|(key, _)| *key != "$ref" && !annotates(key));
            let beside_it = beside_it.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>();
            if !beside_it.is_empty() && self.edition == Edition::OpenApi31 {
                let parts = json!([{"$ref": target}, beside_it]);
                let mut whole = map.clone();
                whole.retain(|key, _| annotates(key));
                if is_nullable(map) {
                    whole.insert("nullable".to_owned(), json!(true));
                }
                whole.insert("allOf".to_owned(), parts);
                return self.convert(&Value::Object(whole), at, hint);
            }
            if !beside_it.is_empty() {
                let names = beside_it.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                self.losses.add(
                    Kind::Other,
                    at,
                    format!("{names} beside a reference: ignored, as OpenAPI 3.0 requires"),
                );
            }
            let referred = self.refer(target, at);
            // OpenAPI 3.0 ignores an example beside a reference.
            if self.edition == Edition::OpenApi31 && self.direction_key(resolve(self.root, node)).is_empty() {
                self.compare_examples(node, &referred, at);
            }
            return beside(referred, map);
        }
        for key in UNREAD.iter().filter(|key| map.contains_key(**key)) {
            self.note_unread(&child(at, key));
        }
        if map.get("allOf").is_some_and(|parts| parts.as_array().is_some_and(|parts| !parts.is_empty())) {
            return self.all_of(node, map, at, hint);
        }
        // What is listed beside alternatives is all that there is.
        let is_listed = (map.contains_key("enum") || map.contains_key("const")) && kinds(map).len() == 1;
        for key in ["oneOf", "anyOf"].into_iter().filter(|_| !is_listed) {
            if map.get(key).is_some_and(|parts| parts.as_array().is_some_and(|parts| !parts.is_empty())) {
                let fields = map.get("properties").is_some_and(Value::is_object);
                return if fields { self.object(node, at, hint) } else { self.variants(map, key, at, hint) };
            }
        }
        let kinds = kinds(map);
        let nullable = is_nullable(map);
        match kinds.as_slice() {
            [] if map.contains_key("$dynamicRef") => self.any(map, at, "`$dynamicRef` is not followed"),
            [] => {
                let why = match listed(map).as_slice() {
                    _ if map.get("type") == Some(&json!("null")) => "only null is described",
                    [] => "the specification does not describe its type",
                    listed if listed.iter().all(|value| value.is_null()) => "only null is described",
                    _ => "values that are listed, and are neither strings nor numbers",
                };
                self.any(map, at, why)
            }
            [kind] => {
                let mut converted = match *kind {
                    "object" => self.object(node, at, hint),
                    "array" => self.list(map, at, hint),
                    kind => self.scalar(map, kind, at),
                };
                set_nullable(&mut converted, nullable);
                converted
            }
            several => {
                let each = several.iter().map(|kind| {
                    let mut one = map.clone();
                    one.insert("type".to_owned(), json!(kind));
                    (Value::Object(one), at.to_owned())
                });
                let each = each.collect();
                let mut converted = self.union(each, at, hint);
                set_nullable(&mut converted, nullable);
                beside(converted, map)
            }
        }
    }

    /// Notes a keyword that is not read.
    pub(super) fn note_unread(&mut self, at: &str) {
        let key = at.rsplit('/').next().unwrap_or_default();
        let text = format!("`{key}` is not read: fields that only it describes are missing");
        self.losses.add(Kind::Other, at, text);
    }

    /// Returns a list: its entries are what one of them is.
    fn list(&mut self, map: &Map<String, Value>, at: &str, hint: &str) -> Value {
        if !listed(map).is_empty() {
            self.losses.add(Kind::Enum, at, "the listed arrays are not kept: read as arrays of any items");
        }
        let first = map.get("prefixItems").and_then(Value::as_array).into_iter().flatten().enumerate();
        let first = first.map(|(index, node)| (node.clone(), item(&child(at, "prefixItems"), index)));
        let mut nodes = first.collect::<Nodes>();
        let (whole, at) = (at, child(at, "items"));
        let maximum = map.get("maxItems").and_then(Value::as_u64).and_then(|maximum| usize::try_from(maximum).ok());
        match map.get("items") {
            // There are no others than those of a type for each position.
            Some(Value::Bool(false)) if !nodes.is_empty() => {}
            Some(items @ (Value::Object(_) | Value::Bool(_))) => nodes.push((items.clone(), at.clone())),
            _ if nodes.is_empty() || maximum.is_some_and(|maximum| maximum <= nodes.len()) => {}
            _ => nodes.push((json!(true), at.clone())),
        }
        let hint = entry_name(hint);
        let items = match nodes.as_slice() {
            [] => self.any(&Map::new(), &at, "the specification does not describe the items"),
            [(items, at)] => self.schema(items, at, &hint),
            _ => {
                let mark = self.losses.len();
                let converted = self.union(nodes.clone(), &at, &hint);
                if converted.get("x-any").is_some() {
                    self.losses.truncate(mark);
                    self.any(&Map::new(), whole, "items of a type for each position (prefixItems)")
                } else {
                    self.placed(converted, &hint)
                }
            }
        };
        let mut list = json!({"type": "array", "items": items});
        describe(&mut list, map);
        list
    }

    /// Returns a schema that is any JSON, and why.
    pub(super) fn any(&mut self, map: &Map<String, Value>, at: &str, why: &str) -> Value {
        self.losses.add(Kind::Untyped, at, why);
        let mut any = json!({"x-any": true});
        describe(&mut any, map);
        any
    }
}

/// Returns the values that a schema lists.
fn listed(map: &Map<String, Value>) -> Vec<&Value> {
    map.get("enum").and_then(Value::as_array).into_iter().flatten().chain(map.get("const")).collect()
}

/// Returns a digest that distinguishes schemas at the same locations. Not the schemas themselves: nested ones would hold each
/// other's text.
fn fingerprint<'n>(nodes: impl Iterator<Item = (&'n str, &'n Value)>) -> String {
    let mut digest = Sha256::new();
    for (at, node) in nodes {
        digest.update(format!("{at} {node} | "));
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the name of a list's entry.
pub(super) fn entry_name(list: &str) -> String {
    match list.strip_suffix("ies").map(|stem| format!("{stem}y")).or_else(|| singular(list)) {
        Some(name) => name,
        None => format!("{list}-item"),
    }
}

fn singular(list: &str) -> Option<String> {
    let stem = list.strip_suffix('s').filter(|stem| !stem.ends_with(['s', 'u', 'i']) && stem.len() > 2)?;
    Some(stem.to_owned())
}
