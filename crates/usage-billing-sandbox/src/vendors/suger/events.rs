//! Aggregates events (v2 records) to quantities, by the billable metric.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use usage_billing_core::{Decimal, DecimalNumber};
use usage_billing_suger::types;
use usage_billing_suger::types::{
    BillableMetricAggregationType as Aggregation, BillableMetricFilterOperation as Operation,
};

/// Unique values that were counted on this day, by entitlement, metric and group.
pub(super) type SeenValues = BTreeMap<(String, String, String), BTreeSet<String>>;

/// Returns one total for each group with an event. Events are in the order of their timestamps.
pub(super) fn totals(
    entitlement_id: &str,
    metric: &types::BillableMetric,
    events: &[&types::MeteringUsageRecord],
    seen: &mut SeenValues,
) -> Vec<types::AggregatedMeteringUsageRecord> {
    let info = metric.info.clone().unwrap_or_default();
    let id = metric.id.clone().unwrap_or_default();
    let mut groups: BTreeMap<String, Vec<&types::MeteringUsageRecord>> = BTreeMap::new();
    for event in events.iter().filter(|event| counts(event, &info.filter_groups)) {
        groups.entry(expression(event, &info.group_bys)).or_default().push(event);
    }
    let total = |(group, events): (String, Vec<&types::MeteringUsageRecord>)| {
        let mut quantities = events.iter().filter_map(|event| event.quantity);
        let mut unique = None;
        let quantity = match metric.aggregation_type {
            Some(Aggregation::Count) => events.len().into(),
            Some(Aggregation::UniqueCount) => {
                let property = info.property_unique_on.as_deref().unwrap_or_default();
                let values = events.iter().filter_map(|event| event.properties.get(property)).map(text);
                let known = seen.entry((entitlement_id.to_owned(), id.clone(), group.clone())).or_default();
                let new: BTreeSet<String> = values.filter(|value| known.insert(value.clone())).collect();
                let count = new.len();
                let new_items = new.into_iter().map(|value| (value, true.into())).collect();
                unique = Some(types::UniqueCountAggregationResult { new_items });
                count.into()
            }
            Some(Aggregation::Max) => quantities.max().unwrap_or_default().0,
            Some(Aggregation::Last) => quantities.next_back().unwrap_or_default().0,
            _ => quantities.fold(Decimal::ZERO, |sum, quantity| super::sum(sum, quantity.0)),
        };
        types::AggregatedMeteringUsageRecord {
            key: metric.id.clone(),
            name: metric.name.clone(),
            quantity: Some(quantity.normalize().into()),
            amount: None,
            group_bys_expression: Some(group),
            billable_metric_aggregation_type: metric.aggregation_type.clone(),
            billable_metric_info: metric.info.clone(),
            unique_count_aggregation_result: unique,
        }
    };
    groups.into_iter().map(total).collect()
}

/// Returns whether an event counts. It must match every group, and matches a group by any of its filters.
fn counts(event: &types::MeteringUsageRecord, groups: &[types::BillableMetricFilterGroup]) -> bool {
    groups.iter().all(|group| group.filters.is_empty() || group.filters.iter().any(|filter| passes(event, filter)))
}

/// Returns whether an event matches a filter. A missing property equals nothing and contains nothing (inferred).
fn passes(event: &types::MeteringUsageRecord, filter: &types::BillableMetricFilter) -> bool {
    let property = event.properties.get(filter.name.as_deref().unwrap_or_default()).map(text);
    let value = filter.value.as_ref().map(text).unwrap_or_default();
    let compared = || Some(number(property.as_deref()?)?.cmp(&number(&value)?));
    match filter.operation {
        Some(Operation::Is) => property.is_some_and(|property| property == value),
        Some(Operation::NotIs) => property.is_none_or(|property| property != value),
        Some(Operation::Contains) => property.is_some_and(|property| property.contains(&value)),
        Some(Operation::NotContains) => property.is_none_or(|property| !property.contains(&value)),
        Some(Operation::Gt) => compared().is_some_and(|order| order.is_gt()),
        Some(Operation::Gte) => compared().is_some_and(|order| order.is_ge()),
        Some(Operation::Lt) => compared().is_some_and(|order| order.is_lt()),
        Some(Operation::Lte) => compared().is_some_and(|order| order.is_le()),
        Some(Operation::Eq) => compared().is_some_and(|order| order.is_eq()),
        Some(Operation::NotEq) => compared().is_none_or(|order| order.is_ne()),
        Some(Operation::Exists) => property.is_some(),
        Some(Operation::NotExists) => property.is_none(),
        // Metrics with another operation are rejected.
        _ => true,
    }
}

/// Returns the group as in `region=eu,model=m`; empty without grouping.
fn expression(event: &types::MeteringUsageRecord, group_bys: &[String]) -> String {
    let value = |name: &String| event.properties.get(name).map(text).unwrap_or_default();
    group_bys.iter().map(|name| format!("{name}={}", value(name))).collect::<Vec<_>>().join(",")
}

/// Returns a string as it is, other values as JSON.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn number(text: &str) -> Option<Decimal> {
    text.parse::<DecimalNumber>().ok().map(|number| number.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<types::MeteringUsageRecord> {
        serde_json::from_str(
            r#"[{"key": "m", "quantity": 0.1, "properties": {"user": "a", "region": "eu", "tier": "paid", "size": 2}},
                {"key": "m", "quantity": 0.7, "properties": {"user": "b", "region": "eu", "tier": "free", "size": "2.50"}},
                {"key": "m", "quantity": 0.2, "properties": {"user": "a", "region": "eu", "size": 3}},
                {"key": "m", "properties": {"user": 7, "region": "ap, 1", "tier": "paid-up"}}]"#,
        )
        .unwrap()
    }

    /// Returns `group:quantity` of each total.
    fn run(metric: &str, seen: &mut SeenValues) -> String {
        let events = events();
        let metric = serde_json::from_str(metric).unwrap();
        let totals = totals("e", &metric, &events.iter().collect::<Vec<_>>(), seen);
        let of = |total: types::AggregatedMeteringUsageRecord| {
            format!("{}:{}", total.group_bys_expression.unwrap(), total.quantity.unwrap())
        };
        totals.into_iter().map(of).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_aggregation_type_computes_its_quantity() {
        for (aggregation, all, by_region) in [
            ("COUNT", ":4", "region=ap, 1:1 region=eu:3"),
            ("UNIQUE_COUNT", ":3", "region=ap, 1:1 region=eu:2"),
            ("SUM", ":1", "region=ap, 1:0 region=eu:1"),
            ("MAX", ":0.7", "region=ap, 1:0 region=eu:0.7"),
            ("LAST", ":0.2", "region=ap, 1:0 region=eu:0.2"),
        ] {
            let metric = |group_bys: &str| {
                format!(
                    r#"{{"id": "m", "aggregationType": "{aggregation}",
                         "info": {{"propertyUniqueOn": "user", "groupBys": {group_bys}}}}}"#
                )
            };
            assert_eq!(run(&metric("[]"), &mut SeenValues::new()), all, "{aggregation}");
            assert_eq!(run(&metric(r#"["region"]"#), &mut SeenValues::new()), by_region, "{aggregation}");
        }
    }

    #[test]
    fn unique_values_are_counted_once_a_day() {
        let metric = r#"{"id": "m", "aggregationType": "UNIQUE_COUNT", "info": {"propertyUniqueOn": "user"}}"#;
        let mut seen = SeenValues::new();
        assert_eq!((run(metric, &mut seen), run(metric, &mut seen)), (":3".to_owned(), ":0".to_owned()));
    }

    #[test]
    fn event_must_match_a_filter_of_every_group() {
        let one = |name: &str, operation: &str, value: &str| {
            format!(r#"{{"filters": [{{"name": "{name}", "operation": "{operation}", "value": {value}}}]}}"#)
        };
        for (groups, counted) in [
            (String::new(), ":4"),
            (one("tier", "IS", "\"paid\""), ":1"),
            (one("tier", "NOT_IS", "\"paid\""), ":3"),
            (one("tier", "CONTAINS", "\"paid\""), ":2"),
            (one("tier", "NOT_CONTAINS", "\"paid\""), ":2"),
            (one("size", "GT", "2"), ":2"),
            (one("size", "GTE", "2"), ":3"),
            (one("size", "LT", "2.5"), ":1"),
            (one("size", "LTE", "2.5"), ":2"),
            (one("size", "EQ", "\"2.5\""), ":1"),
            (one("size", "NOT_EQ", "2.5"), ":3"),
            (one("tier", "EXISTS", "null"), ":3"),
            (one("tier", "NOT_EXISTS", "null"), ":1"),
            (format!("{}, {}", one("tier", "EXISTS", "null"), one("size", "GT", "2")), ":1"),
            (
                r#"{"filters": [{"name": "tier", "operation": "NOT_EXISTS"}, {"name": "size", "operation": "EQ", "value": 2}]}"#
                    .to_owned(),
                ":2",
            ),
        ] {
            let metric = format!(r#"{{"id": "m", "aggregationType": "COUNT", "info": {{"filterGroups": [{groups}]}}}}"#);
            assert_eq!(run(&metric, &mut SeenValues::new()), counted, "{groups}");
        }
    }
}
