//! Random input: a response or a clean end, no undocumented 500, no panic, and the next request gets a response.
//!
//! Each run is the same. `FUZZ_ROUNDS=100 cargo test -p usage-billing-sandbox fuzz` runs a hundred times as long, and `FUZZ_SEED=7` with
//! other input.

mod admin;
mod faults;
mod operations;
mod raw_bytes;
mod values;

use std::str::FromStr;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usage_billing_sandbox::{Sandbox, SandboxBuilder, Vendor};

use crate::Caller;

/// Requests to one sandbox: few enough that its memory is never full.
const REQUESTS: usize = 500;

/// Returns an environment variable, or the default.
fn setting<T: FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Returns a seed for each round.
fn seeds(rounds: u64) -> impl Iterator<Item = u64> {
    let first: u64 = setting("FUZZ_SEED", 0);
    (0..rounds * setting("FUZZ_ROUNDS", 1)).map(move |round| first.wrapping_add(round))
}

/// Panics of the server, which end the task of a connection only.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts panics from now on.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.location().is_none_or(|place| !place.file().contains("tests/all")) {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            usual(panic);
        }));
    });
}

/// A sandbox, its address, and the credentials of each vendor.
struct Target {
    sandbox: Sandbox,
    address: String,
    authorizations: [(Vendor, String); 3],
}

impl Target {
    async fn start(builder: SandboxBuilder) -> Self {
        watch();
        let sandbox = builder.requests_per_minute(Vendor::Genesys, None).start().await.unwrap();
        let authorizations = [
            (Vendor::Genesys, Caller::genesys(&sandbox).await.authorization),
            (Vendor::Suger, Caller::suger(&sandbox).authorization),
            (Vendor::Acronis, Caller::acronis(&sandbox).await.authorization),
        ];
        let address = sandbox.url().trim_start_matches("http://").to_owned();
        Self { sandbox, address, authorizations }
    }

    /// Returns the response to a complete request, which closes the connection.
    async fn ask(&self, request: &[u8], said: &str) -> Vec<u8> {
        self.send(&[request], false, said).await
    }

    /// Returns all bytes until the connection ends. An incomplete request needs an end of the stream, after which there may be no response.
    async fn send(&self, pieces: &[&[u8]], and_end: bool, said: &str) -> Vec<u8> {
        let talk = async {
            let mut stream = TcpStream::connect(&self.address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            for piece in pieces {
                // The server may have stopped reading.
                if stream.write_all(piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            if and_end {
                let _ = stream.shutdown().await;
            }
            let mut response = Vec::new();
            let _ = stream.read_to_end(&mut response).await;
            // Otherwise a long run would have too few ports.
            let _ = stream.set_zero_linger();
            response
        };
        let response = tokio::time::timeout(Duration::from_secs(60), talk).await;
        let response = response.unwrap_or_else(|_| panic!("{said}: the connection hangs"));
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "{said}: a panic");
        response
    }

    /// Checks that the sandbox still responds.
    async fn assert_alive(&self, said: &str) {
        let (_, authorization) = &self.authorizations[1];
        let caller = Caller::new(&self.sandbox, authorization.clone());
        assert_eq!(caller.get("/org/sgr-demo1/buyer").await.0, 200, "{said}");
    }
}

/// Describes a request for a message: how to reproduce it, and its prefix.
fn named(seed: u64, number: usize, request: &[u8]) -> String {
    let start = String::from_utf8_lossy(&request[..request.len().min(2_000)]);
    format!("FUZZ_SEED={seed}, request {number}: {start}")
}

/// Returns status and body of a response, if it is one.
fn parsed(response: &[u8]) -> Option<(u16, &[u8])> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(response.get(..12)?).ok()?.strip_prefix("HTTP/1.1 ")?;
    Some((status.parse().ok()?, &response[end + 4..]))
}
