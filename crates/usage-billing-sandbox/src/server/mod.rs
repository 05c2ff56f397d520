//! Starts and stops a sandbox, and connects its parts.

mod builder;
pub(crate) mod connections;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
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
use crate::admin::expected_usage::{Bill, ExpectedUsage, expected_usage};
use crate::admin::page::{self, Page};
use crate::admin::{self, Admin};
use crate::clock::Clock;
use crate::dataset::{self, Dataset, Seed};
use crate::http_util::oauth::Tokens;
use crate::middleware::Layers;
use crate::middleware::fault_injection::{Fault, FaultError, FaultInjection, Faults};
use crate::middleware::permissions::Permissions;
use crate::middleware::rate_limit::RateLimiter;
use crate::middleware::request_log::{Log, LoggedRequest, RequestLog};
use crate::middleware::request_validation::RequestValidation;
use crate::middleware::same_origin::{self, HostName};
use crate::vendors::Vendors;
use crate::vendors::acronis::Acronis;
use crate::vendors::genesys::Genesys;
use crate::vendors::suger::Suger;

/// A day, less a second.
const GENESYS_TOKEN_LIFETIME: Duration = Duration::from_secs(86_399);
const ACRONIS_TOKEN_LIFETIME: Duration = Duration::from_secs(7_200);
/// Time for open requests to end when the sandbox is shut down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// A running mock server for Genesys Cloud, Suger and Acronis. It stops when it is dropped.
///
/// Sandboxes share no state. The initial dataset depends on the seed, the size and the day only.
pub struct Sandbox {
    url: String,
    clock: Clock,
    dataset: Arc<Dataset>,
    log: Arc<Log>,
    faults: Arc<Faults>,
    /// Dropping it stops the server.
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox with all defaults on a free port of 127.0.0.1.
    ///
    /// Must be called within a Tokio runtime, which then runs the server.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start() -> std::io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder, to change defaults.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Returns the base URL of all vendors: `http://127.0.0.1:` and the port, without a slash at the end. If the sandbox listens on all
    /// addresses (`0.0.0.0`, `::`), it has the loopback address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the last 1000 requests, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.log.all()
    }

    /// Returns the time of the sandbox's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Advances the sandbox's clock without waiting: tokens expire, months end, reports finish.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Adds a fault, as [`SandboxBuilder::fault`] does before the start.
    ///
    /// # Errors
    /// The fault is not valid, or the sandbox has 1000 faults.
    pub fn inject(&self, fault: Fault) -> Result<(), FaultError> {
        self.faults.add(vec![fault])
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Returns the true bill of a period (its end excluded), as far as it is known by the sandbox's clock.
    ///
    /// Acronis' bills omit items without any usage, as reports with `hide_zero_usage` do; Genesys Cloud's bill has them with 0, as its report does.
    /// Writes to the sandbox do not change it.
    pub fn expected_usage(&self, bill: &Bill, period: Range<DateTime<Utc>>) -> Vec<ExpectedUsage> {
        expected_usage(&self.dataset, bill, period)
    }

    /// Stops the sandbox, after up to 5 seconds for open requests to end.
    pub async fn shut_down(self) {
        drop(self.stop);
        let mut server = self.server;
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut server).await.is_err() {
            server.abort();
        }
    }
}

/// Returns an address to connect to: 0.0.0.0 and :: are addresses to listen on.
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
    /// Starts the sandbox.
    ///
    /// Must be called within a Tokio runtime, which then runs the server.
    ///
    /// # Errors
    /// The address cannot be bound; [`InvalidInput`](std::io::ErrorKind::InvalidInput) if a fault or an allowed host is not valid, or the size is
    /// out of range.
    pub async fn start(self) -> std::io::Result<Sandbox> {
        let invalid = |reason| std::io::Error::new(std::io::ErrorKind::InvalidInput, reason);
        self.size.check().map_err(invalid)?;
        let faults = Faults::new(self.fault_seed, self.faults.clone()).map_err(|error| invalid(error.to_string()))?;
        let faults = Arc::new(faults);
        let allowed_hosts = self.allowed_hosts.iter().map(|name| name.parse()).collect::<Result<Vec<HostName>, _>>();
        let allowed_hosts: Arc<[HostName]> = allowed_hosts.map_err(invalid)?.into();
        let listener = TcpListener::bind(self.address).await?;
        let url = format!("http://{}", reachable(listener.local_addr()?));
        let log = Arc::new(Log::default());
        let clock = Clock::start(self.today);
        let dataset = Arc::new(Dataset::new(Seed::new(self.seed), &self.size, clock.clone()));
        let router = self.router(&url, &clock, &dataset, &log, &faults);
        let router = router.layer(from_fn_with_state(allowed_hosts, same_origin::check));
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = self.connections;
        let server = tokio::spawn(async move {
            let stopped = async {
                // The sender is only ever dropped.
                let _ = stopped.await;
            };
            connections::serve(listener, router, limits, stopped).await;
        });
        Ok(Sandbox { url, clock, dataset, log, faults, stop, server })
    }

    fn router(&self, url: &str, clock: &Clock, dataset: &Arc<Dataset>, log: &Arc<Log>, faults: &Arc<Faults>) -> Router {
        // Addresses of running sandboxes differ, so that no sandbox accepts the tokens of another one.
        let realm = dataset::id(url);
        let tokens = |vendor: &str, lifetime| {
            let realm = Uuid::new_v5(&realm, vendor.as_bytes());
            Tokens::new(self.token_lifetime.unwrap_or(lifetime), clock.clone(), realm)
        };
        let polls = self.polls_before_ready;
        let genesys_tokens = tokens("genesys", GENESYS_TOKEN_LIFETIME);
        let acronis_tokens = tokens("acronis", ACRONIS_TOKEN_LIFETIME);
        let permissions = Permissions { genesys: genesys_tokens.clone(), acronis: acronis_tokens.clone() };
        let vendors = Arc::new(Vendors {
            genesys: Genesys::new(dataset.clone(), clock.clone(), genesys_tokens, polls, realm),
            suger: Suger::new(dataset.clone(), clock.clone(), realm),
            acronis: Acronis::new(dataset.clone(), clock.clone(), acronis_tokens, polls, self.gzip_header, realm),
        });
        let layers = Layers {
            request_log: RequestLog { log: log.clone(), clock: clock.clone(), realm },
            fault_injection: FaultInjection { faults: faults.clone(), clock: clock.clone(), log: log.clone() },
            rate_limiter: RateLimiter::new(self.requests_per_minute, clock.clone()),
            permissions,
            vendors: vendors.clone(),
            request_validation: RequestValidation { strict: self.strict, log: log.clone() },
        };
        let page = Page { url: url.to_owned(), strict: self.strict, clock: clock.clone(), log: log.clone(), vendors };
        let admin = Admin { clock: clock.clone(), dataset: dataset.clone(), faults: faults.clone(), log: log.clone() };
        Router::new().merge(admin::routes(admin)).merge(page::routes(page)).fallback_service(layers.wrap())
    }
}
