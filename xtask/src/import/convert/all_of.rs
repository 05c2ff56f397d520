//! `allOf`: its only part with more than annotations, one object of all parts, or one schema with the keywords of all.

use std::collections::BTreeSet;

use openapi_document::{
    pointer::{child, item},
    resolve_at,
};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    field::{Nodes, is_typed},
    keywords::{annotates, beside, describe, is_nullable, set_nullable, states_something},
    schema::entry_name,
    view::View,
};
use crate::codegen::identifiers::type_name;

impl Converter<'_> {
    /// Converts a schema with `allOf`.
    pub(super) fn all_of(&mut self, node: &Value, map: &Map<String, Value>, at: &str, hint: &str) -> Value {
        let parts = parts(map, at);
        let stated = parts.iter().filter(|(part, _)| states_something(part)).collect::<Vec<_>>();
        let mut own = map.clone();
        own.remove("allOf");
        let own_states = own.iter().any(|(key, value)| {
            let only_object = key == "type" && value == "object";
            !only_object && !annotates(key)
        });
        // A part without a type may still be nullable.
        let mut unstated = parts.iter().filter(|(part, _)| !states_something(part));
        let nullable = is_nullable(map) || unstated.any(|(part, _)| part.as_object().is_some_and(is_nullable));
        if let ([(part, at)], false) = (stated.as_slice(), own_states) {
            let mut converted = beside(self.convert(part, at, hint), map);
            set_nullable(&mut converted, nullable);
            return converted;
        }
        let mut converted = match self.view(node, at) {
            Some(mut view) => {
                self.add_subtypes(&mut view, node, at, 0);
                self.check_mapping(node, at);
                self.object_of(view, map, at, hint)
            }
            None => {
                let mut flat = Nodes::new();
                self.flatten_parts(node.clone(), at.to_owned(), &mut flat, &mut BTreeSet::new());
                self.keywords_of(flat, at, hint)
            }
        };
        set_nullable(&mut converted, nullable);
        converted
    }

    /// Converts what several parts of `allOf` state of one field, as it is used.
    pub(super) fn all_parts(&mut self, mut parts: Nodes, hint: &str) -> Value {
        let all = parts.clone();
        let mut index = 0;
        // A part that another one extends adds nothing to it.
        parts.retain(|(part, _)| {
            index += 1;
            let others = all.iter().enumerate().filter(|(other, _)| *other != index - 1);
            !others.into_iter().any(|(other, (node, _))| {
                node == part && other < index - 1 || node != part && self.is_extension(node, part)
            })
        });
        // Nor does one that only repeats the type, but for its description.
        let kinds = parts.iter().filter(|(part, _)| !is_bare(part)).map(|(part, _)| self.kind(part));
        let kinds = kinds.collect::<BTreeSet<_>>();
        let (bare, parts) = parts
            .into_iter()
            .partition::<Nodes, _>(|(part, _)| is_bare(part) && kinds.len() == 1 && kinds.contains(self.kind(part)));
        let at = parts.first().map(|(_, at)| at.clone()).unwrap_or_default();
        if let [(only, at)] = parts.as_slice() {
            let converted = self.schema(only, at, hint);
            return bare.iter().filter_map(|(part, _)| part.as_object()).fold(converted, beside);
        }
        let views = parts.iter().map(|(part, at)| self.view(part, at)).collect::<Option<Vec<_>>>();
        let key = self.key_of(&parts);
        let Some(views) = views else {
            let (mut flat, mut seen) = (Nodes::new(), BTreeSet::new());
            parts.into_iter().for_each(|(part, at)| self.flatten_parts(part, at, &mut flat, &mut seen));
            // Arrays may be items of each other.
            return self
                .once(&key, &at, &type_name(hint), false, |converter, _| converter.keywords_of(flat, &at, hint));
        };
        let nullable = parts
            .iter()
            .any(|(part, at)| resolve_at(self.root, at.clone(), part).1.as_object().is_some_and(is_nullable));
        let mut whole = View::default();
        views.into_iter().for_each(|view| whole.and(view));
        let convert = |converter: &mut Self, name: &str| converter.object_of(whole, &Map::new(), &at, name);
        let mut converted = self.once(&key, &at, &type_name(hint), false, convert);
        set_nullable(&mut converted, nullable);
        converted
    }

    /// Returns whether one of two references is to a component that extends that of the other.
    fn is_extension(&self, node: &Value, base: &Value) -> bool {
        matches!((target(node), target(base)), (Some(own), Some(base)) if self.extends(own, base))
    }

    /// Replaces a node by its own keywords and its parts.
    fn flatten_parts(&self, node: Value, at: String, flat: &mut Nodes, seen: &mut BTreeSet<String>) {
        let (location, inner) = resolve_at(self.root, at.clone(), &node);
        // Once more it adds nothing: parts of parts would double with every level.
        if location != at && !seen.insert(location.clone()) {
            return;
        }
        let mut own = inner.clone();
        let parts = own.as_object_mut().filter(|map| map.contains_key("allOf")).map(|map| {
            let parts = parts(map, &location);
            map.remove("allOf");
            parts
        });
        flat.push((own, location));
        parts.into_iter().flatten().for_each(|(part, at)| self.flatten_parts(part, at, flat, seen));
    }

    /// Converts parts that are not all objects: each adds keywords to the others.
    fn keywords_of(&mut self, parts: Nodes, at: &str, hint: &str) -> Value {
        let kinds = parts.iter().filter(|(part, _)| is_typed(part)).map(|(part, _)| self.kind(part));
        let kinds = kinds.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        let mut merged = Map::new();
        for (key, value) in parts.iter().filter_map(|(part, _)| part.as_object()).flatten() {
            merged.entry(key.clone()).or_insert_with(|| value.clone());
        }
        match kinds.as_slice() {
            ["array"] => {
                let items =
                    parts.iter().filter_map(|(part, at)| Some((part.get("items")?.clone(), child(at, "items"))));
                let items = items.collect::<Nodes>();
                if items.len() < 2 {
                    let at = items.first().and_then(|(_, at)| at.strip_suffix("/items")).unwrap_or(at).to_owned();
                    return self.convert(&Value::Object(merged), &at, hint);
                }
                let mut list = json!({"type": "array", "items": self.all_parts(items, &entry_name(hint))});
                describe(&mut list, &merged);
                set_nullable(&mut list, is_nullable(&merged));
                list
            }
            // An integer is a number.
            ["integer", "number"] => {
                merged.insert("type".to_owned(), json!("integer"));
                self.convert(&Value::Object(merged), at, hint)
            }
            [] | ["string" | "integer" | "number" | "boolean"] => self.convert(&Value::Object(merged), at, hint),
            several => {
                let why = if several.contains(&"anything") || several == ["object"] {
                    "allOf of something that is not an object".to_owned()
                } else {
                    format!("parts of `allOf` of different types ({})", several.join(", "))
                };
                self.any(&merged, at, &why)
            }
        }
    }
}

/// Returns the pointer to the target of a reference, or of one in an `allOf` of its own.
fn target(node: &Value) -> Option<&str> {
    match node.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if node.as_object()?.keys().all(|key| key == "allOf" || annotates(key)) => target(only),
        _ => node.get("$ref")?.as_str()?.strip_prefix('#'),
    }
}

/// Returns whether a schema states a type only.
fn is_bare(node: &Value) -> bool {
    node.as_object()
        .is_some_and(|map| map.contains_key("type") && map.keys().all(|key| key == "type" || annotates(key)))
}

/// Returns the parts of `allOf`.
fn parts(map: &Map<String, Value>, at: &str) -> Nodes {
    let list = child(at, "allOf");
    let parts = map.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
    parts.map(|(index, part)| (part.clone(), item(&list, index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::convert::tests::{drafted, losses, responding};

    /// The components of a response of two parts that both describe the field `f`.
    fn parts_of_field(one: Value, other: Value) -> (Value, Vec<String>) {
        let part = |field: Value| json!({"type": "object", "properties": {"f": field}});
        let other_schemas = json!({
            "Base": {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}},
            "Sub": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"s": {"type": "string"}}}]},
            "Color": {"type": "string", "enum": ["red", "green"]},
        });
        let draft =
            drafted(responding(json!({"allOf": [part(one), part(other)]}), other_schemas)).expect("it converts");
        let document = draft.document();
        (document["components"]["schemas"].clone(), losses(&draft).into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn field_of_several_parts_has_what_each_describes() {
        let object =
            |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}});
        let list = |items: Value| json!({"type": "array", "items": items});
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let names = |schema: &Value| {
            let fields = schema["properties"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
            (fields.unwrap_or_default().join(" "), schema["required"].clone())
        };
        let (schemas, lost) = parts_of_field(object("p"), object("q"));
        assert_eq!(names(&schemas["GetAResponseF"]), ("p q".to_owned(), json!(["p", "q"])));
        assert_eq!(lost, ["of 400"]);
        let (schemas, _) = parts_of_field(list(object("p")), list(object("q")));
        assert_eq!(names(&schemas["GetAResponseFItem"]).0, "p q", "{schemas}");
        let (schemas, _) = parts_of_field(reference("Base"), object("q"));
        assert_eq!(names(&schemas["GetAResponseF"]).0, "b q");
        // One that extends the other is that alone, in either order.
        for (one, other) in [("Base", "Sub"), ("Sub", "Base"), ("Sub", "Sub")] {
            let (schemas, _) = parts_of_field(reference(one), reference(other));
            assert_eq!(schemas["GetAResponse"]["properties"]["f"], reference("Sub"));
        }
        let (schemas, _) = parts_of_field(reference("Color"), json!({"type": "string", "description": "d"}));
        let expected = json!({"allOf": [reference("Color")], "description": "d"});
        assert_eq!(schemas["GetAResponse"]["properties"]["f"], expected, "{schemas}");
    }

    #[test]
    fn field_of_parts_of_different_types_is_any_json() {
        for (one, other, kinds) in [
            (json!({"type": "string"}), json!({"type": "integer"}), "integer, string"),
            (
                json!({"type": "string"}),
                json!({"type": "object", "properties": {"a": {"type": "string"}}}),
                "object, string",
            ),
        ] {
            let (schemas, lost) = parts_of_field(one, other);
            assert_eq!(schemas["GetAResponse"]["properties"]["f"]["x-any"], true);
            let expected = format!("parts of `allOf` of different types ({kinds})");
            assert!(lost.contains(&expected), "{lost:?}");
        }
    }
}
