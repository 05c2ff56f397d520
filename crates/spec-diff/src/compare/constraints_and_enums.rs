//! Lists of values, limits and patterns.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashSet},
};

use openapi_document::pointer::Pointer;
use serde_json::Value;

use super::{
    Circumstance, Comparison, Context, Finding,
    numbers::{Edge, common_multiple, edge, is_edge},
};
use crate::{
    report::Direction,
    rules::{self, Rule},
    schema::{Bound, Limit, Schema, all_match, equal, is_tighter, keeps, matches_all, written},
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
            // A list that is open at its end does not limit further values.
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
            (Some(before), Some(after)) if old.constant && new.constant && !is_same_list(before, after) => {
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
        let keys = |values: &[&Value]| values.iter().map(|value| written(value)).collect::<HashSet<_>>();
        let (olds, news) = (keys(before), keys(after));
        for value in before.iter().filter(|value| !news.contains(&written(value))) {
            let finding = Finding::new(removed).at(listed_at(old), listed_at(new));
            self.note_data(context, finding.values((*value).clone(), None));
        }
        for value in after.iter().filter(|value| !olds.contains(&written(value))) {
            let finding = Finding::new(added).at(listed_at(old), listed_at(new));
            self.note_data(context, finding.values(None, (*value).clone()));
        }
    }

    /// Compares lengths, bounds, counts and patterns.
    pub(super) fn limits(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        self.edges(old, new, context);
        // Where no item follows the first ones, their number is compared.
        let is_closed = old.is_closed() || new.is_closed();
        let is_other = |word: &&'static str| is_edge(word) || (is_closed && *word == "max-items");
        for (word, (limit, number)) in old.limits.iter().filter(|(word, _)| !is_other(word)) {
            let Some((_, other)) = new.limits.get(word) else {
                let finding = Finding::new(&rules::LIMIT_UNSET).what(word).at(&number.at, &new.at);
                let finding = finding.when(keep(new, old, *limit, number.value), Circumstance::SameValues);
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
        let is_new = |(word, _): &(&&'static str, _)| !is_other(word) && !old.limits.contains_key(*word);
        for (word, (limit, number)) in new.limits.iter().filter(is_new) {
            let finding = Finding::new(&rules::LIMIT_SET).what(word).at(&old.at, &number.at);
            let finding = finding.when(keep(old, new, *limit, number.value), Circumstance::SameValues);
            self.note_data(context, finding.values(None, number.value.clone()));
        }
        self.multiples(old, new, context);
        self.patterns(old, new, context);
        if old.unique != new.unique {
            let rule = if new.unique { &rules::UNIQUE_ADDED } else { &rules::UNIQUE_REMOVED };
            self.note_data(context, Finding::new(rule).at(&old.at, &new.at));
        }
        let words: BTreeSet<_> = old.content.keys().chain(new.content.keys()).copied().collect();
        for word in words {
            self.content_of_text(word, old, new, context);
        }
    }

    /// Compares bounds, of which a schema may have one that belongs to the range and one that does not.
    fn edges(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        for words in [["min", "exclusive-min"], ["max", "exclusive-max"]] {
            let bound = if words.contains(&"min") { Bound::Lower } else { Bound::Upper };
            let (before, after) = (edge(old, words, bound), edge(new, words, bound));
            let (rule, what) = match (&before, &after) {
                (None, None) => continue,
                (Some(edge), None) => (&rules::LIMIT_UNSET, edge.word),
                (None, Some(edge)) => (&rules::LIMIT_SET, edge.word),
                (Some(before), Some(after)) => match (bound, after.order(before, bound)) {
                    (_, Ordering::Equal) => continue,
                    (Bound::Upper, Ordering::Greater) => (&rules::MAX_DECREASED, after.word),
                    (Bound::Upper, Ordering::Less) => (&rules::MAX_INCREASED, after.word),
                    (Bound::Lower, Ordering::Greater) => (&rules::MIN_INCREASED, after.word),
                    (Bound::Lower, Ordering::Less) => (&rules::MIN_DECREASED, after.word),
                },
            };
            let at = |edge: &Option<Edge<'a>>, schema: &Schema<'a>| {
                edge.as_ref().map_or_else(|| schema.at.clone(), |edge| edge.node.at.clone())
            };
            let value = |edge: &Option<Edge<'a>>| edge.as_ref().map(|edge| edge.node.value.clone());
            let kept = |schema: &Schema<'a>, other: &Schema<'a>, edge: &Option<Edge<'a>>| {
                edge.as_ref().is_none_or(|edge| keep(schema, other, edge.limit, edge.node.value))
            };
            let finding = Finding::new(rule).what(what).at(&at(&before, old), &at(&after, new));
            let finding = finding.when(kept(old, new, &after) && kept(new, old, &before), Circumstance::SameValues);
            self.note_data(context, finding.values(value(&before), value(&after)));
        }
    }

    fn content_of_text(&mut self, word: &'static str, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let media_types = |schema: &Schema<'a>| schema.content.get(word).cloned().unwrap_or_default();
        let (before, after) = (media_types(old), media_types(new));
        if before == after {
            return;
        }
        let value = |media_types: &BTreeSet<&str>| {
            (!media_types.is_empty()).then(|| Value::from(media_types.iter().copied().collect::<Vec<_>>().join(", ")))
        };
        let finding = Finding::new(&rules::CONTENT_CHANGED).what(word).at(&old.at, &new.at);
        // Bytes of any type include bytes of one type, and a string that holds bytes remains a string.
        let is_any =
            |media_types: &BTreeSet<&str>| media_types.is_empty() || media_types.contains("application/octet-stream");
        let of_bytes = before.contains("application/octet-stream") || after.contains("application/octet-stream");
        let finding = finding.when(of_bytes && is_any(&before) && is_any(&after), Circumstance::StillBytes);
        self.note_data(context, finding.values(value(&before), value(&after)));
    }

    fn multiples(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let values = |schema: &Schema<'a>| schema.multiples.iter().map(|node| node.value).collect::<Vec<_>>();
        let (before, after) = (values(old), values(new));
        let (was, is) = (common_multiple(&before), common_multiple(&after));
        let at =
            |schema: &Schema<'a>| schema.multiples.first().map_or_else(|| schema.at.clone(), |node| node.at.clone());
        let shown = |values: &[&Value]| match values {
            [] => None,
            [only] => Some((*only).clone()),
            all => Some(all.iter().map(|value| (*value).clone()).collect()),
        };
        let rule = match (before.is_empty(), after.is_empty()) {
            (true, true) => return,
            (false, true) => &rules::LIMIT_UNSET,
            (true, false) => &rules::LIMIT_SET,
            _ if (was.is_some() && was == is) || is_same_list(&before, &after) => return,
            // All multiples of 6 are multiples of 3.
            _ if matches!((was, is), (Some(was), Some(is)) if is.divides(was)) => &rules::MULTIPLE_RELAXED,
            _ => &rules::MULTIPLE_CHANGED,
        };
        let mut finding = Finding::new(rule).at(&at(old), &at(new)).values(shown(&before), shown(&after));
        if before.is_empty() != after.is_empty() {
            finding = finding.what("multiple-of");
        }
        // All multiples of 6 were multiples of 3 before.
        let narrower = matches!((was, is), (Some(was), Some(is)) if was.divides(is));
        let narrowed = narrower && context.direction == Direction::Response;
        self.note_data(context, finding.when(narrowed, Circumstance::Narrowed));
    }

    /// Added and removed patterns. If one replaces another, a reader has to decide which strings match.
    fn patterns(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let own = |one: &Schema<'a>, other: &Schema<'a>| {
            one.patterns.difference(&other.patterns).copied().collect::<Vec<_>>()
        };
        let (gone, come) = (own(old, new), own(new, old));
        let value = |pattern: Option<&&str>| pattern.map(|pattern| Value::from(*pattern));
        for index in 0..gone.len().max(come.len()) {
            let (before, after) = (gone.get(index), come.get(index));
            let rule = match (before, after) {
                (Some(_), Some(pattern)) if matches_all(pattern) => &rules::PATTERN_GENERALIZED,
                (Some(_), Some(_)) => &rules::PATTERN_CHANGED,
                (None, Some(pattern)) | (Some(pattern), None) if matches_all(pattern) => continue,
                (Some(_), None) => &rules::PATTERN_REMOVED,
                _ => &rules::PATTERN_ADDED,
            };
            let matches = |schema: &Schema<'a>, other: &Schema<'a>, pattern: Option<&&str>| {
                pattern.is_none_or(|pattern| {
                    let listed = schema.values.as_ref().filter(|_| other.values.is_none());
                    listed.is_some_and(|values| all_match(pattern, values.iter().copied()))
                })
            };
            let finding = Finding::new(rule).at(&old.at, &new.at);
            let is_met = matches(old, new, after) && matches(new, old, before);
            let finding = finding.when(is_met, Circumstance::SameValues);
            self.note_data(context, finding.values(value(before), value(after)));
        }
    }
}

/// Whether one side lists its values, the other does not, and all of them keep to a limit.
fn keep(schema: &Schema<'_>, other: &Schema<'_>, limit: Limit, number: &Value) -> bool {
    let listed = schema.values.as_ref().filter(|_| other.values.is_none());
    listed.is_some_and(|values| values.iter().all(|value| keeps(value, limit, number)))
}

fn is_same_list(olds: &[&Value], news: &[&Value]) -> bool {
    olds.len() == news.len() && olds.iter().zip(news).all(|(old, new)| equal(old, new))
}

/// Where a schema's values are listed.
fn listed_at<'s, 'a>(schema: &'s Schema<'a>) -> &'s Pointer<'a> {
    schema.values_at.as_ref().unwrap_or(&schema.at)
}
