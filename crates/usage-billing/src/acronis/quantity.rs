//! Which of a row's nine numbers is billed, and in what unit.
//!
//! The rule, clause by clause and with its sources, stands in `docs/acronis.md`; it is made for files that are in bytes and seconds.

use rust_decimal::RoundingStrategy;
use usage_billing_core::Decimal;

use super::{Amounts, ReportRow};
use crate::row_identity::UNITS;

/// A gibibyte; what Acronis shows as a GB.
const GIB: Decimal = Decimal::from_parts(1 << 30, 0, 0, false, 0);
/// Seconds in a compute point.
const POINT: Decimal = Decimal::from_parts(3600, 0, 0, false, 0);

impl ReportRow {
    /// The number of the row that is billed, in the row's own unit: production or total, change or level, as the
    /// [rule](crate::acronis#which-number-is-billed) has it.
    ///
    /// Components of one thing are added up before [`in_billing_unit`] rounds the sum; [`usage_rows`](super::usage_rows) does both.
    pub fn billed(&self) -> Decimal {
        let Amounts { production, total, .. } = self.change_or_level();
        if self.tenant_kind == "customer" { total } else { production }
    }

    /// Whether all of it is use on trial, which Acronis does not bill.
    pub fn is_trial(&self) -> bool {
        let Amounts { production, trial, .. } = self.change_or_level();
        production.is_zero() && !trial.is_zero()
    }

    /// Those three of the nine numbers of which one is billed.
    pub(super) fn change_or_level(&self) -> Amounts {
        let summed = self.is_range || self.name.ends_with("compute_points");
        self.effective.unwrap_or(if summed { self.delta } else { self.absolute })
    }
}

/// A number of a file (`measurement_unit`: bytes, seconds, none) in the unit that is billed, and the unit's name: `GiB`, `compute points`,
/// `units`, or the vendor's own where it is none of these. To be done once: points are no seconds any more.
pub fn in_billing_unit(raw: Decimal, measurement_unit: Option<&str>) -> (Decimal, &str) {
    let (quantity, unit) = match measurement_unit {
        Some("bytes") => (raw / GIB, "GiB"),
        Some("seconds") => {
            let points = (raw / POINT).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            (points, "compute points")
        }
        None | Some("" | "quantity") => (raw, UNITS),
        Some(other) => (raw, other),
    };
    (quantity.normalize(), unit)
}

#[cfg(test)]
mod tests {
    use super::super::usage::tests::{amounts, row};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn which_number_is_billed_depends_on_range_kind_and_effective() {
        // Level 100 and 10 on trial, change -7 and -1 on trial, effective 40 and 2 on trial.
        let with = |kind, name, is_range, effective: bool| ReportRow {
            effective: effective.then(|| amounts(40, 2)),
            is_range,
            ..row(kind, name, None)
        };
        let cases = [
            (with("customer", "seats", false, false), 110),
            (with("partner", "seats", false, false), 100),
            (with("folder", "seats", false, false), 100),
            (with("unit", "seats", false, false), 100),
            (with("a_new_kind", "seats", false, false), 100),
            (with("customer", "notarizations", true, false), -8),
            (with("partner", "notarizations", true, false), -7),
            (with("customer", "compute_points", false, false), -8),
            (with("partner", "pw_compute_points", false, false), -7),
            (with("partner", "p_dre_compute_points", false, false), -7),
            (with("partner", "compute_points_quota", false, false), 100),
            (with("customer", "notarizations", true, true), 42),
            (with("customer", "seats", false, true), 42),
            (with("partner", "pw_compute_points", true, true), 40),
            (with("folder", "seats", false, true), 40),
        ];
        for (row, expected) in cases {
            assert_eq!(row.billed(), Decimal::from(expected), "{row:?}");
        }
    }

    #[test]
    fn bytes_become_gib_unrounded_and_seconds_become_points() {
        let cases = [
            (1_073_741_824, Some("bytes"), "1", "GiB"),
            (881_205_362_688_i64, Some("bytes"), "820.6864471435546875", "GiB"),
            (-536_870_912, Some("bytes"), "-0.5", "GiB"),
            (1, Some("bytes"), "0.0000000009313225746154785156", "GiB"),
            (1_234_560, Some("seconds"), "342.93", "compute points"),
            (18, Some("seconds"), "0.01", "compute points"),
            (17, Some("seconds"), "0", "compute points"),
            (-18, Some("seconds"), "-0.01", "compute points"),
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
