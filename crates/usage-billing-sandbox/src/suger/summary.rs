//! What the sandbox holds of Suger, for a reader of its page.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usage_billing_suger::types::UsageRecordGroupStatus;

use super::Suger;

pub(crate) fn summary(suger: &Suger) -> Value {
    let state = suger.state();
    let mut counts: BTreeMap<&UsageRecordGroupStatus, usize> = BTreeMap::new();
    for status in state.groups.iter().filter_map(|group| group.status.as_ref()) {
        *counts.entry(status).or_default() += 1;
    }
    let groups: Vec<_> = counts.iter().map(|(status, groups)| json!({"status": status, "groups": groups})).collect();
    let entitlements: Vec<_> = suger
        .world
        .suger
        .entitlements
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "id": one.id,
                "partner": one.partner,
                "buyer": one.buyer_id,
                "product": one.product_id,
                "status": one.status,
            })
        })
        .collect();
    json!({"groups": groups, "entitlements": entitlements})
}
