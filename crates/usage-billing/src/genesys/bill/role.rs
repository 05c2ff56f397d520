//! Decides the role of a charge by the groupings, names and units of all charges of the overview. Pure functions.

use usage_billing_core::Decimal;

use super::ChargeRole;
use crate::genesys::charge::{Charge, ChargedItem, Grouping, is_same};
use crate::genesys::exact::exact_total;

/// Groupings of charges that may contain those of others.
pub(super) const STORAGE: &str = "storage";
pub(super) const MESSAGING: &str = "messaging";

/// Returns the role of an item among all items of the overview and its readable charges.
pub(super) fn charge_role(item: &ChargedItem, all: &[&ChargedItem], charges: &[Charge]) -> ChargeRole {
    match item.grouping() {
        Grouping::FairUse => ChargeRole::Allowance,
        Grouping::Rollup => ChargeRole::Total,
        Grouping::RollupUsage if belongs_to_total(item, all, charges) => ChargeRole::Part,
        Grouping::RollupUsage | Grouping::Unknown => ChargeRole::Unknown,
        // Whether `messaging` of a product contains its `messaging-usage` is not documented.
        Grouping::Other if is_same(&item.grouping, "messaging-usage") && has_messaging(item, all) => {
            ChargeRole::Unknown
        }
        Grouping::StorageCategory if all.iter().any(|other| is_same(&other.grouping, STORAGE)) => ChargeRole::Unknown,
        Grouping::Licence | Grouping::Other | Grouping::StorageCategory => ChargeRole::Usage,
    }
}

fn has_messaging(item: &ChargedItem, all: &[&ChargedItem]) -> bool {
    let is_product =
        |other: &ChargedItem| is_same(&other.part_number, &item.part_number) || is_same(&other.name, &item.name);
    all.iter().any(|other| is_same(&other.grouping, MESSAGING) && is_product(other))
}

/// Returns whether a part belongs to a total in the overview. No field names the total, which is one of the part's unit. If the parts in the unit are
/// more than its totals, each of them rounded, some belong to a missing total, and no field states which. If no total is in the unit, the part belongs
/// to the only total of the overview: features are counted in units of their own.
fn belongs_to_total(part: &ChargedItem, all: &[&ChargedItem], charges: &[Charge]) -> bool {
    let is_like = |item: &ChargedItem, grouping| item.grouping() == grouping && is_same(&item.unit, &part.unit);
    let totals = all.iter().filter(|item| item.grouping() == Grouping::Rollup).count();
    if !all.iter().any(|item| is_like(item, Grouping::Rollup)) {
        return totals == 1;
    }
    let sum = |grouping| {
        let readable: Vec<_> = charges.iter().filter(|charge| is_like(&charge.item, grouping)).collect();
        let is_readable = readable.len() == all.iter().filter(|item| is_like(item, grouping)).count();
        let sum = exact_total(readable.iter().map(|charge| Some(charge.usage_quantity)));
        sum.filter(|_| is_readable).map(|sum| (sum, readable.len()))
    };
    let Some(((totals, _), (parts, count))) = sum(Grouping::Rollup).zip(sum(Grouping::RollupUsage)) else {
        return false;
    };
    let rounding = Decimal::new(1, 2).saturating_mul(count.into());
    parts.checked_sub(totals).is_some_and(|beyond| beyond <= rounding)
}
