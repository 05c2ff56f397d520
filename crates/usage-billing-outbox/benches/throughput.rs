//! Events per second: enqueue one by one and in batches, also compared with a hand-written table; and drain, compared with the queue in memory.
//!
//! `OUTBOX_ROWS` sets the number of rows of the large file (default 200,000), which is printed by tenths: the cost of a batch has to stay flat.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use usage_billing::chrono::{DateTime, TimeDelta, Utc};
use usage_billing::suger::{Client, UsageEvent};
use usage_billing::{Decimal, Result};
use usage_billing_outbox::{Clock, NewEvent, Outbox, SqliteStore, Store as _};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer};

const ORG: &str = "acme";
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

fn report(what: &str, count: usize, time: Duration) -> f64 {
    let rate = count as f64 / time.as_secs_f64();
    println!("{what:<44} {count:>9} events {:>8} ms {rate:>9.0} / s", time.as_millis());
    rate
}

/// Stores what a program would store by itself: no states, no check of the body.
fn by_hand(path: &std::path::Path, batch: usize, count: usize) -> Duration {
    let mut connection = Connection::open(path).expect("a file");
    let schema = "PRAGMA journal_mode = wal; PRAGMA synchronous = full; CREATE TABLE outbox (key TEXT PRIMARY KEY, body TEXT NOT NULL, sent INTEGER)";
    connection.execute_batch(schema).expect("a schema");
    let events = events(0, count);
    let started = Instant::now();
    for batch in events.chunks(batch) {
        let transaction = connection.transaction().expect("a transaction");
        for event in batch {
            let body = serde_json::to_string(&event.body(ORG)).expect("JSON");
            let insert = "INSERT INTO outbox (key, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            let mut statement = transaction.prepare_cached(insert).expect("a statement");
            statement.execute((event.id(ORG).to_string(), body)).expect("an insert");
        }
        transaction.commit().expect("a commit");
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

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let open = async |name: &str| {
        let store = SqliteStore::open(file(name), ORG).await?;
        Ok::<_, usage_billing::Error>(Outbox::new(store).clock(Clock::new(now)))
    };

    let single = open("single").await?;
    let started = Instant::now();
    for event in events(0, BATCH) {
        single.enqueue(&[event]).await?;
    }
    let rate = report("enqueue one by one", BATCH, started.elapsed());
    let by_hand_rate = report("  by hand", BATCH, by_hand(&file("hand-1"), 1, BATCH));
    println!("  ratio {:.2}", rate / by_hand_rate);

    let rows = std::env::var("OUTBOX_ROWS").map_or(200_000, |rows| rows.parse().expect("a number"));
    let large = open("large").await?;
    let mut rates = Vec::new();
    for tenth in 0..10 {
        let mut time = Duration::ZERO;
        for from in (tenth * rows / 10..(tenth + 1) * rows / 10).step_by(BATCH) {
            let events = events(from, BATCH);
            let started = Instant::now();
            large.enqueue(&events).await?;
            time += started.elapsed();
        }
        rates.push(report(&format!("enqueue batches of {BATCH}, tenth {}", tenth + 1), rows / 10, time));
    }
    let by_hand_rate = report("  by hand, an empty file", 50_000, by_hand(&file("hand-2"), BATCH, 50_000));
    println!(
        "  ratio of the first tenth {:.2}, last to first tenth {:.2}",
        rates[0] / by_hand_rate,
        rates[9] / rates[0]
    );
    let started = Instant::now();
    let key = NewEvent::new(&event(rows / 2), ORG)?.key;
    large.store().event(key).await?.expect("it is stored");
    println!("find an event by its key among {rows}: {} ms", started.elapsed().as_millis());
    let started = Instant::now();
    large.status().await?;
    println!("status with {rows} open events: {} ms", started.elapsed().as_millis());

    let server = ScriptedServer::start(stored_as_sent);
    let client = || Client::builder(ORG, "hush").base_url(server.url()).build().map(|client| client.with_now(now()));
    let mut queue = client()?.usage_queue();
    for event in events(0, DRAINED) {
        queue.push(event)?;
    }
    let started = Instant::now();
    let receipt = queue.flush().await;
    assert!(receipt.is_complete(), "{receipt}");
    let of_queue = report("drain the queue in memory", DRAINED, started.elapsed());
    let drained = open("drained").await?;
    drained.enqueue(&events(0, DRAINED)).await?;
    let mut sender = drained.sender(client()?).start().await?;
    let started = Instant::now();
    let sent = sender.send_due().await?;
    assert_eq!(sent.settled, DRAINED);
    let rate = report("drain the outbox", DRAINED, started.elapsed());
    println!("  ratio {:.2}", rate / of_queue);
    Ok(())
}
