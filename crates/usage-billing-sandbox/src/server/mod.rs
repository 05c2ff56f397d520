//! Start and stop, and the order of what a request passes.

mod builder;
pub(crate) mod connections;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use self::builder::SandboxBuilder;
use crate::admin::page::{self, Page};
use crate::admin::{self, Admin};
use crate::clock::Clock;
use crate::dataset::{self, Seed, World};
use crate::http_util::oauth::Tokens;
use crate::middleware::fault_injection::{self, Fault, Faults, Harm};
use crate::middleware::permissions::{self, Permissions};
use crate::middleware::rate_limit::{self, Limits};
use crate::middleware::request_context::{self, Door};
use crate::middleware::request_log::{Log, LoggedRequest};
use crate::middleware::request_validation;
use crate::middleware::same_origin::{self, HostName};
use crate::vendors::acronis::Acronis;
use crate::vendors::genesys::Genesys;
use crate::vendors::suger::Suger;

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

    /// Where it answers, all vendors under one address: `http://127.0.0.1:` and the port, without a slash at the end. If it listens on all
    /// addresses (`0.0.0.0`, `::`), this is the loopback address.
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

/// An address to connect to: 0.0.0.0 and :: are addresses to listen on.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url).finish_non_exhaustive()
    }
}

impl SandboxBuilder {
    /// Starts.
    ///
    /// Has to be called within a Tokio runtime, which then runs the server.
    ///
    /// # Errors
    /// When the address cannot be bound, and [`InvalidInput`](std::io::ErrorKind::InvalidInput) when a fault or an allowed host is not valid or the size is
    /// out of range.
    pub async fn start(self) -> std::io::Result<Sandbox> {
        let invalid = |reason| std::io::Error::new(std::io::ErrorKind::InvalidInput, reason);
        self.size.check().map_err(invalid)?;
        let faults = Faults::new(self.fault_seed, self.faults.clone()).map_err(invalid)?;
        let faults = Arc::new(faults);
        let allowed_hosts = self.allowed_hosts.iter().map(|name| name.parse()).collect::<Result<Vec<HostName>, _>>();
        let allowed_hosts: Arc<[HostName]> = allowed_hosts.map_err(invalid)?.into();
        let listener = TcpListener::bind(self.address).await?;
        let url = format!("http://{}", reachable(listener.local_addr()?));
        let log = Arc::new(Log::default());
        let clock = Clock::start(self.today);
        let world = Arc::new(World::new(Seed::new(self.seed), &self.size, clock.clone()));
        let router = self.router(&url, &clock, &world, &log, &faults);
        let router = router.layer(from_fn_with_state(allowed_hosts, same_origin::check));
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = self.connections;
        let server = tokio::spawn(async move {
            let stopped = async {
                // The sender is never used, only dropped.
                let _ = stopped.await;
            };
            connections::serve(listener, router, limits, stopped).await;
        });
        Ok(Sandbox { url, clock, world, log, faults, stop, server })
    }

    fn router(&self, url: &str, clock: &Clock, world: &Arc<World>, log: &Arc<Log>, faults: &Arc<Faults>) -> Router {
        // No two sandboxes that run at once have the same address, so none takes the tokens of another.
        let realm = dataset::id(url);
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
            .fallback(request_context::no_such_path)
            .method_not_allowed_fallback(request_context::no_such_method);
        let limits = Limits::new(self.requests_per_minute, clock.clone());
        let gate = request_validation::Gate { strict: self.strict, log: log.clone() };
        let harm = Harm { faults: faults.clone(), clock: clock.clone(), log: log.clone() };
        // A layer of the router with the paths would run only once a path was chosen. The last layer is the outermost.
        let framed = Router::new()
            .fallback_service(vendors)
            .layer(from_fn_with_state(Arc::new(gate), request_validation::check))
            .layer(from_fn_with_state(door.clone(), request_context::enter))
            .layer(from_fn_with_state(Arc::new(permissions), permissions::permit))
            .layer(from_fn_with_state(Arc::new(limits), rate_limit::limit))
            .layer(from_fn_with_state(Arc::new(harm), fault_injection::inject))
            .layer(from_fn_with_state(door.clone(), request_context::note));
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
