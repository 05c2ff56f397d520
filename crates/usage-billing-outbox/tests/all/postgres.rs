//! PostgreSQL: the suite, and what only a server with several senders has.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use usage_billing::suger::UsageEvent;
use usage_billing::{Decimal, ErrorKind};
use usage_billing_outbox::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use usage_billing_outbox::sqlx::{self, Executor as _, PgPool};
use usage_billing_outbox::store::{
    Attempt, AttemptResult, EntitlementWindow, Heartbeat, LeaseRequest, LeasedBatch, RollUpOutcome,
};
use usage_billing_outbox::{
    Clock, HourlyReports, MeteredUsage, Outbox, Outcome, PostgresStore, State, Store as _, hour_of,
};

use super::server::shared;
use super::suite::store_suite;
use super::{ORG, at, new_event, usage};

/// Returns the store of a new database, and a pool of that. `None` if there is no server here.
pub(crate) async fn open() -> Option<(PostgresStore, PgPool)> {
    let server = shared()?;
    let pool =
        PgPoolOptions::new().max_connections(5).connect_lazy_with(server.options(&server.create_database().await));
    Some((PostgresStore::open(pool.clone(), ORG).await.unwrap(), pool))
}

store_suite!(open);

const WINDOW: Duration = Duration::from_secs(6 * 3600);

fn request(seconds: i64, limit: usize) -> LeaseRequest {
    LeaseRequest { now: at(seconds), until: at(seconds + 60), limit, probes: 3 }
}

fn results(leased: &LeasedBatch, outcome: Outcome) -> Vec<Attempt> {
    let attempt = |event: &usage_billing_outbox::NewEvent| {
        let (token, body_sha256) = (leased.token, event.body_sha256());
        let (started_at, ended_at) = (at(1), at(2));
        let result = AttemptResult { token, started_at, ended_at, body_sha256, outcome, status: None, message: None };
        Attempt { key: event.key, result, retry_after: None }
    };
    leased.events.iter().map(attempt).collect()
}

fn outbox(store: &PostgresStore) -> Outbox<PostgresStore> {
    Outbox::new(store.clone()).clock(Clock::new(|| at(0)))
}

#[tokio::test]
async fn event_is_stored_with_the_transaction_of_the_caller() {
    let Some((store, pool)) = open().await else { return };
    let outbox = outbox(&store);
    pool.execute("CREATE TABLE job (id integer)").await.unwrap();
    for (isolation, number) in [("READ COMMITTED", 1), ("REPEATABLE READ", 2), ("SERIALIZABLE", 3)] {
        let mut transaction = pool.begin_with(format!("BEGIN ISOLATION LEVEL {isolation}")).await.unwrap();
        transaction.execute("INSERT INTO job VALUES (1)").await.unwrap();
        let enqueued = outbox.enqueue_in(&mut transaction, &[usage("e-1", number)]).await.unwrap();
        assert_eq!((enqueued.new, enqueued.duplicates), (1, 0));
        let again = outbox.enqueue_in(&mut transaction, &[usage("e-1", number), usage("e-1", 9)]).await.unwrap();
        assert_eq!((again.new, again.duplicates), (1, 1));
        let other = UsageEvent::new("e-1", at(3600 * number)).quantity("gb", 7);
        let error = outbox.enqueue_in(&mut transaction, &[usage("e-1", 8), other]).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Request && error.to_string().contains("other quantities"), "{error}");
        transaction.execute("INSERT INTO job VALUES (2)").await.unwrap();
        match isolation {
            "READ COMMITTED" => transaction.rollback().await.unwrap(),
            _ => transaction.commit().await.unwrap(),
        }
        pool.execute("DELETE FROM usage_billing.event WHERE sequence = 0 AND timestamp = (SELECT max(timestamp) FROM usage_billing.event)").await.unwrap();
    }
    let number = async |query: &str| sqlx::query_scalar::<_, i64>(query).fetch_one(&pool).await.unwrap();
    assert_eq!(number("SELECT count(*) FROM job").await, 4, "the transaction goes on after the error");
    assert_eq!(number("SELECT count(*) FROM usage_billing.event").await, 2);
    assert!(store.event(new_event("e-1", 8).key, None).await.unwrap().is_none(), "all or none");
}

/// A transaction that is open for hours makes neither other producers nor senders wait.
#[tokio::test]
async fn open_transaction_of_a_caller_blocks_no_other() {
    let Some((store, pool)) = open().await else { return };
    let (store, outbox) = (store.clone().time_limit(Duration::from_secs(4)), outbox(&store));
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    outbox.enqueue_in(&mut transaction, &[usage("e-1", 1)]).await.unwrap();
    store.enqueue(vec![new_event("e-1", 2)], WINDOW, at(0)).await.unwrap();
    let leased = store.lease(request(0, 9)).await.unwrap();
    assert_eq!(leased.events, [new_event("e-1", 0), new_event("e-1", 2)]);
    store.settle(leased.token, results(&leased, Outcome::NotSent), at(2)).await.unwrap();
    store.backlog(at(2), 9).await.unwrap();
    let error = store.enqueue(vec![new_event("e-1", 1)], WINDOW, at(0)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::File && error.to_string().contains("lock timeout"), "the same key: {error}");
    outbox.enqueue_in(&mut transaction, &[usage("e-2", 1)]).await.unwrap();
    let error = store.enqueue(vec![new_event("e-2", 2)], WINDOW, at(0)).await.unwrap_err();
    assert!(error.to_string().contains("lock timeout"), "an entitlement that is new in the transaction: {error}");
    // Waits for longer than the others, and they do not wait for it.
    let patient = store.clone().time_limit(Duration::from_secs(8));
    let mut removal = pin!(patient.remove_before(at(1), 9));
    let mut number = 2;
    let error = loop {
        number += 1;
        match select(removal.as_mut(), pin!(store.enqueue(vec![new_event("e-1", number)], WINDOW, at(0)))).await {
            Either::Left((removed, _)) => break removed.unwrap_err(),
            Either::Right((enqueued, _)) => assert_eq!(enqueued.unwrap().new, 1),
        }
    };
    assert!(number > 3 && error.to_string().contains("lock timeout"), "{number}: {error}");
    transaction.commit().await.unwrap();
    assert_eq!(store.enqueue(vec![new_event("e-1", 1)], WINDOW, at(0)).await.unwrap().duplicates, 1);
    store.remove_before(at(1), 9).await.unwrap();
}

#[tokio::test]
async fn snapshot_from_before_a_removal_enqueues_nothing_removed() {
    let Some((store, pool)) = open().await else { return };
    let outbox = outbox(&store);
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    let leased = store.lease(request(0, 9)).await.unwrap();
    store.settle(leased.token, results(&leased, Outcome::Delivered), at(2)).await.unwrap();
    let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    transaction.execute("SELECT 1").await.unwrap();
    assert_eq!(store.remove_before(at(1), 9).await.unwrap().events, 1);
    let error = outbox.enqueue_in(&mut transaction, &[usage("e-1", 0)]).await.unwrap_err();
    assert!(error.kind() == ErrorKind::File && error.to_string().contains("could not serialize"), "{error}");
}

#[tokio::test]
async fn senders_share_due_events() {
    let Some((store, _pool)) = open().await else { return };
    let events: Vec<_> = (0..60).map(|number| new_event(&format!("e-{}", number % 7), number)).collect();
    store.enqueue(events.clone(), WINDOW, at(0)).await.unwrap();
    let lease = async || {
        store.start_sender(at(0)).await.unwrap();
        store.lease(request(0, 20)).await.unwrap()
    };
    let (one, two, three) = tokio::join!(lease(), lease(), lease());
    let mut keys: Vec<_> =
        [&one, &two, &three].into_iter().flat_map(|leased| &leased.events).map(|it| it.key).collect();
    let mut expected: Vec<_> = events.iter().map(|event| event.key).collect();
    keys.sort();
    expected.sort();
    // A lease may find rows of another that is not committed yet, and takes fewer.
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "none is leased twice");
    let rest = store.lease(request(0, 60)).await.unwrap();
    keys.extend(rest.events.iter().map(|event| event.key));
    keys.sort();
    assert_eq!(keys, expected);
    let (one, two, three) = tokio::join!(
        store.settle(one.token, results(&one, Outcome::NotSent), at(2)),
        store.settle(two.token, results(&two, Outcome::NotSent), at(2)),
        store.settle(three.token, results(&three, Outcome::Delivered), at(2)),
    );
    assert_eq!((one.unwrap(), two.unwrap(), three.unwrap()), (0, 0, 0), "no deadlock");
}

/// Returns a number of the statistics of events, which the only connection of a pool has caused.
async fn statistics(pool: &PgPool, number: &str) -> i64 {
    pool.execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    sqlx::query_scalar(&format!("SELECT ({number})::bigint")).fetch_one(pool).await.unwrap()
}

/// Returns a store with one connection and events of one entitlement, with the same deadline.
async fn open_with_backlog(events: i64) -> Option<(PostgresStore, PgPool)> {
    let server = shared()?;
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_lazy_with(server.options(&server.create_database().await));
    let store = PostgresStore::open(pool.clone(), ORG).await.unwrap();
    store.enqueue(vec![new_event("bad", 0)], WINDOW, at(0)).await.unwrap();
    let insert = "INSERT INTO usage_billing.event (key, entitlement, timestamp, sequence, body, enqueued_at, deadline, state, ready_at)
        SELECT decode(md5(number::text), 'hex'), entitlement, timestamp, number, body, enqueued_at, deadline, state, ready_at
        FROM usage_billing.event, generate_series(1, $1) AS number";
    sqlx::query(insert).bind(events).execute(&pool).await.unwrap();
    pool.execute("ANALYZE").await.unwrap();
    Some((store, pool))
}

#[tokio::test]
async fn lease_reads_only_a_part_of_a_failing_backlog() {
    let Some((store, pool)) = open_with_backlog(40_000).await else { return };
    let leased = store.lease(request(0, 9)).await.unwrap();
    store.settle(leased.token, results(&leased, Outcome::NotSent), at(2)).await.unwrap();
    store.enqueue(vec![new_event("good", 1)], WINDOW, at(0)).await.unwrap();
    let rows = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'event'";
    for (seconds, found) in [(3, 1), (4, 0), (17, 3)] {
        let before = statistics(&pool, rows).await;
        assert_eq!(store.lease(request(seconds, 9)).await.unwrap().events.len(), found);
        let read = statistics(&pool, rows).await - before;
        assert!(read < 25_000, "{seconds}: {read}");
    }
}

#[tokio::test]
async fn event_is_found_without_reading_others() {
    let Some((store, pool)) = open_with_backlog(20_000).await else { return };
    let (event, time) = (new_event("e-1", 700), at(700 * 3600));
    store.enqueue(vec![event.clone(), new_event("e-1", 70), new_event("e-1", 7000)], WINDOW, at(0)).await.unwrap();
    let pages = "SELECT heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit FROM pg_statio_user_tables WHERE relname = 'event'";
    for timestamp in [Some(time), None] {
        let before = statistics(&pool, pages).await;
        assert_eq!(store.event(event.key, timestamp).await.unwrap().unwrap().0.event, event);
        assert_eq!(store.requeue(event.key, timestamp, at(1)).await.unwrap(), Some(State::Pending));
        assert_eq!(store.resolve(event.key, timestamp, "no".to_owned()).await.unwrap(), Some(State::Pending));
        let read = statistics(&pool, pages).await - before;
        assert!(read < 150, "{timestamp:?}: {read}");
    }
}

#[tokio::test]
async fn window_of_a_large_backlog_is_set_beside_a_locked_event() {
    let Some((store, pool)) = open().await else { return };
    let store = store.time_limit(Duration::from_secs(4));
    store.enqueue((0..2500).map(|number| new_event("e-1", number)).collect(), WINDOW, at(0)).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    transaction.execute("SELECT 1 FROM usage_billing.event WHERE id = 1 FOR UPDATE").await.unwrap();
    let (entitlement_id, marketplace) = ("e-1".to_owned(), "AZURE".to_owned());
    let (window, mut page) = (EntitlementWindow { entitlement_id, marketplace, window: 4 * WINDOW }, None);
    loop {
        page = store.set_window(window.clone(), page).await.unwrap();
        if page.is_none() {
            break;
        }
    }
    let set = "SELECT count(*) FROM usage_billing.event WHERE deadline - timestamp = 24 * 3600000";
    assert_eq!(sqlx::query_scalar::<_, i64>(set).fetch_one(&pool).await.unwrap(), 2499);
    assert!(store.unknown_marketplaces(1).await.unwrap().is_empty());
}

/// Waits until a transaction waits for a lock.
async fn until_waiting(pool: &PgPool) {
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(pool).await.unwrap() == 0 {}
}

fn record(number: i64, entitlement: &str) -> MeteredUsage {
    let (id, entitlement_id, dimension) = (number.to_string(), entitlement.to_owned(), "gb".to_owned());
    MeteredUsage { id, entitlement_id, dimension, timestamp: at(0), quantity: Decimal::ONE }
}

/// As after a report, with the same quantity.
#[tokio::test]
async fn report_is_other_usage_than_the_same_event_of_a_producer() {
    let Some((store, pool)) = open().await else { return };
    store.record(vec![record(1, "e-1")], at(0)).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let same = UsageEvent::new("e-1", hour_of(at(0))).quantity("gb", 1);
    outbox(&store).enqueue_in(&mut transaction, &[same]).await.unwrap();
    let rolled_up = {
        let store = store.clone();
        tokio::spawn(async move { store.roll_up(HourlyReports::default(), WINDOW, at(9 * 3600)).await })
    };
    until_waiting(&pool).await;
    transaction.commit().await.unwrap();
    assert_eq!(rolled_up.await.unwrap().unwrap(), RollUpOutcome { events: 1, records: 1 });
    let sequences = "SELECT sequence FROM usage_billing.event ORDER BY sequence";
    assert_eq!(sqlx::query_scalar::<_, i64>(sequences).fetch_all(&pool).await.unwrap(), [0, 1]);
}

#[tokio::test]
async fn reports_over_slow_network_take_several_transactions() {
    let Some((store, pool)) = open().await else { return };
    store.record((0..9).map(|number| record(number, &format!("e-{number}"))).collect(), at(0)).await.unwrap();
    pool.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$;
         CREATE TRIGGER slow AFTER INSERT ON usage_billing.event FOR EACH STATEMENT EXECUTE FUNCTION slow()",
    )
    .await
    .unwrap();
    let slow = store.clone().time_limit(Duration::from_secs(2));
    let found = slow.roll_up(HourlyReports::default(), WINDOW, at(9 * 3600)).await.unwrap();
    assert!((1..9).contains(&found.records), "{found:?}");
    let mut other = pool.begin().await.unwrap();
    other.execute(format!("SELECT pg_advisory_xact_lock({})", 0x7562_6f78_0000_0003_i64).as_str()).await.unwrap();
    let none = slow.roll_up(HourlyReports::default(), WINDOW, at(9 * 3600)).await.unwrap();
    assert_eq!(none, RollUpOutcome::default(), "another one reports");
}

#[tokio::test]
async fn transaction_that_loses_a_deadlock_is_run_again() {
    let Some((store, pool)) = open().await else { return };
    let outbox = outbox(&store);
    // A new entitlement would be waited for before the events.
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    // The other one is rolled back.
    transaction.execute("SET LOCAL deadlock_timeout = '20s'").await.unwrap();
    outbox.enqueue_in(&mut transaction, &[usage("e-1", 2)]).await.unwrap();
    let enqueued = {
        let store = store.clone();
        tokio::spawn(async move { store.enqueue(vec![new_event("e-1", 1), new_event("e-1", 2)], WINDOW, at(0)).await })
    };
    until_waiting(&pool).await;
    outbox.enqueue_in(&mut transaction, &[usage("e-1", 1)]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(enqueued.await.unwrap().unwrap().duplicates, 2);
}

/// Polls a call some times, and drops it. Returns whether it ended before.
async fn drop_after(polls: usize, call: impl Future) -> bool {
    let (mut call, mut left) = (pin!(call), polls);
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if left == 0 => Poll::Ready(false),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

#[tokio::test]
async fn dropped_call_leaves_no_transaction_open() {
    let Some(server) = shared() else { return };
    let options = server.options(&server.create_database().await);
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let store = PostgresStore::open(pool.clone(), ORG).await.unwrap();
    // Of its own statement, unless a transaction has begun before.
    let is_idle = async || {
        let row = pool.fetch_one("SELECT now() = statement_timestamp()").await.unwrap();
        sqlx::Row::get::<bool, _>(&row, 0)
    };
    let mut polls = 0;
    while !drop_after(polls, store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0))).await {
        assert!(is_idle().await, "`enqueue` was dropped after {polls} polls");
        polls += 1;
    }
    polls = 0;
    while !drop_after(polls, store.backlog(at(0), 1)).await {
        assert!(is_idle().await, "`backlog` was dropped after {polls} polls");
        polls += 1;
    }
    assert_eq!(store.backlog(at(0), 1).await.unwrap().states[&State::Pending], 1);
}

#[tokio::test]
async fn transaction_of_a_caller_outlasts_a_dropped_call() {
    let Some((store, pool)) = open().await else { return };
    let outbox = outbox(&store);
    pool.execute("CREATE TABLE job (id integer)").await.unwrap();
    let (mut polls, mut has_ended) = (0, false);
    while !has_ended {
        let mut transaction = pool.begin().await.unwrap();
        transaction.execute("INSERT INTO job VALUES (1)").await.unwrap();
        has_ended = drop_after(polls, outbox.enqueue_in(&mut transaction, &[usage("e-1", 0)])).await;
        // A transaction that ended with the call would be committed here without an error, and without the job.
        transaction.execute("INSERT INTO job VALUES (2)").await.unwrap();
        let jobs: i64 = sqlx::query_scalar("SELECT count(*) FROM job").fetch_one(&mut *transaction).await.unwrap();
        assert_eq!(jobs, 2, "dropped after {polls} polls");
        transaction.rollback().await.unwrap();
        let jobs: i64 = sqlx::query_scalar("SELECT count(*) FROM job").fetch_one(&pool).await.unwrap();
        assert_eq!(jobs, 0, "dropped after {polls} polls");
        polls += 1;
    }
    assert_eq!(store.backlog(at(0), 1).await.unwrap().states[&State::Pending], 0);
}

#[tokio::test]
async fn dropped_call_leaves_numbers_of_its_stored_events() {
    let Some((store, pool)) = open().await else { return };
    let outbox = outbox(&store);
    let (mut calls, mut polls, mut ended) = (0, 0, 0);
    let events = loop {
        let mut transaction = pool.begin().await.unwrap();
        let has_ended = drop_after(polls, outbox.enqueue_in(&mut transaction, &[usage("e-1", calls)])).await;
        transaction.commit().await.unwrap();
        (calls, ended) = (calls + 1, ended + i64::from(has_ended));
        polls = if has_ended { 0 } else { polls + 1 };
        let events: i64 =
            sqlx::query_scalar("SELECT count(*) FROM usage_billing.event").fetch_one(&pool).await.unwrap();
        // A server that responds before the next poll lets no call be dropped after its event is stored: then, more calls.
        if has_ended && events > ended || calls == 200 {
            break events;
        }
    };
    assert!(events > ended, "{events} of {calls}");
    assert_eq!(store.backlog(at(0), 1).await.unwrap().states[&State::Pending].cast_signed(), events);
}

#[tokio::test]
async fn sender_that_stops_is_not_taken_for_the_last_one() {
    let Some((store, _pool)) = open().await else { return };
    let beat = |seconds, stopped_at| Heartbeat { beat_at: Some(at(seconds)), stopped_at, ..Heartbeat::default() };
    let stopped = async || store.backlog(at(0), 1).await.unwrap().heartbeat.stopped_at;
    store.beat(beat(1, None)).await.unwrap();
    store.beat(beat(5, None)).await.unwrap();
    store.beat(beat(1, Some(at(6)))).await.unwrap();
    assert_eq!(stopped().await, None, "the other one runs");
    store.beat(beat(5, Some(at(7)))).await.unwrap();
    assert_eq!(stopped().await, Some(at(7)));
}

#[tokio::test]
async fn sign_of_life_of_an_earlier_time_changes_no_later_one() {
    let Some((store, _pool)) = open().await else { return };
    let day = 24 * 3600;
    for (beat, contact, expected) in [
        (50, Some(40), (50, Some(40))),
        (30, Some(20), (50, Some(40))),
        (55, None, (55, Some(40))),
        // A clock that is ahead.
        (day, Some(day), (day, Some(day))),
        (70, Some(60), (70, Some(70))),
        (80, Some(60), (80, Some(70))),
    ] {
        let (beat_at, contact_at) = (Some(at(beat)), contact.map(at));
        store.beat(Heartbeat { beat_at, contact_at, ..Heartbeat::default() }).await.unwrap();
        let Heartbeat { beat_at, contact_at, .. } = store.backlog(at(0), 1).await.unwrap().heartbeat;
        assert_eq!((beat_at, contact_at), (Some(at(expected.0)), expected.1.map(at)), "{beat}");
    }
}

#[tokio::test]
async fn numbers_are_added_up_by_a_sign_of_life() {
    let Some((store, pool)) = open().await else { return };
    for number in 0..150 {
        store.enqueue(vec![new_event("e-1", number)], WINDOW, at(number)).await.unwrap();
    }
    store.beat(Heartbeat::default()).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM usage_billing.tally").fetch_one(&pool).await.unwrap();
    let backlog = store.backlog(at(0), 1).await.unwrap();
    assert_eq!((rows, backlog.states[&State::Pending], backlog.enqueued_at), (1, 150, Some(at(149))));
}

#[tokio::test]
async fn database_of_another_organization_or_version_is_not_opened() {
    let Some((_, pool)) = open().await else { return };
    let error = PostgresStore::open(pool.clone(), "other").await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("of organization acme, not of other"));
    pool.execute("UPDATE usage_billing.meta SET format = 99").await.unwrap();
    let error = PostgresStore::open(pool.clone(), ORG).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("the store has format 99"), "{error}");
}

#[tokio::test]
async fn open_existing_without_a_store_changes_nothing() {
    let Some(server) = shared() else { return };
    let pool = PostgresStore::pool(server.options(&server.create_database().await));
    let error = PostgresStore::open_existing(pool.clone(), ORG).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("the database has no outbox"), "{error}");
    let exists = sqlx::query_scalar::<_, bool>("SELECT to_regnamespace('usage_billing') IS NOT NULL");
    assert!(!exists.fetch_one(&pool).await.unwrap());
    PostgresStore::open(pool.clone(), ORG).await.unwrap();
    PostgresStore::open_existing(pool, ORG).await.unwrap();
}

#[tokio::test]
async fn processes_that_open_a_new_database_together_create_one_store() {
    let Some(server) = shared() else { return };
    let options = server.options(&server.create_database().await);
    let open = || PostgresStore::open(PostgresStore::pool(options.clone()), ORG);
    let (one, two, three) = tokio::join!(open(), open(), open());
    one.unwrap().enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    two.unwrap();
    assert_eq!(three.unwrap().backlog(at(0), 1).await.unwrap().states[&State::Pending], 1);
}

#[tokio::test]
async fn role_that_owns_only_the_schema_creates_the_store() {
    let Some(server) = shared() else { return };
    let options = server.options(&server.create_database().await);
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    pool.execute("CREATE ROLE owner LOGIN; CREATE SCHEMA usage_billing AUTHORIZATION owner").await.unwrap();
    let store = PostgresStore::open(PostgresStore::pool(options.username("owner")), ORG).await.unwrap();
    assert_eq!(store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap().new, 1);
}

#[tokio::test]
async fn evidence_cannot_be_changed_and_the_view_is_readable() {
    let Some((store, pool)) = open().await else { return };
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    let leased = store.lease(request(0, 9)).await.unwrap();
    store.settle(leased.token, results(&leased, Outcome::Rejected), at(2)).await.unwrap();
    let error = pool.execute("UPDATE usage_billing.attempt SET outcome = 'delivered'").await.unwrap_err();
    assert!(error.to_string().contains("attempts are evidence"), "{error}");
    let row = "SELECT key || ' ' || entitlement || ' ' || (timestamp AT TIME ZONE 'UTC') || ' ' || quantities || ' ' || state FROM usage_billing.events";
    let row: String = sqlx::query_scalar(row).fetch_one(&pool).await.unwrap();
    assert_eq!(row, format!(r#"{} e-1 2026-09-21 14:13:20 {{"gb":10.0001}} rejected"#, new_event("e-1", 0).key));
}

#[tokio::test]
async fn enqueued_event_is_durable_despite_asynchronous_commit() {
    let Some((store, pool)) = open().await else { return };
    let mut connection = pool.acquire().await.unwrap();
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut *connection).await.unwrap();
    connection.execute(format!("ALTER DATABASE {database} SET synchronous_commit = off").as_str()).await.unwrap();
    pool.execute(
        "CREATE TABLE seen (setting text); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
         CREATE TRIGGER see AFTER INSERT ON usage_billing.event EXECUTE FUNCTION see()",
    )
    .await
    .unwrap();
    connection.close().await.unwrap();
    drop(store);
    let store = PostgresStore::open(PostgresStore::pool(shared().unwrap().options(&database)), ORG).await.unwrap();
    store.enqueue(vec![new_event("e-1", 0)], WINDOW, at(0)).await.unwrap();
    let seen: Vec<String> = sqlx::query_scalar("SELECT setting FROM seen").fetch_all(&pool).await.unwrap();
    assert_eq!(seen, ["on"]);
}

#[tokio::test]
async fn silent_server_is_an_error_in_time_without_the_password() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("postgres://billing:hush@127.0.0.1:{port}/usage?sslmode=disable");
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(50));
    let pool = pool.connect_lazy_with(url.parse::<PgConnectOptions>().unwrap());
    let error = PostgresStore::open(pool, ORG).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    let report = format!("{error} {error:?}");
    assert!(report.contains("127.0.0.1/usage") && !report.contains("hush"), "{report}");
}
