//! The normal form: what a schema says, with `allOf` merged and everything unordered in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Limit, Types,
    implied::{bare_types, is_open, same_enums, type_of, types},
    is_annotation, limits, usage,
};
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

impl Union<'_> {
    /// Whether both list the same alternatives in the same words.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let lists = |union: &Union<'_>, value| union.variants.iter().any(|variant| variant.value == value);
        self.variants.len() == other.variants.len() && self.variants.iter().all(|variant| lists(other, variant.value))
    }
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
        let mut includes: Vec<_> = document.target(node).into_iter().collect();
        if node.value == &Value::Bool(false) {
            self.unknown.insert("false", node.clone());
        }
        // 3.0 says that siblings of a reference count for nothing.
        if !includes.is_empty() && !document.siblings {
            return includes;
        }
        let mut types = types(node);
        for (key, value) in node.members().filter(|(_, value)| !value.is_null()) {
            let child = || Node { value, at: node.at.key(key) };
            match key {
                "allOf" => includes.extend(child().items()),
                "oneOf" | "anyOf" => {
                    let (include, alternatives) = self.alternatives(document, &child(), key == "anyOf");
                    includes.extend(include);
                    types = types.intersect(alternatives);
                }
                "enum" | "const" | "x-extensible-enum" => self.merge_values(key, value, node),
                "properties" | "required" | "additionalProperties" | "patternProperties" | "discriminator" => {
                    self.merge_object(key, child());
                }
                // A list of schemas is how prefixItems was written before 2020-12.
                "items" if value.is_array() => self.prefix_items.extend(child().items()),
                "items" if !is_open(value) => self.items.push(child()),
                "prefixItems" => self.prefix_items.extend(child().items()),
                "uniqueItems" => self.unique |= value == &Value::Bool(true),
                "multipleOf" => self.multiple_of = self.multiple_of.take().or_else(|| Some(child())),
                // Of several patterns always the same one.
                "pattern" => self.pattern = self.pattern.max(value.as_str()),
                "contentEncoding" => self.content.extend(value.as_str().map(|text| ("content-encoding", text))),
                "contentMediaType" => self.content.extend(value.as_str().map(|text| ("content-media-type", text))),
                "$ref" | "$defs" | "definitions" | "format" | "items" | "type" => {}
                key if is_annotation(key) => {}
                key => self.merge_rest(key, node, value),
            }
        }
        if self.types.contradicts(&types) {
            self.unknown.extend(node.get("type").map(|named| ("type", named)));
        }
        self.types = std::mem::take(&mut self.types).intersect(types);
        includes
    }

    /// Reads a list of alternatives: what it includes whole, and the types that it comes to.
    fn alternatives(&mut self, document: &Document<'a>, list: &Node<'a>, any: bool) -> (Option<Node<'a>>, Types<'a>) {
        let variants: Vec<_> = list.items().filter(|variant| !usage::is_null(variant.value)).collect();
        match variants.as_slice() {
            [] => {}
            [only] => return (Some(only.clone()), Types::default()),
            _ => {
                if let Some(bare) = bare_types(document, &variants) {
                    return (None, bare);
                }
                if let Some(values) = same_enums(document, &variants) {
                    let types = Types(values.iter().map(|value| (type_of(value), None)).collect());
                    self.restrict(list, values);
                    return (None, types);
                }
                let union = Union { any, at: list.at.clone(), variants };
                if !self.unions.iter().any(|known| known.is_like(&union)) {
                    self.unions.push(union);
                }
            }
        }
        (None, Types::default())
    }

    fn merge_values(&mut self, key: &str, value: &'a Value, node: &Node<'a>) {
        match (key, value) {
            ("const", value) => {
                self.constant = true;
                self.restrict(node, vec![value]);
            }
            ("enum", Value::Array(values)) => {
                self.restrict(node, values.iter().filter(|value| !value.is_null()).collect());
            }
            (_, Value::Array(values)) => self.extensible = Some(values.iter().collect()),
            _ => {}
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

    fn merge_object(&mut self, key: &str, child: Node<'a>) {
        match (key, child.value) {
            ("properties", _) => {
                for (name, property) in child.entries() {
                    self.properties.entry(name).or_default().push(property);
                }
            }
            ("required", Value::Array(names)) => self.required.extend(names.iter().filter_map(Value::as_str)),
            ("additionalProperties", Value::Bool(false)) => self.additional = Additional::Closed,
            ("additionalProperties", Value::Object(schema)) if !schema.is_empty() => match &mut self.additional {
                Additional::Typed(parts) => parts.push(child),
                Additional::Open => self.additional = Additional::Typed(vec![child]),
                Additional::Closed => {}
            },
            ("patternProperties", _) => self.pattern_properties.extend(child.entries()),
            ("discriminator", _) => self.discriminator = self.discriminator.take().or(Some(child)),
            _ => {}
        }
    }

    /// Limits, conditions, and what is not known here.
    fn merge_rest(&mut self, key: &'a str, node: &Node<'a>, value: &'a Value) {
        if limits::is_limit(key) {
            let Some((limit, number)) = limits::read(key, node) else { return };
            let known = self.limits.get(limit.1);
            if known.is_none_or(|(_, old)| limits::is_tighter(limit.2, old.value, number.value) == Some(true)) {
                self.limits.insert(limit.1, (limit, number));
            }
            return;
        }
        let child = Node { value, at: node.at.key(key) };
        match CONDITIONS.iter().find(|(keyword, _)| *keyword == key) {
            Some(_) if is_open(value) => {}
            Some((_, word)) => drop(self.conditions.insert(word, child)),
            None => drop(self.unknown.insert(key, child)),
        }
    }
}
