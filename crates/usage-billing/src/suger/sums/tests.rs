use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::month_to_date::{check_keys_stay, months_and_days};
use crate::suger::marketplace::tests::with_marketplace;
use crate::suger::{UsageEvent, reconcile};
use usage_billing_core::DecimalNumber;

fn group(json: serde_json::Value) -> types::MeteringUsageRecordGroup {
    serde_json::from_value(json).unwrap()
}

fn october(groups: &[types::MeteringUsageRecordGroup]) -> Result<Vec<UsageRow>> {
    with_reports(groups, &[])
}

fn with_reports(
    groups: &[types::MeteringUsageRecordGroup],
    reports: &[types::MeteringUsageRecordReport],
) -> Result<Vec<UsageRow>> {
    let now = "2026-11-21T00:00:00Z".parse().unwrap();
    let reports = [reports, &[accepted(groups)]].concat();
    usage_rows(groups, &reports, &lookups(), "acme", "2026-10".parse().unwrap(), now)
}

/// A report that was accepted, names the groups that name it, and states no quantities.
fn accepted(groups: &[types::MeteringUsageRecordGroup]) -> types::MeteringUsageRecordReport {
    let ours = groups.iter().filter(|group| group.usage_record_report_id.as_deref() == Some("r-ok"));
    let groups: Vec<_> = ours.filter_map(|group| group.id.as_ref()).collect();
    let info = serde_json::json!({"status": "SUCCESS", "partner": "STRIPE", "usageRecordGroupIds": groups});
    serde_json::from_value(serde_json::json!({"id": "r-ok", "creationTime": "2026-10-05T08:01:00Z", "info": info}))
        .unwrap()
}

fn lookups() -> Lookups {
    let metrics = serde_json::json!({
        "gb": {"aggregationType": "SUM", "info": {"filterGroups": [], "groupBys": ["region"]}},
        "call": {"aggregationType": "COUNT"},
        "peak": {"aggregationType": "MAX"},
        "paid": {"aggregationType": "SUM", "info": {"filterGroups": [{"filters": [{"name": "tier"}]}]}},
    });
    Lookups {
        buyers: BTreeMap::from([("b-1".to_owned(), "Birch, Inc.".to_owned())]),
        metrics: serde_json::from_value(metrics).unwrap(),
    }
}

#[test]
fn usage_is_added_up_by_the_time_of_use() {
    let used = |at: &str, reported: &str| {
        group(serde_json::json!({
            "id": format!("{at} {reported}"), "buyerID": "b-1", "entitlementID": "e-1", "status": "REPORTED",
            "usageRecordReportID": "r-ok", "records": {"calls": 0.1}, "creationTime": reported, "metaInfo": {"timestamp": at},
        }))
    };
    let rows = october(&[
        used("2026-09-30T23:59:59Z", "2026-10-01T00:10:00Z"),
        used("2026-10-01T00:00:00Z", "2026-10-01T00:10:00Z"),
        used("2026-10-31T23:59:59Z", "2026-11-01T00:10:00Z"),
        used("2026-11-01T00:00:00Z", "2026-11-01T00:10:00Z"),
        used("0001-01-01T00:00:00Z", "2026-10-02T00:10:00Z"),
    ])
    .unwrap();
    let [row] = &rows[..] else { panic!("one row: {rows:?}") };
    assert_eq!((row.quantity.to_string().as_str(), row.sku.as_str(), row.is_final), ("0.3", "e-1/calls", true));
    assert_eq!(row.customer_name.as_deref(), Some("Birch, Inc."));
}

proptest::proptest! {
    #[test]
    fn keys_of_a_month_are_the_same_on_every_day(month in months_and_days()) {
        let used = group(serde_json::json!({
            "id": "g-1", "buyerID": "b-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-ok",
            "records": {"calls": 1}, "creationTime": month.0.start(),
        }));
        check_keys_stay(month, LATE, Some(true), |period, now| {
            let groups = std::slice::from_ref(&used);
            usage_rows(groups, &[accepted(groups)], &lookups(), "acme", period, now).unwrap().remove(0)
        })?;
    }
}

#[test]
fn part_of_a_month_has_its_own_period_and_is_not_billable() {
    let used = group(
        serde_json::json!({"status": "REPORTED", "usageRecordReportID": "r-ok", "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z"}),
    );
    let period: Period = "2026-10-03/2026-10-20".parse().unwrap();
    let now = "2026-11-21T00:00:00Z".parse().unwrap();
    let groups = [used];
    let rows = usage_rows(&groups, &[accepted(&groups)], &lookups(), "acme", period, now).unwrap();
    assert_eq!((rows[0].period_end, rows[0].is_final), (period.end(), false));
    assert_eq!((rows[0].is_billable, rows[0].billing_reason), (Some(false), BillingReason::NotAWholePeriod));
}

#[test]
fn groups_without_ids_are_not_deduplicated() {
    let without = |id: serde_json::Value| {
        group(serde_json::json!({
            "id": id, "status": "REPORTED", "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z",
        }))
    };
    let (empty, none) = (without("".into()), without(serde_json::Value::Null));
    let rows = october(&[empty.clone(), empty, none.clone(), none, without("g-1".into()), without("g-1".into())]);
    assert_eq!(rows.unwrap()[0].quantity, Decimal::from(5));
}

#[test]
fn void_groups_are_excluded_and_unreported_ones_not_final() {
    let with = |status: &str| {
        group(serde_json::json!({
            "id": status, "status": status, "usageRecordReportID": "r-ok", "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z",
        }))
    };
    let rows = october(&[with("REPORTED"), with("INVALID"), with("DELETED")]).unwrap();
    assert_eq!((rows[0].quantity, rows[0].is_final), (Decimal::ONE, true));
    for open in ["CREATED", "REPORT_PENDING", "REPORT_FAILED", "A_NEW_ONE"] {
        let rows = october(&[with("REPORTED"), with(open)]).unwrap();
        assert_eq!((rows[0].quantity, rows[0].is_final), (Decimal::TWO, false), "{open}");
    }
}

#[test]
fn events_of_billable_metrics_count_where_there_are_no_records() {
    let rows = october(&[group(serde_json::json!({
        "id": "g", "creationTime": "2026-10-05T00:00:00Z", "records": null,
        "metaInfo": {"billableRecords": [{"key": "gb", "quantity": "2.5"}, {"key": "gb", "quantity": 1}, {"key": "call", "quantity": 9}]},
    }))])
    .unwrap();
    let read: Vec<_> =
        rows.iter().map(|row| (row.metric.as_str(), row.quantity.to_string(), row.unit.as_str())).collect();
    assert_eq!(read, [("call", "1".to_owned(), "events"), ("gb", "3.5".to_owned(), "units")]);
}

#[test]
fn sums_of_each_group_count_towards_the_memory_limit_unless_another_group_has_the_same() {
    let add_all = |usage: fn(usize) -> Value| {
        let (mut sums, mut memory) = (Sums::new("2026-10".parse().unwrap()), MemoryLimit::new(115_000));
        let added = (1..1024).try_for_each(|number| {
            let mut json = usage(number);
            json["id"] = json!(format!("g-{number}"));
            json["status"] = json!("REPORTED");
            json["usageRecordReportID"] = json!("r-1");
            json["creationTime"] = json!("2026-10-05T07:10:00Z");
            sums.add(&group(json), &lookups(), &mut memory)
        });
        (added.map_err(|error| error.kind()), sums)
    };
    let events = |number: usize| {
        json!({"metaInfo": {"billableRecords": (0..10).map(|bit| {
        json!({"key": if number >> bit & 1 == 0 { "gb" } else { "call" }, "quantity": 1})
    }).collect::<Vec<_>>()}})
    };
    assert_eq!(add_all(events).0, Ok(()));
    let records = |number: usize| {
        let dimensions = (0..10).filter(|bit| number >> bit & 1 == 1);
        json!({"records": dimensions.map(|bit| (format!("d-{bit}"), json!(1))).collect::<serde_json::Map<_, _>>()})
    };
    let (added, sums) = add_all(records);
    assert_eq!(added, Err(usage_billing_core::ErrorKind::Limit));
    assert!(sums.sums.keys().all(|key| Arc::strong_count(key) > 100), "groups share their keys");
}

fn event(metric: &str, status: &str) -> types::MeteringUsageRecordGroup {
    group(serde_json::json!({
        "id": metric, "status": status, "creationTime": "2026-10-05T07:10:00Z", "entitlementID": "e-1",
        "usageRecordReportID": if status == "REPORTED" { "r-1" } else { "" },
        "metaInfo": {"billableRecords": [{"key": metric, "quantity": 7}]},
    }))
}

#[test]
fn events_that_do_not_add_up_are_taken_from_the_report() {
    let report: types::MeteringUsageRecordReport = serde_json::from_value(serde_json::json!({
        "id": "r-1", "entitlementID": "e-1", "buyerID": "b-1", "creationTime": "2026-10-05T08:01:00Z",
        "info": {
            "status": "SUCCESS", "partner": "STRIPE", "startTime": "2026-10-05T07:00:00Z", "endTime": "2026-10-05T08:00:00Z",
            "usageRecordGroupIds": ["gb", "peak", "paid", "new"], "reportedRecords": {"seats": 3},
            "aggregatedBillableRecords": [
                {"key": "gb", "quantity": 7}, {"key": "peak", "quantity": 5}, {"key": "paid", "quantity": 2},
                {"key": "new", "quantity": 1},
            ],
        },
    }))
    .unwrap();
    let groups = ["gb", "peak", "paid", "new"].map(|metric| event(metric, "REPORTED"));
    let rows = with_reports(&groups, std::slice::from_ref(&report)).unwrap();
    let read: Vec<_> = rows.iter().map(|row| (row.metric.as_str(), row.quantity.to_string(), row.is_final)).collect();
    // `gb` adds up: once, and not again from the report.
    let expected = [("gb", "7", true), ("peak", "5", true), ("paid", "2", true), ("new", "1", true)];
    assert_eq!(read, expected.map(|(metric, quantity, is_final)| (metric, quantity.to_owned(), is_final)));
    assert_eq!(rows[1].period_start.to_rfc3339(), "2026-10-05T07:00:00+00:00");
    assert_eq!(rows[1].customer_name.as_deref(), Some("Birch, Inc."));
}

#[test]
fn events_that_do_not_add_up_without_a_report_are_an_error() {
    for metric in ["peak", "paid", "new"] {
        let error = october(&[event(metric, "REPORTED")]).unwrap_err();
        let expected =
            format!("usage record group {metric} has events of the billable metric {metric}, which do not add up");
        assert!(error.to_string().starts_with(&expected), "{error}");
        // Two of an hour that is not reported yet: one open row.
        let mut other = event(metric, "CREATED");
        other.id = None;
        let rows = october(&[event(metric, "CREATED"), other]).unwrap();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!((row.quantity, row.is_final, row.metric.as_str()), (Decimal::ZERO, false, metric));
        assert_eq!(row.period_start.to_rfc3339(), "2026-10-05T07:00:00+00:00");
    }
}

#[test]
fn group_that_is_listed_twice_counts_once() {
    let twice = group(serde_json::json!({
        "id": "g-7", "status": "REPORTED", "records": {"calls": 5}, "creationTime": "2026-10-05T00:00:00Z",
    }));
    assert_eq!(october(&[twice.clone(), twice]).unwrap()[0].quantity, Decimal::from(5));
}

#[test]
fn no_row_is_final_before_the_period_has_ended() {
    let reported = group(serde_json::json!({
        "id": "g-6", "status": "REPORTED", "usageRecordReportID": "r-ok", "records": {"calls": 5}, "creationTime": "2026-10-05T00:00:00Z",
    }));
    let groups = [reported];
    let rows = |now: &str| {
        usage_rows(&groups, &[accepted(&groups)], &lookups(), "acme", "2026-10".parse().unwrap(), now.parse().unwrap())
    };
    assert!(!rows("2026-10-20T00:00:00Z").unwrap()[0].is_final);
    assert!(!rows("2026-11-01T12:00:00Z").unwrap()[0].is_final, "usage of the last day still arrives");
    assert!(rows("2026-11-02T00:00:00Z").unwrap()[0].is_final);
}

/// Usage of two groups of one hour, and whether the row of their sum is final after these reports, in any order. Reports
/// name the groups that name them, unless they name others, and state the usage of their groups, unless they state another.
fn is_final(groups: [serde_json::Value; 2], reports: &[serde_json::Value]) -> bool {
    let groups = groups.map(|more| {
        let mut json = serde_json::json!({
            "id": "g-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-1", "records": {"gb": 2.25},
            "creationTime": "2026-10-05T07:30:00Z",
        });
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        group(json)
    });
    let mut reports: Vec<types::MeteringUsageRecordReport> =
        reports.iter().map(|report| serde_json::from_value(report.clone()).unwrap()).collect();
    for report in &mut reports {
        let named = &mut report.info.as_mut().unwrap().usage_record_group_ids;
        if named.is_empty() {
            let ours = groups.iter().filter(|group| group.usage_record_report_id == report.id);
            named.extend(ours.filter_map(|group| group.id.clone()));
        }
        let info = report.info.as_mut().unwrap();
        let gb = |map: &BTreeMap<String, DecimalNumber>| map.get("gb").map_or(Decimal::ZERO, |quantity| quantity.0);
        let named: Vec<_> =
            groups.iter().filter(|group| info.usage_record_group_ids.contains(group.id.as_ref().unwrap())).collect();
        if info.reported_records.is_empty() && named.iter().any(|group| !group.records.is_empty()) {
            let used: Decimal = named.iter().map(|group| gb(&group.records)).sum();
            let sent = used + gb(&info.decimal_parts) - gb(&info.new_decimal_parts);
            info.reported_records = [("gb".to_owned(), DecimalNumber(sent))].into();
        }
    }
    let mut of = || {
        reports.reverse();
        let rows = with_reports(&groups, &reports).unwrap();
        assert_eq!((rows.len(), rows[0].metric.as_str()), (1, "gb"), "{rows:?}");
        assert_eq!(rows[0].as_of.is_some(), !rows[0].is_final);
        rows[0].is_final
    };
    let (last_first, first_first) = (of(), of());
    assert_eq!(last_first, first_first);
    last_first
}

fn report_of(id: &str, hour: u32, info: serde_json::Value) -> serde_json::Value {
    let mut json = serde_json::json!({"id": id, "entitlementID": "e-1", "info": {
        "status": "SUCCESS", "startTime": format!("2026-10-05T{hour:02}:00:00Z"),
    }});
    json["info"].as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
    json["partner"] = with_marketplace(json["info"].clone())["partner"].take();
    json
}

#[test]
fn sum_is_final_only_once_the_marketplace_accepted_all_of_it() {
    use serde_json::json;
    let result = |status: &str| json!({"awsMeteringResponse": {"results": [{"status": status, "usageRecord": {"dimension": "gb"}}]}});
    let one = |info: serde_json::Value| report_of("r-1", 7, info);
    let both = || [json!({}), json!({"id": "g-2"})];
    assert!(is_final(both(), &[one(json!({}))]) && is_final(both(), &[one(result("Success"))]));
    assert!(!is_final(both(), &[]), "its report is not known");
    for not_accepted in [
        result("CustomerNotSubscribed"),
        result("DuplicateRecord"),
        json!({"awsMeteringResponse": {"results": []}}),
        json!({"status": "FAILED"}),
        json!({"status": "CREATED"}),
    ] {
        assert!(!is_final(both(), &[one(not_accepted.clone())]), "{not_accepted}");
    }
    // The groups have 4.5.
    assert!(!is_final(both(), &[one(json!({"reportedRecords": {"gb": 4}}))]));
    assert!(is_final(both(), &[one(json!({"reportedRecords": {"gb": 4}, "includedRecords": {"gb": 0.5}}))]));
    assert!(!is_final(both(), &[one(json!({"reportedRecords": {"gb": 50}}))]), "the marketplace bills more");
    let of_aws = |quantity: f64| json!({"reportedRecords": {"gb": 4.5}, "azureMeteringResponse": {"result": [{"status": "Accepted", "dimension": "gb", "quantity": quantity}]}});
    assert!(is_final(both(), &[one(of_aws(4.5))]) && !is_final(both(), &[one(of_aws(2.25))]));
    let mut of_other = one(json!({}));
    of_other["entitlementID"] = json!("e-2");
    assert!(!is_final(both(), &[of_other]));
    // Another report was accepted with one of the groups, or rejected.
    let again = |status: &str| report_of("r-0", 6, json!({"status": status, "usageRecordGroupIds": ["g-1"]}));
    assert!(!is_final(both(), &[one(json!({})), again("SUCCESS")]));
    assert!(
        is_final(both(), &[one(json!({})), again("FAILED")]) && is_final(both(), &[one(json!({})), one(json!({}))])
    );
    // Usage of several buyers in one report.
    let buyers = || [json!({"buyerID": "b-1"}), json!({"id": "g-2"})];
    let rows = |gb: f64| {
        let groups = buyers().map(|more| {
            let mut json = json!({
                "id": "g-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-1", "records": {"gb": 2.25},
                "creationTime": "2026-10-05T07:30:00Z",
            });
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            group(json)
        });
        let info = json!({"reportedRecords": {"gb": gb}, "usageRecordGroupIds": ["g-1", "g-2"]});
        let report = serde_json::from_value(one(info)).unwrap();
        with_reports(&groups, &[report]).unwrap().iter().map(|row| row.is_final).collect::<Vec<_>>()
    };
    assert_eq!((rows(2.25), rows(4.5)), (vec![false, false], vec![true, true]));
    // The report or the group names the marketplace.
    let named = |mut report: serde_json::Value| {
        report["partner"] = json!("AWS");
        report
    };
    assert!(!is_final(both(), &[named(one(json!({})))]) && is_final(both(), &[named(one(result("Success")))]));
    let mut nameless = one(json!({}));
    nameless["partner"] = json!(null);
    assert!(!is_final(both().map(named), std::slice::from_ref(&nameless)));
    assert!(!is_final(both(), &[nameless]), "it may be a report to AWS");
    // One of the two in another report.
    let apart = || [json!({}), json!({"id": "g-2", "usageRecordReportID": "r-2"})];
    let two = |info: serde_json::Value| report_of("r-2", 8, info);
    assert!(is_final(apart(), &[one(json!({})), two(json!({}))]));
    assert!(
        !is_final(apart(), &[one(json!({}))])
            && !is_final(apart(), &[one(json!({})), two(json!({"status": "FAILED"}))])
    );
    // A group that names no report is in the one that names it; of several, one that was accepted.
    let unnamed = || [json!({}), json!({"id": "g-2", "usageRecordReportID": ""})];
    let names = |id: &str, status: &str| report_of(id, 8, json!({"status": status, "usageRecordGroupIds": ["g-2"]}));
    assert!(is_final(unnamed(), &[one(json!({})), names("r-2", "FAILED"), names("r-3", "SUCCESS")]));
    assert!(!is_final(unnamed(), &[one(json!({})), names("r-2", "FAILED")]));
    assert!(!is_final(unnamed(), &[one(json!({})), two(json!({}))]));
    // A group without any id.
    assert!(!is_final(
        [json!({}), json!({"id": "", "usageRecordReportID": ""})],
        &[one(json!({})), names("r-2", "SUCCESS")]
    ));
}

#[test]
fn sum_with_a_carried_fraction_is_final_once_it_is_billed() {
    use serde_json::json;
    let both = || [json!({}), json!({"id": "g-2", "usageRecordReportID": "r-2"})];
    let parts = || json!({"decimalParts": {"gb": 0.5}, "newDecimalParts": {"gb": 0.5}});
    let left = |id: &str, hour| report_of(id, hour, parts());
    let whole = |hour| report_of("r-3", hour, json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.5}}));
    let last = || [left("r-1", 7), left("r-2", 8)];
    assert!(!is_final(both(), &last()), "the second report leaves a fraction as well");
    assert!(is_final(both(), &[last().to_vec(), vec![whole(9)]].concat()));
    let later =
        report_of("r-4", 10, json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": 0.5}, "status": "FAILED"}));
    assert!(is_final(both(), &[last().to_vec(), vec![whole(9), later]].concat()), "it bills others");
    let failed = report_of("r-5", 9, json!({"status": "FAILED", "decimalParts": {"gb": 0.5}}));
    assert!(is_final(both(), &[last().to_vec(), vec![whole(10), failed.clone()]].concat()), "it was retried");
    assert!(!is_final(both(), &[last().to_vec(), vec![failed]].concat()));
    let mut rejected = whole(9);
    let result = json!({"status": "CustomerNotSubscribed", "usageRecord": {"dimension": "gb"}});
    rejected["info"]["awsMeteringResponse"] = json!({"results": [result]});
    rejected["id"] = json!("r-5");
    let kept =
        |fraction: f64| report_of("r-6", 10, json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": fraction}}));
    assert!(!is_final(both(), &[last().to_vec(), vec![rejected.clone(), kept(0.75)]].concat()), "it was in r-5");
    assert!(is_final(both(), &[last().to_vec(), vec![rejected, kept(0.5)]].concat()), "the fraction stayed");
    assert!(!is_final(both(), &[last().to_vec(), vec![kept(0.25)]].concat()), "it includes another fraction");
    assert!(!is_final(both(), &[last().to_vec(), vec![whole(8)]].concat()));
    assert!(is_final(both(), &[left("r-1", 7), report_of("r-2", 8, json!({"decimalParts": {"gb": 0.5}}))]));
    assert!(!is_final(both(), &[left("r-1", 7), report_of("r-2", 8, json!({}))]), "it does not include the fraction");
    let part = report_of("r-3", 9, json!({"reportedRecords": {"gb": 0.75}, "decimalParts": {"gb": 0.5}}));
    assert!(!is_final(both(), &[last().to_vec(), vec![part]].concat()));
    let mut other = whole(9);
    other["entitlementID"] = json!("e-2");
    assert!(!is_final(both(), &[last().to_vec(), vec![other]].concat()));
    // Usage is billed in its order: what a report leaves may be a part of whole numbers.
    let wholes = || [json!({"records": {"gb": 2}}), json!({"id": "g-2", "records": {"gb": 3}})];
    let first = || report_of("r-1", 7, json!({"decimalParts": {"gb": 0.5}, "newDecimalParts": {"gb": 0.5}}));
    assert!(!is_final(wholes(), &[first()]));
    assert!(is_final(wholes(), &[first(), whole(8)]));
    // The fraction is of another dimension.
    let other = json!({"decimalParts": {"gb": 0.5}, "newDecimalParts": {"calls": 0.5}});
    assert!(is_final(both(), &[left("r-1", 7), report_of("r-2", 8, other)]));
}

#[test]
fn sum_of_events_is_final_once_its_report_is_accepted() {
    use serde_json::json;
    let events =
        |id: &str| json!({"id": id, "records": {}, "metaInfo": {"billableRecords": [{"key": "gb", "quantity": 2}]}});
    let both = || [events("g-1"), events("g-2")];
    let report = |info: serde_json::Value| {
        let mut report = report_of("r-1", 7, info);
        report["info"]["aggregatedBillableRecords"] = json!([{"key": "gb", "quantity": 4}]);
        report["info"]["reportedRecords"] = json!({});
        report
    };
    assert!(is_final(both(), &[report(json!({}))]));
    assert!(is_final(both(), &[report(json!({"partner": "GCP", "gcpMeteringResponse": {}}))]));
    assert!(!is_final(both(), &[report(json!({"partner": "GCP"}))]));
    let rejected = json!({"awsMeteringResponse": {"results": [{"status": "DuplicateRecord", "usageRecord": {"dimension": "usd"}}]}});
    assert!(!is_final(both(), &[report(rejected)]));
}

#[test]
fn group_without_any_time_is_an_error() {
    let error = october(&[group(serde_json::json!({"id": "g-9", "records": {"calls": 1}}))]).unwrap_err();
    assert_eq!(error.to_string(), "usage record group g-9 has neither a timestamp nor a creation time");
}

proptest::proptest! {
    /// The split of the period, and the order and number of listings, change no quantity.
    #[test]
    fn parts_of_a_period_add_up_to_the_period(
        used in proptest::collection::vec((0i64..31 * 86_400, 0i64..1_000_000, 0u32..6, 0usize..6, 0usize..3), 1..30),
        cut in 1i64..31 * 86_400,
        turned in 0usize..30,
    ) {
        let whole: Period = "2026-10".parse().unwrap();
        let at = |seconds: i64| whole.start() + TimeDelta::seconds(seconds);
        let statuses = ["CREATED", "REPORTED", "REPORT_PENDING", "REPORT_FAILED", "INVALID", "DELETED"];
        let mut groups: Vec<_> = used.iter().zip(0..).map(|(&(seconds, mantissa, places, status, times), id)| {
            let it = group(serde_json::json!({
                "id": format!("g-{id}"), "entitlementID": format!("e-{times}"), "status": statuses[status],
                "records": {"gb": Decimal::new(mantissa, places).to_string()},
                "creationTime": "2026-11-01T00:00:00Z", "metaInfo": {"timestamp": at(seconds)},
            }));
            vec![it; times + 1]
        }).collect();
        let middle = turned % groups.len();
        groups.rotate_left(middle);
        let groups = groups.concat();
        let total = |period: Period| -> Decimal {
            let rows = usage_rows(&groups, &[], &lookups(), "acme", period, at(0)).unwrap();
            rows.iter().map(|row| row.quantity).sum()
        };
        let parts = [Period::new(whole.start(), at(cut)).unwrap(), Period::new(at(cut), whole.end()).unwrap()];
        let billed = used.iter().filter(|one| one.3 < 4).map(|one| Decimal::new(one.1, one.2));
        proptest::prop_assert_eq!(total(whole), billed.sum::<Decimal>());
        proptest::prop_assert_eq!(parts.map(total).iter().sum::<Decimal>(), total(whole));
    }
}

/// Status, marketplaces of the report and of its details, groups, quantities, accepted dimension, entitlement.
type ReportParts = (&'static str, Value, Value, Vec<&'static str>, Value, Option<(&'static str, i64, bool)>, Value);

/// Two reported groups of one entitlement, by their events, and two reports that may contain them, in any combination of what
/// decides whether their usage is billed.
fn reported_usage() -> impl Strategy<Value = (Vec<UsageEvent>, Vec<Value>, Vec<Value>)> {
    let partner = || prop::sample::select(vec![Value::Null, json!("STRIPE"), json!("AWS")]);
    let named = || prop::sample::select(vec![Value::Null, json!("r-1"), json!("r-2"), json!("r-3")]);
    let group = || (1i64..3, 0i64..2, partner(), named());
    let records = || {
        prop_oneof![
            Just(json!({})),
            (0i64..5, 0i64..3).prop_map(|(gb, calls)| json!({"gb": gb, "calls": calls})),
            (1i64..5).prop_map(|gb| json!({"gb": gb})),
        ]
    };
    let status = prop::sample::select(vec!["SUCCESS", "SUCCESS", "SUCCESS", "INVOICED", "FAILED", "CREATED"]);
    let contained = prop::sample::subsequence(vec!["g-0", "g-1", "g-2"], 0..=3);
    let response = prop::option::of((prop::sample::select(vec!["gb", "calls"]), 0i64..5, any::<bool>()));
    let entitlement = prop::sample::select(vec![Value::Null, json!("e-1"), json!("e-1"), json!("e-2")]);
    let report = (status, partner(), partner(), contained, records(), response, entitlement);
    let all = (prop::collection::vec(group(), 2), prop::collection::vec(report, 2));
    all.prop_map(|(groups, reports)| {
        let event = |(number, (gb, calls, ..)): (i64, &(i64, i64, Value, Value))| {
            let at = "2026-10-05T07:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(number);
            UsageEvent::new("e-1", at).quantity("gb", *gb).quantity("calls", *calls)
        };
        let events: Vec<_> = (0..).zip(&groups).map(event).collect();
        let groups: Vec<_> = events
            .iter()
            .zip(groups)
            .map(|(event, (gb, calls, partner, report))| {
                json!({
                    "id": event.id("acme"), "entitlementID": "e-1", "status": "REPORTED", "partner": partner,
                    "usageRecordReportID": report, "records": {"gb": gb, "calls": calls},
                    "metaInfo": {"timestamp": event.timestamp()},
                })
            })
            .collect();
        let id = |name: &str| match name {
            "g-0" => groups[0]["id"].clone(),
            "g-1" => groups[1]["id"].clone(),
            other => json!(other),
        };
        let report = |(number, report): (usize, ReportParts)| {
            let (status, partner, of_info, contained, records, response, entitlement) = report;
            let response = response.map(|(dimension, quantity, is_accepted)| {
                let status = if is_accepted { "Success" } else { "DuplicateRecord" };
                json!({"results": [{"status": status, "usageRecord": {"dimension": dimension, "quantity": quantity}}]})
            });
            json!({
                "id": format!("r-{number}"), "partner": partner, "entitlementID": entitlement,
                "creationTime": "2026-10-05T09:00:00Z",
                "info": {
                    "status": status, "partner": of_info, "reportedRecords": records, "awsMeteringResponse": response,
                    "usageRecordGroupIds": contained.into_iter().map(id).collect::<Vec<_>>(),
                },
            })
        };
        let reports = (1..).zip(reports).map(report).collect();
        (events, groups, reports)
    })
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The two ways to the same conclusion: as rows, and as a reconciliation.
    #[test]
    fn row_is_final_exactly_if_its_usage_is_reconciled_as_billed((events, groups, reports) in reported_usage()) {
        let groups: Vec<types::MeteringUsageRecordGroup> = groups.into_iter().map(group).collect();
        let reports: Vec<types::MeteringUsageRecordReport> =
            reports.into_iter().map(|report| serde_json::from_value(report).unwrap()).collect();
        let reconciled = reconcile("acme", &events, &groups, &reports).unwrap();
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let rows = usage_rows(&groups, &reports, &lookups(), "acme", "2026-10".parse().unwrap(), now).unwrap();
        for row in rows.iter().filter(|row| !row.quantity.is_zero()) {
            let open = reconciled.pending.iter().chain(&reconciled.failed);
            let open: Vec<_> = open.filter(|one| row.sku == format!("e-1/{}", one.dimension)).collect();
            prop_assert_eq!(row.is_final, open.is_empty(), "{} {:?} {:?}", row.sku, open, reports);
        }
    }
}
