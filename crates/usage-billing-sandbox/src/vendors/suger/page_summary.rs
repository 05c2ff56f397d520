//! The state of Suger for the page.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usage_billing_suger::types::UsageRecordGroupStatus;

use super::{Suger, historical_groups};

/// Rows of the table.
const MAX_SHOWN: usize = 200;

pub(crate) fn summary(suger: &Suger) -> Value {
    let state = suger.state();
    let organization = &suger.dataset.suger;
    let mut counts: BTreeMap<UsageRecordGroupStatus, usize> = state.past.counts.clone();
    for slot in state.changed.keys() {
        if let Some(count) = counts.get_mut(&historical_groups::status(organization, organization.outline(*slot))) {
            *count = count.saturating_sub(1);
        }
    }
    for status in state.groups.iter().chain(state.changed.values()).filter_map(|group| group.status.clone()) {
        *counts.entry(status).or_default() += 1;
    }
    let groups: Vec<_> = counts.iter().map(|(status, groups)| json!({"status": status, "groups": groups})).collect();
    let entitlements: Vec<_> = organization
        .entitlements
        .iter()
        .take(MAX_SHOWN)
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
    json!({
        "groups": groups,
        "entitlements": entitlements,
        "more_entitlements": organization.entitlements.len().saturating_sub(MAX_SHOWN),
    })
}
