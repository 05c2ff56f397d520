//! The sender against a scripted vendor, on tokio's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use usage_billing::suger::MarketplaceWindows;
use usage_billing::{Decimal, ErrorKind, chrono};
use usage_billing_outbox::{
    BatchOutcome, Clock, HourlyReports, MeteredUsage, Outbox, Outcome, Problem, Sender, SqliteStore, State, Store,
};

use super::sqlite::open;
use super::vendor::{Fault, REJECTED, Vendor};
use super::{ORG, at, new_event, usage};

/// Returns an outbox whose clock follows tokio's from `start` on.
pub(crate) fn outbox<S: Store>(store: S, start: DateTime<Utc>) -> Outbox<S> {
    let began = Instant::now();
    Outbox::new(store).clock(Clock::new(move || start + began.elapsed()))
}

/// Starts a sender without time limits.
pub(crate) async fn started<S: Store>(outbox: &Outbox<S>, client: usage_billing::suger::Client) -> Sender<S> {
    outbox.sender(client).flush_timeout(Duration::MAX).start().await.unwrap()
}

/// Sends until no event is open, or `rounds` times.
pub(crate) async fn drain<S: Store>(outbox: &Outbox<S>, sender: &mut Sender<S>, rounds: usize) {
    for _ in 0..rounds {
        let Some(next_at) = sender.send_due().await.unwrap().next_at else { return };
        let now = outbox.status().await.unwrap().as_of;
        tokio::time::sleep((next_at - now).to_std().unwrap_or_default()).await;
    }
}

async fn state(outbox: &Outbox<SqliteStore>, entitlement: &str, number: i64) -> State {
    outbox.store().event(new_event(entitlement, number).key, None).await.unwrap().unwrap().0.progress.state
}

#[tokio::test(start_paused = true)]
async fn enqueued_events_are_delivered_oldest_first() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(0));
    let vendor = Vendor::start("AWS", |_| Fault::None);
    let events: Vec<_> = [3, 1, 2].map(|number| usage("e-1", number)).to_vec();
    outbox.enqueue(&events).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    let sent = sender.send_due().await.unwrap();
    assert_eq!((sent.attempted, sent.settled, sent.next_at), (3, 3, None));
    assert_eq!(vendor.sum(), events.iter().flat_map(|event| event.quantities().values()).sum::<Decimal>());
    let status = outbox.status().await.unwrap();
    assert_eq!((status.backlog.states[&State::Delivered], status.problems), (3, vec![]));
    let mut bodies = vendor.sent();
    bodies.sort_by_key(|body| body.find("timestamp").map(|at| body[at..].to_owned()));
    assert_eq!(bodies, [1, 2, 3].map(|number| new_event("e-1", number).body), "the stored bytes");
}

#[tokio::test(start_paused = true)]
async fn each_fault_ends_in_one_delivery_with_the_same_bytes() {
    for fault in Fault::ALL {
        let (store, _folder) = open().await;
        let outbox = outbox(store, at(0));
        let posts = AtomicUsize::new(0);
        let vendor = Vendor::start("AWS", move |request| {
            let is_first = request.method == "POST" && posts.fetch_add(1, Ordering::SeqCst) < 1;
            if is_first { fault } else { Fault::None }
        });
        outbox.enqueue(&[usage("e-1", 0), usage("e-2", 0)]).await.unwrap();
        let mut sender = started(&outbox, vendor.client()).await;
        drain(&outbox, &mut sender, 20).await;
        let states = outbox.status().await.unwrap().backlog.states;
        assert_eq!(states[&State::Delivered] + states[&State::AlreadyDelivered], 2, "{fault:?}: {states:?}");
        assert_eq!(vendor.groups().len(), 2, "{fault:?}");
        assert_eq!(vendor.sum(), Decimal::new(200_002, 4), "{fault:?}");
        for body in vendor.sent() {
            assert!([new_event("e-1", 0).body, new_event("e-2", 0).body].contains(&body), "{fault:?}: {body}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_entitlement_does_not_block_others() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(100 * 3600));
    let vendor = Vendor::start("STRIPE", |_| Fault::None);
    let bad: Vec<_> = (0..30).map(|number| usage(REJECTED, number)).collect();
    outbox.enqueue(&bad).await.unwrap();
    outbox.enqueue(&[usage("good", 50)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    sender.send_due().await.unwrap();
    assert_eq!(state(&outbox, "good", 50).await, State::Delivered);
    assert_eq!(state(&outbox, REJECTED, 0).await, State::Rejected);
    let status = outbox.status().await.unwrap();
    assert!(status.problems.contains(&Problem::NotBilled) && status.is_delivering, "{status:?}");
    let (_, attempts) = outbox.store().event(new_event(REJECTED, 0).key, None).await.unwrap().unwrap();
    assert_eq!((attempts[0].outcome, attempts[0].status), (Outcome::Rejected, Some(404)));
    assert_eq!(attempts[0].body_sha256, new_event(REJECTED, 0).body_sha256());
    assert!(attempts[0].message.as_deref().unwrap().contains("entitlement not found"), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn unreachable_entitlement_does_not_delay_others() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(100 * 3600));
    let vendor =
        Vendor::start("STRIPE", |request| if request.target.contains("dead") { Fault::Lost } else { Fault::None });
    let dead: Vec<_> = (0..1000).map(|number| usage("dead", number % 90).sequence(number as u32)).collect();
    outbox.enqueue(&dead).await.unwrap();
    outbox.enqueue(&[usage("good", 99)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    sender.send_due().await.unwrap();
    assert_eq!(state(&outbox, "good", 99).await, State::Delivered);
    assert!(vendor.sent().iter().filter(|body| body.contains("dead")).count() < 100, "the circuit breaker is open");
}

#[tokio::test(start_paused = true)]
async fn usage_beyond_the_window_expires_and_is_not_sent() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(6 * 3600));
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.enqueue(&[usage("e-1", 0), usage("e-1", 1)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    assert!(outbox.status().await.unwrap().problems.contains(&Problem::DeadlinePassed));
    sender.send_due().await.unwrap();
    assert_eq!((state(&outbox, "e-1", 0).await, state(&outbox, "e-1", 1).await), (State::Expired, State::Delivered));
    assert_eq!(vendor.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn vendor_outage_is_visible_and_ends_in_deliveries() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(3600));
    let is_down = Arc::new(AtomicUsize::new(1));
    let down = is_down.clone();
    let vendor =
        Vendor::start("AWS", move |_| if down.load(Ordering::SeqCst) == 1 { Fault::Lost } else { Fault::None });
    outbox.enqueue(&["a", "b", "c"].map(|id| usage(id, 0))).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    while outbox.status().await.unwrap().as_of < at(3 * 3600 + 60) {
        let next_at = sender.send_due().await.unwrap().next_at.unwrap();
        tokio::time::sleep((next_at - outbox.status().await.unwrap().as_of).to_std().unwrap()).await;
    }
    sender.run(async {}, Duration::from_secs(1)).await.unwrap();
    let status = outbox.status().await.unwrap();
    assert!(status.problems.contains(&Problem::VendorNotReached), "{status:?}");
    assert!(status.problems.contains(&Problem::HalfOfWindowPassed), "{status:?}");
    assert!(status.problems.contains(&Problem::SenderNotRunning), "it was stopped");
    // After 15, 30, 60, 120, 240 s and then 5 minutes, and the delays of the client's own retries.
    let key = new_event("a", 0).key;
    let attempts = outbox.store().event(key, None).await.unwrap().unwrap().1.len();
    assert!((10..40).contains(&attempts), "delays grow: {attempts}");
    drop(sender);
    is_down.store(0, Ordering::SeqCst);
    let mut sender = started(&outbox, vendor.client()).await;
    drain(&outbox, &mut sender, 20).await;
    assert_eq!((vendor.groups().len(), outbox.status().await.unwrap().backlog.oldest_timestamp), (3, None));
}

/// Starts a vendor that holds each POST until it is released, and states when the first one arrives.
fn holding_vendor() -> (Vendor, tokio::sync::oneshot::Receiver<()>, std::sync::mpsc::Sender<()>) {
    let (release, held) = std::sync::mpsc::channel();
    let (arrived, arrival) = tokio::sync::oneshot::channel();
    let mut arrived = Some(arrived);
    let vendor = Vendor::start("AWS", move |request| {
        if request.method == "POST" {
            arrived.take().map(|arrived| arrived.send(()));
            let _ = held.recv();
        }
        Fault::None
    });
    (vendor, arrival, release)
}

#[tokio::test(start_paused = true)]
async fn stop_ends_the_batch_in_its_time() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(0));
    let (vendor, arrival, release) = holding_vendor();
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    let stop = async {
        arrival.await.unwrap();
        Instant::now()
    };
    let stopped_at = std::sync::Mutex::new(None);
    let stop = async { *stopped_at.lock().unwrap() = Some(stop.await) };
    sender.run(stop, Duration::from_secs(20)).await.unwrap();
    assert_eq!(stopped_at.lock().unwrap().unwrap().elapsed().as_secs(), 20);
    assert_eq!(state(&outbox, "e-1", 0).await, State::Unknown, "it may have been sent");
    drop(release);
    drop(sender);
    let mut sender = started(&outbox, vendor.client()).await;
    drain(&outbox, &mut sender, 20).await;
    assert_eq!(vendor.groups().len(), 1);
    assert!(state(&outbox, "e-1", 0).await.is_final());
}

#[tokio::test(start_paused = true)]
async fn changed_row_is_not_sent() {
    let (store, folder) = open().await;
    let outbox = outbox(store, at(0));
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.enqueue(&[usage("e-1", 0), usage("e-1", 1)]).await.unwrap();
    let file = rusqlite::Connection::open(folder.path().join("usage.sqlite")).unwrap();
    file.execute("UPDATE event SET sequence = 7 WHERE id = 1", []).unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    sender.send_due().await.unwrap();
    assert_eq!((vendor.groups().len(), state(&outbox, "e-1", 1).await), (1, State::Delivered));
    let status = outbox.status().await.unwrap();
    assert!(status.backlog.failed_attempts[0].message.as_deref().unwrap().contains("is not sent"), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn reconciliation_compares_the_ledger_with_the_vendor() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(3600));
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.enqueue(&[usage("e-1", 0), usage(REJECTED, 0)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    drain(&outbox, &mut sender, 20).await;
    let period = usage_billing::Period::new(at(0), at(3600)).unwrap();
    let ledger = outbox.ledger(period).await.unwrap();
    let client = vendor.client().with_now(at(3600));
    let found = client.reconcile(period, &ledger.events).timeout(Duration::MAX).await.unwrap();
    assert_eq!(ledger.states, [(State::Delivered, 1), (State::Rejected, 1)].into());
    assert_eq!((found.pending.len(), found.missing.len()), (1, 1));
    assert!(!ledger.agrees(&found));

    let (rejected, delivered) = (new_event(REJECTED, 0).key, new_event("e-1", 0).key);
    for reason in [" ", "a\0b", &"x".repeat(1001)] {
        assert_eq!(outbox.resolve(rejected, None, reason).await.unwrap_err().kind(), ErrorKind::Request);
    }
    assert_eq!(outbox.resolve(rejected, None, "billed by hand").await.unwrap(), Some(State::Rejected));
    assert_eq!(outbox.resolve(delivered, None, "a mistake").await.unwrap(), Some(State::Delivered));
    assert_eq!(outbox.requeue(rejected, None).await.unwrap(), Some(State::Resolved));
    assert!(!outbox.status().await.unwrap().problems.contains(&Problem::NotBilled));
    let ledger = outbox.ledger(period).await.unwrap();
    let found = client.reconcile(period, &ledger.events).timeout(Duration::MAX).await.unwrap();
    assert_eq!(ledger.states, [(State::Delivered, 1), (State::Resolved, 1)].into());
    assert!(ledger.agrees(&found), "{found}");
}

#[tokio::test(start_paused = true)]
async fn client_of_another_organization_is_not_started() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(0));
    let client = usage_billing::suger::Client::builder(format!("{ORG}-2"), "hush").build().unwrap();
    let error = outbox.sender(client).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test(start_paused = true)]
async fn failed_roll_up_does_not_stop_sending() {
    let (store, folder) = open().await;
    let outbox = outbox(store, at(3600));
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.record(vec![record(0)]).await.unwrap();
    let file = rusqlite::Connection::open(folder.path().join("usage.sqlite")).unwrap();
    file.execute("UPDATE usage SET quantity = 'many'", []).unwrap();
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    let mut sender = outbox.sender(vendor.client()).flush_timeout(Duration::MAX);
    sender = sender.hourly_reports(HourlyReports { grace: Duration::ZERO, ..HourlyReports::default() });
    assert_eq!(sender.start().await.unwrap().send_due().await.unwrap().settled, 1);
}

#[tokio::test(start_paused = true)]
async fn events_are_sent_between_the_reports_of_a_large_backlog() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(9 * 3600));
    let vendor = Vendor::start("STRIPE", |_| Fault::None);
    outbox.record((0..12_000).map(record).collect()).await.unwrap();
    let hour_later = |number| MeteredUsage { timestamp: at(3600), ..record(number) };
    outbox.record((12_000..12_010).map(hour_later).collect()).await.unwrap();
    let sender = outbox.sender(vendor.client()).flush_timeout(Duration::MAX).hourly_reports(HourlyReports::default());
    let mut sender = sender.start().await.unwrap();
    sender.run_until(|_| true, std::future::pending(), Duration::MAX).await.unwrap();
    let backlog = outbox.status().await.unwrap().backlog;
    assert_eq!((backlog.states[&State::Delivered], backlog.open_records), (1, 10));
    let is_empty = |sent: BatchOutcome| sent.attempted == 0 && !sent.has_more_reports && sent.next_at.is_none();
    sender.run_until(is_empty, std::future::pending(), Duration::MAX).await.unwrap();
    let backlog = outbox.status().await.unwrap().backlog;
    assert_eq!((backlog.states[&State::Delivered], backlog.open_records), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn reports_without_an_event_do_not_end_sending() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(9 * 3600));
    let vendor = Vendor::start("STRIPE", |_| Fault::None);
    let small = |number| MeteredUsage { quantity: Decimal::new(1, 6), ..record(number) };
    outbox.record((0..10_500).map(small).collect()).await.unwrap();
    outbox.record(vec![MeteredUsage { timestamp: at(3600), ..record(20_000) }]).await.unwrap();
    let whole_units = HourlyReports { whole_units: true, ..HourlyReports::default() };
    let sender = outbox.sender(vendor.client()).flush_timeout(Duration::MAX).hourly_reports(whole_units);
    assert_eq!(sender.start().await.unwrap().send_due().await.unwrap().settled, 1);
    assert_eq!(outbox.status().await.unwrap().backlog.open_records, 0);
}

#[tokio::test(start_paused = true)]
async fn removal_ends_when_neither_events_nor_records_are_left() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(9 * 3600));
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.record((0..2500).map(record).collect()).await.unwrap();
    outbox.roll_up(HourlyReports::default()).await.unwrap();
    drain(&outbox, &mut started(&outbox, vendor.client()).await, 9).await;
    let now = outbox.status().await.unwrap().as_of;
    assert_eq!(outbox.remove_before(now).await.unwrap_err().kind(), ErrorKind::Request);
    let removed = outbox.remove_before(at(8 * 3600)).await.unwrap();
    assert_eq!((removed.events, removed.records), (1, 2500));
}

#[tokio::test(start_paused = true)]
async fn marketplace_that_is_not_stored_does_not_stop_sending() {
    let (store, folder) = open().await;
    let outbox = outbox(store, at(0));
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    let file = rusqlite::Connection::open(folder.path().join("usage.sqlite")).unwrap();
    file.execute_batch(
        "CREATE TRIGGER fails BEFORE UPDATE OF window_ms ON entitlement BEGIN SELECT RAISE(ABORT, 'slow'); END",
    )
    .unwrap();
    assert_eq!(started(&outbox, vendor.client()).await.send_due().await.unwrap().settled, 1);
}

/// Returns a vendor, and the number of requests for entitlements.
fn vendor_that_counts_lookups() -> (Vendor, Arc<AtomicU32>) {
    let lookups = Arc::new(AtomicU32::new(0));
    let counted = lookups.clone();
    let vendor = Vendor::start("AZURE", move |request| {
        if request.target.contains("/entitlement/") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Fault::None
    });
    (vendor, lookups)
}

#[tokio::test(start_paused = true)]
async fn window_of_large_backlog_is_set_in_steps_after_one_lookup() {
    let (store, folder) = open().await;
    let (vendor, lookups) = vendor_that_counts_lookups();
    let outbox = outbox(store, at(0));
    outbox.enqueue(&(0..9000).map(|number| usage("e-1", number)).collect::<Vec<_>>()).await.unwrap();
    let file = rusqlite::Connection::open(folder.path().join("usage.sqlite")).unwrap();
    file.execute_batch("UPDATE event SET ready_at = ready_at + 60000").unwrap();
    let set = || {
        let set = "SELECT count(*) FROM event WHERE deadline - timestamp = 24 * 3600000";
        file.query_row(set, [], |row| row.get::<_, u32>(0)).unwrap()
    };
    let mut sender = started(&outbox, vendor.client()).await;
    // Some are read again, with their new deadlines.
    for (expected, is_known) in [(7500..=8000, false), (9000..=9000, true), (9000..=9000, true)] {
        assert_eq!(sender.send_due().await.unwrap().attempted, 0);
        assert!(expected.contains(&set()), "{}", set());
        assert_eq!(outbox.store().unknown_marketplaces(9).await.unwrap().is_empty(), is_known);
    }
    assert_eq!(lookups.load(Ordering::Relaxed), 1);
    // Of another configuration.
    drop(sender);
    let windows = MarketplaceWindows::default().with("AZURE", Duration::from_secs(20 * 3600));
    let mut sender = started(&outbox.marketplace_windows(windows), vendor.client()).await;
    sender.send_due().await.unwrap();
    assert_eq!(set(), 1000, "8000 have another deadline");
}

#[tokio::test(start_paused = true)]
async fn windows_of_entitlements_are_set_by_turns_within_their_limit() {
    let (store, folder) = open().await;
    let (vendor, lookups) = vendor_that_counts_lookups();
    let outbox = outbox(store, at(0));
    for entitlement in ["e-1", "e-2"] {
        outbox.enqueue(&(0..9000).map(|number| usage(entitlement, number)).collect::<Vec<_>>()).await.unwrap();
    }
    let file = rusqlite::Connection::open(folder.path().join("usage.sqlite")).unwrap();
    let later = || file.execute_batch("UPDATE event SET ready_at = ready_at + 600000").unwrap();
    later();
    let mut sender = started(&outbox, vendor.client()).await;
    assert_eq!(sender.send_due().await.unwrap().attempted, 0);
    let set = "SELECT min(events) FROM (SELECT sum(deadline - timestamp = 24 * 3600000) AS events FROM event GROUP BY entitlement)";
    let set = file.query_row(set, [], |row| row.get::<_, u32>(0)).unwrap();
    assert!((3500..=4000).contains(&set), "{set} of each");
    outbox.enqueue(&(3..33).map(|id| usage(&format!("e-{id}"), 0)).collect::<Vec<_>>()).await.unwrap();
    later();
    assert_eq!(sender.send_due().await.unwrap().attempted, 0);
    assert_eq!(lookups.load(Ordering::Relaxed), 8, "two are not stored yet");
}

#[tokio::test(start_paused = true)]
async fn name_that_is_not_that_of_a_marketplace_is_not_stored() {
    let (store, folder) = open().await;
    let outbox = outbox(store, at(0));
    let vendor = Vendor::start("A\0B", |_| Fault::None);
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    started(&outbox, vendor.client()).await.send_due().await.unwrap();
    let file = rusqlite::Connection::open(folder.path().join("usage.sqlite")).unwrap();
    let stored = file.query_row("SELECT marketplace FROM entitlement", [], |row| row.get::<_, Option<String>>(0));
    assert_eq!(stored.unwrap(), None);
}

/// Returns an outbox whose store fails from the first statement on, and works from the second one on: at the 40th look at the clock.
fn failing(store: SqliteStore, folder: &tempfile::TempDir, sql: [&'static str; 2]) -> Outbox<SqliteStore> {
    let file = rusqlite::Connection::open(folder.path().join("usage.sqlite")).unwrap();
    let (file, looks, began) = (std::sync::Mutex::new(file), AtomicUsize::new(0), Instant::now());
    file.lock().unwrap().execute_batch(sql[0]).unwrap();
    Outbox::new(store).clock(Clock::new(move || {
        if looks.fetch_add(1, Ordering::SeqCst) == 40 {
            file.lock().unwrap().execute_batch(sql[1]).unwrap();
        }
        at(0) + began.elapsed()
    }))
}

#[tokio::test(start_paused = true)]
async fn results_are_stored_again_while_the_store_fails() {
    let (store, folder) = open().await;
    let fail = "CREATE TRIGGER fails BEFORE INSERT ON attempt BEGIN SELECT RAISE(ABORT, 'no space'); END";
    let outbox = failing(store, &folder, [fail, "DROP TRIGGER fails"]);
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    started(&outbox, vendor.client()).await.send_due().await.unwrap();
    assert_eq!((vendor.sent().len(), state(&outbox, "e-1", 0).await), (1, State::Delivered));
}

#[tokio::test(start_paused = true)]
async fn sender_runs_on_when_the_store_works_again() {
    let (store, folder) = open().await;
    let fail = "CREATE TRIGGER fails BEFORE UPDATE OF next_token ON meta BEGIN SELECT RAISE(ABORT, 'no space'); END";
    let outbox = failing(store, &folder, [fail, "DROP TRIGGER fails"]);
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    let mut failures = Vec::new();
    let stop = async {
        while state(&outbox, "e-1", 0).await != State::Delivered {
            let status = outbox.status().await.unwrap();
            assert_eq!(status.problems.contains(&Problem::StoreFails), status.store_failure.is_some());
            failures.extend(status.store_failure.map(|failure| (failure.since, failure.message)));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    sender.run(stop, Duration::MAX).await.unwrap();
    let (since, message) = &failures[0];
    assert!(message.contains("no space") && failures.iter().all(|one| one.0 == *since), "{failures:?}");
    assert_eq!(outbox.status().await.unwrap().store_failure, None, "it works again");
}

#[tokio::test(start_paused = true)]
async fn sender_ends_after_the_batch_of_the_callers_choice() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(0));
    let posts = AtomicUsize::new(0);
    let vendor = Vendor::start("AWS", move |request| {
        let is_first = request.method == "POST" && posts.fetch_add(1, Ordering::SeqCst) < 1;
        if is_first { Fault::UnavailableAfterEffect } else { Fault::None }
    });
    outbox.enqueue(&[usage("e-1", 0), usage("e-2", 0)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    let is_stopped = sender.run_until(|sent| sent.attempted == 0, std::future::pending(), Duration::MAX).await.unwrap();
    assert!(!is_stopped, "nothing is due");
    let is_empty = |sent: BatchOutcome| sent.attempted == 0 && !sent.has_more_reports && sent.next_at.is_none();
    assert!(!sender.run_until(is_empty, std::future::pending(), Duration::MAX).await.unwrap());
    let status = outbox.status().await.unwrap();
    assert_eq!((status.backlog.oldest_timestamp, status.problems), (None, vec![Problem::SenderNotRunning]));
    assert!(sender.run_until(|_| false, async {}, Duration::ZERO).await.unwrap(), "stopped");
}

#[tokio::test(start_paused = true)]
async fn sender_gives_signs_of_life_during_a_batch() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(0));
    let (vendor, arrival, release) = holding_vendor();
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    let mut sender = outbox.sender(vendor.client()).flush_timeout(Duration::from_secs(9 * 3600)).start().await.unwrap();
    let stop = async {
        arrival.await.unwrap();
        tokio::time::sleep(Duration::from_secs(300)).await;
        let status = outbox.status().await.unwrap();
        assert!(!status.problems.contains(&Problem::SenderNotRunning), "{status:?}");
        assert_eq!(state(&outbox, "e-1", 0).await, State::Sending);
    };
    sender.run(stop, Duration::ZERO).await.unwrap();
    drop(release);
}

#[tokio::test(start_paused = true)]
async fn lookup_that_hangs_ends_with_the_sender() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(0));
    let (release, held) = std::sync::mpsc::channel::<()>();
    let vendor = Vendor::start("AWS", move |request| {
        if request.target.contains("/entitlement/") {
            let _ = held.recv();
        }
        Fault::None
    });
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    sender.run(async {}, Duration::ZERO).await.unwrap();
    assert_eq!(state(&outbox, "e-1", 0).await, State::Pending, "nothing is leased after the end");
    drop(release);
}

#[tokio::test(start_paused = true)]
async fn lookup_that_hangs_does_not_delay_the_next_batch() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(0));
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (mut begun, mut lookups) = (Some(begun), 0);
    let vendor = Vendor::start("AWS", move |request| {
        if request.method == "GET" && request.target.contains("/entitlement/e-") && !request.target.contains("usage") {
            lookups += 1;
            assert_eq!(lookups, 1, "none is looked up within a minute: {}", request.target);
            begun.take().unwrap().send(()).unwrap();
            let _ = held.recv();
        }
        Fault::None
    });
    outbox.enqueue(&[usage("e-1", 0)]).await.unwrap();
    let mut sender = started(&outbox, vendor.client()).await;
    sender.run(async { has_begun.await.unwrap() }, Duration::ZERO).await.unwrap();
    drop(release);
    outbox.enqueue(&[usage("e-2", 0)]).await.unwrap();
    assert_eq!(sender.send_due().await.unwrap().settled, 2);
}

#[tokio::test(start_paused = true)]
async fn full_file_is_drained() {
    let (store, _folder) = open().await;
    let outbox = outbox(store, at(0));
    let vendor = Vendor::start("AWS", |_| Fault::None);
    outbox.enqueue(&[usage("e-1", 0), usage("e-1", 1)]).await.unwrap();
    outbox.store().limit_pages(1);
    let error = outbox.enqueue(&[usage("e-1", 2)]).await.unwrap_err();
    assert!(error.kind() == ErrorKind::File && error.to_string().contains("the file is full"), "{error}");
    assert_eq!(outbox.enqueue(&[usage("e-1", 1)]).await.unwrap().duplicates, 1);
    let many: Vec<_> = (0..500).map(|number| usage("e-2", 0).sequence(number)).collect();
    outbox.store().limit_pages(u32::MAX);
    outbox.enqueue(&many).await.unwrap();
    outbox.store().limit_pages(1);
    drain(&outbox, &mut started(&outbox, vendor.client()).await, 20).await;
    assert_eq!(outbox.status().await.unwrap().backlog.states[&State::Delivered], 502);
}

fn record(number: u32) -> MeteredUsage {
    let (id, timestamp, quantity) = (number.to_string(), at(0), Decimal::ONE);
    MeteredUsage { id, entitlement_id: "e-4".to_owned(), dimension: "gb".to_owned(), timestamp, quantity }
}
