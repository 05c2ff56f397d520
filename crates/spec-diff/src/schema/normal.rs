//! The normal form: what a schema states, with `allOf` merged and everything unordered in order.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{DocumentTree, Node, pointer::Pointer};
use serde_json::Value;

use super::{Limit, Types, implied::is_open, is_annotation, same, usage};

/// The number of parts that an `allOf` may come to, nested ones included.
const PARTS: usize = 1_000;

/// The depth to which types of alternatives within alternatives are collected.
const UNION_DEPTH: u8 = 2;

/// The members of an object beside its listed properties.
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
    /// Returns whether both ask for the same under the same condition.
    pub(crate) fn is_same(&self, document: &DocumentTree<'a>, other: &Self, others: &DocumentTree<'a>) -> bool {
        let stated = |branch: &Self, key| branch.node.get(key).filter(|node| !is_open(node.value));
        ["if", "then", "else"].iter().all(|key| match (stated(self, key), stated(other, key)) {
            (None, None) => true,
            (Some(own), Some(other)) => same((document, &own), (others, &other)),
            _ => false,
        })
    }
}

/// Values that `not` excludes.
#[derive(Debug, Clone)]
pub(crate) struct Forbidden<'a> {
    pub(crate) at: Pointer<'a>,
    /// The first schema that excludes some.
    pub(crate) node: Node<'a>,
    pub(crate) values: Vec<&'a Value>,
}

/// The schema of an item of an array.
#[derive(Debug, Clone)]
pub(crate) enum Item<'a> {
    /// No keyword is about it.
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
    /// Returns whether both list the same alternatives in the same words.
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
    /// The types are all that there are, null aside.
    pub(crate) lists_all_types: bool,
    /// The types whose values fit several alternatives of a `oneOf` of types, and are rejected.
    pub(crate) ambiguous: BTreeMap<&'a str, Pointer<'a>>,
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
    /// The number of items that there may be, where no other may follow the first ones.
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
    pub(crate) forbidden: Option<Forbidden<'a>>,
    pub(crate) branches: Vec<Branch<'a>>,
    /// Members that must be there if the one named is.
    pub(crate) dependent_required: BTreeMap<&'a str, BTreeSet<&'a str>>,
    pub(crate) dependent_schemas: BTreeMap<&'a str, Vec<Node<'a>>>,
    /// No value fits.
    pub(crate) never: bool,
    /// Keywords that are unknown here: their differences are reported as such.
    pub(crate) unknown: BTreeMap<&'a str, Node<'a>>,
    /// The merged schemas, before parts and references were followed.
    pub(crate) core: Vec<Node<'a>>,
    /// The lists of alternatives that were left out.
    pub(crate) left_out: Vec<Pointer<'a>>,
    /// The alternatives that were read as types or values.
    pub(crate) absorbed: Vec<Node<'a>>,
    /// All that was merged.
    pub(crate) leaves: Vec<Node<'a>>,
}

impl<'a> Schema<'a> {
    /// Merges schemas that hold together.
    pub(crate) fn of(document: &DocumentTree<'a>, core: &[Node<'a>]) -> Self {
        Self::without(document, core, &[])
    }

    /// Merges schemas that hold together, leaving out alternatives by the locations of their lists.
    pub(crate) fn without(document: &DocumentTree<'a>, core: &[Node<'a>], unions: &[Pointer<'a>]) -> Self {
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
        schema.canonicalize(document);
        schema
    }

    /// Returns the schema with one of its alternatives for all of them.
    pub(crate) fn with(&self, document: &DocumentTree<'a>, union: &Union<'a>, variant: &Node<'a>) -> Self {
        let mut core = self.core.clone();
        core.extend(usage::Usage::of(document, std::slice::from_ref(variant)).core);
        let left_out: Vec<_> = self.left_out.iter().chain([&union.at]).cloned().collect();
        Self::without(document, &core, &left_out)
    }

    /// Returns what was merged, if it was one schema; else the first part.
    pub(crate) fn core_node(&self) -> Node<'a> {
        let none = || Node { value: &Value::Null, at: self.at.clone() };
        self.core.first().cloned().unwrap_or_else(none)
    }

    /// Returns whether it is nothing but alternatives.
    pub(crate) fn is_bare_union(&self) -> bool {
        let states =
            |(key, _): (&str, &Value)| !is_annotation(key) && !matches!(key, "oneOf" | "anyOf" | "discriminator");
        self.left_out.is_empty()
            && matches!((self.leaves.as_slice(), self.unions.as_slice()), ([leaf], [_]) if !leaf.members().any(states))
    }

    /// Returns whether nothing limits the type, so that null is allowed too.
    pub(crate) fn is_untyped(&self) -> bool {
        self.types.is_any() && !self.lists_all_types && self.values.is_none() && self.unions.is_empty() && !self.never
    }

    /// Returns whether a keyword is about an object's members.
    pub(crate) fn states_members(&self) -> bool {
        !self.properties.is_empty()
            || !self.required.is_empty()
            || !self.pattern_properties.is_empty()
            || !matches!(self.additional, Additional::Open)
    }

    /// Returns whether a keyword is about an array's items.
    pub(crate) fn states_items(&self) -> bool {
        !self.items.is_empty() || !self.prefix_items.is_empty() || self.closed_items.is_some()
    }

    /// Returns the types that both the schema and its alternatives allow.
    pub(crate) fn types_with_alternatives(&self, document: &DocumentTree<'a>) -> Types<'a> {
        self.union_types(document, UNION_DEPTH)
    }

    fn union_types(&self, document: &DocumentTree<'a>, depth: u8) -> Types<'a> {
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

    /// Returns the schema of the item at this index of an array.
    pub(crate) fn item(&self, index: usize) -> Item<'a> {
        let index_of = |most: u64| usize::try_from(most).unwrap_or(usize::MAX);
        match self.prefix_items.get(index) {
            _ if self.most_items().is_some_and(|most| index >= index_of(most)) => Item::Never,
            Some(parts) => Item::Of(parts.clone()),
            None if self.items.is_empty() => Item::Any,
            None => Item::Of(self.items.clone()),
        }
    }
}
