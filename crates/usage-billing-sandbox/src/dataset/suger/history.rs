//! Usage from before the start, computed from the seed and a time slot.
//!
//! Time since 1970 is divided into slots of equal length, and one group is reported at the beginning of each slot. A group is determined by
//! its slot, is the same on any day, and needs no memory.

use std::ops::Range;

use chrono::{DateTime, Utc};
use usage_billing_core::Decimal;
use usage_billing_suger::types;
use usage_billing_suger::types::UsageRecordGroupStatus as Status;
use uuid::{Builder, Uuid};

use super::Organization;
use super::catalogue::METRIC;
use super::entitlement_specs::EntitlementSpec;
use super::products::{Dimension, EXACT_DIGITS};
use crate::dataset::seed::Seed;
use crate::dataset::size::Size;
use crate::demo_credentials::SUGER_ORG_ID;

const MONTH_MILLIS: u64 = 732 * 3_600_000;
/// Bits of an id that contain the slot.
const SLOT_BITS: u32 = 48;

pub(crate) struct History {
    seed: Seed,
    /// Milliseconds between slots.
    step: u64,
    slots: Range<u64>,
    /// Indexes of entitlements, each as often as its weight.
    weights: Vec<u16>,
    /// Index of the first entitlement whose usage is rejected.
    rejected: usize,
}

/// A group before it is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupOutline {
    pub(crate) slot: u64,
    /// Index of the entitlement.
    pub(crate) spec: usize,
    /// Created, invalid, or deleted before it was reported.
    pub(crate) status: InitialStatus,
}

/// The first status of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InitialStatus {
    Created,
    Invalid,
    Deleted,
}

/// A quantity that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// A dimension, by its key.
    Dimension(&'static str),
    /// Events of the dataset's billable metric, by region.
    Events(&'static str),
}

impl From<InitialStatus> for Status {
    fn from(first: InitialStatus) -> Self {
        match first {
            InitialStatus::Created => Self::Created,
            InitialStatus::Invalid => Self::Invalid,
            InitialStatus::Deleted => Self::Deleted,
        }
    }
}

impl Measure {
    /// Returns the key of the dimension or metric.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Dimension(key) => key,
            Self::Events(_) => METRIC,
        }
    }

    /// Adds a quantity to a group, as a record or an event.
    pub(crate) fn reported(self, quantity: Decimal, group: &mut types::MeteringUsageRecordGroup) {
        match self {
            Self::Dimension(key) => {
                group.records.insert(key.to_owned(), quantity.into());
            }
            Self::Events(region) => {
                let event = types::MeteringUsageRecord {
                    key: Some(METRIC.to_owned()),
                    quantity: Some(quantity.into()),
                    properties: [("region".to_owned(), region.into())].into_iter().collect(),
                };
                group.meta_info.get_or_insert_default().billable_records.push(event);
            }
        }
    }
}

impl History {
    /// Creates a number of groups up to now.
    pub(super) fn new(seed: Seed, size: &Size, specs: &[EntitlementSpec], now: DateTime<Utc>) -> Self {
        let count = u64::from(size.record_groups);
        let step = (u64::from(size.months) * MONTH_MILLIS / count.max(1)).max(1);
        let end = u64::try_from(now.timestamp_millis()).unwrap_or_default().div_ceil(step);
        let weights = specs.iter().zip(0u16..).flat_map(|(spec, index)| std::iter::repeat_n(index, spec.weight()));
        let rejected = specs.iter().position(|spec| spec.rejection.is_some()).unwrap_or_default();
        Self { seed, step, slots: end.saturating_sub(count)..end, weights: weights.collect(), rejected }
    }

    pub(crate) fn slots(&self) -> Range<u64> {
        self.slots.clone()
    }

    /// Returns the slots that begin in a period; its end is excluded.
    pub(crate) fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Range<u64> {
        let slot = |time: DateTime<Utc>| {
            let millis = u64::try_from(time.timestamp_millis()).unwrap_or_default();
            millis.div_ceil(self.step).clamp(self.slots.start, self.slots.end)
        };
        let (start, end) = (slot(from), slot(to));
        start..end.max(start)
    }

    pub(crate) fn time(&self, slot: u64) -> DateTime<Utc> {
        let millis = i64::try_from(slot.saturating_mul(self.step)).unwrap_or(i64::MAX);
        DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    pub(crate) fn outline(&self, slot: u64, specs: &[EntitlementSpec]) -> GroupOutline {
        let draw = self.seed.mix(&[61, slot]) % (self.weights.len() as u64).max(1);
        let drawn = usize::try_from(draw).ok().and_then(|draw| self.weights.get(draw)).copied().map_or(0, usize::from);
        let spec = if self.is_rejected_shift(slot) { self.rejected } else { drawn };
        let status = match self.seed.mix(&[62, slot]) % 100 {
            0 => InitialStatus::Invalid,
            1 => InitialStatus::Deleted,
            _ if specs.get(spec).is_some_and(|spec| spec.cancelled) => InitialStatus::Invalid,
            _ => InitialStatus::Created,
        };
        GroupOutline { slot, spec, status }
    }

    /// Returns whether a rejected group is reported: at 4, 10, 16 and 22 o'clock, so that at noon there is usage in every status.
    fn is_rejected_shift(&self, slot: u64) -> bool {
        let hour = |slot: u64| slot * self.step / 3_600_000;
        hour(slot) % 6 == 4 && hour(slot) != hour(slot.saturating_sub(1))
    }

    /// Returns the id of a group. It contains the slot, so that the group can be found; the rest proves that the id belongs to this dataset.
    fn id(&self, slot: u64) -> Uuid {
        let mask = self.seed.mix(&[60]) >> (64 - SLOT_BITS);
        let (high, low) = (self.seed.mix(&[59, slot]) >> SLOT_BITS, self.seed.mix(&[58, slot]));
        let high = ((slot ^ mask) << (64 - SLOT_BITS)) | high;
        Builder::from_random_bytes(Uuid::from_u64_pair(high, low).into_bytes()).into_uuid()
    }

    /// Returns the slot of an id, if it belongs to a group of this history.
    pub(crate) fn slot_of(&self, id: &str) -> Option<u64> {
        let (high, _) = Uuid::parse_str(id).ok()?.as_u64_pair();
        let slot = (high >> (64 - SLOT_BITS)) ^ (self.seed.mix(&[60]) >> (64 - SLOT_BITS));
        (self.slots.contains(&slot) && self.id(slot).to_string() == id).then_some(slot)
    }

    fn region(&self, slot: u64) -> &'static str {
        if self.seed.mix(&[64, slot]).is_multiple_of(2) { "eu-north-1" } else { "ap-tokyo, 1" }
    }

    /// Returns a quantity in a range, with a number of decimal places.
    fn random_decimal(&self, parts: &[u64], least: u64, most: u64, indexes: u32) -> Decimal {
        let number = least + self.seed.mix(parts) % (most - least).max(1);
        Decimal::from_i128_with_scale(number.into(), indexes)
    }

    fn quantity(&self, number: u64, dimension: &Dimension, slot: u64) -> Option<Decimal> {
        let awkward = self.seed.mix(&[number, 1, slot]) % 100;
        match dimension.usual {
            // Floats cannot represent it exactly; only finely measured quantities are that small.
            Some((_, _, 3..)) if awkward < 14 => Some(Decimal::new(1, 1)),
            Some((least, most, indexes)) => Some(self.random_decimal(&[number, 2, slot], least, most, indexes)),
            // More digits than a float has.
            None if dimension.key == EXACT_DIGITS && awkward == 0 => {
                Some(Decimal::from_i128_with_scale(12_345_678_901_123_456_789, 9))
            }
            None => None,
        }
    }
}

impl Organization {
    pub(crate) fn outline(&self, slot: u64) -> GroupOutline {
        self.history.outline(slot, &self.specs)
    }

    /// Returns the quantities of a group.
    pub(crate) fn usage(&self, outline: GroupOutline) -> impl Iterator<Item = (Measure, Decimal)> {
        let (history, slot) = (&self.history, outline.slot);
        let spec = self.specs.get(outline.spec);
        // Half of the groups of entitlements with metrics report events, the others report records.
        let of_events =
            spec.is_some_and(|spec| spec.second_generation) && history.seed.mix(&[63, slot]).is_multiple_of(2);
        // Up to a day of GPU time.
        let event = of_events
            .then(|| (Measure::Events(history.region(slot)), history.random_decimal(&[65, slot], 6_000, 8_640_000, 2)));
        let dimensions = spec.filter(|_| !of_events).map_or(&[][..], |spec| spec.product.dimensions);
        let records = dimensions.iter().zip(66..).filter_map(move |(dimension, number)| {
            Some((Measure::Dimension(dimension.key), history.quantity(number, dimension, slot)?))
        });
        records.chain(event)
    }

    /// Returns a group as it was reported.
    pub(crate) fn group(&self, outline: GroupOutline) -> types::MeteringUsageRecordGroup {
        let time = self.history.time(outline.slot);
        let spec = self.specs.get(outline.spec);
        let info = self.meta_info(outline);
        types::MeteringUsageRecordGroup {
            id: Some(self.group_id(outline.slot)),
            serial_id: i64::try_from(outline.slot).ok(),
            organization_id: Some(SUGER_ORG_ID.to_owned()),
            entitlement_id: spec.map(EntitlementSpec::id),
            buyer_id: spec.map(|spec| spec.buyer.clone()),
            partner: spec.map(|spec| spec.partner.clone()),
            records: info.origin_records.clone(),
            meta_info: Some(Box::new(info)),
            usage_record_report_id: Some(String::new()),
            reported_time: None,
            creation_time: Some(time),
            last_update_time: Some(time),
            status: Some(outline.status.into()),
        }
    }

    /// Returns the metadata of a group.
    pub(crate) fn meta_info(&self, outline: GroupOutline) -> types::MeteringUsageRecordGroupMetaInfo {
        let mut group = types::MeteringUsageRecordGroup::default();
        for (measure, quantity) in self.usage(outline) {
            measure.reported(quantity.normalize(), &mut group);
        }
        types::MeteringUsageRecordGroupMetaInfo {
            source: Some(types::UsageRecordGroupSource::Api),
            timestamp: Some(self.history.time(outline.slot)),
            origin_records: group.records,
            ..group.meta_info.map(|info| *info).unwrap_or_default()
        }
    }

    /// Returns the id of the group of a slot.
    pub(crate) fn group_id(&self, slot: u64) -> String {
        self.history.id(slot).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    fn groups(organization: &Organization) -> Vec<types::MeteringUsageRecordGroup> {
        let slots = organization.history.slots();
        slots.map(|slot| organization.group(organization.outline(slot))).collect()
    }

    #[test]
    fn groups_are_unique_sorted_and_as_many_as_requested() {
        for count in [0, 1, 2_745, 5_000] {
            let size = Size::default().record_groups(count);
            let groups = groups(&Organization::of_size(&size, 3));
            assert_eq!(groups.len(), usize::try_from(count).unwrap());
            assert!(groups.is_sorted_by_key(|group| group.creation_time));
            let ids: HashSet<_> = groups.iter().map(|group| &group.id).collect();
            let serials: HashSet<_> = groups.iter().map(|group| group.serial_id).collect();
            assert_eq!((ids.len(), serials.len()), (groups.len(), groups.len()));
        }
    }

    #[test]
    fn default_history_has_all_statuses_and_entitlements() {
        let groups = groups(&Organization::of_tests());
        assert!(groups.iter().any(|group| group.records.is_empty()));
        let statuses: HashSet<_> = groups.iter().filter_map(|group| group.status.clone()).collect();
        assert_eq!(statuses, HashSet::from([Status::Created, Status::Invalid, Status::Deleted]));
        let specs: HashSet<_> = groups.iter().filter_map(|group| group.entitlement_id.clone()).collect();
        assert_eq!(specs.len(), 5);
        let first = groups[0].creation_time.unwrap();
        assert_eq!(first.to_rfc3339(), "2026-09-21T12:16:00+00:00");
    }

    #[test]
    fn quantities_are_in_their_ranges() {
        let mut all: BTreeMap<&str, Vec<Decimal>> = BTreeMap::new();
        let groups = groups(&Organization::of_tests());
        for (key, quantity) in groups.iter().flat_map(|group| &group.records) {
            all.entry(key).or_default().push(quantity.0);
        }
        for (key, least, most) in [
            ("seats", 100_i64, 400_i64),
            ("api_calls", 100_000, 1_000_000),
            ("ingest_gb", 0, 2_000),
            ("node_hours", 0, 96),
            ("exact_digits_test", 12_345_678_901, 12_345_678_902),
        ] {
            let quantities = all.remove(key).unwrap();
            assert!(
                quantities.iter().all(|it| *it > least.into() && *it < most.into() || *it == least.into()),
                "{key}"
            );
            let tenth = quantities.contains(&Decimal::new(1, 1));
            assert_eq!(tenth, ["ingest_gb", "node_hours"].contains(&key), "{key}");
        }
        assert!(all.is_empty(), "{all:?}");
    }

    #[test]
    fn group_is_the_same_on_another_day() {
        let time = |text: &str| text.parse().unwrap();
        let new = |now| Organization::new(Seed::new(0), &Size::default(), time(now));
        let (before, after) = (new("2026-11-20T12:00:00Z"), new("2026-11-21T12:00:00Z"));
        for slot in before.history.slots().rev().take(200) {
            let json = |it: &Organization| serde_json::to_string(&it.group(it.outline(slot))).unwrap();
            assert_eq!(json(&before), json(&after));
        }
    }

    #[test]
    fn group_is_found_by_its_id_only() {
        let organization = Organization::of_tests();
        let slots = organization.history.slots();
        for slot in slots.clone().step_by(100) {
            let id = organization.group_id(slot);
            assert_eq!(organization.history.slot_of(&id), Some(slot));
            assert_eq!(organization.history.slot_of(&id.to_uppercase()), None);
        }
        for stranger in [organization.group_id(slots.end), Uuid::nil().to_string(), String::new()] {
            assert_eq!(organization.history.slot_of(&stranger), None);
        }
        assert_eq!(
            Organization::of_size(&Size::default(), 1).history.slot_of(&organization.group_id(slots.start)),
            None
        );
    }
}
