//! The values that a schema allows, where they can be listed, and the conditions that a value must meet.

use std::{borrow::Cow, cmp::Ordering};

use regex_lite::Regex;
use serde_json::Value;

use super::{Bound, Limit, Schema, Types, constraints::compare};

/// The number of integers of a range that are listed.
const RANGE: i128 = 24;

/// The greatest length of a pattern, and of all values together that are matched with it.
const LETTERS: usize = 10_000;

impl<'a> Schema<'a> {
    /// Returns the values that the schema allows, null aside: those that it lists, or those of a small range.
    pub(crate) fn listed(&self) -> Option<Vec<Cow<'a, Value>>> {
        if let Some(values) = &self.values {
            return Some(values.iter().map(|value| Cow::Borrowed(*value)).collect());
        }
        let owned = |values: Vec<Value>| Some(values.into_iter().map(Cow::Owned).collect());
        if self.types == Types::single("boolean") {
            return owned(vec![Value::Bool(false), Value::Bool(true)]);
        }
        let bound = |words: [&str; 2], step: i128| {
            let inclusive = self.limits.get(words[0]).map(|(_, node)| node.value.as_number()?.as_i128());
            let exclusive =
                self.limits.get(words[1]).map(|(_, node)| node.value.as_number()?.as_i128()?.checked_add(step));
            match (inclusive, exclusive) {
                (Some(number), None) | (None, Some(number)) => number,
                _ => None,
            }
        };
        let is_integer = self.types == Types::single("integer");
        let (least, most) = (bound(["min", "exclusive-min"], 1)?, bound(["max", "exclusive-max"], -1)?);
        let is_one = least == most && self.types == Types::single("number");
        let is_short = (0..RANGE).contains(&most.checked_sub(least)?);
        if !(is_one || is_integer && is_short) {
            return None;
        }
        owned((least..=most).filter_map(|number| serde_json::Number::from_i128(number).map(Value::Number)).collect())
    }
}

/// Returns whether a value keeps to a limit, of whatever type it is.
pub(crate) fn keeps(value: &Value, (_, word, bound): Limit, limit: &Value) -> bool {
    let count = |count: usize| serde_json::Number::from(count);
    let own = match (value, word) {
        (Value::Number(number), "max" | "exclusive-max" | "min" | "exclusive-min") => number.clone(),
        (Value::String(text), "max-length" | "min-length") => count(text.chars().count()),
        (Value::Array(items), "max-items" | "min-items") => count(items.len()),
        (Value::Object(members), "max-properties" | "min-properties") => count(members.len()),
        (Value::Array(_), "max-contains" | "min-contains") => return false,
        _ => return true,
    };
    let Some(limit) = limit.as_number() else { return false };
    match (compare(&own, limit), bound) {
        (Ordering::Equal, _) => !word.starts_with("exclusive"),
        (Ordering::Less, bound) => bound == Bound::Upper,
        (Ordering::Greater, bound) => bound == Bound::Lower,
    }
}

/// Returns whether all strings among the values match a pattern. `false` may mean that it is unknown.
pub(crate) fn all_match<'v>(pattern: &str, values: impl Iterator<Item = &'v Value>) -> bool {
    let strings: Vec<_> = values.filter_map(Value::as_str).collect();
    let is_small = pattern.len().max(strings.iter().map(|text| text.len()).sum()) <= LETTERS;
    is_small && Regex::new(pattern).is_ok_and(|pattern| strings.iter().all(|text| pattern.is_match(text)))
}
