//! What was sent, held against what Suger has.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};
use usage_billing_core::{Decimal, Result};

use super::UsageReport;
use super::groups::{events, id_in, name_of, too_long, used_at};
use super::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};

/// Where the reports that were sent and the groups that Suger has are not the same. Sorted by entitlement, window and dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Quantities that are the same on both sides: one for each dimension of a report.
    pub agreed: usize,
    /// Sent, and not there, or there as `INVALID` or `DELETED`: not billed.
    pub missing: Vec<Discrepancy>,
    /// There, and not sent: billed without a reason that is known here.
    pub extra: Vec<Discrepancy>,
    /// There in another quantity than sent.
    pub different: Vec<Discrepancy>,
}

/// One quantity that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discrepancy {
    /// Whose usage.
    pub entitlement_id: String,
    /// Start of the report's window; at Suger the time of the usage.
    pub window: DateTime<Utc>,
    /// Dimension, as it was reported (before Suger's dimension mapping); of events the billable metric's id.
    pub dimension: String,
    /// Sum of what was sent, in the dimension's unit; 0 if nothing was.
    pub sent: Decimal,
    /// Sum of what Suger has and will bill; 0 if nothing.
    pub vendor: Decimal,
    /// Id of the group: the one that has the report's id, or the only one of this entitlement, window and dimension.
    pub group_id: Option<String>,
    /// Its status.
    pub status: Option<Status>,
}

impl Reconciliation {
    /// Whether nothing is missing, extra or different.
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.different.is_empty()
    }

    fn note(&mut self, found: Discrepancy) {
        let (sent, vendor) = (found.sent, found.vendor);
        if sent == vendor {
            // Nothing on both sides is no quantity.
            self.agreed += usize::from(!sent.is_zero());
        } else if vendor.is_zero() {
            self.missing.push(found);
        } else if sent.is_zero() {
            self.extra.push(found);
        } else {
            self.different.push(found);
        }
    }
}

impl fmt::Display for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agreed, missing, extra, different } = self;
        write!(f, "{agreed} agreed, {} missing, {} extra, {} different", missing.len(), extra.len(), different.len())
    }
}

/// Holds reports against groups: first by id; then what has no partner by its id (reported in a batch, or by another program) by
/// entitlement, window and dimension, added up. Each report and each group counts once, however often it is given; a group that is
/// `INVALID` or `DELETED` counts as nothing. Give groups of the same entitlements and days as the reports: all others are extra.
///
/// Quantities are compared as they were reported, before Suger's dimension mapping (`metaInfo.originRecords`). Events of billable
/// metrics, which a [`UsageReport`] cannot have, are extra.
///
/// # Errors
/// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a group without any time, or a sum of more than 28 digits.
pub fn reconcile(org_id: &str, sent: &[UsageReport], vendor: &[Group]) -> Result<Reconciliation> {
    let by_id: BTreeMap<&str, &Group> = vendor.iter().filter_map(|group| Some((id_in(&group.id)?, group))).collect();
    let (mut found, mut lonely, mut paired) = (Vec::new(), Vec::new(), HashSet::new());
    let reports: BTreeMap<_, _> =
        sent.iter().map(|report| ((report.id(org_id).to_string(), report.quantities()), report)).collect();
    for ((id, _), report) in reports {
        let Some(group) = by_id.get(id.as_str()) else {
            lonely.push(report);
            continue;
        };
        found.extend(pair(report, group)?);
        paired.insert(id);
    }
    let others = by_id.into_iter().filter(|(id, _)| !paired.contains(*id)).map(|(_, group)| group);
    let nameless = vendor.iter().filter(|group| id_in(&group.id).is_none());
    found.extend(by_place(&lonely, others.chain(nameless))?);
    found.sort_by_cached_key(|one| (one.entitlement_id.clone(), one.window, one.dimension.clone()));
    let mut all = Reconciliation::default();
    found.into_iter().for_each(|one| all.note(one));
    Ok(all)
}

/// A report and the group that has its id.
fn pair(report: &UsageReport, group: &Group) -> Result<Vec<Discrepancy>> {
    let there = billed(group)?;
    let one = |dimension: &String| Discrepancy {
        entitlement_id: report.entitlement_id().to_owned(),
        window: report.window(),
        dimension: dimension.clone(),
        sent: quantity(report.quantities(), dimension),
        vendor: quantity(&there, dimension),
        group_id: group.id.clone(),
        status: group.status.clone(),
    };
    Ok(dimensions(report.quantities(), &there).map(one).collect())
}

/// Reports and groups that have no partner by id.
fn by_place<'a>(reports: &[&UsageReport], groups: impl Iterator<Item = &'a Group>) -> Result<Vec<Discrepancy>> {
    let mut sums: BTreeMap<(&str, DateTime<Utc>, String), Sums<'_>> = BTreeMap::new();
    for report in reports {
        for (dimension, quantity) in report.quantities() {
            let place = (report.entitlement_id(), report.window(), dimension.clone());
            let sums = sums.entry(place).or_default();
            sums.sent = sums.sent.checked_add(*quantity).ok_or_else(|| too_long("the reports"))?;
        }
    }
    for group in groups {
        let there = billed(group)?;
        let window = used_at(group)?.trunc_subsecs(0);
        for dimension in quantities_of(group)?.into_keys() {
            let quantity = quantity(&there, &dimension);
            let place = (group.entitlement_id.as_deref().unwrap_or_default(), window, dimension);
            let sums = sums.entry(place).or_default();
            sums.vendor = sums.vendor.checked_add(quantity).ok_or_else(|| too_long(&name_of(group)))?;
            sums.groups.push(group);
        }
    }
    let one = |((entitlement_id, window, dimension), sums): ((&str, _, _), Sums<'_>)| {
        let only = sums.groups.first().filter(|_| sums.groups.len() == 1);
        Discrepancy {
            entitlement_id: entitlement_id.to_owned(),
            window,
            dimension,
            sent: sums.sent,
            vendor: sums.vendor,
            group_id: only.and_then(|group| group.id.clone()),
            status: only.and_then(|group| group.status.clone()),
        }
    };
    Ok(sums.into_iter().map(one).collect())
}

#[derive(Default)]
struct Sums<'a> {
    sent: Decimal,
    vendor: Decimal,
    groups: Vec<&'a Group>,
}

/// Quantities of a group as they were reported; of events the sum by metric, to have something to name.
///
/// # Errors
/// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a sum of more than 28 digits.
pub(super) fn quantities_of(group: &Group) -> Result<BTreeMap<String, Decimal>> {
    let info = group.meta_info.as_ref();
    let origin = info.map(|info| &info.origin_records).filter(|records| !records.is_empty());
    let records = origin.unwrap_or(&group.records).iter();
    let mut all: BTreeMap<String, Decimal> =
        records.map(|(dimension, quantity)| (dimension.clone(), quantity.0)).collect();
    for event in events(group) {
        let sum = all.entry(event.key.clone().unwrap_or_default()).or_default();
        let quantity = event.quantity.unwrap_or_default().0;
        *sum = sum.checked_add(quantity).ok_or_else(|| too_long(&name_of(group)))?;
    }
    Ok(all)
}

/// Quantities that will be billed.
fn billed(group: &Group) -> Result<BTreeMap<String, Decimal>> {
    match group.status {
        Some(Status::Invalid | Status::Deleted) => Ok(BTreeMap::new()),
        _ => quantities_of(group),
    }
}

/// Dimensions whose quantities are not the same, with both quantities; what is not there is zero.
pub(super) fn differences<'a>(
    sent: &'a BTreeMap<String, Decimal>,
    there: &'a BTreeMap<String, Decimal>,
) -> impl Iterator<Item = (&'a str, Decimal, Decimal)> {
    let both = |dimension: &'a String| (dimension.as_str(), quantity(sent, dimension), quantity(there, dimension));
    dimensions(sent, there).map(both).filter(|(_, sent, there)| sent != there)
}

fn dimensions<'a>(
    sent: &'a BTreeMap<String, Decimal>,
    there: &'a BTreeMap<String, Decimal>,
) -> impl Iterator<Item = &'a String> {
    sent.keys().chain(there.keys().filter(|dimension| !sent.contains_key(*dimension)))
}

fn quantity(of: &BTreeMap<String, Decimal>, dimension: &str) -> Decimal {
    of.get(dimension).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const SEVEN: &str = "2026-10-01T07:00:00Z";

    fn sent(quantity: i64) -> UsageReport {
        UsageReport::new("e-1", SEVEN.parse().unwrap()).quantity("gb", quantity).quantity("calls", 3)
    }

    fn group(id: &str, status: &str, records: Value) -> Group {
        let info = json!({"timestamp": SEVEN, "originRecords": records});
        let group =
            json!({"id": id, "entitlementID": "e-1", "status": status, "metaInfo": info, "records": {"mapped": 1}});
        serde_json::from_value(group).unwrap()
    }

    fn id(report: &UsageReport) -> String {
        report.id("acme").to_string()
    }

    /// `dimension sent/vendor status` of each discrepancy of a kind.
    fn told(of: &[Discrepancy]) -> Vec<String> {
        let text = |one: &Discrepancy| {
            let status = one.status.as_ref().map_or_else(String::new, |status| format!(" {status}"));
            format!("{} {}/{}{status}", one.dimension, one.sent, one.vendor)
        };
        of.iter().map(text).collect()
    }

    #[test]
    fn what_is_the_same_agrees_whatever_mapping_and_marketplace_made_of_it() {
        for status in ["CREATED", "REPORTED", "REPORT_PENDING", "REPORT_FAILED", "NEW"] {
            let same = group(&id(&sent(5)), status, json!({"gb": 5.00, "calls": 3}));
            let all = reconcile("acme", &[sent(5), sent(5)], &[same.clone(), same]).unwrap();
            assert!(all.is_clean(), "{all:?}");
            assert_eq!(all.to_string(), "2 agreed, 0 missing, 0 extra, 0 different");
        }
    }

    #[test]
    fn by_id_each_dimension_is_missing_extra_or_different() {
        let there = group(&id(&sent(5)), "CREATED", json!({"gb": 4, "seats": 2}));
        let all = reconcile("acme", &[sent(5)], &[there]).unwrap();
        assert_eq!(told(&all.different), ["gb 5/4 CREATED"]);
        assert_eq!(told(&all.missing), ["calls 3/0 CREATED"]);
        assert_eq!(told(&all.extra), ["seats 0/2 CREATED"]);
    }

    #[test]
    fn what_will_not_be_billed_is_missing_and_says_why() {
        for status in ["INVALID", "DELETED"] {
            let there = group(&id(&sent(5)), status, json!({"gb": 5, "calls": 3}));
            let all = reconcile("acme", &[sent(5)], &[there]).unwrap();
            assert_eq!(told(&all.missing), [format!("calls 3/0 {status}"), format!("gb 5/0 {status}")]);
            let foreign = group("another", status, json!({"gb": 5}));
            assert!(reconcile("acme", &[], &[foreign]).unwrap().is_clean());
        }
    }

    #[test]
    fn without_an_id_in_common_the_sums_of_a_window_are_compared() {
        let late = sent(2).sequence(1);
        let batch =
            [group("b-1", "REPORTED", json!({"gb": 6})), group("b-2", "REPORTED", json!({"gb": 1, "calls": 6}))];
        let all = reconcile("acme", &[sent(5), late.clone()], &batch).unwrap();
        assert_eq!(all.to_string(), "2 agreed, 0 missing, 0 extra, 0 different");
        let all = reconcile("acme", &[sent(5), late], &batch[..1]).unwrap();
        assert_eq!(
            (told(&all.different), told(&all.missing)),
            (vec!["gb 7/6 REPORTED".to_owned()], vec!["calls 6/0".to_owned()])
        );
    }

    #[test]
    fn what_nobody_sent_is_extra() {
        let events = json!({
            "id": "x", "entitlementID": "e-2", "metaInfo": {"timestamp": SEVEN, "billableRecords": [{"key": "gpu", "quantity": 2}, {"key": "gpu", "quantity": 1}]},
        });
        let all = reconcile("acme", &[], &[serde_json::from_value(events).unwrap()]).unwrap();
        assert_eq!(told(&all.extra), ["gpu 0/3"]);
    }

    #[test]
    fn a_sum_that_does_not_fit_is_an_error_and_no_other_number() {
        let most = Decimal::MAX.to_string();
        let events = json!({
            "id": "x", "entitlementID": "e-2",
            "metaInfo": {"timestamp": SEVEN, "billableRecords": [{"key": "gpu", "quantity": most}, {"key": "gpu", "quantity": most}]},
        });
        let records = |id: &str| json!({"id": id, "entitlementID": "e-2", "metaInfo": {"timestamp": SEVEN}, "records": {"gb": Decimal::MAX.to_string()}});
        for groups in [vec![events], vec![records("y"), records("z")]] {
            let groups: Vec<Group> = groups.into_iter().map(|group| serde_json::from_value(group).unwrap()).collect();
            let error = reconcile("acme", &[], &groups).unwrap_err();
            assert!(error.message().ends_with("the sum has more than 28 digits"), "{error}");
        }
    }

    #[test]
    fn groups_without_ids_do_not_stand_for_one_another() {
        let without = |dimension: &str| group("", "REPORTED", json!({dimension: 1}));
        let all = reconcile("acme", &[], &[without("gb"), without("calls")]).unwrap();
        assert_eq!(told(&all.extra), ["calls 0/1 REPORTED", "gb 0/1 REPORTED"]);
    }

    #[test]
    fn the_same_id_with_two_quantities_is_told() {
        let there = group(&id(&sent(5)), "CREATED", json!({"gb": 5, "calls": 3}));
        let all = reconcile("acme", &[sent(5), sent(6)], &[there]).unwrap();
        assert_eq!((told(&all.different), all.agreed), (vec!["gb 6/5 CREATED".to_owned()], 3));
    }

    proptest! {
        /// Whatever is lost or comes on top, by id or without: what is sent and not there, and the other way round, is told exactly.
        #[test]
        fn the_discrepancies_are_the_difference_of_the_two_sides(
            reports in proptest::collection::vec((0u8..3, 0i64..4, 1i64..5, proptest::bool::ANY, proptest::bool::ANY), 0..12),
            extra in proptest::collection::vec((0u8..3, 0i64..4, 1i64..5), 0..4),
        ) {
            let hour = |hour: i64| DateTime::from_timestamp(1_790_000_000 + hour * 3600, 0).unwrap();
            let as_group = |id: Option<String>, report: &UsageReport| -> Group {
                let records: BTreeMap<_, _> = report.quantities().iter().map(|(it, quantity)| (it, quantity.to_string())).collect();
                serde_json::from_value(json!({
                    "id": id, "entitlementID": report.entitlement_id(),
                    "metaInfo": {"timestamp": report.window(), "originRecords": records},
                })).unwrap()
            };
            let (mut sent, mut vendor) = (Vec::new(), Vec::new());
            for (number, (entitlement, at, quantity, arrived, with_id)) in reports.into_iter().enumerate() {
                let report = UsageReport::new(format!("e-{entitlement}"), hour(at)).quantity("gb", quantity).sequence(number as u32);
                if arrived {
                    vendor.push(as_group(with_id.then(|| id(&report)), &report));
                }
                sent.push(report);
            }
            for (entitlement, at, quantity) in extra {
                vendor.push(as_group(None, &UsageReport::new(format!("e-{entitlement}"), hour(at)).quantity("gb", quantity)));
            }
            let all = reconcile("acme", &sent, &vendor).unwrap();
            let sum = |quantities: &mut dyn Iterator<Item = Decimal>| quantities.sum::<Decimal>();
            let told = all.missing.iter().chain(&all.extra).chain(&all.different).map(|one| one.sent - one.vendor);
            let sent = sum(&mut sent.iter().flat_map(|it| it.quantities().values().copied()));
            let there = sum(&mut vendor.iter().flat_map(|it| quantities_of(it).unwrap().into_values()));
            prop_assert_eq!(sum(&mut told.into_iter()), sent - there);
            if vendor.is_empty() {
                prop_assert_eq!(all.agreed, 0);
            }
        }
    }
}
