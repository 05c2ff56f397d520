//! Alternatives: `oneOf` and `anyOf`.

pub(super) mod ambiguous;
pub(super) mod discriminator;
mod matching;
pub(super) mod subtypes;
mod variants;

use openapi_document::{DocumentTree, Node};

use super::{Circumstance, Comparison, Context, Finding, components::component};
use crate::{
    classification::Direction,
    compare::{
        conditions::{CONDITION_ADDED, CONDITION_REMOVED},
        schema::{TYPE_CHANGED, TYPE_GENERALIZED, TYPE_SPECIALIZED},
    },
    rule::{Rule, rules},
    schema::{InDocument, Schema, Types, Union, Usage, fits_any, fits_schema, fits_union, same},
};
use matching::likeness;
use variants::{flat, label, labels, name, normal, types_of};

rules! {
    ONE_OF_ADDED = Rule::data("one-of-added", Composition, (Info, Breaking), Major, "one-of-removed",
        "one more alternative is accepted")
        .in_responses("one more alternative may arrive");
    ONE_OF_REMOVED = Rule::data("one-of-removed", Composition, (Breaking, Info), Major, "one-of-added",
        "an alternative is no longer accepted")
        .in_responses("an alternative no longer arrives");
    ANY_OF_ADDED = Rule::data("any-of-added", Composition, (Info, Warning), Major, "any-of-removed",
        "one more alternative is accepted")
        .in_responses("one more alternative may arrive; values may match an old one too");
    ANY_OF_REMOVED = Rule::data("any-of-removed", Composition, (Breaking, Info), Major, "any-of-added",
        "an alternative is no longer accepted")
        .in_responses("an alternative no longer arrives");
    WRAPPED_IN_ONE_OF = Rule::data("wrapped-in-one-of", Composition, (Breaking, Breaking), Major,
        "unwrapped-from-one-of", "one form became several, none of which is the old one");
    UNWRAPPED_FROM_ONE_OF = Rule::data("unwrapped-from-one-of", Composition, (Breaking, Breaking), Major,
        "wrapped-in-one-of", "several alternatives became one, which is not one of the old ones");
}

impl<'a> Comparison<'a> {
    /// Compares alternatives. True if nothing else of the schemas is left to compare.
    pub(super) fn unions(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) -> bool {
        self.ambiguous_types(old, new, context);
        match (old.unions.as_slice(), new.unions.as_slice()) {
            ([], []) => return false,
            ([], [union, ..]) => return self.became_union(old, new, union, context),
            ([union, ..], []) => return self.was_union(old, union, new, context),
            ([before], [after]) => self.alternatives(before, after, context),
            _ => self.several_unions(old, new, context),
        }
        self.discriminators(old, new, context);
        false
    }

    fn alternatives(&mut self, old: &Union<'a>, new: &Union<'a>, context: Context) {
        let (old, new) = (&flat(&self.base, old), &flat(&self.revision, new));
        let matching = self.matching(&old.variants, &new.variants);
        for (old, new) in &matching.pairs {
            self.variants(old, new, context.inside());
        }
        // They matter only to alternatives that are added, and most lists have none.
        let known = if matching.added.is_empty() { Types::default() } else { types_of(&self.base, &old.variants) };
        self.came_and_went((old, &known, &matching.removed), (new, &matching.added), context);
        if old.any != new.any {
            self.kind(old, new, context);
        }
    }

    fn came_and_went(
        &mut self,
        (old, known, removed): (&Union<'a>, &Types<'a>, &[Node<'a>]),
        (new, added): (&Union<'a>, &[Node<'a>]),
        context: Context,
    ) {
        let rules = |any: bool| match any {
            true => (&ANY_OF_ADDED, &ANY_OF_REMOVED),
            false => (&ONE_OF_ADDED, &ONE_OF_REMOVED),
        };
        for variant in removed {
            let finding = Finding::new(rules(old.any).1).removed(&variant.at).values(label(variant), None);
            let is_left = self.is_covered((&self.base, variant), (&self.revision, &new.variants));
            self.note_data(context, finding.when(is_left, Circumstance::SameValues));
        }
        for variant in added {
            let finding = Finding::new(rules(new.any).0).added(&variant.at).values(None, label(variant));
            let is_known = self.is_covered((&self.revision, variant), (&self.base, &old.variants));
            // An added alternative need not allow new values under `anyOf`; a type that no alternative had before does.
            let new_type = new.any && !known.relation(&normal(&self.revision, variant).types, context.text).is_within();
            let circumstance = match (is_known, context.direction) {
                (true, Direction::Request) if !new.any && self.is_repeated(variant, &new.variants) => {
                    Circumstance::Ambiguous
                }
                (true, _) => Circumstance::SameValues,
                (false, Direction::Response) if new_type => Circumstance::NewType,
                _ => Circumstance::Usual,
            };
            self.note_data(context, finding.when(true, circumstance));
        }
    }

    /// Returns whether all that fits an alternative fits one of the other side. Two objects with names of their own are two
    /// things, also where they list the same members.
    pub(super) fn is_covered(
        &self,
        variant: InDocument<'_, 'a, &Node<'a>>,
        others: InDocument<'_, 'a, &[Node<'a>]>,
    ) -> bool {
        let name = |document: &DocumentTree<'a>, node: &Node<'a>| {
            component(&document.resolve(node.clone())).filter(|_| normal(document, node).states_members())
        };
        let own = name(variant.0, variant.1);
        let is_another =
            |other: &Node<'a>| own.is_some() && name(others.0, other).is_some_and(|name| own != Some(name));
        let variants: Vec<_> = others.1.iter().filter(|other| !is_another(other)).cloned().collect();
        !variants.is_empty() && fits_any(&self.effort, variant, (others.0, variants))
    }

    /// Returns whether another alternative of the revision takes what this one takes.
    fn is_repeated(&self, variant: &Node<'a>, variants: &[Node<'a>]) -> bool {
        let others: Vec<_> = variants.iter().filter(|other| other.address() != variant.address()).cloned().collect();
        self.is_covered((&self.revision, variant), (&self.revision, &others))
    }

    /// Compares several unions that hold together: equal ones first, then in order. Further ones on one side are added or removed conditions.
    fn several_unions(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let mut left: Vec<_> = new.unions.iter().collect();
        let mut rest = Vec::new();
        for old in &old.unions {
            match left.iter().position(|new| old.is_like(new)) {
                Some(index) => self.alternatives(old, left.remove(index), context),
                None => rest.push(old),
            }
        }
        for (old, new) in rest.iter().zip(&left) {
            self.alternatives(old, new, context);
        }
        for union in rest.iter().skip(left.len()) {
            self.union_removed((old, union), new, context);
        }
        for union in left.iter().skip(rest.len()) {
            self.union_added(old, (new, union), context);
        }
    }

    /// Reports alternatives beside all else that a schema states: one more condition, which all values may meet already.
    fn union_added(&mut self, old: &Schema<'a>, (new, union): (&Schema<'a>, &Union<'a>), context: Context) {
        let finding = Finding::new(&CONDITION_ADDED).what("union").at(&old.at, &union.at);
        let is_met = self.meets((&self.base, old), (&self.revision, new), union);
        self.note_data(context, finding.when(is_met, Circumstance::Met));
    }

    fn union_removed(&mut self, (old, union): (&Schema<'a>, &Union<'a>), new: &Schema<'a>, context: Context) {
        let finding = Finding::new(&CONDITION_REMOVED).what("union").at(&union.at, &new.at);
        let is_met = self.meets((&self.revision, new), (&self.base, old), union);
        self.note_data(context, finding.when(is_met, Circumstance::Met));
    }

    /// Returns whether what fits a schema fits the alternatives of another, or one of them with all that stands beside
    /// them.
    fn meets(
        &self,
        narrow: InDocument<'_, 'a, &Schema<'a>>,
        wide: InDocument<'_, 'a, &Schema<'a>>,
        union: &Union<'a>,
    ) -> bool {
        let fits_with = |variant: &&Node<'a>| {
            fits_schema(&self.effort, narrow, (wide.0, &wide.1.with(wide.0, union, variant)), false)
        };
        fits_union(&self.effort, narrow, (wide.0, union)) || {
            let fitting = union.variants.iter().filter(fits_with).count();
            fitting == 1 || (union.any && fitting > 0)
        }
    }

    fn became_union(&mut self, old: &Schema<'a>, new: &Schema<'a>, union: &Union<'a>, context: Context) -> bool {
        if !new.properties.is_empty() {
            new.unions.iter().for_each(|union| self.union_added(old, (new, union), context));
            return false;
        }
        let (accepts, stays) = self.fit_both_ways(old, new);
        if !accepts && !stays && is_reshaped((&self.base, old), (&self.revision, union)) {
            let finding = Finding::new(&WRAPPED_IN_ONE_OF).at(&old.at, &union.at);
            self.note_data(context, finding.values(None, labels(&union.variants)));
            return true;
        }
        let fitting = |variant: &Node<'a>| {
            fits_schema(&self.effort, (&self.base, old), (&self.revision, &normal(&self.revision, variant)), false)
        };
        let kept =
            union.variants.iter().position(fitting).or_else(|| self.likest(old, &union.variants, Side::Revision));
        let finding = |rule: &'static Rule| {
            Finding::new(rule).at(&old.at, &union.at).values(old.types.describe(), labels(&union.variants))
        };
        match kept.and_then(|kept| Some((kept, union.variants.get(kept)?))) {
            Some((kept, variant)) => {
                let own = Union { any: union.any, at: union.at.clone(), variants: vec![old.core_node()] };
                self.with_variant((old, &[]), (new, &[(union, variant)]), context);
                let others = union.variants.iter().enumerate().filter(|(index, _)| *index != kept);
                let others: Vec<_> = others.map(|(_, variant)| variant.clone()).collect();
                self.came_and_went((&own, &old.types, &[]), (union, &others), context);
            }
            None if stays => self.note_data(context, finding(&TYPE_SPECIALIZED)),
            None if accepts => self.note_data(context, finding(&TYPE_GENERALIZED)),
            None if states_nothing(old) => self.note_data(context, finding(&TYPE_SPECIALIZED)),
            None => self.note_data(context, finding(&TYPE_CHANGED)),
        }
        true
    }

    fn was_union(&mut self, old: &Schema<'a>, union: &Union<'a>, new: &Schema<'a>, context: Context) -> bool {
        if !old.properties.is_empty() {
            old.unions.iter().for_each(|union| self.union_removed((old, union), new, context));
            return false;
        }
        let (accepts, stays) = self.fit_both_ways(old, new);
        if !accepts && !stays && is_reshaped((&self.revision, new), (&self.base, union)) {
            let finding = Finding::new(&UNWRAPPED_FROM_ONE_OF).at(&union.at, &new.at);
            self.note_data(context, finding.values(labels(&union.variants), None));
            return true;
        }
        let fitting = |variant: &Node<'a>| {
            fits_schema(&self.effort, (&self.revision, new), (&self.base, &normal(&self.base, variant)), false)
        };
        let kept = union.variants.iter().position(fitting).or_else(|| self.likest(new, &union.variants, Side::Base));
        let finding = |rule: &'static Rule| {
            Finding::new(rule).at(&union.at, &new.at).values(labels(&union.variants), new.types.describe())
        };
        match kept.and_then(|kept| Some((kept, union.variants.get(kept)?))) {
            Some((kept, variant)) => {
                let own = Union { any: union.any, at: union.at.clone(), variants: vec![new.core_node()] };
                self.with_variant((old, &[(union, variant)]), (new, &[]), context);
                let others = union.variants.iter().enumerate().filter(|(index, _)| *index != kept);
                let others: Vec<_> = others.map(|(_, variant)| variant.clone()).collect();
                self.came_and_went((union, &new.types, &others), (&own, &[]), context);
            }
            None if accepts => self.note_data(context, finding(&TYPE_GENERALIZED)),
            None if stays => self.note_data(context, finding(&TYPE_SPECIALIZED)),
            None if states_nothing(new) => self.note_data(context, finding(&TYPE_GENERALIZED)),
            None => self.note_data(context, finding(&TYPE_CHANGED)),
        }
        true
    }

    /// Returns whether the revision takes all that the base took, and whether the base had all that the revision has.
    fn fit_both_ways(&self, old: &Schema<'a>, new: &Schema<'a>) -> (bool, bool) {
        let (base, revision) = ((&self.base, old), (&self.revision, new));
        (fits_schema(&self.effort, base, revision, false), fits_schema(&self.effort, revision, base, false))
    }

    /// Compares one alternative, with all that stands beside the alternatives, with the other side's schema.
    fn with_variant(&mut self, old: Chosen<'_, 'a>, new: Chosen<'_, 'a>, context: Context) {
        let bare = |(schema, chosen): Chosen<'_, 'a>| match chosen {
            [] => schema.leaves.len() == 1,
            _ => schema.is_bare_union(),
        };
        let node = |(schema, chosen): Chosen<'_, 'a>| match chosen {
            [(_, variant)] => (*variant).clone(),
            _ => schema.core_node(),
        };
        if (bare(old) && bare(new)) || context.depth >= super::DEPTH {
            let (old, new) = (node(old), node(new));
            let (old, new) = (Usage::of(&self.base, &[old]), Usage::of(&self.revision, &[new]));
            return self.cores(old, new, context.deeper());
        }
        let form = |document: &DocumentTree<'a>, (schema, chosen): Chosen<'_, 'a>| match chosen {
            [(union, variant)] => schema.with(document, union, variant),
            _ => schema.clone(),
        };
        let (old, new) = (form(&self.base, old), form(&self.revision, new));
        self.normal_forms(&old, &new, context.deeper());
    }

    /// Returns the alternative of the other side that is most like the schema.
    fn likest(&self, schema: &Schema<'a>, variants: &[Node<'a>], side: Side) -> Option<usize> {
        let document = match side {
            Side::Base => &self.base,
            Side::Revision => &self.revision,
        };
        let liking = |variant: &Node<'a>| likeness(schema, &normal(document, variant));
        let likings = variants.iter().enumerate().map(|(index, variant)| (index, liking(variant)));
        // The first of equals.
        likings
            .filter(|(_, liking)| *liking > 0)
            .max_by_key(|(index, liking)| (*liking, usize::MAX - index))
            .map(|(index, _)| index)
    }
}

/// Returns whether a schema, which has no alternatives, names no type and no condition.
fn states_nothing(schema: &Schema<'_>) -> bool {
    schema.types.is_any() && schema.conditions.is_empty() && schema.branches.is_empty() && schema.forbidden.is_none()
}

/// Returns whether an object stands opposite a `oneOf` of objects none of which is that object: a value of the one side may then
/// fit none or several of the other.
fn is_reshaped<'a>(object: (&DocumentTree<'a>, &Schema<'a>), union: (&DocumentTree<'a>, &Union<'a>)) -> bool {
    let [leaf] = object.1.leaves.as_slice() else { return false };
    let equal = |variant: &Node<'a>| same((object.0, leaf), (union.0, variant));
    !union.1.any && !object.1.properties.is_empty() && !union.1.variants.iter().any(equal)
}

/// A schema, and the alternative that stands for all of its list if one was chosen.
type Chosen<'s, 'a> = (&'s Schema<'a>, &'s [(&'s Union<'a>, &'s Node<'a>)]);

/// The side of a list of alternatives.
#[derive(Clone, Copy)]
enum Side {
    Base,
    Revision,
}
