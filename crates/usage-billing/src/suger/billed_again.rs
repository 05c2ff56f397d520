//! Usage that several accepted reports contain, which may be billed more than once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ptr;
use std::sync::Arc;

use usage_billing_core::Result;

use super::carried::FractionId;
use super::groups::id_in;
use super::marketplace::{Acceptance, acceptance, partner_of};
use super::sums::Key;
use super::types::{
    MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info,
    Partner,
};
use crate::memory_limit::{MemoryLimit, SLOT};

/// Returns whether a report was accepted with usage of some dimensions of a group, or with all of its usage if they are not
/// known. `of_group` is the marketplace that the group names.
pub(super) fn accepts_any(report: &Report, info: &Info, of_group: Option<&Partner>, dimensions: &[&str]) -> bool {
    let partner = partner_of(report, of_group);
    let accepts = |dimensions: &[&str]| acceptance(info, partner, dimensions) == Acceptance::Accepted;
    match dimensions {
        [] => accepts(&[]),
        _ => dimensions.iter().any(|dimension| accepts(&[dimension])),
    }
}

/// The groups that were read, by id.
#[derive(Debug, Default)]
pub(super) struct ReadGroups {
    by_id: HashMap<String, Option<Reported>>,
    /// Most groups of an entitlement have the same.
    shared: HashSet<Arc<ReportedSums>>,
}

/// The reported usage of a group.
#[derive(Debug)]
struct Reported {
    sums: Arc<ReportedSums>,
    /// A hash of the report that the group names.
    report: Option<u64>,
}

/// The sums that contain the reported usage of a group.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ReportedSums {
    /// The marketplace that the group names.
    partner: Option<Partner>,
    /// Whether they are of billable metrics, which the marketplace knows under other names.
    of_metrics: bool,
    keys: Vec<Arc<Key>>,
}

impl ReadGroups {
    /// Adds the id of a group, and returns whether it is new.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        let is_new = !self.contains(id);
        if is_new {
            self.by_id.insert(id.to_owned(), None);
        }
        is_new
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Records the sums of a group's reported usage.
    pub(super) fn record(&mut self, group: &Group, keys: Vec<Arc<Key>>) {
        let Some(known) = id_in(&group.id).and_then(|id| self.by_id.get_mut(id)) else { return };
        let new = ReportedSums { partner: group.partner.clone(), of_metrics: group.records.is_empty(), keys };
        let sums = self.shared.get(&new).cloned().unwrap_or_else(|| Arc::new(new));
        self.shared.insert(sums.clone());
        *known = Some(Reported { sums, report: id_in(&group.usage_record_report_id).map(hash) });
    }
}

/// The sums with usage in several accepted reports.
#[derive(Debug, Default)]
pub(super) struct BilledAgain {
    /// By a hash of group and sum, the accepted report that contains them, of groups that name none.
    accepted: HashMap<u64, FractionId>,
    sums: BTreeSet<Arc<Key>>,
}

impl BilledAgain {
    /// Adds the groups of a report that accepts their usage.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if `memory` does not suffice.
    pub(super) fn add(
        &mut self,
        report: &Report,
        info: &Info,
        read: &ReadGroups,
        memory: &mut MemoryLimit,
    ) -> Result<()> {
        let this = hash(id_in(&report.id).unwrap_or_default());
        let mut accepted: HashMap<*const ReportedSums, Vec<&Arc<Key>>> = HashMap::new();
        for id in &info.usage_record_group_ids {
            let Some(Some(Reported { sums: group, report: named })) = read.by_id.get(id) else { continue };
            // The report that a group names decides about its usage, and has to be the only one.
            if *named == Some(this) {
                continue;
            }
            let keys = accepted.entry(ptr::from_ref(&**group)).or_insert_with(|| {
                let dimensions = |key: &Arc<Key>| match group.of_metrics {
                    true => accepts_any(report, info, group.partner.as_ref(), &[]),
                    false => accepts_any(report, info, group.partner.as_ref(), &[&key.metric]),
                };
                group.keys.iter().filter(|key| dimensions(key)).collect()
            });
            for key in keys.iter() {
                let in_report = FractionId::new(report, &key.metric);
                let known = match named {
                    Some(_) => None,
                    None => self.accepted.insert(hash(&(id, &key.metric)), in_report),
                };
                if named.is_some() || known.is_some_and(|known| known != in_report) {
                    self.sums.insert(Arc::clone(key));
                } else if known.is_none() {
                    memory.keep(SLOT, || "the list of usage record reports")?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn into_sums(self) -> BTreeSet<Arc<Key>> {
        self.sums
    }
}

pub(super) fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The metrics of the sums that are billed again: group `g-1` with usage of two dimensions in the reports.
    fn billed_again(of_group: Value, reports: &[Value]) -> Vec<String> {
        let mut group = json!({"id": "g-1", "partner": "STRIPE", "records": {"calls": 1, "gb": 1}});
        group.as_object_mut().unwrap().extend(of_group.as_object().unwrap().clone());
        let group: Group = serde_json::from_value(group).unwrap();
        let key = |metric: &str| {
            Arc::new(Key { buyer: None, entitlement: "e-1".to_owned(), metric: metric.to_owned(), unit: "units" })
        };
        let (mut read, mut all) = (ReadGroups::default(), BilledAgain::default());
        assert!(read.insert("g-1") && !read.insert("g-1") && read.insert("g-2"));
        read.record(&group, vec![key("calls"), key("gb")]);
        for report in reports {
            let report: Report = serde_json::from_value(report.clone()).unwrap();
            let info = report.info.as_ref().unwrap();
            all.add(&report, info, &read, &mut MemoryLimit::new(usize::MAX)).unwrap();
        }
        all.into_sums().iter().map(|key| key.metric.clone()).collect()
    }

    #[test]
    fn usage_in_two_accepted_reports_is_billed_again() {
        let report = |id: &str, records: Value| {
            let info =
                json!({"status": "SUCCESS", "usageRecordGroupIds": ["g-1", "g-2", "g-3"], "reportedRecords": records});
            json!({"id": id, "info": info})
        };
        let both = || report("r-1", json!({"gb": 1, "calls": 1}));
        // The reports name no marketplace, but the group does.
        for (partner, expected) in [(json!("STRIPE"), vec!["calls", "gb"]), (Value::Null, vec![])] {
            let two = [both(), report("r-2", json!({"gb": 1, "calls": 1}))];
            assert_eq!(billed_again(json!({"partner": partner}), &two), expected);
        }
        for (named, expected) in [("r-1", vec![]), ("r-2", vec!["calls", "gb"]), ("", vec![])] {
            assert_eq!(billed_again(json!({"usageRecordReportID": named}), &[both()]), expected, "{named}");
        }
        let with = |other: Value| billed_again(json!({}), &[both(), other]);
        assert_eq!(with(report("r-2", json!({"gb": 1}))), ["gb"]);
        assert!(with(both()).is_empty(), "the same report again");
        let mut failed = report("r-2", json!({"gb": 1}));
        failed["info"]["status"] = json!("FAILED");
        assert!(with(failed).is_empty());
    }
}
