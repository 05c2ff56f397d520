//! Start and stop, and the order of what a request passes.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use chrono::{DateTime, NaiveDate, Utc};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::acronis::Acronis;
use crate::admin::{self, Admin};
use crate::auth::Tokens;
use crate::clock::Clock;
use crate::connections;
use crate::contract;
use crate::door::{self, Door};
use crate::faults::{self, Fault, Faults, Harm};
use crate::genesys::Genesys;
use crate::limits::{self, Allowed, Limits};
use crate::log::{Log, LoggedRequest};
use crate::page::{self, Page};
use crate::permissions::{self, Permissions};
use crate::suger::Suger;
use crate::vendor::Vendor;
use crate::world::{self, World};

/// A day, less a second.
const GENESYS_TOKEN_LIFETIME: Duration = Duration::from_secs(86_399);
const ACRONIS_TOKEN_LIFETIME: Duration = Duration::from_secs(7_200);
/// Open requests have so long to end when the sandbox is shut down.
const LAST_CALL: Duration = Duration::from_secs(5);

/// The running stand-in for Genesys Cloud, Suger and Acronis. It stops when it is dropped.
///
/// Each sandbox has a state of its own, and starts from the same world.
pub struct Sandbox {
    url: String,
    clock: Clock,
    log: Arc<Log>,
    faults: Arc<Faults>,
    /// Dropping it is the signal.
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts with all defaults on a free port of 127.0.0.1.
    ///
    /// Has to be called within a Tokio runtime, which then runs the server.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start() -> std::io::Result<Self> {
        Self::builder().start().await
    }

    /// To change a default first.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Where it answers, all vendors under one address: `http://127.0.0.1:` and the port, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The last 1000 requests, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.log.all()
    }

    /// What time it is in there.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Moves the sandbox's time on: tokens end, months close, reports finish, nobody sleeps.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Adds a fault, as [`SandboxBuilder::fault`] does before the start.
    ///
    /// # Errors
    /// What is wrong with the fault.
    pub fn inject(&self, fault: Fault) -> Result<(), String> {
        self.faults.add(vec![fault])
    }

    /// From now on nothing goes wrong on purpose.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Stops, and waits until the open requests have been answered.
    pub async fn shut_down(self) {
        drop(self.stop);
        let mut server = self.server;
        if tokio::time::timeout(LAST_CALL, &mut server).await.is_err() {
            server.abort();
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a sandbox is like. See [`Sandbox::builder`].
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    address: SocketAddr,
    today: Option<NaiveDate>,
    polls_before_ready: u32,
    token_lifetime: Option<Duration>,
    gzip_header: bool,
    strict: bool,
    max_connections: usize,
    requests_per_minute: Allowed,
    faults: Vec<Fault>,
    fault_seed: u64,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            today: None,
            polls_before_ready: 2,
            token_lifetime: None,
            gzip_header: true,
            strict: false,
            max_connections: 1024,
            requests_per_minute: Allowed::default(),
            faults: Vec::new(),
            fault_seed: 0,
        }
    }
}

impl SandboxBuilder {
    /// Port of 127.0.0.1; 0 (the default) is a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// The day of the start, for the same answers on any day: it is then noon, UTC. The default is the real time. The
    /// sandbox's clock goes on from there, with real time and with [`Sandbox::advance`].
    pub fn today(mut self, today: NaiveDate) -> Self {
        self.today = Some(today);
        self
    }

    /// How many polls find a report or query in progress; 2 by default, 0 has everything ready at once.
    pub fn polls_before_ready(mut self, polls: u32) -> Self {
        self.polls_before_ready = polls;
        self
    }

    /// How long tokens live. By default as long as the vendors' do: 86,399 seconds (Genesys Cloud), two hours
    /// (Acronis).
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// Whether downloads from Acronis say `Content-Encoding: gzip`; true by default. The bytes are gzip either way.
    pub fn gzip_header(mut self, header: bool) -> Self {
        self.gzip_header = header;
        self
    }

    /// Whether anything that the curated documents do not know is an error; false by default. The header
    /// `X-Sandbox-Strict: true` does the same for one request.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Where it listens, in place of 127.0.0.1 and a free port. An address that others can reach lets them in: the demo
    /// credentials are public.
    pub fn listen(mut self, address: impl Into<SocketAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Connections at once, 1024 by default; others wait. At least one.
    pub fn max_connections(mut self, connections: usize) -> Self {
        // The semaphore's own limit is above any number of sockets.
        self.max_connections = connections.clamp(1, 1 << 20);
        self
    }

    /// Requests that each caller of a vendor has a minute; `None` for no limit. By default 300 of Genesys Cloud, and no
    /// limit of the others.
    pub fn requests_per_minute(mut self, vendor: Vendor, requests: Option<u32>) -> Self {
        *self.requests_per_minute.of(vendor) = requests;
        self
    }

    /// A fault from the start on. Faults are held against a request in the order in which they were added.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// From which faults with a `percent` are drawn; 0 by default.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.fault_seed = seed;
        self
    }

    /// Starts.
    ///
    /// Has to be called within a Tokio runtime, which then runs the server.
    ///
    /// # Errors
    /// When the address cannot be bound, and [`InvalidInput`](std::io::ErrorKind::InvalidInput) when a fault is none.
    pub async fn start(self) -> std::io::Result<Sandbox> {
        let faults = Faults::new(self.fault_seed, self.faults.clone())
            .map_err(|reason| std::io::Error::new(std::io::ErrorKind::InvalidInput, reason))?;
        let faults = Arc::new(faults);
        let listener = TcpListener::bind(self.address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let log = Arc::new(Log::default());
        let clock = Clock::start(self.today);
        let router = self.router(&url, &clock, &log, &faults);
        let (stop, stopped) = oneshot::channel::<()>();
        let most = self.max_connections;
        let server = tokio::spawn(async move {
            let stopped = async {
                // The sender is never used, only dropped.
                let _ = stopped.await;
            };
            connections::serve(listener, router, most, stopped).await;
        });
        Ok(Sandbox { url, clock, log, faults, stop, server })
    }

    fn router(&self, url: &str, clock: &Clock, log: &Arc<Log>, faults: &Arc<Faults>) -> Router {
        let world = Arc::new(World::new(clock.clone()));
        // No two sandboxes that run at once have the same address, so none takes the tokens of another.
        let realm = world::id(url);
        let tokens = |vendor: &str, lifetime| {
            let realm = Uuid::new_v5(&realm, vendor.as_bytes());
            Tokens::new(self.token_lifetime.unwrap_or(lifetime), clock.clone(), realm)
        };
        let polls = self.polls_before_ready;
        let genesys_tokens = tokens("genesys", GENESYS_TOKEN_LIFETIME);
        let acronis_tokens = tokens("acronis", ACRONIS_TOKEN_LIFETIME);
        let permissions = Permissions { genesys: genesys_tokens.clone(), acronis: acronis_tokens.clone() };
        let door = Arc::new(Door {
            realm,
            clock: clock.clone(),
            log: log.clone(),
            genesys: Genesys::new(world.clone(), clock.clone(), genesys_tokens, polls, realm),
            suger: Suger::new(world.clone(), clock.clone(), realm),
            acronis: Acronis::new(world, clock.clone(), acronis_tokens, polls, self.gzip_header, realm),
        });
        let vendors = Router::new()
            .merge(door.genesys.routes())
            .merge(door.suger.routes())
            .merge(door.acronis.routes())
            .fallback(door::no_such_path)
            .method_not_allowed_fallback(door::no_such_method);
        let limits = Limits::new(self.requests_per_minute, clock.clone());
        let gate = contract::Gate { strict: self.strict, log: log.clone() };
        let harm = Harm { faults: faults.clone(), clock: clock.clone(), log: log.clone() };
        // A layer of the router with the paths would run only once a path was chosen. The last layer is the outermost.
        let framed = Router::new()
            .fallback_service(vendors)
            .layer(from_fn_with_state(Arc::new(gate), contract::check))
            .layer(from_fn_with_state(door.clone(), door::enter))
            .layer(from_fn_with_state(Arc::new(permissions), permissions::permit))
            .layer(from_fn_with_state(Arc::new(limits), limits::limit))
            .layer(from_fn_with_state(Arc::new(harm), faults::inject))
            .layer(from_fn_with_state(door.clone(), door::note));
        let page = Page {
            url: url.to_owned(),
            strict: self.strict,
            clock: clock.clone(),
            log: log.clone(),
            genesys: door.genesys.clone(),
            suger: door.suger.clone(),
            acronis: door.acronis.clone(),
        };
        let admin = Admin { clock: clock.clone(), faults: faults.clone(), log: log.clone() };
        Router::new().merge(admin::routes(admin)).merge(page::routes(page)).fallback_service(framed)
    }
}
