//! `oneOf`, `anyOf` and several types: written as the one type that holds all alternatives, if there is one.

use std::collections::BTreeSet;

use openapi_document::{
    component_of,
    pointer::{child, item},
    resolve, resolve_at,
};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    field::Nodes,
    keywords::{annotates, beside, describe, is_nullable, kinds, set_nullable, states_something},
    schema::entry_name,
    view::View,
};
use crate::{codegen::identifiers::type_name, import::losses::Kind};

/// Begins the sentence that lists the values of what is any text.
const KNOWN: &str = "Known: ";

impl Converter<'_> {
    /// Returns the alternatives under `oneOf` or `anyOf`.
    pub(super) fn variants(&mut self, map: &Map<String, Value>, key: &str, at: &str, hint: &str) -> Value {
        let list = child(at, key);
        let parts = map.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
        let nodes = parts.map(|(index, part)| (typed_by(map, part), item(&list, index))).collect();
        // What an expandable field is until it is asked for otherwise: an id.
        let converted = if map.contains_key("x-expansionResources") {
            self.losses.add(Kind::Union, at, "an id that may be expanded to an object: only the id is read");
            json!({"type": "string"})
        } else {
            self.union(nodes, at, hint)
        };
        self.compare_type(map, &converted, at);
        let known = converted["description"].as_str().filter(|text| text.starts_with(KNOWN)).map(str::to_owned);
        let mut whole = beside(converted, map);
        if let Some(known) = known.filter(|known| whole["description"] != known.as_str()) {
            super::primitive::add_text(&mut whole, &known);
        }
        whole
    }

    /// Notes a type that contradicts its alternatives.
    fn compare_type(&mut self, map: &Map<String, Value>, converted: &Value, at: &str) {
        let component = component_of(converted).and_then(|name| self.named(name));
        let read = component.as_ref().unwrap_or(converted).get("type").and_then(Value::as_str);
        let stated = map.get("type").map_or_else(Vec::new, |_| kinds(map));
        if let (Some(read), Some(first)) = (read, stated.first())
            && !stated.iter().any(|kind| *kind == read || *kind == "number" && read == "integer")
        {
            let text = format!("the type {first:?} contradicts the alternatives: read as {read:?}");
            self.losses.add(Kind::Type, &child(at, "type"), text);
        }
    }

    /// Returns the one type of alternatives.
    pub(super) fn union(&mut self, nodes: Nodes, at: &str, hint: &str) -> Value {
        let (mut flat, mut seen) = (Nodes::new(), BTreeSet::new());
        for (node, at) in nodes {
            self.flatten(node, at, &mut flat, &mut seen);
        }
        let is_null =
            |node: &Value| node.get("type").and_then(Value::as_str) == Some("null") || *node == json!({"enum": [null]});
        let mut nullable = flat.iter().any(|(node, _)| is_null(node));
        flat.retain(|(node, _)| !is_null(node));
        nullable |= flat.iter().any(|(node, _)| resolve(self.root, node).as_object().is_some_and(is_nullable));
        if flat.len() > 1 {
            let only_empty = |node: &Value| node.get("enum").is_some_and(|values| *values == json!([""]));
            for (_, at) in flat.iter().filter(|(node, _)| only_empty(node)) {
                self.losses.add(Kind::Union, at, "an empty string in place of the value cannot be expressed");
            }
            flat.retain(|(node, _)| !only_empty(node));
        }
        let mut converted = self.one_of(flat, at, hint);
        set_nullable(&mut converted, nullable);
        converted
    }

    fn one_of(&mut self, mut nodes: Nodes, at: &str, hint: &str) -> Value {
        let first = nodes.first().cloned();
        match (first, nodes.len()) {
            (None, _) => return self.any(&Map::new(), at, "only null is described"),
            (Some((node, at)), 1) => return self.convert(&node, &at, hint),
            _ => {}
        }
        nodes.dedup_by(|one, other| one.0 == other.0);
        let mut found = nodes.iter().map(|(node, _)| self.kind(node)).collect::<Vec<_>>();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            ["object"] => {
                let Some(mut view) = self.view_of(&nodes, at).filter(View::has_fields) else {
                    self.losses.add(Kind::Untyped, at, "alternatives that are all maps: their values are any JSON");
                    return json!({"type": "object", "additionalProperties": true});
                };
                if let Some(whole) = self.root.pointer(at) {
                    let targets = nodes.iter().filter_map(|(node, _)| node.get("$ref")?.as_str()?.strip_prefix('#'));
                    self.add_discriminator(&mut view, whole, at, targets);
                }
                let key = self.key_of(&nodes);
                let convert = |converter: &mut Self, name: &str| converter.object_of(view, &Map::new(), at, name);
                self.once(&key, at, &type_name(hint), false, convert)
            }
            ["string"] => self.strings(&nodes, at),
            ["integer"] => self.first_of(&nodes, "integer", at),
            ["integer", "number"] | ["number"] => self.first_of(&nodes, "number", at),
            ["boolean"] => self.first_of(&nodes, "boolean", at),
            // Arrays may be items of each other.
            ["array"] => {
                let key = self.key_of(&nodes);
                self.once(&key, at, &type_name(hint), false, |converter, _| converter.lists(&nodes, at, hint))
            }
            several => {
                let text = format!("alternatives of different kinds ({})", several.join(", "));
                self.any(&Map::new(), at, &text)
            }
        }
    }

    /// Alternatives that are all lists: one of items of all.
    fn lists(&mut self, nodes: &Nodes, at: &str, hint: &str) -> Value {
        let items = nodes.iter().map(|(node, at)| {
            let (at, list) = resolve_at(self.root, at.clone(), node);
            (list.get("items").cloned().unwrap_or_else(|| json!({})), child(&at, "items"))
        });
        let items = items.collect::<Nodes>();
        let location = items.first().map(|(_, at)| at.clone()).unwrap_or_default();
        let (hint, mark) = (entry_name(hint), self.losses.len());
        let converted = self.union(items, &location, &hint);
        // What is lost of items that are written here states it already.
        let is_elsewhere = nodes.iter().any(|(node, _)| node.get("$ref").is_some());
        let differ = nodes.windows(2).any(|pair| resolve(self.root, &pair[0].0) != resolve(self.root, &pair[1].0));
        if differ && (is_elsewhere || self.losses.len() == mark) {
            self.losses.add(Kind::Union, at, "alternatives that are all of the type array became one");
        }
        json!({"type": "array", "items": self.placed(converted, &hint)})
    }

    /// Replaces a node that is itself a choice by its alternatives.
    fn flatten(&self, node: Value, at: String, flat: &mut Nodes, seen: &mut BTreeSet<String>) {
        let target = node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        let (inner, location) = match target.and_then(|target| Some((self.root.pointer(target)?, target))) {
            // Once more it adds nothing: choices of choices would double with every level.
            Some((_, target)) if !seen.insert(target.to_owned()) => return,
            Some((inner, target)) => (inner, target.to_owned()),
            None => (&node, at.clone()),
        };
        if let Some(map) = inner.as_object().filter(|map| !map.contains_key("properties")) {
            for key in ["oneOf", "anyOf"] {
                if let Some(parts) = map.get(key).and_then(Value::as_array).filter(|parts| !parts.is_empty()) {
                    let parts = parts.clone();
                    for (index, part) in parts.into_iter().enumerate() {
                        self.flatten(part, item(&child(&location, key), index), flat, seen);
                    }
                    return;
                }
            }
            let several = map.get("type").and_then(Value::as_array).filter(|all| all.len() > 1);
            if let Some(several) = several {
                for kind in several {
                    let mut one = map.clone();
                    one.insert("type".to_owned(), kind.clone());
                    flat.push((Value::Object(one), location.clone()));
                }
                return;
            }
        }
        flat.push((node, at));
    }

    /// Returns whether a schema is a choice of which each alternative has one text form.
    pub(super) fn is_choice_of_simple(&self, node: &Value, at: &str) -> bool {
        let mut flat = Nodes::new();
        self.flatten(node.clone(), at.to_owned(), &mut flat, &mut BTreeSet::new());
        let simple = |node: &Value| ["string", "integer", "number", "boolean"].contains(&self.kind(node));
        flat.len() > 1 && flat.iter().all(|(node, _)| simple(node))
    }

    /// Returns the type of an alternative for messages; "anything" if it has none.
    pub(super) fn kind(&self, node: &Value) -> &'static str {
        let Some(map) = resolve(self.root, node).as_object() else { return "anything" };
        match kinds(map).as_slice() {
            ["string"] => "string",
            ["integer"] => "integer",
            ["number"] => "number",
            ["boolean"] => "boolean",
            ["array"] => "array",
            ["object"] => "object",
            [] if self.view(node, "").is_some() => "object",
            [] => {
                // A reference in a wrapping that adds text only, or parts of one type.
                let parts = map.get("allOf").and_then(Value::as_array).into_iter().flatten();
                let parts = parts.filter(|part| states_something(part) && *part != node);
                let mut kinds = parts.map(|part| resolve(self.root, part).as_object().map_or("anything", simple_kind));
                let first = kinds.next().unwrap_or("anything");
                if kinds.all(|kind| kind == first) { first } else { "anything" }
            }
            _ => "anything",
        }
    }

    /// Alternatives that are all strings: one list of values, which accepts any other string, too, if some are listed.
    fn strings(&mut self, nodes: &Nodes, at: &str) -> Value {
        let maps = nodes.iter().filter_map(|(node, _)| self.keywords_of_text(node)).collect::<Vec<_>>();
        let lists = maps.iter().map(super::primitive::values).collect::<Vec<_>>();
        let all = json!({"enum": lists.concat()}).as_object().cloned().unwrap_or_default();
        let any_other = super::primitive::values(&all).len() > 1 && maps.iter().all(|map| !map.contains_key("format"));
        if lists.len() == nodes.len() && (any_other || lists.iter().all(|values| !values.is_empty())) {
            return self.scalar(&all, "string", at);
        }
        let format = |map: &Map<String, Value>| map.get("format").cloned();
        let same = maps.windows(2).all(|pair| format(&pair[0]) == format(&pair[1])) && lists.iter().all(Vec::is_empty);
        let mut text = json!({"type": "string"});
        if let (true, Some(first)) = (same, maps.first()) {
            // What all alternatives state.
            let mut common = first.clone();
            common.retain(|key, value| maps.iter().all(|map| map.get(key.as_str()) == Some(value)));
            return self.scalar(&common, "string", at);
        }
        self.losses.add(Kind::Union, at, "alternatives that are all strings became a plain string");
        let listed = lists.concat();
        if !listed.is_empty() {
            let shown = listed.iter().take(20).map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
            super::primitive::add_text(&mut text, &format!("{KNOWN}{shown}."));
        }
        text
    }

    /// Returns the keywords of a string with those of its parts, of which the shortest list of values counts.
    fn keywords_of_text(&self, node: &Value) -> Option<Map<String, Value>> {
        let mut whole = resolve(self.root, node).as_object()?.clone();
        let parts = whole.remove("allOf");
        let parts = parts.as_ref().and_then(Value::as_array).into_iter().flatten();
        for part in parts.filter_map(|part| resolve(self.root, part).as_object()) {
            let (own, added) = (super::primitive::values(&whole).len(), super::primitive::values(part).len());
            let is_wider = added == 0 || (1..=added).contains(&own);
            let is_list = |key: &str| ["enum", "const"].contains(&key);
            if !is_wider {
                whole.retain(|key, _| !is_list(key));
            }
            let added = part.iter().filter(|(key, _)| !is_list(key) || !is_wider);
            whole.extend(added.map(|(key, value)| (key.clone(), value.clone())));
        }
        Some(whole)
    }

    fn first_of(&mut self, nodes: &Nodes, kind: &str, at: &str) -> Value {
        // One type holds what others hold, but for what they list and restrict.
        let is_plain = |node: &Value| {
            let map = resolve(self.root, node).as_object();
            map.is_some_and(|map| map.keys().all(|key| annotates(key) || ["type", "format"].contains(&key.as_str())))
        };
        if !nodes.iter().all(|(node, _)| is_plain(node)) {
            self.losses.add(Kind::Union, at, format!("alternatives that are all of the type {kind} became one"));
        }
        let mut merged = Map::new();
        merged.insert("type".to_owned(), json!(kind));
        let descriptions = nodes.iter().filter_map(|(node, _)| node.get("description"));
        merged.extend(descriptions.take(1).map(|text| ("description".to_owned(), text.clone())));
        let mut converted = self.scalar(&merged, kind, at);
        describe(&mut converted, &merged);
        converted
    }
}

/// Returns the type of a string or a number; "anything" for others.
fn simple_kind(map: &Map<String, Value>) -> &'static str {
    match kinds(map).as_slice() {
        ["string"] => "string",
        ["integer"] => "integer",
        ["number"] => "number",
        _ => "anything",
    }
}

/// Returns an alternative with the type that is stated beside all of them, if it has none.
fn typed_by(whole: &Map<String, Value>, part: &Value) -> Value {
    let Some(kind @ ("string" | "integer" | "number" | "boolean")) = whole.get("type").and_then(Value::as_str) else {
        return part.clone();
    };
    let states_type = |map: &Map<String, Value>| {
        !kinds(map).is_empty() || ["type", "$ref", "allOf", "oneOf", "anyOf"].iter().any(|key| map.contains_key(*key))
    };
    let mut typed = part.clone();
    if let Some(map) = typed.as_object_mut().filter(|map| !states_type(map)) {
        map.insert("type".to_owned(), json!(kind));
    }
    typed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::import::convert::tests::{drafted, responding};

    #[test]
    fn arrays_that_are_items_of_each_other_are_one_type() {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let array = |name: &str, most: usize| json!({"type": "array", "maxItems": most, "items": reference(name)});
        for key in ["oneOf", "allOf"] {
            let root = responding(
                json!({"type": "object", "properties": {"f": {key: [reference("A"), reference("B")]}}}),
                json!({"A": array("B", 1), "B": array("A", 2)}),
            );
            let document = drafted(root).expect("it converts").document();
            let field = &document["components"]["schemas"]["GetAResponse"]["properties"]["f"];
            let item = field["items"]["$ref"].as_str().unwrap_or_else(|| panic!("{key}: {document}"));
            let of_item = document.pointer(item.trim_start_matches('#')).expect("the component");
            assert_eq!(of_item["type"], "array", "{key}: {document}");
        }
    }
}
