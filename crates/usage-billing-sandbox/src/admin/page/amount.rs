//! Amounts as the page shows them.

use usage_billing_core::Decimal;

/// Formats a sum. Lines have up to 28 digits, so that their sum is exact to the cent and no further.
pub(super) fn cents(amount: Decimal) -> String {
    format!("{:.2}", amount.round_dp(2))
}
