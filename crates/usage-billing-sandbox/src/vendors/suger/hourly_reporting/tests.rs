use super::*;
use crate::dataset::Seed;

fn organization() -> Organization {
    Organization::of_tests()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn group(id: &str, entitlement: &str, created: &str, records: &str) -> Group {
    Group {
        id: Some(id.to_owned()),
        entitlement_id: Some(entitlement.to_owned()),
        status: Some(Status::Created),
        records: serde_json::from_str(records).unwrap(),
        creation_time: Some(time(created)),
        last_update_time: Some(time(created)),
        ..Default::default()
    }
}

/// Runs without metrics.
fn run(
    groups: &mut [Group],
    carry_over: &mut CarryOver,
    organization: &Organization,
    now: DateTime<Utc>,
) -> Vec<Report> {
    super::run(&mut groups.iter_mut().collect::<Vec<_>>(), carry_over, organization, &BTreeMap::new(), now)
}

/// Returns `hour record=quantity … (fraction before, fraction after)` of each report.
fn reported(reports: &[Report]) -> Vec<String> {
    let of = |report: &Report| {
        let info = report.info.as_ref().unwrap();
        let records = info.reported_records.iter().map(|(key, quantity)| match info.new_decimal_parts.get(key) {
            None => format!(" {key}={quantity}"),
            Some(rest) => format!(" {key}={quantity} ({}, {rest})", info.decimal_parts[key]),
        });
        format!("{}{}", info.start_time.unwrap().format("%H"), records.collect::<String>())
    };
    reports.iter().map(of).collect()
}

#[test]
fn hour_is_reported_after_its_end() {
    let org = organization();
    let mut groups = vec![
        group("a", "ent-azu01", "2026-11-21T09:00:00Z", r#"{"seats": 0.1}"#),
        group("b", "ent-azu01", "2026-11-21T09:59:59.999Z", r#"{"seats": 0.2}"#),
        group("c", "ent-azu01", "2026-11-21T10:00:00Z", r#"{"seats": 7}"#),
    ];
    let mut carry_over = CarryOver::default();
    let mut run = |now: &str| reported(&run(&mut groups, &mut carry_over, &org, time(now)));
    assert_eq!(run("2026-11-21T10:01:32Z"), Vec::<String>::new());
    assert_eq!(run("2026-11-21T10:01:33Z"), ["09 seats=0.3"]);
    assert_eq!(run("2026-11-21T10:01:33Z"), Vec::<String>::new());
    assert_eq!(run("2126-11-21T10:01:33Z"), ["10 seats=7"]);
    assert_eq!(groups[1].status, Some(Status::Reported));
    assert_eq!(groups[1].reported_time, Some(time("2026-11-21T10:01:33Z")));
    assert_eq!(groups[0].usage_record_report_id, groups[1].usage_record_report_id);
    assert_ne!(groups[0].usage_record_report_id, groups[2].usage_record_report_id);
}

#[test]
fn next_run_is_the_first_one_to_come() {
    for (now, expected) in [
        ("2026-11-21T10:00:00Z", "2026-11-21T10:01:33Z"),
        ("2026-11-21T10:01:32.999Z", "2026-11-21T10:01:33Z"),
        ("2026-11-21T10:01:33Z", "2026-11-21T11:01:33Z"),
        ("2026-11-21T23:59:59Z", "2026-11-22T00:01:33Z"),
    ] {
        assert_eq!(next_run(time(now)), time(expected), "{now}");
    }
    for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        next_run(end);
    }
}

#[test]
fn aws_fractions_are_carried_over_to_the_next_report() {
    let mut groups = vec![
        group("a", "ent-aws01", "2026-11-21T07:00:00Z", r#"{"ingest_gb": 1.6, "api_calls": 2}"#),
        group("b", "ent-aws01", "2026-11-21T08:00:00Z", r#"{"ingest_gb": 0.3}"#),
        group("c", "ent-aws01", "2026-11-21T09:00:00Z", r#"{"ingest_gb": 0.1}"#),
    ];
    let reports = run(&mut groups, &mut CarryOver::default(), &organization(), time("2026-11-22T00:00:00Z"));
    assert_eq!(
        reported(&reports),
        ["07 api_calls=2 (0, 0) ingest_gb=1 (0, 0.6)", "08 ingest_gb=0 (0.6, 0.9)", "09 ingest_gb=1 (0.9, 0)"]
    );
    let info = reports[2].info.as_ref().unwrap();
    assert_eq!(info.dimension_unit_price["ingest_gb"].to_string(), "0.0315");
    assert_eq!(info.dimension_unit_list_price["ingest_gb"].to_string(), "0.035");
    assert_eq!(info.aws_metering_request.as_ref().unwrap().usage_records[0].quantity, Some(1));
}

#[test]
fn rejected_usage_is_tried_twice() {
    let org = organization();
    let mut groups = vec![
        group("a", "ent-azu02", "2026-11-21T07:10:00Z", r#"{"seats": 1}"#),
        group("b", "ent-azu02", "2026-11-21T08:10:00Z", r#"{"seats": 2}"#),
    ];
    let mut carry_over = CarryOver::default();
    let mut states = Vec::new();
    for now in ["2026-11-21T08:02:00Z", "2026-11-21T09:02:00Z", "2026-11-21T10:02:00Z"] {
        let reports = run(&mut groups, &mut carry_over, &org, time(now));
        let ids = reports.iter().filter_map(|report| report.info.as_ref()).map(|info| {
            assert_eq!(
                (&info.status, info.message.as_deref()),
                (&Some(UsageRecordReportStatus::Failed), Some("dimension is not in the plan"))
            );
            info.usage_record_group_ids.join("+")
        });
        let ids: Vec<_> = ids.collect();
        let status = |at: usize| groups[at].status.as_ref().unwrap().to_string();
        states.push(format!("{} {} {}", status(0), status(1), ids.join(" ")));
    }
    assert_eq!(states, ["REPORT_PENDING CREATED ", "REPORT_FAILED REPORT_PENDING a", "REPORT_FAILED REPORT_FAILED b"]);
    assert!(groups.iter().all(|group| group.reported_time.is_none() && group.usage_record_report_id.is_none()));
}

#[test]
fn shares_with_the_same_tags_are_merged() {
    let mut groups = vec![
        group("a", "ent-aws01", "2026-11-21T07:10:00Z", r#"{"ingest_gb": 3}"#),
        group("b", "ent-aws01", "2026-11-21T07:20:00Z", r#"{"ingest_gb": 4}"#),
    ];
    let share = |quantity: &str, team: &str| {
        let json = format!(r#"[{{"quantity": {quantity}, "tags": [{{"key": "team", "value": "{team}"}}]}}]"#);
        let shares: Vec<types::UsageAllocation> = serde_json::from_str(&json).unwrap();
        types::MeteringUsageRecordGroupMetaInfo {
            usage_allocations: [("ingest_gb".to_owned(), shares)].into_iter().collect(),
            ..Default::default()
        }
    };
    groups[0].meta_info = Some(Box::new(share("3", "分析")));
    groups[1].meta_info = Some(Box::new(share("4", "分析")));
    let reports = run(&mut groups, &mut CarryOver::default(), &organization(), time("2026-11-22T00:00:00Z"));
    let shares = &reports[0].info.as_ref().unwrap().aggregated_usage_allocations["ingest_gb"];
    assert_eq!((shares.len(), shares[0].quantity.unwrap().to_string()), (1, "7".to_owned()));
}

type Totals = BTreeMap<(String, String), Decimal>;

fn add<'a>(
    totals: &mut Totals,
    entitlement: &Option<String>,
    records: impl IntoIterator<Item = (&'a String, Decimal)>,
) {
    for (key, quantity) in records {
        *totals.entry((entitlement.clone().unwrap(), key.clone())).or_default() += quantity;
    }
}

/// Returns the totals of the reported groups, and of the reports with the remaining fractions.
fn both_sides(groups: &[Group], reports: &[Report], carry_over: &CarryOver) -> (Totals, Totals) {
    let (mut of_groups, mut of_reports) = (Totals::new(), Totals::new());
    for group in groups.iter().filter(|group| group.status == Some(Status::Reported)) {
        add(&mut of_groups, &group.entitlement_id, group.records.iter().map(|(key, quantity)| (key, quantity.0)));
    }
    for report in reports {
        let records = &report.info.as_ref().unwrap().reported_records;
        add(&mut of_reports, &report.entitlement_id, records.iter().map(|(key, quantity)| (key, quantity.0)));
    }
    for ((entitlement, key), rest) in &carry_over.fractions {
        assert!(*rest < Decimal::ONE);
        *of_reports.entry((entitlement.clone(), key.clone())).or_default() += rest;
    }
    (of_groups, of_reports)
}

#[test]
fn reports_contain_exactly_the_reported_usage() {
    let org = organization();
    // Usage of any size and entitlement, run at any time, with groups that are deleted or retried between the runs.
    for seed in 0..60 {
        let pick = |what: u64, at: u64, below: u64| Seed::new(seed).chance(&[what, at], below);
        let start = time("2026-11-21T00:00:00Z");
        let (mut groups, mut reports, mut carry_over) = (Vec::new(), Vec::new(), CarryOver::default());
        let mut now = start;
        for at in 0..80 {
            now += TimeDelta::minutes(pick(1, at, 70));
            let entitlement = ["ent-aws01", "ent-azu01", "ent-gcp01", "ent-azu02"][pick(2, at, 4) as usize];
            let indexes = u32::try_from(pick(3, at, 10)).unwrap();
            let quantity = Decimal::new(pick(4, at, 10_000_000_000), indexes);
            let key = ["one", "two"][pick(5, at, 2) as usize];
            let mut new =
                group(&at.to_string(), entitlement, "2026-11-21T00:00:00Z", &format!(r#"{{"{key}": {quantity}}}"#));
            new.creation_time = Some(now);
            new.last_update_time = Some(now);
            groups.push(new);
            if pick(6, at, 3) == 0 {
                reports.extend(run(&mut groups, &mut carry_over, &org, now));
            }
            let other = usize::try_from(pick(7, at, at + 1)).unwrap();
            let changed = match &groups[other].status {
                Some(Status::Created) => Status::Deleted,
                Some(Status::ReportFailed) => Status::Created,
                _ => continue,
            };
            groups[other].status = Some(changed);
            groups[other].last_update_time = Some(now);
        }
        reports.extend(run(&mut groups, &mut carry_over, &org, now + TimeDelta::days(1)));
        let (of_groups, of_reports) = both_sides(&groups, &reports, &carry_over);
        assert_eq!(of_groups, of_reports, "{seed}");
        assert!(!of_groups.is_empty() && groups.iter().all(|group| group.status != Some(Status::Created)));
    }
}

#[test]
fn one_run_equals_runs_step_by_step() {
    let org = organization();
    let now = time("2026-11-21T12:00:00Z");
    let history = || -> Vec<Group> { org.history.slots().map(|slot| org.group(org.outline(slot))).collect() };
    let run = |groups: &mut [Group], carry_over: &mut CarryOver, now| {
        super::run(&mut groups.iter_mut().collect::<Vec<_>>(), carry_over, &org, &org.metrics, now)
    };
    let mut carry_over = CarryOver::default();
    let mut groups = history();
    let reports = run(&mut groups, &mut carry_over, now);
    assert!(reports.len() > 2_000 && reports.is_sorted_by_key(|report| report.creation_time));
    let (of_groups, of_reports) = both_sides(&groups, &reports, &carry_over);
    assert_eq!(of_groups, of_reports);
    // All statuses occur, and each report id belongs to a report.
    let states: std::collections::HashSet<_> = groups.iter().filter_map(|group| group.status.clone()).collect();
    assert_eq!(states.len(), Status::KNOWN.len(), "{states:?}");
    let ids: std::collections::HashSet<_> = reports.iter().map(|report| report.id.clone()).collect();
    assert_eq!(ids.len(), reports.len());
    let reported = groups.iter().filter(|group| group.status == Some(Status::Reported));
    assert!(
        reported.clone().count() > 2_000 && reported.clone().all(|group| ids.contains(&group.usage_record_report_id))
    );
    let mut again = history();
    let mut carry_over = CarryOver::default();
    let mut steps = Vec::new();
    for days in (0..=62).rev() {
        steps.extend(run(&mut again, &mut carry_over, now - TimeDelta::days(days)));
    }
    let json = |reports: &[Report]| serde_json::to_string(reports).unwrap();
    assert_eq!(json(&reports), json(&steps));
}
