//! Parallel calls and lists of many pages stay within the memory limit of one client.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use usage_billing::suger::UsageEvent;
use usage_billing::{Credentials, ErrorKind, Period, genesys, suger};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, limited_process, untimed};

/// The test program itself, unoptimised, takes more than 20 MiB, one body 64 MiB, and each waiting call 1 MiB and its buffers.
const PEAK_MIB: u64 = 110;
/// Far longer than any test takes.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Runs calls in a limited process, on several threads as a program does.
fn calls<F: Future<Output = ()>>(
    test: &str,
    response: impl Fn(&str, &str) -> ScriptedResponse + Send + Sync + 'static,
    calls: impl FnOnce(String) -> F,
) {
    let input = || {
        let server = ScriptedServer::start(move |request| response(&request.method, &request.target));
        (server.url().to_owned(), server)
    };
    limited_process(test, PEAK_MIB, input, |url| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(calls(url));
    });
}

fn endless() -> ScriptedResponse {
    ScriptedResponse::endless("HTTP/1.1 200 X\r\n\r\n{\"id\":\"", "x".repeat(1 << 20))
}

/// Returns pages that differ in their last item: a repeated page ends a list.
fn endless_pages(items: String) -> impl Fn(&str, &str) -> ScriptedResponse {
    let number = AtomicUsize::new(0);
    move |_, _| ScriptedResponse::json(200, &format!(r#"[{items}{{"id":"{}"}}]"#, number.fetch_add(1, Relaxed)))
}

fn suger_client(url: &str) -> suger::Client {
    untimed(suger::Client::builder("acme", "hush-key-123")).base_url(url).build().unwrap()
}

fn genesys_client(url: &str) -> genesys::Client {
    untimed(genesys::Client::builder(&url.parse().unwrap(), Credentials::new("id", "hush-secret"))).build().unwrap()
}

#[test]
fn endless_bodies_of_all_reports_at_once_are_errors() {
    let response = |method: &str, _: &str| if method == "POST" { endless() } else { ScriptedResponse::json(200, "{}") };
    calls("memory_parallel::endless_bodies_of_all_reports_at_once_are_errors", response, async |url| {
        let mut queue = suger_client(&url).usage_queue();
        for number in 0..16 {
            let report = UsageEvent::new(format!("ent-{number}"), "2026-10-01T07:00:00Z".parse().unwrap());
            queue.push(report.quantity("gb", 5)).unwrap();
        }
        let receipt = queue.flush().await;
        assert_eq!(receipt.unsent.len(), 16, "{receipt}");
        assert!(receipt.unsent.iter().all(|unsent| unsent.error.kind() == ErrorKind::Limit), "{receipt}");
    });
}

#[test]
fn endless_bills_of_all_organizations_at_once_are_errors() {
    let response = |_: &str, target: &str| match target {
        _ if target.contains("token") => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        _ if target.contains("organizations/me") => ScriptedResponse::json(200, r#"{"id":"o-1"}"#),
        _ if target.contains("trustors") => {
            let ids: Vec<_> = (0..8).map(|number| format!(r#"{{"id":"{number}"}}"#)).collect();
            ScriptedResponse::json(200, &format!(r#"{{"entities":[{}],"pageCount":1,"total":8}}"#, ids.join(",")))
        }
        _ => endless(),
    };
    calls("memory_parallel::endless_bills_of_all_organizations_at_once_are_errors", response, async |url| {
        let period = Period::month_of("2026-10-01".parse().unwrap());
        let bills = genesys_client(&url).client_bills(period, genesys::ClientOrganizations::All).await.unwrap();
        assert_eq!(bills.errors().filter(|error| error.kind() == ErrorKind::Limit).count(), 8);
    });
}

#[test]
fn buyers_without_end_are_an_error() {
    let response = endless_pages(r#"{"id":"b","name":"n"},"#.repeat(999));
    calls("memory_parallel::buyers_without_end_are_an_error", response, async |url| {
        let client = suger_client(&url).with_max_usage_bytes(8 << 20);
        let error = client.usage("2026-10".parse().unwrap(), TIMEOUT).await.unwrap_err();
        let line = "the list of buyers exceeds the limit of 8 MiB of memory -> to allow more, set the client's `max_usage_bytes`";
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Limit, line));
    });
}

#[test]
fn groups_without_end_are_an_error() {
    let number = AtomicUsize::new(0);
    let response = move |_: &str, target: &str| match target {
        _ if target.contains("usageRecordGroup") => {
            let number = number.fetch_add(1, Relaxed);
            let group = |place: usize| {
                format!(
                    r#"{{"id":"{number}-{place}","entitlementID":"e-{number}-{place}","records":{{"gb":1}},"metaInfo":{{"timestamp":"2026-10-02T00:00:00Z"}}}}"#
                )
            };
            let groups: Vec<_> = (0..1000).map(group).collect();
            ScriptedResponse::json(
                200,
                &format!(r#"{{"usageRecordGroups":[{}],"nextOffset":{}}}"#, groups.join(","), number + 1),
            )
        }
        _ => ScriptedResponse::json(200, "[]"),
    };
    calls("memory_parallel::groups_without_end_are_an_error", response, async |url| {
        let error = suger_client(&url).usage("2026-10".parse().unwrap(), TIMEOUT).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    });
}

#[test]
fn client_organizations_without_end_are_an_error() {
    let number = AtomicUsize::new(0);
    let response = move |_: &str, target: &str| match target {
        _ if target.contains("token") => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        _ => {
            let number = number.fetch_add(1, Relaxed);
            let ids: Vec<_> = (0..2000).map(|place| format!(r#"{{"id":"{number}-{place}"}}"#)).collect();
            ScriptedResponse::json(200, &format!(r#"{{"entities":[{}],"nextUri":"/x"}}"#, ids.join(",")))
        }
    };
    calls("memory_parallel::client_organizations_without_end_are_an_error", response, async |url| {
        let error = genesys_client(&url).client_organizations().await.unwrap_err();
        assert_eq!(error.message(), "the list of client organizations exceeds the limit of 64 MiB of memory");
    });
}

#[test]
fn collected_list_without_end_is_an_error() {
    let response = endless_pages("{},".repeat(999));
    calls("memory_parallel::collected_list_without_end_is_an_error", response, async |url| {
        let error = suger_client(&url).entitlements(|request| request).try_collect().await.unwrap_err();
        let line = "the list exceeds the limit of 48 MiB of memory -> this limit is fixed: read the items one by one";
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Limit, line));
    });
}

#[test]
fn pages_that_are_fetched_ahead_are_bounded_together() {
    // Decoded, more than 12 MiB.
    let response = endless_pages("{},".repeat(8_191));
    calls("memory_parallel::pages_that_are_fetched_ahead_are_bounded_together", response, async |url| {
        let mut entitlements = suger_client(&url).entitlements(|request| request);
        for _ in 0..20 * 8_192 {
            entitlements.next().await.unwrap().unwrap();
        }
    });
}
