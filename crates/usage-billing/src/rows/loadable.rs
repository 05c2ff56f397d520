//! Numbers that fit the column types of datasets.

use rust_decimal::RoundingStrategy;
use usage_billing_core::{Decimal, Error, ErrorKind, Result};

/// Decimal places of quantities and amounts: DECIMAL(38,9), as in BigQuery's NUMERIC.
const PLACES: u32 = 9;
/// Decimal places of unit prices: DECIMAL(38,12).
const PRICE_PLACES: u32 = 12;
/// 10^26, the first integer with more digits than DECIMAL(38,12) has before the point.
const PRICE_LIMIT: Decimal = Decimal::from_parts(0xe400_0000, 0xdcc8_0cd2, 0x0052_b7d2, false, 0);

/// Rounds a quantity or an amount half to even. All decimals fit: they have at most 29 digits before the point.
pub(crate) fn quantity(value: Decimal) -> Decimal {
    rounded(value, PLACES)
}

/// Rounds a unit price half to even.
///
/// # Errors
/// [`ErrorKind::Decode`] if it has more than 26 digits before the point; `place` names the row.
pub(crate) fn unit_price(value: Decimal, place: impl Fn() -> String) -> Result<Decimal> {
    if unit_price_fits(value) {
        return Ok(rounded_unit_price(value));
    }
    let message = format!("{}: the unit price {value} does not fit DECIMAL(38,12)", place());
    Err(Error::new(ErrorKind::Decode, message))
}

/// Returns whether a rounded unit price has at most 26 digits before the point.
pub(crate) fn unit_price_fits(value: Decimal) -> bool {
    rounded_unit_price(value).abs() < PRICE_LIMIT
}

/// Rounds a unit price that is known to fit, half to even.
pub(crate) fn rounded_unit_price(value: Decimal) -> Decimal {
    rounded(value, PRICE_PLACES)
}

fn rounded(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn quantities_have_nine_places_rounded_half_to_even() {
        for (value, rounded) in [
            ("0.0000000005", "0.000000000"),
            ("0.0000000015", "0.000000002"),
            ("-0.0000000025", "-0.000000002"),
            ("0.00000000051", "0.000000001"),
            ("1.5", "1.5"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
        ] {
            assert_eq!(quantity(number(value)), number(rounded), "{value}");
        }
    }

    #[test]
    fn unit_prices_that_do_not_fit_name_their_row() {
        let price = |text| unit_price(number(text), || "row 7 of the report".to_owned());
        assert_eq!(price("0.0000000000005").unwrap(), Decimal::ZERO);
        assert_eq!(price("-99999999999999999999999999").unwrap(), number("-99999999999999999999999999"));
        let error = price("100000000000000000000000000").unwrap_err();
        assert!(error.message().starts_with("row 7 of the report: the unit price 1"), "{error}");
    }
}
