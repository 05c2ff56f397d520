//! Pairs of alternatives of both sides.

use std::{cell::LazyCell, collections::BTreeSet};

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{name, normal};
use crate::{
    compare::Comparison,
    schema::{Relation, Schema, equal, fits_schema, same},
};

/// The number of alternatives without a name that are paired by what they hold.
const LIKENESSES: usize = 60;

/// The similarity of alternatives that identify themselves: by a title, or by a member with one value.
const CERTAIN: usize = 90;

/// Alternatives of both sides that stand for each other, and those that stand alone.
pub(super) struct Matching<'a> {
    pub(super) pairs: Vec<(Node<'a>, Node<'a>)>,
    pub(super) removed: Vec<Node<'a>>,
    pub(super) added: Vec<Node<'a>>,
}

/// An alternative, the list that it is from, and whether all of the list fits the other side's.
type Listed<'s, 'a> = (&'s Node<'a>, &'s [Node<'a>], bool);

impl<'a> Comparison<'a> {
    /// Pairs alternatives: by name, then by equal keywords, then by similarity.
    pub(super) fn matching(&self, olds: &[Node<'a>], news: &[Node<'a>]) -> Matching<'a> {
        let mut matching = Matching { pairs: Vec::new(), removed: Vec::new(), added: news.to_vec() };
        let mut left = Vec::new();
        for old in olds {
            let name = name(old);
            match matching.added.iter().position(|new| name.is_some() && self::name(new) == name) {
                Some(index) => matching.pairs.push((old.clone(), matching.added.remove(index))),
                None => left.push(old.clone()),
            }
        }
        if left.len().max(matching.added.len()) > LIKENESSES {
            matching.removed = left;
            return matching;
        }
        for old in std::mem::take(&mut left) {
            let equal = |new: &Node<'a>| self.may_pair(&old, new) && same((&self.base, &old), (&self.revision, new));
            match matching.added.iter().position(equal) {
                Some(index) => matching.pairs.push((old, matching.added.remove(index))),
                None => left.push(old),
            }
        }
        self.pair_by_likeness(left, (olds, news), &mut matching);
        matching
    }

    /// Pairs what is left, the most alike first; of equals those at the same position, so that both directions pair the same.
    fn pair_by_likeness(&self, left: Vec<Node<'a>>, all: (&[Node<'a>], &[Node<'a>]), matching: &mut Matching<'a>) {
        let added = std::mem::take(&mut matching.added);
        let olds: Vec<_> = left.iter().map(|old| normal(&self.base, old)).collect();
        let news: Vec<_> = added.iter().map(|new| normal(&self.revision, new)).collect();
        let (mut left, mut added): (Vec<_>, Vec<_>) =
            (left.into_iter().map(Some).collect(), added.into_iter().map(Some).collect());
        // Whether all that the one side's alternatives take, the other side's take: asked if it matters.
        let widens =
            LazyCell::new(|| all.0.iter().all(|old| self.is_covered((&self.base, old), (&self.revision, all.1))));
        let narrows =
            LazyCell::new(|| all.1.iter().all(|new| self.is_covered((&self.revision, new), (&self.base, all.0))));
        // By what they hold, and what still has no like by whether one is all of the other and more.
        for by_growth in [false, true] {
            let mut likings = Vec::new();
            for (i, (old, old_node)) in olds.iter().zip(&left).enumerate() {
                for (j, (new, new_node)) in news.iter().zip(&added).enumerate() {
                    let (Some(old_node), Some(new_node)) = (old_node, new_node) else { continue };
                    let liking = match (self.may_pair(old_node, new_node), by_growth) {
                        (false, _) => 0,
                        (true, false) => likeness(old, new),
                        (true, true) => self.growth(old, new),
                    };
                    if liking > 0 {
                        likings.push((std::cmp::Reverse(liking), i.abs_diff(j), i + j, i, j));
                    }
                }
            }
            likings.sort_unstable();
            for (liking, .., i, j) in likings {
                let (Some(old), Some(new)) = (left.get_mut(i), added.get_mut(j)) else { continue };
                let is_it = |old: &Node<'a>, new: &Node<'a>| {
                    liking.0 >= CERTAIN || self.is_it((old, all.0, *widens), (new, all.1, *narrows))
                };
                if old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| is_it(old, new)) {
                    matching.pairs.extend(old.take().zip(new.take()));
                }
            }
        }
        matching.removed.extend(left.into_iter().flatten());
        matching.added.extend(added.into_iter().flatten());
    }

    /// Returns whether the one alternative became the other that it is like. It did not if others take what it took: all of them
    /// together, where the whole list became wider or narrower, or another one.
    fn is_it(&self, (old, olds, widens): Listed<'_, 'a>, (new, news, narrows): Listed<'_, 'a>) -> bool {
        let (base, revision) = (&self.base, &self.revision);
        let grew = self.is_covered((base, old), (revision, std::slice::from_ref(new)));
        let shrank = self.is_covered((revision, new), (base, std::slice::from_ref(old)));
        let but = |list: &[Node<'a>], one: &Node<'a>| {
            list.iter().filter(|other| other.address() != one.address()).cloned().collect::<Vec<_>>()
        };
        if widens || narrows || (grew && shrank) {
            // Of several that it was divided into, or that became one, none is it.
            let divided = |document: &DocumentTree<'a>, parts: Vec<Node<'a>>, whole: (&DocumentTree<'a>, &Node<'a>)| {
                let is_part = |part| self.is_covered((document, part), (whole.0, std::slice::from_ref(whole.1)));
                parts.iter().any(is_part)
            };
            let is_divided = narrows && !grew && divided(revision, but(news, new), (base, old));
            let is_joined = widens && !shrank && divided(base, but(olds, old), (revision, new));
            return (!widens || grew) && (!narrows || shrank) && !is_divided && !is_joined;
        }
        !self.is_covered((base, old), (revision, &but(news, new)))
            && !self.is_covered((revision, new), (base, &but(olds, old)))
    }

    /// Returns whether one of two alternatives with little in common is all of the other and more.
    fn growth(&self, old: &Schema<'a>, new: &Schema<'a>) -> usize {
        if tag(old, new) == Some(false) || !old.unions.is_empty() || !new.unions.is_empty() {
            return 0;
        }
        let (base, revision) = ((&self.base, old), (&self.revision, new));
        let effort = &self.effort;
        usize::from(fits_schema(effort, base, revision, false) || fits_schema(effort, revision, base, false))
    }

    /// Returns whether two names may be of the same alternative: each is unknown to the other side.
    fn may_pair(&self, old: &Node<'a>, new: &Node<'a>) -> bool {
        match (name(old), name(new)) {
            (Some(old), Some(new)) => {
                let has = |document: &DocumentTree<'a>, name| {
                    document.components("schemas").is_some_and(|map| map.contains_key(name))
                };
                !has(&self.revision, old) && !has(&self.base, new)
            }
            _ => true,
        }
    }
}

/// Returns how much two schemas have in common, from 0 (nothing: they do not stand for each other) to 95.
pub(super) fn likeness(old: &Schema<'_>, new: &Schema<'_>) -> usize {
    let is_nested = |schema: &Schema<'_>| schema.types.is_any() && !schema.unions.is_empty();
    if is_nested(old) && is_nested(new) {
        return 50;
    }
    if old.types.is_any() || new.types.is_any() || old.types.relation(&new.types, false) == Relation::Other {
        return 0;
    }
    let titles = [old, new].map(|schema| schema.leaves.iter().find_map(|leaf| leaf.text("title")));
    let constants = |schema: &Schema<'_>| schema.values.as_ref().map(|values| values.len()) == Some(1);
    if constants(old) && constants(new) && old.values != new.values {
        return 0;
    }
    match tag(old, new) {
        Some(true) => return CERTAIN + 5,
        Some(false) => return 0,
        None => {}
    }
    if titles[0].is_some() && titles[0] == titles[1] {
        return CERTAIN;
    }
    let names = |schema: &Schema<'_>| schema.properties.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let (olds, news) = (names(old), names(new));
    let all = olds.union(&news).count();
    let common = olds.intersection(&news).count();
    match all {
        0 => CERTAIN - 1,
        // Few common members, but those that must be there: it has grown or shrunk.
        _ if common * 2 < all && (old.required.is_empty() || old.required != new.required) => 0,
        _ => (common * (CERTAIN - 1) / all).max(50),
    }
}

/// Returns whether a member with a single value, by which callers distinguish alternatives, has the same value on both
/// sides.
fn tag(old: &Schema<'_>, new: &Schema<'_>) -> Option<bool> {
    let single = |schema: &Schema<'_>, name: &str| {
        let [part] = schema.properties.get(name)?.as_slice() else { return None };
        let listed = part.value.get("enum").and_then(Value::as_array).filter(|values| values.len() == 1);
        part.value.get("const").or_else(|| listed?.first()).cloned()
    };
    let tags = old.properties.keys().filter_map(|name| Some((single(old, name)?, single(new, name)?)));
    tags.map(|(old, new)| equal(&old, &new)).reduce(|one, other| one && other)
}
