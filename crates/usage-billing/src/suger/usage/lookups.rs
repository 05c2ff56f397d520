//! Names of buyers and definitions of billable metrics, which groups do not contain.

use std::collections::BTreeMap;

use crate::rows::identity::UNITS;
use crate::suger::types;

/// Names of buyers and definitions of billable metrics, which groups do not contain.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Lookups {
    /// Names of buyers by id.
    pub buyers: BTreeMap<String, String>,
    /// Billable metrics by id. They define how events become a quantity.
    pub metrics: BTreeMap<String, types::BillableMetric>,
}

impl Lookups {
    /// Returns the unit of the sum, if the events of a billable metric simply add up.
    pub(super) fn unit_of_sum(&self, metric: &str) -> Option<&'static str> {
        let metric = self.metrics.get(metric)?;
        let mut filters = metric.info.iter().flat_map(|info| &info.filter_groups).flat_map(|group| &group.filters);
        match metric.aggregation_type.as_ref()? {
            types::BillableMetricAggregationType::Sum if filters.next().is_none() => Some(UNITS),
            types::BillableMetricAggregationType::Count if filters.next().is_none() => Some("events"),
            _ => None,
        }
    }
}
