//! Starts and stops a sandbox, and connects its parts.

mod builder;
pub(crate) mod connections;
pub(crate) mod state;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use self::builder::SandboxBuilder;
use self::state::Current;
use crate::admin;
use crate::admin::expected_usage::{Bill, ExpectedUsage, expected_usage};
use crate::middleware::fault_injection::{Fault, FaultError};
use crate::middleware::request_log::LoggedRequest;
use crate::middleware::same_origin::{self, HostName};

/// Time for open requests to end when the sandbox is shut down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// A running mock server for Genesys Cloud, Suger and Acronis. It stops when it is dropped.
///
/// Sandboxes share no state. The initial dataset depends on the seed, the size and the day only.
pub struct Sandbox {
    current: Arc<Current>,
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
        self.current.url()
    }

    /// Returns the last 1000 requests, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.current.state().log.all()
    }

    /// Returns the time of the sandbox's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.current.now()
    }

    /// Advances the sandbox's clock without waiting: tokens expire, months end, reports finish.
    pub fn advance(&self, by: Duration) {
        self.current.state().clock.advance(by);
    }

    /// Adds a fault, as [`SandboxBuilder::fault`] does before the start.
    ///
    /// # Errors
    /// The fault is not valid, or the sandbox has 1000 faults.
    pub fn inject(&self, fault: Fault) -> Result<(), FaultError> {
        self.current.state().faults.add(vec![fault])
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.current.state().faults.clear();
    }

    /// Returns the sandbox to its start, on the same address: clock, faults, tokens, reports, reported usage and the log are those of a sandbox
    /// that has just been started with the same settings.
    pub fn reset(&self) {
        self.current.reset();
    }

    /// Returns the true bill of a period (its end excluded), as far as it is known by the sandbox's clock.
    ///
    /// Acronis' bills omit items without any usage, as reports with `hide_zero_usage` do; Genesys Cloud's bill has them with 0, as its report does.
    /// Writes to the sandbox do not change it.
    pub fn expected_usage(&self, bill: &Bill, period: Range<DateTime<Utc>>) -> Vec<ExpectedUsage> {
        expected_usage(&self.current.state().dataset, bill, period)
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
        f.debug_struct("Sandbox").field("url", &self.url()).finish_non_exhaustive()
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
        let allowed_hosts = self.allowed_hosts.iter().map(|name| name.parse()).collect::<Result<Vec<HostName>, _>>();
        let allowed_hosts: Arc<[HostName]> = allowed_hosts.map_err(invalid)?.into();
        let limits = self.connections;
        let listener = TcpListener::bind(self.address).await?;
        let url = format!("http://{}", reachable(listener.local_addr()?));
        let current = Arc::new(Current::new(self, url).map_err(|error| invalid(error.to_string()))?);
        let router = admin::reset::routes(current.clone()).layer(from_fn_with_state(allowed_hosts, same_origin::check));
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let stopped = async {
                // The sender is only ever dropped.
                let _ = stopped.await;
            };
            connections::serve(listener, router, limits, stopped).await;
        });
        Ok(Sandbox { current, stop, server })
    }
}
