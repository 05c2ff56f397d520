//! Quantities of groups by dimension, as they were reported.

use std::collections::BTreeMap;

use usage_billing_core::{Decimal, Result};

use super::groups::{events, name_of, too_long};
use super::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};

pub(super) fn is_void(group: &Group) -> bool {
    matches!(group.status, Some(Status::Invalid | Status::Deleted))
}

/// Returns the quantities of a group as they were reported; of events the sum by metric.
///
/// # Errors
/// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a sum of more than 28 digits.
pub(super) fn quantities_of(group: &Group) -> Result<BTreeMap<String, Decimal>> {
    let info = group.meta_info.as_ref();
    let origin = info.map(|info| &info.origin_records).filter(|records| !records.is_empty());
    let records = origin.unwrap_or(&group.records).iter();
    let mut all: BTreeMap<String, Decimal> =
        records.map(|(dimension, quantity)| (dimension.clone(), quantity.0)).collect();
    for event in events(group) {
        let sum = all.entry(event.key.clone().unwrap_or_default()).or_default();
        let quantity = event.quantity.unwrap_or_default().0;
        *sum = sum.checked_add(quantity).ok_or_else(|| too_long(&name_of(group)))?;
    }
    Ok(all)
}

/// Returns whether a group states its original quantities. Without them its quantities may be mapped, also to the same
/// dimension in another unit, so a difference from the sent quantities proves nothing.
pub(super) fn states_original_quantities(group: &Group) -> bool {
    group.meta_info.as_ref().is_some_and(|info| !info.origin_records.is_empty())
}

/// Returns the quantities that may be billed.
pub(super) fn billed(group: &Group) -> Result<BTreeMap<String, Decimal>> {
    if is_void(group) { Ok(BTreeMap::new()) } else { quantities_of(group) }
}

/// Returns the dimensions with different quantities, with both quantities. A missing quantity is zero.
pub(super) fn differences<'a>(
    sent: &'a BTreeMap<String, Decimal>,
    there: &'a BTreeMap<String, Decimal>,
) -> impl Iterator<Item = (&'a str, Decimal, Decimal)> {
    let both = |dimension: &'a String| (dimension.as_str(), quantity(sent, dimension), quantity(there, dimension));
    dimensions(sent, there).map(both).filter(|(_, sent, there)| sent != there)
}

pub(super) fn dimensions<'a>(
    sent: &'a BTreeMap<String, Decimal>,
    there: &'a BTreeMap<String, Decimal>,
) -> impl Iterator<Item = &'a String> {
    sent.keys().chain(there.keys().filter(|dimension| !sent.contains_key(*dimension)))
}

pub(super) fn quantity(of: &BTreeMap<String, Decimal>, dimension: &str) -> Decimal {
    of.get(dimension).copied().unwrap_or_default()
}
