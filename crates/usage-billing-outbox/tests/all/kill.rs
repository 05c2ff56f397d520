//! Senders that are killed with SIGKILL: at every step of the store and the sender, at every request, and at random, while the vendor loses,
//! truncates and repeats responses. Afterwards every event is at the vendor once, and every state is true.
//!
//! A run starts this test binary as a child, which enqueues the events of the run and sends them until none is open. It is started again, with
//! the same file, until it ends by itself. `OUTBOX_FAULT_RUNS` sets the number of random runs, and `OUTBOX_FAULT_SEED` the first seed.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rusqlite::Connection;
use rustix::process::{Signal, getpid, kill_process};
use usage_billing::Decimal;
use usage_billing::suger::UsageEvent;
use usage_billing_outbox::{HourlyReports, MeteredUsage, NewEvent, SqliteStore, State, fail_points, hour_of, report};

use super::sender::{drain, outbox, started};
use super::vendor::{Fault, REJECTED, Vendor, client};
use super::{ORG, at, usage};

const CHILD: &str = "kill::child";
const URL: &str = "OUTBOX_TEST_URL";
const FILE: &str = "OUTBOX_TEST_FILE";
/// The entitlement of the records.
const METERED: &str = "e-4";
/// `name:n`: kill the process when it reaches the step for the n-th time.
const STEP: &str = "OUTBOX_TEST_STEP";
/// Number of the child in its run.
const START: &str = "OUTBOX_TEST_START";
const SEED: &str = "OUTBOX_TEST_SEED";
/// More starts than any run needs.
const MAX_STARTS: u32 = 60;

/// The events of a run: some entitlements, hours, and duplicates.
fn events(seed: u64) -> Vec<UsageEvent> {
    let mut random = fastrand::Rng::with_seed(seed);
    let names = ["e-1", "e-2", "e-3", REJECTED];
    let mut event = || usage(names[random.usize(..names.len())], random.i64(0..6)).sequence(random.u32(0..3));
    let mut events: Vec<_> = (0..24).map(|_| event()).collect();
    events.push(usage("e-1", 0));
    events
}

/// The records of a run, of which hourly reports are made.
fn records(seed: u64) -> Vec<MeteredUsage> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut record = |number: u32| MeteredUsage {
        id: number.to_string(),
        entitlement_id: METERED.to_owned(),
        dimension: "gb".to_owned(),
        timestamp: at(random.i64(0..4 * 3600)),
        quantity: Decimal::new(random.i64(1..1000), 3),
    };
    (0..20).map(&mut record).collect()
}

/// Returns the events that the vendor has to have seen in the end.
fn expected(seed: u64) -> BTreeMap<String, UsageEvent> {
    let mut hours: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in records(seed) {
        hours.entry(hour_of(record.timestamp)).or_default().push((record.dimension, record.quantity));
    }
    let report = |(hour, records)| report(METERED, hour, 0, records, &BTreeMap::new(), false).event;
    let events = events(seed).into_iter().chain(hours.into_iter().filter_map(report));
    events.map(|event| (event.id(ORG).to_string(), event)).collect()
}

fn hook(name: &'static str) {
    static STEP_AND_COUNT: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let wanted = STEP_AND_COUNT.get_or_init(|| {
        let step = env::var(STEP).ok()?;
        let (name, count) = step.split_once(':')?;
        Some((name.to_owned(), AtomicU32::new(count.parse().ok()?)))
    });
    if let Some((wanted, left)) = wanted
        && wanted == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        kill_process(getpid(), Signal::KILL).unwrap();
        // The signal may arrive a moment later.
        loop {
            std::thread::park();
        }
    }
}

/// The process that is killed. Without the variables it does nothing.
#[tokio::test(start_paused = true)]
async fn child() {
    let (Ok(url), Ok(file)) = (env::var(URL), env::var(FILE)) else { return };
    let number = |name| env::var(name).unwrap().parse::<u64>().unwrap();
    fail_points::set(hook);
    let store = SqliteStore::open(file, ORG).await.unwrap();
    let hours = i64::try_from(number(START)).unwrap();
    let outbox = outbox(store, at(6 * 3600 + 3600 * hours));
    let events = events(number(SEED));
    // One by one, then all: the first ones are duplicates then, as after a restart.
    for event in &events[..5] {
        outbox.enqueue(std::slice::from_ref(event)).await.unwrap();
    }
    outbox.enqueue(&events).await.unwrap();
    outbox.record(records(number(SEED))).await.unwrap();
    let sender = outbox.sender(client(&url)).flush_timeout(Duration::MAX).batch(7);
    let mut sender = sender.hourly_reports(HourlyReports::default()).start().await.unwrap();
    drain(&outbox, &mut sender, 500).await;
    drop(sender);
    assert_eq!(outbox.status().await.unwrap().backlog.oldest_timestamp, None, "everything has a result");
    let mut sender = started(&outbox, client(&url)).await;
    sender.run(async {}, Duration::from_secs(1)).await.unwrap();
}

/// How a run is disturbed.
#[derive(Clone, Debug, Default)]
struct Disturbance {
    /// The step at which the first child is killed, and how often it is reached before.
    step: Option<(&'static str, u32)>,
    /// The numbers of requests at which the child is killed, before or after their effect.
    requests: Vec<(u32, Fault)>,
    /// Further faults by number of the request.
    faults: BTreeMap<u32, Fault>,
}

/// Runs a disturbed delivery to its end, and checks the result. Returns the number of processes.
fn run(seed: u64, disturbance: &Disturbance) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.sqlite");
    let child: Arc<Mutex<Option<Child>>> = Arc::default();
    let (running, disturbed) = (child.clone(), disturbance.clone());
    let mut request = 0;
    let vendor = Vendor::start("STRIPE", move |_| {
        request += 1;
        if let Some((_, fault)) = disturbed.requests.iter().find(|(number, _)| *number == request)
            && let Some(child) = &mut *running.lock().unwrap()
        {
            let _ = child.kill();
            return *fault;
        }
        disturbed.faults.get(&request).copied().unwrap_or(Fault::None)
    });
    for start in 1..=MAX_STARTS {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", CHILD, "--quiet"]).env(URL, vendor.url()).env(FILE, &file);
        command.env(SEED, seed.to_string()).env(START, start.to_string()).env_remove(STEP);
        command.stdout(std::process::Stdio::null());
        if let (Some((name, count)), 1) = (disturbance.step, start) {
            command.env(STEP, format!("{name}:{count}"));
        }
        *child.lock().unwrap() = Some(command.spawn().unwrap());
        let status = loop {
            if let Some(status) = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
                break status;
            }
            std::thread::yield_now();
        };
        if status.success() {
            check(seed, &file, &vendor, disturbance);
            return start;
        }
        assert_eq!(status.code(), None, "seed {seed}, {disturbance:?}: the child failed by itself");
    }
    panic!("seed {seed}, {disturbance:?}: no end after {MAX_STARTS} starts");
}

/// Checks that the vendor has the enqueued usage once, and that every state is true.
fn check(seed: u64, file: &Path, vendor: &Vendor, disturbance: &Disturbance) {
    let context = format!("seed {seed}, {disturbance:?}");
    let expected = expected(seed);
    let is_rejected = |event: &UsageEvent| event.entitlement_id() == REJECTED;
    let groups = vendor.groups();
    let accepted = expected.iter().filter(|(_, event)| !is_rejected(event));
    assert_eq!(groups.keys().collect::<Vec<_>>(), accepted.clone().map(|(id, _)| id).collect::<Vec<_>>(), "{context}");
    let sum: Decimal = accepted.flat_map(|(_, event)| event.quantities().values()).sum();
    assert_eq!(vendor.sum(), sum, "{context}");

    let bodies: Vec<_> = expected.values().map(|event| NewEvent::new(event, ORG).unwrap().body).collect();
    assert!(vendor.sent().iter().all(|body| bodies.contains(body)), "{context}: a request has other bytes");

    let connection = Connection::open(file).unwrap();
    let mut statement = connection.prepare("SELECT key, state, attempts FROM events").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get::<_, String>(1)?, row.get::<_, u32>(2)?))));
    let states: BTreeMap<String, _> = rows.unwrap().map(Result::unwrap).collect();
    assert_eq!(states.len(), expected.len(), "{context}");
    for (key, (state, attempts)) in &states {
        let state = State::from_name(state).unwrap();
        match is_rejected(&expected[key]) {
            true => assert_eq!(state, State::Rejected, "{context}"),
            false => assert!([State::Delivered, State::AlreadyDelivered].contains(&state), "{context}: {key} {state}"),
        }
        assert!(*attempts > 0, "{context}");
    }
    let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let evidence =
        "SELECT count(*) FROM event WHERE (SELECT count(*) FROM attempt WHERE attempt.event = event.id) <> attempts";
    assert_eq!(number(evidence), 0, "{context}: an attempt without evidence");
    let tally =
        "SELECT count(*) FROM tally WHERE events <> (SELECT count(*) FROM event WHERE event.state = tally.state)";
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

#[test]
fn random_kills_and_faults_lose_and_double_nothing() {
    let number = |name, default| env::var(name).map_or(default, |text| text.parse::<u64>().unwrap());
    let (runs, first) = (number("OUTBOX_FAULT_RUNS", 25), number("OUTBOX_FAULT_SEED", 1000));
    let mut processes = 0;
    for seed in first..first + runs {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut fault = || Fault::ALL[random.usize(..Fault::ALL.len())];
        let faults: BTreeMap<_, _> = (1..60).map(|request| (request, fault())).collect();
        let kills = random.usize(..4);
        let requests =
            (0..kills).map(|_| (random.u32(1..60), [Fault::Lost, Fault::LostAfterEffect][random.usize(..2)]));
        let requests = requests.collect();
        let step = random.bool().then(|| (fail_points::NAMES[random.usize(..11)], random.u32(1..5)));
        processes += run(seed, &Disturbance { step, requests, faults });
    }
    println!("{runs} runs, {processes} processes");
}
