//! How large a difference may be.

use std::str::FromStr;

use usage_billing::Decimal;

use crate::commands::usage::threshold::threshold;

/// Largest difference of a quantity that is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tolerance {
    Quantity(Decimal),
    /// Of the usage.
    Percent(Decimal),
}

impl FromStr for Tolerance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, tolerance): (_, fn(Decimal) -> Self) = match text.strip_suffix('%') {
            Some(number) => (number, Self::Percent),
            None => (text, Self::Quantity),
        };
        threshold(number).map(tolerance).map_err(|_| "expected a number (0.5) or a percentage (1%)".to_owned())
    }
}

impl Tolerance {
    pub(super) fn covers(self, used: Decimal, difference: Decimal) -> bool {
        match self {
            Self::Quantity(largest) => difference.abs() <= largest,
            // Both sides times 100; a product that is too large is not covered.
            Self::Percent(percent) => {
                match (difference.abs().checked_mul(Decimal::ONE_HUNDRED), used.abs().checked_mul(percent)) {
                    (Some(difference), Some(largest)) => difference <= largest,
                    _ => false,
                }
            }
        }
    }
}
