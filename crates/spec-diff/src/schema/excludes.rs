//! Proofs that two schemas have no value in common.

use std::collections::BTreeSet;

use super::{Additional, Effort, InDocument, Schema, Types, Usage, equal, fits::Walk};

/// Returns whether no value of `one` fits `other`. `strict`: not even one with members that `one` does not declare.
pub(crate) fn excludes<'a>(
    effort: &Effort,
    one: InDocument<'_, 'a, &Schema<'a>>,
    other: InDocument<'_, 'a, &Schema<'a>>,
    strict: bool,
) -> bool {
    Walk::new(effort, one.0, other.0, strict).excludes(one.1, other.1)
}

impl<'a> Walk<'_, 'a> {
    pub(super) fn excludes(&self, one: &Schema<'a>, other: &Schema<'a>) -> bool {
        let (types, others) = (one.types_with_alternatives(self.narrow), other.types_with_alternatives(self.wide));
        if one.never || other.never || types.contradicts(&others) {
            return true;
        }
        if let (Some(values), Some(others)) = (&one.values, &other.values) {
            return !values.iter().any(|value| others.iter().any(|other| equal(value, other)));
        }
        let is_object = types == Types::single("object") && others == Types::single("object");
        is_object && (self.lacks(one, other) || self.differs(one, other))
    }

    /// Returns whether the other requires a member that this one cannot have, or is closed to one that this one
    /// requires.
    fn lacks(&self, one: &Schema<'a>, other: &Schema<'a>) -> bool {
        let cannot_have = |name: &&&str| match one.additional {
            Additional::Closed => !one.properties.contains_key(**name),
            Additional::Open => !self.strict && !one.properties.is_empty() && !one.properties.contains_key(**name),
            Additional::Typed(_) => false,
        };
        let is_rejected =
            |name: &&&str| matches!(other.additional, Additional::Closed) && !other.properties.contains_key(**name);
        other.required.iter().any(|name| cannot_have(&name)) || one.required.iter().any(|name| is_rejected(&name))
    }

    /// Returns whether a member that one of both requires has no value in common.
    fn differs(&self, one: &Schema<'a>, other: &Schema<'a>) -> bool {
        let required: BTreeSet<_> = match self.strict {
            true => one.required.intersection(&other.required).copied().collect(),
            false => one.required.union(&other.required).copied().collect(),
        };
        required.into_iter().any(|name| {
            let (Some(parts), Some(others)) = (one.properties.get(name), other.properties.get(name)) else {
                return false;
            };
            let (parts, others) = (Usage::of(self.narrow, parts), Usage::of(self.wide, others));
            let (part, other) = (Schema::of(self.narrow, &parts.core), Schema::of(self.wide, &others.core));
            let values = part.values.as_ref().zip(other.values.as_ref()).is_some_and(|(values, others)| {
                !values.iter().any(|value| others.iter().any(|other| equal(value, other)))
            });
            let null = parts.nullable.is_some() && others.nullable.is_some();
            !null && (values || part.types.contradicts(&other.types))
        })
    }
}
