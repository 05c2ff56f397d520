//! Random input: a response or a clean end, no undocumented 500, no panic, and the next request gets a response.
//!
//! Each run has the same input. `PROPTEST_CASES=1000 cargo test -p usage-billing-sandbox fuzz` runs longer, and `PROPTEST_RNG_SEED=7` with
//! other input. A failure is reduced to few and simple requests, and its seed is kept in `proptest-regressions`.

mod admin;
mod call;
mod faults;
mod found_ids;
mod operations;
mod raw_bytes;
mod values;

use std::env;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use usage_billing_sandbox::{Sandbox, SandboxBuilder, Vendor};

use crate::Caller;

/// Requests to one sandbox, at most, but for one long sequence: few enough that a failure is reduced in a minute.
const REQUESTS: usize = 200;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Checks a property of a number of values.
fn check<S: Strategy>(runtime: &Runtime, cases: u32, values: S, property: impl AsyncFn(S::Value)) {
    watch();
    let usual = Config::default();
    let config = Config {
        cases: env::var_os("PROPTEST_CASES").map_or(cases, |_| usual.cases),
        rng_seed: if usual.rng_seed == RngSeed::Random { RngSeed::Fixed(0) } else { usual.rng_seed },
        source_file: Some(file!()),
        max_shrink_iters: 10_000,
        max_shrink_time: 120_000,
        ..usual
    };
    let result = TestRunner::new(config).run(&values, |value| {
        runtime.block_on(property(value));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
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
    /// Panics before this sandbox: a failure is reduced with further sandboxes.
    panics: usize,
}

impl Target {
    async fn start(builder: SandboxBuilder) -> Self {
        let panics = PANICS.load(Ordering::SeqCst);
        let sandbox = builder.requests_per_minute(Vendor::Genesys, None).start().await.unwrap();
        let authorizations = [
            (Vendor::Genesys, Caller::genesys(&sandbox).await.authorization),
            (Vendor::Suger, Caller::suger(&sandbox).authorization),
            (Vendor::Acronis, Caller::acronis(&sandbox).await.authorization),
        ];
        let address = sandbox.url().trim_start_matches("http://").to_owned();
        Self { sandbox, address, authorizations, panics }
    }

    /// Returns the response to a complete request, which closes the connection.
    async fn ask(&self, request: &[u8]) -> Vec<u8> {
        self.send(&[request], false).await
    }

    /// Returns all bytes until the connection ends. An incomplete request needs an end of the stream, after which there may be no response.
    async fn send(&self, pieces: &[&[u8]], and_end: bool) -> Vec<u8> {
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
        let response = response.unwrap_or_else(|_| panic!("the connection hangs: {}", excerpt(pieces[0])));
        assert_eq!(PANICS.load(Ordering::SeqCst), self.panics, "a panic: {}", excerpt(pieces[0]));
        response
    }

    /// Checks that the sandbox still responds.
    async fn assert_alive(&self) {
        let (_, authorization) = &self.authorizations[1];
        let caller = Caller::new(&self.sandbox, authorization.clone());
        assert_eq!(caller.get("/org/sgr-demo1/buyer").await.0, 200);
    }
}

/// Returns the prefix of a request for a message.
fn excerpt(request: &[u8]) -> String {
    String::from_utf8_lossy(&request[..request.len().min(2_000)]).into_owned()
}

/// Returns status and body of a response, if it is one.
fn parsed(response: &[u8]) -> Option<(u16, &[u8])> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(response.get(..12)?).ok()?.strip_prefix("HTTP/1.1 ")?;
    Some((status.parse().ok()?, &response[end + 4..]))
}
