//! Idle and slow connections. The clock is paused and advances when all tasks wait, so that no test depends on the machine.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usage_billing_sandbox::Sandbox;

use crate::{Caller, builder};

const BUYERS: &str = "/org/sgr-demo1/buyer";
const SECOND: Duration = Duration::from_secs(1);

async fn connect(sandbox: &Sandbox) -> TcpStream {
    TcpStream::connect(sandbox.url().trim_start_matches("http://")).await.unwrap()
}

fn request(connection: &str) -> String {
    format!("GET {BUYERS} HTTP/1.1\r\nhost: localhost\r\nconnection: {connection}\r\n\r\n")
}

/// Reads until the sandbox closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test(start_paused = true)]
async fn silent_sockets_do_not_block_other_callers() {
    let sandbox = builder().max_connections(8).start().await.unwrap();
    let mut silent = Vec::new();
    for number in 0..32 {
        let mut stream = connect(&sandbox).await;
        if number % 2 == 0 {
            stream.write_all(b"POST /org/sgr-demo1/batch").await.unwrap();
        }
        silent.push(stream);
    }
    let caller = Caller::suger(&sandbox);
    for _ in 0..3 {
        assert_eq!(caller.get(BUYERS).await.0, 200);
    }
    // The oldest connections were closed, the newest were not.
    assert_eq!(rest(silent.remove(0)).await, "");
    let mut newest = silent.pop().unwrap();
    newest.write_all(request("close").as_bytes()).await.unwrap();
    assert!(rest(newest).await.starts_with("HTTP/1.1 401"));
}

#[tokio::test(start_paused = true)]
async fn stalled_requests_do_not_block_other_callers() {
    let key = "authorization: Key demo-suger-key";
    let post = "POST /org/sgr-demo1/batchCreateUsageRecordGroups HTTP/1.1\r\nhost: localhost";
    let pages = "GET /openapi/genesys.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    let length = format!("{post}\r\n{key}\r\ncontent-length: 1000\r\n\r\n{{");
    let chunked = format!("{post}\r\n{key}\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{{\r\n");
    let unauthorized = format!("{post}\r\ncontent-length: 1000\r\n\r\n{{");
    let second = format!("{}{length}", request("keep-alive"));
    // Includes responses that the peer does not read.
    for stalled in [length, chunked, unauthorized, second, pages] {
        let sandbox = builder().max_connections(8).start().await.unwrap();
        let mut others = Vec::new();
        for _ in 0..32 {
            let mut stream = connect(&sandbox).await;
            stream.write_all(stalled.as_bytes()).await.unwrap();
            others.push(stream);
        }
        let start = tokio::time::Instant::now();
        let caller = Caller::suger(&sandbox);
        for _ in 0..3 {
            assert_eq!(caller.get(BUYERS).await.0, 200);
        }
        assert!(start.elapsed() < 15 * SECOND, "no limit of a body or a response had to end: {stalled}");
    }
}

#[tokio::test]
async fn connection_with_request_in_progress_is_not_evicted() {
    let fault = "latency; millis=60000; times=1; operation=listBuyers".parse().unwrap();
    let sandbox = builder().max_connections(1).fault(fault).start().await.unwrap();
    let mut first = connect(&sandbox).await;
    first.write_all(request("close").as_bytes()).await.unwrap();
    while sandbox.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut second = connect(&sandbox).await;
    second.write_all(request("close").as_bytes()).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(sandbox.requests().len(), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    assert!(rest(first).await.starts_with("HTTP/1.1 401"));
    assert!(rest(second).await.starts_with("HTTP/1.1 401"));
}

#[tokio::test(start_paused = true)]
async fn slow_heads_and_idle_connections_are_closed() {
    let sandbox = builder().start().await.unwrap();
    assert_eq!(rest(connect(&sandbox).await).await, "", "silent from the start");

    let (mut read, mut write) = connect(&sandbox).await.into_split();
    let trickle = tokio::spawn(async move {
        // Single bytes do not extend the time limit.
        for byte in request("close").bytes().cycle().filter(|byte| !byte.is_ascii_control()) {
            if write.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(SECOND).await;
        }
    });
    let mut response = Vec::new();
    let _ = read.read_to_end(&mut response).await;
    assert!(response.is_empty(), "{}", String::from_utf8_lossy(&response));
    trickle.await.unwrap();

    let mut idle = connect(&sandbox).await;
    idle.write_all(request("keep-alive").as_bytes()).await.unwrap();
    assert!(rest(idle).await.starts_with("HTTP/1.1 401"), "a response, and then closed");
}

#[tokio::test(start_paused = true)]
async fn slow_bodies_are_rejected() {
    let sandbox = builder().start().await.unwrap();
    let path = "/org/sgr-demo1/batchCreateUsageRecordGroups";
    for head in ["content-length: 1000", "transfer-encoding: chunked"] {
        let mut stream = connect(&sandbox).await;
        let key = "authorization: Key demo-suger-key";
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{key}\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(rest(stream).await.starts_with("HTTP/1.1 400"), "{head}");
    }
    assert_eq!(Caller::suger(&sandbox).get(BUYERS).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn connection_of_client_that_reads_nothing_is_closed() {
    let sandbox = builder().start().await.unwrap();
    let mut stream = connect(&sandbox).await;
    // More than the buffers of both sockets hold.
    let page = "GET /openapi/genesys.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
    stream.write_all(page.as_bytes()).await.unwrap();
    while stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.is_ok() {
        tokio::time::sleep(SECOND).await;
    }
    assert_eq!(Caller::suger(&sandbox).get(BUYERS).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn many_callers_at_once_all_get_a_response() {
    let sandbox = builder().max_connections(4).start().await.unwrap();
    let calls = (0..64).map(|_| async {
        let caller = Caller::suger(&sandbox);
        // `close`: an idle connection may end for the next caller.
        caller.request(Method::GET, BUYERS).header("connection", "close").send().await.map(|response| response.status())
    });
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(outcome.unwrap(), StatusCode::OK);
    }
}
