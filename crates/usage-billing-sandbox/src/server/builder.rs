//! What a sandbox is like before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::NaiveDate;

use crate::dataset::Size;
use crate::middleware::fault_injection::Fault;
use crate::middleware::rate_limit::Allowed;
use crate::server::connections::ConnectionLimits;
use crate::vendors::Vendor;

/// What a sandbox is like. See [`Sandbox::builder`](crate::Sandbox::builder).
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
    pub(crate) requests_per_minute: Allowed,
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
    /// sandbox's clock goes on from there, with real time and with [`Sandbox::advance`](crate::Sandbox::advance).
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

    /// A host name under which the sandbox is reached, as `Host` has it without the port. IP addresses, `localhost` and names that nobody can
    /// register in the public DNS (without a dot, below `.localhost` or `.internal`) are always accepted; requests for other names are rejected,
    /// so that no web page can use the sandbox under a name of its own (DNS rebinding). The start fails if it is not a valid name.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// Connections at once, 1024 by default; at least one. A new one takes the place of the one that has been without a request for the longest
    /// time, or else of one whose peer stopped in the middle of a request; others wait. The process may have fewer file handles: it is then the same.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.connections.max = connections.max(1);
        self
    }

    /// Connections at once of one address, 256 by default; at least one. Loopback addresses are limited by
    /// [`max_connections`](Self::max_connections) alone.
    pub fn max_connections_per_peer(mut self, connections: usize) -> Self {
        self.connections.max_per_peer = connections.max(1);
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
}
