//! Connections: how many there may be, how much of a head is read, and how one is hung up on.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Lines of a head; more are answered 431.
const MOST_HEADERS: usize = 100;
/// Bytes of a head, the request line among them. More are answered 431, but for what one last read brings beyond it.
const LONGEST_HEAD: usize = 64 * 1024;
/// Between two tries to accept when there is no file handle left.
const BREATH: Duration = Duration::from_millis(100);

/// An answer with this extension is not sent: the connection is reset in its place.
#[derive(Clone, Copy)]
pub(crate) struct HangUp;

/// What a middleware gives back to have the connection reset.
pub(crate) fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

/// Serves until told to stop, and then until the open requests are answered. Dropping it drops all connections.
pub(crate) async fn serve(listener: TcpListener, router: Router, most: usize, stopped: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(most));
    // Dropping the sender tells all connections.
    let (stop, stopping) = watch::channel(());
    let mut open = JoinSet::new();
    let mut stopped = pin!(stopped);
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => break,
            Some(_) = open.join_next() => {}
            (stream, permit) = accept(&listener, &room) => {
                let (router, stopping) = (router.clone(), stopping.clone());
                open.spawn(async move {
                    let _permit = permit;
                    talk(stream, router, stopping).await;
                });
            }
        }
    }
    drop((listener, stop));
    while open.join_next().await.is_some() {}
}

/// Those for whom there is no room wait in the system's queue.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let permit = room.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

async fn talk(stream: TcpStream, router: Router, mut stopping: watch::Receiver<()>) {
    // Small answers must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let is_reset = Arc::new(AtomicBool::new(false));
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        let (answer, is_reset) = (router.call(request), is_reset.clone());
        async move {
            let response = answer.await.unwrap_or_else(|never: Infallible| match never {});
            if response.extensions().get::<HangUp>().is_none() {
                return Ok(response);
            }
            is_reset.store(true, Ordering::Relaxed);
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    });
    let mut connection = http1::Builder::new()
        .max_headers(MOST_HEADERS)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // What goes wrong is between the two ends.
    let is_last_call = tokio::select! {
        _ = &mut connection => false,
        _ = stopping.changed() => true,
    };
    if is_last_call {
        Pin::new(&mut connection).graceful_shutdown();
        let _ = (&mut connection).await;
    }
    if is_reset.load(Ordering::Relaxed) {
        // Without a last byte waiting to be sent, closing is a reset.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}
