//! Lists of values, limits and patterns.

use std::collections::HashSet;

use serde_json::Value;

use super::{Comparison, Context, Finding};
use crate::{
    pointer::Pointer,
    rules::{self, Rule},
    schema::{Bound, Schema, is_tighter},
};

impl<'a> Comparison<'a> {
    /// Compares `enum`, `const` and `x-extensible-enum`.
    pub(super) fn values(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        match (&old.extensible, &new.extensible) {
            (Some(before), Some(after)) => {
                let rules = (&rules::EXTENSIBLE_VALUE_ADDED, &rules::EXTENSIBLE_VALUE_REMOVED);
                self.value_lists((before, old), (after, new), rules, context);
            }
            (None, None) => {}
            // A list that is open at its end says nothing of what else may come.
            _ => {
                let finding = Finding::new(&rules::EXTENSION_CHANGED).named("x-extensible-enum");
                self.note(context.scope, finding.at(&old.at, &new.at));
            }
        }
        let list =
            |values: &[&Value]| Value::from(values.iter().take(8).map(|value| (*value).clone()).collect::<Vec<_>>());
        let (base, revision) = (listed_at(old), listed_at(new));
        let whole = |rule: &'static Rule| Finding::new(rule).at(base, revision);
        match (&old.values, &new.values) {
            (Some(before), Some(after)) if old.constant && new.constant && before != after => {
                self.note_data(context, whole(&rules::CONST_CHANGED).values(list(before), list(after)));
            }
            (Some(before), Some(after)) => {
                let rules = (&rules::ENUM_VALUE_ADDED, &rules::ENUM_VALUE_REMOVED);
                self.value_lists((before, old), (after, new), rules, context);
            }
            (None, Some(after)) => {
                let rule = if new.constant { &rules::CONST_ADDED } else { &rules::BECAME_ENUM };
                self.note_data(context, whole(rule).values(None, list(after)));
            }
            (Some(before), None) => {
                let rule = if old.constant { &rules::CONST_REMOVED } else { &rules::ENUM_REMOVED };
                self.note_data(context, whole(rule).values(list(before), None));
            }
            (None, None) => {}
        }
    }

    fn value_lists(
        &mut self,
        (before, old): (&[&'a Value], &Schema<'a>),
        (after, new): (&[&'a Value], &Schema<'a>),
        (added, removed): (&'static Rule, &'static Rule),
        context: Context,
    ) {
        if before == after {
            return;
        }
        // Of thousands of values each is looked for once.
        let texts = |values: &[&Value]| values.iter().map(ToString::to_string).collect::<HashSet<_>>();
        let (olds, news) = (texts(before), texts(after));
        for value in before.iter().filter(|value| !news.contains(&value.to_string())) {
            let finding = Finding::new(removed).at(listed_at(old), listed_at(new));
            self.note_data(context, finding.values((*value).clone(), None));
        }
        for value in after.iter().filter(|value| !olds.contains(&value.to_string())) {
            let finding = Finding::new(added).at(listed_at(old), listed_at(new));
            self.note_data(context, finding.values(None, (*value).clone()));
        }
    }

    /// Compares lengths, bounds, counts and patterns.
    pub(super) fn limits(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        for (word, (limit, number)) in &old.limits {
            let Some((_, other)) = new.limits.get(word) else {
                let finding = Finding::new(&rules::LIMIT_UNSET).what(word).at(&number.at, &new.at);
                self.note_data(context, finding.values(number.value.clone(), None));
                continue;
            };
            let rule = match (limit.2, is_tighter(limit.2, number.value, other.value)) {
                (_, None) => continue,
                (Bound::Upper, Some(true)) => &rules::MAX_DECREASED,
                (Bound::Upper, Some(false)) => &rules::MAX_INCREASED,
                (Bound::Lower, Some(true)) => &rules::MIN_INCREASED,
                (Bound::Lower, Some(false)) => &rules::MIN_DECREASED,
            };
            let finding = Finding::new(rule).what(word).at(&number.at, &other.at);
            self.note_data(context, finding.values(number.value.clone(), other.value.clone()));
        }
        for (word, (_, number)) in new.limits.iter().filter(|(word, _)| !old.limits.contains_key(*word)) {
            let finding = Finding::new(&rules::LIMIT_SET).what(word).at(&old.at, &number.at);
            self.note_data(context, finding.values(None, number.value.clone()));
        }
        self.multiples(old, new, context);
        self.patterns(old, new, context);
        if old.unique != new.unique {
            let rule = if new.unique { &rules::UNIQUE_ADDED } else { &rules::UNIQUE_REMOVED };
            self.note_data(context, Finding::new(rule).at(&old.at, &new.at));
        }
        for word in ["content-encoding", "content-media-type"] {
            let (before, after) = (old.content.get(word).copied(), new.content.get(word).copied());
            if before != after {
                let finding = Finding::new(&rules::CONTENT_CHANGED).what(word).at(&old.at, &new.at);
                self.note_data(context, finding.values(before.map(Value::from), after.map(Value::from)));
            }
        }
    }

    fn multiples(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let whole = |node: &crate::document::Node<'a>| node.value.as_i64().filter(|number| *number > 0);
        let finding = match (&old.multiple_of, &new.multiple_of) {
            (Some(old), Some(new)) if old.value != new.value => {
                // All multiples of 6 are multiples of 3.
                let relaxed = matches!((whole(old), whole(new)), (Some(old), Some(new)) if old % new == 0);
                let rule = if relaxed { &rules::MULTIPLE_RELAXED } else { &rules::MULTIPLE_CHANGED };
                Finding::new(rule).at(&old.at, &new.at).values(old.value.clone(), new.value.clone())
            }
            (Some(node), None) => Finding::new(&rules::LIMIT_UNSET)
                .what("multiple-of")
                .at(&node.at, &new.at)
                .values(node.value.clone(), None),
            (None, Some(node)) => Finding::new(&rules::LIMIT_SET)
                .what("multiple-of")
                .at(&old.at, &node.at)
                .values(None, node.value.clone()),
            _ => return,
        };
        self.note_data(context, finding);
    }

    fn patterns(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let rule = match (old.pattern, new.pattern) {
            (Some(before), Some(after)) if before == after => return,
            (Some(_), Some(".*" | "^.*$" | "" | "^")) => &rules::PATTERN_GENERALIZED,
            (Some(_), Some(_)) => &rules::PATTERN_CHANGED,
            (Some(_), None) => &rules::PATTERN_REMOVED,
            (None, Some(_)) => &rules::PATTERN_ADDED,
            (None, None) => return,
        };
        let value = |pattern: Option<&str>| pattern.map(Value::from);
        self.note_data(context, Finding::new(rule).at(&old.at, &new.at).values(value(old.pattern), value(new.pattern)));
    }
}

/// Where a schema's values are listed.
fn listed_at<'s, 'a>(schema: &'s Schema<'a>) -> &'s Pointer<'a> {
    schema.values_at.as_ref().unwrap_or(&schema.at)
}
