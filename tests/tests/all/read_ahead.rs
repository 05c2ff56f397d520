//! Responses that are read in the background and decoded by the task that awaits them.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Either;
use usage_billing::suger;
use usage_billing_core::__private::read_ahead;
use usage_billing_tests::{ScriptedResponse, ScriptedServer, untimed};

fn client(server: &ScriptedServer) -> suger::Client {
    untimed(suger::Client::builder("acme", "hush-key-123")).base_url(server.url()).build().unwrap()
}

#[tokio::test]
async fn body_of_medium_size_is_decoded_by_the_awaiting_task() {
    for (size, is_left) in [(100, false), (100 << 10, true), (1 << 20, true), (2 << 20, false)] {
        let mut metric = r#"{"id":"7"}"#.to_owned();
        metric += &" ".repeat(size - metric.len());
        let server = ScriptedServer::start(move |_| ScriptedResponse::json(200, &metric));
        let client = client(&server);
        let call = async { client.api().get_billable_metric().org_id("acme").billable_metric_id("7").send().await };
        let metric = match read_ahead(call.boxed()).await {
            Either::Left(metric) => {
                assert!(!is_left, "{size}");
                metric
            }
            Either::Right(rest) => {
                assert!(is_left, "{size}");
                rest.await
            }
        };
        assert_eq!(metric.unwrap().id.as_deref(), Some("7"));
    }
}

/// At most two bodies of list pages are read concurrently. Bodies that wait for their reader must not count.
#[tokio::test]
async fn interleaved_lists_do_not_deadlock() {
    const PAGES: i64 = 4;
    let server = ScriptedServer::start(|request| {
        let (_, offset) = request.target.split_once("offset=").unwrap();
        let offset: i64 = offset.split('&').next().unwrap().parse().unwrap();
        let count = if offset < PAGES * 1000 { 1000 } else { 0 };
        let groups = vec![format!(r#"{{"id":"{offset}{}"}}"#, "x".repeat(600)); count].join(",");
        ScriptedResponse::json(200, &format!(r#"{{"nextOffset":{},"usageRecordGroups":[{groups}]}}"#, offset + 1000))
    });
    let client = client(&server);
    let mut lists: Vec<_> = (0..4).map(|_| client.usage_record_groups(|request| request)).collect();
    let all = async {
        let mut items = 0;
        while !lists.is_empty() {
            let mut remaining = Vec::new();
            for mut list in lists.drain(..) {
                if let Some(item) = list.next().await {
                    item.unwrap();
                    items += 1;
                    remaining.push(list);
                }
            }
            lists = remaining;
        }
        items
    };
    // Calls have no deadline here, so that a deadlock would last indefinitely.
    assert_eq!(tokio::time::timeout(Duration::from_secs(300), all).await, Ok(4 * PAGES * 1000));
}
