//! Quantities of groups by dimension, as they were reported, and their comparison with sent ones.

use std::collections::BTreeMap;

use usage_billing_core::{Decimal, DecimalNumber, Result};

use super::groups::{events, name_of, too_long};
use crate::suger::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};

pub(in crate::suger) fn is_void(group: &Group) -> bool {
    matches!(group.status, Some(Status::Invalid | Status::Deleted))
}

/// Returns the quantities of a group as they were reported; of events the sum by metric.
///
/// # Errors
/// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a sum of more than 28 digits.
pub(in crate::suger) fn quantities_of(group: &Group) -> Result<BTreeMap<String, Decimal>> {
    let mut all = decimals(original_records(group).unwrap_or(&group.records));
    for event in events(group) {
        let sum = all.entry(event.key.clone().unwrap_or_default()).or_default();
        let quantity = event.quantity.unwrap_or_default().0;
        *sum = sum.checked_add(quantity).ok_or_else(|| too_long(&name_of(group)))?;
    }
    Ok(all)
}

/// Returns the original quantities of a group, if it states them. Without them its quantities may be mapped, also to the
/// same dimension in another unit, so a difference from the sent quantities proves nothing.
pub(in crate::suger) fn original_records(group: &Group) -> Option<&BTreeMap<String, DecimalNumber>> {
    group.meta_info.as_ref().map(|info| &info.origin_records).filter(|records| !records.is_empty())
}

/// Returns whether the quantities of a group are those that were reported, so that no dimension was mapped.
pub(in crate::suger) fn is_unmapped(group: &Group) -> bool {
    let is_same = |origin| differences(&decimals(origin), &decimals(&group.records)).next().is_none();
    original_records(group).is_none_or(is_same)
}

fn decimals(records: &BTreeMap<String, DecimalNumber>) -> BTreeMap<String, Decimal> {
    records.iter().map(|(dimension, quantity)| (dimension.clone(), quantity.0)).collect()
}

/// Returns the quantities that may be billed.
pub(in crate::suger) fn billed(group: &Group) -> Result<BTreeMap<String, Decimal>> {
    if is_void(group) { Ok(BTreeMap::new()) } else { quantities_of(group) }
}

/// Returns the dimensions with different quantities, with both quantities. A missing quantity is zero.
pub(in crate::suger) fn differences<'a>(
    sent: &'a BTreeMap<String, Decimal>,
    there: &'a BTreeMap<String, Decimal>,
) -> impl Iterator<Item = (&'a str, Decimal, Decimal)> {
    let both = |dimension: &'a String| (dimension.as_str(), quantity(sent, dimension), quantity(there, dimension));
    dimensions(sent, there).map(both).filter(|(_, sent, there)| !is_same_quantity(*sent, *there))
}

/// Returns whether a quantity at Suger is the one that was sent. Suger is written in Go, and its SDKs declare quantities
/// as floating-point numbers, so it returns 0.3333333333333333 for 0.3333333333333333333333333333. A float64 and its
/// shortest decimal form differ from the sent quantity by at most 2.3 parts in 10^16. Two different quantities of at
/// most 15 digits differ by more than 10 parts, so the limit of 5 parts hides no difference between such quantities.
pub(in crate::suger) fn is_same_quantity(sent: Decimal, there: Decimal) -> bool {
    let limit = sent.abs().max(there.abs()) * Decimal::new(5, 16);
    sent.checked_sub(there).is_some_and(|difference| difference.abs() <= limit)
}

pub(in crate::suger) fn dimensions<'a>(
    sent: &'a BTreeMap<String, Decimal>,
    there: &'a BTreeMap<String, Decimal>,
) -> impl Iterator<Item = &'a String> {
    sent.keys().chain(there.keys().filter(|dimension| !sent.contains_key(*dimension)))
}

pub(in crate::suger) fn quantity(of: &BTreeMap<String, Decimal>, dimension: &str) -> Decimal {
    of.get(dimension).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_same(sent: &str, there: &str) -> bool {
        is_same_quantity(sent.parse().unwrap(), there.parse().unwrap())
    }

    #[test]
    fn quantity_that_a_float64_rounds_is_the_same() {
        for (sent, there) in [
            ("0.3333333333333333333333333333", "0.3333333333333333"),
            ("0.6666666666666666666666666667", "0.6666666666666666"),
            ("1234567.890123456789", "1234567.8901234567"),
            ("9007199254740993", "9007199254740992"),
            // Half-even rounding to 15 digits would round these to different quantities.
            ("0.12345678901234450000001", "0.1234567890123445"),
            ("5", "5.000"),
            ("0", "0.0"),
        ] {
            assert!(is_same(sent, there) && is_same(there, sent), "{sent} {there}");
        }
    }

    #[test]
    fn quantity_that_differs_in_fifteen_digits_is_another() {
        for (sent, there) in [
            ("0.333333333333333", "0.333333333333334"),
            ("999999999999999", "999999999999998"),
            ("100000000000001", "100000000000000"),
            ("1", "0.999999999999999"),
            ("0.0000000000000001", "0"),
            ("0.0000000000000000000000000002", "0.0000000000000000000000000001"),
            ("79228162514264337593543950335", "79228162514264000000000000000"),
            ("5", "-5"),
            ("79228162514264337593543950335", "-79228162514264337593543950335"),
        ] {
            assert!(!is_same(sent, there) && !is_same(there, sent), "{sent} {there}");
        }
    }

    proptest! {
        #[test]
        fn quantity_is_recognized_after_a_float64(number in 1i128..(1 << 95), scale in 0u32..=28) {
            let sent = Decimal::from_i128_with_scale(number, scale);
            let float: f64 = sent.to_string().parse().unwrap();
            // A float of more than 28 decimals or 28 digits is not read exactly.
            if let Ok(there) = float.to_string().parse::<Decimal>() {
                prop_assert!(is_same_quantity(sent, there), "{} {}", sent, there);
            }
        }

        #[test]
        fn quantities_of_fifteen_digits_are_compared_exactly(one in 0i64..1_000_000_000_000_000, other in 0i64..1_000_000_000_000_000, near in -2i64..3, scale in 0u32..=28) {
            for other in [other, (one + near).clamp(0, 999_999_999_999_999)] {
                let [one, other] = [one, other].map(|number| Decimal::new(number, scale));
                prop_assert_eq!(is_same_quantity(one, other), one == other);
            }
        }
    }
}
