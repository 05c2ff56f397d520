//! Senders that are killed with SIGKILL: at every step of the store and the sender, at every request, and at random, while the vendor loses,
//! truncates and repeats responses. Afterwards every event is at the vendor once, and every state is true.
//!
//! A run starts this test binary as a child, which enqueues the events of the run and sends them until none is open. It is started again, with
//! the same store, until it ends by itself. `OUTBOX_FAULT_RUNS` sets the number of random runs of each store, and `OUTBOX_FAULT_SEED` the first
//! seed.

mod postgres;
mod proxy;
mod sqlite;

use std::collections::BTreeMap;
use std::env;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};
use usage_billing::Decimal;
use usage_billing::suger::UsageEvent;
use usage_billing_outbox::{MeteredUsage, NewEvent, State, fail_points, hour_of, report};

use super::vendor::{Fault, REJECTED, Vendor};
use super::{ORG, at, usage};

const URL: &str = "OUTBOX_TEST_URL";
/// The file or database of the run.
const STORE: &str = "OUTBOX_TEST_STORE";
/// The entitlement of the records.
const METERED: &str = "e-4";
/// `name:n`: kill the process when it reaches the step for the n-th time.
const STEP: &str = "OUTBOX_TEST_STEP";
/// The clock of the child when it starts, in seconds.
const CLOCK: &str = "OUTBOX_TEST_CLOCK";
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

/// How a run is disturbed.
#[derive(Clone, Debug, Default)]
struct Disturbance {
    /// The step at which the first child is killed, and how often it is reached before.
    step: Option<(&'static str, u32)>,
    /// The numbers of requests at which a child is killed, before or after their effect.
    requests: Vec<(u32, Fault)>,
    /// Further faults by number of the request.
    faults: BTreeMap<u32, Fault>,
    /// By how many seconds the clock of each start is moved.
    clocks: Vec<i64>,
}

impl Disturbance {
    fn random(random: &mut fastrand::Rng, moved: i64) -> Self {
        let faults = (1..60).map(|request| (request, Fault::ALL[random.usize(..Fault::ALL.len())])).collect();
        let kills = random.usize(..4);
        let requests =
            (0..kills).map(|_| (random.u32(1..60), [Fault::Lost, Fault::LostAfterEffect][random.usize(..2)])).collect();
        let step = random.bool().then(|| (fail_points::NAMES[random.usize(..11)], random.u32(1..5)));
        let clocks = (0..4).map(|_| random.i64(-moved..=moved)).collect();
        Self { step, requests, faults, clocks }
    }

    /// Starts the vendor of a run, which calls `kill` at the requests of the disturbance.
    fn vendor(&self, kill: impl Fn() + Send + 'static) -> Vendor {
        let Self { requests, faults, .. } = self.clone();
        let mut request = 0;
        Vendor::start("STRIPE", move |_| {
            request += 1;
            match requests.iter().find(|(number, _)| *number == request) {
                Some((_, fault)) => {
                    kill();
                    *fault
                }
                None => faults.get(&request).copied().unwrap_or(Fault::None),
            }
        })
    }

    /// Starts a child: `clock` is the time of an undisturbed one.
    fn spawn(&self, child: &str, seed: u64, start: u32, clock: i64, settings: &[(&str, &str)]) -> Child {
        let moved = self.clocks.get(start as usize % 4).copied().unwrap_or_default();
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", child, "--quiet"]).envs(settings.iter().copied());
        command.env(SEED, seed.to_string()).env(CLOCK, (clock + moved).to_string()).env_remove(STEP);
        command.stdout(Stdio::null());
        if let (Some((name, count)), 1) = (self.step, start) {
            command.env(STEP, format!("{name}:{count}"));
        }
        command.spawn().unwrap()
    }
}

/// Returns a number of the environment.
fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Calls `run` with each seed, and returns the sum of its results.
fn random_runs(name: &str, default: u64, mut run: impl FnMut(u64) -> u32) {
    let (runs, first) = (number("OUTBOX_FAULT_RUNS").unwrap_or(default), number("OUTBOX_FAULT_SEED").unwrap_or(1000));
    let began = std::time::Instant::now();
    let processes: u32 = (first..first + runs).map(&mut run).sum();
    println!("{name}: {runs} runs, {processes} processes, {} s", began.elapsed().as_secs());
}

/// Checks that the vendor has the enqueued usage once, and that every state is true. `states` has the state and the number of attempts by key.
fn check(seed: u64, vendor: &Vendor, states: &BTreeMap<String, (String, i64)>, context: &str) {
    let expected = expected(seed);
    let is_rejected = |event: &UsageEvent| event.entitlement_id() == REJECTED;
    let groups = vendor.groups();
    let accepted = expected.iter().filter(|(_, event)| !is_rejected(event));
    assert_eq!(groups.keys().collect::<Vec<_>>(), accepted.clone().map(|(id, _)| id).collect::<Vec<_>>(), "{context}");
    let sum: Decimal = accepted.flat_map(|(_, event)| event.quantities().values()).sum();
    assert_eq!(vendor.sum(), sum, "{context}");

    let bodies: Vec<_> = expected.values().map(|event| NewEvent::new(event, ORG).unwrap().body).collect();
    assert!(vendor.sent().iter().all(|body| bodies.contains(body)), "{context}: a request has other bytes");

    assert_eq!(states.len(), expected.len(), "{context}");
    for (key, (state, attempts)) in states {
        let state = State::from_name(state).unwrap();
        match is_rejected(&expected[key]) {
            true => assert_eq!(state, State::Rejected, "{context}"),
            false => assert!([State::Delivered, State::AlreadyDelivered].contains(&state), "{context}: {key} {state}"),
        }
        assert!(*attempts > 0, "{context}");
    }
}
