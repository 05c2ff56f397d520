//! Comparison of a period's events with the groups of Suger and the responses of the marketplaces.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use usage_billing::suger::{ReconciledQuantity, UsageEvent};
use usage_billing::{ErrorKind, Period};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{ENTITLEMENTS, client, group_for, push_all, sandbox, scripted};

fn month() -> Period {
    Period::last_month(now())
}

fn usage(entitlement: &str, at: DateTime<Utc>) -> UsageEvent {
    UsageEvent::new(entitlement, at).quantity("gb", 5)
}

/// Starts a server with these groups and reports.
fn vendor(groups: Vec<Value>, reports: Vec<Value>) -> ScriptedServer {
    ScriptedServer::start(move |request| match request.target.contains("/usageRecordReport") {
        true => ScriptedResponse::json(200, &json!({"usageRecordReports": reports}).to_string()),
        false => ScriptedResponse::json(200, &json!({"usageRecordGroups": groups}).to_string()),
    })
}

fn keys(of: &[ReconciledQuantity]) -> Vec<(&str, DateTime<Utc>)> {
    of.iter().map(|one| (one.entitlement_id.as_str(), one.timestamp)).collect()
}

#[tokio::test(start_paused = true)]
async fn only_the_period_and_sent_or_named_entitlements_are_compared() {
    let (start, last) = (month().start(), month().end() - TimeDelta::hours(1));
    let outside = [start - TimeDelta::seconds(1), month().end()];
    let mut groups: Vec<_> =
        [start, last, outside[0], outside[1]].map(|at| group_for(&usage("e-1", at), json!({"id": "x"}))).into();
    for (group, number) in groups.iter_mut().zip(0..) {
        group["id"] = json!(format!("g-{number}"));
    }
    groups.push(group_for(&usage("e-2", start), json!({})));
    groups.push(group_for(&usage("e-3", start), json!({})));
    let server = vendor(groups, vec![]);
    let client = scripted(&server);
    let sent: Vec<_> = [start, last, outside[0], outside[1]].map(|at| usage("e-1", at)).into();
    let found = client.reconcile(month(), &sent).timeout(Duration::MAX).await.unwrap();
    let line = "0 billed, 2 pending, 0 failed, 0 different, 0 missing, 0 extra; 2 events outside of the period";
    assert_eq!(found.to_string(), line);
    assert_eq!((found.outside_period, found.period, found.as_of), (2, Some(month()), Some(now())));
    assert_eq!(keys(&found.pending), [("e-1", start), ("e-1", last)]);

    let found = client.reconcile(month(), &sent).entitlement("e-3").timeout(Duration::MAX).await.unwrap();
    assert_eq!(keys(&found.extra), [("e-3", start)]);
    // Nothing was sent, or nothing in the period: the absence of differences proves nothing.
    for (sent, line) in [
        (&[][..], "nothing to compare: no usage was sent or is at Suger"),
        (
            &[usage("e-9", outside[0])],
            "nothing to compare: no usage was sent or is at Suger; 1 event outside of the period",
        ),
    ] {
        let found = client.reconcile(month(), sent).timeout(Duration::MAX).await.unwrap();
        assert_eq!((found.to_string().as_str(), found.is_clean()), (line, false));
    }
}

#[tokio::test(start_paused = true)]
async fn group_of_an_event_outside_of_the_period_is_not_extra() {
    let before = usage("e-1", month().start() - TimeDelta::seconds(1));
    let inside = usage("e-1", month().start());
    // Suger states the time at which it received the event, which is in the period.
    let received = json!({"metaInfo": {"originRecords": {"gb": 5}}, "creationTime": month().start()});
    let server = vendor(vec![group_for(&before, received), group_for(&inside, json!({}))], vec![]);
    let found = scripted(&server).reconcile(month(), &[before, inside]).timeout(Duration::MAX).await.unwrap();
    let line = "0 billed, 1 pending, 0 failed, 0 different, 0 missing, 0 extra; 1 event outside of the period";
    assert_eq!(found.to_string(), line);
}

#[tokio::test(start_paused = true)]
async fn report_is_found_by_group_if_the_group_does_not_name_it() {
    let report = usage("e-1", month().start());
    let group = group_for(&report, json!({"status": "REPORTED"}));
    let info =
        json!({"status": "SUCCESS", "partner": "STRIPE", "startTime": now(), "usageRecordGroupIds": [group["id"]]});
    let server = vendor(vec![group], vec![json!({"id": "r-1", "creationTime": now(), "info": info})]);
    let found = scripted(&server).reconcile(month(), &[report]).timeout(Duration::MAX).await.unwrap();
    assert!(found.is_clean(), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn late_group_and_its_late_report_are_found() {
    let report = usage("e-1", month().end() - TimeDelta::hours(1));
    // The group states no time of use.
    let late = group_for(&report, json!({"status": "REPORTED", "usageRecordReportID": "r-1", "metaInfo": null}));
    let info = json!({"status": "SUCCESS", "startTime": now(), "usageRecordGroupIds": [late["id"]]});
    let of_group = json!({"id": "r-1", "creationTime": now(), "partner": "STRIPE", "info": info});
    let server = vendor(vec![late], vec![json!({"id": "r-2"}), of_group]);
    let found = scripted(&server).reconcile(month(), &[report]).timeout(Duration::MAX).await.unwrap();
    assert!(found.is_clean() && found.billed.len() == 1, "{found:?}");
    let first = server.requests()[0].target.clone();
    assert!(first.contains("startDate=2026-09-30") && first.contains("endDate=2026-11-22"), "{first}");
}

#[tokio::test(start_paused = true)]
async fn usage_rejected_by_a_marketplace_is_failed_with_reasons() {
    let at = month().start();
    let report = usage("e-1", at);
    let group = |status: &str| group_for(&report, json!({"status": status, "usageRecordReportID": "r-1"}));
    let of_aws = |response: Value| json!({"id": "r-1", "info": {"status": "SUCCESS", "awsMeteringResponse": response}});
    let result = |status: &str| of_aws(json!({"results": [{"status": status, "usageRecord": {"dimension": "gb"}}]}));
    for (group, of_group, expected) in [
        (group("REPORTED"), result("CustomerNotSubscribed"), vec!["AWS: CustomerNotSubscribed for gb"]),
        (group("REPORTED"), result("DuplicateRecord"), vec!["AWS: DuplicateRecord for gb"]),
        (
            group("REPORTED"),
            of_aws(json!({"unprocessedRecords": [{"dimension": "gb"}]})),
            vec!["AWS: unprocessed record for gb"],
        ),
        (
            group("REPORT_FAILED"),
            json!({"id": "r-1", "info": {"status": "FAILED", "message": "no such plan"}}),
            vec!["Suger: FAILED: no such plan"],
        ),
    ] {
        let server = vendor(vec![group], vec![of_group]);
        let found =
            scripted(&server).reconcile(month(), std::slice::from_ref(&report)).timeout(Duration::MAX).await.unwrap();
        assert_eq!(found.failed.len(), 1, "{found:?}");
        assert_eq!(
            (&found.failed[0].reasons, found.is_clean()),
            (&expected.into_iter().map(str::to_owned).collect(), false)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn missing_response_and_carried_fraction_are_pending() {
    let report = usage("e-1", month().start()).quantity("gb", Decimal::new(525, 2));
    let group = group_for(&report, json!({"status": "REPORTED", "usageRecordReportID": "r-1"}));
    let of_report = |id: &str, hours: i64, info: Value| {
        let start = month().start() + TimeDelta::hours(hours);
        let mut report = json!({"id": id, "entitlementID": "e-1", "info": {"status": "SUCCESS", "startTime": start}});
        let is_of_aws = info.get("awsMeteringResponse").is_some();
        report["partner"] = if is_of_aws { json!("AWS") } else { json!("STRIPE") };
        report["info"].as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
        report
    };
    let of_group = |mut info: Value| {
        info["usageRecordGroupIds"] = json!([group["id"]]);
        of_report("r-1", 0, info)
    };
    let left = || of_group(json!({"reportedRecords": {"gb": 5}, "newDecimalParts": {"gb": 0.25}}));
    let later = |id: &str, hours: i64, fraction: f64, status: &str| {
        let parts = json!({"reportedRecords": {"gb": 1}, "decimalParts": {"gb": fraction}, "status": status});
        of_report(id, hours, parts)
    };
    let carried = "Suger: 0.25 of gb left to the next report";
    for (reports, is_clean, reasons) in [
        (
            vec![of_group(json!({"awsMeteringResponse": {"results": []}}))],
            false,
            "the marketplace's response does not mention gb",
        ),
        (vec![left()], false, carried),
        (vec![left(), later("r-2", 1, 0.25, "SUCCESS")], true, ""),
        // Another fraction is not the one that was left, and a failed report is retried.
        (vec![left(), later("r-2", 1, 0.5, "SUCCESS")], false, carried),
        (vec![left(), later("r-2", 1, 0.25, "FAILED")], false, carried),
        (vec![left(), later("r-2", 1, 0.25, "FAILED"), later("r-3", 2, 0.25, "SUCCESS")], true, ""),
    ] {
        let server = vendor(vec![group.clone()], reports);
        let sent = std::slice::from_ref(&report);
        let found = scripted(&server).reconcile(month(), sent).timeout(Duration::MAX).await.unwrap();
        assert_eq!((found.is_clean(), found.pending.len()), (is_clean, usize::from(!is_clean)), "{found:?}");
        let said = found.pending.first().map(|one| one.reasons.join("; ")).unwrap_or_default();
        assert_eq!(said, reasons);
    }
}

#[tokio::test(start_paused = true)]
async fn report_of_two_months_bills_neither_without_the_usage_of_both() {
    // Late usage of the month, and usage of the next one, in the same report.
    let (late, next) = (usage("e-1", month().end() - TimeDelta::hours(1)), usage("e-1", month().end()));
    for (stated, is_billed) in [(5, false), (10, true)] {
        let reported =
            |event: &UsageEvent| group_for(event, json!({"status": "REPORTED", "usageRecordReportID": "r-1"}));
        let groups = vec![reported(&late), reported(&next)];
        let info = json!({
            "status": "SUCCESS", "startTime": now(), "reportedRecords": {"gb": stated},
            "usageRecordGroupIds": [groups[0]["id"], groups[1]["id"]],
        });
        let report =
            json!({"id": "r-1", "entitlementID": "e-1", "partner": "STRIPE", "creationTime": now(), "info": info});
        let server = vendor(groups, vec![report]);
        let client = scripted(&server);
        for (period, event) in [("2026-10", &late), ("2026-11", &next)] {
            let sent = std::slice::from_ref(event);
            let found = client.reconcile(period.parse().unwrap(), sent).timeout(Duration::MAX).await.unwrap();
            assert_eq!(found.is_clean(), is_billed, "{stated} {period}: {found:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn later_reports_take_little_memory() {
    let event = usage("e-1", month().start());
    let group = group_for(&event, json!({"status": "REPORTED", "usageRecordReportID": "r-0"}));
    let report = |number: i64| {
        let start = month().start() + TimeDelta::hours(number);
        let info = json!({
            "status": "SUCCESS", "partner": "STRIPE", "startTime": start, "reportedRecords": {"gb": 5},
            "decimalParts": {"gb": 0.5}, "newDecimalParts": {"gb": 0.5}, "message": "x".repeat(2000),
            "usageRecordGroupIds": if number == 0 { json!([group["id"]]) } else { json!([format!("g-{number}")]) },
        });
        json!({"id": format!("r-{number}"), "entitlementID": "e-1", "info": info})
    };
    let server = vendor(vec![group.clone()], (0..744).map(report).collect());
    let client = scripted(&server).with_max_usage_bytes(400_000);
    let found = client.reconcile(month(), std::slice::from_ref(&event)).timeout(Duration::MAX).await.unwrap();
    assert!(found.is_clean(), "{found:?}");
    let client = scripted(&server).with_max_usage_bytes(100_000);
    let error = client.reconcile(month(), &[event]).timeout(Duration::MAX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

#[tokio::test(start_paused = true)]
async fn unreadable_list_is_an_error() {
    let report = usage("e-1", month().start());
    for response in [
        ScriptedResponse::json(200, r#"{"error": "maintenance"}"#),
        ScriptedResponse::json(200, "{}"),
        ScriptedResponse::json(500, "\"down\""),
    ] {
        let server = ScriptedServer::in_turn(vec![response]);
        scripted(&server).reconcile(month(), std::slice::from_ref(&report)).timeout(Duration::MAX).await.unwrap_err();
    }
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, "{}")]);
    let client = scripted(&server);
    let error = client.reconcile(month(), &[report]).timeout(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimeout, "{error}");
}

#[tokio::test(start_paused = true)]
async fn sandbox_month_is_clean_once_reported_and_accepted() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let today = "2026-11-21/2026-11-22".parse().unwrap();
    let sent: Vec<_> = ENTITLEMENTS
        .iter()
        .map(|(id, dimension)| {
            UsageEvent::new(*id, now() + TimeDelta::seconds(7)).quantity(*dimension, Decimal::from(3))
        })
        .collect();
    let mut queue = client.usage_queue().flush_timeout(None);
    push_all(&mut queue, &sent);
    assert!(queue.flush().await.is_complete());
    // Other usage of these entitlements today is extra; only the sent usage is checked.
    let ours = async || {
        let found = client.reconcile(today, &sent).timeout(Duration::MAX).await.unwrap();
        let count = |list: &[ReconciledQuantity]| list.iter().filter(|one| one.sent == Decimal::from(3)).count();
        [
            count(&found.billed),
            count(&found.pending),
            count(&found.failed),
            count(&found.different),
            count(&found.missing),
        ]
    };
    assert_eq!(ours().await, [0, 3, 0, 0, 0]);
    sandbox.advance(Duration::from_secs(2 * 3600));
    // Usage is billed in its order: AWS leaves a part of the last hour to the next report.
    assert_eq!(ours().await, [2, 1, 0, 0, 0]);
    let (id, dimension) = ENTITLEMENTS[0];
    queue.push(UsageEvent::new(id, now() + TimeDelta::seconds(8)).quantity(dimension, 1)).unwrap();
    assert!(queue.flush().await.is_complete());
    sandbox.advance(Duration::from_secs(2 * 3600));
    assert_eq!(ours().await, [3, 0, 0, 0, 0]);
    let response = "/usageRecordReports/0/info/awsMeteringResponse";
    for fault in [
        format!(r#"replace_value; pointer={response}; value={{"results": [{{"status": "CustomerNotSubscribed"}}]}}"#),
        format!(r#"replace_value; pointer={response}; value={{"unprocessedRecords": [{{}}]}}"#),
    ] {
        // The fault applies to every report, since the position of ours in the list is not known.
        for index in 0..1000 {
            let fault = fault.replace("/usageRecordReports/0/", &format!("/usageRecordReports/{index}/"));
            if index < 200 {
                sandbox.inject(format!("{fault}; operation=listUsageRecordReports").parse().unwrap()).unwrap();
            }
        }
        let [billed, pending, failed, ..] = ours().await;
        assert_eq!((billed, pending, failed), (0, 0, 3), "{fault}");
        sandbox.clear_faults();
    }
}
