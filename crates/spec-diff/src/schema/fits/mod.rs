//! Proofs that all values of one schema are values of another.
//!
//! Used where a comparison member by member does not decide: added and removed alternatives, parts that add nothing, conditions. `true` is
//! certain, provided that no message has members that no schema declares; `false` may mean that it is unknown.

mod keywords;

use std::{cell::Cell, collections::HashMap};

use openapi_document::{DocumentTree, Node};

use super::{Schema, Union, Usage, same};

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
pub(crate) type InDocument<'d, 'a, T> = (&'d DocumentTree<'a>, T);

/// Returns whether all values of `narrow` fit `wide`. `strict`: also those with members that `narrow` does not declare.
pub(crate) fn fits<'a>(
    effort: &Effort,
    narrow: InDocument<'_, 'a, &[Node<'a>]>,
    wide: InDocument<'_, 'a, &[Node<'a>]>,
    strict: bool,
) -> bool {
    Walk::new(effort, narrow.0, wide.0, strict).nodes(narrow.1, wide.1)
}

/// Returns the same for schemas in normal form; whether null is allowed is not asked.
pub(crate) fn fits_schema<'a>(
    effort: &Effort,
    narrow: InDocument<'_, 'a, &Schema<'a>>,
    wide: InDocument<'_, 'a, &Schema<'a>>,
    strict: bool,
) -> bool {
    Walk::new(effort, narrow.0, wide.0, strict).schemas(narrow.1, wide.1)
}

/// Returns whether each value of a schema, of which null is not asked, fits one of several.
pub(crate) fn fits_any<'a>(
    effort: &Effort,
    narrow: InDocument<'_, 'a, &Node<'a>>,
    wide: InDocument<'_, 'a, Vec<Node<'a>>>,
) -> bool {
    let core = Usage::of(narrow.0, std::slice::from_ref(narrow.1)).core;
    let union = Union { any: true, at: narrow.1.at.clone(), variants: wide.1 };
    let any = Schema { unions: vec![union], ..Schema::default() };
    Walk::new(effort, narrow.0, wide.0, false).schemas(&Schema::of(narrow.0, &core), &any)
}

/// Returns whether all values of a schema fit alternatives.
pub(crate) fn fits_union<'a>(
    effort: &Effort,
    narrow: InDocument<'_, 'a, &Schema<'a>>,
    wide: InDocument<'_, 'a, &Union<'a>>,
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
}
