//! Quantities of events: plain decimals, digit by digit.

use usage_billing::{Decimal, printable};

/// Returns the quantity of a text. Exponents, thousands separators and more than 28 digits are rejected, because none is unambiguous or exact.
pub(super) fn quantity(text: &str) -> Result<Decimal, String> {
    let text = text.trim();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_plain = unsigned.starts_with(|first: char| first.is_ascii_digit())
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let parsed = is_plain.then(|| Decimal::from_str_exact(text).ok()).flatten();
    parsed.ok_or_else(|| {
        format!("invalid quantity \"{}\": expected a plain decimal of at most 28 digits, such as 12.5", printable(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantity_is_exact_or_rejected() {
        for text in ["0", "12.5", "-1", "0.0000000000000000000000000001", "1234567890123456789012345678"] {
            assert_eq!(quantity(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "-",
            ".5",
            "1e3",
            "1,5",
            "1 000",
            "+1",
            "0x1",
            "1.2.3",
            "NaN",
            "0.00000000000000000000000000001",
            "99999999999999999999999999999999",
        ] {
            assert!(quantity(text).unwrap_err().starts_with("invalid quantity \""), "{text}");
        }
    }
}
