//! Numbers as they are written on invoices.

use usage_billing::Decimal;

/// The sign before the decimal places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DecimalSign {
    /// A point, unless a number may have a comma.
    #[default]
    Unstated,
    Point,
    Comma,
}

/// Reads a number with or without thousands separators and a currency sign.
///
/// # Errors
/// A reason, if it could be read in two ways.
pub(super) fn parse(text: &str, sign: DecimalSign) -> Result<Decimal, String> {
    let decimal_comma = sign == DecimalSign::Comma;
    let invalid = || {
        let advice = match (decimal_comma, text.contains(',')) {
            (false, true) => ": use --decimal-comma if the comma is before the decimal places",
            _ => "",
        };
        format!("`{}` is not a number{advice}", usage_billing::printable(text))
    };
    let is_sign = |sign: char| matches!(sign, '€' | '$' | '£' | '¥');
    let digits: String =
        text.chars().filter(|sign| !sign.is_whitespace() && !is_sign(*sign) && *sign != '\'').collect();
    // Accountants write negative numbers in brackets.
    let (negative, digits) = match digits.strip_prefix('(').and_then(|digits| digits.strip_suffix(')')) {
        Some(digits) => (true, digits),
        None => (false, &*digits),
    };
    if sign == DecimalSign::Unstated && !digits.contains('.') && digits.matches(',').count() == 1 && is_grouped(digits)
    {
        return Err(format!(
            "`{}` has two meanings: use --decimal-point if the comma separates thousands, --decimal-comma if decimal places follow it",
            usage_billing::printable(text)
        ));
    }
    let (point, separator) = if decimal_comma { (',', '.') } else { ('.', ',') };
    let (whole, places) = match digits.split_once(point) {
        Some((whole, places)) => (whole, Some(places)),
        None => (digits, None),
    };
    let whole = without_separators(whole, separator).ok_or_else(invalid)?;
    let number = places.map_or_else(|| whole.clone(), |places| format!("{whole}.{places}"));
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let number: Decimal = is_plain.then(|| number.parse().ok()).flatten().ok_or_else(invalid)?;
    Ok(if negative { -number } else { number })
}

fn is_grouped(digits: &str) -> bool {
    without_separators(digits, ',').is_some()
}

/// Removes separators of groups of three digits; `None` if the groups have other lengths.
fn without_separators(whole: &str, separator: char) -> Option<String> {
    let mut groups = whole.split(separator);
    let first = groups.next()?;
    let is_grouped = whole.contains(separator);
    let first_fits = !is_grouped || (1..=3).contains(&first.trim_start_matches('-').len());
    let others_fit = groups.clone().all(|group| group.len() == 3);
    (first_fits && others_fit).then(|| std::iter::once(first).chain(groups).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(decimal_comma: bool) -> DecimalSign {
        if decimal_comma { DecimalSign::Comma } else { DecimalSign::Unstated }
    }

    #[test]
    fn ambiguous_number_is_rejected_unless_a_flag_decides() {
        for text in ["1,234", "-1,234", "€ 12,345", "(1,234)"] {
            let reason = parse(text, DecimalSign::Unstated).unwrap_err();
            assert!(reason.starts_with(&format!("`{text}` has two meanings: use --decimal-point")), "{reason}");
        }
        assert_eq!(parse("1,234", DecimalSign::Point), Ok(Decimal::from(1234)));
        assert_eq!(parse("1,234", DecimalSign::Comma), Ok(Decimal::new(1234, 3)));
    }

    #[test]
    fn numbers_are_read_or_rejected_and_never_guessed() {
        for (text, decimal_comma, expected) in [
            ("1234.50", false, "1234.50"),
            ("1,234.50", false, "1234.50"),
            ("€ 1,234,567", false, "1234567"),
            ("-0.5", false, "-0.5"),
            ("(12.30)", false, "-12.30"),
            ("1.234,56", true, "1234.56"),
            ("1\u{a0}234,5", true, "1234.5"),
            ("7", true, "7"),
            ("1'000.25", false, "1000.25"),
        ] {
            assert_eq!(parse(text, sign(decimal_comma)), Ok(expected.parse().unwrap()), "{text}");
        }
        for (text, decimal_comma) in [
            ("1,5", false),
            ("1.5", true),
            ("12,34.5", false),
            ("1234,567", false),
            ("", false),
            ("many", false),
            ("1e5", false),
            ("1.2.3", false),
            ("--1", false),
        ] {
            assert!(parse(text, sign(decimal_comma)).is_err(), "{text}");
        }
        assert!(
            parse("1,5", sign(false))
                .unwrap_err()
                .ends_with("use --decimal-comma if the comma is before the decimal places")
        );
    }
}
