//! The connections: their number, time limits, limits of request heads, and resets.

mod body;
mod table;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;

use self::body::{RequestBody, ResponseBody};
use self::table::{Admission, Eviction, Table, Ticket};
use crate::http_util::response;

/// Header lines; more are rejected with 431.
const MAX_HEADERS: usize = 100;
/// Bytes of a head with its request line. Longer heads are rejected with 431, except for the excess of a single read.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Delay after a failure to accept.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// Time for an evicted connection to send the rest of its last response.
const EVICTION_GRACE: Duration = Duration::from_secs(1);

/// Limits of the number of connections and of the time that each may take.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections of all peers.
    pub max: usize,
    /// Connections of one address that is not a loopback address.
    pub max_per_peer: usize,
    /// Time from the start, or the last response, to the end of a request's head.
    pub head: Duration,
    /// Time from the head of a request to the end of its body.
    pub body: Duration,
    /// Time in which the peer reads no byte of the response.
    pub write: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max: 1024,
            max_per_peer: 256,
            head: Duration::from_secs(25),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
        }
    }
}

/// Serves until `stopped` resolves and the open requests have ended. Dropping the future drops all connections.
pub async fn serve(listener: TcpListener, router: Router, limits: ConnectionLimits, stopped: impl Future<Output = ()>) {
    let table = Table::new(limits.max, limits.max_per_peer);
    // Dropping the sender stops all connections.
    let (stop, stopping) = watch::channel(());
    let mut open = JoinSet::new();
    let mut stopped = pin!(stopped);
    let mut waiting = None;
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => break,
            Some(_) = open.join_next() => {}
            (stream, ticket, evicted) = admit(&listener, &table, &mut waiting) => {
                let signals = Signals { stopping: stopping.clone(), evicted };
                open.spawn(serve_connection(stream, router.clone(), limits, Arc::new(ticket), signals));
            }
        }
    }
    drop((listener, stop));
    while open.join_next().await.is_some() {}
}

/// Returns the next connection for which there is room; others wait in the system's queue. The future may be dropped: an accepted connection
/// stays in `waiting`.
async fn admit(
    listener: &TcpListener,
    table: &Arc<Table>,
    waiting: &mut Option<(TcpStream, IpAddr)>,
) -> (TcpStream, Ticket, oneshot::Receiver<Eviction>) {
    loop {
        let (stream, peer) = match waiting.take() {
            Some(accepted) => accepted,
            None => accept(listener, table).await,
        };
        let mut changed = pin!(table.changed());
        match table.admit(peer, Instant::now()) {
            Admission::Admitted(ticket, evicted) => return (stream, ticket, evicted),
            Admission::PeerFull => {}
            Admission::Full(until) => {
                *waiting = Some((stream, peer));
                match until {
                    Some(until) => {
                        let _ = tokio::time::timeout_at(until, changed.as_mut()).await;
                    }
                    None => changed.as_mut().await,
                }
            }
        }
    }
}

async fn accept(listener: &TcpListener, table: &Table) -> (TcpStream, IpAddr) {
    loop {
        let changed = table.changed();
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address.ip()),
            Err(error) => {
                // The process may have fewer handles than the table has entries.
                if is_out_of_handles(&error) {
                    table.make_room(Instant::now());
                }
                let _ = tokio::time::timeout(ACCEPT_RETRY_DELAY, changed).await;
            }
        }
    }
}

/// Returns whether the process or the machine has no file handle left. `std` has no `ErrorKind` for it.
fn is_out_of_handles(error: &io::Error) -> bool {
    // EMFILE and ENFILE, the same on all Unix systems; WSAEMFILE.
    let codes: &[i32] = if cfg!(windows) { &[10_024] } else { &[24, 23] };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Signals that end a connection.
struct Signals {
    stopping: watch::Receiver<()>,
    evicted: oneshot::Receiver<Eviction>,
}

enum Signal {
    Stop,
    Evict(Eviction),
}

async fn serve_connection(
    stream: TcpStream,
    router: Router,
    limits: ConnectionLimits,
    ticket: Arc<Ticket>,
    mut signals: Signals,
) {
    // Small responses must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut stream = Box::pin(TimeoutStream::new(stream));
    stream.as_mut().set_write_timeout_pinned(Some(limits.write));
    let is_reset = Arc::new(AtomicBool::new(false));
    let was_used = AtomicBool::new(false);
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        was_used.store(true, Ordering::Relaxed);
        let busy = ticket.busy();
        let request = request.map(|body| RequestBody::new(body, limits.body, ticket.clone()));
        let (response, is_reset) = (router.call(request), is_reset.clone());
        async move {
            let response = response.await.unwrap_or_else(|never: Infallible| match never {});
            if !response::is_reset(&response) {
                return Ok(response.map(|body| ResponseBody::new(body, busy)));
            }
            is_reset.store(true, Ordering::Relaxed);
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // Errors of a connection concern its peer only.
    let signal = tokio::select! {
        _ = &mut connection => None,
        _ = signals.stopping.changed() => Some(Signal::Stop),
        eviction = &mut signals.evicted => eviction.ok().map(Signal::Evict),
    };
    match signal {
        None => {}
        Some(Signal::Stop) => {
            Pin::new(&mut connection).graceful_shutdown();
            let _ = (&mut connection).await;
        }
        // The end of its last response may not be sent yet; without a response there is nothing to wait for.
        Some(Signal::Evict(Eviction::Idle)) if was_used.load(Ordering::Relaxed) => {
            Pin::new(&mut connection).graceful_shutdown();
            let _ = tokio::time::timeout(EVICTION_GRACE, &mut connection).await;
        }
        Some(Signal::Evict(_)) => {}
    }
    if is_reset.load(Ordering::Relaxed) {
        // With no linger time, closing resets the connection.
        let _ = connection.into_parts().io.into_inner().get_ref().set_zero_linger();
    }
}
