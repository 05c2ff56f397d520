use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::month_to_date::{check_keys_stay, months_and_days};
use crate::suger::test_support::{Fields, report_json};
use crate::suger::{UsageEvent, reconcile};
use usage_billing_core::DecimalNumber;

fn group(json: Value) -> types::MeteringUsageRecordGroup {
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
    let info = json!({"status": "SUCCESS", "partner": "STRIPE", "usageRecordGroupIds": groups});
    serde_json::from_value(json!({"id": "r-ok", "creationTime": "2026-10-05T08:01:00Z", "info": info})).unwrap()
}

fn lookups() -> Lookups {
    let metrics = json!({
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
        group(json!({
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
        let used = group(json!({
            "id": "g-1", "buyerID": "b-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-ok",
            "records": {"calls": 1}, "creationTime": month.0.start(),
        }));
        check_keys_stay(month, MAX_LATENESS, Some(true), |period, now| {
            let groups = std::slice::from_ref(&used);
            usage_rows(groups, &[accepted(groups)], &lookups(), "acme", period, now).unwrap().remove(0)
        })?;
    }
}

#[test]
fn part_of_a_month_has_its_own_period_and_is_not_billable() {
    let used = group(
        json!({"status": "REPORTED", "usageRecordReportID": "r-ok", "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z"}),
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
    let without = |id: Value| {
        group(json!({
            "id": id, "status": "REPORTED", "records": {"calls": 1}, "creationTime": "2026-10-05T00:00:00Z",
        }))
    };
    let (empty, none) = (without("".into()), without(Value::Null));
    let rows = october(&[empty.clone(), empty, none.clone(), none, without("g-1".into()), without("g-1".into())]);
    assert_eq!(rows.unwrap()[0].quantity, Decimal::from(5));
}

#[test]
fn void_groups_are_excluded_and_unreported_ones_not_final() {
    let with = |status: &str| {
        group(json!({
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
fn events_of_billable_metrics_count_without_records() {
    let rows = october(&[group(json!({
        "id": "g", "creationTime": "2026-10-05T00:00:00Z", "records": null,
        "metaInfo": {"billableRecords": [{"key": "gb", "quantity": "2.5"}, {"key": "gb", "quantity": 1}, {"key": "call", "quantity": 9}]},
    }))])
    .unwrap();
    let read: Vec<_> =
        rows.iter().map(|row| (row.metric.as_str(), row.quantity.to_string(), row.unit.as_str())).collect();
    assert_eq!(read, [("call", "1".to_owned(), "events"), ("gb", "3.5".to_owned(), "units")]);
}

#[test]
fn sums_of_a_group_take_memory_unless_shared_with_another() {
    let add_all = |usage: fn(usize) -> Value| {
        let (mut sums, mut memory) = (UsageAggregator::new("2026-10".parse().unwrap()), MemoryLimit::new(115_000));
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
    group(json!({
        "id": metric, "status": status, "creationTime": "2026-10-05T07:10:00Z", "entitlementID": "e-1",
        "usageRecordReportID": if status == "REPORTED" { "r-1" } else { "" },
        "metaInfo": {"billableRecords": [{"key": metric, "quantity": 7}]},
    }))
}

#[test]
fn events_that_do_not_add_up_are_taken_from_the_report() {
    let report: types::MeteringUsageRecordReport = serde_json::from_value(json!({
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
    let twice = group(json!({
        "id": "g-7", "status": "REPORTED", "records": {"calls": 5}, "creationTime": "2026-10-05T00:00:00Z",
    }));
    assert_eq!(october(&[twice.clone(), twice]).unwrap()[0].quantity, Decimal::from(5));
}

#[test]
fn no_row_is_final_before_the_period_has_ended() {
    let reported = group(json!({
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

/// Cases of `is_final.yaml`, which explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    about: String,
    groups: [Fields; 2],
    #[serde(default)]
    first: Vec<Fields>,
    #[serde(default)]
    report: Fields,
    #[serde(default)]
    r#final: Vec<Vec<Fields>>,
    open: Vec<Vec<Fields>>,
}

impl Section {
    fn groups(&self) -> [types::MeteringUsageRecordGroup; 2] {
        self.groups.each_ref().map(|fields| {
            let mut json = json!({
                "id": "g-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-1", "records": {"gb": 2.25},
                "creationTime": "2026-10-05T07:30:00Z",
            });
            let known = ["buyerID", "id", "metaInfo", "partner", "records", "usageRecordReportID"];
            assert!(fields.keys().all(|field| known.contains(&field.as_str())), "{fields:?}");
            json.as_object_mut().unwrap().extend(fields.clone());
            group(json)
        })
    }

    fn report(&self, fields: &Fields) -> types::MeteringUsageRecordReport {
        let mut all = Fields::from_iter([("entitlementID".to_owned(), json!("e-1")), ("at".to_owned(), Value::Null)]);
        all.extend(self.report.clone().into_iter().chain(fields.clone()));
        let hour = all.remove("hour").map_or(7, |hour| hour.as_u64().unwrap());
        all.insert("startTime".to_owned(), json!(format!("2026-10-05T{hour:02}:00:00Z")));
        let mut report: types::MeteringUsageRecordReport = serde_json::from_value(report_json(all)).unwrap();
        let (groups, info) = (self.groups(), report.info.as_mut().unwrap());
        let named = &mut info.usage_record_group_ids;
        if named.is_empty() {
            let ours = groups.iter().filter(|group| group.usage_record_report_id == report.id);
            named.extend(ours.filter_map(|group| group.id.clone()));
        }
        let gb = |map: &BTreeMap<String, DecimalNumber>| map.get("gb").map_or(Decimal::ZERO, |quantity| quantity.0);
        let named: Vec<_> = groups.iter().filter(|group| named.contains(group.id.as_ref().unwrap())).collect();
        if info.reported_records.is_empty() && named.iter().any(|group| !group.records.is_empty()) {
            let used: Decimal = named.iter().map(|group| gb(&group.records)).sum();
            let sent = used + gb(&info.decimal_parts) - gb(&info.new_decimal_parts);
            info.reported_records = [("gb".to_owned(), DecimalNumber(sent))].into();
        }
        report
    }

    /// Asserts whether the rows are final after these reports, in any order.
    fn check(&self, reports: &[Fields], is_final: bool) {
        let mut all: Vec<_> = self.first.iter().chain(reports).map(|fields| self.report(fields)).collect();
        for _ in 0..2 {
            let rows = with_reports(&self.groups(), &all).unwrap();
            let is_expected = |row: &UsageRow| {
                (row.is_final, row.as_of.is_some(), row.metric.as_str()) == (is_final, !is_final, "gb")
            };
            assert!(rows.iter().all(is_expected), "{}: {reports:?} {rows:?}", self.about);
            let buyers: BTreeSet<_> = self.groups.iter().map(|group| group.get("buyerID").map(Value::as_str)).collect();
            assert_eq!(rows.len(), buyers.len(), "{}: a row for each buyer: {rows:?}", self.about);
            all.reverse();
        }
    }
}

#[test]
fn sums_are_final_or_open_after_reports() {
    let sections: Vec<Section> = serde_saphyr::from_str(include_str!("is_final.yaml")).unwrap();
    for section in &sections {
        section.r#final.iter().for_each(|reports| section.check(reports, true));
        section.open.iter().for_each(|reports| section.check(reports, false));
    }
}

#[test]
fn group_without_any_time_is_an_error() {
    let error = october(&[group(json!({"id": "g-9", "records": {"calls": 1}}))]).unwrap_err();
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
            let it = group(json!({
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
