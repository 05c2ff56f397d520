//! The billed numbers of a row, and their unit.
//!
//! The rule and its sources are in `docs/acronis.md`. It applies to files in bytes and seconds.

use rust_decimal::RoundingStrategy;
use usage_billing_core::Decimal;

use crate::acronis::billing::item_names::contradicts_unit;
use crate::acronis::{Amounts, ReportRow};
use crate::rows::identity::UNITS;

/// A gibibyte, which Acronis shows as a GB.
const GIB: Decimal = Decimal::from_parts(1 << 30, 0, 0, false, 0);
/// Seconds in a compute point.
const POINT: Decimal = Decimal::from_parts(3600, 0, 0, false, 0);

impl ReportRow {
    /// Returns the three billed numbers of the nine: the effective ones, the change of summed items, or the level.
    pub(crate) fn change_or_level(&self) -> Amounts {
        let summed = self.is_range || self.name.ends_with("compute_points");
        self.effective.unwrap_or(if summed { self.delta } else { self.absolute })
    }
}

/// Converts a number of a file (`measurement_unit`: bytes, seconds, none) to the billed unit, and returns the name of the unit: `GiB`,
/// `compute points`, `units`, or the vendor's own for other units. Convert once: points are not seconds.
pub fn in_billing_unit(raw: Decimal, measurement_unit: Option<&str>) -> (Decimal, &str) {
    let (quantity, unit) = match measurement_unit {
        Some(unit) if unit.eq_ignore_ascii_case("bytes") => (raw / GIB, "GiB"),
        Some(unit) if unit.eq_ignore_ascii_case("seconds") => {
            let points = (raw / POINT).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            (points, "compute points")
        }
        None | Some("" | "quantity") => (raw, UNITS),
        Some(other) => (raw, other),
    };
    (quantity.normalize(), unit)
}

/// Converts a number of an item like [`in_billing_unit`]. A number in a unit in which the item is not counted stays as it is.
pub(crate) fn billed_quantity<'a>(name: &str, raw: Decimal, measurement_unit: Option<&'a str>) -> (Decimal, &'a str) {
    match measurement_unit {
        Some(unit) if !unit.is_empty() && contradicts_unit(name, measurement_unit) => (raw.normalize(), unit),
        _ => in_billing_unit(raw, measurement_unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acronis::usage::aggregator::tests::{amounts, row};
    use proptest::prelude::*;

    #[test]
    fn number_in_a_unit_of_other_items_is_not_converted() {
        let gib = Decimal::from(1 << 30);
        for (name, raw, unit, expected) in [
            ("pw_base_storage", gib, Some("bytes"), (Decimal::ONE, "GiB")),
            ("pw_base_archive_x", gib, Some("bytes"), (Decimal::ONE, "GiB")),
            ("pw_compute_points", 7200.into(), Some("seconds"), (Decimal::TWO, "compute points")),
            ("pw_base_quantum", 7200.into(), Some("seconds"), (7200.into(), "seconds")),
            ("pw_base_vms", 7200.into(), Some("seconds"), (7200.into(), "seconds")),
            ("pw_base_servers", 5.into(), Some("bytes"), (5.into(), "bytes")),
            ("pw_base_storage", 5.into(), Some("seconds"), (5.into(), "seconds")),
            ("pw_base_storage", 5.into(), None, (5.into(), UNITS)),
            ("pw_base_servers", 5.into(), Some("quantity"), (5.into(), UNITS)),
        ] {
            assert_eq!(billed_quantity(name, raw, unit), expected, "{name} {unit:?}");
        }
    }

    #[test]
    fn item_decides_between_level_change_and_effective_number() {
        // Level 100 and 10 on trial, change -7 and -1 on trial, effective 40 and 2 on trial.
        let with = |name, is_range, effective: bool| ReportRow {
            effective: effective.then(|| amounts(40, 2)),
            is_range,
            absolute: amounts(100, 10),
            delta: amounts(-7, -1),
            ..row("customer", name, None)
        };
        for (row, expected) in [
            (with("seats", false, false), (100, 110)),
            (with("notarizations", true, false), (-7, -8)),
            (with("pw_compute_points", false, false), (-7, -8)),
            (with("p_dre_compute_points", false, false), (-7, -8)),
            (with("compute_points_quota", false, false), (100, 110)),
            (with("notarizations", true, true), (40, 42)),
            (with("seats", false, true), (40, 42)),
        ] {
            let Amounts { production, total, .. } = row.change_or_level();
            assert_eq!((production, total), (expected.0.into(), expected.1.into()), "{row:?}");
        }
    }

    #[test]
    fn bytes_become_gib_unrounded_and_seconds_become_points() {
        let cases = [
            (1_073_741_824_i64, Some("bytes"), "1", "GiB"),
            (881_205_362_688, Some("bytes"), "820.6864471435546875", "GiB"),
            (-536_870_912, Some("bytes"), "-0.5", "GiB"),
            (1, Some("bytes"), "0.0000000009313225746154785156", "GiB"),
            (1_234_560, Some("seconds"), "342.93", "compute points"),
            (18, Some("seconds"), "0.01", "compute points"),
            (17, Some("seconds"), "0", "compute points"),
            (-18, Some("seconds"), "-0.01", "compute points"),
            (3 << 30, Some("Bytes"), "3", "GiB"),
            (3600, Some("SECONDS"), "1", "compute points"),
            (3, None, "3", "units"),
            (3, Some("quantity"), "3", "units"),
            (3, Some("parcels"), "3", "parcels"),
        ];
        for (raw, unit, quantity, named) in cases {
            let (value, text) = in_billing_unit(raw.into(), unit);
            assert_eq!((value.to_string().as_str(), text), (quantity, named), "{raw} {unit:?}");
        }
    }

    proptest! {
        #[test]
        fn storage_comes_back_to_the_byte(bytes in 0i64..(1 << 50)) {
            let (gib, _) = in_billing_unit(bytes.into(), Some("bytes"));
            prop_assert_eq!((gib * GIB).round(), Decimal::from(bytes));
        }

        /// Against whole numbers, which cannot be rounded on the way.
        #[test]
        fn points_are_rounded_half_up_and_once(mantissa in -1_000_000_000_000i64..1_000_000_000_000, places in 0u32..7) {
            let (points, _) = in_billing_unit(Decimal::new(mantissa, places), Some("seconds"));
            let hundredth = 36 * 10i128.pow(places);
            let hundredths = (2 * i128::from(mantissa).abs() + hundredth) / (2 * hundredth) * i128::from(mantissa.signum());
            prop_assert_eq!(points, Decimal::from_i128_with_scale(hundredths, 2));
        }

        #[test]
        fn halves_of_a_hundredth_go_away_from_zero(hundredths in 0i64..1_000_000_000) {
            let half = Decimal::from(36 * hundredths + 18);
            let expected = Decimal::new(hundredths + 1, 2);
            prop_assert_eq!(in_billing_unit(half, Some("seconds")).0, expected);
            prop_assert_eq!(in_billing_unit(-half, Some("seconds")).0, -expected);
        }
    }
}
