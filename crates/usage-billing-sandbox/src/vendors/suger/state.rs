//! The state that changes while the sandbox runs.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use usage_billing_suger::types;

use super::Failure;
use super::historical_groups::{self, HistoricalGroups};
use super::hourly_reporting::{self, CarryOver};
use crate::dataset::midnight;
use crate::dataset::suger::{GroupOutline, Organization};

/// Groups that are kept: reported or changed by callers, and those of the last hours before the start.
const MAX_GROUPS: usize = 100_000;
/// Reports that are kept; older ones are dropped. Only endless retries of rejected groups make that many.
const MAX_REPORTS: usize = 2 * MAX_GROUPS;
/// Billable metrics that are kept.
pub(super) const MAX_METRICS: usize = 1_000;
/// Bytes of request bodies that are kept in part.
const MAX_KEPT: usize = 64 << 20;

/// Historical groups that are processed at once: a few milliseconds.
const BATCH_SIZE: u64 = 2_000;

/// Splits slots into batches, between which other requests are processed.
pub(super) fn batches(slots: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = slots.end;
    let length = usize::try_from(BATCH_SIZE).unwrap_or(usize::MAX);
    slots.step_by(length).map(move |start| start..end.min(start + BATCH_SIZE))
}

/// A group in a list.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    /// A historical group that no caller has changed.
    Computed(GroupOutline),
    Stored(&'a types::MeteringUsageRecordGroup),
}

pub(super) struct UsageState {
    /// The latest time of a request, so that creation times never decrease.
    pub(super) now: DateTime<Utc>,
    /// Never changes.
    pub(super) past: Arc<HistoricalGroups>,
    /// Historical groups that a caller changed, by their slots. They keep their position in lists.
    pub(super) changed: BTreeMap<u64, types::MeteringUsageRecordGroup>,
    /// Later groups, in the order of their creation.
    pub(super) groups: Vec<types::MeteringUsageRecordGroup>,
    /// Indexes in `groups`, by id.
    pub(super) indexes: HashMap<String, usize>,
    pub(super) next_serial: i64,
    /// Later reports, in the order of their creation.
    pub(super) reports: Vec<types::MeteringUsageRecordReport>,
    carry_over: CarryOver,
    next_run: DateTime<Utc>,
    pub(super) metrics: BTreeMap<String, types::BillableMetric>,
    pub(super) config: types::UsageMeteringConfigInfo,
    kept: usize,
}

impl UsageState {
    pub(super) fn new(organization: &Organization, now: DateTime<Utc>) -> Self {
        let (past, carry_over) = HistoricalGroups::new(organization, now);
        let slots = past.end..organization.history.slots().end;
        let groups: Vec<_> = slots.clone().map(|slot| organization.group(organization.outline(slot))).collect();
        let ids = groups.iter().map(|group| group.id.clone().unwrap_or_default());
        Self {
            now: groups.last().and_then(|group| group.creation_time).unwrap_or_default(),
            past: Arc::new(past),
            changed: BTreeMap::new(),
            indexes: ids.zip(0..).collect(),
            next_serial: i64::try_from(slots.end).unwrap_or(i64::MAX),
            groups,
            reports: Vec::new(),
            carry_over,
            next_run: DateTime::<Utc>::MIN_UTC,
            metrics: organization.metrics.clone(),
            config: organization.config.clone(),
            kept: 0,
        }
    }

    /// Advances the time, and runs the hourly runs that are due.
    pub(super) fn advance(&mut self, now: DateTime<Utc>, organization: &Organization) {
        self.now = self.now.max(now);
        if self.now < self.next_run {
            return;
        }
        let mut groups: Vec<_> = self.groups.iter_mut().chain(self.changed.values_mut()).collect();
        let made = hourly_reporting::run(&mut groups, &mut self.carry_over, organization, &self.metrics, self.now);
        self.reports.extend(made);
        let excess = self.reports.len().saturating_sub(MAX_REPORTS);
        self.reports.drain(..excess);
        self.next_run = hourly_reporting::next_run(self.now);
    }

    /// Makes sure that there is room for a number of groups.
    pub(super) fn make_room_for(&self, groups: usize) -> Result<(), Failure> {
        let kept = self.groups.len().saturating_add(self.changed.len());
        if kept.saturating_add(groups) > MAX_GROUPS { Err(Failure::full()) } else { Ok(()) }
    }

    /// Returns the slots of historical groups from the first to the last day, both included.
    pub(super) fn past_slots(&self, organization: &Organization, first: NaiveDate, last: NaiveDate) -> Range<u64> {
        let after = last.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, midnight);
        let slots = organization.history.between(midnight(first), after);
        slots.start.min(self.past.end)..slots.end.min(self.past.end)
    }

    /// Returns the group of a historical slot.
    pub(super) fn of_past(&self, organization: &Organization, slot: u64) -> Row<'_> {
        self.changed.get(&slot).map_or_else(|| Row::Computed(organization.outline(slot)), Row::Stored)
    }

    /// Finds a group by its id.
    pub(super) fn find(
        &self,
        organization: &Organization,
        id: &str,
    ) -> Option<Cow<'_, types::MeteringUsageRecordGroup>> {
        if let Some(index) = self.indexes.get(id) {
            return self.groups.get(*index).map(Cow::Borrowed);
        }
        Some(match self.of_past(organization, organization.history.slot_of(id)?) {
            Row::Computed(outline) => Cow::Owned(historical_groups::after_runs(organization, outline)),
            Row::Stored(group) => Cow::Borrowed(group),
        })
    }

    /// Returns a group to change, which is kept from now on.
    pub(super) fn keep(
        &mut self,
        organization: &Organization,
        id: &str,
    ) -> Result<&mut types::MeteringUsageRecordGroup, Failure> {
        let unknown = || Failure::not_found("usage record group not found");
        if let Some(index) = self.indexes.get(id) {
            return self.groups.get_mut(*index).ok_or_else(unknown);
        }
        let slot = organization.history.slot_of(id).ok_or_else(unknown)?;
        if !self.changed.contains_key(&slot) {
            self.make_room_for(1)?;
        }
        let group = || historical_groups::after_runs(organization, organization.outline(slot));
        Ok(self.changed.entry(slot).or_insert_with(group))
    }

    pub(super) fn is_known(&self, organization: &Organization, id: &str) -> bool {
        self.indexes.contains_key(id) || organization.history.slot_of(id).is_some()
    }

    /// Makes sure that there is room for the body of a request.
    pub(super) fn make_room(&mut self, bytes: usize) -> Result<(), Failure> {
        let kept = self.kept.saturating_add(bytes);
        if kept > MAX_KEPT {
            return Err(Failure::full());
        }
        self.kept = kept;
        Ok(())
    }
}
