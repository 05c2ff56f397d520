//! What changes while the sandbox runs.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use usage_billing_suger::types;

use super::Failure;
use super::hourly::{self, Carried};
use crate::world::suger::Organization;

/// Groups that the sandbox holds, those of the world among them.
pub(super) const MOST_GROUPS: usize = 100_000;
/// Reports that the sandbox holds: then the oldest go. Only who retries refused groups for ever makes so many.
const MOST_REPORTS: usize = 2 * MOST_GROUPS;
/// Billable metrics that the sandbox holds.
pub(super) const MOST_METRICS: usize = 1_000;
/// Bytes of request bodies of which something is kept.
const MOST_KEPT: usize = 64 << 20;

pub(super) struct State {
    /// The latest time that a request came in: what is stored later is not older.
    pub(super) now: DateTime<Utc>,
    /// In the order of their creation.
    pub(super) groups: Vec<types::MeteringUsageRecordGroup>,
    /// Places in `groups`, by id.
    pub(super) places: HashMap<String, usize>,
    pub(super) next_serial: i64,
    /// In the order of their creation.
    pub(super) reports: Vec<types::MeteringUsageRecordReport>,
    carried: Carried,
    next_run: DateTime<Utc>,
    pub(super) metrics: BTreeMap<String, types::BillableMetric>,
    pub(super) config: types::UsageMeteringConfigInfo,
    kept: usize,
}

impl State {
    pub(super) fn new(organization: &Organization, groups: Vec<types::MeteringUsageRecordGroup>) -> Self {
        let ids = groups.iter().map(|group| group.id.clone().unwrap_or_default());
        let metrics = organization.metrics.iter().filter_map(|metric| Some((metric.id.clone()?, metric.clone())));
        Self {
            now: groups.last().and_then(|group| group.creation_time).unwrap_or_default(),
            places: ids.zip(0..).collect(),
            next_serial: groups.last().and_then(|group| group.serial_id).map_or(1, |last| last.saturating_add(1)),
            groups,
            reports: Vec::new(),
            carried: Carried::default(),
            next_run: DateTime::<Utc>::MIN_UTC,
            metrics: metrics.collect(),
            config: organization.config.clone(),
            kept: 0,
        }
    }

    /// Time passes, and the hourly runs that are due by now take place.
    pub(super) fn advance(&mut self, now: DateTime<Utc>, organization: &Organization) {
        self.now = self.now.max(now);
        if self.now < self.next_run {
            return;
        }
        let made = hourly::run(&mut self.groups, &mut self.carried, organization, &self.metrics, self.now);
        self.reports.extend(made);
        let excess = self.reports.len().saturating_sub(MOST_REPORTS);
        self.reports.drain(..excess);
        self.next_run = hourly::next_run(self.now);
    }

    /// Makes sure that there is room for what a request brings.
    pub(super) fn make_room(&mut self, bytes: usize) -> Result<(), Failure> {
        let kept = self.kept.saturating_add(bytes);
        if kept > MOST_KEPT {
            return Err(Failure::full());
        }
        self.kept = kept;
        Ok(())
    }
}
