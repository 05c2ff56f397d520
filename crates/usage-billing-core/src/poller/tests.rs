use super::*;
use tokio::time::Instant;

fn ready_after(polls: u32) -> Poller<&'static str> {
    with_retry_after(polls, None)
}

fn with_retry_after(mut polls: u32, retry_after: Option<Duration>) -> Poller<&'static str> {
    Poller::new("report", "r-7".to_owned(), move || {
        polls = polls.saturating_sub(1);
        let pending = PollResult::Pending { status: Some("Running".to_owned()), retry_after };
        let progress = if polls == 0 { PollResult::Ready("rows") } else { pending };
        async move { Ok(progress) }
    })
}

#[tokio::test(start_paused = true)]
async fn delays_grow_from_two_to_fifteen_seconds() {
    let start = Instant::now();
    assert_eq!(ready_after(6).wait(Duration::from_secs(600)).await.unwrap(), "rows");
    assert_eq!(start.elapsed().as_secs(), 2 + 4 + 8 + 15 + 15);
}

#[tokio::test(start_paused = true)]
async fn retry_after_takes_precedence_over_own_delays() {
    for (retry_after, elapsed) in [(30, 60), (0, 2)] {
        for fixed in [Duration::from_secs(5), Duration::ZERO] {
            let start = Instant::now();
            let mut report = with_retry_after(3, Some(Duration::from_secs(retry_after))).poll_every(fixed);
            report.wait(Duration::from_secs(600)).await.unwrap();
            assert_eq!(start.elapsed().as_secs(), elapsed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn wait_timeout_error_names_the_id() {
    let start = Instant::now();
    let error = ready_after(99).poll_every(Duration::from_secs(1)).wait(Duration::from_secs(10)).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(error.kind(), ErrorKind::WaitTimeout);
    assert!(error.to_string().starts_with("report r-7 is not done after 10 s (last status: Running)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn wait_timeout_error_states_last_status() {
    for (status, expected) in [
        (Some("A_NEW_STATE"), "report r-9 is not done after 5 s (last status: A_NEW_STATE);"),
        (Some(""), "report r-9 is not done after 5 s (the vendor reports no status);"),
        (None, "report r-9 is not done after 5 s (the vendor reports no status);"),
    ] {
        let pending =
            move || async move { Ok(PollResult::Pending { status: status.map(str::to_owned), retry_after: None }) };
        let mut report = Poller::<()>::new("report", "r-9".to_owned(), pending);
        let error = report.wait(Duration::from_secs(5)).await.unwrap_err();
        assert!(error.message().starts_with(expected), "{error}");
    }
    let silent = || std::future::pending::<Result<PollResult<()>>>();
    let error = Poller::new("report", "r-9".to_owned(), silent).wait(Duration::from_secs(5)).await.unwrap_err();
    assert!(error.message().starts_with("report r-9 is not done after 5 s; it may still finish"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn wait_can_be_repeated_after_timeout() {
    let mut report = ready_after(5);
    assert!(report.wait(Duration::from_secs(1)).await.is_err());
    assert_eq!(report.wait(Duration::MAX).await.unwrap(), "rows");
}

#[tokio::test(start_paused = true)]
async fn a_failed_report_is_an_error_at_once() {
    let failing = || async { Err(Error::new(ErrorKind::Failed, "csv_v2_0 failed")) };
    let error = Poller::<()>::new("report", "r-8".to_owned(), failing).wait(Duration::from_secs(9)).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Failed, "csv_v2_0 failed"));
}

fn lost() -> Error {
    Error::new(ErrorKind::Connection, "connection lost")
}

/// Polls end in this order; the last outcome repeats.
fn scripted(mut outcomes: Vec<fn() -> Result<PollResult<&'static str>>>) -> Poller<&'static str> {
    Poller::new("report", "r-7".to_owned(), move || {
        let outcome = if outcomes.len() > 1 { outcomes.remove(0)() } else { outcomes[0]() };
        async move { outcome }
    })
}

fn running() -> Result<PollResult<&'static str>> {
    Ok(PollResult::Pending { status: Some("Running".to_owned()), retry_after: None })
}

#[tokio::test(start_paused = true)]
async fn transient_failure_does_not_end_wait_of_confirmed_report() {
    let done = || Ok(PollResult::Ready("rows"));
    let start = Instant::now();
    let mut report = scripted(vec![running, || Err(lost()), || Err(lost()), running, done]);
    assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap(), "rows");
    assert_eq!(start.elapsed().as_secs(), 2 + 4 + 8 + 15, "the delays are those of any other poll");

    let start = Instant::now();
    let failed = || Err(lost().with_retry_after(Some(Duration::from_secs(90))));
    let report = scripted(vec![running, failed, done]);
    assert_eq!(report.poll_every(Duration::from_secs(1)).wait(Duration::from_secs(600)).await.unwrap(), "rows");
    assert_eq!(start.elapsed().as_secs(), 1 + 90);

    let mut report = scripted(vec![|| Err(lost()), done]);
    assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap_err().message(), "connection lost");
    assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap(), "rows");
}

#[tokio::test(start_paused = true)]
async fn confirmed_report_survives_failure_of_first_poll() {
    let report = scripted(vec![|| Err(lost()), || Ok(PollResult::Ready("rows"))]);
    assert_eq!(report.confirmed_exists().wait(Duration::from_secs(600)).await.unwrap(), "rows");
}

#[tokio::test(start_paused = true)]
async fn wait_timeout_error_has_last_failure_as_source() {
    let mut report = scripted(vec![running, || Err(lost())]);
    let error = report.wait(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimeout);
    let expected = "report r-7 is not done after 60 s (the last poll failed: connection lost);";
    assert!(error.message().starts_with(expected), "{error}");
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
    assert_eq!(source.map(Error::kind), Some(ErrorKind::Connection));
}

#[tokio::test(start_paused = true)]
async fn permanent_connection_failure_ends_the_wait_at_once() {
    let untrusted = || Err(Error::new(ErrorKind::Connection, "not trusted").with_permanent(true));
    let start = Instant::now();
    let error = scripted(vec![running, untrusted]).wait(Duration::from_secs(600)).await.unwrap_err();
    assert_eq!((error.message(), start.elapsed().as_secs()), ("not trusted", 2));
}

#[tokio::test(start_paused = true)]
async fn permanent_failures_end_the_wait_at_once() {
    use ErrorKind::{Auth, Config, Decode, Failed, Permission, Request};
    for kind in [Failed, Permission, Auth, Decode, Request, Config, ErrorKind::Api] {
        let mut first = true;
        let mut report = Poller::<()>::new("report", "r-7".to_owned(), move || {
            let outcome = match std::mem::take(&mut first) {
                true => Ok(PollResult::Pending { status: None, retry_after: None }),
                false => Err(Error::new(kind, "no")),
            };
            async move { outcome }
        });
        let start = Instant::now();
        assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap_err().kind(), kind);
        assert_eq!(start.elapsed().as_secs(), 2, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn converted_result_keeps_pending_states_and_may_fail() {
    let mut report = ready_after(3).and_then(|rows| Ok(rows.len()));
    assert!(matches!(report.poll().await.unwrap(), PollResult::Pending { status: Some(_), .. }));
    assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap(), 4);
    let mut report = ready_after(1).and_then(|_| Err::<(), _>(Error::new(ErrorKind::Decode, "no rows")));
    assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap_err().message(), "no rows");
}

#[test]
fn result_that_cannot_be_used_is_known_before_the_wait() {
    assert!(ready_after(1).require_usable().is_ok());
    let reason = Error::new(ErrorKind::Request, "no rows");
    assert_eq!(ready_after(1).unusable(Some(reason)).require_usable().unwrap_err().message(), "no rows");
}
