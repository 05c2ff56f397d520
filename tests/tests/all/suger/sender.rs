//! The background sender: it loses nothing, sends nothing twice and blocks no caller.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;
use tokio::time::Instant;
use usage_billing::suger::{Client, Receipt, Receipts, UsageEvent, UsageSender, UsageSenderBuilder};
use usage_billing::{ErrorKind, RetryPolicy};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, now, untimed};

use super::{
    assert_there_once, client, events, group_for, ids, listing, new_queue, page_of, sandbox, scripted, stored_as_sent,
    timestamp, with_retries,
};

#[path = "../../../../crates/usage-billing/examples/isv_metering_service.rs"]
#[allow(dead_code, reason = "its main is for the example itself")]
mod isv_metering_service;

const MINUTE: Duration = Duration::from_secs(60);

fn event(number: i64) -> UsageEvent {
    UsageEvent::new("e-1", timestamp(number)).quantity("gb", 1)
}

/// Returns a sender without time limits, which the paused clock would reach while a socket is waited for.
fn sender_to(server: &ScriptedServer) -> UsageSenderBuilder {
    scripted(server).usage_queue().flush_timeout(None).into_sender()
}

/// Starts a server that stores events once `release` is used or dropped.
fn blocked_server() -> (ScriptedServer, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (arrive, arrived) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let server = ScriptedServer::start(move |request| {
        let _ = arrive.send(());
        let _ = released.lock().unwrap().recv();
        stored_as_sent(request)
    });
    (server, arrived, release)
}

/// Waits for a request without blocking the runtime.
async fn arrival(arrived: &mpsc::Receiver<()>) {
    while arrived.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
}

async fn rest(receipts: &mut Receipts) -> Vec<Receipt> {
    let mut all = Vec::new();
    while let Some(receipt) = receipts.next().await {
        all.push(receipt);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn queued_usage_is_sent_at_the_interval_with_a_receipt() {
    let server = ScriptedServer::start(stored_as_sent);
    let (sender, mut receipts) = sender_to(&server).interval(MINUTE * 5).spawn().unwrap();
    let start = Instant::now();
    let pushed: BTreeSet<_> = (0..3).map(|number| sender.push(event(number)).unwrap()).collect();
    assert_eq!(sender.pending(), 3);
    let receipt = receipts.next().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 300);
    assert_eq!((BTreeSet::from_iter(receipt.delivered.clone()), receipt.is_complete()), (pushed, true));
    assert_eq!(sender.pending(), 0);
    let last = sender.shutdown(Duration::MAX).await;
    assert_eq!(last.total(), 0);
    assert!(receipts.next().await.is_none());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn failed_flush_is_repeated_without_duplicates() {
    let sandbox = sandbox().await;
    sandbox.inject("503; after_effect; times=2; operation=reportUsageRecordGroup".parse().unwrap()).unwrap();
    let queue = with_retries(&sandbox, RetryPolicy::none()).usage_queue().flush_timeout(None).concurrency(1);
    let (sender, mut receipts) = queue.into_sender().spawn().unwrap();
    let start = Instant::now();
    let pushed: BTreeSet<_> = events(1).into_iter().map(|event| sender.push(event).unwrap()).collect();
    let first = receipts.next().await.unwrap();
    assert_eq!((first.delivered.len(), first.unsent.len(), start.elapsed().as_secs()), (1, 2, 60));
    assert_eq!(sender.pending(), 2);
    let second = receipts.next().await.unwrap();
    assert_eq!((second.already_delivered.len(), second.unsent.len(), start.elapsed().as_secs()), (2, 0, 120));
    let resolved = [first.delivered, second.already_delivered].concat();
    assert_eq!(BTreeSet::from_iter(resolved), pushed);
    assert!(sender.shutdown(Duration::MAX).await.is_complete());
    assert_there_once(&client(&sandbox), &events(1)).await;
}

#[tokio::test(start_paused = true)]
async fn unavailable_vendor_is_called_once_per_interval() {
    let is_up = Arc::new(AtomicBool::new(false));
    let up = is_up.clone();
    let server = ScriptedServer::start(move |request| match (up.load(SeqCst), request.method.as_str()) {
        (true, "POST") => stored_as_sent(request),
        (true, _) => ScriptedResponse::json(200, &page_of(&[])),
        (false, _) => ScriptedResponse::new(429, &[("retry-after", "900")], r#""slow down""#),
    });
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    let start = Instant::now();
    for number in 0..50 {
        sender.push(event(number)).unwrap();
    }
    let down = receipts.next().await.unwrap();
    assert_eq!((down.unsent.len(), start.elapsed().as_secs()), (50, 60));
    let sent = server.requests().len();
    assert!(sent <= 8, "the circuit breaker ends the flush: {sent}");
    is_up.store(true, SeqCst);
    let up = receipts.next().await.unwrap();
    assert_eq!((up.delivered.len(), up.unsent.len()), (50, 0));
    assert_eq!(start.elapsed().as_secs(), 60 + 900, "the vendor's Retry-After is longer than the interval");
}

#[tokio::test(start_paused = true)]
async fn event_that_stays_open_is_looked_up_after_growing_delays() {
    let (failed, is_requeued) = (event(1), Arc::new(AtomicBool::new(false)));
    let (group, requeued) = (failed.clone(), is_requeued.clone());
    let server = ScriptedServer::start(move |request| {
        let status = if requeued.load(SeqCst) { "REPORT_PENDING" } else { "REPORT_FAILED" };
        match request.method.as_str() {
            "GET" => ScriptedResponse::json(200, &page_of(&[group_for(&group, json!({"status": status}))])),
            _ if request.body.contains(&group.id("acme").to_string()) => ScriptedResponse::json(409, "\"it is there\""),
            _ => stored_as_sent(request),
        }
    });
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    sender.push(failed.clone()).unwrap();
    let start = Instant::now();
    let mut lists = vec![0; 300];
    for minute in 1..300 {
        let receipt = receipts.next().await.unwrap();
        // The event is in every receipt, with its last reason.
        assert_eq!((receipt.unsent.len(), start.elapsed().as_secs()), (1, minute * 60), "{receipt:?}");
        assert!(receipt.unsent[0].error.to_string().contains("could not report it to the marketplace"));
        lists[usize::try_from(minute).unwrap()] = server.requests().len() / 2;
    }
    let looked_up: Vec<_> = (1..300).filter(|minute| lists[*minute] > lists[minute - 1]).collect();
    assert_eq!(looked_up, [1, 2, 3, 5, 9, 17, 33, 65, 125, 185, 245]);
    // Other events of the entitlement are sent at once, and a request of the caller is not delayed.
    sender.push(event(2)).unwrap();
    let receipt = receipts.next().await.unwrap();
    assert_eq!((receipt.delivered.len(), receipt.unsent.len()), (1, 1));
    is_requeued.store(true, SeqCst);
    sender.flush_now();
    assert_eq!(receipts.next().await.unwrap().already_delivered, [failed.id("acme")]);
    assert_eq!(sender.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn unconfirmed_event_is_resent_every_five_minutes() {
    // A proxy rejects what is sent.
    let server = listing(page_of(&[]), |_| ScriptedResponse::new(400, &[], "<html>Request blocked</html>"));
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    sender.push(event(1)).unwrap();
    let (mut sent, mut sent_in) = (0, Vec::new());
    for minute in 1..30 {
        assert_eq!(receipts.next().await.unwrap().unsent.len(), 1);
        let before = std::mem::replace(&mut sent, server.requests().len() / 2);
        sent_in.extend((sent > before).then_some(minute));
    }
    assert_eq!(sent_in, [1, 2, 3, 5, 9, 14, 19, 24, 29]);
}

#[tokio::test(start_paused = true)]
async fn request_to_flush_an_empty_queue_is_not_kept() {
    let server = ScriptedServer::start(stored_as_sent);
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    let start = Instant::now();
    sender.flush_now();
    sender.push(event(1)).unwrap();
    assert_eq!(format!("{sender:?} {receipts:?}"), "UsageSender { pending: 1, .. } Receipts { .. }");
    assert_eq!(receipts.next().await.unwrap().delivered.len(), 1);
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn full_queue_returns_the_event_at_once() {
    let (server, arrived, release) = blocked_server();
    let (sender, mut receipts) = sender_to(&server).capacity(2).spawn().unwrap();
    sender.push(event(1)).unwrap();
    // It fills half of the capacity, so it is sent before the interval.
    arrival(&arrived).await;
    sender.push(event(2)).unwrap();
    let full = sender.push(event(3)).unwrap_err();
    assert_eq!((full.error.kind(), &full.event), (ErrorKind::Limit, &event(3)));
    assert!(sender.push(event(2)).is_ok(), "it is queued already");
    drop(release);
    assert_eq!(receipts.next().await.unwrap().delivered.len(), 1);
    assert!(sender.push(full.event).is_ok());
    assert_eq!(sender.shutdown(Duration::MAX).await.delivered.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn event_pushed_again_in_flight_is_sent_once() {
    let (server, arrived, release) = blocked_server();
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    let id = sender.push(event(1)).unwrap();
    sender.flush_now();
    arrival(&arrived).await;
    assert_eq!(sender.push(event(1)).unwrap(), id);
    let other = sender.push(event(1).quantity("gb", 2)).unwrap_err();
    assert_eq!(other.error.kind(), ErrorKind::Request);
    drop(release);
    assert_eq!(receipts.next().await.unwrap().delivered, [id]);
    let last = sender.shutdown(Duration::MAX).await;
    assert_eq!((last.total(), last.merged), (0, [(id, 1)].into()));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn event_that_keeps_failing_can_be_removed() {
    let server =
        ScriptedServer::start(move |request| match (request.method.as_str(), request.target.contains("/bad/")) {
            ("POST", true) => ScriptedResponse::json(403, "\"no\""),
            ("POST", false) => stored_as_sent(request),
            _ => ScriptedResponse::json(200, &page_of(&[])),
        });
    let (sender, mut receipts) = sender_to(&server).capacity(3).spawn().unwrap();
    let bad = |number| UsageEvent::new("bad", timestamp(number)).quantity("gb", 1);
    let [first, second] = [1, 2].map(|number| sender.push(bad(number)).unwrap());
    assert_eq!(receipts.next().await.unwrap().unsent.len(), 2);
    let third = sender.push(bad(3)).unwrap();
    assert!(sender.remove(first) && sender.remove(third) && !sender.remove(uuid::Uuid::nil()));
    let receipt = receipts.next().await.unwrap();
    assert_eq!((ids(&receipt.removed), receipt.is_complete()), ([first, third].into(), false));
    let line = |id| receipt.removed.iter().find(|one| one.id == id).map(|one| one.error.message().to_owned()).unwrap();
    assert!(
        line(first).contains("may still be at Suger") && line(third).ends_with("before this sender sent it"),
        "{receipt:?}"
    );
    assert_eq!(sender.pending(), 1);
    // The id of an event that was never sent is free, and so is its capacity.
    assert!(sender.push(bad(1).quantity("gb", 2)).is_err());
    sender.push(bad(3).quantity("gb", 2)).unwrap();
    sender.push(event(4)).unwrap();
    assert_eq!(receipts.next().await.unwrap().delivered.len(), 1);
    let start = Instant::now();
    assert!(sender.remove(second));
    assert_eq!(ids(&receipts.next().await.unwrap().removed), [second].into());
    assert_eq!(start.elapsed(), Duration::ZERO, "without waiting for the interval");
    let last = sender.shutdown(Duration::MAX).await;
    assert_eq!((last.removed.len(), last.unsent.len()), (0, 1));
    assert!(!sender.remove(third), "it has ended");
}

#[tokio::test(start_paused = true)]
async fn id_used_up_at_suger_is_rejected_by_push() {
    let invalid = || super::group_for(&event(1), serde_json::json!({"status": "INVALID"}));
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "POST" => ScriptedResponse::json(200, &invalid().to_string()),
        _ => ScriptedResponse::json(200, &page_of(&[invalid()])),
    });
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    let id = sender.push(event(1)).unwrap();
    assert_eq!(ids(&receipts.next().await.unwrap().rejected), [id].into());
    let error = sender.push(event(1)).unwrap_err().error;
    assert!(error.message().starts_with("the event's id is used up at Suger"), "{error}");
    assert_eq!(sender.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn shutdown_sends_the_queue_and_rejects_further_events() {
    let server = ScriptedServer::start(stored_as_sent);
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    sender.push(event(1)).unwrap();
    sender.push(event(2)).unwrap();
    let last = sender.shutdown(Duration::MAX).await;
    assert_eq!((last.delivered.len(), last.is_complete()), (2, true));
    let late = sender.push(event(3)).unwrap_err();
    assert_eq!((late.error.kind(), &late.event), (ErrorKind::Request, &event(3)));
    assert_eq!(sender.shutdown(Duration::MAX).await.total(), 0);
    assert!(rest(&mut receipts).await.is_empty(), "the last receipt is returned, and not in the stream");
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_at_its_limit_and_returns_unsent_events() {
    let (server, arrived, release) = blocked_server();
    let (sender, _) = sender_to(&server).spawn().unwrap();
    let pushed: BTreeSet<_> = (0..20).map(|number| sender.push(event(number)).unwrap()).collect();
    sender.flush_now();
    arrival(&arrived).await;
    let waiting = sender.push(event(20)).unwrap();
    let start = Instant::now();
    let last = sender.shutdown(Duration::from_secs(7)).await;
    assert_eq!(start.elapsed().as_secs(), 7);
    assert_eq!(ids(&last.unsent), pushed.into_iter().chain([waiting]).collect());
    assert!(last.unsent.iter().all(|left| left.error.kind() == ErrorKind::WaitTimeout), "{last:?}");
    drop(release);
}

#[tokio::test(start_paused = true)]
async fn shutdown_without_time_sends_nothing() {
    let server = ScriptedServer::start(stored_as_sent);
    let (sender, _) = sender_to(&server).spawn().unwrap();
    let id = sender.push(event(1)).unwrap();
    assert_eq!(ids(&sender.shutdown(Duration::ZERO).await.unsent), [id].into());
    assert!(server.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn dropped_shutdown_continues_and_returns_its_receipt_later() {
    let (server, arrived, release) = blocked_server();
    let (sender, _) = sender_to(&server).spawn().unwrap();
    let id = sender.push(event(1)).unwrap();
    assert!(sender.shutdown(Duration::MAX).now_or_never().is_none());
    arrival(&arrived).await;
    drop(release);
    assert_eq!(sender.shutdown(Duration::ZERO).await.delivered, [id]);
}

#[tokio::test(start_paused = true)]
async fn dropped_sender_stops_and_its_last_receipt_lists_the_queue() {
    let (server, arrived, release) = blocked_server();
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    let mut pushed: BTreeSet<_> = [sender.push(event(1)).unwrap()].into();
    sender.flush_now();
    arrival(&arrived).await;
    pushed.insert(sender.push(event(2)).unwrap());
    drop(sender);
    let left = rest(&mut receipts).await;
    assert_eq!((left.len(), ids(&left[0].unsent)), (1, pushed));
    assert_eq!(left[0].unsent[0].error.kind(), ErrorKind::NotReady);
    drop(release);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn end_of_the_runtime_loses_nothing() {
    let start = |runtime: &tokio::runtime::Runtime| {
        let server = ScriptedServer::start(stored_as_sent);
        let _context = runtime.enter();
        sender_to(&server).spawn().unwrap()
    };
    for builder in [tokio::runtime::Builder::new_current_thread, tokio::runtime::Builder::new_multi_thread] {
        let runtime = builder().enable_all().build().unwrap();
        let other = builder().enable_all().build().unwrap();
        let (sender, mut receipts) = start(&runtime);
        let id = sender.push(event(1)).unwrap();
        drop(runtime);
        assert_eq!(sender.push(event(2)).unwrap_err().error.kind(), ErrorKind::Request);
        assert_eq!(ids(&other.block_on(sender.shutdown(MINUTE)).unsent), [id].into());
        assert!(other.block_on(receipts.next()).is_none());

        let runtime = builder().enable_all().build().unwrap();
        let (sender, mut receipts) = start(&runtime);
        let id = sender.push(event(1)).unwrap();
        drop(runtime);
        drop(sender);
        assert_eq!(ids(&other.block_on(receipts.next()).unwrap().unsent), [id].into(), "in the stream, if not taken");
    }
    // A runtime that never ran the task.
    let (runtime, other) =
        [(); 2].map(|()| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()).into();
    let (sender, _receipts) = start(&runtime);
    let id = sender.push(event(1)).unwrap();
    assert!(sender.remove(id));
    drop(runtime);
    let last = other.block_on(sender.shutdown(MINUTE));
    assert_eq!((ids(&last.removed), last.unsent.len()), ([id].into(), 0));
}

#[tokio::test(start_paused = true)]
async fn sender_merges_events_that_its_queue_delivered() {
    let server = ScriptedServer::start(stored_as_sent);
    let mut queue = new_queue(&server);
    queue.push(event(1)).unwrap();
    assert_eq!(queue.flush().await.delivered.len(), 1);
    let (sender, _receipts) = queue.into_sender().spawn().unwrap();
    let error = sender.push(event(1).quantity("gb", 6)).unwrap_err().error;
    assert!(error.to_string().starts_with("an event with this id has other quantities"), "{error}");
    assert_eq!(sender.pending(), 0);
    sender.push(event(1)).unwrap();
    let last = sender.shutdown(Duration::MAX).await;
    assert_eq!((last.delivered.len(), last.merged.len(), sender.pending()), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn sent_event_is_unconfirmed_at_the_end_of_a_shutdown() {
    let server = ScriptedServer::start(|_| ScriptedResponse::dropped());
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    sender.push(event(1)).unwrap();
    sender.flush_now();
    assert_eq!(receipts.next().await.unwrap().unsent.len(), 1);
    let last = sender.shutdown(Duration::ZERO).await;
    let line = last.unsent[0].error.to_string();
    assert!(line.starts_with("not confirmed within 0 s"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn removed_event_with_a_lost_attempt_may_be_at_suger() {
    let server = ScriptedServer::start(|_| ScriptedResponse::dropped());
    let client = scripted(&server);
    client.send_usage(&event(1)).await.unwrap_err();
    let (sender, mut receipts) =
        client.usage_queue().flush_timeout(None).into_sender().interval(Duration::MAX).spawn().unwrap();
    let id = sender.push(event(1)).unwrap();
    assert!(sender.remove(id));
    let line = receipts.next().await.unwrap().removed[0].error.to_string();
    assert!(line.contains("may still be at Suger"), "{line}");
    assert!(sender.push(event(1).quantity("gb", 6)).is_err(), "its id is not free");
}

#[test]
fn sender_is_not_started_outside_of_a_runtime() {
    let server = ScriptedServer::start(stored_as_sent);
    assert_eq!(sender_to(&server).spawn().unwrap_err().kind(), ErrorKind::Config);
}

/// Pushes from many concurrent tasks while the vendor fails intermittently.
async fn storm() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let stored = Arc::new(Mutex::new(Vec::new()));
    let log = stored.clone();
    let respond = move |request: &Request| {
        if request.method == "GET" {
            return ScriptedResponse::json(200, &page_of(&log.lock().unwrap()));
        }
        let group = super::group_of(request, serde_json::json!({}));
        let number = CALLS.fetch_add(1, SeqCst);
        if number % 7 == 3 {
            return ScriptedResponse::json(503, "{}");
        }
        let mut log = log.lock().unwrap();
        if log.iter().any(|known| known["id"] == group["id"]) {
            return ScriptedResponse::json(409, r#""exists""#);
        }
        log.push(group.clone());
        // The event is stored, but the response is lost.
        if number % 11 == 5 { ScriptedResponse::dropped() } else { ScriptedResponse::json(200, &group.to_string()) }
    };
    let server = ScriptedServer::start(respond);
    // There are no delays between attempts: busy tasks keep a paused clock from advancing.
    let builder = untimed(Client::builder("acme", "hush").base_url(server.url())).retry(RetryPolicy::none());
    let queue = builder.build().unwrap().with_now(now()).with_list_timeout(None).usage_queue().flush_timeout(None);
    let (sender, mut receipts) = queue.into_sender().capacity(64).spawn().unwrap();
    let sender = Arc::new(sender);
    let pushers = (0..4).map(|pusher| {
        let sender = sender.clone();
        tokio::spawn(async move {
            for number in 0..25 {
                let mut event = event(pusher * 100 + number);
                while let Err(full) = sender.push(event) {
                    assert_eq!(full.error.kind(), ErrorKind::Limit);
                    event = full.event;
                    sender.flush_now();
                    tokio::task::yield_now().await;
                }
            }
        })
    });
    let reader = tokio::spawn(async move { rest(&mut receipts).await });
    for pusher in futures_util::future::join_all(pushers).await {
        pusher.unwrap();
    }
    let mut all = vec![sender.shutdown(Duration::MAX).await];
    all.extend(reader.await.unwrap());
    let resolved: Vec<_> =
        all.iter().flat_map(|receipt| receipt.delivered.iter().chain(&receipt.already_delivered)).copied().collect();
    let left = ids(&all[0].unsent);
    let expected: BTreeSet<_> =
        (0..4).flat_map(|pusher| (0..25).map(move |number| event(pusher * 100 + number).id("acme"))).collect();
    assert_eq!(resolved.len() + left.len(), expected.len(), "each once: {all:?}");
    assert_eq!(resolved.into_iter().chain(left).collect::<BTreeSet<_>>(), expected);
    let stored = stored.lock().unwrap();
    let there: BTreeSet<_> = stored.iter().map(|group| group["id"].to_string()).collect();
    assert_eq!(there.len(), stored.len(), "nothing is stored twice");
}

#[tokio::test(start_paused = true)]
async fn parallel_pushes_and_faults_lose_nothing_on_one_thread() {
    storm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_pushes_and_faults_lose_nothing_on_several_threads() {
    storm().await;
}

#[tokio::test(start_paused = true)]
async fn slow_reader_gets_the_receipts_of_several_flushes_as_one() {
    let server = ScriptedServer::start(stored_as_sent);
    let (sender, mut receipts) = sender_to(&server).capacity(4).spawn().unwrap();
    for number in 0..6 {
        sender.push(event(number)).unwrap();
        sender.flush_now();
        while sender.pending() > 0 {
            tokio::task::yield_now().await;
        }
    }
    // Two events, each with its entry of late usage.
    assert_eq!(receipts.missed(), 4);
    let receipt = receipts.next().await.unwrap();
    assert_eq!(receipt.delivered, [2, 3, 4, 5].map(|number| event(number).id("acme")));
}

#[tokio::test(start_paused = true)]
async fn absent_reader_does_not_stop_the_sender() {
    let server = ScriptedServer::start(stored_as_sent);
    let (sender, receipts) = sender_to(&server).capacity(2).spawn().unwrap();
    drop(receipts);
    for number in 0..9 {
        sender.push(event(number)).unwrap();
        while sender.pending() > 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(server.requests().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn events_queued_before_the_start_are_sent_at_once() {
    let server = ScriptedServer::start(stored_as_sent);
    let mut queue = new_queue(&server);
    let id = queue.push(event(1)).unwrap();
    let start = Instant::now();
    let (sender, mut receipts) = queue.into_sender().capacity(1).spawn().unwrap();
    assert_eq!(sender.pending(), 1);
    assert_eq!(receipts.next().await.unwrap().delivered, [id]);
    assert_eq!(start.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn receipts_are_a_cancel_safe_stream() {
    let server = ScriptedServer::start(stored_as_sent);
    let (sender, receipts) = sender_to(&server).spawn().unwrap();
    let id = sender.push(event(1)).unwrap();
    let mut receipts = pin!(receipts);
    assert!(receipts.next().now_or_never().is_none());
    sender.flush_now();
    let polled = poll_fn(|context| match futures_util::Stream::poll_next(receipts.as_mut(), context) {
        Poll::Ready(receipt) => Poll::Ready(receipt),
        Poll::Pending => Poll::Pending,
    });
    assert_eq!(polled.await.unwrap().delivered, [id]);
}

/// The sender can be shared, and its futures spawned.
#[test]
fn handle_and_stream_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<UsageSender>();
    check::<Receipts>();
    fn is_send<T: Send>(_: &T) {}
    let server = ScriptedServer::start(stored_as_sent);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    let (sender, mut receipts) = sender_to(&server).spawn().unwrap();
    is_send(&sender.shutdown(MINUTE));
    is_send(&receipts.next());
}

#[tokio::test(start_paused = true)]
async fn example_of_a_service_delivers_all_usage() {
    let sandbox = sandbox().await;
    let all: Vec<_> = (0..3).flat_map(events).collect();
    let metered = futures_util::stream::iter(all.clone());
    let last = isv_metering_service::serve(&client(&sandbox), metered, Duration::MAX).await.unwrap();
    assert_eq!((last.delivered.len(), last.is_complete()), (all.len(), true), "{last:?}");
    assert_there_once(&client(&sandbox), &all).await;
}
