//! Components: what gets a name, and which.

use openapi_document::pointer::{child, keys};
use serde_json::{Map, Value, json};

use super::{
    Converter, Outcome,
    keywords::{is_nullable, set_nullable},
};
use crate::{
    codegen::identifiers::type_name,
    import::{
        bundle::display_pointer,
        losses::{Kind, Owner},
    },
};

/// Returns whether a converted schema has to be a component.
fn is_component(schema: &Value) -> bool {
    schema.get("properties").is_some() || schema.get("enum").is_some()
}

impl Converter<'_> {
    /// Returns a converted schema where it is used.
    pub(super) fn placed(&mut self, mut converted: Value, hint: &str) -> Value {
        if !is_component(&converted) {
            return converted;
        }
        if converted.get("enum").is_none() {
            let (name, order) = (self.names.claim(&type_name(hint)), self.next_order());
            return self.component(name, order, converted);
        }
        let nullable = converted.as_object_mut().and_then(|map| map.remove("nullable"));
        let mut reference = self.list_of_values(converted, hint);
        set_nullable(&mut reference, nullable.is_some());
        reference
    }

    fn component(&mut self, name: String, order: usize, mut converted: Value) -> Value {
        let nullable = converted.as_object_mut().and_then(|map| map.remove("nullable"));
        let reference = used(&name, nullable.is_some());
        self.components.insert(name, (order, converted.into()));
        reference
    }

    /// Returns the converted schema of a name.
    pub(super) fn named(&self, name: &str) -> Option<Value> {
        self.components.get(name).map(|(_, schema)| schema.value())
    }

    /// Returns whether the converted schema of a name lists its values.
    pub(super) fn lists_values(&self, name: &str) -> bool {
        self.named(name).is_some_and(|schema| schema.get("enum").is_some())
    }

    fn next_order(&mut self) -> usize {
        self.order += 1;
        self.order
    }

    /// Returns the component of a list of values: one for the same list under the same last word.
    fn list_of_values(&mut self, schema: Value, hint: &str) -> Value {
        let values = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let key = (last_word(hint), values.collect::<Vec<_>>());
        if let Some(name) = self.enums.get(&key) {
            return reference_to(name);
        }
        let name = self.names.claim(&type_name(hint));
        self.enums.insert(key, name.clone());
        let order = self.next_order();
        self.components.insert(name.clone(), (order, schema.into()));
        reference_to(&name)
    }

    /// Returns the schema to write where a reference is used.
    pub(super) fn refer(&mut self, target: &str, at: &str) -> Value {
        let Some(pointer) = target.strip_prefix('#') else {
            return self.any(&Map::new(), at, &format!("{target:?} is in another document that is not here"));
        };
        let Some(node) = self.root.pointer(pointer) else {
            if !pointer.starts_with('/') {
                let text = format!("the anchor {:?} is not followed", display_pointer(target));
                return self.any(&Map::new(), at, &text);
            }
            return self.any(&Map::new(), at, &format!("unresolved reference {:?}", display_pointer(target)));
        };
        let nullable = node.as_object().is_some_and(is_nullable);
        let direction = self.direction_key(node);
        let both = !direction.is_empty() && self.directions.in_responses(pointer);
        let wanted = component_name(pointer) + if both { "Request" } else { "" };
        if direction.is_empty() {
            return self
                .once(pointer, pointer, &wanted, nullable, |converter, name| converter.convert(node, pointer, name));
        }
        self.once(&format!("{direction}{pointer}"), pointer, &wanted, nullable, |converter, name| {
            converter.convert(node, pointer, name)
        })
    }

    /// Converts something unless that was done, or is being done, already. `key` states what it is.
    pub(super) fn once(
        &mut self,
        key: &str,
        at: &str,
        wanted: &str,
        nullable: bool,
        convert: impl FnOnce(&mut Self, &str) -> Value,
    ) -> Value {
        match self.reached.get_mut(key) {
            Some(Outcome::Working { name, nullable, needed }) => {
                *needed = true;
                return used(name, *nullable);
            }
            Some(Outcome::Done(schema, losses)) => {
                self.losses.add_again(losses);
                return schema.clone();
            }
            None => {}
        }
        // A component that is nothing but this has the name already.
        let lent = self.names_lent.last().filter(|name| type_name(name) == type_name(wanted)).cloned();
        let own = lent.is_none();
        let (name, order) = (lent.unwrap_or_else(|| self.names.claim(wanted)), self.next_order());
        self.reached.insert(key.to_owned(), Outcome::Working { name: name.clone(), nullable, needed: false });
        let outer = self.losses.belong_to(Owner::Schema(name.clone()));
        let mark = self.losses.len();
        self.names_lent.push(name.clone());
        let converted = convert(self, &name);
        self.names_lent.pop();
        let needed = matches!(self.reached.get(key), Some(Outcome::Working { needed: true, .. }));
        let is_whole = key.trim_start_matches("request ") == at;
        let values = converted.get("enum").is_some() && !is_whole;
        let mut losses = Vec::new();
        let done = if self.components.contains_key(&name) {
            converted
        } else if needed || is_component(&converted) && !values {
            if name != wanted && is_whole {
                self.losses.add(Kind::Name, at, format!("the schema is called {name} here"));
            }
            let converted = self.not_itself(converted, &name, at);
            self.component(name, order, converted)
        } else {
            // It has no name after all: what was noted is its user's.
            if own {
                self.names.release(&name);
            }
            losses = self.losses.since(mark);
            self.losses.hand_over(mark, &outer);
            self.placed(converted, wanted)
        };
        self.losses.belong_to(outer);
        self.reached.insert(key.to_owned(), Outcome::Done(done.clone(), losses));
        done
    }

    /// Returns a converted component; any JSON if it is nothing but a reference to itself.
    fn not_itself(&mut self, converted: Value, name: &str, at: &str) -> Value {
        let own = reference_to(name);
        let direct = converted == own || converted["allOf"][0] == own;
        if direct { self.any(&Map::new(), at, "it refers to itself only") } else { converted }
    }
}

/// Returns a component where it is used.
fn used(name: &str, nullable: bool) -> Value {
    let mut reference = reference_to(name);
    set_nullable(&mut reference, nullable);
    reference
}

fn reference_to(name: &str) -> Value {
    json!({"$ref": child("#/components/schemas", name)})
}

/// Returns the name of a component, from where it stands.
fn component_name(pointer: &str) -> String {
    let parts = keys(pointer).collect::<Vec<_>>();
    let file = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        type_name(name.split('.').next().unwrap_or_default())
    };
    match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["components", "schemas", name] | ["definitions", name] => (*name).to_owned(),
        ["x-files", path] => file(path),
        ["x-files", _, .., name] => type_name(name),
        ["components", "schemas", rest @ ..] | ["definitions", rest @ ..] => {
            let words = rest.iter().filter(|word| !["properties", "items", "allOf", "schema"].contains(word));
            type_name(&words.copied().collect::<Vec<_>>().join("-"))
        }
        [.., name] => type_name(name),
        [] => "Document".to_owned(),
    }
}

fn last_word(hint: &str) -> String {
    hint.rsplit('-').next().unwrap_or(hint).to_lowercase()
}
