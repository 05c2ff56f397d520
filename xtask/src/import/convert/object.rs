//! Objects: types of the fields that a [`View`] shows.

use std::collections::BTreeSet;

use openapi_document::pointer::child;
use serde_json::{Map, Value, json};

use super::{
    Converter,
    field::Nodes,
    keywords::describe,
    primitive::{add_text, one_of},
    view::View,
};
use crate::{
    codegen::identifiers::{field_name, field_names},
    import::losses::Kind,
};

impl Converter<'_> {
    /// Returns an object, a map, or a free-form object.
    pub(super) fn object(&mut self, node: &Value, at: &str, hint: &str) -> Value {
        let map = node.as_object().cloned().unwrap_or_default();
        match self.view(node, at) {
            Some(mut view) => {
                self.add_subtypes(&mut view, node, at, 0);
                self.check_mapping(node, at);
                self.object_of(view, &map, at, hint)
            }
            None => self.any(&map, at, "an object that may be something else, too"),
        }
    }

    /// Returns the object that a view shows.
    pub(super) fn object_of(&mut self, view: View, map: &Map<String, Value>, at: &str, hint: &str) -> Value {
        for location in view.unions.iter().collect::<BTreeSet<_>>() {
            let text = "alternatives became one object: what not all have is optional";
            self.losses.add(Kind::Union, location, text);
        }
        view.unread.iter().for_each(|location| self.note_unread(location));
        let mut object = json!({"type": "object"});
        describe(&mut object, map);
        if object.get("description").is_none()
            && let Some(text) = &view.description
        {
            object["description"] = json!(text);
        }
        if !view.has_fields() {
            object["additionalProperties"] = self.values_of_map(&view, hint);
            return object;
        }
        for (_, at) in &view.map {
            let text =
                "the type of fields beside the listed ones: they are read as any JSON, where numbers lose digits";
            self.losses.add(Kind::Untyped, at, text);
        }
        let is_open = view.is_open || !view.map.is_empty();
        if is_open {
            object["additionalProperties"] = json!(true);
        }
        let stated = map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for name in stated.filter(|name| !view.fields.contains_key(*name) && !view.hidden.contains(*name)) {
            self.losses.add(Kind::Field, &child(at, "required"), format!("{name:?} is required, but not described"));
        }
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (name, field) in view.fields {
            let at = field.nodes.first().map_or(at, |(_, at)| at.as_str()).to_owned();
            if name.is_empty() || name.contains(char::is_control) {
                self.losses.add(Kind::Field, &at, format!("invalid name {name:?}"));
                continue;
            }
            let hint = format!("{hint}-{name}");
            let mut converted = match (field.nodes.as_slice(), field.also.as_slice()) {
                ([(node, at)], []) => self.schema(node, at, &hint),
                (several, []) => {
                    let converted = self.union(several.to_vec(), &at, &hint);
                    self.placed(converted, &hint)
                }
                ([node], others) => self.all_parts([std::slice::from_ref(node), others].concat(), &hint),
                (several, others) => {
                    let refined = |node: &Value| {
                        let parts = std::iter::once(node).chain(others.iter().map(|(other, _)| other));
                        json!({"allOf": parts.collect::<Vec<_>>()})
                    };
                    let each = several.iter().map(|(node, at)| (refined(node), at.clone())).collect::<Nodes>();
                    if each.iter().any(|(node, _)| self.kind(node) == "anything") {
                        self.any(&Map::new(), &at, "alternatives that another part of `allOf` refines")
                    } else {
                        let converted = self.union(each, &at, &hint);
                        self.placed(converted, &hint)
                    }
                }
            };
            // A list of values that the field states itself has a type of its own.
            if let Some(values) = view.discriminators.get(&name)
                && converted.get("type").and_then(Value::as_str) == Some("string")
            {
                add_text(&mut converted, &one_of(values));
            }
            properties.insert(name.clone(), converted);
            if field.required {
                required.push(name);
            }
        }
        for (name, field) in field_names(properties.keys().map(String::as_str), is_open) {
            if field != field_name(name) {
                let text = format!("{name:?} is called {field:?} in Rust: another field has its name");
                self.losses.add(Kind::Name, at, text);
            }
        }
        object["properties"] = Value::Object(properties);
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        object
    }

    /// Returns the schema of the values of a map.
    fn values_of_map(&mut self, view: &View, hint: &str) -> Value {
        let hint = format!("{hint}-value");
        let converted = match view.map.as_slice() {
            [] => return json!(true),
            [(_, at), ..] if view.is_open => self.any(&Map::new(), at, "fields of any other type may be beside these"),
            [(value, at)] => self.schema(value, at, &hint),
            [(_, at), ..] => {
                let converted = self.union(view.map.clone(), at, &hint);
                self.placed(converted, &hint)
            }
        };
        if converted.get("x-any").is_some() { json!(true) } else { converted }
    }
}
