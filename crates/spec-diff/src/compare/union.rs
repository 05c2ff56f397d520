//! Alternatives: `oneOf` and `anyOf`.

mod discriminator;
mod matching;

pub(super) use discriminator::{Subtypes, subtypes};
use matching::likeness;
use serde_json::Value;

use super::{Comparison, Context, Finding};
use crate::{
    document::{Document, Node},
    report::{Direction, Level},
    rules::{self, Rule},
    schema::{Schema, Types, Union, Usage, same},
};

impl<'a> Comparison<'a> {
    /// Compares alternatives. True if nothing else of the schemas is left to compare.
    pub(super) fn unions(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) -> bool {
        match (old.unions.as_slice(), new.unions.as_slice()) {
            ([], []) => return false,
            ([], [union, ..]) => return self.became_union(old, new, union, context),
            ([union, ..], []) => return self.was_union(old, union, new, context),
            ([old], [new]) => self.alternatives(old, new, context),
            (olds, news) => self.several_unions(olds, news, context),
        }
        self.discriminators(old, new, context);
        false
    }

    fn alternatives(&mut self, old: &Union<'a>, new: &Union<'a>, context: Context) {
        let matching = self.matching(&old.variants, &new.variants);
        for (old, new) in matching.pairs {
            self.usages(&[old], &[new], context.inside());
        }
        let known = self.types_of(&old.variants);
        self.came_and_went(&known, &matching.removed, &matching.added, new, context);
    }

    fn came_and_went(
        &mut self,
        known: &Types<'a>,
        removed: &[Node<'a>],
        added: &[Node<'a>],
        union: &Union<'a>,
        context: Context,
    ) {
        let (gain, loss) = if union.any {
            (&rules::ANY_OF_ADDED, &rules::ANY_OF_REMOVED)
        } else {
            (&rules::ONE_OF_ADDED, &rules::ONE_OF_REMOVED)
        };
        for variant in removed {
            self.note_data(context, Finding::new(loss).removed(&variant.at).values(label(variant), None));
        }
        for variant in added {
            let mut finding = Finding::new(gain).added(&variant.at).values(None, label(variant));
            // What comes need not be new under `anyOf`; a type that no alternative had before is.
            let new_type =
                union.any && !known.relation(&normal(&self.revision, variant).types, context.text).is_within();
            finding.level = (new_type && context.direction == Direction::Response).then_some(Level::Breaking);
            self.note_data(context, finding);
        }
    }

    /// The types of all alternatives of the base.
    fn types_of(&self, variants: &[Node<'a>]) -> Types<'a> {
        let mut all = Types::default();
        for variant in variants {
            let types = normal(&self.base, variant).types;
            if types.is_any() {
                return Types::default();
            }
            all.0.extend(types.0);
        }
        all
    }

    /// Several unions that hold together: equal ones first, then in order. More on one side are conditions that came or went.
    fn several_unions(&mut self, olds: &[Union<'a>], news: &[Union<'a>], context: Context) {
        let mut left: Vec<_> = news.iter().collect();
        let mut rest = Vec::new();
        for old in olds {
            match left.iter().position(|new| old.is_like(new)) {
                Some(index) => self.alternatives(old, left.remove(index), context),
                None => rest.push(old),
            }
        }
        for (old, new) in rest.iter().zip(&left) {
            self.alternatives(old, new, context);
        }
        let (olds, news) = (rest, left);
        for union in olds.iter().skip(news.len()) {
            self.note_data(context, Finding::new(&rules::CONDITION_REMOVED).what("union").removed(&union.at));
        }
        for union in news.iter().skip(olds.len()) {
            self.note_data(context, Finding::new(&rules::CONDITION_ADDED).what("union").added(&union.at));
        }
    }

    fn became_union(&mut self, old: &Schema<'a>, new: &Schema<'a>, union: &Union<'a>, context: Context) -> bool {
        if !new.properties.is_empty() {
            self.note_data(context, Finding::new(&rules::CONDITION_ADDED).what("union").at(&old.at, &union.at));
            return false;
        }
        if is_reshaped((&self.base, old), (&self.revision, union)) {
            let finding = Finding::new(&rules::WRAPPED_IN_ONE_OF).at(&old.at, &union.at);
            self.note_data(context, finding.values(None, labels(&union.variants)));
            return true;
        }
        let kept = self.likest(old, &union.variants, Side::Revision);
        let finding = |rule: &'static Rule| {
            Finding::new(rule).at(&old.at, &union.at).values(old.types.describe(), labels(&union.variants))
        };
        match kept {
            Some(kept) => {
                let variant = &union.variants[kept];
                self.usages(&old.leaves, std::slice::from_ref(variant), context);
                let others = union.variants.iter().enumerate().filter(|(index, _)| *index != kept);
                let others: Vec<_> = others.map(|(_, variant)| variant.clone()).collect();
                self.came_and_went(&old.types, &[], &others, union, context);
            }
            None if old.types.is_any() => self.note_data(context, finding(&rules::TYPE_SPECIALIZED)),
            None => self.note_data(context, finding(&rules::TYPE_CHANGED)),
        }
        true
    }

    fn was_union(&mut self, old: &Schema<'a>, union: &Union<'a>, new: &Schema<'a>, context: Context) -> bool {
        if !old.properties.is_empty() {
            self.note_data(context, Finding::new(&rules::CONDITION_REMOVED).what("union").at(&union.at, &new.at));
            return false;
        }
        if is_reshaped((&self.revision, new), (&self.base, union)) {
            let finding = Finding::new(&rules::UNWRAPPED_FROM_ONE_OF).at(&union.at, &new.at);
            self.note_data(context, finding.values(labels(&union.variants), None));
            return true;
        }
        let kept = self.likest(new, &union.variants, Side::Base);
        let finding = |rule: &'static Rule| {
            Finding::new(rule).at(&union.at, &new.at).values(labels(&union.variants), new.types.describe())
        };
        match kept {
            Some(kept) => {
                let variant = &union.variants[kept];
                self.usages(std::slice::from_ref(variant), &new.leaves, context);
                let others = union.variants.iter().enumerate().filter(|(index, _)| *index != kept);
                let others: Vec<_> = others.map(|(_, variant)| variant.clone()).collect();
                self.came_and_went(&new.types, &others, &[], union, context);
            }
            None if new.types.is_any() => self.note_data(context, finding(&rules::TYPE_GENERALIZED)),
            None => self.note_data(context, finding(&rules::TYPE_CHANGED)),
        }
        true
    }

    /// The alternative of the other side that is most like the schema.
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

/// Whether an object stands opposite a `oneOf` of objects none of which is that object: a value of the one side may then fit none
/// or several of the other.
fn is_reshaped<'a>(object: (&Document<'a>, &Schema<'a>), union: (&Document<'a>, &Union<'a>)) -> bool {
    let [leaf] = object.1.leaves.as_slice() else { return false };
    let equal = |variant: &Node<'a>| same((object.0, leaf), (union.0, variant));
    !union.1.any && !object.1.properties.is_empty() && !union.1.variants.iter().any(equal)
}

/// Which document a list of alternatives is from.
#[derive(Clone, Copy)]
enum Side {
    Base,
    Revision,
}

/// The component that an alternative is, if it is one: a reference, bare or in a single `allOf`.
fn name<'a>(variant: &Node<'a>) -> Option<&'a str> {
    let wrapped = || match variant.value.get("allOf")?.as_array()?.as_slice() {
        [only] => only.get("$ref")?.as_str(),
        _ => None,
    };
    variant.text("$ref").or_else(wrapped)?.strip_prefix("#/components/schemas/")
}

/// What to call an alternative.
fn label(variant: &Node<'_>) -> Value {
    let title = variant.text("$ref").map(|reference| reference.rsplit('/').next().unwrap_or(reference));
    let title = title.or(variant.text("title")).or(variant.text("type"));
    Value::from(title.unwrap_or("an unnamed alternative"))
}

fn labels(variants: &[Node<'_>]) -> Value {
    Value::from(variants.iter().take(8).map(label).collect::<Vec<_>>())
}

fn normal<'a>(document: &Document<'a>, variant: &Node<'a>) -> Schema<'a> {
    Schema::of(document, &Usage::of(document, std::slice::from_ref(variant)).core)
}
