//! What was sent, compared with what Suger has and what the marketplaces said of it: a pure function.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, SubsecRound, Utc};
use usage_billing_core::{Decimal, Result, printable};

use super::groups::{id_in, name_of, too_long, used_at};
use super::quantities::{billed, differences, dimensions, is_void, quantities_of, quantity, states_what_was_reported};
use super::reconciliation::State;
use super::reported::Reported;
use super::types::{MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report};
use super::{ReconciledQuantity, Reconciliation, UsageEvent};

/// Compares reports with groups: first by id; then what has no partner by its id (reported in a batch, or by another program) by
/// entitlement, window and dimension, added up. Each report and each group counts once, however often it is given, and of several reports with one
/// id one is paired with the group; a group that is `INVALID` or `DELETED` counts as nothing. Give groups of the same entitlements and days as the reports: all others are extra; and the usage
/// record reports in which they were sent to the marketplaces: a group whose report is not given is pending.
/// [`Client::reconcile`](super::Client::reconcile) lists what is needed.
///
/// Quantities are compared as they were reported, before Suger's dimension mapping (`metaInfo.originRecords`). Events of billable
/// metrics, which a [`UsageEvent`] cannot have, are extra.
///
/// # Errors
/// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a group without any time, or a sum of more than 28 digits.
pub fn reconcile(org_id: &str, sent: &[UsageEvent], groups: &[Group], reports: &[Report]) -> Result<Reconciliation> {
    let reported = Reported::new(reports);
    let by_id: BTreeMap<&str, &Group> = groups.iter().filter_map(|group| Some((id_in(&group.id)?, group))).collect();
    let (mut found, mut lonely, mut paired) = (Vec::new(), Vec::new(), HashSet::new());
    let mut sent_by_id: BTreeMap<String, BTreeMap<_, &UsageEvent>> = BTreeMap::new();
    for report in sent {
        sent_by_id.entry(report.id(org_id).to_string()).or_default().insert(report.quantities(), report);
    }
    for (id, same_id) in sent_by_id {
        let mut reports: Vec<_> = same_id.into_values().collect();
        if let Some(group) = by_id.get(id.as_str()).filter(|group| may_be_of(group, &reports)) {
            // It is there once, whatever was sent under its id.
            let there = billed(group)?;
            let place = reports.iter().position(|report| differences(report.quantities(), &there).next().is_none());
            found.extend(pair(reports.swap_remove(place.unwrap_or(0)), group, &reported)?);
            paired.insert(id);
        }
        lonely.append(&mut reports);
    }
    let others = by_id.into_iter().filter(|(id, _)| !paired.contains(*id)).map(|(_, group)| group);
    let nameless = groups.iter().filter(|group| id_in(&group.id).is_none());
    found.extend(by_place(&lonely, others.chain(nameless), &reported)?);
    found.sort_by_cached_key(|(one, _)| (one.entitlement_id.clone(), one.window, one.dimension.clone()));
    let mut all = Reconciliation::default();
    found.into_iter().for_each(|(one, state)| all.note(one, state));
    Ok(all)
}

/// Returns whether a group with the id of reports can be one of them: not if it is another entitlement's usage.
fn may_be_of(group: &Group, reports: &[&UsageEvent]) -> bool {
    let entitlement = id_in(&group.entitlement_id);
    entitlement.is_none_or(|entitlement| reports.iter().any(|report| report.entitlement_id() == entitlement))
}

/// Why a group cannot be compared with what was sent at its place, if its quantities are others.
fn incomparable(group: &Group) -> Result<Option<String>> {
    if is_void(group) {
        return Ok(None);
    }
    if id_in(&group.entitlement_id).is_none() {
        return Ok(Some("Suger: the group names no entitlement".to_owned()));
    }
    if states_what_was_reported(group) {
        return Ok(None);
    }
    let there = quantities_of(group)?;
    let dimensions: Vec<_> = there.keys().take(MAX_NAMED).map(|dimension| printable(dimension).to_string()).collect();
    let dimensions = if dimensions.is_empty() { "none".to_owned() } else { dimensions.join(", ") };
    Ok(Some(format!("Suger: the group does not state what was reported (its dimensions: {dimensions})")))
}

/// Dimensions that are named of a group.
const MAX_NAMED: usize = 10;

/// A report and the group that has its id.
fn pair(report: &UsageEvent, group: &Group, reported: &Reported<'_>) -> Result<Vec<(ReconciledQuantity, State)>> {
    let there = billed(group)?;
    let is_same = id_in(&group.entitlement_id).is_some() && differences(report.quantities(), &there).next().is_none();
    let incomparable = if is_same { None } else { incomparable(group)? };
    let one = |dimension: &String| {
        let (state, words) = match &incomparable {
            Some(words) => (State::NotComparable, vec![words.clone()]),
            None => reported.state(group, dimension),
        };
        let quantity = ReconciledQuantity {
            entitlement_id: report.entitlement_id().to_owned(),
            window: report.window(),
            dimension: dimension.clone(),
            sent: quantity(report.quantities(), dimension),
            vendor: quantity(&there, dimension),
            group_id: group.id.clone(),
            status: group.status.clone(),
            report_id: reported.of(group).and_then(|report| report.id.clone()),
            words,
        };
        (quantity, state)
    };
    Ok(dimensions(report.quantities(), &there).map(one).collect())
}

/// Reports and groups that have no partner by id.
fn by_place<'a>(
    reports: &[&UsageEvent],
    groups: impl Iterator<Item = &'a Group>,
    reported: &Reported<'_>,
) -> Result<Vec<(ReconciledQuantity, State)>> {
    let mut sums: BTreeMap<(&str, DateTime<Utc>, String), Sums<'_>> = BTreeMap::new();
    let sent: BTreeSet<_> = reports.iter().map(|report| (report.entitlement_id(), report.window())).collect();
    for report in reports {
        for (dimension, quantity) in report.quantities() {
            let place = (report.entitlement_id(), report.window(), dimension.clone());
            let sums = sums.entry(place).or_default();
            sums.sent = sums.sent.checked_add(*quantity).ok_or_else(|| too_long("the reports"))?;
        }
    }
    let mut incomparables = BTreeMap::new();
    for group in groups {
        let there = billed(group)?;
        let window = used_at(group)?.trunc_subsecs(0);
        let place = (group.entitlement_id.as_deref().unwrap_or_default(), window);
        // Events are not what a dimension was mapped to.
        if sent.contains(&place)
            && !group.records.is_empty()
            && let Some(words) = incomparable(group)?
        {
            incomparables.insert(place, words);
        }
        for dimension in quantities_of(group)?.into_keys() {
            let quantity = quantity(&there, &dimension);
            let place = (group.entitlement_id.as_deref().unwrap_or_default(), window, dimension);
            let sums = sums.entry(place).or_default();
            sums.vendor = sums.vendor.checked_add(quantity).ok_or_else(|| too_long(&name_of(group)))?;
            sums.groups.push(group);
        }
    }
    let different = sums.iter().filter(|(_, sums)| sums.sent != sums.vendor);
    let different: HashSet<_> = different.map(|(place, _)| (place.0, place.1)).collect();
    incomparables.retain(|place, _| different.contains(place));
    let one = |((entitlement_id, window, dimension), sums): ((&str, _, String), Sums<'_>)| {
        let only = sums.groups.first().filter(|_| sums.groups.len() == 1);
        // Of several groups in one quantity, those that count for nothing say nothing of the others.
        let counted = sums.groups.iter().filter(|group| !is_void(group));
        let states: Vec<_> = counted.map(|group| reported.state(group, &dimension)).collect();
        let state = states.iter().map(|(state, _)| *state).max().unwrap_or(State::Pending);
        let words = states.into_iter().flat_map(|(_, words)| words).collect();
        let (state, words) = match incomparables.get(&(entitlement_id, window)) {
            Some(words) => (State::NotComparable, vec![words.clone()]),
            None => (state, words),
        };
        let quantity = ReconciledQuantity {
            entitlement_id: entitlement_id.to_owned(),
            window,
            dimension,
            sent: sums.sent,
            vendor: sums.vendor,
            group_id: only.and_then(|group| group.id.clone()),
            status: only.and_then(|group| group.status.clone()),
            report_id: only.and_then(|group| reported.of(group)).and_then(|report| report.id.clone()),
            words,
        };
        (quantity, state)
    };
    Ok(sums.into_iter().map(one).collect())
}

#[derive(Default)]
struct Sums<'a> {
    sent: Decimal,
    vendor: Decimal,
    groups: Vec<&'a Group>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const SEVEN: &str = "2026-10-01T07:00:00Z";

    fn sent(quantity: i64) -> UsageEvent {
        UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", quantity).quantity("calls", 3)
    }

    fn group(id: &str, status: &str, records: Value) -> Group {
        let info = json!({"timestamp": SEVEN, "originRecords": records});
        let group =
            json!({"id": id, "entitlementID": "e-1", "status": status, "metaInfo": info, "records": {"mapped": 1}});
        serde_json::from_value(group).unwrap()
    }

    fn id(report: &UsageEvent) -> String {
        report.id("acme").to_string()
    }

    /// `dimension sent/vendor status` of each discrepancy of a kind.
    fn told(of: &[ReconciledQuantity]) -> Vec<String> {
        let text = |one: &ReconciledQuantity| {
            let status = one.status.as_ref().map_or_else(String::new, |status| format!(" {status}"));
            format!("{} {}/{}{status}", one.dimension, one.sent, one.vendor)
        };
        of.iter().map(text).collect()
    }

    /// The report in which groups were sent.
    fn report(id: &str, groups: &[&str], info: Value) -> Report {
        let mut all = json!({"status": "SUCCESS", "usageRecordGroupIds": groups});
        all.as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
        serde_json::from_value(json!({"id": id, "creationTime": SEVEN, "info": all})).unwrap()
    }

    #[test]
    fn agreed_quantity_is_billed_only_if_it_was_reported_and_accepted() {
        let id = id(&sent(5));
        let reports = |info: Value| vec![report("r-1", &[&id], info)];
        let aws = |status: &str| json!({"awsMeteringResponse": {"results": [{"status": status}]}});
        for (status, reports, expected) in [
            ("REPORTED", reports(json!({})), "2 billed, 0 pending, 0 failed"),
            ("REPORTED", reports(aws("Success")), "2 billed, 0 pending, 0 failed"),
            ("REPORTED", reports(aws("CustomerNotSubscribed")), "0 billed, 0 pending, 2 failed"),
            ("REPORTED", reports(json!({"status": "FAILED"})), "0 billed, 0 pending, 2 failed"),
            ("REPORTED", reports(json!({"status": "CREATED"})), "0 billed, 2 pending, 0 failed"),
            ("REPORTED", vec![], "0 billed, 2 pending, 0 failed"),
            ("CREATED", vec![], "0 billed, 2 pending, 0 failed"),
            ("REPORT_PENDING", vec![], "0 billed, 2 pending, 0 failed"),
            ("NEW", reports(json!({})), "0 billed, 2 pending, 0 failed"),
            ("REPORT_FAILED", vec![], "0 billed, 0 pending, 2 failed"),
            ("REPORT_FAILED", reports(json!({})), "0 billed, 0 pending, 2 failed"),
            ("REPORT_FAILED", reports(json!({"status": "FAILED"})), "0 billed, 0 pending, 2 failed"),
        ] {
            let same = group(&id, status, json!({"gb": 5.00, "calls": 3}));
            let all = reconcile("acme", &[sent(5), sent(5)], &[same.clone(), same], &reports).unwrap();
            let is_clean = expected.starts_with('2');
            assert_eq!((all.is_clean(), all.agrees()), (is_clean, all.failed.is_empty()), "{status}: {all:?}");
            assert_eq!(all.to_string(), format!("{expected}, 0 different, 0 missing, 0 extra"), "{status} {reports:?}");
            let has_words = all.failed.iter().all(|one| !one.words.is_empty());
            assert!(has_words && all.billed.iter().all(|one| one.words.is_empty()), "{all:?}");
        }
    }

    #[test]
    fn dimension_that_the_report_does_not_state_is_pending_unless_nothing_of_it_was_used() {
        let usage = sent(5).quantity("seats", 2).quantity("idle", 0);
        let records = json!({"gb": 5, "calls": 3, "seats": 2, "idle": 0});
        for group_id in [id(&usage), "b-1".to_owned()] {
            let mut there = group(&group_id, "REPORTED", records.clone());
            there.records = serde_json::from_value(records.clone()).unwrap();
            let of = |info: Value| {
                let reports = [report("r-1", &[&group_id], info)];
                reconcile("acme", std::slice::from_ref(&usage), std::slice::from_ref(&there), &reports).unwrap()
            };
            let all = of(json!({"reportedRecords": {"gb": 5, "calls": 3}}));
            assert_eq!(told(&all.pending), ["seats 2/2 REPORTED"]);
            assert_eq!(all.pending[0].words, ["the report does not state seats"]);
            assert!(all.failed.is_empty() && told(&all.billed).starts_with(&["calls 3/3 REPORTED".to_owned()]));
            assert!(of(json!({"reportedRecords": {"gb": 5, "calls": 3}, "includedRecords": {"seats": 2}})).is_clean());
            assert!(of(json!({"status": "CREATED", "reportedRecords": {"gb": 5}})).billed.is_empty());
        }
    }

    #[test]
    fn only_a_clean_reconciliation_has_nothing_but_billed_quantities() {
        let of = |set: fn(&mut Reconciliation, Vec<ReconciledQuantity>)| {
            let there = group(&id(&sent(5)), "CREATED", json!({"gb": 4}));
            let one = reconcile("acme", &[sent(5)], &[there], &[]).unwrap().different;
            let mut all = Reconciliation::default();
            set(&mut all, one);
            (all.is_clean(), all.agrees())
        };
        assert_eq!((Reconciliation::default().is_clean(), Reconciliation::default().agrees()), (false, true));
        let outside = Reconciliation { outside_period: 2, ..Reconciliation::default() };
        let line = "nothing to compare: no usage was sent or is there; 2 reports outside of the period";
        assert_eq!(outside.to_string(), line);
        assert_eq!(of(|all, one| all.billed = one), (true, true));
        assert_eq!(of(|all, one| all.pending = one), (false, true));
        assert_eq!(of(|all, one| all.failed = one), (false, false));
        assert_eq!(of(|all, one| all.different = one), (false, false));
        assert_eq!(of(|all, one| all.missing = one), (false, false));
        assert_eq!(of(|all, one| all.extra = one), (false, false));
        assert_eq!(of(|all, one| all.not_comparable = one), (false, false));
    }

    #[test]
    fn words_are_those_of_the_latest_report_of_the_group_about_its_dimension() {
        let id = id(&sent(5));
        let failed = |report_id: &str, at: &str, message: &str| {
            let mut report = report(report_id, &[&id], json!({"status": "FAILED", "message": message}));
            report.creation_time = Some(at.parse().unwrap());
            report
        };
        let there = group(&id, "REPORT_FAILED", json!({"gb": 5, "calls": 3}));
        let first = failed("r-1", "2026-10-01T08:00:00Z", "first");
        let second = failed("r-2", "2026-10-01T09:00:00Z", "second");
        for reports in [[first.clone(), second.clone()], [second, first.clone()]] {
            let all = reconcile("acme", &[sent(5)], std::slice::from_ref(&there), &reports).unwrap();
            assert!(all.failed.iter().all(|one| one.words == ["Suger: FAILED: second"]), "{all:?}");
            assert!(all.failed.iter().all(|one| one.report_id.as_deref() == Some("r-2")));
        }

        let mut there = group(&id, "REPORTED", json!({"gb": 5, "calls": 3}));
        there.usage_record_report_id = Some("r-3".to_owned());
        there.records = [("gb".to_owned(), 5.into()), ("calls".to_owned(), 3.into())].into();
        let result = |dimension: &str, status: &str| json!({"status": status, "usageRecord": {"dimension": dimension}});
        let results = json!([result("gb", "DuplicateRecord"), result("calls", "Success")]);
        let third = report("r-3", &[], json!({"awsMeteringResponse": {"results": results}}));
        let all = reconcile("acme", &[sent(5)], std::slice::from_ref(&there), &[first.clone(), third]).unwrap();
        assert_eq!(all.failed[0].words, ["AWS: DuplicateRecord for gb"]);
        assert_eq!(
            (told(&all.failed), told(&all.billed)),
            (vec!["gb 5/5 REPORTED".to_owned()], vec!["calls 3/3 REPORTED".to_owned()])
        );
        // A dimension that was mapped to another one: everything in the group counts.
        let mut mapped = there.clone();
        mapped.records = [("mapped".to_owned(), 5.into())].into();
        let refused = json!({"awsMeteringResponse": {"results": [result("mapped", "DuplicateRecord")]}});
        let all = reconcile("acme", &[sent(5)], &[mapped], &[report("r-3", &[], refused)]).unwrap();
        assert_eq!((all.failed.len(), all.failed[0].words[0].as_str()), (2, "AWS: DuplicateRecord for mapped"));
        // The report that the group names, and no other.
        let all = reconcile("acme", &[sent(5)], &[there], &[first]).unwrap();
        assert_eq!((all.pending.len(), all.pending[0].report_id.as_deref()), (2, None));
    }

    #[test]
    fn quantity_of_several_groups_is_billed_only_if_all_of_them_are() {
        let groups = [group("b-1", "REPORTED", json!({"gb": 4})), group("b-2", "REPORTED", json!({"gb": 1}))];
        let fine = |group: &str| report(&format!("r-{group}"), &[group], json!({}));
        let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
        let state =
            |reports: &[Report]| reconcile("acme", std::slice::from_ref(&usage), &groups, reports).unwrap().to_string();
        assert!(state(&[fine("b-1"), fine("b-2")]).starts_with("1 billed, 0 pending, 0 failed"));
        assert!(state(&[fine("b-1")]).starts_with("0 billed, 1 pending, 0 failed"));
        // Of several groups none is named; what counts for nothing says nothing of the others.
        let all = reconcile("acme", std::slice::from_ref(&usage), &groups, &[]).unwrap();
        assert_eq!(
            (&all.pending[0].group_id, &all.pending[0].status, &all.pending[0].report_id),
            (&None, &None, &None)
        );
        let [five, void] = [group("b-3", "REPORTED", json!({"gb": 5})), group("b-4", "INVALID", json!({"gb": 1}))];
        let all = reconcile("acme", std::slice::from_ref(&usage), &[five.clone(), void], &[fine("b-3")]).unwrap();
        assert!(all.is_clean() && all.billed.len() == 1, "{all:?}");
        let all = reconcile("acme", std::slice::from_ref(&usage), &[five], &[fine("b-3")]).unwrap();
        assert_eq!(
            (all.billed[0].group_id.as_deref(), all.billed[0].report_id.as_deref()),
            (Some("b-3"), Some("r-b-3"))
        );
        let refused = report("r-2", &["b-2"], json!({"status": "FAILED"}));
        assert!(state(&[fine("b-1"), refused]).starts_with("0 billed, 0 pending, 1 failed"));
    }

    #[test]
    fn json_is_stable() {
        let there = group(&id(&sent(5)), "REPORTED", json!({"gb": 4.50, "calls": 3}));
        let refused =
            json!({"gcpMeteringResponse": {"reportErrors": [{"status": {"code": 3, "message": "unknown consumer"}}]}});
        let all = reconcile("acme", &[sent(5)], &[there], &[report("r-1", &[&id(&sent(5))], refused)]).unwrap();
        let all = Reconciliation {
            period: Some("2026-10".parse().unwrap()),
            as_of: Some("2026-11-02T03:04:05Z".parse().unwrap()),
            outside_period: 1,
            ..all
        };
        let written = serde_json::to_string_pretty(&all).unwrap();
        assert_eq!(written, include_str!("../../fixtures/suger/reconciliation.json").trim_end());
    }

    #[test]
    fn by_id_each_dimension_is_missing_extra_or_different() {
        let there = group(&id(&sent(5)), "CREATED", json!({"gb": 4, "seats": 2}));
        let all = reconcile("acme", &[sent(5)], &[there], &[]).unwrap();
        assert_eq!(told(&all.different), ["gb 5/4 CREATED"]);
        assert_eq!(told(&all.missing), ["calls 3/0 CREATED"]);
        assert_eq!(told(&all.extra), ["seats 0/2 CREATED"]);
    }

    #[test]
    fn what_will_not_be_billed_is_missing_and_says_why() {
        for status in ["INVALID", "DELETED"] {
            let there = group(&id(&sent(5)), status, json!({"gb": 5, "calls": 3}));
            let all = reconcile("acme", &[sent(5)], &[there], &[]).unwrap();
            assert_eq!(told(&all.missing), [format!("calls 3/0 {status}"), format!("gb 5/0 {status}")]);
            let foreign = group("another", status, json!({"gb": 5}));
            assert_eq!(reconcile("acme", &[], &[foreign], &[]).unwrap(), Reconciliation::default());
        }
    }

    #[test]
    fn without_an_id_in_common_the_sums_of_a_window_are_compared() {
        let late = sent(2).sequence(1);
        let batch =
            [group("b-1", "REPORTED", json!({"gb": 6})), group("b-2", "REPORTED", json!({"gb": 1, "calls": 6}))];
        let reports = [report("r-1", &["b-1", "b-2"], json!({}))];
        let all = reconcile("acme", &[sent(5), late.clone()], &batch, &reports).unwrap();
        assert_eq!(all.to_string(), "2 billed, 0 pending, 0 failed, 0 different, 0 missing, 0 extra");
        let all = reconcile("acme", &[sent(5), late], &batch[..1], &reports).unwrap();
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
        let all = reconcile("acme", &[], &[serde_json::from_value(events).unwrap()], &[]).unwrap();
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
            let error = reconcile("acme", &[], &groups, &[]).unwrap_err();
            assert!(error.message().ends_with("the sum has more than 28 digits"), "{error}");
        }
    }

    #[test]
    fn groups_without_ids_do_not_stand_for_one_another() {
        let without = |dimension: &str| group("", "REPORTED", json!({dimension: 1}));
        let all = reconcile("acme", &[], &[without("gb"), without("calls")], &[]).unwrap();
        assert_eq!(told(&all.extra), ["calls 0/1 REPORTED", "gb 0/1 REPORTED"]);
    }

    #[test]
    fn group_counts_once_however_many_reports_with_its_id_were_sent() {
        let there = |gb: i64| group(&id(&sent(5)), "CREATED", json!({"gb": gb, "calls": 3}));
        for sent in [[sent(5), sent(6)], [sent(6), sent(5)]] {
            let all = reconcile("acme", &sent, &[there(5)], &[]).unwrap();
            assert_eq!(told(&all.pending), ["calls 3/3 CREATED", "gb 5/5 CREATED"]);
            assert_eq!(told(&all.missing), ["calls 3/0", "gb 6/0"]);
            assert_eq!(all.to_string(), "0 billed, 2 pending, 0 failed, 0 different, 2 missing, 0 extra");
            // None of them is there as it was sent.
            let all = reconcile("acme", &sent, &[there(7)], &[]).unwrap();
            assert_eq!(told(&all.different), ["gb 5/7 CREATED"]);
            assert_eq!(told(&all.missing), ["calls 3/0", "gb 6/0"]);
        }
    }

    #[test]
    fn group_of_another_entitlement_is_not_the_report_even_with_its_id() {
        let mut there = group(&id(&sent(5)), "REPORTED", json!({"gb": 5, "calls": 3}));
        let reports = [report("r-1", &[&id(&sent(5))], json!({}))];
        there.entitlement_id = Some("e-2".to_owned());
        let all = reconcile("acme", &[sent(5)], &[there.clone()], &reports).unwrap();
        assert_eq!(told(&all.missing), ["calls 3/0", "gb 5/0"]);
        assert_eq!(told(&all.extra), ["calls 0/3 REPORTED", "gb 0/5 REPORTED"]);
        assert!(all.billed.is_empty() && all.extra.iter().all(|one| one.entitlement_id == "e-2"));
        for unnamed in [None, Some(String::new())] {
            there.entitlement_id = unnamed;
            let all = reconcile("acme", &[sent(5)], &[there.clone()], &reports).unwrap();
            assert_eq!(told(&all.not_comparable), ["calls 3/3 REPORTED", "gb 5/5 REPORTED"]);
            assert_eq!(all.not_comparable[0].words, ["Suger: the group names no entitlement"]);
            assert_eq!((all.missing.len(), all.extra.len(), all.is_clean()), (0, 0, false));
        }
    }

    #[test]
    fn mapped_group_that_does_not_state_what_was_reported_is_not_comparable() {
        let mapped = |id: &str, status: &str, records: Value| -> Group {
            let json = json!({
                "id": id, "entitlementID": "e-1", "status": status, "records": records, "metaInfo": {"timestamp": SEVEN},
            });
            serde_json::from_value(json).unwrap()
        };
        for group_id in [id(&sent(5)), "b-1".to_owned()] {
            for records in [json!({"gb_hours": 5}), json!({"gb": 5, "calls_1k": 1})] {
                let there = mapped(&group_id, "REPORTED", records);
                let all = reconcile("acme", &[sent(5)], &[there], &[]).unwrap();
                assert_eq!(all.not_comparable.len(), 3, "{all:?}");
                assert!(all.to_string().ends_with("0 different, 0 missing, 0 extra, 3 not comparable"), "{all}");
                let words = &all.not_comparable[0].words[0];
                assert!(
                    words.starts_with("Suger: the group does not state what was reported (its dimensions: "),
                    "{words}"
                );
            }
            // Its dimensions are those that were sent, and may be mapped to themselves in another unit; unless the quantities are the same.
            let all = reconcile("acme", &[sent(5)], &[mapped(&group_id, "CREATED", json!({"gb": 4}))], &[]).unwrap();
            assert_eq!(
                told(&all.not_comparable),
                ["calls 3/0", "gb 5/4"].map(|one| {
                    let is_named = group_id == id(&sent(5)) || one.starts_with("gb");
                    if is_named { format!("{one} CREATED") } else { one.to_owned() }
                })
            );
            let there = mapped(&group_id, "CREATED", json!({"gb": 5, "calls": 3}));
            assert_eq!(reconcile("acme", &[sent(5)], &[there], &[]).unwrap().pending.len(), 2);
            // What is not billed needs no comparison.
            let void = mapped(&group_id, "DELETED", json!({"gb_hours": 5}));
            assert_eq!(reconcile("acme", &[sent(5)], &[void], &[]).unwrap().missing.len(), 2);
        }
        // Several groups that add up to what was sent.
        let parts = [(1, "b-1"), (4, "b-2")].map(|(gb, id)| mapped(id, "CREATED", json!({"gb": gb})));
        let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
        assert_eq!(told(&reconcile("acme", &[usage], &parts, &[]).unwrap().pending), ["gb 5/5"]);
        // It states nothing at all.
        let all = reconcile("acme", &[sent(5)], &[mapped(&id(&sent(5)), "REPORTED", json!({}))], &[]).unwrap();
        assert_eq!(told(&all.not_comparable), ["calls 3/0 REPORTED", "gb 5/0 REPORTED"]);
        assert!(all.not_comparable[0].words[0].ends_with("(its dimensions: none)"));
        // Where nothing was sent, a group is extra whatever it was mapped to; so are events.
        let other = mapped("b-1", "REPORTED", json!({"gb_hours": 5}));
        assert_eq!(told(&reconcile("acme", &[], &[other], &[]).unwrap().extra), ["gb_hours 0/5 REPORTED"]);
        let events = json!({
            "id": "x", "entitlementID": "e-1", "metaInfo": {"timestamp": SEVEN, "billableRecords": [{"key": "gpu", "quantity": 2}]},
        });
        let all = reconcile("acme", &[sent(5)], &[serde_json::from_value(events).unwrap()], &[]).unwrap();
        assert_eq!((told(&all.extra), all.missing.len()), (vec!["gpu 0/2".to_owned()], 2));
    }

    #[test]
    fn fraction_that_is_left_to_the_next_report_is_pending_until_a_later_one_includes_it() {
        let quarter = Decimal::new(525, 2);
        let usage = sent(5).quantity("gb", quarter);
        let there = group(&id(&usage), "REPORTED", json!({"gb": 5.25, "calls": 3}));
        let there =
            Group { records: [("gb".to_owned(), quarter.into()), ("calls".to_owned(), 3.into())].into(), ..there };
        let at = |report_id: &str, hour: u32, info: Value| {
            let mut report = report(report_id, &[], info);
            report.creation_time = Some(format!("2026-10-01T{hour:02}:01:00Z").parse().unwrap());
            report.entitlement_id = Some("e-1".to_owned());
            report
        };
        let mut first = at(
            "r-1",
            8,
            json!({"reportedRecords": {"gb": 5, "calls": 3}, "newDecimalParts": {"gb": 0.25, "calls": 0}}),
        );
        first.info.as_mut().unwrap().usage_record_group_ids = vec![id(&sent(5))];
        let with = |later: Vec<Report>| {
            let reports = [vec![first.clone()], later].concat();
            reconcile("acme", std::slice::from_ref(&usage), std::slice::from_ref(&there), &reports).unwrap()
        };
        let all = with(vec![]);
        assert_eq!((told(&all.pending), told(&all.billed).len()), (vec!["gb 5.25/5.25 REPORTED".to_owned()], 1));
        assert_eq!(all.pending[0].words, ["Suger: 0.25 of gb left to the next report"]);
        let whole = |hour| at("r-2", hour, json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.25}}));
        assert!(with(vec![whole(9)]).is_clean());
        assert!(with(vec![at("r-3", 10, json!({"reportedRecords": {"gb": 0}})), whole(9)]).is_clean());
        let other = Report { entitlement_id: Some("e-2".to_owned()), ..whole(9) };
        for not_settled in [
            whole(8),
            whole(7),
            other,
            at("r-2", 9, json!({"reportedRecords": {"gb": 1}})),
            at("r-2", 9, json!({"reportedRecords": {"gb": 0}, "decimalParts": {"gb": 0.25}})),
            at("r-2", 9, json!({"reportedRecords": {"calls": 1}, "decimalParts": {"calls": 0.25}})),
            at("r-2", 9, json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.25}, "status": "FAILED"})),
        ] {
            assert_eq!(with(vec![not_settled.clone()]).pending.len(), 1, "{not_settled:?}");
        }
        // The fraction is of another group in the report.
        let whole = group(&id(&usage), "REPORTED", json!({"gb": 5, "calls": 3}));
        let whole = Group { records: [("gb".to_owned(), 5.into()), ("calls".to_owned(), 3.into())].into(), ..whole };
        assert!(reconcile("acme", &[sent(5)], &[whole], std::slice::from_ref(&first)).unwrap().is_clean());
    }

    /// Hours at AWS, each with a quantity, what was reported of it, and the fractions that were carried in and out.
    fn hours(hours: &[(Decimal, i64, Decimal, Decimal)]) -> Reconciliation {
        let (mut sent, mut groups, mut reports) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (quantity, reported, carried_in, carried_out)) in hours.iter().enumerate() {
            let window = SEVEN.parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::hours(number as i64);
            let usage = UsageEvent::new("e-1", window).quantity("gb", *quantity);
            let records = json!({"gb": quantity.to_string()});
            groups.push(
                serde_json::from_value(json!({
                    "id": id(&usage), "entitlementID": "e-1", "status": "REPORTED", "records": records,
                    "metaInfo": {"timestamp": window, "originRecords": records},
                }))
                .unwrap(),
            );
            let mut one = report(
                &format!("r-{number}"),
                &[&id(&usage)],
                json!({
                    "partner": "AWS", "reportedRecords": {"gb": reported}, "startTime": window,
                    "decimalParts": {"gb": carried_in.to_string()}, "newDecimalParts": {"gb": carried_out.to_string()},
                    "awsMeteringResponse": {"results": [{"status": "Success", "usageRecord": {"dimension": "gb"}}]},
                }),
            );
            one.entitlement_id = Some("e-1".to_owned());
            reports.push(one);
            sent.push(usage);
        }
        reconcile("acme", &sent, &groups, &reports).unwrap()
    }

    #[test]
    fn fraction_is_pending_as_long_as_later_reports_leave_one() {
        let half = Decimal::new(5, 1);
        // 2.5 were sent, and 2 are billed.
        let mut two = vec![(half, 0, Decimal::ZERO, half), (Decimal::TWO, 2, half, half)];
        let all = hours(&two);
        assert_eq!(
            (told(&all.billed), told(&all.pending)),
            (vec!["gb 2/2 REPORTED".to_owned()], vec!["gb 0.5/0.5 REPORTED".to_owned()])
        );
        two.push((half, 1, half, Decimal::ZERO));
        assert!(hours(&two).is_clean());
    }

    proptest! {
        /// Whatever is used in the hours: no more counts as billed than the marketplace was told, and all of it once no fraction is left.
        #[test]
        fn no_more_is_billed_than_the_marketplace_took(used in proptest::collection::vec(0i64..400, 1..8)) {
            let (mut carried, mut taken, mut all) = (Decimal::ZERO, Decimal::ZERO, Vec::new());
            for quantity in used {
                let quantity = Decimal::new(quantity, 2);
                let whole = (carried + quantity).trunc();
                let left = (carried + quantity).fract();
                all.push((quantity, i64::try_from(whole).unwrap(), carried, left));
                (carried, taken) = (left, taken + whole);
            }
            let found = hours(&all);
            let billed: Decimal = found.billed.iter().map(|one| one.sent).sum();
            prop_assert!(billed <= taken, "{} of {}", billed, taken);
            prop_assert!(!carried.is_zero() || found.agrees() && found.pending.is_empty());
        }

        /// Whatever is lost or comes on top, by id or without: what is sent and not there, and the other way round, is told exactly.
        #[test]
        fn the_discrepancies_are_the_difference_of_the_two_sides(
            reports in proptest::collection::vec((0u8..3, 0i64..4, 1i64..5, proptest::bool::ANY, proptest::bool::ANY), 0..12),
            extra in proptest::collection::vec((0u8..3, 0i64..4, 1i64..5), 0..4),
        ) {
            let hour = |hour: i64| DateTime::from_timestamp(1_790_000_000 + hour * 3600, 0).unwrap();
            let as_group = |id: Option<String>, report: &UsageEvent| -> Group {
                let records: BTreeMap<_, _> = report.quantities().iter().map(|(it, quantity)| (it, quantity.to_string())).collect();
                serde_json::from_value(json!({
                    "id": id, "entitlementID": report.entitlement_id(),
                    "metaInfo": {"timestamp": report.window(), "originRecords": records},
                })).unwrap()
            };
            let (mut sent, mut vendor) = (Vec::new(), Vec::new());
            for (number, (entitlement, at, quantity, arrived, with_id)) in reports.into_iter().enumerate() {
                let report = UsageEvent::new(format!("e-{entitlement}"), hour(at)).quantity("gb", quantity).sequence(number as u32);
                if arrived {
                    vendor.push(as_group(with_id.then(|| id(&report)), &report));
                }
                sent.push(report);
            }
            for (entitlement, at, quantity) in extra {
                vendor.push(as_group(None, &UsageEvent::new(format!("e-{entitlement}"), hour(at)).quantity("gb", quantity)));
            }
            let all = reconcile("acme", &sent, &vendor, &[]).unwrap();
            let sum = |quantities: &mut dyn Iterator<Item = Decimal>| quantities.sum::<Decimal>();
            let told = all.missing.iter().chain(&all.extra).chain(&all.different).map(|one| one.sent - one.vendor);
            let sent = sum(&mut sent.iter().flat_map(|it| it.quantities().values().copied()));
            let there = sum(&mut vendor.iter().flat_map(|it| quantities_of(it).unwrap().into_values()));
            prop_assert_eq!(sum(&mut told.into_iter()), sent - there);
            if vendor.is_empty() {
                prop_assert!(all.pending.is_empty() && all.billed.is_empty());
            }
        }
    }
}
