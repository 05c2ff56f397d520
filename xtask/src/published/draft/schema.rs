//! One schema after the other.

use serde_json::{Map, Value, json};

use super::{Drafter, Outcome};
use crate::{
    document::resolve,
    names::type_name,
    pointer::{child, entry},
    published::losses::{Kind, Owner},
};

/// So deep may schemas be nested, references included; real ones are a tenth as deep.
const DEEPEST: usize = 400;

/// Keywords that say nothing of what a value is.
const ANNOTATIONS: [&str; 13] = [
    "title",
    "description",
    "example",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "externalDocs",
    "xml",
    "nullable",
    "x-nullable",
    "$comment",
];

/// Whether a schema says what its values are, or only something about them.
pub(super) fn says_something(schema: &Value) -> bool {
    schema
        .as_object()
        .is_some_and(|map| map.keys().any(|key| !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-")))
}

/// Whether a converted schema has to be a component.
pub(super) fn is_component(schema: &Value) -> bool {
    schema.get("properties").is_some() || schema.get("enum").is_some()
}

impl Drafter<'_> {
    /// A schema as it stands where it is used: components are referred to. `hint` is what a component made of it is called.
    pub(super) fn schema(&mut self, node: &Value, at: &str, hint: &str) -> Value {
        let parts = ["properties", "allOf"];
        if node.get("$ref").is_some() || !parts.iter().any(|key| node.get(*key).is_some()) {
            let converted = self.convert(node, at, hint);
            return self.placed(converted, hint);
        }
        // What has parts may be reached again from one of them, or by way of a union that it is in.
        let nullable = node.as_object().is_some_and(is_nullable);
        let key = format!("{at} {node}");
        self.once(&key, at, &type_name(hint), nullable, |drafter, name| drafter.convert(node, at, name))
    }

    /// A converted schema where it is used.
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
        self.components.insert(name, (order, converted));
        reference
    }

    fn next_order(&mut self) -> usize {
        self.order += 1;
        self.order
    }

    /// The component of a list of values: one for the same list under the same last word.
    fn list_of_values(&mut self, schema: Value, hint: &str) -> Value {
        let values = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let key = (last_word(hint), values.collect::<Vec<_>>());
        if let Some(name) = self.enums.get(&key) {
            return reference_to(name);
        }
        let name = self.names.claim(&type_name(hint));
        self.enums.insert(key, name.clone());
        let order = self.next_order();
        self.components.insert(name.clone(), (order, schema));
        reference_to(&name)
    }

    /// What a reference leads to, as it stands where it is used.
    fn refer(&mut self, target: &str, at: &str) -> Value {
        let Some(pointer) = target.strip_prefix('#') else {
            return self.any(&Map::new(), at, &format!("{target:?} is in another document that is not here"));
        };
        let Some(node) = self.root.pointer(pointer) else {
            return self.any(&Map::new(), at, &format!("{target:?} leads nowhere"));
        };
        let nullable = node.as_object().is_some_and(is_nullable);
        let wanted = component_name(pointer);
        self.once(pointer, pointer, &wanted, nullable, |drafter, name| drafter.convert(node, pointer, name))
    }

    /// Converts something unless that was done, or is being done, already. `key` says what it is.
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
            Some(Outcome::Done(schema)) => return schema.clone(),
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
        let values = converted.get("enum").is_some() && key != at;
        let done = if self.components.contains_key(&name) {
            converted
        } else if needed || is_component(&converted) && !values {
            if name != wanted && key == at {
                self.losses.add(Kind::Name, at, format!("the schema is called {name} here"));
            }
            let converted = self.not_itself(converted, &name, at);
            self.component(name, order, converted)
        } else {
            // It has no name after all: what was noted is its user's.
            if own {
                self.names.release(&name);
            }
            self.losses.hand_over(mark, &outer);
            self.placed(converted, wanted)
        };
        self.losses.belong_to(outer);
        self.reached.insert(key.to_owned(), Outcome::Done(done.clone()));
        done
    }

    /// A component that is nothing but a reference to itself is anything.
    fn not_itself(&mut self, converted: Value, name: &str, at: &str) -> Value {
        let own = reference_to(name);
        let direct = converted == own || converted["allOf"][0] == own;
        if direct { self.any(&Map::new(), at, "it refers to itself only") } else { converted }
    }

    /// A schema as a component would have it.
    pub(super) fn convert(&mut self, node: &Value, at: &str, hint: &str) -> Value {
        if self.depth >= DEEPEST {
            return self.any(&Map::new(), at, "nested too deep");
        }
        self.depth += 1;
        let converted = self.convert_nested(node, at, hint);
        self.depth -= 1;
        converted
    }

    fn convert_nested(&mut self, node: &Value, at: &str, hint: &str) -> Value {
        let Some(map) = node.as_object() else {
            return self.any(&Map::new(), at, "the specification says nothing of it");
        };
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            let referred = self.refer(target, at);
            return beside(referred, map);
        }
        if map.get("allOf").is_some_and(|parts| parts.as_array().is_some_and(|parts| !parts.is_empty())) {
            return self.all_of(node, map, at, hint);
        }
        for key in ["oneOf", "anyOf"] {
            if map.get(key).is_some_and(|parts| parts.as_array().is_some_and(|parts| !parts.is_empty())) {
                let fields = map.get("properties").is_some_and(Value::is_object);
                return if fields { self.object(node, at, hint) } else { self.variants(map, key, at, hint) };
            }
        }
        let kinds = kinds(map);
        let nullable = is_nullable(map);
        match kinds.as_slice() {
            [] => self.any(map, at, "the specification does not say what it is"),
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

    /// `allOf`: the one part that says something, or one object of all.
    fn all_of(&mut self, node: &Value, map: &Map<String, Value>, at: &str, hint: &str) -> Value {
        let list = child(at, "allOf");
        let parts = map.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
        let parts = parts.map(|(index, part)| (part, entry(&list, index))).filter(|(part, _)| says_something(part));
        let parts = parts.collect::<Vec<_>>();
        let mut own = map.clone();
        own.remove("allOf");
        let own_says = own.iter().any(|(key, value)| {
            let only_object = key == "type" && value == "object";
            !only_object && !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-")
        });
        if let ([(part, at)], false) = (parts.as_slice(), own_says) {
            let converted = self.convert(part, at, hint);
            return beside(converted, map);
        }
        if let Some(view) = self.view(node, at) {
            return self.object_of(view, map, at, hint);
        }
        // Of texts and numbers each part adds a keyword.
        let mut merged = own;
        for (part, _) in &parts {
            let part = resolve(self.root, part);
            for (key, value) in part.as_object().into_iter().flatten() {
                merged.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        if merged.contains_key("allOf") || merged.contains_key("$ref") {
            return self.any(map, at, "allOf of what is no object");
        }
        self.convert(&Value::Object(merged), at, hint)
    }

    /// A list: its entries are what one of them is.
    fn list(&mut self, map: &Map<String, Value>, at: &str, hint: &str) -> Value {
        let at = child(at, "items");
        let items = match map.get("items") {
            Some(items @ Value::Object(_)) => self.schema(items, &at, &entry_name(hint)),
            _ => self.any(&Map::new(), &at, "the specification does not say what is in the list"),
        };
        let mut list = json!({"type": "array", "items": items});
        describe(&mut list, map);
        list
    }

    /// A schema that is any JSON, and why.
    pub(super) fn any(&mut self, map: &Map<String, Value>, at: &str, why: &str) -> Value {
        self.losses.add(Kind::Untyped, at, why);
        let mut any = json!({"x-any": true});
        describe(&mut any, map);
        any
    }
}

/// A component where it is used.
fn used(name: &str, nullable: bool) -> Value {
    let mut reference = reference_to(name);
    set_nullable(&mut reference, nullable);
    reference
}

pub(super) fn reference_to(name: &str) -> Value {
    json!({"$ref": child("#/components/schemas", name)})
}

/// What stands beside a reference and is kept: text, and that it may be null.
pub(super) fn beside(mut converted: Value, map: &Map<String, Value>) -> Value {
    let text = map.get("description").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let nullable = is_nullable(map);
    if text.is_none() && !nullable {
        return converted;
    }
    if converted.get("$ref").is_some() {
        converted = json!({"allOf": [converted]});
    }
    if let Some(text) = text {
        converted["description"] = json!(text);
    }
    set_nullable(&mut converted, nullable);
    converted
}

/// Sets a converted schema's text, with the limits that the generated types do not check.
pub(super) fn describe(converted: &mut Value, map: &Map<String, Value>) {
    let text = map.get("description").and_then(Value::as_str).unwrap_or_default().trim();
    let text = crate::limits::with_limits(text, map);
    if !text.is_empty() {
        converted["description"] = json!(text);
    }
}

/// Says that it may be null. What may be anything may be null already.
pub(super) fn set_nullable(converted: &mut Value, nullable: bool) {
    if nullable && converted.get("x-any").is_none() {
        if converted.get("$ref").is_some() {
            *converted = json!({"allOf": [converted.take()]});
        }
        converted["nullable"] = json!(true);
    }
}

pub(super) fn is_nullable(map: &Map<String, Value>) -> bool {
    let flag = |key: &str| map.get(key).and_then(Value::as_bool).unwrap_or_default();
    let listed = |key: &str, null: &Value| map.get(key).and_then(Value::as_array).is_some_and(|all| all.contains(null));
    flag("nullable") || flag("x-nullable") || listed("type", &json!("null")) || listed("enum", &Value::Null)
}

/// The types that a schema states or means, null aside.
pub(super) fn kinds(map: &Map<String, Value>) -> Vec<&str> {
    match map.get("type") {
        Some(Value::String(kind)) if kind != "null" => vec![kind],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        Some(Value::String(_)) => vec![],
        _ if map.contains_key("properties") || map.contains_key("additionalProperties") => vec!["object"],
        _ if map.contains_key("patternProperties") => vec!["object"],
        _ if map.contains_key("items") => vec!["array"],
        _ => {
            let said = map.get("const").or_else(|| map.get("enum")?.as_array()?.iter().find(|value| !value.is_null()));
            match said {
                Some(Value::String(_)) => vec!["string"],
                Some(Value::Bool(_)) => vec!["boolean"],
                Some(Value::Number(number)) if number.is_f64() => vec!["number"],
                Some(Value::Number(_)) => vec!["integer"],
                _ if map.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("date")) => {
                    vec!["string"]
                }
                _ => vec![],
            }
        }
    }
}

/// The name of a component, from where it stands.
fn component_name(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect::<Vec<_>>();
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

/// The name of a list's entry.
fn entry_name(list: &str) -> String {
    match list.strip_suffix("ies").map(|stem| format!("{stem}y")).or_else(|| singular(list)) {
        Some(name) => name,
        None => format!("{list}-item"),
    }
}

fn singular(list: &str) -> Option<String> {
    let stem = list.strip_suffix('s').filter(|stem| !stem.ends_with(['s', 'u', 'i']) && stem.len() > 2)?;
    Some(stem.to_owned())
}

fn last_word(hint: &str) -> String {
    hint.rsplit('-').next().unwrap_or(hint).to_lowercase()
}
