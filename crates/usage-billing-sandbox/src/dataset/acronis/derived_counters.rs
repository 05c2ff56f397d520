//! Counters beside items: totals and parts of items.

use super::catalogue::{IMMUTABLE_STORAGE, Item, TOTAL_STORAGE, TOTAL_WORKLOADS, Unit};
use super::usage::Usage;

/// Returns totals and parts of a tenant's usage of the service that has counters.
pub(super) fn derived_counters(usages: &[Usage]) -> Vec<Usage> {
    let storage = usages.iter().filter(|usage| is_counted(usage, Unit::Bytes));
    let workloads = usages.iter().filter(|usage| is_counted(usage, Unit::Pieces));
    let all = [
        sum(&TOTAL_STORAGE, storage.clone(), 1),
        // A fourth of it is immutable.
        sum(&IMMUTABLE_STORAGE, storage, 4),
        sum(&TOTAL_WORKLOADS, workloads, 1),
    ];
    all.into_iter().flatten().collect()
}

fn is_counted(usage: &Usage, unit: Unit) -> bool {
    *usage.item.application == *TOTAL_STORAGE.application && usage.item.unit == unit && !usage.item.is_range
}

/// Returns `None` if there is nothing to add up.
fn sum<'a>(item: &'static Item, parts: impl Iterator<Item = &'a Usage>, divisor: i64) -> Option<Usage> {
    let mut sum: Option<Usage> = None;
    for part in parts {
        let sum = sum.get_or_insert_with(|| Usage::new(item, None));
        for at in 0..2 {
            sum.production[at] += part.production[at] / divisor;
            sum.trial[at] += part.trial[at] / divisor;
        }
    }
    sum
}
