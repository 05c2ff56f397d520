use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::suger::test_support::{Fields, report_json};

const SEVEN: &str = "2026-10-01T07:00:00Z";

/// Cases of `cases.yaml`, which explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    about: String,
    #[serde(default)]
    with: Fields,
    #[serde(default)]
    each: Vec<Fields>,
    cases: Vec<Fields>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    sent: Option<Vec<Fields>>,
    groups: Option<Vec<Fields>>,
    others: Option<Vec<Fields>>,
    first: Option<Fields>,
    reports: Option<Vec<Fields>>,
    group: Fields,
    report: Fields,
}

impl Case {
    /// Returns what the comparison finds, with `$0` for the id of the first event.
    fn outcome(&self) -> String {
        let given =
            self.sent.clone().unwrap_or_else(|| vec![json!({"gb": 5, "calls": 3}).as_object().unwrap().clone()]);
        let events: Vec<_> = given.iter().map(event).collect();
        let id_of = |number: usize| events.get(number).map_or_else(|| id(&sent(5)), id);
        let ids = [0, 1].map(id_of);
        let groups = |of: &Option<Vec<Fields>>| -> Vec<Group> {
            of.iter().flatten().map(|fields| read(group_json(&self.group, fields), &ids)).collect()
        };
        let reports = self.first.iter().chain(self.reports.iter().flatten());
        let of_first = json!({"groups": ["$0"]});
        let json = |own: &Fields| {
            report_json([of_first.as_object().unwrap(), &self.report, own].into_iter().flat_map(Clone::clone))
        };
        let reports: Vec<Report> = reports.map(|own| read(json(own), &ids)).collect();
        let (groups, others) = (groups(&self.groups), groups(&self.others));
        let found = if others.is_empty() {
            reconcile("acme", &events, &groups, &reports)
        } else {
            compare("acme", &events, &groups, &others, &reports, Fractions::default())
        };
        let found = found.unwrap();
        let has_reasons = |of: &[ReconciledQuantity]| of.iter().all(|one| !one.reasons.is_empty());
        assert!(has_reasons(&found.failed) && found.billed.iter().all(|one| one.reasons.is_empty()), "{found:?}");
        let mut lines = format!("{found}: clean {}, agrees {}\n", found.is_clean(), found.agrees());
        for (state, list) in [
            ("billed", &found.billed),
            ("pending", &found.pending),
            ("failed", &found.failed),
            ("different", &found.different),
            ("missing", &found.missing),
            ("extra", &found.extra),
            ("not comparable", &found.not_comparable),
        ] {
            lines.extend(list.iter().map(|one| format!("  {state}: {}\n", written(one))));
        }
        lines.replace(&ids[0], "$0").replace(&ids[1], "$1")
    }
}

/// Returns the fields of all parts, with those of `group` and `report` of each.
fn merged(parts: [&Fields; 3]) -> Fields {
    let mut all = Fields::new();
    for (field, value) in parts.into_iter().flat_map(Clone::clone) {
        match (field.as_str(), all.get_mut(&field)) {
            ("group" | "report", Some(Value::Object(fields))) => fields.extend(value.as_object().unwrap().clone()),
            _ => {
                all.insert(field, value);
            }
        }
    }
    all
}

fn written(one: &ReconciledQuantity) -> String {
    let status = one.status.as_ref().map_or_else(|| "no status".to_owned(), ToString::to_string);
    let [group, report] = [&one.group_id, &one.report_id].map(|id| id.as_deref().unwrap_or("-"));
    let ReconciledQuantity { entitlement_id, dimension, sent, vendor, .. } = one;
    let line = format!(
        "{entitlement_id} {dimension}: sent {sent}, at Suger {vendor}, {status}, group {group}, report {report}"
    );
    [vec![line], one.reasons.clone()].concat().join("; ")
}

fn event(fields: &Fields) -> UsageEvent {
    let text = |field: &str, default| fields.get(field).map_or(default, |value: &Value| value.as_str().unwrap());
    let event = UsageEvent::new(text("entitlement", "e-1"), text("at", SEVEN).parse().unwrap());
    let sequence = fields.get("sequence").map_or(0, |value| value.as_u64().unwrap());
    let quantities = fields.iter().filter(|(field, _)| !["entitlement", "at", "sequence"].contains(&field.as_str()));
    quantities.fold(event.sequence(u32::try_from(sequence).unwrap()), |event, (dimension, quantity)| {
        event.quantity(dimension.clone(), quantity.to_string().parse::<Decimal>().unwrap())
    })
}

fn group_json(common: &Fields, own: &Fields) -> Value {
    let mut group = json!({"id": "$0", "entitlementID": "e-1", "status": "REPORTED", "records": {"mapped": 1}});
    group["metaInfo"] = json!({"timestamp": SEVEN});
    for (field, value) in common.iter().chain(own) {
        match field.as_str() {
            "at" => group["metaInfo"]["timestamp"] = value.clone(),
            "origin" => group["metaInfo"]["originRecords"] = value.clone(),
            "events" => group["metaInfo"]["billableRecords"] = value.clone(),
            "id" | "entitlementID" | "status" | "records" | "partner" | "usageRecordReportID" => {
                group[field] = value.clone();
            }
            other => panic!("{other}"),
        }
    }
    group
}

fn read<T: serde::de::DeserializeOwned>(json: Value, ids: &[String; 2]) -> T {
    serde_json::from_str(&json.to_string().replace("$0", &ids[0]).replace("$1", &ids[1])).unwrap()
}

#[test]
fn comparisons_of_all_cases_are_those_of_the_snapshot() {
    let sections: Vec<Section> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
    let mut snapshot = String::new();
    for Section { about, with, each, cases } in &sections {
        snapshot += &format!("\n# {about}\n");
        let each = if each.is_empty() { &vec![Fields::new()] } else { each };
        for (case, number_of_case) in cases.iter().zip(1..) {
            for (more, number) in each.iter().zip(1..) {
                let case = Value::Object(merged([with, more, case]));
                snapshot += &format!("{number}.{number_of_case} {case}\n");
                snapshot += &serde_json::from_value::<Case>(case).unwrap().outcome();
            }
        }
    }
    insta::assert_snapshot!(snapshot);
}

fn sent(quantity: i64) -> UsageEvent {
    UsageEvent::new("e-1", SEVEN.parse().unwrap()).quantity("gb", quantity).quantity("calls", 3)
}

fn id(event: &UsageEvent) -> String {
    event.id("acme").to_string()
}

fn group(id: &str, status: &str, records: Value) -> Group {
    let info = json!({"timestamp": SEVEN, "originRecords": records});
    let group = json!({"id": id, "entitlementID": "e-1", "status": status, "metaInfo": info, "records": {"mapped": 1}});
    serde_json::from_value(group).unwrap()
}

/// The report in which groups were sent.
fn report(id: &str, groups: &[&str], info: Value) -> Report {
    let mut fields = json!({"id": id, "groups": groups});
    fields.as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
    serde_json::from_value(report_json(fields.as_object().unwrap().clone())).unwrap()
}

#[test]
fn reconciliation_is_clean_if_all_quantities_are_billed() {
    let verdict_with = |set: fn(&mut Reconciliation, Vec<ReconciledQuantity>)| {
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
    assert_eq!(verdict_with(|all, one| all.billed = one), (true, true));
    assert_eq!(verdict_with(|all, one| all.pending = one), (false, true));
    assert_eq!(verdict_with(|all, one| all.failed = one), (false, false));
    assert_eq!(verdict_with(|all, one| all.different = one), (false, false));
    assert_eq!(verdict_with(|all, one| all.missing = one), (false, false));
    assert_eq!(verdict_with(|all, one| all.extra = one), (false, false));
    assert_eq!(verdict_with(|all, one| all.not_comparable = one), (false, false));
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
    assert_eq!(written, include_str!("../../../../fixtures/suger/reconciliation.json").trim_end());
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
                "marketplace": "AWS", "reportedRecords": {"gb": reported}, "startTime": window,
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
    let found = [&all.billed, &all.pending].map(|of| of.iter().map(written).collect::<Vec<_>>().join("\n"));
    let starts = ["e-1 gb: sent 0.5, at Suger 0.5, REPORTED, ", "e-1 gb: sent 2, at Suger 2, REPORTED, "];
    assert!(
        found.iter().zip(starts).all(|(found, start)| found.starts_with(start) && found.lines().count() == 1),
        "{found:?}"
    );
    two.push((half, 1, half, Decimal::ZERO));
    assert!(hours(&two).is_clean());
}

#[test]
fn month_of_inexact_fractions_leaves_only_last_hour_pending() {
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
