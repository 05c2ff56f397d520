//! Things that a vendor makes in its own time.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use usage_billing_core::{Error, ErrorKind, ResponseValue, Result};

/// Pauses between two polls grow from the first to the last of these.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A vendor that asks for no pause at all does not mean to be asked without end.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// A report that is being made. Dropping it leaves the vendor's work alone: take it up again by its [`id`](Self::id).
///
/// It is done, or has failed, only in a state that is known to say so. Any other, also one that the vendor adds tomorrow, is waited for, and
/// named when the wait times out.
#[must_use = "a report is not waited for until `wait`"]
pub struct Report<T> {
    id: String,
    what: &'static str,
    pause: Option<Duration>,
    poll: Box<dyn FnMut() -> BoxFuture<'static, Result<Progress<T>>> + Send>,
}

/// What a poll found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<T> {
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

impl<T> Report<T> {
    /// A report that `poll` asks for; `what` and `id` name it in errors. Also for jobs that have no wrapper here, over a client's `api()`.
    pub fn new<F>(what: &'static str, id: String, mut poll: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Progress<T>>> + Send + 'static,
    {
        Self { id, what, pause: None, poll: Box::new(move || poll().boxed()) }
    }

    /// What to keep to take the report up again, in this process or another.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A fixed pause between two polls, in place of 2 s growing to 15 s. A pause that the vendor asks for comes before both.
    pub fn poll_every(self, pause: Duration) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`] if the vendor has given the report up; else those of the call.
    pub async fn poll(&mut self) -> Result<Progress<T>> {
        (self.poll)().await
    }

    /// Asks until the report is done, for no longer than `timeout`.
    ///
    /// # Errors
    /// [`ErrorKind::WaitTimeout`], naming the id: the report may still come, and can be waited for again. Else as [`poll`](Self::poll).
    pub async fn wait(&mut self, timeout: Duration) -> Result<T> {
        let mut polls = 0u32;
        let mut state = String::new();
        let waited = tokio::time::timeout(timeout, async {
            loop {
                let asked_for = match self.poll().await? {
                    Progress::Ready(done) => return Ok(done),
                    Progress::Pending { status, retry_after } => {
                        state = match status.filter(|status| !status.is_empty()) {
                            Some(status) => format!(" (the vendor says {status})"),
                            None => " (the vendor does not say how far it is)".to_owned(),
                        };
                        retry_after.map(|pause| pause.max(SHORTEST_PAUSE))
                    }
                };
                tokio::time::sleep(asked_for.or(self.pause).unwrap_or_else(|| pause(polls))).await;
                polls = polls.saturating_add(1);
            }
        });
        waited.await.unwrap_or_else(|_| {
            let message = format!(
                "{} {} is not done after {} s{state}; it may still come, so ask for it again later",
                self.what,
                self.id,
                timeout.as_secs()
            );
            Err(Error::new(ErrorKind::WaitTimeout, message))
        })
    }
}

impl<T> Progress<T> {
    /// Still being made, as an answer says: its state, and the pause that it asks for.
    pub fn pending<A>(answer: &ResponseValue<A>, status: Option<impl fmt::Display>) -> Self {
        Self::Pending { status: status.map(|status| status.to_string()), retry_after: answer.retry_after() }
    }
}

fn pause(polls: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << polls.min(10)).min(LONGEST_PAUSE)
}

impl<T> fmt::Debug for Report<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("what", &self.what).field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    fn ready_after(polls: u32) -> Report<&'static str> {
        asked_to_pause(polls, None)
    }

    fn asked_to_pause(mut polls: u32, retry_after: Option<Duration>) -> Report<&'static str> {
        Report::new("report", "r-7".to_owned(), move || {
            polls = polls.saturating_sub(1);
            let pending = Progress::Pending { status: Some("Running".to_owned()), retry_after };
            let progress = if polls == 0 { Progress::Ready("rows") } else { pending };
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
                move || async move { Ok(Progress::Pending { status: status.map(str::to_owned), retry_after: None }) };
            let mut report = Report::<()>::new("report", "r-9".to_owned(), pending);
            let error = report.wait(Duration::from_secs(5)).await.unwrap_err();
            assert!(error.message().starts_with(told), "{error}");
        }
        let silent = || std::future::pending::<Result<Progress<()>>>();
        let error = Report::new("report", "r-9".to_owned(), silent).wait(Duration::from_secs(5)).await.unwrap_err();
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
            Report::<()>::new("report", "r-8".to_owned(), failing).wait(Duration::from_secs(9)).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Failed, "csv_v2_0 failed"));
    }
}
