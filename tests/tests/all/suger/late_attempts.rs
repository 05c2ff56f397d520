//! Attempts whose response was lost and that may still arrive: their events are neither rejected nor free.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use usage_billing::suger::{Client, UsageEvent};
use usage_billing::{AccessToken, ApiKey, ErrorKind, RetryPolicy};
use usage_billing_tests::{ClosedPort, ScriptedResponse, ScriptedServer, now, untimed};

use super::{group_for, ids, listing, new_queue, page_of, scripted, timestamp};

#[tokio::test(start_paused = true)]
async fn rejection_after_a_lost_attempt_is_not_a_decision() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for (first, status) in [
        (ScriptedResponse::json(504, "\"timeout\""), 404),
        (ScriptedResponse::json(408, "\"timeout\""), 400),
        (ScriptedResponse::dropped(), 422),
    ] {
        let posts = Mutex::new(0);
        let server = ScriptedServer::start(move |request| {
            let mut posts = posts.lock().unwrap();
            *posts += usize::from(request.method == "POST");
            match (request.method.as_str(), *posts) {
                ("GET", _) => ScriptedResponse::json(200, &page_of(&[])),
                (_, 1) => first.clone(),
                _ => ScriptedResponse::json(status, "\"no\""),
            }
        });
        let error = scripted(&server).send_usage(&event).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempt_that_arrives_while_the_list_is_read_is_not_rejected() {
    let seconds = std::time::Duration::from_secs;
    for (is_single, after_restart) in [(true, false), (false, false), (false, true)] {
        let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
        let is_lost = Arc::new(Mutex::new(!after_restart));
        let (lost, (release, released)) = (is_lost.clone(), std::sync::mpsc::channel::<()>());
        let released = Mutex::new(released);
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "GET" => {
                let _ = released.lock().unwrap().recv();
                ScriptedResponse::json(200, &page_of(&[]))
            }
            _ if *lost.lock().unwrap() => ScriptedResponse::dropped(),
            _ => ScriptedResponse::json(400, "\"no\""),
        });
        let client = scripted(&server);
        let queue = client.usage_queue().flush_timeout(None);
        let mut queue = if after_restart { queue.after_restart() } else { queue };
        queue.push(event.clone()).unwrap();
        if !after_restart {
            assert_eq!(queue.flush().await.unsent.len(), 1, "its response is lost");
        }
        *is_lost.lock().unwrap() = false;
        tokio::time::sleep(seconds(60)).await;
        // The list lasts until an earlier attempt cannot arrive any more. It may have arrived on a page that was read.
        let slowly = async {
            let is_requested = || server.requests().iter().any(|request| request.method == "GET");
            without_delay(async {
                while !is_requested() {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            tokio::time::sleep(seconds(250)).await;
            release.send(()).unwrap();
        };
        let line = match is_single {
            true => tokio::join!(client.send_usage(&event), slowly).0.unwrap_err().to_string(),
            false => tokio::join!(queue.flush(), slowly).0.unsent[0].error.to_string(),
        };
        assert!(line.contains("an earlier attempt may still arrive"), "{line}");
        drop(release);
        assert_eq!(queue.flush().await.rejected.len(), 1, "the next list begins afterwards");
    }
}

#[tokio::test(start_paused = true)]
async fn request_that_was_not_sent_cannot_arrive_later() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" if request.target.contains("buyerId") => {
            ScriptedResponse::new(429, &[("retry-after", "200")], "\"slow down\"")
        }
        "GET" => ScriptedResponse::json(200, &page_of(&[])),
        _ => ScriptedResponse::json(400, "\"no\""),
    });
    let client = scripted(&server);
    let list = client.usage_record_groups(|request| request.buyer_id("b-1")).try_collect();
    assert!(without_delay(list).await.is_err());
    let mut queue = client.usage_queue().flush_timeout(None);
    queue.push(event).unwrap();
    let line = without_delay(queue.flush()).await.unsent[0].error.to_string();
    assert!(line.contains("not sent: an earlier call was rejected with 429"), "{line}");
    tokio::time::sleep(std::time::Duration::from_secs(201)).await;
    assert_eq!(queue.flush().await.rejected.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rejection_keeps_the_id_while_an_attempt_may_arrive() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    // The first attempt is lost on the way back and arrives later; the second one is rejected.
    let late = Arc::new(Mutex::new(Vec::new()));
    let (listed, posts) = (late.clone(), Mutex::new(0));
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => ScriptedResponse::json(200, &page_of(&listed.lock().unwrap())),
        _ => {
            let mut posts = posts.lock().unwrap();
            *posts += 1;
            if *posts == 1 { ScriptedResponse::dropped() } else { ScriptedResponse::json(400, "\"not now\"") }
        }
    });
    let client = scripted(&server);
    let mut queue = client.usage_queue().flush_timeout(None);
    let id = queue.push(event.clone()).unwrap();
    let other = event.clone().quantity("gb", 6);
    for minutes in [0, 1, 3] {
        tokio::time::sleep(std::time::Duration::from_secs(60 * minutes)).await;
        let receipt = queue.flush().await;
        assert_eq!(ids(&receipt.unsent), [id].into(), "{receipt:?}");
        let line = receipt.unsent[0].error.to_string();
        assert!(line.starts_with("rejected and not listed, but an earlier attempt may still arrive: "), "{line}");
        assert_eq!(queue.push(other.clone()).unwrap_err().kind(), ErrorKind::Request, "its id is not free");
    }
    late.lock().unwrap().push(group_for(&event, json!({})));
    assert_eq!(queue.flush().await.already_delivered, [id]);

    // It never arrives: five minutes later it is rejected, and its id is free.
    late.lock().unwrap().clear();
    let lost = UsageEvent::new("e-1", timestamp(1)).quantity("gb", 5);
    let server = ScriptedServer::in_turn(vec![
        ScriptedResponse::dropped(),
        ScriptedResponse::json(400, "\"not now\""),
        ScriptedResponse::json(200, &page_of(&[])),
        ScriptedResponse::json(400, "\"not now\""),
        ScriptedResponse::json(200, &page_of(&[])),
    ]);
    let mut queue = new_queue(&server);
    queue.push(lost.clone()).unwrap();
    assert_eq!(queue.flush().await.unsent.len(), 1);
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    assert_eq!(queue.flush().await.rejected.len(), 1);
    queue.push(lost.quantity("gb", 6)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn attempt_with_a_proxy_response_may_still_arrive() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for (status, body, may_arrive) in [
        (403, "<html>no</html>", true),
        (404, "", true),
        (421, "<html>no</html>", true),
        (499, r#"{"message": "closed"}"#, true),
        (404, "\"no such thing\"", false),
        (403, "\"not allowed\"", false),
    ] {
        let posts = Mutex::new(0);
        let server = listing(page_of(&[]), move |_| {
            let mut posts = posts.lock().unwrap();
            *posts += 1;
            if *posts == 1 {
                ScriptedResponse::new(status, &[], body)
            } else {
                ScriptedResponse::json(400, "\"not now\"")
            }
        });
        let client = scripted(&server);
        assert!(client.send_usage(&event).await.is_err());
        let line = client.send_usage(&event).await.unwrap_err().to_string();
        assert_eq!(line.contains("an earlier attempt may still arrive"), may_arrive, "{status} {body}: {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn single_event_that_may_still_arrive_is_not_rejected() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    for (responses, may_arrive) in [
        (vec![ScriptedResponse::dropped(), ScriptedResponse::json(404, "\"no\"")], true),
        (vec![ScriptedResponse::json(503, "\"down\""), ScriptedResponse::json(404, "\"no\"")], true),
        (vec![ScriptedResponse::json(404, "\"no\"")], false),
    ] {
        let responses = Mutex::new(responses.into_iter());
        let server = listing(page_of(&[]), move |_| responses.lock().unwrap().next().expect("no more is sent"));
        let line = scripted(&server).send_usage(&event).await.unwrap_err().to_string();
        assert_eq!(line.contains("an earlier attempt may still arrive"), may_arrive, "{line}");
    }
}

/// Runs a future without advancing the paused clock while a socket is waited for.
async fn without_delay<T>(future: impl Future<Output = T>) -> T {
    let busy = async {
        loop {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = future => outcome,
        () = busy => unreachable!("it never ends"),
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limit_delay_does_not_hide_an_attempt_in_flight() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let posts = Arc::new(Mutex::new(0));
    let counted = posts.clone();
    let server = ScriptedServer::start(move |request| {
        if request.method == "POST" {
            let mut posts = counted.lock().unwrap();
            *posts += 1;
            return match *posts {
                1 => ScriptedResponse::new(503, &[("retry-after", "60")], "\"busy\""),
                _ => ScriptedResponse::json(400, "\"not now\""),
            };
        }
        match request.target.contains("buyerId") {
            true => ScriptedResponse::new(429, &[("retry-after", "200")], "\"slow down\""),
            false => ScriptedResponse::json(200, &page_of(&[])),
        }
    });
    let client = scripted(&server);
    let mut queue = client.usage_queue().flush_timeout(None);
    queue.push(event.clone()).unwrap();
    let others = async {
        without_delay(async {
            while *posts.lock().unwrap() == 0 {
                tokio::task::yield_now().await
            }
        })
        .await;
        let list = client.usage_record_groups(|request| request.buyer_id("b-1")).try_collect();
        assert_eq!(without_delay(list).await.unwrap_err().status().map(|status| status.as_u16()), Some(429));
    };
    let (first, ()) = tokio::join!(queue.flush(), others);
    let line = first.unsent[0].error.to_string();
    assert!(line.contains("an earlier call was rejected with 429"), "{line}");
    assert_eq!(*posts.lock().unwrap(), 1, "sent once, and then the client paused");
    tokio::time::sleep(std::time::Duration::from_secs(141)).await;
    let line = queue.flush().await.unsent[0].error.to_string();
    assert!(line.starts_with("rejected and not listed, but an earlier attempt may still arrive: "), "{line}");
}

#[tokio::test(start_paused = true)]
async fn attempts_are_shared_by_clones_of_a_client() {
    let minutes = |minutes: u64| tokio::time::sleep(std::time::Duration::from_secs(60 * minutes));
    let new_report = |hour: i64| UsageEvent::new("e-1", timestamp(hour)).quantity("gb", 5);
    let lost = Arc::new(Mutex::new(true));
    let is_lost = lost.clone();
    let server = ScriptedServer::start(move |request| match request.method.as_str() {
        "GET" => ScriptedResponse::json(200, &page_of(&[])),
        _ if *is_lost.lock().unwrap() => ScriptedResponse::dropped(),
        _ => ScriptedResponse::json(400, "\"no\""),
    });
    let client = scripted(&server);
    let may_arrive = "an earlier attempt may still arrive";
    for (hour, is_single) in [(0, true), (1, false)] {
        *lost.lock().unwrap() = true;
        let event = new_report(hour);
        match is_single {
            true => _ = client.send_usage(&event).await.unwrap_err(),
            false => {
                let mut queue = client.usage_queue().flush_timeout(None);
                queue.push(event.clone()).unwrap();
                assert_eq!(queue.flush().await.unsent.len(), 1);
            }
        }
        *lost.lock().unwrap() = false;
        minutes(4).await;
        // Another queue, and a call of a clone.
        let mut queue = client.clone().usage_queue().flush_timeout(None);
        queue.push(event.clone()).unwrap();
        assert!(queue.flush().await.unsent[0].error.to_string().contains(may_arrive));
        assert!(client.clone().send_usage(&event).await.unwrap_err().to_string().contains(may_arrive));
        minutes(1).await;
        assert!(!client.send_usage(&event).await.unwrap_err().to_string().contains(may_arrive));
        assert_eq!(queue.flush().await.rejected.len(), 1);
    }
    // Attempts of another process are not known, unless `after_restart` assumes them.
    for (after_restart, expected) in [(false, 1), (true, 0)] {
        let queue = client.usage_queue().flush_timeout(None);
        let mut queue = if after_restart { queue.after_restart() } else { queue };
        queue.push(new_report(7)).unwrap();
        assert_eq!(queue.flush().await.rejected.len(), expected);
        minutes(5).await;
        assert_eq!(queue.flush().await.rejected.len(), 1 - expected);
    }
}

#[tokio::test(start_paused = true)]
async fn event_that_was_not_sent_keeps_its_id_free() {
    let event = UsageEvent::new("e-1", timestamp(0)).quantity("gb", 5);
    let other = || event.clone().quantity("gb", 6);
    let closed = ClosedPort::reserve();
    let builder = || untimed(Client::builder("acme", "hush").base_url(closed.url())).retry(RetryPolicy::none());
    let unconnected = builder().build().unwrap().with_now(now());
    let mut queue = unconnected.usage_queue().flush_timeout(None);
    let id = queue.push(event.clone()).unwrap();
    assert_eq!(queue.flush().await.unsent.len(), 1);
    assert_eq!(queue.remove(id), Some(event.clone()));
    queue.push(other()).unwrap();

    // The flush is dropped while the client waits for its key.
    let waiting = ApiKey::provider(|_| std::future::pending::<Result<AccessToken, std::io::Error>>());
    let client = untimed(Client::builder("acme", waiting).base_url(closed.url())).build().unwrap().with_now(now());
    let mut queue = client.usage_queue().flush_timeout(None);
    let id = queue.push(event.clone()).unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(1), queue.flush()).await.unwrap_err();
    queue.remove(id).unwrap();
    queue.push(other()).unwrap();

    // The request was sent, and the response is awaited. Later, it does not arrive any more, but may have.
    for removed_after in [0, 3600] {
        let (arrived, released) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (arrival, release) = (arrived.clone(), released.clone());
        let server = ScriptedServer::start(move |_| {
            arrival.store(true, Ordering::SeqCst);
            while !release.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            ScriptedResponse::dropped()
        });
        let mut queue = new_queue(&server);
        let id = queue.push(event.clone()).unwrap();
        let mut flush = Box::pin(queue.flush());
        std::future::poll_fn(|context| {
            assert!(flush.as_mut().poll(context).is_pending());
            context.waker().wake_by_ref();
            if arrived.load(Ordering::SeqCst) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        drop(flush);
        released.store(true, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_secs(removed_after)).await;
        queue.remove(id).unwrap();
        let error = queue.push(other()).unwrap_err();
        assert!(error.to_string().starts_with("an event with this id has other quantities"), "{error}");
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        queue.push(other()).unwrap_err();
    }
}
