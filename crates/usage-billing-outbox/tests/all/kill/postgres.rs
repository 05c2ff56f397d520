//! Three senders on one PostgreSQL: also with networks that are cut or stall, clocks that differ, and a server that is killed.

use std::collections::BTreeMap;
use std::env;
use std::future::Future;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::{Handle, Runtime};
use usage_billing::suger::MarketplaceWindows;
use usage_billing::uuid::Uuid;
use usage_billing::{ErrorKind, Result, chrono};
use usage_billing_outbox::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use usage_billing_outbox::sqlx::{self, ConnectOptions as _};
use usage_billing_outbox::store::{
    Attempt, AttemptResult, Backlog, EnqueueOutcome, EntitlementWindow, Heartbeat, LeaseRequest, LeasedBatch,
    RemovalOutcome, RollUpOutcome, Selection, WindowPage,
};
use usage_billing_outbox::{
    HourlyReports, MeteredUsage, NewEvent, PostgresStore, State, Store, StoredEvent, fail_points,
};

use super::proxy::{Network, Proxy, Target};
use super::{CLOCK, Disturbance, MAX_STARTS, SEED, STORE, URL, check, events, hook, number, random_runs, records};
use crate::sender::outbox;
use crate::server::Server;
use crate::vendor::client;
use crate::{ORG, at};

const CHILD: &str = "kill::postgres::child";
/// The port of the proxy to the database.
const PORT: &str = "OUTBOX_TEST_PORT";
const SENDERS: usize = 3;
/// How long a lease lasts, on the clock of its sender.
const LEASE: TimeDelta = TimeDelta::minutes(20);
/// How far a clock advances while nothing is due, and how long that takes. Leases have to be longer than a batch.
const STEP: TimeDelta = TimeDelta::seconds(20);
const STEP_TAKES: Duration = Duration::from_millis(5);
/// By how much clocks differ.
const MOVED: i64 = 600;
/// How long a run may take.
const LONGEST: Duration = Duration::from_secs(120);

/// The store on a runtime of its own: time passes there while a sender waits for it, whose clock is paused.
#[derive(Clone)]
struct RealTime(PostgresStore, Handle);

impl RealTime {
    async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let handle = self.1.clone();
        tokio::task::spawn_blocking(move || handle.block_on(work)).await.unwrap()
    }
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*) -> $found:ty;)+) => {
        $(
            async fn $name(&self, $($argument: $type),*) -> Result<$found> {
                let store = self.0.clone();
                self.run(async move { store.$name($($argument),*).await }).await
            }
        )+
    };
}

impl Store for RealTime {
    type SenderGuard = ();

    fn org_id(&self) -> &str {
        self.0.org_id()
    }

    /// A batch has no time limit here, and its lease has.
    async fn lease(&self, request: LeaseRequest) -> Result<LeasedBatch> {
        let (store, request) = (self.0.clone(), LeaseRequest { until: request.now + LEASE, ..request });
        self.run(async move { store.lease(request).await }).await
    }

    forward! {
        enqueue(events: Vec<NewEvent>, window: Duration, now: DateTime<Utc>) -> EnqueueOutcome;
        record(records: Vec<MeteredUsage>, now: DateTime<Utc>) -> EnqueueOutcome;
        roll_up(rule: HourlyReports, window: Duration, now: DateTime<Utc>) -> RollUpOutcome;
        start_sender(now: DateTime<Utc>) -> ();
        settle(token: i64, attempts: Vec<Attempt>, now: DateTime<Utc>) -> usize;
        requeue(key: Uuid, timestamp: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<State>;
        resolve(key: Uuid, timestamp: Option<DateTime<Utc>>, reason: String) -> Option<State>;
        event(key: Uuid, timestamp: Option<DateTime<Utc>>) -> Option<(StoredEvent, Vec<AttemptResult>)>;
        events(selection: Selection) -> Vec<StoredEvent>;
        backlog(now: DateTime<Utc>, limit: usize) -> Backlog;
        unknown_marketplaces(limit: usize) -> Vec<String>;
        set_window(window: EntitlementWindow, from: Option<WindowPage>) -> Option<WindowPage>;
        forget_windows(windows: MarketplaceWindows) -> ();
        beat(heartbeat: Heartbeat) -> ();
        remove_before(cutoff: DateTime<Utc>, limit: usize) -> RemovalOutcome;
    }
}

/// Repeats work while the database cannot be reached.
async fn until_reached<T>(work: impl AsyncFn() -> Result<T>) -> T {
    loop {
        match work().await {
            Err(error) if error.kind() == ErrorKind::File => step().await,
            ended => return ended.unwrap(),
        }
    }
}

async fn step() {
    tokio::task::spawn_blocking(|| std::thread::sleep(STEP_TAKES)).await.unwrap();
}

/// One of the processes. Without the variables it does nothing.
#[tokio::test(start_paused = true)]
async fn child() {
    let (Ok(url), Ok(database), Some(port)) = (env::var(URL), env::var(STORE), number(PORT)) else { return };
    fail_points::set(hook);
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let handle = RUNTIME.get_or_init(|| Runtime::new().unwrap()).handle();
    let open = async move || {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username("outbox");
        let pool = PgPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_millis(500));
        let pool = pool.connect_lazy_with(options.database(&database).ssl_mode(sqlx::postgres::PgSslMode::Disable));
        PostgresStore::open(pool, ORG).await
    };
    let opened = tokio::task::spawn_blocking(move || handle.block_on(until_reached(open)));
    let store = RealTime(opened.await.unwrap().time_limit(Duration::from_millis(500)), handle.clone());
    let (start, began) = (at(number(CLOCK).unwrap()), tokio::time::Instant::now());
    let clock = || start + began.elapsed();
    let outbox = outbox(store, start);
    let seed = number(SEED).unwrap();
    let events = events(seed);
    for event in &events[..5] {
        until_reached(async || outbox.enqueue(std::slice::from_ref(event)).await).await;
    }
    until_reached(async || outbox.enqueue(&events).await).await;
    until_reached(async || outbox.record(records(seed)).await).await;
    let sender = outbox.sender(client(&url)).flush_timeout(Duration::MAX).batch(7);
    let mut sender = sender.hourly_reports(HourlyReports::default()).start().await.unwrap();
    loop {
        let next_at = match sender.send_due().await {
            Ok(sent) => sent.next_at,
            Err(error) if error.kind() == ErrorKind::File => None,
            Err(error) => panic!("{error}"),
        };
        if next_at.is_none() {
            let backlog = until_reached(async || outbox.status().await).await.backlog;
            if backlog.oldest_timestamp.is_none() && backlog.open_records == 0 {
                return;
            }
        }
        step().await;
        let due_in = next_at.map_or(STEP, |next_at| (next_at - clock()).min(STEP));
        tokio::time::sleep(due_in.to_std().unwrap_or_default()).await;
    }
}

/// The server of the harness, which is killed: not that of other tests. Runs take turns.
fn server() -> Option<&'static Mutex<Server>> {
    static SERVER: OnceLock<Option<Mutex<Server>>> = OnceLock::new();
    SERVER.get_or_init(|| Server::start_or_skip(&["max_wal_size=4GB"]).map(Mutex::new)).as_ref()
}

fn lock(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An outage of one of the six networks.
#[derive(Clone, Copy, Debug)]
struct Partition {
    proxy: usize,
    network: Network,
    /// After the one before.
    after: Duration,
    lasts: Duration,
}

/// What happens to the networks and the server while a run lasts.
#[derive(Clone, Debug, Default)]
struct Outages {
    partitions: Vec<Partition>,
    /// The number of the partition with which the server is killed.
    killed_at: Option<usize>,
}

impl Outages {
    fn random(random: &mut fastrand::Rng) -> Self {
        let count = random.usize(..8);
        let mut partition = || Partition {
            proxy: random.usize(..2 * SENDERS),
            network: [Network::Cut, Network::Stalls][random.usize(..2)],
            after: Duration::from_millis(random.u64(..60)),
            lasts: Duration::from_millis(random.u64(5..700)),
        };
        let partitions = (0..count).map(|_| partition()).collect();
        let killed_at = (random.u32(..5) == 0).then(|| random.usize(..=count));
        Self { partitions, killed_at }
    }
}

/// The number of starts and the process of each sender.
type Processes = Arc<Mutex<Vec<(u32, Option<Child>)>>>;

/// Ends the processes of a run that fails.
struct Ended(Processes);

impl Drop for Ended {
    fn drop(&mut self) {
        let mut children = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        children.iter_mut().filter_map(|(_, child)| child.as_mut()).for_each(|child| _ = child.kill());
    }
}

/// Runs a disturbed delivery by three processes to its end, and checks the result. Returns the number of processes.
fn run(server: &mut Server, seed: u64, disturbance: &Disturbance, outages: &Outages) -> u32 {
    let context = format!("seed {seed}, {disturbance:?}, {outages:?}");
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(server.create_database());
    let children: Processes = Arc::new(Mutex::new((0..SENDERS).map(|_| (0, None)).collect()));
    let (running, _ended) = (children.clone(), Ended(children.clone()));
    let victim = Mutex::new(fastrand::Rng::with_seed(seed));
    let vendor = disturbance.vendor(move || {
        let victim = victim.lock().unwrap().usize(..SENDERS);
        let _ = running.lock().unwrap()[victim].1.as_mut().map(Child::kill);
    });
    let address = vendor.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let target = |number| if number < SENDERS { Target::Unix(server.socket()) } else { Target::Tcp(address.clone()) };
    let networks: Vec<_> = (0..2 * SENDERS).map(|number| Proxy::start(target(number))).collect();
    let began = Instant::now();
    let mut outages = Schedule::new(outages.clone());
    loop {
        let mut ended = true;
        for number in 0..SENDERS {
            let (start, child) = &mut children.lock().unwrap()[number];
            match child.as_mut().map(|child| child.try_wait().unwrap()) {
                Some(Some(status)) if status.success() => {}
                Some(None) => ended = false,
                killed => {
                    let by_itself = killed.flatten().is_some_and(|status| status.code().is_some());
                    assert!(!by_itself, "{context}: a child failed by itself");
                    *start += 1;
                    assert!(*start <= MAX_STARTS, "{context}: no end after {MAX_STARTS} starts");
                    let (port, url) = (
                        networks[number].port().to_string(),
                        format!("http://127.0.0.1:{}", networks[SENDERS + number].port()),
                    );
                    let settings = [(URL, url.as_str()), (STORE, database.as_str()), (PORT, port.as_str())];
                    let clock = 8 * 3600 + MOVED * i64::try_from(number).unwrap() / 3;
                    *child = Some(disturbance.spawn(CHILD, seed, *start, clock, &settings));
                    ended = false;
                }
            }
        }
        if ended {
            break;
        }
        if began.elapsed() > LONGEST {
            let states = runtime.block_on(states(server, &database, &context));
            panic!("{context}: no end after {} requests: {states:?}", vendor.requests().len());
        }
        outages.apply(&networks, server, began.elapsed());
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(networks);
    let states = runtime.block_on(states(server, &database, &context));
    check(seed, &vendor, &states, &context);
    children.lock().unwrap().iter().map(|(starts, _)| starts).sum()
}

/// The outages that are still to come, one after the other.
struct Schedule {
    outages: Outages,
    next: usize,
    until: Option<Duration>,
    from: Duration,
}

impl Schedule {
    fn new(outages: Outages) -> Self {
        Self { outages, next: 0, until: None, from: Duration::ZERO }
    }

    fn apply(&mut self, networks: &[Proxy], server: &mut Server, now: Duration) {
        let Some(Partition { proxy, network, after, lasts }) = self.outages.partitions.get(self.next).copied() else {
            return self.kill(server);
        };
        match self.until {
            Some(until) if now >= until => {
                networks[proxy].set(Network::Works);
                self.kill(server);
                (self.next, self.until, self.from) = (self.next + 1, None, now);
            }
            None if now >= self.from + after => {
                networks[proxy].set(network);
                self.until = Some(now + lasts);
            }
            _ => {}
        }
    }

    fn kill(&mut self, server: &mut Server) {
        if self.outages.killed_at == Some(self.next) {
            server.kill();
            server.start().unwrap();
            self.outages.killed_at = None;
        }
    }
}

/// Checks the tables, and returns the state and the number of attempts by key.
async fn states(server: &Server, database: &str, context: &str) -> BTreeMap<String, (String, i64)> {
    let mut connection = server.options(database).connect().await.unwrap();
    let evidence = "SELECT count(*) FROM usage_billing.event
        WHERE (SELECT count(*) FROM usage_billing.attempt WHERE attempt.event = event.id) < attempts";
    let missing: i64 = sqlx::query_scalar(evidence).fetch_one(&mut connection).await.unwrap();
    assert_eq!(missing, 0, "{context}: an attempt without evidence");
    let tally =
        "SELECT count(*) FROM (SELECT state, sum(events) AS events FROM usage_billing.tally GROUP BY state) AS tally
        FULL JOIN (SELECT state, count(*) AS events FROM usage_billing.event GROUP BY state) AS counted USING (state)
        WHERE coalesce(tally.events, 0) <> coalesce(counted.events, 0)";
    let wrong: i64 = sqlx::query_scalar(tally).fetch_one(&mut connection).await.unwrap();
    assert_eq!(wrong, 0, "{context}: the tally is wrong");
    let states = "SELECT key::text, state, attempts FROM usage_billing.events";
    let states: Vec<(String, String, i64)> = sqlx::query_as(states).fetch_all(&mut connection).await.unwrap();
    states.into_iter().map(|(key, state, attempts)| (key, (state, attempts))).collect()
}

#[test]
fn undisturbed_run_needs_one_process_for_each_sender() {
    let Some(server) = server() else { return };
    assert_eq!(run(&mut lock(server), 1, &Disturbance::default(), &Outages::default()), 3);
}

#[test]
fn kill_of_three_senders_at_every_step_keeps_each_event_once() {
    let Some(server) = server() else { return };
    let names = fail_points::NAMES.into_iter().filter(|name| *name != "stop.begun");
    for name in names {
        let disturbance = Disturbance { step: Some((name, 1)), ..Disturbance::default() };
        let processes = run(&mut lock(server), 2, &disturbance, &Outages::default());
        assert!(processes > 3, "{name} is never reached");
    }
}

#[test]
fn random_kills_of_three_senders_keep_each_event_once() {
    let Some(server) = server() else { return };
    random_runs("PostgreSQL", 4, |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let disturbance = Disturbance::random(&mut random, MOVED);
        run(&mut lock(server), seed, &disturbance, &Outages::random(&mut random))
    });
}
