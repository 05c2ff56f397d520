//! Sums that wait for acceptance: usage counts as accepted only once the report in which its group was sent shows it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use usage_billing_core::{Decimal, Result};

use super::carried::{FractionId, Fractions, carried_out, hash};
use super::groups::id_in;
use super::marketplace::{Acceptance, acceptance, is_of_another_entitlement, partner_of};
use super::report_quantities::contradiction;
use super::reported_again::{ReadGroups, ReportedAgain};
use super::sum_key::SumKey;
use crate::memory_limit::{MemoryLimit, SLOT, text_bytes, value_bytes};
use crate::suger::types::{
    MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info,
    Partner, UsageRecordGroupStatus as Status,
};

/// Estimated memory of one link: an id, and its entries in two tables.
const LINK: usize = 3 * SLOT + 80;

#[derive(Debug, Default)]
pub(super) struct PendingAcceptance {
    /// Usage of the groups that name a report, until the report accepts it.
    by_report: HashMap<String, ReportedUsage>,
    /// Usage of groups that name no report, until a report that names the group accepts it.
    by_group: HashMap<String, Vec<Link>>,
    /// Sums that no report can accept, because neither a report nor a group id identifies them.
    nameless: BTreeSet<Arc<SumKey>>,
    /// Entitlements and dimensions of the sums.
    dimensions: HashSet<(String, String)>,
    reported_again: ReportedAgain,
    /// Fractions that reports leave to later ones.
    fractions: Fractions,
    /// Sums with accepted usage in a report that leaves a fraction.
    left: Vec<(FractionId, Arc<SumKey>)>,
    /// Reports with groups that are not in the sums, such as those of another month.
    shared: Vec<SharedReport>,
    /// The ids of those groups, with the positions of their reports in `shared`.
    unread: HashMap<String, Vec<usize>>,
}

/// Usage of groups that name the same report.
#[derive(Debug, Default)]
struct ReportedUsage {
    links: Vec<Link>,
    /// Hashes of the groups' ids. A report that names groups has to name all of them.
    groups: Vec<u64>,
}

/// A report of which some groups are not in the sums. It states the usage of all of them.
#[derive(Debug)]
struct SharedReport {
    report: Report,
    /// Number of the other groups that were not read yet.
    unread: usize,
    /// Usage of the other groups by dimension.
    used: BTreeMap<String, Decimal>,
}

/// A sum with usage in a report.
#[derive(Debug)]
struct Link {
    key: Arc<SumKey>,
    /// Whether the sum is of a billable metric, which has another name at the marketplace.
    of_metric: bool,
    /// The marketplace that the groups name.
    partner: Option<Partner>,
    /// Quantity of the groups.
    quantity: Decimal,
}

impl Link {
    /// Returns whether the usage of two links is accepted under the same conditions.
    fn is_like(&self, other: &Self) -> bool {
        self.key == other.key && self.of_metric == other.of_metric && self.partner == other.partner
    }
}

impl PendingAcceptance {
    pub(super) fn is_empty(&self) -> bool {
        self.by_report.is_empty() && self.by_group.is_empty() && self.nameless.is_empty()
    }

    /// Adds usage of a group that was reported. A quantity of 0, which reports need not state, does not wait for
    /// acceptance.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if `memory` does not suffice.
    pub(super) fn add(
        &mut self,
        group: &Group,
        key: Arc<SumKey>,
        quantity: Decimal,
        memory: &mut MemoryLimit,
    ) -> Result<()> {
        if quantity.is_zero() {
            return Ok(());
        }
        let dimension = (key.entitlement.clone(), key.metric.clone());
        let link = Link { key, of_metric: group.records.is_empty(), partner: group.partner.clone(), quantity };
        let links = match (id_in(&group.usage_record_report_id), id_in(&group.id)) {
            (Some(report), id) => {
                let in_report = self.by_report.entry(report.to_owned()).or_default();
                // The hash of a missing id is that of no group.
                let group = hash(id.unwrap_or_default());
                if in_report.groups.last() != Some(&group) {
                    memory.keep(2 * size_of::<u64>(), USAGE)?;
                    in_report.groups.push(group);
                }
                &mut in_report.links
            }
            (None, Some(group)) => self.by_group.entry(group.to_owned()).or_default(),
            (None, None) => match self.nameless.insert(link.key) {
                true => return memory.keep(LINK, USAGE),
                false => return Ok(()),
            },
        };
        if let Some(known) = links.iter_mut().find(|known| known.is_like(&link)) {
            known.quantity = known.quantity.saturating_add(link.quantity);
            return Ok(());
        }
        links.push(link);
        self.dimensions.insert(dimension);
        memory.keep(LINK, USAGE)
    }

    /// Applies a report. `read` are the groups in the sums.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if `memory` does not suffice.
    pub(super) fn apply(&mut self, report: &Report, read: &ReadGroups, memory: &mut MemoryLimit) -> Result<()> {
        let Some(info) = &report.info else { return Ok(()) };
        let dimensions = &self.dimensions;
        let entitlement = report.entitlement_id.clone().unwrap_or_default();
        let is_wanted = |dimension: &str| dimensions.contains(&(entitlement.clone(), dimension.to_owned()));
        self.fractions.add(report, is_wanted, memory)?;
        self.reported_again.add(report, info, read, memory)?;
        let in_report = id_in(&report.id).and_then(|id| self.by_report.get(id));
        if in_report.is_none() && !info.usage_record_group_ids.iter().any(|group| self.by_group.contains_key(group)) {
            return Ok(());
        }
        // A report that does not name a group of its own may not name others either. An empty list, which is optional,
        // states nothing about them.
        let named: HashSet<u64> = info.usage_record_group_ids.iter().map(hash).collect();
        let is_unnamed = |group: &u64| !named.is_empty() && !named.contains(group);
        if in_report.is_some_and(|in_report| in_report.groups.iter().any(is_unnamed)) {
            return Ok(());
        }
        let unread: BTreeSet<&String> =
            info.usage_record_group_ids.iter().filter(|group| !read.contains(group)).collect();
        if unread.is_empty() {
            self.settle(report, info, BTreeMap::new());
            return Ok(());
        }
        let shared = SharedReport { report: report.clone(), unread: unread.len(), used: BTreeMap::new() };
        memory.keep(value_bytes(report) + size_of::<SharedReport>(), || "the list of usage record reports")?;
        for group in unread {
            // The ids are copied once more when they are looked up.
            memory.keep(2 * (SLOT + text_bytes(group)) + SLOT, || "the list of usage record reports")?;
            self.unread.entry(group.clone()).or_default().push(self.shared.len());
        }
        self.shared.push(shared);
        Ok(())
    }

    /// Returns the ids of other groups of the reports, which have to be read.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        self.unread.keys().map(String::as_str)
    }

    /// Adds a group that is not in the sums to the reports that contain it.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if `memory` does not suffice.
    pub(super) fn add_other(&mut self, group: &Group, memory: &mut MemoryLimit) -> Result<()> {
        let reports = id_in(&group.id).and_then(|id| self.unread.remove(id)).unwrap_or_default();
        for report in reports {
            let shared = &mut self.shared[report];
            shared.unread -= 1;
            for (dimension, quantity) in group.records.iter().filter(|_| group.status == Some(Status::Reported)) {
                if !shared.used.contains_key(dimension) {
                    memory.keep(SLOT + text_bytes(dimension), USAGE)?;
                }
                let used = shared.used.entry(dimension.clone()).or_default();
                *used = used.saturating_add(quantity.0);
            }
        }
        Ok(())
    }

    /// Removes the sums that a report accepts. `used` is the usage in it that is not in the sums.
    fn settle(&mut self, report: &Report, info: &Info, mut used: BTreeMap<String, Decimal>) {
        let id = id_in(&report.id);
        let in_report = id.and_then(|id| self.by_report.remove(id)).unwrap_or_default();
        let groups = info.usage_record_group_ids.iter();
        let of_groups: Vec<_> = groups.filter_map(|group| self.by_group.remove_entry(group)).collect();
        for link in in_report.links.iter().chain(of_groups.iter().flat_map(|(_, links)| links)) {
            if !link.of_metric {
                let used = used.entry(link.key.metric.clone()).or_default();
                *used = used.saturating_add(link.quantity);
            }
        }
        let mut open = |links: Vec<Link>| -> Vec<Link> {
            links.into_iter().filter(|link| !accepts(report, info, link, &used, &mut self.left)).collect()
        };
        let links = open(in_report.links);
        if let Some(id) = id.filter(|_| !links.is_empty()) {
            self.by_report.insert(id.to_owned(), ReportedUsage { links, groups: in_report.groups });
        }
        for (group, links) in of_groups {
            let links = open(links);
            if !links.is_empty() {
                self.by_group.insert(group, links);
            }
        }
    }

    /// Returns the sums that the reports do not accept in full, or contain more than once.
    pub(super) fn keys(mut self) -> BTreeSet<Arc<SumKey>> {
        for SharedReport { report, used, unread } in std::mem::take(&mut self.shared) {
            if let Some(info) = report.info.as_ref().filter(|_| unread == 0) {
                self.settle(&report, info, used);
            }
        }
        let in_reports = self.by_report.into_values().flat_map(|in_report| in_report.links);
        let links = in_reports.chain(self.by_group.into_values().flatten());
        let waiting = links.map(|link| link.key).chain(self.nameless);
        let billed = self.fractions.billed();
        let left = self.left.into_iter().filter(|(fraction, _)| !billed.contains(fraction)).map(|(_, key)| key);
        waiting.chain(left).chain(self.reported_again.into_sums()).collect()
    }
}

/// Returns whether a report accepts the usage of a sum, and notes a fraction of it that is left to later reports. `used`
/// is all usage of the report's groups.
fn accepts(
    report: &Report,
    info: &Info,
    link: &Link,
    used: &BTreeMap<String, Decimal>,
    left: &mut Vec<(FractionId, Arc<SumKey>)>,
) -> bool {
    let metric = link.key.metric.as_str();
    let dimensions: &[&str] = if link.of_metric { &[] } else { &[metric] };
    let partner = partner_of(report, link.partner.as_ref());
    if is_of_another_entitlement(report, Some(&link.key.entitlement).filter(|id| !id.is_empty()).map(String::as_str))
        || acceptance(info, partner, dimensions) != Acceptance::Accepted
    {
        return false;
    }
    if link.of_metric {
        return true;
    }
    if contradiction(info, partner, metric, used.get(metric).copied().unwrap_or_default()).is_some() {
        return false;
    }
    if carried_out(info, metric).is_some() {
        left.push((FractionId::new(report, metric), link.key.clone()));
    }
    true
}

const USAGE: fn() -> &'static str = || "the usage of all groups";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn key(metric: &str) -> Arc<SumKey> {
        let (entitlement, metric) = ("e-1".to_owned(), metric.to_owned());
        Arc::new(SumKey { buyer: None, entitlement, metric, unit: "units" })
    }

    fn add(pending: &mut PendingAcceptance, group: Value, metric: &str) {
        let group: Group = serde_json::from_value(group).unwrap();
        pending.add(&group, key(metric), Decimal::ONE, &mut MemoryLimit::new(usize::MAX)).unwrap();
    }

    fn read(ids: &[&str]) -> ReadGroups {
        let mut read = ReadGroups::default();
        assert!(ids.iter().all(|id| read.insert(id)));
        read
    }

    fn apply(pending: &mut PendingAcceptance, report: &Report) {
        pending.apply(report, &read(&["g-1", "g-2"]), &mut MemoryLimit::new(usize::MAX)).unwrap();
    }

    fn accepted(id: &str, groups: &[&str], records: Value) -> Report {
        let info = json!({"status": "SUCCESS", "partner": "STRIPE", "usageRecordGroupIds": groups, "reportedRecords": records});
        serde_json::from_value(json!({"id": id, "entitlementID": "e-1", "info": info})).unwrap()
    }

    #[test]
    fn reported_usage_is_pending_until_a_report_accepts_it() {
        let accepted = |id: &str, groups: &[&str]| accepted(id, groups, json!({}));
        assert!(PendingAcceptance::default().is_empty());
        for (group, settles) in [
            (json!({"id": "g-1", "usageRecordReportID": "r-1"}), accepted("r-1", &["g-1"])),
            (json!({"id": "g-1"}), accepted("r-2", &["g-1"])),
            (json!({"id": "g-1", "usageRecordReportID": ""}), accepted("", &["g-1"])),
        ] {
            let mut pending = PendingAcceptance::default();
            add(&mut pending, group.clone(), "gb");
            assert!(!pending.is_empty());
            apply(&mut pending, &accepted("r-3", &["g-2"]));
            assert!(!pending.is_empty());
            apply(&mut pending, &settles);
            assert!(pending.is_empty() && pending.keys().is_empty(), "{group}");
        }
        let mut nameless = PendingAcceptance::default();
        add(&mut nameless, json!({}), "gb");
        assert!(!nameless.is_empty());
        assert_eq!(nameless.keys().into_iter().collect::<Vec<_>>(), [key("gb")]);
    }

    #[test]
    fn report_that_does_not_name_all_of_its_groups_accepts_none() {
        let names_report = |id: Value| json!({"id": id, "usageRecordReportID": "r-1", "records": {"gb": 1}});
        for (groups, named, is_accepted) in [
            (vec![names_report(json!("g-1"))], vec!["g-1"], true),
            (vec![names_report(json!("g-1"))], vec!["g-2"], false),
            (vec![names_report(json!("g-1")), names_report(json!("g-2"))], vec!["g-1"], false),
            (vec![names_report(json!("g-1")), names_report(json!("g-2"))], vec!["g-2", "g-1", "g-1"], true),
            (vec![names_report(json!("g-1")), names_report(json!(""))], vec!["g-1", "g-2"], false),
            (vec![names_report(json!("g-1")), json!({"id": "g-2", "records": {"gb": 1}})], vec!["g-2"], false),
        ] {
            let mut pending = PendingAcceptance::default();
            groups.iter().for_each(|group| add(&mut pending, group.clone(), "gb"));
            apply(&mut pending, &accepted("r-1", &named, json!({"gb": groups.len()})));
            assert_eq!(pending.keys().is_empty(), is_accepted, "{groups:?} {named:?}");
        }
    }

    #[test]
    fn report_without_names_of_groups_accepts_those_that_name_it() {
        let naming = |id: &str| json!({"id": id, "usageRecordReportID": "r-1", "records": {"gb": 1}});
        let nameless = json!({"id": "g-1", "records": {"gb": 1}});
        for (groups, stated, is_accepted) in [
            (vec![naming("g-1")], 1, true),
            (vec![naming("g-1"), naming("g-2")], 2, true),
            (vec![naming("")], 1, true),
            (vec![naming("g-1")], 2, false),
            (vec![naming("g-1"), naming("g-2")], 1, false),
            (vec![nameless.clone()], 1, false),
            (vec![nameless, naming("g-2")], 1, false),
        ] {
            for list in [json!([]), Value::Null] {
                for (entitlement, is_accepted) in [("e-1", is_accepted), ("e-2", false)] {
                    let mut json = serde_json::to_value(accepted("r-1", &[], json!({"gb": stated}))).unwrap();
                    json["info"]["usageRecordGroupIds"] = list.clone();
                    json["entitlementID"] = json!(entitlement);
                    let mut pending = PendingAcceptance::default();
                    groups.iter().for_each(|group| add(&mut pending, group.clone(), "gb"));
                    apply(&mut pending, &serde_json::from_value(json).unwrap());
                    assert_eq!(pending.keys().is_empty(), is_accepted, "{groups:?} {stated} {entitlement}");
                }
            }
        }
    }

    #[test]
    fn marketplace_of_one_group_does_not_accept_another() {
        let group = |id: &str, partner: Value| json!({"id": id, "usageRecordReportID": "r-1", "partner": partner});
        for (other, is_accepted) in [(json!("STRIPE"), true), (Value::Null, false)] {
            let mut json = serde_json::to_value(accepted("r-1", &["g-1", "g-2"], json!({"gb": 2}))).unwrap();
            json["info"]["partner"] = Value::Null;
            let mut pending = PendingAcceptance::default();
            for (id, partner) in [("g-1", json!("STRIPE")), ("g-2", other)] {
                let mut group = group(id, partner);
                group["records"] = json!({"gb": 1});
                add(&mut pending, group, "gb");
            }
            apply(&mut pending, &serde_json::from_value(json).unwrap());
            assert_eq!(pending.keys().is_empty(), is_accepted);
        }
    }

    #[test]
    fn usage_of_all_groups_of_a_report_is_compared_with_it() {
        let nameless = |id: &str| json!({"id": id, "records": {"gb": 1}});
        let naming = |id: &str| json!({"id": id, "records": {"gb": 1}, "usageRecordReportID": "r-1"});
        for groups in
            [[nameless("g-1"), nameless("g-2")], [nameless("g-1"), naming("g-2")], [naming("g-1"), naming("g-2")]]
        {
            for (stated, is_accepted) in [(1, false), (2, true)] {
                let mut pending = PendingAcceptance::default();
                groups.iter().for_each(|group| add(&mut pending, group.clone(), "gb"));
                apply(&mut pending, &accepted("r-1", &["g-1", "g-2", "g-1"], json!({"gb": stated})));
                assert_eq!(pending.keys().is_empty(), is_accepted, "{groups:?} {stated}");
            }
        }
    }

    #[test]
    fn reports_with_unread_groups_are_within_the_memory_limit() {
        let mut pending = PendingAcceptance::default();
        let mut memory = MemoryLimit::new(300_000);
        let mut apply = |number: usize| {
            let (ours, other) = (format!("g-{number}"), format!("x-{number}"));
            let group: Group = serde_json::from_value(json!({"id": ours, "records": {"gb": 1}})).unwrap();
            pending.add(&group, key("gb"), Decimal::ONE, &mut MemoryLimit::new(usize::MAX))?;
            pending.apply(
                &accepted(&format!("r-{number}"), &[&ours, &other], json!({"gb": 1})),
                &read(&[&ours]),
                &mut memory,
            )
        };
        assert!((0..50).all(|number| apply(number).is_ok()) && (50..1000).any(|number| apply(number).is_err()));
        let group = |number: usize| -> Group {
            let records: BTreeMap<_, _> = (0..100).map(|dimension| (format!("d-{dimension}"), 1)).collect();
            serde_json::from_value(json!({"id": format!("x-{number}"), "status": "REPORTED", "records": records}))
                .unwrap()
        };
        let mut memory = MemoryLimit::new(300_000);
        assert!(pending.add_other(&group(0), &mut memory).is_ok() && pending.unread().count() >= 49);
        assert!((1..50).any(|number| pending.add_other(&group(number), &mut memory).is_err()));
    }

    #[test]
    fn quantity_of_zero_needs_no_acceptance() {
        let mut pending = PendingAcceptance::default();
        let group: Group = serde_json::from_value(json!({"id": "g-1", "records": {"gb": 0}})).unwrap();
        pending.add(&group, key("gb"), Decimal::new(0, 2), &mut MemoryLimit::new(0)).unwrap();
        assert!(pending.is_empty());
    }

    #[test]
    fn usage_of_one_sum_in_one_report_takes_memory_once() {
        let mut pending = PendingAcceptance::default();
        let mut takes = |group: Value, metric: &str| {
            let group: Group = serde_json::from_value(group).unwrap();
            let mut fits = |bytes| pending.add(&group, key(metric), Decimal::ONE, &mut MemoryLimit::new(bytes)).is_ok();
            // A rejected usage is added again, so that it takes no more.
            (!fits(LINK - 1)).then(|| fits(0)).is_some()
        };
        let group = || json!({"id": "g-1", "usageRecordReportID": "r-1", "records": {"gb": 1, "calls": 1}});
        let event = || json!({"id": "g-1", "usageRecordReportID": "r-1"});
        assert!(takes(group(), "gb") && !takes(group(), "gb"));
        assert!(takes(group(), "calls") && takes(event(), "gb") && !takes(event(), "gb"));
        assert!(takes(json!({}), "gb") && !takes(json!({}), "gb"));
    }
}
