//! Usage in several usage record reports, which may be billed more than once. Suger reports a group again only after its
//! report failed, so a group is in one report at most that is not void.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use usage_billing_core::Result;

use super::carried::{hash, report_hash};
use super::groups::id_in;
use super::marketplace::is_void;
use super::sum_key::SumKey;
use crate::memory_limit::{ALLOCATION, MemoryLimit, SLOT};
use crate::suger::types::{
    MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info,
};

/// The sums that contain the reported usage of a group.
type Keys = Arc<[Arc<SumKey>]>;

/// The groups that were read, by id.
#[derive(Debug, Default)]
pub(super) struct ReadGroups {
    by_id: HashMap<String, Option<ReportedGroup>>,
    /// Most groups of an entitlement have the same.
    shared: HashSet<Keys>,
}

/// The reported usage of a group.
#[derive(Debug)]
struct ReportedGroup {
    keys: Keys,
    /// A hash of the report that the group names.
    report: Option<u64>,
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
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if `memory` does not suffice.
    pub(super) fn record(&mut self, group: &Group, mut keys: Vec<Arc<SumKey>>, memory: &mut MemoryLimit) -> Result<()> {
        let Some(known) = id_in(&group.id).and_then(|id| self.by_id.get_mut(id)) else { return Ok(()) };
        // Events of the same sums may have any order.
        keys.sort_unstable();
        keys.dedup();
        // Over half of a table is empty just after it has grown.
        let mut bytes = 2 * size_of::<Option<ReportedGroup>>();
        let keys = self.shared.get(&*keys).cloned().unwrap_or_else(|| {
            let keys = Keys::from(keys);
            bytes += SLOT + ALLOCATION + size_of_val(&*keys);
            self.shared.insert(keys.clone());
            keys
        });
        *known = Some(ReportedGroup { keys, report: id_in(&group.usage_record_report_id).map(hash) });
        memory.keep(bytes, || "the usage of all groups")
    }
}

/// The sums with usage in several reports.
#[derive(Debug, Default)]
pub(super) struct ReportedAgain {
    /// By a hash of the group, the report that contains it. Both are of groups that name no report.
    reports: HashMap<u64, u64>,
    sums: BTreeSet<Arc<SumKey>>,
}

impl ReportedAgain {
    /// Adds the groups of a report.
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
        if is_void(info) {
            return Ok(());
        }
        let this = report_hash(report);
        for id in &info.usage_record_group_ids {
            let Some(Some(ReportedGroup { keys, report: named })) = read.by_id.get(id) else { continue };
            let known = match named {
                Some(named) => Some(*named),
                None => self.reports.insert(hash(&**id), this),
            };
            match known {
                Some(known) if known != this => self.sums.extend(keys.iter().cloned()),
                Some(_) => {}
                None => memory.keep(SLOT, || "the list of usage record reports")?,
            }
        }
        Ok(())
    }

    pub(super) fn into_sums(self) -> BTreeSet<Arc<SumKey>> {
        self.sums
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The number of sums in several reports, of a group with two.
    fn reported_again(named: Value, reports: &[Value]) -> usize {
        let group: Group = serde_json::from_value(json!({"id": "g-1", "usageRecordReportID": named})).unwrap();
        let key = |metric: &str| {
            Arc::new(SumKey { buyer: None, entitlement: "e-1".to_owned(), metric: metric.to_owned(), unit: "units" })
        };
        let (mut read, mut all) = (ReadGroups::default(), ReportedAgain::default());
        assert!(read.insert("g-1") && !read.insert("g-1") && read.insert("g-2"));
        for keys in [vec!["gb", "calls", "gb"], vec!["calls", "gb"]] {
            let keys = keys.into_iter().map(key).collect();
            read.record(&group, keys, &mut MemoryLimit::new(usize::MAX)).unwrap();
        }
        assert_eq!(read.shared.len(), 1, "the order of events makes no other list");
        for report in reports {
            let report: Report = serde_json::from_value(report.clone()).unwrap();
            let info = report.info.as_ref().unwrap();
            all.add(&report, info, &read, &mut MemoryLimit::new(usize::MAX)).unwrap();
        }
        all.into_sums().len()
    }

    #[test]
    fn usage_in_two_reports_that_are_not_void_is_reported_again() {
        let report = |id: Value, status: &str, made: &str| {
            let info = json!({"status": status, "usageRecordGroupIds": ["g-1", "g-2", "g-3"]});
            json!({"id": id, "creationTime": format!("2026-10-05T{made}:00:00Z"), "info": info})
        };
        let success = |id: Value| report(id, "SUCCESS", "08");
        let both = |other: Value| reported_again(Value::Null, &[success(json!("r-1")), other]);
        for (other, expected) in [
            (success(json!("r-2")), 2),
            (report(json!("r-2"), "CREATED", "08"), 2),
            (report(json!("r-2"), "FAILED", "08"), 0),
            (report(json!("r-2"), "CANCELED", "08"), 0),
            (success(json!("r-1")), 0),
            (success(Value::Null), 2),
        ] {
            assert_eq!(both(other.clone()), expected, "{other}");
        }
        for (named, expected) in [("r-1", 0), ("r-2", 2), ("", 0)] {
            assert_eq!(reported_again(json!(named), &[success(json!("r-1"))]), expected, "{named}");
        }
        // Reports without id are distinguished by their times.
        for (made, expected) in [("08", 0), ("09", 2)] {
            let nameless = [success(Value::Null), report(Value::Null, "SUCCESS", made)];
            assert_eq!(reported_again(Value::Null, &nameless), expected);
        }
    }
}
