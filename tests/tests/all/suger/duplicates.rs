//! Duplicates of an event.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use usage_billing::ErrorKind;
use usage_billing::suger::types::UsageRecordGroupStatus as Status;
use usage_billing::suger::{Delivery, UsageEvent};

use super::{ORG, client, events, push_all, sandbox, timestamp};

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
