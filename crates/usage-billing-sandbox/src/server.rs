//! Start and stop, and the one router of all vendors.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use http::{StatusCode, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::acronis::Acronis;
use crate::admin::{self, Admin};
use crate::answer;
use crate::auth::Tokens;
use crate::clock::Clock;
use crate::connections::{self, HangUp};
use crate::contract;
use crate::faults::{self, Fault, Faults, Harm};
use crate::genesys::Genesys;
use crate::limits::{self, Allowed, Limits};
use crate::log::{Log, LoggedRequest};
use crate::page::{self, Page};
use crate::permissions::{self, Permissions};
use crate::suger::Suger;
use crate::vendor::{Call, Vendor};
use crate::world::{self, Seed, Size, World};

/// A day, less a second.
const GENESYS_TOKEN_LIFETIME: Duration = Duration::from_secs(86_399);
const ACRONIS_TOKEN_LIFETIME: Duration = Duration::from_secs(7_200);
/// Open requests have so long to end when the sandbox is shut down.
const LAST_CALL: Duration = Duration::from_secs(5);

/// The running stand-in for Genesys Cloud, Suger and Acronis. It stops when it is dropped.
///
/// Each sandbox has a state of its own, and starts from a world that is the same for a seed and a size.
pub struct Sandbox {
    url: String,
    clock: Clock,
    world: Arc<World>,
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

    pub(crate) fn world(&self) -> &World {
        &self.world
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
    seed: u64,
    size: Size,
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
            seed: 0,
            size: Size::default(),
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

    /// Which world it is; 0 by default. With the same seed, size and day, all answers are the same to the byte, but for what comes from
    /// the address (tokens and ids that are given out) and the clock; another seed has other names and quantities. Demo credentials, and the ids
    /// of what is described in the documentation, are the same in all worlds.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How large the world is.
    pub fn size(mut self, size: Size) -> Self {
        self.size = size;
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
    /// When the address cannot be bound, and [`InvalidInput`](std::io::ErrorKind::InvalidInput) when a fault is none or the size is out of
    /// range.
    pub async fn start(self) -> std::io::Result<Sandbox> {
        let invalid = |reason| std::io::Error::new(std::io::ErrorKind::InvalidInput, reason);
        self.size.check().map_err(invalid)?;
        let faults = Faults::new(self.fault_seed, self.faults.clone()).map_err(invalid)?;
        let faults = Arc::new(faults);
        let listener = TcpListener::bind(self.address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let log = Arc::new(Log::default());
        let clock = Clock::start(self.today);
        let world = Arc::new(World::new(Seed::new(self.seed), &self.size, clock.clone()));
        let router = self.router(&url, &clock, &world, &log, &faults);
        let (stop, stopped) = oneshot::channel::<()>();
        let most = self.max_connections;
        let server = tokio::spawn(async move {
            let stopped = async {
                // The sender is never used, only dropped.
                let _ = stopped.await;
            };
            connections::serve(listener, router, most, stopped).await;
        });
        Ok(Sandbox { url, clock, world, log, faults, stop, server })
    }

    fn router(&self, url: &str, clock: &Clock, world: &Arc<World>, log: &Arc<Log>, faults: &Arc<Faults>) -> Router {
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
            acronis: Acronis::new(world.clone(), clock.clone(), acronis_tokens, polls, self.gzip_header, realm),
        });
        let vendors = Router::new()
            .merge(door.genesys.routes())
            .merge(door.suger.routes())
            .merge(door.acronis.routes())
            .fallback(no_such_path)
            .method_not_allowed_fallback(no_such_method);
        let limits = Limits::new(self.requests_per_minute, clock.clone());
        let gate = contract::Gate { strict: self.strict, log: log.clone() };
        let harm = Harm { faults: faults.clone(), clock: clock.clone(), log: log.clone() };
        // A layer of the router with the paths would run only once a path was chosen. The last layer is the outermost.
        let framed = Router::new()
            .fallback_service(vendors)
            .layer(from_fn_with_state(Arc::new(gate), contract::check))
            .layer(from_fn_with_state(door.clone(), enter))
            .layer(from_fn_with_state(Arc::new(permissions), permissions::permit))
            .layer(from_fn_with_state(Arc::new(limits), limits::limit))
            .layer(from_fn_with_state(Arc::new(harm), faults::inject))
            .layer(from_fn_with_state(door.clone(), note));
        let page = Page {
            url: url.to_owned(),
            strict: self.strict,
            clock: clock.clone(),
            log: log.clone(),
            genesys: door.genesys.clone(),
            suger: door.suger.clone(),
            acronis: door.acronis.clone(),
        };
        let admin = Admin { clock: clock.clone(), world: world.clone(), faults: faults.clone(), log: log.clone() };
        Router::new().merge(admin::routes(admin)).merge(page::routes(page)).fallback_service(framed)
    }
}

/// Where every request comes in.
struct Door {
    realm: Uuid,
    clock: Clock,
    log: Arc<Log>,
    genesys: Arc<Genesys>,
    suger: Arc<Suger>,
    acronis: Arc<Acronis>,
}

/// The outermost layer: what is known of a request is written down, and in the end how it was answered.
async fn note(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let readable = readable_path(request.uri().path());
    let path = readable.as_ref().unwrap_or(request.uri()).path();
    let vendor = Vendor::of(path);
    let operation = vendor.and_then(|vendor| vendor.operation(request.method(), path));
    let number = door.log.note(door.clock.now(), request.method(), request.uri(), vendor, operation);
    let correlation_id = Uuid::new_v5(&door.realm, format!("request/{number}").as_bytes());
    request.extensions_mut().insert(Call { number, correlation_id, vendor, operation });
    if let Some(readable) = readable {
        *request.uri_mut() = readable;
    }
    let mut response = next.run(request).await;
    if response.extensions().get::<HangUp>().is_none() {
        door.log.answered(number, response.status());
    }
    let now = || answer::http_date(door.clock.now());
    response.headers_mut().entry(header::DATE).or_insert_with(now);
    response
}

/// The innermost layer before the routes: the vendor's own frame around each answer.
async fn enter(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let Some(call) = request.extensions().get::<Call>().copied() else {
        return next.run(request).await;
    };
    match call.vendor {
        Some(Vendor::Genesys) => door.genesys.frame(call.correlation_id, request, next).await,
        Some(Vendor::Suger) => door.suger.frame(call.correlation_id, request, next).await,
        Some(Vendor::Acronis) => door.acronis.frame(request, next).await,
        None => next.run(request).await,
    }
}

/// A path whose escapes are no UTF-8, with U+FFFD in their place: an id that nothing has.
fn readable_path(path: &str) -> Option<Uri> {
    let decoded = percent_decode_str(path);
    if decoded.clone().decode_utf8().is_ok() {
        return None;
    }
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');
    utf8_percent_encode(&decoded.decode_utf8_lossy(), ESCAPED).to_string().parse().ok()
}

async fn no_such_path(uri: Uri) -> Response {
    match Vendor::of(uri.path()) {
        Some(Vendor::Genesys) => Genesys::no_such_path(),
        Some(Vendor::Suger) => Suger::no_such_path(),
        Some(Vendor::Acronis) => Acronis::no_such_path(),
        None => {
            let message = "The sandbox answers for Genesys Cloud under /api/v2 and /oauth/token, for Suger under /org, \
                           and for Acronis under /api/2.";
            answer::json(StatusCode::NOT_FOUND, &json!({"message": message}))
        }
    }
}

async fn no_such_method(uri: Uri) -> Response {
    match Vendor::of(uri.path()) {
        Some(Vendor::Genesys) => Genesys::no_such_method(),
        Some(Vendor::Suger) => Suger::no_such_method(),
        Some(Vendor::Acronis) => Acronis::no_such_method(),
        None => answer::json(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "The path has no such method."})),
    }
}
