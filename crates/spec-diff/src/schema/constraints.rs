//! Limits: keywords with a number.

use std::cmp::Ordering;

use openapi_document::Node;
use serde_json::{Number, Value};

/// The side of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Upper,
    Lower,
}

/// A keyword, its word in ids, and its side.
pub(crate) type Limit = (&'static str, &'static str, Bound);

/// The keywords. 3.0's boolean `exclusiveMaximum` is read as 3.1's number.
const LIMITS: &[Limit] = &[
    ("maximum", "max", Bound::Upper),
    ("exclusiveMaximum", "exclusive-max", Bound::Upper),
    ("minimum", "min", Bound::Lower),
    ("exclusiveMinimum", "exclusive-min", Bound::Lower),
    ("maxLength", "max-length", Bound::Upper),
    ("minLength", "min-length", Bound::Lower),
    ("maxItems", "max-items", Bound::Upper),
    ("minItems", "min-items", Bound::Lower),
    ("maxProperties", "max-properties", Bound::Upper),
    ("minProperties", "min-properties", Bound::Lower),
    ("maxContains", "max-contains", Bound::Upper),
    ("minContains", "min-contains", Bound::Lower),
];

/// Returns whether a keyword is a limit.
pub(super) fn is_limit(key: &str) -> bool {
    LIMITS.iter().any(|(keyword, ..)| *keyword == key)
}

/// Returns the limit of a keyword.
pub(super) fn keyword(key: &str) -> Option<Limit> {
    LIMITS.iter().find(|(keyword, ..)| *keyword == key).copied()
}

/// Returns the type whose values a limit concerns, by the limit's word in ids.
pub(super) fn type_of_limit(word: &str) -> &'static str {
    match word {
        "max-length" | "min-length" => "string",
        "max-properties" | "min-properties" => "object",
        word if word.ends_with("items") || word.ends_with("contains") => "array",
        _ => "number",
    }
}

/// Returns the limit that a keyword of a schema states, with the node of its number.
pub(super) fn read<'a>(key: &str, node: &Node<'a>) -> Option<(Limit, Node<'a>)> {
    let limit = self::keyword(key)?;
    let (keyword, word, bound) = limit;
    let number = match keyword {
        "exclusiveMaximum" if node.flag(keyword) => node.get("maximum"),
        "exclusiveMinimum" if node.flag(keyword) => node.get("minimum"),
        "maximum" if node.flag("exclusiveMaximum") => None,
        "minimum" if node.flag("exclusiveMinimum") => None,
        _ => node.get(keyword),
    }?;
    // Lengths and counts are never below zero.
    let zero = number.value.as_number()?.as_f64() == Some(0.0);
    (!(zero && bound == Bound::Lower && word.starts_with("min-"))).then_some((limit, number))
}

/// Orders two numbers of JSON: exactly if both are integers, else as floats, which is all that limits are written with.
pub(crate) fn compare(left: &Number, right: &Number) -> Ordering {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.as_f64().unwrap_or_default().total_cmp(&right.as_f64().unwrap_or_default()),
    }
}

/// Returns whether two values are the same to JSON Schema: `1` and `1.0` are.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare(left, right) == Ordering::Equal,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

/// Returns whether the new limit lets less through.
pub(crate) fn is_tighter(bound: Bound, old: &Value, new: &Value) -> Option<bool> {
    let order = compare(old.as_number()?, new.as_number()?);
    match (bound, order) {
        (_, Ordering::Equal) => None,
        (Bound::Upper, order) => Some(order == Ordering::Greater),
        (Bound::Lower, order) => Some(order == Ordering::Less),
    }
}

/// Returns what 3.0 wrote as a format and 3.1 writes as a content keyword, with its word in ids.
pub(super) fn content_of_format(format: &str) -> Option<(&'static str, &'static str)> {
    match format {
        "byte" => Some(("content-encoding", "base64")),
        "base64url" => Some(("content-encoding", "base64url")),
        "binary" => Some(("content-media-type", "application/octet-stream")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use openapi_document::pointer::Pointer;
    use serde_json::json;

    use super::*;

    #[test]
    fn both_ways_to_exclude_a_bound_read_the_same() {
        let words = |value: Value| {
            let node = Node { value: &value, at: Pointer::default() };
            let read = node.members().filter_map(|(key, _)| read(key, &node));
            read.map(|(limit, number)| format!("{} {}", limit.1, number.value)).collect::<Vec<_>>()
        };
        assert_eq!(words(json!({"maximum": 5, "exclusiveMaximum": true})), ["exclusive-max 5"]);
        assert_eq!(words(json!({"exclusiveMaximum": 5})), ["exclusive-max 5"]);
        assert_eq!(words(json!({"minimum": 0, "minLength": 0, "exclusiveMinimum": false})), ["min 0"]);
    }

    #[test]
    fn numbers_beyond_the_precision_of_floats_are_distinguished() {
        assert_eq!(
            is_tighter(Bound::Upper, &json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)),
            Some(true)
        );
        assert_eq!(is_tighter(Bound::Lower, &json!(1), &json!(1.0)), None);
        assert!(equal(&json!({"a": [1, "x"]}), &json!({"a": [1.0, "x"]})));
        assert!(!equal(&json!([1]), &json!(["1"])));
    }
}
