//! Items of the account of which other tenants have as much.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use usage_billing_core::Decimal;

use crate::acronis::billing::hosting::Host;
use crate::acronis::usage::sums::{Key, Sum};

/// An item in its unit, on its day.
pub(super) type ItemOfDay = (Arc<str>, Option<Arc<str>>, Option<NaiveDate>);

/// Returns the item that a sum is of.
pub(super) fn item_of(key: &Key) -> ItemOfDay {
    (key.name.clone(), key.measurement_unit.clone(), key.day)
}

/// Returns the items of the account of which other tenants have as much or more: its numbers may be their totals.
pub(super) fn contained_items(hosted: &[(Key, Host, Sum)], account: &str) -> HashSet<ItemOfDay> {
    let mut beyond: HashMap<ItemOfDay, Decimal> = HashMap::new();
    for (key, _, sum) in hosted {
        let beyond = beyond.entry(item_of(key)).or_default();
        let total = sum.parts.total();
        *beyond = if &*key.tenant_id == account { beyond.saturating_add(total) } else { beyond.saturating_sub(total) };
    }
    beyond.into_iter().filter(|(_, beyond)| *beyond <= Decimal::ZERO).map(|(item, _)| item).collect()
}
