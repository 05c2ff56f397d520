//! Differences that are ignored, in arguments.

use usage_billing::Decimal;

/// Parses a number that is not negative.
pub(super) fn threshold(text: &str) -> Result<Decimal, String> {
    let number = text.parse().ok().filter(|number: &Decimal| !number.is_sign_negative());
    number.ok_or_else(|| "expected a number of at least 0, such as 2.5".to_owned())
}
