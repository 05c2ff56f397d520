//! Which lists a flush reads, what they prove, and when an event is looked up again.

use chrono::TimeDelta;
use serde_json::{Value, json};
use usage_billing::ErrorKind;
use usage_billing::suger::UsageEvent;
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, now};

use super::{flushed, group_for, group_of, listing, new_queue, page_of, scripted, timestamp};

fn lists(requests: &[Request]) -> Vec<&str> {
    let lists = requests.iter().filter(|request| request.method == "GET").map(|request| request.target.as_str());
    lists.collect()
}

#[tokio::test(start_paused = true)]
async fn events_older_than_two_days_are_listed_after_the_others() {
    let of = |age: TimeDelta| UsageEvent::new("e-1", now() - age).quantity("gb", 1);
    let two_days = TimeDelta::days(2);
    for (age, expected) in [(two_days, 1), (two_days + TimeDelta::seconds(1), 2)] {
        let events = [of(TimeDelta::zero()), of(age)];
        let groups: Vec<_> = events.iter().map(|event| group_for(event, json!({}))).collect();
        let server = listing(page_of(&groups), move |_| ScriptedResponse::json(409, "\"it is there\""));
        assert_eq!(flushed(new_queue(&server).concurrency(1), &events).await.already_delivered.len(), 2);
        let requests = server.requests();
        let lists = lists(&requests);
        let days = [lists[0].contains("startDate=2026-11-20"), lists.last().unwrap().contains("startDate=2026-11-18")];
        assert_eq!((lists.len(), days), (expected, [expected == 2, true]), "{lists:?}");
    }
}

/// Returns the minutes in which a sender lists the groups of a late event, with the response to the event and the list.
async fn minutes_of_lists(response: ScriptedResponse, list: ScriptedResponse, rejects_late_usage: bool) -> Vec<usize> {
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" if request.target.contains("/usageRecordGroup") => list.clone(),
        "GET" => ScriptedResponse::json(200, r#"{"id": "e-1", "partner": "AWS"}"#),
        _ => response.clone(),
    });
    let queue = new_queue(&server);
    let queue = if rejects_late_usage { queue.reject_late_usage() } else { queue };
    let (sender, mut receipts) = queue.into_sender().spawn().unwrap();
    sender.push(late_event()).unwrap();
    let (mut read, mut minutes) = (0, Vec::new());
    for minute in 1..150 {
        let receipt = receipts.next().await.unwrap();
        assert_eq!(receipt.unsent.len(), 1, "it is in every receipt: {receipt:?}");
        let all = server.requests().iter().filter(|request| request.target.contains("offset=0")).count();
        minutes.extend((std::mem::replace(&mut read, all) < all).then_some(minute));
    }
    minutes
}

fn late_event() -> UsageEvent {
    UsageEvent::new("e-1", now() - TimeDelta::hours(7)).quantity("gb", 1)
}

#[tokio::test(start_paused = true)]
async fn delays_grow_up_to_an_hour_if_suger_has_the_id() {
    let list = |groups: &[Value]| ScriptedResponse::json(200, &page_of(groups));
    let failed = [group_for(&late_event(), json!({"status": "REPORT_FAILED"}))];
    let (conflict, page) = (ScriptedResponse::json(409, "\"there\""), ScriptedResponse::json(400, "<html>"));
    let hourly = [1, 2, 3, 5, 9, 17, 33, 65, 125];
    assert_eq!(minutes_of_lists(conflict.clone(), list(&[]), false).await, hourly);
    assert_eq!(minutes_of_lists(page.clone(), list(&failed), false).await, hourly);
    assert_eq!(minutes_of_lists(page.clone(), list(&failed), true).await, hourly, "withheld");
    let often: Vec<_> = [1, 2, 3, 5].into_iter().chain((9..150).step_by(5)).collect();
    assert_eq!(minutes_of_lists(page, list(&[]), false).await, often);
    // Without the list, the vendor may be unavailable.
    let failing = ScriptedResponse::json(404, "\"down\"");
    assert_eq!(minutes_of_lists(conflict, failing, false).await, (1..150).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn skipped_events_of_a_listed_entitlement_are_looked_up_unsent() {
    let events: Vec<_> =
        (0..20).map(|hour| UsageEvent::new("e-1", now() - TimeDelta::hours(hour)).quantity("gb", 1)).collect();
    let groups: Vec<_> = events.iter().map(|event| group_for(event, json!({}))).collect();
    let server = listing(page_of(&groups), move |_| ScriptedResponse::json(404, "<html>"));
    assert_eq!(flushed(new_queue(&server).concurrency(1), &events).await.already_delivered.len(), 20);
    let requests = server.requests();
    assert_eq!((requests.len(), lists(&requests).len()), (4, 1), "three events are sent until the breaker opens");
}

#[tokio::test(start_paused = true)]
async fn list_without_end_ends_at_its_time_limit() {
    let server = ScriptedServer::start(|request| {
        let offset: i64 =
            request.target.split("offset=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap_or(0);
        let entry = |number: i64| json!({"id": number.to_string(), "creationTime": "2020-01-01T00:00:00Z"});
        let ids: Vec<_> = (offset..offset + 1000).map(entry).collect();
        match request.method.as_str() {
            "GET" if request.target.contains("Report") => ScriptedResponse::json(
                200,
                &json!({"usageRecordReports": ids, "nextOffset": offset + 1000}).to_string(),
            ),
            "GET" => {
                ScriptedResponse::json(200, &json!({"usageRecordGroups": ids, "nextOffset": offset + 1000}).to_string())
            }
            _ => ScriptedResponse::json(409, "\"it is there\""),
        }
    });
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let client = scripted(&server).with_list_timeout(std::time::Duration::from_secs(600));
    let month = "2026-10".parse().unwrap();
    let errors = [
        client.confirm(&event).await.unwrap_err(),
        client.send_usage(&event).await.unwrap_err(),
        client.reported_usage(month).await.unwrap_err(),
        client.usage_record_groups_of(month, None, None).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.kind() == ErrorKind::WaitTimeout && error.to_string().contains("within 600 s"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn unreadable_list_decides_nothing() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for list in [
        ScriptedResponse::json(404, "\"entitlement not found\""),
        ScriptedResponse::json(404, r#"{"message": "no Route matched with those values"}"#),
        ScriptedResponse::json(500, "\"down\""),
        ScriptedResponse::json(200, "{}"),
        ScriptedResponse::json(200, r#"{"error": "maintenance"}"#),
        ScriptedResponse::json(200, r#"{"usageRecordGroups": {"error": "maintenance"}}"#),
        ScriptedResponse::new(200, &[], "<html>no</html>"),
        ScriptedResponse::dropped(),
    ] {
        for status in [400, 404, 409] {
            let list = list.clone();
            let server = ScriptedServer::start(move |request| match request.method.as_str() {
                "GET" => list.clone(),
                _ => ScriptedResponse::json(status, "\"no\""),
            });
            assert_eq!(
                flushed(new_queue(&server), [&event]).await.to_string(),
                "0 delivered, 0 already delivered, 0 rejected, 1 unsent"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_list_per_entitlement_resolves_all_its_events() {
    let all: Vec<_> =
        (0..30).map(|hour| UsageEvent::new(format!("e-{}", hour % 3), timestamp(hour)).quantity("gb", 5)).collect();
    let groups: Vec<_> = all.iter().map(|event| group_for(event, json!({}))).collect();
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => ScriptedResponse::json(200, &page_of(&groups)),
        _ if request.body.contains("e-1") => ScriptedResponse::json(200, "{}"),
        _ => ScriptedResponse::json(409, "\"it is there\""),
    });
    let mut queue = new_queue(&server).concurrency(1);
    for event in &all {
        queue.push(event.clone()).unwrap();
    }
    assert_eq!(queue.flush().await.to_string(), "0 delivered, 30 already delivered, 0 rejected, 0 unsent");
    let lists = server.requests().iter().filter(|request| request.method == "GET").count();
    assert_eq!(lists, 3);
}

#[tokio::test(start_paused = true)]
async fn lookup_reads_the_days_of_the_timestamp_and_of_sending() {
    let now = usage_billing_tests::now();
    let ahead = now + chrono::TimeDelta::days(3);
    for (timestamp, since, until) in [
        (now - chrono::TimeDelta::days(2), "2026-11-18", "2026-11-22"),
        (now, "2026-11-20", "2026-11-22"),
        // It may have been sent long before its timestamp.
        (ahead, "2026-10-21", "2026-11-25"),
    ] {
        let event = UsageEvent::new("e-1", timestamp).quantity("gb", 5);
        // A full page is followed by another request.
        let mut groups = vec![group_for(&event, json!({}))];
        groups.extend((1..1000).map(|number| json!({"id": number.to_string()})));
        let page = page_of(&groups);
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" if request.target.contains("offset=0") => ScriptedResponse::json(200, &page),
            "GET" => ScriptedResponse::json(500, "\"no further\""),
            _ => ScriptedResponse::json(409, "\"it is there\""),
        });
        scripted(&server).send_usage(&event).await.unwrap();
        let first = server.requests()[1].target.clone();
        assert!(first.contains(&format!("startDate={since}")), "{timestamp}: {first}");
        assert!(first.contains(&format!("endDate={until}")), "{timestamp}: {first}");
    }
}

#[tokio::test(start_paused = true)]
async fn response_with_an_invalid_group_is_looked_up() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for (listed, expected) in [
        (Some(json!({})), "0 delivered, 1 already delivered, 0 rejected, 0 unsent"),
        (Some(json!({"status": "INVALID"})), "0 delivered, 0 already delivered, 1 rejected, 0 unsent"),
        (None, "0 delivered, 0 already delivered, 0 rejected, 1 unsent"),
    ] {
        let page = page_of(&listed.map(|fields| group_for(&event, fields)).into_iter().collect::<Vec<_>>());
        let server = listing(page, move |request| {
            ScriptedResponse::json(200, &group_of(request, json!({"status": "INVALID"})).to_string())
        });
        assert_eq!(flushed(new_queue(&server), [&event]).await.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn mapping_settings_are_read_once_in_a_flush() {
    let events: Vec<_> = (0..6)
        .map(|number| UsageEvent::new(format!("e-{}", number % 2), timestamp(number)).quantity("gb", 5))
        .collect();
    let bare = |event: &UsageEvent| json!({"id": event.id("acme"), "entitlementID": event.entitlement_id(), "status": "CREATED", "records": {"gb": 4}, "creationTime": now()});
    let groups: Vec<_> = events.iter().map(bare).collect();
    let config = json!({"partnerUsageMeteringConfigs": [{"partner": "AWS", "enableDimensionMapping": false}]});
    for (settings, rejected) in
        [(ScriptedResponse::json(200, &config.to_string()), 6), (ScriptedResponse::json(400, "\"no\""), 0)]
    {
        let groups = groups.clone();
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" if request.target.contains("/usageMeteringConfigInfo") => settings.clone(),
            "GET" => ScriptedResponse::json(200, &page_of(&groups)),
            _ => ScriptedResponse::json(409, ""),
        });
        assert_eq!(flushed(new_queue(&server), &events).await.rejected.len(), rejected);
        let requests = server.requests();
        let read = requests.iter().filter(|request| request.target.contains("/usageMeteringConfigInfo")).count();
        assert_eq!(read, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn list_that_cannot_be_read_proves_nothing() {
    let server = ScriptedServer::start(|_| ScriptedResponse::json(404, "\"entitlement not found\""));
    let error = scripted(&server).confirm(&UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
}
