//! Receives usage: one group, a batch, or a batch that is only validated.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use http::StatusCode;
use usage_billing_core::DecimalNumber;
use usage_billing_suger::types;
use usage_billing_suger::types::{EntitlementStatus, UsageRecordGroupStatus as Status};
use uuid::Uuid;

use super::state::UsageState;
use super::{Failure, HandlerResult, Shared, Suger, dimension_mapping};
use crate::demo_credentials::SUGER_ORG_ID;
use crate::http_util::request::{BodyError, RequestBody};
use crate::http_util::response::ok;

/// Characters of an id that callers may choose.
pub(super) const MAX_ID_CHARS: usize = 36;

/// Usage in both calls.
struct Usage {
    entitlement_id: String,
    records: BTreeMap<String, DecimalNumber>,
    billable_records: Vec<types::MeteringUsageRecord>,
    usage_allocations: BTreeMap<String, Vec<types::UsageAllocation>>,
    timestamp: Option<DateTime<Utc>>,
}

impl From<types::NewUsageRecordGroup> for Usage {
    fn from(new: types::NewUsageRecordGroup) -> Self {
        Self {
            entitlement_id: new.entitlement_id,
            records: new.records.unwrap_or_default(),
            billable_records: new.billable_records,
            usage_allocations: new.usage_allocations,
            timestamp: new.timestamp,
        }
    }
}

pub(super) async fn report(
    State(suger): Shared,
    Path((_, entitlement_id)): Path<(String, String)>,
    body: RequestBody,
) -> HandlerResult {
    let (new, bytes): (types::CreateUsageRecordGroupParams, usize) = measured(body)?;
    if new.organization_id != SUGER_ORG_ID || new.entitlement_id != entitlement_id {
        return Err(Failure::bad_request("organizationID or entitlementID differs from the path"));
    }
    let usage = Usage {
        entitlement_id,
        records: new.records.unwrap_or_default(),
        billable_records: new.billable_records,
        usage_allocations: new.usage_allocations,
        timestamp: new.timestamp,
    };
    check(&usage)?;
    // Go does not distinguish an empty string from a missing one.
    let id = new.id.filter(|id| !id.is_empty());
    let mut state = suger.state();
    if let Some(id) = &id {
        if id.chars().count() > MAX_ID_CHARS {
            return Err(Failure::bad_request(format!("id has more than {MAX_ID_CHARS} characters")));
        }
        if state.is_known(&suger.dataset.suger, id) {
            return Err(Failure(StatusCode::CONFLICT, format!("usage record group {id} exists already")));
        }
    }
    suger
        .dataset
        .suger
        .entitlement(&usage.entitlement_id)
        .ok_or_else(|| Failure::not_found("entitlement not found"))?;
    state.make_room(bytes)?;
    let group = suger.store(&mut state, id, usage)?;
    Ok(ok(&group))
}

/// Stores all groups of a batch, or none if one is not valid.
pub(super) async fn batch(State(suger): Shared, body: RequestBody) -> HandlerResult {
    let (new, bytes): (Vec<types::NewUsageRecordGroup>, usize) = measured(body)?;
    let usages: Vec<Usage> = new.into_iter().map(Usage::from).collect();
    if usages.is_empty() {
        return Err(Failure::bad_request("no usage record groups"));
    }
    for usage in &usages {
        check(usage)?;
        if suger.dataset.suger.entitlement(&usage.entitlement_id).is_none() {
            return Err(Failure::bad_request(format!("entitlement {} not found", usage.entitlement_id)));
        }
    }
    let mut state = suger.state();
    state.make_room_for(usages.len())?;
    state.make_room(bytes)?;
    let groups: Result<Vec<_>, _> = usages.into_iter().map(|usage| suger.store(&mut state, None, usage)).collect();
    Ok(ok(&groups?))
}

/// Validates a batch; an invalid group is reported with 500, which is not an error of the server.
pub(super) async fn validate(State(suger): Shared, body: RequestBody) -> HandlerResult {
    let (new, _): (Vec<types::NewUsageRecordGroup>, usize) = measured(body)?;
    let state = suger.state();
    for (usage, at) in new.into_iter().map(Usage::from).zip(0..) {
        let verdict = check(&usage).map_err(|failure| failure.1).and_then(|()| {
            let entitlement = suger.dataset.suger.entitlement(&usage.entitlement_id);
            let entitlement = entitlement.ok_or_else(|| format!("entitlement {} not found", usage.entitlement_id))?;
            metered(&usage, entitlement, &state.config, &state.metrics)
        });
        if let Err(reason) = verdict {
            let message = format!("usage record group {at} is not valid: {reason}");
            return Err(Failure(StatusCode::INTERNAL_SERVER_ERROR, message));
        }
    }
    Ok(ok(&""))
}

/// Parses a body, and returns its length, too.
pub(super) fn measured<T: serde::de::DeserializeOwned>(body: RequestBody) -> Result<(T, usize), Failure> {
    let bytes = body.bytes()?;
    let read = serde_json::from_slice(&bytes).map_err(|error| BodyError::Invalid(error.to_string()))?;
    Ok((read, bytes.len()))
}

/// Rejects usage that is not stored at all.
fn check(usage: &Usage) -> Result<(), Failure> {
    if !usage.records.is_empty() && !usage.billable_records.is_empty() {
        return Err(Failure::bad_request("records and billableRecords cannot be used together"));
    }
    let events = usage.billable_records.iter();
    // An event without a quantity still counts where events are counted.
    let something = usage.records.values().any(|quantity| !quantity.is_zero())
        || events.clone().any(|event| event.quantity.is_none_or(|quantity| !quantity.is_zero()));
    if !something {
        return Err(Failure::bad_request("all the quantity of usage records are zero"));
    }
    let mut quantities = usage.records.values().chain(events.filter_map(|event| event.quantity.as_ref()));
    if quantities.any(|quantity| quantity.is_sign_negative() && !quantity.is_zero()) {
        return Err(Failure::bad_request("negative quantity"));
    }
    Ok(())
}

/// Returns the metered records, or the reason why stored usage cannot be reported.
fn metered(
    usage: &Usage,
    entitlement: &types::WorkloadEntitlement,
    config: &types::UsageMeteringConfigInfo,
    metrics: &BTreeMap<String, types::BillableMetric>,
) -> Result<BTreeMap<String, DecimalNumber>, String> {
    if entitlement.status != Some(EntitlementStatus::Active) {
        return Err("the entitlement is not active".to_owned());
    }
    for event in &usage.billable_records {
        let key = event.key.as_deref().unwrap_or_default();
        let metric = metrics.get(key).filter(|metric| metric.status == Some(types::BillableMetricStatus::Active));
        if metric.is_none() {
            return Err(format!("unknown billable metric {key}"));
        }
    }
    dimension_mapping::mapped(&usage.records, entitlement, config)
}

impl Suger {
    fn store(
        &self,
        state: &mut UsageState,
        id: Option<String>,
        usage: Usage,
    ) -> Result<types::MeteringUsageRecordGroup, Failure> {
        state.make_room_for(1)?;
        let entitlement = self
            .dataset
            .suger
            .entitlement(&usage.entitlement_id)
            .ok_or_else(|| Failure::not_found("entitlement not found"))?;
        let (status, records) = match metered(&usage, entitlement, &state.config, &state.metrics) {
            Ok(records) => (Status::Created, records),
            Err(_) => (Status::Invalid, usage.records.clone()),
        };
        let serial = state.next_serial;
        state.next_serial = serial.saturating_add(1);
        let id = id.unwrap_or_else(|| Uuid::new_v5(&self.realm, format!("group/{serial}").as_bytes()).to_string());
        let now = state.now;
        let group = types::MeteringUsageRecordGroup {
            id: Some(id.clone()),
            serial_id: Some(serial),
            organization_id: Some(SUGER_ORG_ID.to_owned()),
            entitlement_id: Some(usage.entitlement_id),
            buyer_id: entitlement.buyer_id.clone(),
            partner: entitlement.partner.clone(),
            status: Some(status),
            records,
            meta_info: Some(Box::new(types::MeteringUsageRecordGroupMetaInfo {
                source: Some(types::UsageRecordGroupSource::Api),
                timestamp: Some(usage.timestamp.unwrap_or(now)),
                origin_records: usage.records,
                billable_records: usage.billable_records,
                usage_allocations: usage.usage_allocations,
                ..Default::default()
            })),
            usage_record_report_id: Some(String::new()),
            reported_time: None,
            creation_time: Some(now),
            last_update_time: Some(now),
        };
        state.indexes.insert(id, state.groups.len());
        state.groups.push(group.clone());
        Ok(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &str) -> Usage {
        serde_json::from_str::<types::NewUsageRecordGroup>(json).unwrap().into()
    }

    fn rejected(json: &str) -> Option<String> {
        check(&usage(json)).err().map(|failure| failure.1)
    }

    #[test]
    fn usage_with_only_zeros_is_rejected() {
        let zeros = Some("all the quantity of usage records are zero".to_owned());
        assert_eq!(rejected(r#"{"entitlementID":"e","records":{"a":0,"b":0.000}}"#), zeros);
        assert_eq!(rejected(r#"{"entitlementID":"e","records":{}}"#), zeros);
        assert_eq!(rejected(r#"{"entitlementID":"e","records":null}"#), zeros);
        assert_eq!(rejected(r#"{"entitlementID":"e","billableRecords":[{"key":"m","quantity":0}]}"#), zeros);
        assert_eq!(rejected(r#"{"entitlementID":"e","records":{"a":0,"b":0.1}}"#), None);
        assert_eq!(rejected(r#"{"entitlementID":"e","billableRecords":[{"key":"m"}]}"#), None);
    }

    #[test]
    fn mixed_records_and_negative_quantities_are_rejected() {
        let both = r#"{"entitlementID":"e","records":{"a":1},"billableRecords":[{"key":"m","quantity":1}]}"#;
        assert!(rejected(both).unwrap().contains("together"));
        assert_eq!(rejected(r#"{"entitlementID":"e","records":{"a":2,"b":-1}}"#).unwrap(), "negative quantity");
    }

    #[test]
    fn usage_of_unknown_dimension_or_metric_is_not_metered() {
        let org = crate::dataset::suger::Organization::of_tests();
        let flaw = |json: &str, at: usize| {
            metered(&usage(json), &org.entitlements[at], &org.config, &BTreeMap::new()).err().unwrap_or_default()
        };
        assert_eq!(flaw(r#"{"entitlementID":"e","records":{"Ingest, GB":1}}"#, 0), "");
        assert_eq!(flaw(r#"{"entitlementID":"e","records":{"ingest":1}}"#, 0), "unknown dimension ingest");
        assert_eq!(flaw(r#"{"entitlementID":"e","records":{"ingest_gb":1}}"#, 3), "the entitlement is not active");
        let event = r#"{"entitlementID":"e","billableRecords":[{"key":"gpu","quantity":1}]}"#;
        assert_eq!(flaw(event, 2), "unknown billable metric gpu");
    }
}
