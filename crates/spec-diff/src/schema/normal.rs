//! The normal form: what a schema says, with `allOf` merged and everything unordered in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Limit, Types, equal,
    implied::{bare_types, content_of_format, is_never, is_open, same_enums, type_of, types},
    is_annotation, limits, same, usage,
};
use crate::{
    document::{Document, Node},
    pointer::{Pointer, Step},
};

/// How many parts an `allOf` may come to, nested ones included.
const PARTS: usize = 1_000;

/// How deep alternatives within alternatives are asked for their types.
const UNION_DEPTH: u8 = 2;

/// Keywords whose values are conditions of their own.
const CONDITIONS: &[(&str, &str)] = &[
    ("contains", "contains"),
    ("contentSchema", "content-schema"),
    ("not", "not"),
    ("propertyNames", "property-names"),
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

/// `if`, `then` and `else` of one schema: each means something only with the others.
#[derive(Debug, Clone)]
pub(crate) struct Branch<'a> {
    /// The schema that has them.
    pub(crate) node: Node<'a>,
}

impl<'a> Branch<'a> {
    /// Whether both ask for the same under the same condition.
    pub(crate) fn is_same(&self, document: &Document<'a>, other: &Self, others: &Document<'a>) -> bool {
        ["if", "then", "else"].iter().all(|key| match (self.node.get(key), other.node.get(key)) {
            (None, None) => true,
            (Some(own), Some(other)) => same((document, &own), (others, &other)),
            _ => false,
        })
    }
}

/// What an item of a list must be.
#[derive(Debug, Clone)]
pub(crate) enum Item<'a> {
    /// Nothing is said of it.
    Any,
    /// There is no such item.
    Never,
    /// A schema in parts.
    Of(Vec<Node<'a>>),
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
    /// How many items there may be, where no other may follow the first ones.
    pub(crate) closed_items: Option<usize>,
    /// The first items, each in as many parts as describe it.
    pub(crate) prefix_items: Vec<Vec<Node<'a>>>,
    pub(crate) unions: Vec<Union<'a>>,
    pub(crate) discriminator: Option<Node<'a>>,
    pub(crate) limits: BTreeMap<&'static str, (Limit, Node<'a>)>,
    pub(crate) multiples: Vec<Node<'a>>,
    pub(crate) unique: bool,
    pub(crate) patterns: BTreeSet<&'a str>,
    /// `contentEncoding`, `contentMediaType`, and the formats that 3.0 had instead.
    pub(crate) content: BTreeMap<&'static str, BTreeSet<&'a str>>,
    pub(crate) conditions: BTreeMap<&'static str, Vec<Node<'a>>>,
    pub(crate) branches: Vec<Branch<'a>>,
    /// Members that must be there if the one named is.
    pub(crate) dependent_required: BTreeMap<&'a str, BTreeSet<&'a str>>,
    pub(crate) dependent_schemas: BTreeMap<&'a str, Vec<Node<'a>>>,
    /// No value fits.
    pub(crate) never: bool,
    /// Keywords that are unknown here: their differences are reported as such.
    pub(crate) unknown: BTreeMap<&'a str, Node<'a>>,
    /// What was merged, before parts and references were followed.
    pub(crate) core: Vec<Node<'a>>,
    /// The lists of alternatives that were left out.
    pub(crate) left_out: Vec<Pointer<'a>>,
    /// All that was merged.
    pub(crate) leaves: Vec<Node<'a>>,
}

impl<'a> Schema<'a> {
    /// Merges schemas that hold together.
    pub(crate) fn of(document: &Document<'a>, core: &[Node<'a>]) -> Self {
        Self::without(document, core, &[])
    }

    /// Merges schemas that hold together, leaving out alternatives by the places of their lists.
    pub(crate) fn without(document: &Document<'a>, core: &[Node<'a>], unions: &[Pointer<'a>]) -> Self {
        let left_out: Vec<_> = unions.iter().map(Pointer::steps).collect();
        let at = core.first().map(|node| node.at.clone()).unwrap_or_default();
        let mut schema = Self { at, core: core.to_vec(), left_out: unions.to_vec(), ..Self::default() };
        let mut seen = BTreeSet::new();
        let mut parts: Vec<_> = core.iter().rev().cloned().collect();
        while let Some(part) = parts.pop() {
            if seen.len() >= PARTS || !seen.insert(part.address()) {
                continue;
            }
            let mut inner = schema.merge(document, &part, &left_out);
            inner.reverse();
            parts.extend(inner);
            schema.leaves.push(part);
        }
        schema
    }

    /// The schema with one of its alternatives for all of them.
    pub(crate) fn with(&self, document: &Document<'a>, union: &Union<'a>, variant: &Node<'a>) -> Self {
        let mut core = self.core.clone();
        core.extend(usage::Usage::of(document, std::slice::from_ref(variant)).core);
        let left_out: Vec<_> = self.left_out.iter().chain([&union.at]).cloned().collect();
        Self::without(document, &core, &left_out)
    }

    /// What was merged, if it was one schema; else the first part.
    pub(crate) fn core_node(&self) -> Node<'a> {
        let none = || Node { value: &Value::Null, at: self.at.clone() };
        self.core.first().cloned().unwrap_or_else(none)
    }

    /// Whether it is nothing but alternatives.
    pub(crate) fn is_bare_union(&self) -> bool {
        let says =
            |(key, _): (&str, &Value)| !is_annotation(key) && !matches!(key, "oneOf" | "anyOf" | "discriminator");
        self.left_out.is_empty()
            && matches!((self.leaves.as_slice(), self.unions.as_slice()), ([leaf], [_]) if !leaf.members().any(says))
    }

    /// Whether nothing limits the type, so that null is allowed too.
    pub(crate) fn is_untyped(&self) -> bool {
        self.types.is_any() && self.values.is_none() && self.unions.is_empty() && !self.never
    }

    /// Whether anything is said of an object's members.
    pub(crate) fn says_members(&self) -> bool {
        !self.properties.is_empty()
            || !self.required.is_empty()
            || !self.pattern_properties.is_empty()
            || !matches!(self.additional, Additional::Open)
    }

    /// Whether anything is said of a list's items.
    pub(crate) fn says_items(&self) -> bool {
        !self.items.is_empty() || !self.prefix_items.is_empty() || self.closed_items.is_some()
    }

    /// The types that both the schema and its alternatives allow.
    pub(crate) fn types_with_alternatives(&self, document: &Document<'a>) -> Types<'a> {
        self.union_types(document, UNION_DEPTH)
    }

    fn union_types(&self, document: &Document<'a>, depth: u8) -> Types<'a> {
        let mut types = self.types.clone();
        let Some(depth) = depth.checked_sub(1) else { return types };
        for union in &self.unions {
            let of = |variant: &Node<'a>| {
                let core = usage::Usage::of(document, std::slice::from_ref(variant)).core;
                Self::of(document, &core).union_types(document, depth)
            };
            if let Some(all) = Types::union(union.variants.iter().map(of)) {
                types = types.intersect(all);
            }
        }
        types
    }

    /// Adds what one schema says itself; gives back the schemas that it includes whole.
    fn merge(&mut self, document: &Document<'a>, node: &Node<'a>, left_out: &[Vec<Step<'a>>]) -> Vec<Node<'a>> {
        let mut includes: Vec<_> = document.target(node).into_iter().collect();
        self.never |= is_never(node.value);
        // 3.0 says that siblings of a reference count for nothing.
        if !includes.is_empty() && !document.siblings {
            return includes;
        }
        let mut types = types(node);
        for (key, value) in node.members().filter(|(_, value)| !value.is_null()) {
            let child = || Node { value, at: node.at.key(key) };
            match key {
                "allOf" => includes.extend(child().items()),
                "oneOf" | "anyOf" if !left_out.is_empty() && left_out.contains(&child().at.steps()) => {}
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
                "items" if value.is_array() => self.first_items(&child()),
                "items" | "additionalItems" if is_never(value) => {
                    let first =
                        node.get("prefixItems").or_else(|| node.get("items")).map_or(0, |list| list.items().count());
                    self.closed_items = Some(self.closed_items.map_or(first, |known| known.min(first)));
                }
                "items" if !is_open(value) => self.items.push(child()),
                // It counts only beside a list of schemas.
                "additionalItems" => self.items.extend(
                    node.get("items").filter(|items| items.value.is_array() && !is_open(value)).map(|_| child()),
                ),
                "prefixItems" => self.first_items(&child()),
                "uniqueItems" => self.unique |= value == &Value::Bool(true),
                "multipleOf" if !self.multiples.iter().any(|known| equal(known.value, value)) => {
                    self.multiples.push(child())
                }
                "pattern" => self.patterns.extend(value.as_str()),
                "contentEncoding" => self.content("content-encoding", value.as_str()),
                "contentMediaType" => self.content("content-media-type", value.as_str()),
                "format" => {
                    let content = value.as_str().and_then(content_of_format);
                    content.into_iter().for_each(|(word, text)| self.content(word, Some(text)));
                }
                "if" if !self.branches.iter().any(|known| known.node.value == node.value) => {
                    self.branches.push(Branch { node: node.clone() });
                }
                "dependentRequired" | "dependentSchemas" | "dependencies" => self.merge_dependencies(&child()),
                "not" if is_open(value) => self.never = true,
                "$ref" | "$dynamicRef" | "if" | "$defs" | "definitions" | "else" | "items" | "multipleOf" | "then"
                | "type" => {}
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

    fn first_items(&mut self, list: &Node<'a>) {
        for (index, item) in list.items().enumerate() {
            match self.prefix_items.get_mut(index) {
                Some(parts) => parts.push(item),
                None => self.prefix_items.push(vec![item]),
            }
        }
    }

    fn content(&mut self, word: &'static str, text: Option<&'a str>) {
        self.content.entry(word).or_default().extend(text);
    }

    /// `dependentRequired`, `dependentSchemas`, and the keyword that was both before.
    fn merge_dependencies(&mut self, child: &Node<'a>) {
        for (name, dependency) in child.entries() {
            match dependency.value {
                Value::Array(names) => {
                    let names = names.iter().filter_map(Value::as_str);
                    self.dependent_required.entry(name).or_default().extend(names);
                }
                _ => push_new(self.dependent_schemas.entry(name).or_default(), dependency),
            }
        }
    }

    /// What the item at this place of a list must be.
    pub(crate) fn item(&self, index: usize) -> Item<'a> {
        match self.prefix_items.get(index) {
            _ if self.closed_items.is_some_and(|count| index >= count) => Item::Never,
            Some(parts) => Item::Of(parts.clone()),
            None if self.items.is_empty() => Item::Any,
            None => Item::Of(self.items.clone()),
        }
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
                let both: Vec<_> =
                    known.iter().copied().filter(|value| values.iter().any(|other| equal(value, other))).collect();
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
            ("additionalProperties", closed) if is_never(closed) => self.additional = Additional::Closed,
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
            Some((_, word)) => push_new(self.conditions.entry(word).or_default(), child),
            None => drop(self.unknown.insert(key, child)),
        }
    }
}

/// Adds a schema unless it is there in the same words.
fn push_new<'a>(list: &mut Vec<Node<'a>>, node: Node<'a>) {
    if !list.iter().any(|known| known.value == node.value) {
        list.push(node);
    }
}
