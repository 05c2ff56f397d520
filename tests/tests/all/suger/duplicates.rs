//! Duplicates of an event.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use usage_billing::ErrorKind;
use usage_billing::suger::types::UsageRecordGroupStatus as Status;
use usage_billing::suger::{Delivery, UsageEvent};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{
    ORG, client, events, flushed, group_for, listing, new_queue, page_of, push_all, sandbox, scripted, stored_as_sent,
    timestamp,
};

#[tokio::test(start_paused = true)]
async fn id_with_other_quantities_is_rejected_before_it_is_sent() {
    let sandbox = sandbox().await;
    let mut queue = client(&sandbox).usage_queue().flush_timeout(None);
    let event = UsageEvent::new("ent-aws01", timestamp(0)).quantity("ingest_gb", 5);
    let id = queue.push(event.clone()).unwrap();
    assert_eq!(queue.push(event.clone().quantity("ingest_gb", Decimal::new(500, 2))).unwrap(), id);
    assert_eq!(queue.pending(), 1);
    let other = event.clone().quantity("ingest_gb", 6);
    assert_eq!(queue.push(other.clone()).unwrap_err().kind(), ErrorKind::Request);
    // It was never sent, so it can be removed.
    assert_eq!(queue.remove(id), Some(event.clone()));
    queue.push(event.clone()).unwrap();
    assert!(queue.flush().await.is_complete());
    let error = queue.push(other).unwrap_err();
    assert!(error.to_string().starts_with("an event with this id has other quantities (ent-aws01, "), "{error}");
    queue.push(event.clone()).unwrap();
    queue.push(event.sequence(1)).unwrap();
    assert_eq!(queue.flush().await.to_string(), "1 delivered, 1 already delivered, 0 rejected, 0 unsent, 1 merged");
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_looked_up_unless_trusted() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let [same, other, deleted] = &events(0)[..] else { panic!("three events") };
    let others_quantity = other.clone().quantity("seats", 999);
    for event in [same, &others_quantity, deleted] {
        let Delivery::Delivered(group) = client.send_usage(event).await.unwrap() else { panic!("it is new") };
        if event == deleted {
            assert_eq!(client.delete_group(&group).await.unwrap().status, Some(Status::Deleted));
        }
    }
    let mut queue = client.usage_queue().flush_timeout(None);
    let all = push_all(&mut queue, &events(0));
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "0 delivered, 1 already delivered, 2 rejected, 0 unsent");
    assert_eq!(receipt.already_delivered, [same.id(ORG)]);
    let words: BTreeMap<_, _> =
        receipt.rejected.iter().map(|one| (one.event.entitlement_id(), one.error.to_string())).collect();
    assert!(words["ent-azu01"].contains("with other quantities: seats is 999 there, not 10.0002"), "{words:?}");
    assert!(words["ent-gcp01"].contains("was deleted at Suger"), "{words:?}");

    assert_eq!(client.confirm(same).await.unwrap().id, Some(same.id(ORG).to_string()));
    assert_eq!(client.confirm(other).await.unwrap_err().kind(), ErrorKind::Failed);
    let error = client.confirm(&same.clone().sequence(9)).await.unwrap_err();
    assert!(error.to_string().contains("is not among those that Suger lists"), "{error}");

    // An event that cannot be looked up is not resolved.
    sandbox.inject("503; operation=listUsageRecordGroups".parse().unwrap()).unwrap();
    let mut queue = client.usage_queue().flush_timeout(None);
    assert_eq!(push_all(&mut queue, &events(0)), all);
    assert_eq!(queue.flush().await.unsent.len(), 3);
    // Without a lookup, three duplicates that are not deliveries would count as such: the receipt lists them as unverified.
    let mut queue = client.usage_queue().flush_timeout(None).trust_duplicates_unverified();
    push_all(&mut queue, &events(0));
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "0 delivered, 0 already delivered, 0 rejected, 0 unsent, 3 unverified");
    assert_eq!((receipt.is_complete(), queue.pending()), (false, 0));
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_trusted_on_request_without_lost_responses() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let other = group_for(&event, json!({"records": {"gb": 4}, "metaInfo": {"originRecords": {"gb": 4}}}));
    for (responses, trusts, expected) in [
        (vec![ScriptedResponse::json(409, "\"there\"")], true, "0 rejected, 0 unsent, 1 unverified"),
        (vec![ScriptedResponse::json(409, "\"there\"")], false, "1 rejected, 0 unsent"),
        // A proxy's page is not a response of Suger.
        (vec![ScriptedResponse::new(409, &[], "<html>conflict</html>")], true, "1 rejected, 0 unsent"),
        (vec![ScriptedResponse::dropped(), ScriptedResponse::json(409, "\"there\"")], true, "1 rejected, 0 unsent"),
    ] {
        let (listed, posts) = (page_of(std::slice::from_ref(&other)), Mutex::new(responses.into_iter()));
        let server = listing(listed, move |_| posts.lock().unwrap().next().expect("no more is sent"));
        let queue = new_queue(&server);
        let mut queue = if trusts { queue.trust_duplicates_unverified() } else { queue };
        queue.push(event.clone()).unwrap();
        let receipt = queue.flush().await;
        assert_eq!(receipt.to_string(), format!("0 delivered, 0 already delivered, {expected}"));
        assert!(!receipt.is_complete());
        let message = receipt.rejected.first().map(|one| one.error.to_string()).unwrap_or_default();
        assert!(receipt.rejected.is_empty() || message.contains("gb is 4 there, not 5"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_within_one_second_are_merged_or_rejected() {
    let server = ScriptedServer::start(stored_as_sent);
    let mut queue = new_queue(&server);
    let mut pushed = 0;
    for part in 0..4 {
        let at = timestamp(0) + chrono::TimeDelta::milliseconds(250 * part);
        match queue.push(UsageEvent::new("e-1", at).quantity("gb", 1)) {
            Ok(_) => pushed += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Request);
                assert!(error.to_string().contains("with a fraction of a second"), "{error}");
            }
        }
    }
    assert_eq!((pushed, queue.flush().await.delivered.len(), server.requests().len()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn duplicate_is_not_trusted_after_a_lost_response() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let (page, behaviors) = (page_of(&[group_for(&event, json!({"status": "INVALID"}))]), Mutex::new(0));
    let server = listing(page, move |_| {
        let mut behaviors = behaviors.lock().unwrap();
        *behaviors += 1;
        if *behaviors > 4 { ScriptedResponse::json(409, "\"it is there\"") } else { ScriptedResponse::dropped() }
    });
    let mut queue = new_queue(&server).trust_duplicates_unverified();
    queue.push(event).unwrap();
    assert_eq!(queue.flush().await.unsent.len(), 1);
    assert_eq!(queue.flush().await.to_string(), "0 delivered, 0 already delivered, 1 rejected, 0 unsent");
}

#[tokio::test(start_paused = true)]
async fn equal_events_of_one_second_are_merged_in_the_receipt() {
    let server = ScriptedServer::start(stored_as_sent);
    let mut queue = new_queue(&server);
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 1);
    let id = queue.push(event.clone()).unwrap();
    for _ in 0..3 {
        queue.push(event.clone()).unwrap();
    }
    queue.push(event.clone().sequence(1)).unwrap();
    let receipt = queue.flush().await;
    assert_eq!(receipt.to_string(), "2 delivered, 0 already delivered, 0 rejected, 0 unsent, 1 merged");
    assert_eq!((receipt.merged.into_iter().collect::<Vec<_>>(), server.requests().len()), (vec![(id, 3)], 2));
    // A removed event is not merged.
    let other = event.clone().sequence(2);
    let id_of_other = queue.push(other.clone()).unwrap();
    queue.push(other.clone()).unwrap();
    queue.remove(id_of_other);
    queue.push(other).unwrap();
    assert!(queue.flush().await.merged.is_empty());
}

#[tokio::test(start_paused = true)]
async fn equal_events_of_two_flushes_are_merged_in_the_receipt() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 1);
    let (listed, posts) = (page_of(&[group_for(&event, json!({}))]), Mutex::new(0));
    let server = ScriptedServer::start(move |request| {
        let mut posts = posts.lock().unwrap();
        *posts += usize::from(request.method == "POST");
        match (request.method.as_str(), *posts) {
            ("GET", _) => ScriptedResponse::json(200, &listed),
            // The first two flushes do not resolve it.
            (_, 1 | 2) => ScriptedResponse::json(403, "\"no\""),
            (_, 3) => stored_as_sent(request),
            _ => ScriptedResponse::json(409, "\"it is there\""),
        }
    });
    for trusts in [false, true] {
        let queue = new_queue(&server);
        let mut queue = if trusts { queue.trust_duplicates_unverified() } else { queue };
        let id = queue.push(event.clone()).unwrap();
        let first = queue.flush().await;
        if !trusts {
            // It is sent again, but not pushed again.
            assert_eq!((queue.flush().await.merged.len(), queue.flush().await.merged.len()), (0, 0));
        }
        assert!(first.merged.is_empty() && queue.pending() == 0);
        for _ in 0..2 {
            queue.push(event.clone()).unwrap();
        }
        let again = queue.flush().await;
        let line = "0 delivered, 1 already delivered, 0 rejected, 0 unsent, 1 merged";
        assert_eq!((again.to_string().as_str(), again.merged), (line, [(id, 2)].into()));
    }
}

#[tokio::test(start_paused = true)]
async fn group_that_may_be_mapped_does_not_use_up_the_id() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("calls", 4000);
    // The dimension is mapped to itself, in thousands.
    let group = group_for(&event, json!({"records": {"calls": 4}, "metaInfo": {"timestamp": timestamp(0)}}));
    let server =
        listing(page_of(std::slice::from_ref(&group)), move |_| ScriptedResponse::json(200, &group.to_string()));
    let mut queue = new_queue(&server);
    queue.push(event.clone()).unwrap();
    let receipt = queue.flush().await;
    assert_eq!(
        (receipt.to_string().as_str(), queue.pending()),
        ("0 delivered, 0 already delivered, 0 rejected, 1 unsent", 1)
    );
    let line = receipt.unsent[0].error.to_string();
    assert!(line.contains("does not state the quantities that were reported"), "{line}");
    assert!(line.contains("calls is 4 there, not 4000"), "{line}");
    assert!(!line.contains("send the missing usage"), "{line}");
    assert_eq!(scripted(&server).confirm(&event).await.unwrap_err().kind(), ErrorKind::NotReady);
}

#[tokio::test(start_paused = true)]
async fn other_quantities_are_rejected_if_no_dimension_is_mapped() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let bare = |records: Value| json!({"id": event.id("acme"), "entitlementID": "e-1", "status": "CREATED", "records": records, "creationTime": now()});
    let config = |source: &str, is_enabled: bool| {
        let mapping = json!({source: [{"dimensionKey": "gb", "convertionMultiplier": 0.8}]});
        json!({"partnerUsageMeteringConfigs": [{"partner": "AWS", "enableDimensionMapping": is_enabled, "dimensionMappingV2": mapping}]})
    };
    for (records, settings, rejected) in [
        (json!({"gb": 4}), ScriptedResponse::json(200, &config("calls", true).to_string()), 1),
        (json!({"gb": 4}), ScriptedResponse::json(200, &config("gb", true).to_string()), 0),
        // It may have been switched off after the group was stored.
        (json!({"gb": 4}), ScriptedResponse::json(200, &config("gb", false).to_string()), 0),
        (json!({"gb": 4}), ScriptedResponse::json(200, "{}"), 0),
        (json!({"gb": 4}), ScriptedResponse::json(400, "\"no\""), 0),
        (json!({"storage": 4}), ScriptedResponse::json(200, &config("calls", true).to_string()), 0),
    ] {
        let group = bare(records.clone());
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" if request.target.contains("/usageMeteringConfigInfo") => settings.clone(),
            "GET" => ScriptedResponse::json(200, &page_of(std::slice::from_ref(&group))),
            _ => ScriptedResponse::json(409, ""),
        });
        let receipt = flushed(new_queue(&server), [&event]).await;
        assert_eq!((receipt.rejected.len(), receipt.unsent.len()), (rejected, 1 - rejected), "{records}: {receipt:?}");
        if let Some(one) = receipt.rejected.first() {
            assert!(one.error.to_string().contains("with other quantities: gb is 4 there, not 5"), "{}", one.error);
        }
        let kind = scripted(&server).confirm(&event).await.unwrap_err().kind();
        assert_eq!(kind, if rejected == 1 { ErrorKind::Failed } else { ErrorKind::NotReady });
    }
}
