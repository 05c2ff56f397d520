//! Objects: the fields that a schema and all its parts have together.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::pointer::{child, item};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    keywords::{describe, kinds, states_something},
};
use crate::{
    codegen::identifiers::{field_name, field_names, value_name},
    import::losses::Kind,
};

/// An object of more parts is not looked through: parts that share parts double with every level.
const MAX_PARTS: usize = 10_000;

/// A schema seen as an object.
#[derive(Default)]
pub(super) struct View {
    fields: BTreeMap<String, Field>,
    /// `additionalProperties` with keywords other than annotations, and their location.
    map: Option<(Value, String)>,
    /// Whether `additionalProperties` states that there are other fields.
    is_open: bool,
    /// The locations of alternatives that were made one object.
    unions: Vec<String>,
    description: Option<String>,
    /// Fields of the other direction.
    hidden: BTreeSet<String>,
}

#[derive(Clone)]
struct Field {
    /// The schemas of the field: one, unless alternatives differ in it.
    nodes: Vec<(Value, String)>,
    required: bool,
}

/// One field of an object.
pub(super) struct NamedField {
    pub(super) name: String,
    pub(super) node: Value,
    /// Where in the vendor's file, of the first schema if there are alternatives.
    pub(super) at: String,
    pub(super) required: bool,
}

impl FromIterator<NamedField> for View {
    fn from_iter<I: IntoIterator<Item = NamedField>>(fields: I) -> Self {
        let fields = fields
            .into_iter()
            .map(|NamedField { name, node, at, required }| (name, Field { nodes: vec![(node, at)], required }));
        Self { fields: fields.collect(), ..Self::default() }
    }
}

impl Field {
    /// Adds what another part of `allOf` states of the field. A part without a type may still be nullable.
    fn refine(&mut self, mut others: Vec<(Value, String)>) {
        let states = |nodes: &[(Value, String)]| nodes.iter().any(|(node, _)| states_something(node));
        if !states(&self.nodes) {
            std::mem::swap(&mut self.nodes, &mut others);
        }
        let only_null = |node: &Value| node.get("type").and_then(Value::as_str) == Some("null");
        match (self.nodes.as_slice(), others.as_slice()) {
            ([(own, at)], [(other, _)]) if own != other => {
                let is_null = only_null(other) || other.get("nullable") == Some(&json!(true));
                let typed = |node: &Value| {
                    let map = node.as_object();
                    map.is_some_and(|map| {
                        !kinds(map).is_empty()
                            || ["$ref", "allOf", "oneOf", "anyOf"].iter().any(|key| map.contains_key(*key))
                    })
                };
                // Of two parts with a type, the later one counts; one that refines keeps the type of the first.
                let is_same_type = own.get("type") == other.get("type");
                let merged = match (typed(own) && !only_null(own), typed(other) && !only_null(other)) {
                    // Two references, which have no type beside them, may be to different objects.
                    (true, true) if is_same_type && own.get("type").is_some() => merged(own, other),
                    (false, true) if is_same_type => merged(own, other),
                    (_, true) => other.clone(),
                    (_, false) if only_null(other) => own.clone(),
                    (_, false) => merged(own, other),
                };
                let merged = if is_null { with_null(merged) } else { merged };
                self.nodes = vec![(merged, at.clone())];
            }
            _ if states(&others) => self.nodes = others,
            _ => {}
        }
    }
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

/// Returns a schema without its documentation, and without an `allOf` around a reference alone. Fields of the other direction are
/// left out already.
fn essence(node: &Value) -> Value {
    let Some(map) = node.as_object() else { return node.clone() };
    let documentation =
        ["description", "title", "example", "examples", "externalDocs", "deprecated", "readOnly", "writeOnly"];
    let map = map.iter().filter(|(key, _)| !documentation.contains(&key.as_str()));
    let map = map.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>();
    match map.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if map.len() == 1 => only.clone(),
        _ => Value::Object(map),
    }
}

/// Returns the same schema, which may be null.
fn with_null(node: Value) -> Value {
    let mut node = if node.get("$ref").is_some() { json!({"allOf": [node]}) } else { node };
    node["nullable"] = json!(true);
    node
}

impl View {
    pub(super) fn has_fields(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Returns whether it states no fields.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.map.is_none()
    }

    /// Returns each field as one schema.
    pub(super) fn into_fields(self) -> impl Iterator<Item = NamedField> {
        self.fields.into_iter().map(|(name, field)| {
            let at = field.nodes.first().map(|(_, at)| at.clone()).unwrap_or_default();
            let mut nodes = field.nodes.into_iter().map(|(node, _)| node).collect::<Vec<_>>();
            let node = if nodes.len() == 1 { nodes.remove(0) } else { json!({"anyOf": nodes}) };
            NamedField { name, node, at, required: field.required }
        })
    }

    /// Merges another part of `allOf`: each may state keywords of a field.
    fn and(&mut self, other: Self) {
        for (name, field) in other.fields {
            match self.fields.get_mut(&name) {
                Some(own) => {
                    own.required |= field.required;
                    own.refine(field.nodes);
                }
                None => drop(self.fields.insert(name, field)),
            }
        }
        self.map = other.map.or(self.map.take());
        self.is_open |= other.is_open;
        self.unions.extend(other.unions);
        self.hidden.extend(other.hidden);
        self.description = self.description.take().or(other.description);
    }

    /// Merges another alternative: a field is required only if both require it.
    fn or(&mut self, other: Self) {
        for (name, own) in &mut self.fields {
            own.required &= other.fields.get(name).is_some_and(|field| field.required);
        }
        for (name, field) in other.fields {
            match self.fields.get_mut(&name) {
                Some(own) => {
                    for node in field.nodes {
                        if own.nodes.iter().all(|(known, _)| essence(known) != essence(&node.0)) {
                            own.nodes.push(node);
                        }
                    }
                    // Required by one, described by another: what is described counts.
                    if own.nodes.iter().any(|(node, _)| states_something(node)) {
                        own.nodes.retain(|(node, _)| states_something(node));
                    }
                }
                None => drop(self.fields.insert(name, Field { required: false, ..field })),
            }
        }
        self.map = self.map.take().or(other.map);
        self.is_open |= other.is_open;
        self.hidden.extend(other.hidden);
        self.unions.extend(other.unions);
    }
}

impl Converter<'_> {
    /// Returns a schema seen as an object, with all its parts; nothing if it is, or may be, something else.
    pub(super) fn view(&self, node: &Value, at: &str) -> Option<View> {
        self.views.set(0);
        self.view_within(node, at, &mut BTreeSet::new(), 0)
    }

    fn view_within(&self, node: &Value, at: &str, seen: &mut BTreeSet<String>, depth: usize) -> Option<View> {
        self.views.set(self.views.get() + 1);
        if depth > 40 || self.views.get() > MAX_PARTS {
            return None;
        }
        let map = node.as_object()?;
        if let Some(pointer) = map.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#')) {
            // A part that is the whole adds nothing to it.
            if !seen.insert(pointer.to_owned()) {
                return Some(View::default());
            }
            let view = self.root.pointer(pointer).and_then(|node| self.view_within(node, pointer, seen, depth + 1));
            seen.remove(pointer);
            return view;
        }
        if map.contains_key("$ref") || map.contains_key("enum") {
            return None;
        }
        let alternatives = ["oneOf", "anyOf"].iter().any(|key| map.contains_key(*key));
        match kinds(map).as_slice() {
            ["object"] => {}
            [] if map.contains_key("allOf") || map.contains_key("required") || alternatives => {}
            _ => return None,
        }
        let mut view = View::default();
        let parts = |key: &str| {
            let list = child(at, key);
            let parts = map.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
            parts.map(|(index, part)| (part.clone(), item(&list, index))).collect::<Vec<_>>()
        };
        for (part, at) in parts("allOf").iter().filter(|(part, _)| states_something(part)) {
            view.and(self.view_within(part, at, seen, depth + 1)?);
        }
        for key in ["oneOf", "anyOf"] {
            let mut parts = parts(key);
            parts.retain(|(part, _)| part.get("type").and_then(Value::as_str) != Some("null"));
            if !parts.is_empty() {
                view.and(self.view_of_any(&parts, &child(at, key), seen, depth + 1)?);
            }
        }
        let mut own = own_fields(map, at);
        own.fields.retain(|_, field| field.nodes.iter().all(|(node, _)| self.has_field(node)));
        let hidden = map.get("properties").and_then(Value::as_object).into_iter().flatten();
        own.hidden.extend(hidden.filter(|(_, node)| !self.has_field(node)).map(|(name, _)| name.clone()));
        view.and(own);
        // A part may require what another part describes for the other direction.
        let hidden = std::mem::take(&mut view.hidden);
        view.fields
            .retain(|name, field| !hidden.contains(name) || field.nodes.iter().any(|(node, _)| states_something(node)));
        view.hidden = hidden;
        Some(view)
    }

    /// Alternatives seen as one object; nothing if one of them is something else.
    pub(super) fn view_of(&self, nodes: &[(Value, String)], at: &str) -> Option<View> {
        self.views.set(0);
        self.view_of_any(nodes, at, &mut BTreeSet::new(), 0)
    }

    fn view_of_any(
        &self,
        nodes: &[(Value, String)],
        at: &str,
        seen: &mut BTreeSet<String>,
        depth: usize,
    ) -> Option<View> {
        let mut views = Vec::new();
        for (node, at) in nodes {
            views.push(self.view_within(node, at, seen, depth)?);
        }
        let several = views.len() > 1;
        let mut view = views.into_iter().reduce(|mut one, other| {
            one.or(other);
            one
        })?;
        view.unions.extend(several.then(|| at.to_owned()));
        Some(view)
    }

    /// Returns an object, a map, or a free-form object.
    pub(super) fn object(&mut self, node: &Value, at: &str, hint: &str) -> Value {
        let map = node.as_object().cloned().unwrap_or_default();
        match self.view(node, at) {
            Some(mut view) => {
                if map.contains_key("discriminator") && view.has_fields() {
                    self.add_subtypes(&mut view, at);
                }
                self.object_of(view, &map, at, hint)
            }
            None => self.any(&map, at, "an object that may be something else, too"),
        }
    }

    /// Adds the fields of the components that extend the one at a pointer by `allOf`: where the one is read, any of them may come.
    fn add_subtypes(&self, view: &mut View, at: &str) {
        let (section, _) = at.rsplit_once('/').unwrap_or_default();
        let components = self.root.pointer(section).and_then(Value::as_object).into_iter().flatten();
        let extends = |schema: &Value| {
            let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
            parts.filter_map(|part| part.get("$ref")?.as_str()?.strip_prefix('#')).any(|target| target == at)
        };
        let subtypes = components.filter(|(_, schema)| extends(schema));
        let subtypes = subtypes.map(|(name, schema)| (schema.clone(), child(section, name))).collect::<Vec<_>>();
        for subtype in subtypes.iter().filter_map(|(schema, location)| self.view(schema, location)) {
            view.or(subtype);
        }
        if !subtypes.is_empty() {
            view.unions.push(child(at, "discriminator"));
        }
    }

    /// Returns the object that a view shows.
    pub(super) fn object_of(&mut self, view: View, map: &Map<String, Value>, at: &str, hint: &str) -> Value {
        for location in view.unions.iter().collect::<BTreeSet<_>>() {
            let text = "alternatives became one object: what not all have is optional";
            self.losses.add(Kind::Union, location, text);
        }
        let mut object = json!({"type": "object"});
        describe(&mut object, map);
        if object.get("description").is_none()
            && let Some(text) = &view.description
        {
            object["description"] = json!(text);
        }
        if !view.has_fields() {
            object["additionalProperties"] = match view.map {
                Some((value, at)) => {
                    let converted = self.schema(&value, &at, &format!("{hint}-value"));
                    if converted.get("x-any").is_some() { json!(true) } else { converted }
                }
                None => json!(true),
            };
            return object;
        }
        if let Some((_, at)) = &view.map {
            let text =
                "the type of fields beside the listed ones: they are read as any JSON, where numbers lose digits";
            self.losses.add(Kind::Untyped, at, text);
        }
        if view.is_open || view.map.is_some() {
            // Other fields are gathered under this name.
            if view.fields.keys().any(|name| value_name(name) == "extra") {
                self.losses.add(
                    Kind::Field,
                    at,
                    "fields beside the listed ones are not read: one of these is called `extra`",
                );
            } else {
                object["additionalProperties"] = json!(true);
            }
        }
        let stated = map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for name in stated.filter(|name| !view.fields.contains_key(*name) && !view.hidden.contains(*name)) {
            self.losses.add(Kind::Field, &child(at, "required"), format!("{name:?} is required, but not described"));
        }
        let (mut properties, mut required) = (Map::new(), Vec::new());
        let mut cases = BTreeMap::<String, String>::new();
        for (name, field) in view.fields {
            let at = field.nodes.first().map_or(at, |(_, at)| at.as_str()).to_owned();
            let twin = cases.get(&name.to_lowercase()).filter(|twin| value_name(twin) != value_name(&name));
            if let Some(twin) = twin {
                self.losses.add(
                    Kind::Field,
                    &at,
                    format!("{name:?} is left out: it differs from {twin:?} in case only"),
                );
                continue;
            }
            if name.is_empty() || name.contains(char::is_control) {
                self.losses.add(Kind::Field, &at, format!("invalid name {name:?}"));
                continue;
            }
            cases.insert(name.to_lowercase(), name.clone());
            let hint = format!("{hint}-{name}");
            let converted = match field.nodes.as_slice() {
                [(node, at)] => self.schema(node, at, &hint),
                several => {
                    let converted = self.union(several.to_vec(), &at, &hint);
                    self.placed(converted, &hint)
                }
            };
            properties.insert(name.clone(), converted);
            if field.required {
                required.push(name);
            }
        }
        for (name, field) in field_names(properties.keys().map(String::as_str)) {
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
}

/// Returns the fields that a schema lists itself.
fn own_fields(map: &Map<String, Value>, at: &str) -> View {
    let required = map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let required = required.collect::<BTreeSet<_>>();
    let location = child(at, "properties");
    let properties = map.get("properties").and_then(Value::as_object).into_iter().flatten();
    let fields = properties.map(|(name, node)| {
        let nodes = vec![(node.clone(), child(&location, name))];
        (name.clone(), Field { nodes, required: required.contains(name.as_str()) })
    });
    // Required by one part, described by another: an empty schema, until the other states what it is.
    let mut fields = fields.collect::<BTreeMap<_, _>>();
    if map.contains_key("allOf") || fields.is_empty() && map.contains_key("required") {
        for name in required.iter().filter(|name| !name.is_empty()) {
            let location = child(at, "required");
            fields
                .entry((*name).to_owned())
                .or_insert_with(|| Field { nodes: vec![(json!({}), location)], required: true });
        }
    }
    let typed = |key: &'static str| {
        let value = map.get(key).filter(|value| value.is_object() && states_something(value))?;
        Some((value, key))
    };
    let pattern = || map.get("patternProperties")?.as_object()?.values().next();
    let of_map = typed("additionalProperties")
        .or_else(|| typed("unevaluatedProperties"))
        .or_else(|| Some((pattern()?, "patternProperties")));
    let description = map.get("description").and_then(Value::as_str).map(|text| text.trim().to_owned());
    View {
        fields,
        map: of_map.map(|(value, key)| (value.clone(), child(at, key))),
        is_open: ["additionalProperties", "unevaluatedProperties"].iter().any(|key| {
            map.get(*key).is_some_and(|value| {
                *value == json!(true)
                    || value.as_object().is_some_and(|map| !map.keys().any(|key| !super::keywords::annotates(key)))
            })
        }),
        unions: Vec::new(),
        description: description.filter(|text| !text.is_empty()),
        hidden: BTreeSet::new(),
    }
}
