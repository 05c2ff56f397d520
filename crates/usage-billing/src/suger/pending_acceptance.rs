//! Sums that wait for acceptance: usage counts as accepted only once the report in which its group was sent shows it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use usage_billing_core::Decimal;

use super::carried::{Billings, carried_in, carried_out, start_of};
use super::groups::id_in;
use super::marketplace::{Acceptance, acceptance, partner_of};
use super::report_quantities::unstated;
use super::sums::Key;
use super::types::{
    MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info,
    Partner, UsageRecordGroupStatus as Status,
};
use crate::memory_limit::SLOT;

/// Estimated memory of one link: an id, and its entries in two tables.
pub(super) const LINK: usize = 3 * SLOT + 80;

#[derive(Debug, Default)]
pub(super) struct PendingAcceptance {
    /// Sums by the reports that their groups name, until such a report accepts them.
    by_report: HashMap<String, Vec<Link>>,
    /// Sums by groups that name no report, until a report that names the group accepts them.
    by_group: HashMap<String, Vec<Link>>,
    /// Sums that no report can accept, because neither a report nor a group id identifies them.
    nameless: BTreeSet<Arc<Key>>,
    /// By entitlement and dimension, the fractions that reports left to later ones.
    fractions: HashMap<(String, String), Fractions>,
    /// Reports with groups that are not in the sums, such as those of another month.
    shared: Vec<SharedReport>,
}

/// A report of which some groups are not in the sums. It states the usage of all of them.
#[derive(Debug)]
struct SharedReport {
    report: Report,
    /// Ids of the other groups that were not read yet.
    unread: HashSet<String>,
    /// Usage of the other groups by dimension.
    used: BTreeMap<String, Decimal>,
}

/// A sum with usage in a report.
#[derive(Debug)]
struct Link {
    key: Arc<Key>,
    /// Whether the sum is of a billable metric, which the marketplace knows under another name.
    of_metric: bool,
    /// The marketplace that the groups name.
    partner: Option<Partner>,
    /// Quantity of the groups.
    quantity: Decimal,
}

/// Fractions of one dimension.
#[derive(Debug, Default)]
struct Fractions {
    /// Sums with usage in a report that left a fraction to later ones, with the start of the latest such report.
    left: HashMap<Arc<Key>, DateTime<Utc>>,
    /// Reports that bill fractions of earlier ones.
    billings: Billings,
}

impl PendingAcceptance {
    pub(super) fn is_empty(&self) -> bool {
        self.by_report.is_empty() && self.by_group.is_empty() && self.nameless.is_empty()
    }

    /// Adds usage of a group that was reported, and returns whether it takes memory. A quantity of 0, which reports
    /// need not state, does not wait for acceptance.
    pub(super) fn add(&mut self, group: &Group, key: Arc<Key>, quantity: Decimal) -> bool {
        if quantity.is_zero() {
            return false;
        }
        let sum = (key.entitlement.clone(), key.metric.clone());
        let link = Link { key, of_metric: group.records.is_empty(), partner: group.partner.clone(), quantity };
        let links = match (id_in(&group.usage_record_report_id), id_in(&group.id)) {
            (Some(report), _) => self.by_report.entry(report.to_owned()).or_default(),
            (None, Some(group)) => self.by_group.entry(group.to_owned()).or_default(),
            (None, None) => return self.nameless.insert(link.key),
        };
        if let Some(known) = links.iter_mut().find(|known| known.key == link.key && known.of_metric == link.of_metric) {
            known.quantity = known.quantity.saturating_add(link.quantity);
            return false;
        }
        links.push(link);
        self.fractions.entry(sum).or_default();
        true
    }

    /// Applies a report. `read` are the ids of the groups in the sums.
    pub(super) fn apply(&mut self, report: &Report, read: &HashSet<String>) {
        let Some(info) = &report.info else { return };
        self.note_billed_fractions(report, info);
        let is_of_report = |id: &str| self.by_report.contains_key(id);
        if !id_in(&report.id).is_some_and(is_of_report)
            && !info.usage_record_group_ids.iter().any(|group| self.by_group.contains_key(group))
        {
            return;
        }
        let unread = info.usage_record_group_ids.iter().filter(|group| !read.contains(*group));
        let unread: HashSet<_> = unread.cloned().collect();
        match unread.is_empty() {
            true => self.settle(report, info, &BTreeMap::new()),
            false => self.shared.push(SharedReport { report: report.clone(), unread, used: BTreeMap::new() }),
        }
    }

    /// Returns the ids of other groups of the reports, which have to be read.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        self.shared.iter().flat_map(|shared| shared.unread.iter().map(String::as_str))
    }

    /// Adds a group that is not in the sums to the reports that contain it.
    pub(super) fn add_other(&mut self, group: &Group) {
        let Some(id) = id_in(&group.id) else { return };
        for shared in &mut self.shared {
            if shared.unread.remove(id) && group.status == Some(Status::Reported) {
                for (dimension, quantity) in &group.records {
                    let used = shared.used.entry(dimension.clone()).or_default();
                    *used = used.saturating_add(quantity.0);
                }
            }
        }
    }

    /// Removes the sums that a report accepts. `others` is the usage in it that is not in the sums.
    fn settle(&mut self, report: &Report, info: &Info, others: &BTreeMap<String, Decimal>) {
        if let Some(id) = id_in(&report.id)
            && let Some(mut links) = self.by_report.remove(id)
        {
            links.retain(|link| !self.is_accepted_by(link, report, info, others));
            if !links.is_empty() {
                self.by_report.insert(id.to_owned(), links);
            }
        }
        for group in &info.usage_record_group_ids {
            let Some(mut links) = self.by_group.remove(group) else { continue };
            links.retain(|link| !self.is_accepted_by(link, report, info, others));
            if !links.is_empty() {
                self.by_group.insert(group.clone(), links);
            }
        }
    }

    fn note_billed_fractions(&mut self, report: &Report, info: &Info) {
        let Some(start) = start_of(report) else { return };
        let entitlement = report.entitlement_id.clone().unwrap_or_default();
        for (dimension, is_accepted) in carried_in(report, info) {
            if let Some(fractions) = self.fractions.get_mut(&(entitlement.clone(), dimension.to_owned())) {
                fractions.billings.add(start, is_accepted);
            }
        }
    }

    /// Returns whether a report accepts the usage of a sum. A fraction of it may be left to later reports.
    fn is_accepted_by(
        &mut self,
        link: &Link,
        report: &Report,
        info: &Info,
        others: &BTreeMap<String, Decimal>,
    ) -> bool {
        let start = start_of(report);
        let Key { entitlement, metric, .. } = &*link.key;
        let dimensions: &[&str] = if link.of_metric { &[] } else { &[metric.as_str()] };
        let partner = partner_of(report, link.partner.as_ref());
        let used = link.quantity.saturating_add(others.get(metric).copied().unwrap_or_default());
        if acceptance(info, partner, dimensions) != Acceptance::Accepted
            || !link.of_metric && unstated(info, metric, used).is_some()
        {
            return false;
        }
        if !link.of_metric && carried_out(info, metric).is_some() {
            let fractions = self.fractions.entry((entitlement.clone(), metric.clone())).or_default();
            let left = fractions.left.entry(link.key.clone()).or_default();
            *left = start.unwrap_or(DateTime::<Utc>::MAX_UTC).max(*left);
        }
        true
    }

    /// Returns the sums that the reports do not accept in full.
    pub(super) fn keys(mut self) -> BTreeSet<Arc<Key>> {
        let shared = std::mem::take(&mut self.shared).into_iter().filter(|shared| shared.unread.is_empty());
        for SharedReport { report, used, .. } in shared {
            report.info.iter().for_each(|info| self.settle(&report, info, &used));
        }
        let links = self.by_report.into_values().chain(self.by_group.into_values()).flatten();
        let waiting = links.map(|link| link.key).chain(self.nameless);
        let left = self.fractions.into_values().flat_map(|Fractions { left, billings }| {
            left.into_iter().filter(move |(_, start)| !billings.is_billed_after(*start)).map(|(key, _)| key)
        });
        waiting.chain(left).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn key(metric: &str) -> Arc<Key> {
        let (entitlement, metric) = ("e-1".to_owned(), metric.to_owned());
        Arc::new(Key { buyer: None, entitlement, metric, unit: "units" })
    }

    fn add(pending: &mut PendingAcceptance, group: Value, metric: &str) -> bool {
        let group: Group = serde_json::from_value(group).unwrap();
        pending.add(&group, key(metric), Decimal::ONE)
    }

    fn apply(pending: &mut PendingAcceptance, report: &Report) {
        pending.apply(report, &["g-1", "g-2"].map(str::to_owned).into());
    }

    #[test]
    fn reported_usage_is_pending_until_a_report_accepts_it() {
        let accepted = |id: &str, groups: &[&str]| -> Report {
            let info = json!({"status": "SUCCESS", "partner": "STRIPE", "usageRecordGroupIds": groups});
            serde_json::from_value(json!({"id": id, "entitlementID": "e-1", "info": info})).unwrap()
        };
        assert!(PendingAcceptance::default().is_empty());
        for (group, settles) in [
            (json!({"id": "g-1", "usageRecordReportID": "r-1"}), accepted("r-1", &[])),
            (json!({"id": "g-1"}), accepted("r-2", &["g-1"])),
            (json!({"id": "g-1", "usageRecordReportID": ""}), accepted("", &["g-1"])),
        ] {
            let mut pending = PendingAcceptance::default();
            assert!(add(&mut pending, group.clone(), "gb") && !pending.is_empty());
            apply(&mut pending, &accepted("r-3", &["g-2"]));
            assert!(!pending.is_empty());
            apply(&mut pending, &settles);
            assert!(pending.is_empty() && pending.keys().is_empty(), "{group}");
        }
        let mut nameless = PendingAcceptance::default();
        assert!(add(&mut nameless, json!({}), "gb") && !nameless.is_empty());
        assert_eq!(nameless.keys().into_iter().collect::<Vec<_>>(), [key("gb")]);
    }

    #[test]
    fn quantity_of_zero_needs_no_acceptance() {
        let mut pending = PendingAcceptance::default();
        let group: Group = serde_json::from_value(json!({"id": "g-1", "records": {"gb": 0}})).unwrap();
        assert!(!pending.add(&group, key("gb"), Decimal::new(0, 2)) && pending.is_empty());
    }

    #[test]
    fn usage_of_one_sum_in_one_report_takes_memory_once() {
        let mut pending = PendingAcceptance::default();
        let group = || json!({"id": "g-1", "usageRecordReportID": "r-1", "records": {"gb": 1, "calls": 1}});
        let event = json!({"id": "g-2", "usageRecordReportID": "r-1"});
        assert!(add(&mut pending, group(), "gb") && !add(&mut pending, group(), "gb"));
        assert!(add(&mut pending, group(), "calls") && add(&mut pending, event, "gb"));
        assert!(add(&mut pending, json!({}), "gb") && !add(&mut pending, json!({}), "gb"));
    }
}
