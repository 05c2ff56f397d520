//! Things that a vendor makes in its own time.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use usage_billing_core::{ClientInfo, Error, ErrorKind, ResponseValue, Result, Transport, printable};

use crate::time_limit::TimeLimit;

/// Pauses between two polls grow from the first to the last of these.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A vendor that asks for no pause at all does not mean to be asked without end.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// A report that is being made. Dropping it leaves the vendor's work alone: take it up again by its [`id`](Self::id).
///
/// It is done, or has failed, only in a state that is known to say so. Any other, also one that the vendor adds tomorrow, is waited for, and
/// named when the wait times out.
///
/// ```no_run
/// # use std::time::Duration;
/// # use usage_billing::{ErrorKind, Period, Result, genesys::Client};
/// # async fn fetch(client: Client, october: Period) -> Result<()> {
/// let mut report = client.billable_usage(october).poll_every(Duration::from_secs(5));
/// match report.wait(Duration::from_secs(120)).await {
///     Ok(usage) => println!("{} lines", usage.usages.iter().flatten().count()),
///     Err(error) if error.kind() == ErrorKind::WaitTimeout => println!("{} is to be waited for again", report.id()),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a report is not waited for until `wait`"]
pub struct Poller<T> {
    id: String,
    description: &'static str,
    pause: Option<Duration>,
    /// Whether the vendor has ever answered for it. What was never answered may be a wrong address or no network, which no waiting mends.
    answered: bool,
    /// Why no rows can be made of it, if that is known before it is done.
    #[cfg(feature = "acronis")]
    without_rows: Option<Error>,
    /// Whose secrets are masked in errors.
    transport: Option<Transport>,
    poll: Box<dyn FnMut() -> BoxFuture<'static, Result<PollResult<T>>> + Send>,
}

/// What a poll found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollResult<T> {
    /// Still being made.
    Pending {
        /// The vendor's word for how far it is, if it says one.
        status: Option<String>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Done.
    Ready(T),
}

impl<T> Poller<T> {
    /// A report that `poll` asks for; `description` and `id` name it in errors. Also for jobs that have no wrapper here, over a client's `api()`.
    pub fn new<F>(description: &'static str, id: String, mut poll: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<PollResult<T>>> + Send + 'static,
    {
        Self {
            id,
            description,
            pause: None,
            answered: false,
            #[cfg(feature = "acronis")]
            without_rows: None,
            transport: None,
            poll: Box::new(move || poll().boxed()),
        }
    }

    /// What to keep to take the report up again, in this process or another.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A fixed pause between two polls, in place of 2 s growing to 15 s. A pause that the vendor asks for comes before both.
    pub fn poll_every(self, pause: Duration) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// Masks the secrets of a client in errors that are made of what its calls answered, the vendor's word for the state among them. Of the
    /// calls' own errors they are masked already.
    pub fn masking(self, client: &impl ClientInfo<Transport>) -> Self {
        Self { transport: Some(client.inner().clone()), ..self }
    }

    /// A report that the vendor has answered for, when it was created or looked up.
    #[cfg(any(feature = "acronis", feature = "genesys"))]
    pub(crate) fn answered(self) -> Self {
        Self { answered: true, ..self }
    }

    /// A report of which no rows can be made, for a reason.
    #[cfg(feature = "acronis")]
    pub(crate) fn without_rows(self, reason: Option<Error>) -> Self {
        Self { without_rows: reason, ..self }
    }

    /// # Errors
    /// Why no rows can be made of it, so that nobody waits for nothing.
    #[cfg(feature = "acronis")]
    pub(crate) fn require_rows(&self) -> Result<()> {
        self.without_rows.clone().map_or(Ok(()), Err)
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`] if the vendor has given the report up; else those of the call.
    pub async fn poll(&mut self) -> Result<PollResult<T>> {
        let outcome = (self.poll)().await;
        self.answered |= outcome.is_ok();
        outcome.map_err(|error| self.masked(error))
    }

    fn masked(&self, error: Error) -> Error {
        match &self.transport {
            Some(transport) => transport.masked(error),
            None => error,
        }
    }

    /// Asks until the report is done, for no longer than `timeout`; `Duration::MAX` sets no limit, and a
    /// timeout of 0 asks nothing: that is [`poll`](Self::poll).
    ///
    /// The vendor goes on with the report while it cannot be asked: a lost connection, a 429 or a 5xx that outlasts the call's own retries is
    /// waited out as well, once the vendor has answered for this report at all.
    ///
    /// # Errors
    /// [`ErrorKind::WaitTimeout`], naming the id and the last such failure: the report may still come, and can be waited for again. Else as
    /// [`poll`](Self::poll).
    pub async fn wait(&mut self, timeout: Duration) -> Result<T> {
        self.wait_within(TimeLimit::new(timeout)).await
    }

    /// As [`wait`](Self::wait), within what is left of a limit.
    pub(crate) async fn wait_within(&mut self, limit: TimeLimit) -> Result<T> {
        let mut polls = 0u32;
        // What the last poll found: the vendor's word, or why it could not be asked.
        let mut last = None;
        let waited = limit.run(async {
            loop {
                let asked_for = match self.poll().await {
                    Ok(PollResult::Ready(done)) => return Ok(done),
                    Ok(PollResult::Pending { status, retry_after }) => {
                        last = Some(Ok(status.filter(|status| !status.is_empty())));
                        retry_after
                    }
                    Err(error) if self.answered && may_pass(&error) => {
                        let retry_after = error.retry_after();
                        last = Some(Err(error));
                        retry_after
                    }
                    Err(error) => return Err(error),
                };
                let asked_for = asked_for.map(|pause| pause.max(SHORTEST_PAUSE));
                tokio::time::sleep(asked_for.or(self.pause).unwrap_or_else(|| pause(polls))).await;
                polls = polls.saturating_add(1);
            }
        });
        waited.await.unwrap_or_else(|| {
            let state = match &last {
                None => String::new(),
                Some(Ok(Some(status))) => format!(" (the vendor says {})", printable(status)),
                Some(Ok(None)) => " (the vendor does not say how far it is)".to_owned(),
                // The limit that one call met is not the one to raise.
                Some(Err(failure)) => format!(" (it could not be asked for: {})", failure.clone().with_setting(None)),
            };
            let message = format!(
                "{} {} is not done after {} s{state}; it may still come, so ask for it again later",
                self.description,
                printable(&self.id),
                limit.seconds()
            );
            let error = Error::new(ErrorKind::WaitTimeout, message);
            Err(self.masked(match last {
                Some(Err(failure)) => error.with_source(failure),
                _ => error,
            }))
        })
    }
}

/// Whether asking later may do: the connection, or the vendor's servers, and not what was asked.
fn may_pass(error: &Error) -> bool {
    let is_theirs = |status: u16| matches!(status, 408 | 429 | 500 | 502..=504);
    let is_lost = error.kind() == ErrorKind::Connection && !error.is_permanent();
    is_lost || error.status().is_some_and(|status| is_theirs(status.as_u16()))
}

impl<T> PollResult<T> {
    /// Still being made, as an answer says: its state, and the pause that it asks for.
    pub fn pending<A>(answer: &ResponseValue<A>, status: Option<impl fmt::Display>) -> Self {
        Self::Pending { status: status.map(|status| status.to_string()), retry_after: answer.retry_after() }
    }
}

fn pause(polls: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << polls.min(10)).min(LONGEST_PAUSE)
}

impl<T> fmt::Debug for Poller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("description", &self.description).field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    fn ready_after(polls: u32) -> Poller<&'static str> {
        asked_to_pause(polls, None)
    }

    fn asked_to_pause(mut polls: u32, retry_after: Option<Duration>) -> Poller<&'static str> {
        Poller::new("report", "r-7".to_owned(), move || {
            polls = polls.saturating_sub(1);
            let pending = PollResult::Pending { status: Some("Running".to_owned()), retry_after };
            let progress = if polls == 0 { PollResult::Ready("rows") } else { pending };
            async move { Ok(progress) }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_pauses_grow_from_two_to_fifteen_seconds() {
        let start = Instant::now();
        assert_eq!(ready_after(6).wait(Duration::from_secs(600)).await.unwrap(), "rows");
        assert_eq!(start.elapsed().as_secs(), 2 + 4 + 8 + 15 + 15);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_that_the_vendor_asks_for_comes_before_ours() {
        for (asked, paused) in [(30, 60), (0, 2)] {
            for fixed in [Duration::from_secs(5), Duration::ZERO] {
                let start = Instant::now();
                let mut report = asked_to_pause(3, Some(Duration::from_secs(asked))).poll_every(fixed);
                report.wait(Duration::from_secs(600)).await.unwrap();
                assert_eq!(start.elapsed().as_secs(), paused);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_times_out_names_the_id() {
        let start = Instant::now();
        let error = ready_after(99).poll_every(Duration::from_secs(1)).wait(Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(start.elapsed().as_secs(), 10);
        assert_eq!(error.kind(), ErrorKind::WaitTimeout);
        assert!(
            error.to_string().starts_with("report r-7 is not done after 10 s (the vendor says Running)"),
            "{error}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_times_out_says_what_is_known_of_the_state() {
        for (status, told) in [
            (Some("A_NEW_STATE"), "report r-9 is not done after 5 s (the vendor says A_NEW_STATE);"),
            (Some(""), "report r-9 is not done after 5 s (the vendor does not say how far it is);"),
            (None, "report r-9 is not done after 5 s (the vendor does not say how far it is);"),
        ] {
            let pending =
                move || async move { Ok(PollResult::Pending { status: status.map(str::to_owned), retry_after: None }) };
            let mut report = Poller::<()>::new("report", "r-9".to_owned(), pending);
            let error = report.wait(Duration::from_secs(5)).await.unwrap_err();
            assert!(error.message().starts_with(told), "{error}");
        }
        let silent = || std::future::pending::<Result<PollResult<()>>>();
        let error = Poller::new("report", "r-9".to_owned(), silent).wait(Duration::from_secs(5)).await.unwrap_err();
        assert!(error.message().starts_with("report r-9 is not done after 5 s; it may still come"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_timed_out_can_be_waited_for_again_for_any_time() {
        let mut report = ready_after(5);
        assert!(report.wait(Duration::from_secs(1)).await.is_err());
        assert_eq!(report.wait(Duration::MAX).await.unwrap(), "rows");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_report_is_an_error_at_once() {
        let failing = || async { Err(Error::new(ErrorKind::Failed, "csv_v2_0 failed")) };
        let error =
            Poller::<()>::new("report", "r-8".to_owned(), failing).wait(Duration::from_secs(9)).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Failed, "csv_v2_0 failed"));
    }

    fn lost() -> Error {
        Error::new(ErrorKind::Connection, "connection lost")
    }

    /// Polls end in this order, and the last one again and again.
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
    async fn a_failure_that_passes_does_not_end_the_wait_once_the_vendor_has_answered() {
        let done = || Ok(PollResult::Ready("rows"));
        let start = Instant::now();
        let mut report = scripted(vec![running, || Err(lost()), || Err(lost()), running, done]);
        assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap(), "rows");
        assert_eq!(start.elapsed().as_secs(), 2 + 4 + 8 + 15, "the pauses are those of any other poll");

        let start = Instant::now();
        let asked = || Err(lost().with_retry_after(Some(Duration::from_secs(90))));
        let report = scripted(vec![running, asked, done]);
        assert_eq!(report.poll_every(Duration::from_secs(1)).wait(Duration::from_secs(600)).await.unwrap(), "rows");
        assert_eq!(start.elapsed().as_secs(), 1 + 90);

        let mut report = scripted(vec![|| Err(lost()), done]);
        assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap_err().message(), "connection lost");
        assert_eq!(report.wait(Duration::from_secs(600)).await.unwrap(), "rows");
    }

    #[cfg(any(feature = "acronis", feature = "genesys"))]
    #[tokio::test(start_paused = true)]
    async fn a_report_that_was_answered_for_when_it_was_created_is_waited_for_from_the_first_poll() {
        let report = scripted(vec![|| Err(lost()), || Ok(PollResult::Ready("rows"))]);
        assert_eq!(report.answered().wait(Duration::from_secs(600)).await.unwrap(), "rows");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_lasts_is_told_when_the_wait_times_out() {
        let mut report = scripted(vec![running, || Err(lost())]);
        let error = report.wait(Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WaitTimeout);
        let told = "report r-7 is not done after 60 s (it could not be asked for: connection lost);";
        assert!(error.message().starts_with(told), "{error}");
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
    async fn what_no_waiting_mends_ends_the_wait_at_once() {
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
}
