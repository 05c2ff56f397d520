//! The normal form: what a schema says, with `allOf` merged and everything unordered in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ANNOTATIONS, Limit, Types, limits, usage};
use crate::{
    document::{Document, Node},
    pointer::Pointer,
};

/// How many parts an `allOf` may come to, nested ones included.
const PARTS: usize = 1_000;

/// Keywords whose values are conditions of their own.
const CONDITIONS: &[(&str, &str)] = &[
    ("contains", "contains"),
    ("contentSchema", "content-schema"),
    ("dependencies", "dependencies"),
    ("dependentRequired", "dependent-required"),
    ("dependentSchemas", "dependent-schema"),
    ("else", "else"),
    ("if", "if"),
    ("not", "not"),
    ("propertyNames", "property-names"),
    ("then", "then"),
    ("unevaluatedItems", "unevaluated-items"),
    ("unevaluatedProperties", "unevaluated-properties"),
];

/// Keywords that have a field of [`Schema`] or were read into one.
const READ: &[&str] = &[
    "$defs",
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contentEncoding",
    "contentMediaType",
    "definitions",
    "discriminator",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "required",
    "type",
    "uniqueItems",
];

/// What an object may hold beside its listed properties.
#[derive(Debug, Clone, Default)]
pub(crate) enum Additional<'a> {
    /// Anything, which is the default.
    #[default]
    Open,
    /// Nothing.
    Closed,
    /// Values of a schema.
    Typed(Vec<Node<'a>>),
}

/// Alternatives.
#[derive(Debug, Clone)]
pub(crate) struct Union<'a> {
    /// `anyOf`, not `oneOf`.
    pub(crate) any: bool,
    pub(crate) at: Pointer<'a>,
    pub(crate) variants: Vec<Node<'a>>,
}

/// A schema in normal form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schema<'a> {
    pub(crate) at: Pointer<'a>,
    pub(crate) types: Types<'a>,
    /// The allowed values, null aside.
    pub(crate) values: Option<Vec<&'a Value>>,
    /// Where the values are listed.
    pub(crate) values_at: Option<Pointer<'a>>,
    /// The values come from `const`.
    pub(crate) constant: bool,
    /// The values of `x-extensible-enum`.
    pub(crate) extensible: Option<Vec<&'a Value>>,
    pub(crate) properties: BTreeMap<&'a str, Vec<Node<'a>>>,
    pub(crate) required: BTreeSet<&'a str>,
    pub(crate) additional: Additional<'a>,
    pub(crate) pattern_properties: BTreeMap<&'a str, Node<'a>>,
    pub(crate) items: Vec<Node<'a>>,
    pub(crate) prefix_items: Vec<Node<'a>>,
    pub(crate) unions: Vec<Union<'a>>,
    pub(crate) discriminator: Option<Node<'a>>,
    pub(crate) limits: BTreeMap<&'static str, (Limit, Node<'a>)>,
    pub(crate) multiple_of: Option<Node<'a>>,
    pub(crate) unique: bool,
    pub(crate) pattern: Option<&'a str>,
    /// `contentEncoding`, `contentMediaType`.
    pub(crate) content: BTreeMap<&'static str, &'a str>,
    pub(crate) conditions: BTreeMap<&'static str, Node<'a>>,
    /// Keywords that are unknown here: their differences are reported as such.
    pub(crate) unknown: BTreeMap<&'a str, Node<'a>>,
    /// All that was merged.
    pub(crate) leaves: Vec<Node<'a>>,
}

impl<'a> Schema<'a> {
    /// Merges schemas that hold together.
    pub(crate) fn of(document: &Document<'a>, core: &[Node<'a>]) -> Self {
        let mut schema = Self { at: core.first().map(|node| node.at.clone()).unwrap_or_default(), ..Self::default() };
        let mut seen = BTreeSet::new();
        let mut parts: Vec<_> = core.iter().rev().cloned().collect();
        while let Some(part) = parts.pop() {
            if seen.len() >= PARTS || !seen.insert(part.address()) {
                continue;
            }
            let mut inner = schema.merge(document, &part);
            inner.reverse();
            parts.extend(inner);
            schema.leaves.push(part);
        }
        schema
    }

    /// Adds what one schema says itself; gives back the schemas that it includes whole.
    fn merge(&mut self, document: &Document<'a>, node: &Node<'a>) -> Vec<Node<'a>> {
        let mut includes = Vec::new();
        if let Some(target) = document.target(node) {
            includes.push(target);
            if !document.siblings {
                return includes;
            }
        }
        includes.extend(node.get("allOf").iter().flat_map(Node::items));
        let mut types = types(node);
        for keyword in ["oneOf", "anyOf"] {
            let Some(list) = node.get(keyword) else { continue };
            let variants: Vec<_> = list.items().filter(|variant| !usage::is_null(variant.value)).collect();
            match variants.as_slice() {
                [] => {}
                [only] => includes.push(only.clone()),
                _ => match bare_types(&variants) {
                    Some(bare) => types = types.intersect(bare),
                    None => match same_enums(document, &variants) {
                        Some(values) => {
                            types = types.intersect(Types(values.iter().map(|value| (type_of(value), None)).collect()));
                            self.restrict(node, values);
                        }
                        None => self.unions.push(Union { any: keyword == "anyOf", at: list.at.clone(), variants }),
                    },
                },
            }
        }
        self.merge_values(node);
        self.merge_object(node);
        self.merge_list(node);
        self.merge_rest(node);
        self.types = std::mem::take(&mut self.types).intersect(types);
        includes
    }

    fn merge_values(&mut self, node: &Node<'a>) {
        if let Some(value) = node.value.get("const") {
            self.constant = true;
            self.restrict(node, vec![value]);
        }
        if let Some(values) = node.value.get("enum").and_then(Value::as_array) {
            self.restrict(node, values.iter().filter(|value| !value.is_null()).collect());
        }
        if let Some(values) = node.value.get("x-extensible-enum").and_then(Value::as_array) {
            self.extensible = Some(values.iter().collect());
        }
        for (limit, number) in limits::limits(node) {
            let known = self.limits.get(limit.1);
            let tighter =
                known.is_none_or(|(_, old)| limits::is_tighter(limit.2, old.value, number.value) == Some(true));
            if tighter {
                self.limits.insert(limit.1, (limit, number));
            }
        }
        self.multiple_of = self.multiple_of.take().or_else(|| node.get("multipleOf"));
        self.unique |= node.flag("uniqueItems");
        self.pattern = self.pattern.or(node.text("pattern"));
        for (keyword, word) in [("contentEncoding", "content-encoding"), ("contentMediaType", "content-media-type")] {
            if let Some(text) = node.text(keyword) {
                self.content.insert(word, text);
            }
        }
    }

    /// Keeps the values that both lists have; all of both if they contradict each other.
    fn restrict(&mut self, node: &Node<'a>, values: Vec<&'a Value>) {
        self.values_at.get_or_insert_with(|| node.at.clone());
        self.values = Some(match self.values.take() {
            None => values,
            Some(known) => {
                let both: Vec<_> = known.iter().copied().filter(|value| values.contains(value)).collect();
                if both.is_empty() { known.into_iter().chain(values).collect() } else { both }
            }
        });
    }

    fn merge_object(&mut self, node: &Node<'a>) {
        for (name, property) in node.get("properties").iter().flat_map(Node::entries) {
            self.properties.entry(name).or_default().push(property);
        }
        self.required.extend(
            node.value.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str),
        );
        match node.get("additionalProperties") {
            Some(closed) if closed.value == &Value::Bool(false) => self.additional = Additional::Closed,
            Some(typed) if typed.value.as_object().is_some_and(|schema| !schema.is_empty()) => {
                match &mut self.additional {
                    Additional::Typed(parts) => parts.push(typed),
                    Additional::Open => self.additional = Additional::Typed(vec![typed]),
                    Additional::Closed => {}
                }
            }
            _ => {}
        }
        self.pattern_properties.extend(node.get("patternProperties").iter().flat_map(Node::entries));
        self.discriminator = self.discriminator.take().or_else(|| node.get("discriminator"));
    }

    fn merge_list(&mut self, node: &Node<'a>) {
        match node.get("items") {
            // A list of schemas is how prefixItems was written before 2020-12.
            Some(items) if items.value.is_array() => self.prefix_items.extend(items.items()),
            Some(items) if is_open(items.value) => {}
            Some(items) => self.items.push(items),
            None => {}
        }
        self.prefix_items.extend(node.get("prefixItems").iter().flat_map(Node::items));
    }

    fn merge_rest(&mut self, node: &Node<'a>) {
        for (keyword, word) in CONDITIONS {
            if let Some(condition) = node.get(keyword)
                && !is_open(condition.value)
            {
                self.conditions.insert(word, condition);
            }
        }
        let is_condition = |key: &str| CONDITIONS.iter().any(|(keyword, _)| *keyword == key);
        for (key, value) in node.named() {
            if !READ.contains(&key) && !ANNOTATIONS.contains(&key) && !is_condition(key) {
                self.unknown.insert(key, value);
            }
        }
        if node.value == &Value::Bool(false) {
            self.unknown.insert("false", node.clone());
        }
    }
}

/// A schema that everything fits.
fn is_open(schema: &Value) -> bool {
    schema == &Value::Bool(true) || schema.as_object().is_some_and(serde_json::Map::is_empty)
}

/// The types that a schema names, or that its keywords imply.
fn types<'a>(node: &Node<'a>) -> Types<'a> {
    let format = node.text("format");
    let known = |name: &&str| *name != "null";
    let named = match node.value.get("type") {
        Some(Value::String(name)) => {
            Types([name.as_str()].into_iter().filter(known).map(|name| (name, format)).collect())
        }
        Some(Value::Array(names)) => {
            Types(names.iter().filter_map(Value::as_str).filter(known).map(|name| (name, format)).collect())
        }
        _ => Types::default(),
    };
    if !named.is_any() {
        return named;
    }
    let has = |keys: &[&str]| keys.iter().any(|key| node.value.get(key).is_some());
    if has(&["properties", "additionalProperties", "patternProperties"]) {
        return Types::one("object");
    }
    if has(&["items", "prefixItems"]) {
        return Types::one("array");
    }
    let values = node.value.get("enum").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let values = values.iter().chain(node.value.get("const")).filter(|value| !value.is_null());
    Types(values.map(|value| (type_of(value), None)).collect())
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The set of types, if the variants are nothing but types.
fn bare_types<'a>(variants: &[Node<'a>]) -> Option<Types<'a>> {
    let is_bare = |node: &Node<'a>| {
        node.named().all(|(key, _)| matches!(key, "type" | "format" | "nullable" | "title" | "description"))
    };
    let mut all = BTreeMap::new();
    for variant in variants {
        let types = types(variant);
        if !is_bare(variant) || !variant.value.is_object() {
            return None;
        }
        if types.is_any() {
            return Some(Types::default());
        }
        for (name, format) in types.0 {
            // The same type in two formats is a union indeed.
            if all.insert(name, format).is_some_and(|known| known != format) {
                return None;
            }
        }
    }
    Some(Types(all))
}

/// The values of all variants, if each is an enum or a constant and nothing more.
fn same_enums<'a>(document: &Document<'a>, variants: &[Node<'a>]) -> Option<Vec<&'a Value>> {
    let mut all = Vec::new();
    for variant in variants {
        let variant = document.resolve(variant.clone());
        let only =
            variant.named().all(|(key, _)| matches!(key, "enum" | "const" | "type") || ANNOTATIONS.contains(&key));
        let values = variant.value.get("enum").and_then(Value::as_array);
        let values: Vec<_> = values.into_iter().flatten().chain(variant.value.get("const")).collect();
        if !only || values.is_empty() {
            return None;
        }
        all.extend(values);
    }
    Some(all)
}
