use super::*;
use crate::suger::marketplace::tests::with_marketplace;
use proptest::prelude::*;
use serde_json::{Value, json};

const SEVEN: &str = "2026-10-01T07:00:00Z";

fn sent(quantity: i64) -> UsageEvent {
    UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", quantity).quantity("calls", 3)
}

fn group(id: &str, status: &str, records: Value) -> Group {
    let info = json!({"timestamp": SEVEN, "originRecords": records});
    let group = json!({"id": id, "entitlementID": "e-1", "status": status, "metaInfo": info, "records": {"mapped": 1}});
    serde_json::from_value(group).unwrap()
}

fn id(event: &UsageEvent) -> String {
    event.id("acme").to_string()
}

/// `dimension sent/vendor status` of each quantity of a list.
fn summary(of: &[ReconciledQuantity]) -> Vec<String> {
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
    let partner = with_marketplace(all.clone())["partner"].take();
    serde_json::from_value(json!({"id": id, "creationTime": SEVEN, "partner": partner, "info": all})).unwrap()
}

#[test]
fn equal_quantity_is_billed_if_reported_and_accepted() {
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
        let has_words = all.failed.iter().all(|one| !one.reasons.is_empty());
        assert!(has_words && all.billed.iter().all(|one| one.reasons.is_empty()), "{all:?}");
    }
}

#[test]
fn used_dimension_missing_in_the_report_is_pending() {
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
        assert_eq!(summary(&all.pending), ["seats 2/2 REPORTED"]);
        assert_eq!(all.pending[0].reasons, ["the report does not state seats"]);
        assert!(all.failed.is_empty() && summary(&all.billed).starts_with(&["calls 3/3 REPORTED".to_owned()]));
        assert!(of(json!({"reportedRecords": {"gb": 5, "calls": 3}, "includedRecords": {"seats": 2}})).is_clean());
        assert!(of(json!({"status": "CREATED", "reportedRecords": {"gb": 5}})).billed.is_empty());
    }
}

#[test]
fn reconciliation_is_clean_if_all_quantities_are_billed() {
    let of = |set: fn(&mut Reconciliation, Vec<ReconciledQuantity>)| {
        let there = group(&id(&sent(5)), "CREATED", json!({"gb": 4}));
        let one = reconcile("acme", &[sent(5)], &[there], &[]).unwrap().different;
        let mut all = Reconciliation::default();
        set(&mut all, one);
        (all.is_clean(), all.agrees())
    };
    assert_eq!((Reconciliation::default().is_clean(), Reconciliation::default().agrees()), (false, true));
    let outside = Reconciliation { outside_period: 2, ..Reconciliation::default() };
    let line = "nothing to compare: no usage was sent or is at Suger; 2 events outside of the period";
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
fn reasons_are_from_the_latest_report_of_the_group() {
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
        assert!(all.failed.iter().all(|one| one.reasons == ["Suger: FAILED: second"]), "{all:?}");
        assert!(all.failed.iter().all(|one| one.report_id.as_deref() == Some("r-2")));
    }

    let mut there = group(&id, "REPORTED", json!({"gb": 5, "calls": 3}));
    there.usage_record_report_id = Some("r-3".to_owned());
    there.records = [("gb".to_owned(), 5.into()), ("calls".to_owned(), 3.into())].into();
    let result = |dimension: &str, status: &str| json!({"status": status, "usageRecord": {"dimension": dimension}});
    let results = json!([result("gb", "DuplicateRecord"), result("calls", "Success")]);
    let third = report("r-3", &[&id], json!({"awsMeteringResponse": {"results": results}}));
    let all = reconcile("acme", &[sent(5)], std::slice::from_ref(&there), &[first.clone(), third]).unwrap();
    assert_eq!(all.failed[0].reasons, ["AWS: DuplicateRecord for gb"]);
    assert_eq!(
        (summary(&all.failed), summary(&all.billed)),
        (vec!["gb 5/5 REPORTED".to_owned()], vec!["calls 3/3 REPORTED".to_owned()])
    );
    // A dimension that was mapped to another one: everything in the group counts.
    let mut mapped = there.clone();
    mapped.records = [("mapped".to_owned(), 5.into())].into();
    let rejected = json!({"awsMeteringResponse": {"results": [result("mapped", "DuplicateRecord")]}});
    let all = reconcile("acme", &[sent(5)], &[mapped], &[report("r-3", &[], rejected)]).unwrap();
    assert_eq!((all.failed.len(), all.failed[0].reasons[0].as_str()), (2, "AWS: DuplicateRecord for mapped"));
    // An empty list of groups states nothing: the quantities are compared.
    for (quantity, expected) in [(5, 2), (6, 1)] {
        let unlisted = report("r-3", &[], json!({"reportedRecords": {"gb": quantity, "calls": 3}}));
        let all = reconcile("acme", &[sent(5)], std::slice::from_ref(&there), &[unlisted]).unwrap();
        assert_eq!((all.billed.len(), all.pending.len()), (expected, 2 - expected), "{all:?}");
    }
    // A report that names other groups, or others as well, may be of the usage of others.
    for (named, expected) in [
        (vec!["g-2"], "Suger: its usage record report does not name usage record group"),
        (vec![id.as_str(), "g-2"], "usage record group g-2 of the same report is not among those that were read"),
    ] {
        let incomplete = report("r-3", &named, json!({"reportedRecords": {"gb": 5, "calls": 3}}));
        let all = reconcile("acme", &[sent(5)], std::slice::from_ref(&there), &[incomplete]).unwrap();
        assert!(all.pending.len() == 2 && all.pending[0].reasons[0].starts_with(expected), "{all:?}");
    }
    // Only the report that the group names counts.
    let all = reconcile("acme", &[sent(5)], &[there], &[first]).unwrap();
    assert_eq!((all.pending.len(), all.pending[0].report_id.as_deref()), (2, None));
}

#[test]
fn quantity_of_several_groups_is_billed_if_all_are() {
    let groups = [group("b-1", "REPORTED", json!({"gb": 4})), group("b-2", "REPORTED", json!({"gb": 1}))];
    let fine = |group: &str| report(&format!("r-{group}"), &[group], json!({}));
    let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
    let state =
        |reports: &[Report]| reconcile("acme", std::slice::from_ref(&usage), &groups, reports).unwrap().to_string();
    assert!(state(&[fine("b-1"), fine("b-2")]).starts_with("1 billed, 0 pending, 0 failed"));
    assert!(state(&[fine("b-1")]).starts_with("0 billed, 1 pending, 0 failed"));
    // Several groups have no single id, and void groups do not affect the others.
    let all = reconcile("acme", std::slice::from_ref(&usage), &groups, &[]).unwrap();
    assert_eq!((&all.pending[0].group_id, &all.pending[0].status, &all.pending[0].report_id), (&None, &None, &None));
    let [five, void] = [group("b-3", "REPORTED", json!({"gb": 5})), group("b-4", "INVALID", json!({"gb": 1}))];
    let all = reconcile("acme", std::slice::from_ref(&usage), &[five.clone(), void], &[fine("b-3")]).unwrap();
    assert!(all.is_clean() && all.billed.len() == 1, "{all:?}");
    let all = reconcile("acme", std::slice::from_ref(&usage), &[five], &[fine("b-3")]).unwrap();
    assert_eq!((all.billed[0].group_id.as_deref(), all.billed[0].report_id.as_deref()), (Some("b-3"), Some("r-b-3")));
    let rejected = report("r-2", &["b-2"], json!({"status": "FAILED"}));
    assert!(state(&[fine("b-1"), rejected]).starts_with("0 billed, 0 pending, 1 failed"));
}

#[test]
fn json_is_stable() {
    let there = group(&id(&sent(5)), "REPORTED", json!({"gb": 4.50, "calls": 3}));
    let rejected =
        json!({"gcpMeteringResponse": {"reportErrors": [{"status": {"code": 3, "message": "unknown consumer"}}]}});
    let all = reconcile("acme", &[sent(5)], &[there], &[report("r-1", &[&id(&sent(5))], rejected)]).unwrap();
    let all = Reconciliation {
        period: Some("2026-10".parse().unwrap()),
        as_of: Some("2026-11-02T03:04:05Z".parse().unwrap()),
        outside_period: 1,
        ..all
    };
    let written = serde_json::to_string_pretty(&all).unwrap();
    assert_eq!(written, include_str!("../../../fixtures/suger/reconciliation.json").trim_end());
}

#[test]
fn dimensions_compared_by_id_are_missing_extra_or_different() {
    let there = group(&id(&sent(5)), "CREATED", json!({"gb": 4, "seats": 2}));
    let all = reconcile("acme", &[sent(5)], &[there], &[]).unwrap();
    assert_eq!(summary(&all.different), ["gb 5/4 CREATED"]);
    assert_eq!(summary(&all.missing), ["calls 3/0 CREATED"]);
    assert_eq!(summary(&all.extra), ["seats 0/2 CREATED"]);
}

#[test]
fn void_group_is_missing_with_its_status() {
    for status in ["INVALID", "DELETED"] {
        let there = group(&id(&sent(5)), status, json!({"gb": 5, "calls": 3}));
        let all = reconcile("acme", &[sent(5)], &[there], &[]).unwrap();
        assert_eq!(summary(&all.missing), [format!("calls 3/0 {status}"), format!("gb 5/0 {status}")]);
        let foreign = group("another", status, json!({"gb": 5}));
        assert_eq!(reconcile("acme", &[], &[foreign], &[]).unwrap(), Reconciliation::default());
    }
}

#[test]
fn sums_of_a_timestamp_are_compared_without_a_common_id() {
    let late = sent(2).sequence(1);
    let batch = [group("b-1", "REPORTED", json!({"gb": 6})), group("b-2", "REPORTED", json!({"gb": 1, "calls": 6}))];
    let reports = [report("r-1", &["b-1", "b-2"], json!({}))];
    let all = reconcile("acme", &[sent(5), late.clone()], &batch, &reports).unwrap();
    assert_eq!(all.to_string(), "2 billed, 0 pending, 0 failed, 0 different, 0 missing, 0 extra");
    let all = reconcile("acme", &[sent(5), late], &batch[..1], &reports).unwrap();
    assert_eq!(
        (summary(&all.different), summary(&all.missing)),
        (vec!["gb 7/6 REPORTED".to_owned()], vec!["calls 6/0".to_owned()])
    );
}

#[test]
fn usage_that_was_not_sent_is_extra() {
    let events = json!({
        "id": "x", "entitlementID": "e-2", "metaInfo": {"timestamp": SEVEN, "billableRecords": [{"key": "gpu", "quantity": 2}, {"key": "gpu", "quantity": 1}]},
    });
    let all = reconcile("acme", &[], &[serde_json::from_value(events).unwrap()], &[]).unwrap();
    assert_eq!(summary(&all.extra), ["gpu 0/3"]);
}

#[test]
fn overflow_of_a_sum_is_an_error() {
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
fn groups_without_ids_are_not_deduplicated() {
    let without = |dimension: &str| group("", "REPORTED", json!({dimension: 1}));
    let all = reconcile("acme", &[], &[without("gb"), without("calls")], &[]).unwrap();
    assert_eq!(summary(&all.extra), ["calls 0/1 REPORTED", "gb 0/1 REPORTED"]);
}

#[test]
fn group_counts_once_for_several_events_with_its_id() {
    let there = |gb: i64| group(&id(&sent(5)), "CREATED", json!({"gb": gb, "calls": 3}));
    for sent in [[sent(5), sent(6)], [sent(6), sent(5)]] {
        let all = reconcile("acme", &sent, &[there(5)], &[]).unwrap();
        assert_eq!(summary(&all.pending), ["calls 3/3 CREATED", "gb 5/5 CREATED"]);
        assert_eq!(summary(&all.missing), ["calls 3/0", "gb 6/0"]);
        assert_eq!(all.to_string(), "0 billed, 2 pending, 0 failed, 0 different, 2 missing, 0 extra");
        // None of them is there as it was sent.
        let all = reconcile("acme", &sent, &[there(7)], &[]).unwrap();
        assert_eq!(summary(&all.different), ["gb 5/7 CREATED"]);
        assert_eq!(summary(&all.missing), ["calls 3/0", "gb 6/0"]);
    }
}

#[test]
fn group_of_another_entitlement_does_not_match_by_id() {
    let mut there = group(&id(&sent(5)), "REPORTED", json!({"gb": 5, "calls": 3}));
    let reports = [report("r-1", &[&id(&sent(5))], json!({}))];
    there.entitlement_id = Some("e-2".to_owned());
    let all = reconcile("acme", &[sent(5)], &[there.clone()], &reports).unwrap();
    assert_eq!(summary(&all.missing), ["calls 3/0", "gb 5/0"]);
    assert_eq!(summary(&all.extra), ["calls 0/3 REPORTED", "gb 0/5 REPORTED"]);
    assert!(all.billed.is_empty() && all.extra.iter().all(|one| one.entitlement_id == "e-2"));
    for unnamed in [None, Some(String::new())] {
        there.entitlement_id = unnamed;
        let all = reconcile("acme", &[sent(5)], &[there.clone()], &reports).unwrap();
        assert_eq!(summary(&all.not_comparable), ["calls 3/3 REPORTED", "gb 5/5 REPORTED"]);
        assert_eq!(all.not_comparable[0].reasons, ["Suger: the group has no entitlement"]);
        assert_eq!((all.missing.len(), all.extra.len(), all.is_clean()), (0, 0, false));
    }
}

#[test]
fn mapped_group_without_original_records_is_not_comparable() {
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
            let reasons = &all.not_comparable[0].reasons[0];
            assert!(
                reasons.starts_with("Suger: the group does not state what was reported (its dimensions: "),
                "{reasons}"
            );
        }
        // Its dimensions are those that were sent, and may be mapped to themselves in another unit; unless the quantities are the same.
        let all = reconcile("acme", &[sent(5)], &[mapped(&group_id, "CREATED", json!({"gb": 4}))], &[]).unwrap();
        assert_eq!(
            summary(&all.not_comparable),
            ["calls 3/0", "gb 5/4"].map(|one| {
                let is_named = group_id == id(&sent(5)) || one.starts_with("gb");
                if is_named { format!("{one} CREATED") } else { one.to_owned() }
            })
        );
        let there = mapped(&group_id, "CREATED", json!({"gb": 5, "calls": 3}));
        assert_eq!(reconcile("acme", &[sent(5)], &[there], &[]).unwrap().pending.len(), 2);
        // Usage that is not billed is not compared.
        let void = mapped(&group_id, "DELETED", json!({"gb_hours": 5}));
        assert_eq!(reconcile("acme", &[sent(5)], &[void], &[]).unwrap().missing.len(), 2);
    }
    // Several groups that add up to what was sent.
    let parts = [(1, "b-1"), (4, "b-2")].map(|(gb, id)| mapped(id, "CREATED", json!({"gb": gb})));
    let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
    assert_eq!(summary(&reconcile("acme", &[usage], &parts, &[]).unwrap().pending), ["gb 5/5"]);
    // The group states no quantities.
    let all = reconcile("acme", &[sent(5)], &[mapped(&id(&sent(5)), "REPORTED", json!({}))], &[]).unwrap();
    assert_eq!(summary(&all.not_comparable), ["calls 3/0 REPORTED", "gb 5/0 REPORTED"]);
    assert!(all.not_comparable[0].reasons[0].ends_with("(its dimensions: none)"));
    // Where nothing was sent, a group is extra whatever it was mapped to; so are events.
    let other = mapped("b-1", "REPORTED", json!({"gb_hours": 5}));
    assert_eq!(summary(&reconcile("acme", &[], &[other], &[]).unwrap().extra), ["gb_hours 0/5 REPORTED"]);
    let events = json!({
        "id": "x", "entitlementID": "e-1", "metaInfo": {"timestamp": SEVEN, "billableRecords": [{"key": "gpu", "quantity": 2}]},
    });
    let all = reconcile("acme", &[sent(5)], &[serde_json::from_value(events).unwrap()], &[]).unwrap();
    assert_eq!((summary(&all.extra), all.missing.len()), (vec!["gpu 0/2".to_owned()], 2));
}

fn with_status(report: Report, status: &str) -> Report {
    let mut json = serde_json::to_value(report).unwrap();
    json["info"]["status"] = json!(status);
    serde_json::from_value(json).unwrap()
}

#[test]
fn carried_fraction_is_pending_until_a_report_includes_it() {
    let quarter = Decimal::new(525, 2);
    let usage = sent(5).quantity("gb", quarter);
    let there = group(&id(&usage), "REPORTED", json!({"gb": 5.25, "calls": 3}));
    let there = Group { records: [("gb".to_owned(), quarter.into()), ("calls".to_owned(), 3.into())].into(), ..there };
    let at = |report_id: &str, hour: u32, info: Value| {
        let mut report = report(report_id, &[], info);
        report.creation_time = Some(format!("2026-10-01T{hour:02}:01:00Z").parse().unwrap());
        report.entitlement_id = Some("e-1".to_owned());
        report
    };
    let mut first =
        at("r-1", 8, json!({"reportedRecords": {"gb": 5, "calls": 3}, "newDecimalParts": {"gb": 0.25, "calls": 0}}));
    first.info.as_mut().unwrap().usage_record_group_ids = vec![id(&sent(5))];
    let with = |later: Vec<Report>| {
        let reports = [vec![first.clone()], later].concat();
        reconcile("acme", std::slice::from_ref(&usage), std::slice::from_ref(&there), &reports).unwrap()
    };
    let all = with(vec![]);
    assert_eq!((summary(&all.pending), summary(&all.billed).len()), (vec!["gb 5.25/5.25 REPORTED".to_owned()], 1));
    assert_eq!(all.pending[0].reasons, ["Suger: 0.25 of gb left to the next report"]);
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
    // A report that failed was retried, with the same fraction. Another fraction is not the one that was left.
    let parts = |fraction: f64| json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": fraction}});
    let failed = || with_status(at("r-3", 9, parts(0.25)), "FAILED");
    assert!(with(vec![at("r-4", 11, parts(0.25)), failed()]).is_clean());
    assert_eq!(with(vec![at("r-4", 11, parts(0.5)), failed()]).pending.len(), 1);
    assert_eq!(with(vec![at("r-4", 9, parts(0.5)), at("r-5", 10, parts(0.25))]).pending.len(), 1);
    // Usage is billed in its order: what a report leaves may be a part of a whole number.
    let five = group(&id(&usage), "REPORTED", json!({"gb": 5, "calls": 3}));
    let five = Group { records: [("gb".to_owned(), 5.into()), ("calls".to_owned(), 3.into())].into(), ..five };
    let parts = json!({
        "reportedRecords": {"gb": 5, "calls": 3}, "newDecimalParts": {"gb": 0.25}, "decimalParts": {"gb": 0.25},
        "usageRecordGroupIds": [id(&sent(5))],
    });
    let first = at("r-1", 8, parts);
    let of_five = |reports: &[Report]| reconcile("acme", &[sent(5)], std::slice::from_ref(&five), reports).unwrap();
    assert_eq!(of_five(std::slice::from_ref(&first)).pending.len(), 1);
    assert!(of_five(&[first.clone(), whole(9)]).is_clean());
}

#[test]
fn mapped_dimension_is_billed_only_if_all_targets_are() {
    let result = |dimension: &str, status: &str| json!({"status": status, "usageRecord": {"dimension": dimension}});
    let accepted = |name: &str| result(name, "Success");
    let rejected = |name: &str| result(name, "CustomerNotSubscribed");
    for (sent, origin, records, results, expected) in [
        // Mapped to itself and to another dimension.
        (
            json!({"calls": 3}),
            json!({"calls": 3}),
            json!({"calls": 3, "premium": 0.3}),
            [accepted("calls"), rejected("premium")],
            "failed",
        ),
        (
            json!({"calls": 3}),
            json!({"calls": 3}),
            json!({"calls": 3, "premium": 0.3}),
            [accepted("calls"), accepted("premium")],
            "billed",
        ),
        // A chain: gb is mapped to calls, and calls to api.
        (
            json!({"gb": 0, "calls": 3}),
            json!({"gb": 0, "calls": 3}),
            json!({"calls": 0, "api": 3}),
            [accepted("calls"), rejected("api")],
            "failed",
        ),
        (
            json!({"gb": 0, "calls": 3}),
            json!({"gb": 0, "calls": 3}),
            json!({"calls": 0, "api": 3}),
            [accepted("calls"), accepted("api")],
            "billed",
        ),
        // Not mapped: the other dimension does not matter.
        (
            json!({"calls": 3}),
            json!({"calls": 3.0}),
            json!({"calls": 3}),
            [accepted("calls"), rejected("premium")],
            "billed",
        ),
    ] {
        let quantities = sent.as_object().unwrap().iter();
        let usage = quantities.fold(UsageEvent::new("e-1", SEVEN.parse().unwrap()), |event, (dimension, quantity)| {
            event.quantity(dimension.clone(), quantity.as_i64().unwrap())
        });
        let there = group(&id(&usage), "REPORTED", origin);
        let there = Group { records: serde_json::from_value(records.clone()).unwrap(), ..there };
        let info = json!({"partner": "AWS", "reportedRecords": records, "awsMeteringResponse": {"results": results}});
        let all =
            reconcile("acme", std::slice::from_ref(&usage), &[there], &[report("r-1", &[&id(&usage)], info)]).unwrap();
        let counts = (all.billed.len(), all.failed.len());
        assert_eq!(counts, if expected == "billed" { (1, 0) } else { (0, 1) }, "{all:?}");
    }
}

#[test]
fn marketplace_named_outside_of_the_details_must_have_responded() {
    let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
    for (of_report, of_group, is_billed) in
        [(json!("AWS"), Value::Null, false), (json!(""), json!("AWS"), false), (json!("STRIPE"), json!("AWS"), true)]
    {
        let mut there = group(&id(&usage), "REPORTED", json!({"gb": 5}));
        there.records = [("gb".to_owned(), 5.into())].into();
        there.partner = serde_json::from_value(of_group).unwrap();
        let mut report = report("r-1", &[&id(&usage)], json!({"reportedRecords": {"gb": 5}}));
        report.partner = serde_json::from_value(of_report.clone()).unwrap();
        let all = reconcile("acme", std::slice::from_ref(&usage), &[there], &[report]).unwrap();
        assert_eq!((all.is_clean(), all.pending.len()), (is_billed, usize::from(!is_billed)), "{of_report}: {all:?}");
    }
}

#[test]
fn usage_that_its_report_does_not_state_is_pending() {
    let usages = [5, 2].map(|gb| UsageEvent::new(format!("e-{gb}"), SEVEN.parse().unwrap()).quantity("gb", gb));
    let of = |info: Value| {
        let there = usages.each_ref().map(|usage| -> Group {
            let records: BTreeMap<_, _> =
                usage.quantities().iter().map(|(it, quantity)| (it, quantity.to_string())).collect();
            serde_json::from_value(json!({
                "id": id(usage), "entitlementID": usage.entitlement_id(), "status": "REPORTED", "records": records,
                "metaInfo": {"timestamp": SEVEN, "originRecords": records},
            }))
            .unwrap()
        });
        // A group counts once, however often it is listed.
        let there = [there.clone(), there].concat();
        reconcile("acme", &usages, &there, &[report("r-1", &[&id(&usages[0]), &id(&usages[1])], info)]).unwrap()
    };
    let all = of(json!({"reportedRecords": {"gb": 0}, "results": []}));
    assert_eq!((all.billed.len(), all.pending.len()), (0, 2));
    assert_eq!(all.pending[0].reasons, ["Suger: 7 of 7 gb in the groups of the report is not in the report"]);
    assert_eq!(of(json!({"reportedRecords": {"gb": 5}})).pending.len(), 2);
    assert!(of(json!({"reportedRecords": {"gb": 7}})).is_clean());
    assert!(of(json!({"reportedRecords": {"gb": 5}, "includedRecords": {"gb": 2}})).is_clean());
    assert!(of(json!({"reportedRecords": {"gb": 6}, "creditRecords": {"gb": 1}})).is_clean());
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
fn fraction_is_pending_while_later_reports_leave_one() {
    let half = Decimal::new(5, 1);
    // 2.5 were sent, and 2 are billed.
    let mut two = vec![(half, 0, Decimal::ZERO, half), (Decimal::TWO, 2, half, half)];
    let all = hours(&two);
    assert_eq!(
        (summary(&all.billed), summary(&all.pending)),
        (vec!["gb 0.5/0.5 REPORTED".to_owned()], vec!["gb 2/2 REPORTED".to_owned()])
    );
    two.push((half, 1, half, Decimal::ZERO));
    assert!(hours(&two).is_clean());
}

#[test]
fn month_of_fractions_in_floating_point_numbers_leaves_only_the_last_hour_pending() {
    let exact = |number: f64| format!("{number}").parse::<Decimal>().unwrap();
    for quantity in [12.3, 1.1, 0.05, 0.1, 0.7, 12.25, 3.6, 1234.567] {
        let (mut carried, mut all) = (0.0, Vec::new());
        for _ in 0..744 {
            let total: f64 = carried + quantity;
            let left = total - total.floor();
            all.push((exact(quantity), total.floor() as i64, exact(carried), exact(left)));
            carried = left;
        }
        let found = hours(&all);
        // Hours without a whole unit wait for one together.
        let most = (1.0 / quantity).ceil() as usize;
        assert!(found.agrees() && found.pending.len() <= most, "{quantity}: {}", found.pending.len());
    }
}

#[test]
fn report_that_states_only_a_part_of_its_groups_bills_none_of_them() {
    let late = UsageEvent::new("e-1", "2026-10-31T23:00:00Z".parse().unwrap()).quantity("gb", 5);
    let next = UsageEvent::new("e-1", "2026-11-01T00:00:00Z".parse().unwrap()).quantity("gb", 5);
    let of = |event: &UsageEvent, names_report: bool| -> Group {
        serde_json::from_value(json!({
            "id": id(event), "entitlementID": "e-1", "status": "REPORTED", "records": {"gb": 5},
            "usageRecordReportID": names_report.then_some("r-1"),
            "metaInfo": {"timestamp": event.timestamp(), "originRecords": {"gb": 5}},
        }))
        .unwrap()
    };
    for (stated, names_report, is_billed) in [(5, true, false), (5, false, false), (10, true, true), (10, false, true)]
    {
        let report = report("r-1", &[&id(&late), &id(&next)], json!({"reportedRecords": {"gb": stated}}));
        for (inside, outside) in [(&late, &next), (&next, &late)] {
            let (groups, others) = ([of(inside, names_report)], [of(outside, names_report)]);
            let both = compare(
                "acme",
                std::slice::from_ref(inside),
                &groups,
                &others,
                std::slice::from_ref(&report),
                Fractions::default(),
            );
            assert_eq!(both.unwrap().is_clean(), is_billed, "{stated}");
            let one = reconcile("acme", std::slice::from_ref(inside), &groups, std::slice::from_ref(&report)).unwrap();
            assert!(one.pending.len() == 1 && one.pending[0].reasons[0].ends_with("is not among those that were read"));
        }
    }
}

#[test]
fn other_usage_at_the_marketplace_is_pending() {
    let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
    let id = id(&usage);
    let there = || {
        let mut there = group(&id, "REPORTED", json!({"gb": 5}));
        there.records = [("gb".to_owned(), 5.into())].into();
        there.usage_record_report_id = Some("r-1".to_owned());
        there
    };
    let result = |quantity: u32| json!({"status": "Success", "usageRecord": {"dimension": "gb", "quantity": quantity}});
    let aws = |reported: Value, accepted: u32| {
        let info = json!({"reportedRecords": reported, "awsMeteringResponse": {"results": [result(accepted)]}});
        report("r-1", &[&id], info)
    };
    let azure = |quantities: &[u32]| {
        let event = |quantity: &u32| json!({"status": "Accepted", "dimension": "gb", "quantity": quantity});
        let events: Vec<_> = quantities.iter().map(event).collect();
        report("r-1", &[&id], json!({"reportedRecords": {"gb": 5}, "azureMeteringResponse": {"result": events}}))
    };
    let again = |status: &str| report("r-0", &[&id], json!({"reportedRecords": {"gb": 5}, "status": status}));
    let of_other = Report { entitlement_id: Some("e-2".to_owned()), ..aws(json!({"gb": 5}), 5) };
    for (reports, expected) in [
        (vec![aws(json!({"gb": 5}), 5)], None),
        (vec![aws(json!({}), 5)], None),
        (vec![azure(&[2, 3])], None),
        (vec![aws(json!({"gb": 5}), 5), again("FAILED")], None),
        (vec![aws(json!({"gb": 50}), 50)], Some("Suger: the report has 45 gb more than its groups used (5)")),
        (vec![aws(json!({"gb": 5}), 3)], Some("the marketplace accepted 3 gb, not 5")),
        (vec![aws(json!({}), 3)], Some("the marketplace accepted 3 gb, not 5")),
        (vec![azure(&[2])], Some("the marketplace accepted 2 gb, not 5")),
        (
            vec![again("CREATED"), aws(json!({"gb": 5}), 5)],
            Some("Suger: usage record report r-0 contains the same group"),
        ),
        (
            vec![again("SUCCESS"), aws(json!({"gb": 5}), 5)],
            Some("Suger: usage record report r-0 contains the same group"),
        ),
        (vec![of_other], Some("Suger: its usage record report is of entitlement e-2")),
    ] {
        let all = reconcile("acme", std::slice::from_ref(&usage), &[there()], &reports).unwrap();
        let reasons = all.pending.first().map(|one| one.reasons.join("; "));
        assert_eq!((reasons.as_deref(), all.is_clean()), (expected, expected.is_none()), "{reports:?}");
    }
}

#[test]
fn rejection_is_a_failure_unless_another_report_may_bill_the_group() {
    let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
    let id = id(&usage);
    let made = |id_of_report: &str, status: &str, of_aws: &str| {
        let result = json!({"status": of_aws, "usageRecord": {"dimension": "gb", "quantity": 5}});
        let info =
            json!({"reportedRecords": {"gb": 5}, "status": status, "awsMeteringResponse": {"results": [result]}});
        report(id_of_report, &[&id], info)
    };
    let rejected = |id_of_report: &str| made(id_of_report, "SUCCESS", "CustomerNotSubscribed");
    let failed = "Suger: FAILED; AWS: CustomerNotSubscribed for gb";
    let again = "AWS: CustomerNotSubscribed for gb; Suger: usage record report r-2 contains the same group";
    for (status, reports, is_pending, reasons) in [
        ("REPORTED", vec![rejected("r-1")], false, "AWS: CustomerNotSubscribed for gb"),
        ("REPORTED", vec![rejected("r-1"), rejected("r-2")], false, "AWS: CustomerNotSubscribed for gb"),
        (
            "REPORTED",
            vec![rejected("r-1"), made("r-2", "FAILED", "Success")],
            false,
            "AWS: CustomerNotSubscribed for gb",
        ),
        ("REPORTED", vec![rejected("r-1"), made("r-2", "SUCCESS", "Success")], true, again),
        ("REPORTED", vec![rejected("r-1"), made("r-2", "CREATED", "Success")], true, again),
        ("REPORT_FAILED", vec![made("r-1", "FAILED", "CustomerNotSubscribed")], false, failed),
        (
            "REPORT_FAILED",
            vec![made("r-1", "FAILED", "CustomerNotSubscribed"), made("r-2", "SUCCESS", "Success")],
            false,
            &format!("{failed}; Suger: usage record report r-2 contains the same group"),
        ),
        (
            "REPORT_FAILED",
            vec![made("r-1", "SUCCESS", "Success")],
            false,
            "Suger: REPORT_FAILED, but its report was accepted",
        ),
        ("REPORT_FAILED", vec![], false, "Suger: REPORT_FAILED"),
    ] {
        let mut there = group(&id, status, json!({"gb": 5}));
        there.records = [("gb".to_owned(), 5.into())].into();
        there.usage_record_report_id = Some("r-1".to_owned());
        let all = reconcile("acme", std::slice::from_ref(&usage), &[there], &reports).unwrap();
        let found = if is_pending { &all.pending } else { &all.failed };
        assert_eq!(found.first().map(|one| one.reasons.join("; ")).as_deref(), Some(reasons), "{all:?}");
        assert!(!all.is_clean() && all.agrees() == is_pending, "{all:?}");
    }
}

#[test]
fn report_that_rejects_a_part_of_a_group_may_bill_the_rest() {
    let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
    let id = id(&usage);
    let made = |id_of_report: &str, results: &[(&str, &str)]| {
        let result = |(dimension, status): &(&str, &str)| json!({"status": status, "usageRecord": {"dimension": dimension, "quantity": 5}});
        let results: Vec<_> = results.iter().map(result).collect();
        report(id_of_report, &[&id], json!({"awsMeteringResponse": {"results": results}}))
    };
    let no = "CustomerNotSubscribed";
    let mapped = || ("records", json!({"gb_us": 5, "gb_eu": 5}));
    let metric = || ("billableRecords", json!([{"key": "gb", "quantity": 5}]));
    for ((field, value), first, second, is_pending) in [
        (mapped(), vec![("gb_us", no)], vec![("gb_us", "Success"), ("gb_eu", no)], true),
        (mapped(), vec![("gb_us", no)], vec![("gb_us", no), ("gb_eu", no)], false),
        (metric(), vec![("gb", no)], vec![("gb", "Success"), ("calls", no)], true),
    ] {
        let info = json!({"timestamp": SEVEN, "originRecords": {"gb": 5}});
        let mut there = json!({"id": id, "entitlementID": "e-1", "status": "REPORTED", "metaInfo": info});
        match field {
            "records" => there["records"] = value,
            _ => there["metaInfo"] = json!({"timestamp": SEVEN, "billableRecords": value}),
        }
        let mut there: Group = serde_json::from_value(there).unwrap();
        there.usage_record_report_id = Some("r-1".to_owned());
        let reports = [made("r-1", &first), made("r-2", &second)];
        let all = reconcile("acme", std::slice::from_ref(&usage), &[there], &reports).unwrap();
        assert_eq!((all.pending.len(), all.failed.len()), if is_pending { (1, 0) } else { (0, 1) }, "{all:?}");
    }
}

#[test]
fn group_is_paired_by_its_id_in_any_spelling() {
    let id = id(&sent(5));
    for spelling in [id.clone(), id.to_uppercase(), id.replace('-', "")] {
        let mut there = group(&spelling, "CREATED", json!({"gb": 5, "calls": 3}));
        // By usage alone, it would be extra.
        there.meta_info.as_mut().unwrap().timestamp = Some("2026-10-02T07:00:00Z".parse().unwrap());
        let all = reconcile("acme", &[sent(5)], &[there], &[]).unwrap();
        assert_eq!(all.to_string(), "0 billed, 2 pending, 0 failed, 0 different, 0 missing, 0 extra", "{spelling}");
    }
}

#[test]
fn void_report_does_not_hide_the_valid_one_of_a_group() {
    let usage = sent(5);
    let mut there = group(&id(&usage), "REPORTED", json!({"gb": 5, "calls": 3}));
    there.records = [("gb".to_owned(), 5.into()), ("calls".to_owned(), 3.into())].into();
    let records = || json!({"gb": 5, "calls": 3});
    let made = |id: &str, hour: u32, status: &str| {
        let groups = [there.id.as_deref().unwrap()];
        let mut report = report(id, &groups, json!({"reportedRecords": records(), "status": status}));
        report.creation_time = Some(format!("2026-10-01T{hour:02}:00:00Z").parse().unwrap());
        report
    };
    for (reports, is_clean) in [
        ([made("r-1", 8, "SUCCESS"), made("r-2", 9, "FAILED")], true),
        ([made("r-1", 8, "FAILED"), made("r-2", 9, "SUCCESS")], true),
        ([made("r-1", 8, "SUCCESS"), made("r-2", 9, "SUCCESS")], false),
        ([made("r-1", 8, "FAILED"), made("r-2", 9, "CANCELED")], false),
    ] {
        let all = reconcile("acme", std::slice::from_ref(&usage), std::slice::from_ref(&there), &reports).unwrap();
        assert_eq!(all.is_clean(), is_clean, "{all:?}");
    }
}

#[test]
fn group_without_usage_of_a_dimension_does_not_hold_up_others() {
    let without_id = |records: Value, report: &str| {
        let mut there = group("", "REPORTED", records.clone());
        there.records = serde_json::from_value(records).unwrap();
        there.usage_record_report_id = Some(report.to_owned());
        there
    };
    let groups = [without_id(json!({"gb": 5, "calls": 0}), "r-1"), without_id(json!({"calls": 3}), "r-2")];
    let reports = [
        report("r-1", &[], json!({"reportedRecords": {"gb": 5}})),
        report("r-2", &[], json!({"reportedRecords": {"calls": 3}})),
    ];
    let all = reconcile("acme", &[sent(5)], &groups, &reports).unwrap();
    assert!(all.is_clean() && all.billed.len() == 2, "{all:?}");
    // A report need not name a group without usage.
    let named = |id: &str, gb: u32| {
        let mut there = without_id(json!({"gb": gb}), "r-1");
        there.id = Some(id.to_owned());
        there
    };
    let of_one = report("r-1", &["g-1"], json!({"reportedRecords": {"gb": 5}}));
    let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
    for (gb, is_clean) in [(0, true), (1, false)] {
        let groups = [named("g-1", 5 - gb), named("g-2", gb)];
        let all = reconcile("acme", std::slice::from_ref(&usage), &groups, std::slice::from_ref(&of_one)).unwrap();
        assert_eq!(all.is_clean(), is_clean, "{all:?}");
    }
    // Its report has to succeed.
    let failed = report("r-1", &[], json!({"reportedRecords": {"gb": 5}, "status": "CREATED"}));
    let all = reconcile("acme", &[sent(5)], &groups, &[failed, reports[1].clone()]).unwrap();
    assert_eq!(summary(&all.pending).len(), 2, "{all:?}");
}

#[test]
fn mapped_group_without_quantities_is_pending() {
    for records in [json!({}), Value::Null, json!({"ingest": 0})] {
        let usage = UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", 5);
        let mut there = group(&id(&usage), "REPORTED", json!({"gb": 5}));
        there.records = serde_json::from_value::<Option<_>>(records).unwrap().unwrap_or_default();
        let report = report("r-1", &[&id(&usage)], json!({"reportedRecords": {"calls": 3}}));
        let all = reconcile("acme", &[usage], &[there], &[report]).unwrap();
        assert_eq!((all.billed.len(), all.pending.len()), (0, 1), "{all:?}");
        assert!(all.pending[0].reasons[0].contains("no quantity after the dimension mapping"));
    }
}

proptest! {
    /// At most the quantity sent to the marketplace counts as billed, and all of it once no fraction is left.
    #[test]
    fn billed_usage_does_not_exceed_accepted_usage(used in proptest::collection::vec(0i64..400, 1..8)) {
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

    /// Differences are exact for any lost or extra usage, by id or without.
    #[test]
    fn discrepancies_equal_the_difference_of_both_sides(
        reports in proptest::collection::vec((0u8..3, 0i64..4, 1i64..5, proptest::bool::ANY, proptest::bool::ANY), 0..12),
        extra in proptest::collection::vec((0u8..3, 0i64..4, 1i64..5), 0..4),
    ) {
        let hour = |hour: i64| DateTime::from_timestamp(1_790_000_000 + hour * 3600, 0).unwrap();
        let as_group = |id: Option<String>, event: &UsageEvent| -> Group {
            let records: BTreeMap<_, _> = event.quantities().iter().map(|(it, quantity)| (it, quantity.to_string())).collect();
            serde_json::from_value(json!({
                "id": id, "entitlementID": event.entitlement_id(),
                "metaInfo": {"timestamp": event.timestamp(), "originRecords": records},
            })).unwrap()
        };
        let (mut sent, mut vendor) = (Vec::new(), Vec::new());
        for (number, (entitlement, at, quantity, arrived, with_id)) in reports.into_iter().enumerate() {
            let event = UsageEvent::new(format!("e-{entitlement}"), hour(at)).quantity("gb", quantity).sequence(number as u32);
            if arrived {
                vendor.push(as_group(with_id.then(|| id(&event)), &event));
            }
            sent.push(event);
        }
        for (entitlement, at, quantity) in extra {
            vendor.push(as_group(None, &UsageEvent::new(format!("e-{entitlement}"), hour(at)).quantity("gb", quantity)));
        }
        let all = reconcile("acme", &sent, &vendor, &[]).unwrap();
        let sum = |quantities: &mut dyn Iterator<Item = Decimal>| quantities.sum::<Decimal>();
        let summary = all.missing.iter().chain(&all.extra).chain(&all.different).map(|one| one.sent - one.vendor);
        let sent = sum(&mut sent.iter().flat_map(|it| it.quantities().values().copied()));
        let there = sum(&mut vendor.iter().flat_map(|it| quantities_of(it).unwrap().into_values()));
        prop_assert_eq!(sum(&mut summary.into_iter()), sent - there);
        if vendor.is_empty() {
            prop_assert!(all.pending.is_empty() && all.billed.is_empty());
        }
    }
}
