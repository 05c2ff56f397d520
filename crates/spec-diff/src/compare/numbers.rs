//! Numbers that limit numbers: bounds of ranges, and what must be a multiple of what.

use std::cmp::Ordering;

use openapi_document::Node;
use serde_json::{Number, Value};

use crate::schema::{Bound, Limit, Schema, compare};

/// A bound of a range of numbers.
pub(super) struct Edge<'a> {
    pub(super) word: &'static str,
    pub(super) node: Node<'a>,
    pub(super) limit: Limit,
    number: Number,
    /// The number itself does not belong to the range.
    exclusive: bool,
}

impl Edge<'_> {
    /// Compares two limits: `Greater` if it allows less than the other.
    pub(super) fn order(&self, other: &Self, bound: Bound) -> Ordering {
        let order = compare(&self.number, &other.number);
        let order = if bound == Bound::Upper { order.reverse() } else { order };
        order.then(self.exclusive.cmp(&other.exclusive))
    }
}

pub(super) fn is_edge(word: &str) -> bool {
    matches!(word, "min" | "exclusive-min" | "max" | "exclusive-max")
}

/// Returns the integer that a number is, also if it is written as `1.0`.
#[expect(clippy::cast_possible_truncation, reason = "floats of this size are integers, and fit")]
fn whole(number: &Number) -> Option<i128> {
    let float = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e15);
    number.as_i128().or_else(|| Some(float()? as i128))
}

/// Returns the next integer in the direction of the step, of a number between two.
#[expect(clippy::cast_possible_truncation, reason = "floats of this size fit")]
fn next_whole(number: &Number, step: i128) -> Option<i128> {
    let float = number.as_f64().filter(|float| float.fract() != 0.0 && float.abs() < 1e15)?;
    Some(if step > 0 { float.ceil() } else { float.floor() } as i128)
}

/// Returns the tighter of a schema's two bounds on one side. Integers above 0, and those from 0.5, are those from 1.
pub(super) fn edge<'a>(schema: &Schema<'a>, words: [&'static str; 2], bound: Bound) -> Option<Edge<'a>> {
    let integers = schema.types.0.keys().all(|name| *name == "integer") && !schema.types.is_any();
    let step = if bound == Bound::Lower { 1 } else { -1 };
    let edges = words.into_iter().filter_map(|word| {
        let (limit, node) = schema.limits.get(word)?;
        let number = node.value.as_number()?.clone();
        let exclusive = word.starts_with("exclusive");
        let next = whole(&number).filter(|_| exclusive && integers);
        let next = next.and_then(|number| number.checked_add(step));
        let next = next.or_else(|| next_whole(&number, step).filter(|_| integers)).and_then(Number::from_i128);
        let exclusive = exclusive && next.is_none();
        Some(Edge { word, limit: *limit, node: node.clone(), number: next.unwrap_or(number), exclusive })
    });
    edges.reduce(|one, other| if other.order(&one, bound) == Ordering::Greater { other } else { one })
}

/// A decimal number as a fraction of a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u128,
    places: u32,
}

impl Decimal {
    fn of(value: &Value) -> Option<Self> {
        let text = value.as_number()?.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}").parse().ok().filter(|digits| *digits > 0)?;
        Some(Self { digits, places: u32::try_from(fraction.len()).ok()? })
    }

    /// Returns both numbers in units of the smaller decimal place.
    fn aligned(self, other: Self) -> Option<(u128, u128)> {
        let places = self.places.max(other.places);
        let scale = |number: Self| number.digits.checked_mul(10_u128.checked_pow(places - number.places)?);
        Some((scale(self)?, scale(other)?))
    }

    /// Returns whether the other is a multiple of this one.
    pub(super) fn divides(self, other: Self) -> bool {
        self.aligned(other).is_some_and(|(own, other)| other % own == 0)
    }

    fn common_multiple(self, other: Self) -> Option<Self> {
        let (own, other_digits) = self.aligned(other)?;
        let (mut divisor, mut rest) = (own, other_digits);
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        let mut digits = (own / divisor).checked_mul(other_digits)?;
        let mut places = self.places.max(other.places);
        while places > 0 && digits % 10 == 0 {
            (digits, places) = (digits / 10, places - 1);
        }
        Some(Self { digits, places })
    }
}

/// Returns the number of which all have to be multiples that are multiples of each, if it is known.
pub(super) fn common_multiple(values: &[&Value]) -> Option<Decimal> {
    let mut numbers = values.iter().map(|value| Decimal::of(value));
    let first = numbers.next()??;
    numbers.try_fold(first, |product, number| product.common_multiple(number?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn common_multiples_of_decimals_are_exact() {
        let multiple = |values: &[Value]| common_multiple(&values.iter().collect::<Vec<_>>());
        assert_eq!(multiple(&[json!(0.1), json!(0.25)]), multiple(&[json!(0.5)]));
        assert_eq!(multiple(&[json!(4), json!(6.0)]), multiple(&[json!(12)]));
        assert!(multiple(&[json!(0.01)]).zip(multiple(&[json!(1)])).is_some_and(|(cent, one)| cent.divides(one)));
        assert_eq!(multiple(&[json!(2), json!("x")]), None);
    }
}
