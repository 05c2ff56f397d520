//! Random bytes, and requests with random changes.

use fastrand::Rng;

use super::operations::{Found, operations};
use super::values::{self, chance};
use super::{REQUESTS, Target, named, seeds};
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

#[tokio::test]
async fn random_bytes_get_a_response_or_a_clean_end() {
    let operations = operations();
    let mut responses = 0;
    for seed in seeds(6) {
        let target = Target::start(builder()).await;
        let (mut random, found) = (Rng::with_seed(seed), Found::default());
        for number in 0..REQUESTS {
            let operation = random.choice(&operations).unwrap();
            let mut bytes = match random.u8(..20) {
                0 => (0..random.usize(..500)).map(|_| random.u8(..)).collect(),
                _ => operation.request(&mut random, &found, target.authorization(operation)),
            };
            if chance(&mut random, 20) {
                // A second request on the same connection.
                let next = random.choice(&operations).unwrap();
                bytes.extend(next.request(&mut random, &found, target.authorization(next)));
            }
            for _ in 0..random.u8(1..5) {
                values::garble(&mut random, &mut bytes, &TOKENS);
            }
            let (first, second) = bytes.split_at(random.usize(..=bytes.len()));
            let said = named(seed, number, &bytes);
            let response = target.send(&[first, second], true, &said).await;
            assert!(response.is_empty() || response.starts_with(b"HTTP/1."), "{}: {response:?}", said);
            let text = String::from_utf8_lossy(&response);
            // One operation has a documented 500.
            let is_meant = !text.contains("HTTP/1.1 500") || String::from_utf8_lossy(&bytes).contains("batchValidate");
            assert!(is_meant, "{}: {text}", said);
            responses += usize::from(!response.is_empty());
        }
        target.assert_alive(&format!("after seed {seed}")).await;
    }
    assert!(responses > REQUESTS, "only {responses} got a response");
}

#[tokio::test]
async fn endless_head_or_body_is_not_kept_in_memory() {
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
        let response = target.send(&pieces, true, &start).await;
        // The response may be lost with the unread bytes.
        let text = String::from_utf8_lossy(&response);
        let rejected = ["HTTP/1.1 400", "HTTP/1.1 413", "HTTP/1.1 414", "HTTP/1.1 431"];
        assert!(text.is_empty() || rejected.iter().any(|status| text.starts_with(status)), "{start}: {text}");
    }
    target.assert_alive("after the floods").await;
}
