//! Limits and patterns.

use std::{cmp::Ordering, collections::BTreeSet};

use serde_json::Value;

use super::{
    Circumstance, Comparison, Context, Finding,
    enums::is_same_list,
    numbers::{Edge, common_multiple, edge, is_edge},
};
use crate::{
    classification::Direction,
    rule::rules,
    schema::{Bound, Limit, Schema, all_match, is_tighter, keeps, matches_all},
};

rules! {
    CONTENT_CHANGED = Rule::data("content-changed", TypeFormat, (Breaking, Breaking), Major, "content-changed",
        "a string holds something else (contentEncoding, contentMediaType)")
        .written("{what}-changed");
    MAX_DECREASED = Rule::data("upper-limit-decreased", Constraints, (Breaking, Level::None), Patch, "upper-limit-increased",
        "an upper limit is lower: values that were accepted are rejected")
        .in_responses("an upper limit is lower")
        .written("{what}-decreased");
    MAX_INCREASED = Rule::data("upper-limit-increased", Constraints, (Info, Warning), Patch, "upper-limit-decreased",
        "an upper limit is higher: more values are accepted")
        .in_responses("an upper limit is higher: responses may be larger than what stores them")
        .written("{what}-increased");
    MIN_INCREASED = Rule::data("lower-limit-increased", Constraints, (Breaking, Level::None), Patch, "lower-limit-decreased",
        "a lower limit is higher: values that were accepted are rejected")
        .in_responses("a lower limit is higher")
        .written("{what}-increased");
    MIN_DECREASED = Rule::data("lower-limit-decreased", Constraints, (Info, Warning), Patch, "lower-limit-increased",
        "a lower limit is lower: more values are accepted")
        .in_responses("a lower limit is lower: responses may be smaller than before")
        .written("{what}-decreased");
    LIMIT_SET = Rule::data("limit-set", Constraints, (Breaking, Level::None), Patch, "limit-unset",
        "a limit is stated where none was: values that were accepted may be rejected")
        .in_responses("a limit is stated where none was")
        .written("{what}-set");
    LIMIT_UNSET = Rule::data("limit-unset", Constraints, (Level::None, Warning), Patch, "limit-set",
        "a limit is no longer stated, but may still apply")
        .in_responses("a limit is no longer stated: responses may exceed it")
        .written("{what}-unset");
    MULTIPLE_RELAXED = Rule::data("multiple-of-relaxed", Constraints, (Info, Warning), Patch, "multiple-of-changed",
        "more numbers are accepted")
        .in_responses("more numbers may arrive");
    MULTIPLE_CHANGED = Rule::data("multiple-of-changed", Constraints, (Breaking, Warning), Patch, "multiple-of-relaxed",
        "numbers that were accepted are rejected")
        .in_responses("numbers are multiples of another one");
    UNIQUE_ADDED = Rule::data("unique-items-added", Constraints, (Breaking, Level::None), Patch,
        "unique-items-removed", "an array must not have duplicate items")
        .in_responses("an array has no duplicate items");
    UNIQUE_REMOVED = Rule::data("unique-items-removed", Constraints, (Info, Warning), Patch, "unique-items-added",
        "an array may have duplicate items");
    PATTERN_ADDED = Rule::data("pattern-added", Constraints, (Breaking, Level::None), Patch, "pattern-removed",
        "strings must match a pattern")
        .in_responses("strings match a pattern");
    PATTERN_CHANGED = Rule::data("pattern-changed", Constraints, (Warning, Info), Patch, "pattern-changed",
        "strings must match another pattern; a reader has to compare the two");
    PATTERN_GENERALIZED = Rule::data("pattern-generalized", Constraints, (Info, Info), Patch, "pattern-changed",
        "the new pattern matches any string");
    PATTERN_REMOVED = Rule::data("pattern-removed", Constraints, (Info, Info), Patch, "pattern-added",
        "strings need match no pattern")
        .in_responses("strings may match no pattern");
}

impl<'a> Comparison<'a> {
    /// Compares lengths, bounds, counts and patterns.
    pub(super) fn limits(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        self.edges(old, new, context);
        // Where no item follows the first ones, their number is compared.
        let is_closed = old.is_closed() || new.is_closed();
        let is_other = |word: &&'static str| is_edge(word) || (is_closed && *word == "max-items");
        for (word, (limit, number)) in old.limits.iter().filter(|(word, _)| !is_other(word)) {
            let Some((_, other)) = new.limits.get(word) else {
                let finding = Finding::new(&LIMIT_UNSET).what(word).at(&number.at, &new.at);
                let finding = finding.when(keep(new, old, *limit, number.value), Circumstance::SameValues);
                self.note_data(context, finding.values(number.value.clone(), None));
                continue;
            };
            let rule = match (limit.2, is_tighter(limit.2, number.value, other.value)) {
                (_, None) => continue,
                (Bound::Upper, Some(true)) => &MAX_DECREASED,
                (Bound::Upper, Some(false)) => &MAX_INCREASED,
                (Bound::Lower, Some(true)) => &MIN_INCREASED,
                (Bound::Lower, Some(false)) => &MIN_DECREASED,
            };
            let finding = Finding::new(rule).what(word).at(&number.at, &other.at);
            self.note_data(context, finding.values(number.value.clone(), other.value.clone()));
        }
        let is_new = |(word, _): &(&&'static str, _)| !is_other(word) && !old.limits.contains_key(*word);
        for (word, (limit, number)) in new.limits.iter().filter(is_new) {
            let finding = Finding::new(&LIMIT_SET).what(word).at(&old.at, &number.at);
            let finding = finding.when(keep(old, new, *limit, number.value), Circumstance::SameValues);
            self.note_data(context, finding.values(None, number.value.clone()));
        }
        self.multiples(old, new, context);
        self.patterns(old, new, context);
        if old.unique != new.unique {
            let rule = if new.unique { &UNIQUE_ADDED } else { &UNIQUE_REMOVED };
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
                (Some(edge), None) => (&LIMIT_UNSET, edge.word),
                (None, Some(edge)) => (&LIMIT_SET, edge.word),
                (Some(before), Some(after)) => match (bound, after.order(before, bound)) {
                    (_, Ordering::Equal) => continue,
                    (Bound::Upper, Ordering::Greater) => (&MAX_DECREASED, after.word),
                    (Bound::Upper, Ordering::Less) => (&MAX_INCREASED, after.word),
                    (Bound::Lower, Ordering::Greater) => (&MIN_INCREASED, after.word),
                    (Bound::Lower, Ordering::Less) => (&MIN_DECREASED, after.word),
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
        let finding = Finding::new(&CONTENT_CHANGED).what(word).at(&old.at, &new.at);
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
        let summary = |values: &[&Value]| match values {
            [] => None,
            [only] => Some((*only).clone()),
            all => Some(all.iter().map(|value| (*value).clone()).collect()),
        };
        let rule = match (before.is_empty(), after.is_empty()) {
            (true, true) => return,
            (false, true) => &LIMIT_UNSET,
            (true, false) => &LIMIT_SET,
            _ if (was.is_some() && was == is) || is_same_list(&before, &after) => return,
            // All multiples of 6 are multiples of 3.
            _ if matches!((was, is), (Some(was), Some(is)) if is.divides(was)) => &MULTIPLE_RELAXED,
            _ => &MULTIPLE_CHANGED,
        };
        let mut finding = Finding::new(rule).at(&at(old), &at(new)).values(summary(&before), summary(&after));
        if before.is_empty() != after.is_empty() {
            finding = finding.what("multiple-of");
        }
        // All multiples of 6 were multiples of 3 before.
        let narrower = matches!((was, is), (Some(was), Some(is)) if was.divides(is));
        let narrowed = narrower && context.direction == Direction::Response;
        self.note_data(context, finding.when(narrowed, Circumstance::Narrowed));
    }

    /// Reports added and removed patterns. If one replaces another, a reader has to decide which strings match.
    fn patterns(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let own = |one: &Schema<'a>, other: &Schema<'a>| {
            one.patterns.difference(&other.patterns).copied().collect::<Vec<_>>()
        };
        let (removed, added) = (own(old, new), own(new, old));
        let value = |pattern: Option<&&str>| pattern.map(|pattern| Value::from(*pattern));
        for index in 0..removed.len().max(added.len()) {
            let (before, after) = (removed.get(index), added.get(index));
            let rule = match (before, after) {
                (Some(_), Some(pattern)) if matches_all(pattern) => &PATTERN_GENERALIZED,
                (Some(_), Some(_)) => &PATTERN_CHANGED,
                (None, Some(pattern)) | (Some(pattern), None) if matches_all(pattern) => continue,
                (Some(_), None) => &PATTERN_REMOVED,
                _ => &PATTERN_ADDED,
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

/// Returns whether one side lists its values, the other does not, and all of them keep to a limit.
fn keep(schema: &Schema<'_>, other: &Schema<'_>, limit: Limit, number: &Value) -> bool {
    let listed = schema.values.as_ref().filter(|_| other.values.is_none());
    listed.is_some_and(|values| values.iter().all(|value| keeps(value, limit, number)))
}
