//! Random bytes, and requests with random changes.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::Index;

use super::call::{Call, call};
use super::found_ids::FoundIds;
use super::values::{Edit, edit};
use super::{REQUESTS, Target, check, excerpt, runtime, watch};
use crate::builder;

const TOKENS: [&[u8]; 18] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b": ",
    b" HTTP/1.1\r\n",
    b" HTTP/2.0\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"content-length: 18446744073709551616\r\n",
    b"content-length: -1\r\n",
    b"content-length: 7\r\n",
    b"expect: 100-continue\r\n",
    b"upgrade: websocket\r\nconnection: upgrade\r\n",
    b"ffffffffffffffff\r\n",
    b"GET http://x:99999/%zz?# HTTP/1.0\r\n",
    b"CONNECT x:1 HTTP/1.1\r\n",
];

/// The bytes of a connection: one or two requests with changes, and where they are split.
#[derive(Clone, Debug)]
struct Connection {
    /// Noise in place of a first request.
    first: Result<Call, Bytes>,
    second: Option<Call>,
    edits: Vec<Edit>,
    split: Index,
}

fn connection() -> impl Strategy<Value = Connection> {
    let first =
        prop_oneof![19 => call().prop_map(Ok), 1 => vec(any::<u8>(), 0..500).prop_map(|noise| Err(noise.into()))];
    let parts = (first, weighted(0.2, call()), vec(edit(&TOKENS), 1..5), any::<Index>());
    parts.prop_map(|(first, second, edits, split)| Connection { first, second, edits, split })
}

#[test]
fn random_bytes_get_a_response_or_a_clean_end() {
    let (requests, responses) = (AtomicUsize::new(0), AtomicUsize::new(0));
    check(&runtime(), 30, vec(connection(), 1..=REQUESTS), async |connections: Vec<Connection>| {
        let (target, found) = (Target::start(builder()).await, FoundIds::default());
        requests.fetch_add(connections.len(), Ordering::Relaxed);
        for connection in connections {
            let mut bytes = connection.first.map_or_else(|noise| noise.to_vec(), |call| call.request(&target, &found));
            bytes.extend(connection.second.iter().flat_map(|call| call.request(&target, &found)));
            connection.edits.iter().for_each(|edit| edit.apply(&mut bytes));
            let (first, second) = bytes.split_at(connection.split.index(bytes.len() + 1));
            let response = target.send(&[first, second], true).await;
            assert!(response.is_empty() || response.starts_with(b"HTTP/1."), "{response:?}: {}", excerpt(&bytes));
            let text = String::from_utf8_lossy(&response);
            // One operation has a documented 500.
            let is_meant = !text.contains("HTTP/1.1 500") || String::from_utf8_lossy(&bytes).contains("batchValidate");
            assert!(is_meant, "{text}: {}", excerpt(&bytes));
            responses.fetch_add(usize::from(!response.is_empty()), Ordering::Relaxed);
        }
        target.assert_alive().await;
    });
    let (requests, responses) = (requests.into_inner(), responses.into_inner());
    assert!(responses > requests / 6, "only {responses} of {requests} got a response");
}

#[tokio::test]
async fn endless_head_or_body_is_not_kept_in_memory() {
    watch();
    let target = Target::start(builder()).await;
    let (_, key) = &target.authorizations[1];
    let flood = vec![b'x'; 1 << 20];
    for start in [
        "GET /".to_owned(),
        "GET / HTTP/1.1\r\nx: ".to_owned(),
        format!(
            "POST /org/sgr-demo1/batchCreateUsageRecordGroups HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\n\
             transfer-encoding: chunked\r\n\r\n1000000\r\n"
        ),
    ] {
        let mut pieces = vec![start.as_bytes()];
        pieces.extend(std::iter::repeat_n(&*flood, 16));
        let response = target.send(&pieces, true).await;
        // The response may be lost with the unread bytes.
        let text = String::from_utf8_lossy(&response);
        let rejected = ["HTTP/1.1 400", "HTTP/1.1 413", "HTTP/1.1 414", "HTTP/1.1 431"];
        assert!(text.is_empty() || rejected.iter().any(|status| text.starts_with(status)), "{start}: {text}");
    }
    target.assert_alive().await;
}
