//! The settings of a sandbox before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::NaiveDate;

use crate::dataset::Size;
use crate::middleware::fault_injection::Fault;
use crate::middleware::rate_limit::RateLimits;
use crate::server::connections::ConnectionLimits;
use crate::vendors::Vendor;

/// Configures and starts a sandbox. See [`Sandbox::builder`](crate::Sandbox::builder).
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    pub(crate) address: SocketAddr,
    pub(crate) today: Option<NaiveDate>,
    pub(crate) seed: u64,
    pub(crate) size: Size,
    pub(crate) polls_before_ready: u32,
    pub(crate) token_lifetime: Option<Duration>,
    pub(crate) gzip_header: bool,
    pub(crate) strict: bool,
    pub(crate) connections: ConnectionLimits,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) requests_per_minute: RateLimits,
    pub(crate) faults: Vec<Fault>,
    pub(crate) fault_seed: u64,
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
            connections: ConnectionLimits::default(),
            allowed_hosts: Vec::new(),
            requests_per_minute: RateLimits::default(),
            faults: Vec::new(),
            fault_seed: 0,
        }
    }
}

impl SandboxBuilder {
    /// Sets the port of 127.0.0.1; 0 (the default) chooses a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Sets the day of the start, for the same responses on any day; the sandbox starts at noon, UTC. By default it starts at the real time. Its
    /// clock then follows the real time and [`Sandbox::advance`](crate::Sandbox::advance).
    pub fn today(mut self, today: NaiveDate) -> Self {
        self.today = Some(today);
        self
    }

    /// Sets the seed of the dataset; 0 by default. With the same seed, size and day, all responses are equal byte by byte, except for tokens and
    /// new ids, which depend on the address, and for the clock. Another seed has other names and quantities. Demo credentials and the ids in the
    /// documentation are the same in all datasets.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the size of the dataset.
    pub fn size(mut self, size: Size) -> Self {
        self.size = size;
        self
    }

    /// Sets the number of polls for which a report or query is in progress; 2 by default, 0 for results at once.
    pub fn polls_before_ready(mut self, polls: u32) -> Self {
        self.polls_before_ready = polls;
        self
    }

    /// Sets the lifetime of tokens. By default it is that of the vendor: 86,399 seconds (Genesys Cloud), two hours (Acronis).
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// Sets whether downloads from Acronis have `Content-Encoding: gzip`; true by default. The bytes are gzip in both cases.
    pub fn gzip_header(mut self, header: bool) -> Self {
        self.gzip_header = header;
        self
    }

    /// Sets whether parameters, fields and headers that are not in the curated documents are errors; false by default. The header
    /// `X-Sandbox-Strict: true` does the same for one request.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets the address to listen on, instead of 127.0.0.1 and a free port. Every caller that reaches the address can use the sandbox, because the demo
    /// credentials are public.
    pub fn listen(mut self, address: impl Into<SocketAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Allows a host name, as in `Host` without the port. IP addresses, `localhost` and names that cannot be registered in the public DNS (without a
    /// dot, below `.localhost` or `.internal`) are always accepted. Requests for other names are rejected, so that no web page can use the sandbox
    /// under a name of its own (DNS rebinding). The start fails if the name is not valid.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// Limits concurrent connections; 1024 by default, at least 1. A new connection replaces the one without a request for the longest time, or else
    /// one whose peer stopped in the middle of a request; otherwise it waits. The same happens if the process has no file handles left.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.connections.max = connections.max(1);
        self
    }

    /// Limits concurrent connections of one address; 256 by default, at least 1. Loopback addresses are limited by
    /// [`max_connections`](Self::max_connections) only.
    pub fn max_connections_per_peer(mut self, connections: usize) -> Self {
        self.connections.max_per_peer = connections.max(1);
        self
    }

    /// Limits the requests per minute of each caller of a vendor; `None` for no limit. By default 300 for Genesys Cloud, and no limit for the others.
    pub fn requests_per_minute(mut self, vendor: Vendor, requests: Option<u32>) -> Self {
        *self.requests_per_minute.of(vendor) = requests;
        self
    }

    /// Adds a fault. Faults are matched with a request in the order in which they were added.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets the seed for faults with a `percent`; 0 by default.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.fault_seed = seed;
        self
    }
}
