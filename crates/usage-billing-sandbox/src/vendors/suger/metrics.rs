//! Billable metrics, and how the organization's usage is metered.

use std::ops::RangeInclusive;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;
use usage_billing_suger::types;
use usage_billing_suger::types::{
    BillableMetricAggregationType, BillableMetricFilterOperation, BillableMetricFilterValueType, BillableMetricStatus,
    Partner, UsageMeteringDimensionMappingMode,
};

use super::report_usage::{MAX_ID_CHARS, measured};
use super::state::MAX_METRICS;
use super::{Failure, HandlerResult, Shared, events};
use crate::demo_credentials::SUGER_ORG_ID;
use crate::http_util::request::{Params, RequestBody, first_unlisted};
use crate::http_util::response::ok;

const NAME: RangeInclusive<usize> = 4..=50;
const DESCRIPTION: RangeInclusive<usize> = 0..=300;

pub(super) async fn list(State(suger): Shared, query: Params) -> HandlerResult {
    // The filter is a free string in the vendor's document: an unknown status matches nothing.
    let status = query.get("status").map(BillableMetricStatus::from);
    let state = suger.state();
    let metrics: Vec<_> = state.metrics.values().filter(|metric| status.is_none() || metric.status == status).collect();
    Ok(ok(&metrics))
}

pub(super) async fn create(State(suger): Shared, body: RequestBody) -> HandlerResult {
    let (new, bytes): (types::BillableMetric, usize) = measured(body)?;
    let id = new.id.filter(|id| (1..=MAX_ID_CHARS).contains(&id.chars().count()));
    let id = id.ok_or_else(|| Failure::bad_request(format!("id must have 1 to {MAX_ID_CHARS} characters")))?;
    length("name", Some(new.name.as_deref().unwrap_or_default()), NAME)?;
    length("description", new.description.as_deref(), DESCRIPTION)?;
    match &new.aggregation_type {
        None => return Err(Failure::bad_request("aggregationType is missing")),
        Some(BillableMetricAggregationType::Unknown(value)) => {
            return Err(Failure::bad_request(format!("invalid aggregationType: {}", value.as_str())));
        }
        Some(_) => {}
    }
    definition(new.aggregation_type.as_ref(), new.info.as_ref())?;
    let mut state = suger.state();
    let now = state.now;
    if state.metrics.contains_key(&id) {
        return Err(Failure::bad_request(format!("billable metric {id} exists already")));
    }
    if state.metrics.len() >= MAX_METRICS {
        return Err(Failure::full());
    }
    state.make_room(bytes)?;
    let metric = types::BillableMetric {
        id: Some(id.clone()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        status: Some(BillableMetricStatus::Active),
        creation_time: Some(now),
        last_update_time: Some(now),
        ..new
    };
    state.metrics.insert(id, metric.clone());
    Ok(ok(&metric))
}

pub(super) async fn read(State(suger): Shared, Path((_, id)): Path<(String, String)>) -> HandlerResult {
    let state = suger.state();
    let metric = state.metrics.get(&id).ok_or_else(|| Failure::not_found("billable metric not found"))?;
    Ok(ok(metric))
}

pub(super) async fn update(
    State(suger): Shared,
    Path((_, id)): Path<(String, String)>,
    body: RequestBody,
) -> HandlerResult {
    let (change, bytes): (types::UpdateBillableMetricParams, usize) = measured(body)?;
    length("name", change.name.as_deref(), NAME)?;
    length("description", change.description.as_deref(), DESCRIPTION)?;
    if let Some(value) = first_unlisted!(BillableMetricStatus, &change.status) {
        return Err(Failure::bad_request(format!("invalid status: {value}")));
    }
    let mut state = suger.state();
    let now = state.now;
    if !state.metrics.contains_key(&id) {
        return Err(Failure::not_found("billable metric not found"));
    }
    state.make_room(bytes)?;
    let metric = state.metrics.get_mut(&id).ok_or_else(|| Failure::not_found("billable metric not found"))?;
    metric.name = change.name.or(metric.name.take());
    metric.description = change.description.or(metric.description.take());
    metric.status = change.status.or(metric.status.take());
    metric.last_update_time = Some(now);
    Ok(ok(&*metric))
}

/// Validates filters and the property of a unique count, which the hourly run uses.
fn definition(
    aggregation: Option<&BillableMetricAggregationType>,
    info: Option<&types::BillableMetricInfo>,
) -> Result<(), Failure> {
    let property = info.and_then(|info| info.property_unique_on.as_deref()).unwrap_or_default();
    if aggregation == Some(&BillableMetricAggregationType::UniqueCount) && property.is_empty() {
        return Err(Failure::bad_request("UNIQUE_COUNT needs propertyUniqueOn"));
    }
    for filter in info.iter().flat_map(|info| &info.filter_groups).flat_map(|group| &group.filters) {
        if filter.name.as_deref().unwrap_or_default().is_empty() || filter.operation.is_none() {
            return Err(Failure::bad_request("a filter needs name and operation"));
        }
        if let Some(value) = first_unlisted!(BillableMetricFilterOperation, &filter.operation) {
            return Err(Failure::bad_request(format!("invalid operation: {value}")));
        }
        if let Some(value) = first_unlisted!(BillableMetricFilterValueType, &filter.value_type) {
            return Err(Failure::bad_request(format!("invalid valueType: {value}")));
        }
        if let Some(expected) = expected_type(filter) {
            let name = filter.name.as_deref().unwrap_or_default();
            return Err(Failure::bad_request(format!("invalid value of the filter on {name}: expected {expected}")));
        }
    }
    Ok(())
}

/// Returns the type that the value of a filter must have, if it has another one (inferred: a string or a number, by its type and
/// operation).
fn expected_type(filter: &types::BillableMetricFilter) -> Option<&'static str> {
    use BillableMetricFilterOperation::{Contains, Exists, Is, NotContains, NotExists, NotIs};
    let is_number = |value: &Value| events::number(&events::text(value)).is_some();
    match (&filter.operation, &filter.value_type, filter.value.as_ref().filter(|value| !value.is_null())) {
        (Some(Exists | NotExists), _, None) => None,
        (_, Some(BillableMetricFilterValueType::String), value) if !value.is_some_and(Value::is_string) => {
            Some("a string")
        }
        (_, Some(BillableMetricFilterValueType::Float), value) if !value.is_some_and(Value::is_number) => {
            Some("a number")
        }
        (_, _, value) if !value.is_some_and(|value| value.is_string() || value.is_number()) => {
            Some("a string or a number")
        }
        (Some(Is | NotIs | Contains | NotContains | Exists | NotExists), ..) => None,
        (_, _, value) => (!value.is_some_and(is_number)).then_some("a number"),
    }
}

fn length(field: &str, text: Option<&str>, allowed: RangeInclusive<usize>) -> Result<(), Failure> {
    match text {
        Some(text) if !allowed.contains(&text.chars().count()) => {
            let (least, most) = allowed.into_inner();
            Err(Failure::bad_request(format!("{field} must have {least} to {most} characters")))
        }
        _ => Ok(()),
    }
}

pub(super) async fn config(State(suger): Shared) -> Response {
    ok(&suger.state().config)
}

/// Replaces the config, which applies to later usage.
pub(super) async fn update_config(State(suger): Shared, body: RequestBody) -> HandlerResult {
    let (config, bytes): (types::UsageMeteringConfigInfo, usize) = measured(body)?;
    let partners = config.partner_usage_metering_configs.iter().filter_map(|one| one.partner.as_ref());
    if let Some(value) = first_unlisted!(Partner, partners) {
        return Err(Failure::bad_request(format!("invalid partner: {value}")));
    }
    let mappings = config
        .partner_usage_metering_configs
        .iter()
        .flat_map(|one| one.dimension_mapping.values().chain(one.dimension_mapping_v2.values().flatten()));
    let modes = mappings.filter_map(|mapping| mapping.mapping_mode.as_ref());
    if let Some(value) = first_unlisted!(UsageMeteringDimensionMappingMode, modes) {
        return Err(Failure::bad_request(format!("invalid mappingMode: {value}")));
    }
    let mut state = suger.state();
    state.make_room(bytes)?;
    state.config = config;
    Ok(ok(&state.config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_value_must_have_comparable_type() {
        for (filter, wanted) in [
            (r#""IS", "value": "paid", "valueType": "STRING""#, None),
            (r#""IS", "value": 7"#, None),
            (r#""GTE", "value": 0.5, "valueType": "FLOAT""#, None),
            (r#""EQ", "value": "2.50""#, None),
            (r#""EXISTS""#, None),
            (r#""NOT_EXISTS", "value": null, "valueType": "FLOAT""#, None),
            (r#""IS""#, Some("a string or a number")),
            (r#""IS", "value": true"#, Some("a string or a number")),
            (r#""IS", "value": {"a": 1}"#, Some("a string or a number")),
            (r#""EXISTS", "value": []"#, Some("a string or a number")),
            (r#""IS", "value": 1, "valueType": "STRING""#, Some("a string")),
            (r#""GT", "value": "1", "valueType": "FLOAT""#, Some("a number")),
            (r#""GT", "value": "much""#, Some("a number")),
        ] {
            let filter = format!(r#"{{"name": "n", "operation": {filter}}}"#);
            assert_eq!(expected_type(&serde_json::from_str(&filter).unwrap()), wanted, "{filter}");
        }
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!(length("name", Some("株式会社"), NAME).is_ok());
        assert!(length("name", Some("株式会"), NAME).is_err());
        assert!(length("name", None, NAME).is_ok());
        assert!(length("name", Some(&"x".repeat(51)), NAME).is_err());
    }
}
