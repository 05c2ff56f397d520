//! Which lists a flush reads, and when an event is looked up again.

use chrono::TimeDelta;
use serde_json::{Value, json};
use usage_billing::suger::UsageEvent;
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, now};

use super::{flushed, group_for, listing, new_queue, page_of};

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
