//! Proofs that all values of one schema are values of another.
//!
//! Used where a comparison member by member does not decide: added and removed alternatives, parts that add nothing, conditions. `true` is
//! certain, provided that no message has members that no schema declares; `false` may mean that it is unknown.

use std::{
    borrow::Cow,
    cell::Cell,
    collections::{BTreeSet, HashMap},
};

use openapi_document::{DocumentTree, Node};

use super::{
    ANYTHING, Additional, Item, Schema, Types, Union, Usage, all_match, constraints::type_of_limit, dangling, equal,
    implied::type_of, is_tighter, keeps, same,
};

/// The number of pairs of schemas that one question may come to.
const BUDGET: usize = 200;

/// The number of alternatives that are tried.
const ALTERNATIVES: usize = 60;

/// The number of pairs of schemas that all questions of a comparison may come to; once it is spent, every result is `false`.
#[derive(Debug)]
pub(crate) struct Effort(Cell<usize>);

impl Effort {
    pub(crate) fn new(pairs: usize) -> Self {
        Self(Cell::new(pairs))
    }
}

/// A schema and the document that it is from.
pub(crate) type From<'d, 'a, T> = (&'d DocumentTree<'a>, T);

/// Returns whether all values of `narrow` fit `wide`. `strict`: also those with members that `narrow` does not declare.
pub(crate) fn fits<'a>(
    effort: &Effort,
    narrow: From<'_, 'a, &[Node<'a>]>,
    wide: From<'_, 'a, &[Node<'a>]>,
    strict: bool,
) -> bool {
    Walk::new(effort, narrow.0, wide.0, strict).nodes(narrow.1, wide.1)
}

/// Returns the same for schemas in normal form; whether null is allowed is not asked.
pub(crate) fn fits_schema<'a>(
    effort: &Effort,
    narrow: From<'_, 'a, &Schema<'a>>,
    wide: From<'_, 'a, &Schema<'a>>,
    strict: bool,
) -> bool {
    Walk::new(effort, narrow.0, wide.0, strict).schemas(narrow.1, wide.1)
}

/// Returns whether each value of a schema, of which null is not asked, fits one of several.
pub(crate) fn fits_any<'a>(
    effort: &Effort,
    narrow: From<'_, 'a, &Node<'a>>,
    wide: From<'_, 'a, Vec<Node<'a>>>,
) -> bool {
    let core = Usage::of(narrow.0, std::slice::from_ref(narrow.1)).core;
    let union = Union { any: true, at: narrow.1.at.clone(), variants: wide.1 };
    let any = Schema { unions: vec![union], ..Schema::default() };
    Walk::new(effort, narrow.0, wide.0, false).schemas(&Schema::of(narrow.0, &core), &any)
}

/// Returns whether all values of a schema fit alternatives.
pub(crate) fn fits_union<'a>(
    effort: &Effort,
    narrow: From<'_, 'a, &Schema<'a>>,
    wide: From<'_, 'a, &Union<'a>>,
) -> bool {
    Walk::new(effort, narrow.0, wide.0, false).union(narrow.1, wide.1)
}

pub(super) struct Walk<'d, 'a> {
    pub(super) effort: &'d Effort,
    pub(super) narrow: &'d DocumentTree<'a>,
    pub(super) wide: &'d DocumentTree<'a>,
    pub(super) strict: bool,
    /// Pairs that are being asked about, of which a cycle holds if everything else does, and those that do not fit.
    seen: HashMap<(Vec<usize>, Vec<usize>), bool>,
    left: usize,
}

impl<'d, 'a> Walk<'d, 'a> {
    pub(super) fn new(
        effort: &'d Effort,
        narrow: &'d DocumentTree<'a>,
        wide: &'d DocumentTree<'a>,
        strict: bool,
    ) -> Self {
        Self { effort, narrow, wide, strict, seen: HashMap::new(), left: BUDGET }
    }

    fn nodes(&mut self, narrow: &[Node<'a>], wide: &[Node<'a>]) -> bool {
        let (narrow, wide) = (Usage::of(self.narrow, narrow), Usage::of(self.wide, wide));
        let addresses = |usage: &Usage<'a>| usage.core.iter().map(Node::address).collect::<Vec<_>>();
        let key = (addresses(&narrow), addresses(&wide));
        if let Some(known) = self.seen.get(&key) {
            return *known && (narrow.nullable.is_none() || wide.nullable.is_some());
        }
        let (old, new) = (Schema::of(self.narrow, &narrow.core), Schema::of(self.wide, &wide.core));
        let null = (narrow.nullable.is_none() && !old.is_untyped()) || wide.nullable.is_some() || new.is_untyped();
        if !null {
            return false;
        }
        self.seen.insert(key.clone(), true);
        let fits = self.schemas(&old, &new);
        match fits {
            // It may depend on a cycle that does not hold after all.
            true => self.seen.remove(&key),
            false => self.seen.insert(key, false),
        };
        fits
    }

    fn schemas(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        let (Some(left), Some(all)) = (self.left.checked_sub(1), self.effort.0.get().checked_sub(1)) else {
            return false;
        };
        self.left = left;
        self.effort.0.set(all);
        if narrow.never || wide.never {
            return narrow.never;
        }
        if self.base(narrow, wide) && wide.unions.iter().all(|union| self.union(narrow, union)) {
            return true;
        }
        // Each type and each value may fit where the whole does not.
        if narrow.unions.is_empty() && !wide.unions.is_empty() && narrow.types.0.len() > 1 {
            return narrow.types.0.keys().all(|name| self.schemas(&narrow.of_type(name), wide));
        }
        if let (Some(values), false) = (&narrow.values, wide.unions.is_empty())
            && (2..=ALTERNATIVES).contains(&values.len())
        {
            return values.iter().all(|value| {
                let alone = Schema { values: Some(vec![value]), ..narrow.clone() };
                self.schemas(&alone, wide)
            });
        }
        // Each alternative may fit where the whole, of which less is known, does not.
        narrow.unions.iter().any(|union| {
            union.variants.len() <= ALTERNATIVES
                && union.variants.iter().all(|variant| {
                    let alone = narrow.with(self.narrow, union, variant);
                    self.schemas(&alone, wide)
                })
        })
    }

    /// Returns whether what fits `narrow` fits the alternatives: one of `anyOf`, and of `oneOf` no other.
    fn union(&mut self, narrow: &Schema<'a>, union: &Union<'a>) -> bool {
        if narrow.unions.iter().any(|own| self.is_same_union(own, union)) {
            return true;
        }
        if union.variants.len() > ALTERNATIVES {
            return false;
        }
        let variants: Vec<_> = union
            .variants
            .iter()
            .map(|variant| Schema::of(self.wide, &Usage::of(self.wide, std::slice::from_ref(variant)).core))
            .collect();
        (0..variants.len()).any(|index| {
            let others = || variants.iter().enumerate().filter(|(other, _)| *other != index);
            (union.any || others().all(|(_, other)| self.excludes(narrow, other)))
                && variants.get(index).is_some_and(|variant| self.schemas(narrow, variant))
        })
    }

    fn is_same_union(&self, one: &Union<'a>, other: &Union<'a>) -> bool {
        let equal = |one: &Node<'a>, other: &Node<'a>| same((self.narrow, one), (self.wide, other));
        one.any == other.any
            && one.variants.len() == other.variants.len()
            && one.variants.iter().all(|variant| other.variants.iter().any(|other| equal(variant, other)))
    }

    /// Returns all but the alternatives.
    fn base(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        let own_types = narrow.types_with_alternatives(self.narrow);
        let is_ambiguous =
            |name: &&&str| narrow.ambiguous.contains_key(**name) || own_types.contradicts(&Types::single(name));
        wide.types.relation(&own_types, false).is_within()
            && wide.ambiguous.keys().all(|name| is_ambiguous(&name))
            && Self::values(narrow, wide)
            && Self::limits(narrow, wide, &own_types)
            && self.conditions(narrow, wide, &own_types)
            && (!may_be(&own_types, "object") || !wide.says_members() || self.objects(narrow, wide))
            && (!may_be(&own_types, "array") || !wide.says_items() || self.lists(narrow, wide))
    }

    fn values(narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        let Some(allowed) = &wide.values else { return true };
        let is_allowed = |value: &Cow<'a, serde_json::Value>| allowed.iter().any(|known| equal(known, value));
        narrow.listed().is_some_and(|values| values.iter().all(is_allowed))
    }

    fn limits(narrow: &Schema<'a>, wide: &Schema<'a>, types: &Types<'a>) -> bool {
        let concerns = |name: &str| may_be(types, name) || (name == "number" && may_be(types, "integer"));
        let most = match (narrow.most_items(), wide.most_items()) {
            (_, None) => true,
            (own, Some(most)) => !concerns("array") || own.is_some_and(|own| own <= most),
        };
        let listed = |meets: &dyn Fn(&serde_json::Value) -> bool| {
            narrow.values.as_ref().is_some_and(|values| values.iter().all(|value| meets(value)))
        };
        let within = |(word, (limit, number)): (&&'static str, &(super::Limit, Node<'a>))| {
            let own = narrow.limits.get(*word);
            own.is_some_and(|(_, own)| is_tighter(limit.2, own.value, number.value) != Some(true))
                || listed(&|value| keeps(value, *limit, number.value))
        };
        let matches = |pattern: &&&str| {
            let values = narrow.values.as_ref();
            narrow.patterns.contains(**pattern)
                || values.is_some_and(|values| all_match(pattern, values.iter().copied()))
        };
        let has_multiple = |node: &Node<'a>| narrow.multiples.iter().any(|own| equal(own.value, node.value));
        let is_limit = |(word, _): &(&&'static str, _)| **word != "max-items" && concerns(type_of_limit(word));
        let has_content = |(word, media_types): (&&'static str, &BTreeSet<&'a str>)| {
            narrow.content.get(word).is_some_and(|own| media_types.is_subset(own))
        };
        most && wide.limits.iter().filter(is_limit).all(within)
            && (!concerns("number") || wide.multiples.iter().all(has_multiple))
            && (!concerns("array") || !wide.unique || narrow.unique)
            && (!concerns("string")
                || wide.patterns.iter().all(|pattern| matches(&pattern)) && wide.content.iter().all(has_content))
    }

    /// Returns whether conditions are equal; which of two is stricter is not decided.
    fn conditions(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>, types: &Types<'a>) -> bool {
        let forbids = |value: &&serde_json::Value| {
            let known = narrow.forbidden.iter().flat_map(|forbidden| &forbidden.values);
            let listed = narrow.values.as_ref();
            known.into_iter().any(|own| equal(own, value))
                || listed.is_some_and(|values| !values.iter().any(|own| equal(own, value)))
                || types.contradicts(&Types::single(type_of(value)))
        };
        if !wide.forbidden.iter().flat_map(|forbidden| &forbidden.values).all(forbids) {
            return false;
        }
        let nots = wide.conditions.get("not").map(Vec::as_slice).unwrap_or_default();
        if !nots.iter().all(|not| self.is_forbidden(narrow, not, types)) {
            return false;
        }
        let has = |list: Option<&Vec<Node<'a>>>, node: &Node<'a>| {
            list.into_iter().flatten().any(|own| same((self.narrow, own), (self.wide, node)))
        };
        let branch =
            |wide: &super::Branch<'a>| narrow.branches.iter().any(|own| own.is_same(self.narrow, wide, self.wide));
        let dangles = |node: &Node<'a>| {
            dangling(self.wide, node).is_some()
                && !narrow.leaves.iter().any(|own| same((self.narrow, own), (self.wide, node)))
        };
        let others = |(word, _): &(&&'static str, &Vec<Node<'a>>)| {
            **word != "not" && type_of_condition(word).is_none_or(|name| may_be(types, name))
        };
        let is_met = |(word, list): (&&'static str, &Vec<Node<'a>>)| {
            list.iter().all(|node| has(narrow.conditions.get(word), node))
        };
        wide.conditions.iter().filter(others).all(is_met)
            && wide.branches.iter().all(branch)
            && wide
                .dependent_required
                .iter()
                .all(|(name, names)| narrow.dependent_required.get(name).is_some_and(|own| names.is_subset(own)))
            && wide
                .dependent_schemas
                .iter()
                .all(|(name, list)| list.iter().all(|node| has(narrow.dependent_schemas.get(name), node)))
            && wide.unknown.iter().all(|(key, node)| {
                narrow.unknown.get(key).is_some_and(|own| same((self.narrow, own), (self.wide, node)))
            })
            && !wide.leaves.iter().any(dangles)
    }

    /// Returns whether `narrow` has no value that fits what the other side forbids: it forbids the same or more, or is
    /// something else.
    fn is_forbidden(&mut self, narrow: &Schema<'a>, not: &Node<'a>, types: &Types<'a>) -> bool {
        let core = |document: &DocumentTree<'a>, node: &Node<'a>| Usage::of(document, std::slice::from_ref(node)).core;
        let mut forbidden = Schema::of(self.wide, &core(self.wide, not));
        forbidden.types = forbidden.types.intersect(types.clone());
        let own = narrow.conditions.get("not").cloned().unwrap_or_default();
        // From the other side's point of view: what it forbids is to fit what this one forbids.
        let mut turned = Walk::new(self.effort, self.wide, self.narrow, true);
        own.iter().any(|own| turned.schemas(&forbidden, &Schema::of(self.narrow, &core(self.narrow, own))))
            || self.excludes(narrow, &forbidden)
    }

    fn objects(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        // A free-form object may have anything, one that lists members has those.
        let lists_members = narrow.leaves.iter().any(|leaf| leaf.get("properties").is_some());
        wide.required.is_subset(&narrow.required)
            && narrow.properties.iter().all(|(name, parts)| match (wide.properties.get(name), &wide.additional) {
                (Some(others), _) => self.nodes(parts, others),
                (None, Additional::Closed) => false,
                (None, Additional::Typed(others)) => self.nodes(parts, others),
                (None, Additional::Open) => self.strict || wide.properties.is_empty(),
            })
            && wide.properties.iter().filter(|(name, _)| !narrow.properties.contains_key(*name)).all(|(_, others)| {
                match &narrow.additional {
                    Additional::Closed => true,
                    Additional::Typed(parts) => self.nodes(parts, others),
                    Additional::Open => !self.strict && lists_members,
                }
            })
            && match (&narrow.additional, &wide.additional) {
                (_, Additional::Open) | (Additional::Closed, _) => true,
                (Additional::Typed(parts), Additional::Typed(others)) => self.nodes(parts, others),
                (Additional::Open, Additional::Typed(others)) => {
                    self.nodes(&[Node { value: &ANYTHING, at: narrow.at.clone() }], others)
                }
                (_, Additional::Closed) => false,
            }
            && wide.pattern_properties.iter().all(|(pattern, node)| {
                let own = narrow.pattern_properties.get(pattern);
                own.is_some_and(|own| self.nodes(std::slice::from_ref(own), std::slice::from_ref(node)))
            })
    }

    fn lists(&mut self, narrow: &Schema<'a>, wide: &Schema<'a>) -> bool {
        let count = narrow.prefix_items.len().max(wide.prefix_items.len()) + 1;
        (0..count).all(|index| match (narrow.item(index), wide.item(index)) {
            (Item::Never, _) | (_, Item::Any) => true,
            (Item::Any, Item::Of(others)) => {
                let anything = Node { value: &ANYTHING, at: narrow.at.clone() };
                self.nodes(&[anything], &others)
            }
            (Item::Of(parts), Item::Of(others)) => self.nodes(&parts, &others),
            _ => false,
        })
    }
}

/// Returns the type whose values a condition concerns, by its word in ids.
fn type_of_condition(word: &str) -> Option<&'static str> {
    match word {
        "contains" | "unevaluated-items" => Some("array"),
        "property-names" | "unevaluated-properties" => Some("object"),
        "content-schema" => Some("string"),
        _ => None,
    }
}

/// Returns whether values may be of the type.
fn may_be(types: &Types<'_>, name: &str) -> bool {
    types.is_any() || types.0.contains_key(name)
}
