//! Arithmetic that loses no digit: a result that needs more digits than a decimal has is unknown.

use usage_billing_core::Decimal;

/// Returns the sum; `None` if it needs more digits than a decimal has: `checked_add` alone would round.
pub(super) fn exact_sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    let sum = one.checked_add(other)?;
    let is_exact = sum.checked_sub(one) == Some(other) && sum.checked_sub(other) == Some(one);
    is_exact.then_some(sum)
}

/// Returns the sum of all numbers; `None` if a number is unknown, or the sum needs more digits than a decimal has.
pub(super) fn exact_total(numbers: impl IntoIterator<Item = Option<Decimal>>) -> Option<Decimal> {
    numbers.into_iter().try_fold(Decimal::ZERO, |total, number| exact_sum(total, number?))
}

/// Returns the product; `None` if it needs more digits than a decimal has: `checked_mul` alone would round.
pub(super) fn exact_product(one: Decimal, other: Decimal) -> Option<Decimal> {
    let (short, other_short) = (one.normalize(), other.normalize());
    let scale = short.scale() + other_short.scale();
    let product = short.checked_mul(other_short)?;
    let is_exact = product.scale() == scale || short.is_zero() || other_short.is_zero();
    is_exact.then(|| with_places(product, one.scale() + other.scale()))
}

/// Keeps the decimal places of both factors, if they fit: `115.00`, not `115`.
fn with_places(mut product: Decimal, places: u32) -> Decimal {
    let exact = product;
    product.rescale(places.min(Decimal::MAX_SCALE));
    if product == exact { product } else { exact }
}
