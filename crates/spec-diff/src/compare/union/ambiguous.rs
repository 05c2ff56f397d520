//! Values that fit several alternatives: `anyOf` allows them, `oneOf` rejects them.

use super::normal;
use crate::{
    compare::{Comparison, Context, Finding},
    rule::rules,
    schema::{Schema, Types, Union, excludes},
};

rules! {
    ANY_OF_TO_ONE_OF = Rule::data("any-of-became-one-of", Composition, (Warning, Info), Major, "one-of-became-any-of",
        "values that fit several alternatives are rejected")
        .in_responses("values that fit several alternatives no longer arrive");
    ONE_OF_TO_ANY_OF = Rule::data("one-of-became-any-of", Composition, (Info, Warning), Major, "any-of-became-one-of",
        "values that fit several alternatives are accepted")
        .in_responses("values that fit several alternatives may arrive");
}

impl<'a> Comparison<'a> {
    /// Reports types of `oneOf` whose values fit several alternatives, which are nothing but types and were merged.
    pub(super) fn ambiguous_types(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let differs = |one: &Schema<'a>, other: &Schema<'a>| {
            let is_rejected = |(name, _): &(&&'a str, _)| {
                !other.ambiguous.contains_key(**name) && !other.types.contradicts(&Types::single(name))
            };
            one.ambiguous.iter().find(is_rejected).map(|(_, at)| at.clone())
        };
        if let Some(at) = differs(new, old) {
            self.note_data(context, Finding::new(&ANY_OF_TO_ONE_OF).at(&old.at, &at));
        }
        if let Some(at) = differs(old, new) {
            self.note_data(context, Finding::new(&ONE_OF_TO_ANY_OF).at(&at, &new.at));
        }
    }

    /// Reports `anyOf` that replaces `oneOf`, or the opposite: they differ for values that fit several alternatives.
    pub(super) fn kind(&mut self, old: &Union<'a>, new: &Union<'a>, context: Context) {
        let (document, one) = if new.any { (&self.base, old) } else { (&self.revision, new) };
        let variants: Vec<_> = one.variants.iter().map(|variant| normal(document, variant)).collect();
        let exclude = |(index, variant): (usize, &Schema<'a>)| {
            let mut others = variants.iter().skip(index + 1);
            others.all(|other| excludes(&self.effort, (document, variant), (document, other), true))
        };
        if variants.iter().enumerate().all(exclude) {
            return;
        }
        let rule = if new.any { &ONE_OF_TO_ANY_OF } else { &ANY_OF_TO_ONE_OF };
        self.note_data(context, Finding::new(rule).at(&old.at, &new.at));
    }
}
