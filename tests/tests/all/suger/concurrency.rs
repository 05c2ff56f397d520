//! Number of concurrent requests.

use std::sync::atomic::{AtomicUsize, Ordering};

use usage_billing::RateLimit;
use usage_billing::suger::{Client, UsageEvent};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, untimed};

use super::{new_queue, page_of, stored_as_sent, timestamp};

#[tokio::test(start_paused = true)]
async fn concurrency_limits_the_requests_in_flight() {
    static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);
    static ARRIVED: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let server = ScriptedServer::start(|request| {
        MOST.fetch_max(IN_FLIGHT.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let number = ARRIVED.fetch_add(1, Ordering::SeqCst);
        // Responds to none of three requests before all three have arrived.
        while ARRIVED.load(Ordering::SeqCst) < (number / 3 + 1) * 3 {
            std::thread::yield_now();
        }
        IN_FLIGHT.fetch_sub(1, Ordering::SeqCst);
        stored_as_sent(request)
    });
    let mut queue = new_queue(&server).concurrency(3);
    for number in 0..9 {
        queue.push(UsageEvent::new("e-1", timestamp(number)).quantity("gb", 1)).unwrap();
    }
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    assert_eq!(is_send(queue.flush()).await.delivered.len(), 9);
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn lists_of_several_entitlements_are_concurrent() {
    static LISTS: AtomicUsize = AtomicUsize::new(0);
    let server = ScriptedServer::start(|request| {
        if request.method == "POST" {
            return ScriptedResponse::json(409, "\"it is there\"");
        }
        // Responds to no list before three are requested.
        LISTS.fetch_add(1, Ordering::SeqCst);
        while LISTS.load(Ordering::SeqCst) < 3 {
            std::thread::yield_now();
        }
        ScriptedResponse::json(200, &page_of(&[]))
    });
    let mut queue = new_queue(&server).concurrency(3);
    for number in 0..3 {
        queue.push(UsageEvent::new(format!("e-{number}"), timestamp(0)).quantity("gb", 1)).unwrap();
    }
    assert_eq!(queue.flush().await.unsent.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn flush_observes_the_rate_limit_of_the_client() {
    let server = ScriptedServer::start(stored_as_sent);
    let builder = untimed(Client::builder("acme", "hush").base_url(server.url()));
    let client = builder.rate_limit(RateLimit::per_minute(60).burst(2)).build().unwrap().with_list_timeout(None);
    let mut queue = client.usage_queue().flush_timeout(None);
    for number in 0..6 {
        queue.push(UsageEvent::new("e-1", timestamp(number)).quantity("gb", 1)).unwrap();
    }
    let start = tokio::time::Instant::now();
    assert_eq!(queue.flush().await.delivered.len(), 6);
    assert_eq!(start.elapsed().as_secs(), 4, "two at once, then one a second");
}
