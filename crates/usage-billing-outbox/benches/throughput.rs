//! Events per second of both stores: enqueue one by one and in batches, compared with a hand-written table; drain, compared with the queue in
//! memory and with the table; and the whole life of an event (enqueue, lease, settle) while the store grows.
//!
//! `OUTBOX_ROWS` sets the number of rows of the large store (default 200,000), which is printed by tenths: the cost of an event has to stay
//! flat. `OUTBOX_STORE` is `sqlite` or `postgres`; the default is both. `OUTBOX_SANDBOX` is the URL of a running sandbox that receives the drained
//! events (`usage-billing-sandbox --today 2026-09-22`), in place of a server that does nothing but respond.

#[path = "../tests/all/server.rs"]
#[allow(dead_code)]
mod server;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use usage_billing::chrono::{DateTime, TimeDelta, Utc};
use usage_billing::suger::{Client, UsageEvent};
use usage_billing::{Decimal, Error, ErrorKind, Result};
use usage_billing_outbox::sqlx::{self, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use usage_billing_outbox::store::{Attempt, AttemptResult, LeaseRequest, LeasedBatch};
use usage_billing_outbox::{Clock, NewEvent, Outbox, Outcome, PostgresStore, SqliteStore, Store};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer};

/// That of the sandbox.
const ORG: &str = "sgr-demo1";
const BATCH: usize = 1000;
const DRAINED: usize = 2000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a time")
}

/// Returns the n-th event: 500 entitlements in each hour.
fn event(number: usize) -> UsageEvent {
    let hour = now() + TimeDelta::hours(i64::try_from(number / 500).expect("a number"));
    UsageEvent::new(format!("ent-{:04}", number % 500), hour).quantity("ingest_gb", Decimal::new(100_001, 4))
}

fn events(from: usize, count: usize) -> Vec<UsageEvent> {
    (from..from + count).map(event).collect()
}

/// Returns events that no call has returned before, of an entitlement of the sandbox.
fn new_events() -> Vec<UsageEvent> {
    static RETURNED: AtomicUsize = AtomicUsize::new(0);
    let first = RETURNED.fetch_add(DRAINED, Ordering::Relaxed);
    let event = |number: usize| {
        let timestamp = now() + TimeDelta::seconds(i64::try_from(number).expect("a number"));
        UsageEvent::new("ent-aws01", timestamp).quantity("ingest_gb", Decimal::new(100_001, 4))
    };
    (first..first + DRAINED).map(event).collect()
}

fn report(what: &str, count: usize, time: Duration) -> f64 {
    let rate = count as f64 / time.as_secs_f64();
    println!("{what:<44} {count:>9} events {:>8} ms {rate:>9.0} / s", time.as_millis());
    rate
}

/// A table that a program would write by itself: no states, no check of the body.
enum ByHand {
    Sqlite(Connection),
    Postgres(PgConnection),
}

const INSERT: &str = "INSERT INTO outbox (key, body) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const SELECT: &str = "SELECT key, body FROM outbox LIMIT 256";
const DELETE: &str = "DELETE FROM outbox WHERE key = $1";

impl ByHand {
    async fn sqlite(path: &std::path::Path) -> Self {
        let connection = Connection::open(path).expect("a file");
        let schema = "PRAGMA journal_mode = wal; PRAGMA synchronous = full; CREATE TABLE outbox (key TEXT PRIMARY KEY, body TEXT NOT NULL)";
        connection.execute_batch(schema).expect("a schema");
        Self::Sqlite(connection)
    }

    async fn postgres(server: &server::Server) -> Self {
        let database = server.create_database().await;
        let mut connection = server.options(&database).connect().await.expect("a connection");
        connection.execute("CREATE TABLE outbox (key text PRIMARY KEY, body text NOT NULL)").await.expect("a table");
        Self::Postgres(connection)
    }

    async fn enqueue(&mut self, events: &[UsageEvent]) {
        let rows = events
            .iter()
            .map(|event| (event.id(ORG).to_string(), serde_json::to_string(&event.body(ORG)).expect("JSON")));
        match self {
            Self::Sqlite(connection) => {
                let transaction = connection.transaction().expect("a transaction");
                for row in rows {
                    let mut statement = transaction.prepare_cached(INSERT).expect("a statement");
                    statement.execute(row).expect("an insert");
                }
                transaction.commit().expect("a commit");
            }
            Self::Postgres(connection) => {
                let mut transaction = connection.begin().await.expect("a transaction");
                for (key, body) in rows {
                    sqlx::query(INSERT).bind(key).bind(body).execute(&mut *transaction).await.expect("an insert");
                }
                transaction.commit().await.expect("a commit");
            }
        }
    }

    async fn select(&mut self) -> Vec<(String, String)> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(SELECT).expect("a statement");
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
                rows.map(|row| row.expect("a row")).collect()
            }
            Self::Postgres(connection) => sqlx::query_as(SELECT).fetch_all(connection).await.expect("rows"),
        }
    }

    async fn delete(&mut self, sent: &[(String, String)]) {
        match self {
            Self::Sqlite(connection) => {
                let transaction = connection.transaction().expect("a transaction");
                for (key, _) in sent {
                    transaction.prepare_cached(DELETE).and_then(|mut it| it.execute([key])).expect("a deletion");
                }
                transaction.commit().expect("a commit");
            }
            Self::Postgres(connection) => {
                let mut transaction = connection.begin().await.expect("a transaction");
                for (key, _) in sent {
                    sqlx::query(DELETE).bind(key).execute(&mut *transaction).await.expect("a deletion");
                }
                transaction.commit().await.expect("a commit");
            }
        }
    }
}

/// Enqueues in batches, and returns the time.
async fn enqueue<S: Store>(outbox: &Outbox<S>, batch: usize, count: usize) -> Result<Duration> {
    let events = events(0, count);
    let started = Instant::now();
    for batch in events.chunks(batch) {
        outbox.enqueue(batch).await?;
    }
    Ok(started.elapsed())
}

async fn enqueue_by_hand(table: &mut ByHand, batch: usize, count: usize) -> Duration {
    let events = events(0, count);
    let started = Instant::now();
    for batch in events.chunks(batch) {
        table.enqueue(batch).await;
    }
    started.elapsed()
}

fn stored_as_sent(request: &Request) -> ScriptedResponse {
    if request.method == "GET" {
        return ScriptedResponse::json(200, r#"{"partner": "STRIPE"}"#);
    }
    let sent: serde_json::Value = serde_json::from_str(&request.body).expect("an event");
    let group = serde_json::json!({
        "id": sent["id"], "entitlementID": sent["entitlementID"], "status": "CREATED", "records": sent["records"],
        "creationTime": sent["timestamp"], "partner": "STRIPE",
    });
    ScriptedResponse::json(200, &group.to_string())
}

/// Sends events through a queue in memory.
async fn send(client: &Client, events: Vec<UsageEvent>) -> Result<()> {
    let mut queue = client.clone().usage_queue();
    for event in events {
        queue.push(event)?;
    }
    let receipt = queue.flush().await;
    assert!(receipt.is_complete(), "{receipt}");
    Ok(())
}

async fn drain<S: Store>(outbox: &Outbox<S>, client: &Client) -> Result<Duration> {
    outbox.enqueue(&new_events()).await?;
    let mut sender = outbox.sender(client.clone()).start().await?;
    let started = Instant::now();
    assert_eq!(sender.send_due().await?.settled, DRAINED);
    Ok(started.elapsed())
}

async fn drain_by_hand(table: &mut ByHand, client: &Client) -> Result<Duration> {
    table.enqueue(&new_events()).await;
    let started = Instant::now();
    loop {
        let rows = table.select().await;
        if rows.is_empty() {
            return Ok(started.elapsed());
        }
        let usage = |body: &str| {
            let body: serde_json::Value = serde_json::from_str(body).ok()?;
            let timestamp = body["timestamp"].as_str()?.parse().ok()?;
            let event = UsageEvent::new(body["entitlementID"].as_str()?, timestamp);
            Some(event.quantity("ingest_gb", body["records"]["ingest_gb"].to_string().parse::<Decimal>().ok()?))
        };
        let events: Option<Vec<_>> = rows.iter().map(|(_, body)| usage(body)).collect();
        send(client, events.ok_or_else(|| Error::new(ErrorKind::Decode, "a body"))?).await?;
        table.delete(&rows).await;
    }
}

fn delivered(leased: &LeasedBatch) -> Vec<Attempt> {
    let attempt = |event: &NewEvent| {
        let (token, body_sha256, outcome) = (leased.token, event.body_sha256(), Outcome::Delivered);
        let (started_at, ended_at) = (now(), now());
        let result = AttemptResult { token, started_at, ended_at, body_sha256, outcome, status: None, message: None };
        Attempt { key: event.key, result, retry_after: None }
    };
    leased.events.iter().map(attempt).collect()
}

/// Enqueues, leases and settles `rows` events, and prints the rate of each tenth. Of a backlog of one batch, as in a sender that keeps up.
async fn lives<S: Store>(store: &S, rows: usize) -> Result<()> {
    let window = Duration::from_secs(24 * 3600);
    let mut rates = Vec::new();
    for tenth in 0..10 {
        let (mut enqueue, mut deliver) = (Duration::ZERO, Duration::ZERO);
        for from in (tenth * rows / 10..(tenth + 1) * rows / 10).step_by(BATCH) {
            let events =
                events(from, BATCH).iter().map(|event| NewEvent::new(event, ORG)).collect::<Result<Vec<_>>>()?;
            let now = now() + TimeDelta::hours(i64::try_from(from / 500).expect("a number") + 3);
            let started = Instant::now();
            store.enqueue(events, window, now).await?;
            enqueue += started.elapsed();
            let until = now + TimeDelta::minutes(3);
            loop {
                let started = Instant::now();
                let leased = store.lease(LeaseRequest { now, until, limit: 256, probes: 3 }).await?;
                deliver += started.elapsed();
                if leased.events.is_empty() {
                    break;
                }
                let attempts = delivered(&leased);
                let started = Instant::now();
                assert_eq!(store.settle(leased.token, attempts, now).await?, 0);
                deliver += started.elapsed();
            }
        }
        let name = format!("tenth {}", tenth + 1);
        report(&format!("  enqueue in batches of {BATCH}, {name}"), rows / 10, enqueue);
        rates.push(report(&format!("  enqueue, lease and settle, {name}"), rows / 10, enqueue + deliver));
    }
    println!("  last to first tenth {:.2}", rates[9] / rates[0]);
    Ok(())
}

async fn compare<S: Store>(
    name: &str,
    open: impl AsyncFn(&'static str) -> Result<Outbox<S>>,
    by_hand: impl AsyncFn(&'static str) -> ByHand,
    client: &Client,
    of_queue: f64,
) -> Result<()> {
    for (what, batch, count) in [("one by one", 1, BATCH), ("in batches of 1000", BATCH, 50_000)] {
        let of_outbox = enqueue(&open(what).await?, batch, count).await?;
        let of_outbox = report(&format!("{name}: enqueue {what}"), count, of_outbox);
        let of_table = enqueue_by_hand(&mut by_hand(what).await, batch, count).await;
        println!("  ratio {:.2}", of_outbox / report("  by hand", count, of_table));
    }
    let of_outbox = report(&format!("{name}: drain"), DRAINED, drain(&open("drain").await?, client).await?);
    let of_table = report("  by hand", DRAINED, drain_by_hand(&mut by_hand("drain").await, client).await?);
    println!("  ratio to the queue in memory {:.2}, to the table {:.2}", of_outbox / of_queue, of_outbox / of_table);

    let rows = std::env::var("OUTBOX_ROWS").map_or(200_000, |rows| rows.parse().expect("a number"));
    println!("{name}: a store that grows");
    let large = open("large").await?;
    lives(large.store(), rows).await?;
    let key = NewEvent::new(&event(rows / 2), ORG)?.key;
    let started = Instant::now();
    large.store().event(key, None).await?.expect("it is stored");
    println!("  find an event by its key among {rows}: {} ms", started.elapsed().as_millis());
    let started = Instant::now();
    large.status().await?;
    println!("  status: {} ms", started.elapsed().as_millis());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = ScriptedServer::start(stored_as_sent);
    let url = std::env::var("OUTBOX_SANDBOX").unwrap_or_else(|_| server.url().to_owned());
    let client = Client::builder(ORG, "demo-suger-key").base_url(url).build()?.with_now(now());
    let drained = new_events();
    let started = Instant::now();
    send(&client, drained).await?;
    let of_queue = report("drain the queue in memory", DRAINED, started.elapsed());
    let wanted = std::env::var("OUTBOX_STORE").unwrap_or_default();

    if wanted != "postgres" {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name.replace(' ', "_"));
        let open = async |name: &'static str| {
            let store = SqliteStore::open(file(name), ORG).await?;
            Ok(Outbox::new(store).clock(Clock::new(now)))
        };
        let by_hand = async |name: &'static str| ByHand::sqlite(&file(name).with_extension("hand")).await;
        compare("SQLite", open, by_hand, &client, of_queue).await?;
    }
    if wanted != "sqlite"
        && let Some(server) = server::Server::start_or_skip(&["shared_buffers=512MB", "max_wal_size=4GB"])
    {
        let open = async |_: &'static str| {
            let store =
                PostgresStore::open(PostgresStore::pool(server.options(&server.create_database().await)), ORG).await?;
            Ok(Outbox::new(store).clock(Clock::new(now)))
        };
        compare("PostgreSQL", open, async |_: &'static str| ByHand::postgres(&server).await, &client, of_queue).await?;
    }
    Ok(())
}
