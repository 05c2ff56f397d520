//! Objects: the fields that a schema and all its parts have together.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{
    pointer::{child, item},
    resolve,
};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    field::{Field, Nodes, is_alike},
    keywords::{UNREAD, annotates, kinds, states_something},
};

/// An object of more parts is not looked through: parts that share parts double with every level.
const MAX_PARTS: usize = 10_000;

/// A schema seen as an object.
#[derive(Default)]
pub(super) struct View {
    pub(super) fields: BTreeMap<String, Field>,
    /// The schemas of other fields, with keywords other than annotations, and their locations.
    pub(super) map: Nodes,
    /// Whether there are other fields of any type.
    pub(super) is_open: bool,
    /// The locations of alternatives that were made one object.
    pub(super) unions: Vec<String>,
    /// The locations of keywords that may describe fields, and are not read.
    pub(super) unread: Vec<String>,
    pub(super) description: Option<String>,
    /// Fields of the other direction.
    pub(super) hidden: BTreeSet<String>,
    /// The fields that discriminators name, with their values.
    pub(super) discriminators: BTreeMap<String, Vec<String>>,
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
        let fields =
            fields.into_iter().map(|NamedField { name, node, at, required }| (name, Field::of(node, at, required)));
        Self { fields: fields.collect(), ..Self::default() }
    }
}

impl View {
    pub(super) fn has_fields(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Returns whether it states no fields.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.map.is_empty()
    }

    /// Returns each field as one schema.
    pub(super) fn into_fields(self) -> impl Iterator<Item = NamedField> {
        self.fields.into_iter().map(|(name, field)| {
            let at = field.nodes.first().map(|(_, at)| at.clone()).unwrap_or_default();
            NamedField { name, node: field.node(), at, required: field.required }
        })
    }

    /// Merges another part of `allOf`: each may state keywords of a field.
    pub(super) fn and(&mut self, other: Self) {
        for (name, field) in other.fields {
            match self.fields.get_mut(&name) {
                Some(own) => own.refine(field),
                None => drop(self.fields.insert(name, field)),
            }
        }
        self.add_map(other.map);
        self.is_open |= other.is_open;
        self.unions.extend(other.unions);
        self.unread.extend(other.unread);
        self.hidden.extend(other.hidden);
        self.discriminators.extend(other.discriminators);
        self.description = self.description.take().or(other.description);
    }

    fn add_map(&mut self, others: Nodes) {
        self.map.extend(others.into_iter().filter(|other| !self.map.contains(other)).collect::<Vec<_>>());
    }

    /// Merges another alternative: a field is required only if both require it.
    pub(super) fn or(&mut self, other: Self) {
        for (name, own) in &mut self.fields {
            own.required &= other.fields.get(name).is_some_and(|field| field.required);
        }
        for (name, mut field) in other.fields {
            match self.fields.get_mut(&name) {
                Some(own) => {
                    let nodes = own.alternatives();
                    for node in std::mem::take(field.alternatives()) {
                        if !nodes.iter().any(|(known, _)| is_alike(known, &node.0)) {
                            nodes.push(node);
                        }
                    }
                    // Required by one, described by another: what is described counts.
                    if nodes.iter().any(|(node, _)| states_something(node)) {
                        nodes.retain(|(node, _)| states_something(node));
                    }
                }
                None => drop(self.fields.insert(name, Field { required: false, ..field })),
            }
        }
        self.add_map(other.map);
        self.is_open |= other.is_open;
        self.hidden.extend(other.hidden);
        self.discriminators.extend(other.discriminators);
        // One alternative may have a field of the other direction that is of both in another.
        let described = |field: &Field| field.nodes.iter().any(|(node, _)| states_something(node));
        self.hidden.retain(|name| !self.fields.get(name).is_some_and(described));
        self.unions.extend(other.unions);
        self.unread.extend(other.unread);
    }
}

impl Converter<'_> {
    /// Returns a schema seen as an object, with all its parts; nothing if it is, or may be, something else.
    pub(super) fn view(&self, node: &Value, at: &str) -> Option<View> {
        self.views.set(0);
        self.view_within(node, at, &mut BTreeSet::new(), 0)
    }

    pub(super) fn view_within(
        &self,
        node: &Value,
        at: &str,
        seen: &mut BTreeSet<String>,
        depth: usize,
    ) -> Option<View> {
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
            // A restriction of what another part describes.
            [] if UNREAD.iter().any(|key| map.contains_key(*key)) => {}
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
                let mut alternatives = self.view_of_any(&parts, &child(at, key), seen, depth + 1)?;
                let targets = parts.iter().filter_map(|(part, _)| part.get("$ref")?.as_str()?.strip_prefix('#'));
                self.add_discriminator(&mut alternatives, node, at, targets);
                view.and(alternatives);
            }
        }
        let mut own = own_fields(map, at);
        own.fields.retain(|_, field| field.nodes.iter().all(|(node, _)| self.has_field(node)));
        let hidden = map.get("properties").and_then(Value::as_object).into_iter().flatten();
        own.hidden.extend(hidden.filter(|(_, node)| !self.has_field(node)).map(|(name, _)| name.clone()));
        view.and(own);
        // A part may describe or require what another part states to be of the other direction.
        view.fields.retain(|name, _| !view.hidden.contains(name));
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
            let mut view = self.view_within(node, at, seen, depth)?;
            self.add_subtypes(&mut view, node, at, depth);
            views.push(view);
        }
        let several = views.len() > 1;
        let is_any = |node: &Value| resolve(self.root, node).as_object().is_some_and(is_any_object);
        let mut view = views.into_iter().reduce(|mut one, other| {
            one.or(other);
            one
        })?;
        view.is_open |= several && nodes.iter().any(|(node, _)| is_any(node));
        let differ = nodes.windows(2).any(|pair| resolve(self.root, &pair[0].0) != resolve(self.root, &pair[1].0));
        view.unions.extend(differ.then(|| at.to_owned()));
        Some(view)
    }
}

/// Returns whether a schema is an object of any fields.
fn is_any_object(map: &Map<String, Value>) -> bool {
    kinds(map) == ["object"] && map.keys().all(|key| key == "type" || annotates(key))
}

/// Returns the fields that a schema lists itself.
fn own_fields(map: &Map<String, Value>, at: &str) -> View {
    let required = map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let required = required.collect::<BTreeSet<_>>();
    let location = child(at, "properties");
    let properties = map.get("properties").and_then(Value::as_object).into_iter().flatten();
    let fields = properties.map(|(name, node)| {
        (name.clone(), Field::of(node.clone(), child(&location, name), required.contains(name.as_str())))
    });
    let mut fields = fields.collect::<BTreeMap<_, _>>();
    let others = other_fields(map, at);
    // Required by one part, described by another: an empty schema, until the other states what it is.
    if map.contains_key("allOf") || fields.is_empty() && map.contains_key("required") {
        for name in required.iter().filter(|name| !name.is_empty()) {
            let (node, at) = match others.as_slice() {
                [only] => only.clone(),
                _ => (json!({}), child(at, "required")),
            };
            fields.entry((*name).to_owned()).or_insert_with(|| Field::of(node, at, true));
        }
    }
    let description = map.get("description").and_then(Value::as_str).map(|text| text.trim().to_owned());
    View {
        fields,
        map: others,
        is_open: ["additionalProperties", "unevaluatedProperties"].iter().any(|key| {
            map.get(*key).is_some_and(|value| {
                *value == json!(true) || value.as_object().is_some_and(|map| !map.keys().any(|key| !annotates(key)))
            })
        }),
        unions: Vec::new(),
        unread: UNREAD.iter().filter(|key| map.contains_key(**key)).map(|key| child(at, key)).collect(),
        description: description.filter(|text| !text.is_empty()),
        hidden: BTreeSet::new(),
        discriminators: BTreeMap::new(),
    }
}

/// Returns the schemas of the fields that a schema does not list, each once.
fn other_fields(map: &Map<String, Value>, at: &str) -> Nodes {
    let typed = |key: &&str| map.get(*key).is_some_and(|value| value.is_object() && states_something(value));
    let direct = ["additionalProperties", "unevaluatedProperties"].into_iter().filter(typed);
    let direct = direct.map(|key| (map[key].clone(), child(at, key)));
    let patterns = map.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
    let patterns = patterns.map(|(pattern, node)| (node.clone(), child(&child(at, "patternProperties"), pattern)));
    let mut all = Nodes::new();
    for node in direct.chain(patterns) {
        if !all.iter().any(|(known, _)| is_alike(known, &node.0)) {
            all.push(node);
        }
    }
    all
}
