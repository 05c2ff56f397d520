//! One sender of a SQLite file.

use std::env;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use usage_billing::ErrorKind;
use usage_billing_outbox::{HourlyReports, SqliteStore, Store as _, fail_points};

use super::{CLOCK, Disturbance, MAX_STARTS, SEED, STORE, URL, check, events, hook, number, random_runs, records};
use crate::sender::{drain, outbox, started};
use crate::vendor::{Fault, client};
use crate::{ORG, at, new_event};

const CHILD: &str = "kill::sqlite::child";
const PRODUCER: &str = "kill::sqlite::producer";

/// The process that is killed. Without the variables it does nothing.
#[tokio::test(start_paused = true)]
async fn child() {
    let (Ok(url), Ok(file)) = (env::var(URL), env::var(STORE)) else { return };
    fail_points::set(hook);
    let store = SqliteStore::open(file, ORG).await.unwrap();
    let outbox = outbox(store, at(number(CLOCK).unwrap()));
    let seed = number(SEED).unwrap();
    let events = events(seed);
    // One by one, then all: the first ones are duplicates then, as after a restart.
    for event in &events[..5] {
        outbox.enqueue(std::slice::from_ref(event)).await.unwrap();
    }
    outbox.enqueue(&events).await.unwrap();
    outbox.record(records(seed)).await.unwrap();
    let sender = outbox.sender(client(&url)).flush_timeout(Duration::MAX).batch(7);
    let mut sender = sender.hourly_reports(HourlyReports::default()).start().await.unwrap();
    drain(&outbox, &mut sender, 500).await;
    drop(sender);
    assert_eq!(outbox.status().await.unwrap().backlog.oldest_timestamp, None, "everything has a result");
    let mut sender = started(&outbox, client(&url)).await;
    sender.run(async {}, Duration::from_secs(1)).await.unwrap();
}

/// Runs a disturbed delivery to its end, and checks the result. Returns the number of processes.
fn run(seed: u64, disturbance: &Disturbance) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.sqlite");
    let child: Arc<Mutex<Option<Child>>> = Arc::default();
    let running = child.clone();
    let vendor = disturbance.vendor(move || _ = running.lock().unwrap().as_mut().map(Child::kill));
    for start in 1..=MAX_STARTS {
        let settings = [(URL, vendor.url()), (STORE, file.to_str().unwrap())];
        let clock = 9 * 3600 + 3600 * i64::from(start);
        *child.lock().unwrap() = Some(disturbance.spawn(CHILD, seed, start, clock, &settings));
        let status = loop {
            if let Some(status) = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        if status.success() {
            let context = format!("seed {seed}, {disturbance:?}");
            let connection = Connection::open(&file).unwrap();
            let mut statement = connection.prepare("SELECT key, state, attempts FROM events").unwrap();
            let states = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
            check(seed, &vendor, &states.map(Result::unwrap).collect(), &context);
            check_file(&file, &context);
            return start;
        }
        assert_eq!(status.code(), None, "seed {seed}, {disturbance:?}: the child failed by itself");
    }
    panic!("seed {seed}, {disturbance:?}: no end after {MAX_STARTS} starts");
}

fn check_file(file: &Path, context: &str) {
    let connection = Connection::open(file).unwrap();
    let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let evidence =
        "SELECT count(*) FROM event WHERE (SELECT count(*) FROM attempt WHERE attempt.event = event.id) <> attempts";
    assert_eq!(number(evidence), 0, "{context}: an attempt without evidence");
    let tally = "SELECT count(*) FROM tally
        FULL JOIN (SELECT state, count(*) AS events FROM event GROUP BY state) AS counted USING (state)
        WHERE coalesce(tally.events, 0) <> coalesce(counted.events, 0)";
    assert_eq!(number(tally), 0, "{context}: the tally is wrong");
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok", "{context}");
}

#[test]
fn undisturbed_run_needs_one_process() {
    assert_eq!(run(1, &Disturbance::default()), 1);
}

#[test]
fn kill_at_every_step_loses_and_doubles_nothing() {
    for name in fail_points::NAMES {
        let mut killed = 0;
        for count in [1, 2, 5] {
            killed += run(u64::from(count), &Disturbance { step: Some((name, count)), ..Disturbance::default() }) - 1;
        }
        assert!(killed > 0, "{name} is never reached");
    }
}

#[test]
fn kill_at_every_request_loses_and_doubles_nothing() {
    for request in 1..=12 {
        for fault in [Fault::Lost, Fault::LostAfterEffect] {
            let disturbance = Disturbance { requests: vec![(request, fault)], ..Disturbance::default() };
            assert_eq!(run(7, &disturbance), 2, "{disturbance:?}");
        }
    }
}

/// Clocks move by up to three hours between the starts, forwards and back.
#[test]
fn random_kills_faults_and_clocks_lose_and_double_nothing() {
    random_runs("SQLite", 25, |seed| run(seed, &Disturbance::random(&mut fastrand::Rng::with_seed(seed), 3 * 3600)));
}

/// Enqueues until the disk is full, and prints the number of events that were accepted.
#[tokio::test]
async fn producer() {
    let (Ok(file), Err(_)) = (env::var(STORE), env::var(URL)) else { return };
    let store = SqliteStore::open(file, ORG).await.unwrap();
    for number in 0..100_000 {
        let batch = (0..10).map(|event| new_event("e-1", 10 * number + event)).collect();
        if let Err(error) = store.enqueue(batch, Duration::from_secs(21_600), at(0)).await {
            assert_eq!(error.kind(), ErrorKind::File, "{error}");
            println!("accepted={}", 10 * number);
            return;
        }
    }
    panic!("the disk was never full");
}

/// Files may not grow beyond a limit, which is what a full disk is for SQLite: a write that fails.
#[tokio::test]
async fn event_that_was_accepted_before_the_disk_was_full_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.sqlite");
    // 512 KiB. The signal of the limit would end the process.
    let script = r#"trap "" XFSZ; ulimit -f 1024; exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(env::current_exe().unwrap()).args(["--exact", PRODUCER, "--nocapture"]);
    let output = command.env(STORE, &file).env_remove(URL).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let accepted = printed.lines().find_map(|line| line.split("accepted=").nth(1));
    let accepted: u64 = accepted.unwrap_or_else(|| panic!("{printed}")).trim().parse().unwrap();
    check_file(&file, "full disk");
    let store = SqliteStore::open(&file, ORG).await.unwrap();
    let states = store.backlog(at(0), 1).await.unwrap().states;
    assert!(accepted > 0 && states.values().sum::<u64>() == accepted, "{accepted} were accepted: {states:?}");
}
