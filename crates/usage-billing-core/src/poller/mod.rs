//! Polling of reports and jobs that run at the vendor.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::time_limit::TimeLimit;
use crate::{ClientInfo, Error, ErrorKind, ResponseValue, Result, Transport, printable};

/// The delay before the second poll, and the maximum to which delays grow.
const FIRST_DELAY: Duration = Duration::from_secs(2);
const LONGEST_DELAY: Duration = Duration::from_secs(15);
/// The minimum delay: `Retry-After: 0` must not cause a busy loop.
const SHORTEST_DELAY: Duration = Duration::from_secs(1);

/// Polls a report or job until the vendor has finished it. Dropping the poller does not cancel the vendor's work: resume it by its
/// [`id`](Self::id).
///
/// Only documented final states end the wait. Any other state, including one that the vendor adds later, counts as pending and is named when
/// the wait times out.
///
/// ```no_run
/// # use std::time::Duration;
/// # use usage_billing_core::{ErrorKind, Poller, Result};
/// # async fn fetch(report: Poller<Vec<String>>) -> Result<()> {
/// let mut report = report.poll_every(Duration::from_secs(5));
/// match report.wait(Duration::from_secs(120)).await {
///     Ok(lines) => println!("{} lines", lines.len()),
///     Err(error) if error.kind() == ErrorKind::WaitTimeout => println!("{} has not finished, wait for it again", report.id()),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is polled until `wait` or `poll` is called"]
pub struct Poller<T> {
    id: String,
    description: &'static str,
    interval: Option<Duration>,
    /// Whether a response has confirmed that the report exists. Without one, a failure may be a wrong address or a missing network, which
    /// waiting does not fix.
    confirmed_exists: bool,
    /// Why the result cannot be used, if that is known before the vendor has finished.
    unusable: Option<Error>,
    /// The transport whose secrets are masked in errors.
    transport: Option<Transport>,
    poll: Box<dyn FnMut() -> BoxFuture<'static, Result<PollResult<T>>> + Send>,
}

/// The result of one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollResult<T> {
    /// The vendor has not finished.
    Pending {
        /// The status that the vendor reports, if any.
        status: Option<String>,
        /// The delay that the vendor requests (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The vendor has finished.
    Ready(T),
}

impl<T> Poller<T> {
    /// Creates a poller that calls `poll`; `description` and `id` name the report in errors.
    pub fn new<F>(description: &'static str, id: String, mut poll: impl FnMut() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<PollResult<T>>> + Send + 'static,
    {
        Self {
            id,
            description,
            interval: None,
            confirmed_exists: false,
            unusable: None,
            transport: None,
            poll: Box::new(move || poll().boxed()),
        }
    }

    /// Returns the id by which this process or another can resume the report.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sets a fixed delay between polls, in place of delays that grow from 2 s to 15 s. A `Retry-After` of the vendor takes precedence.
    pub fn poll_every(self, interval: Duration) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// Masks the secrets of a client in errors that quote its responses, such as the status of the report. Errors of the calls themselves are
    /// masked already.
    #[doc(hidden)]
    pub fn masking(self, client: &impl ClientInfo<Transport>) -> Self {
        Self { transport: Some(client.inner().clone()), ..self }
    }

    /// Sets what the report is called in errors, such as "usage job".
    #[doc(hidden)]
    pub fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// Marks the report as existing: the response to its creation or lookup has confirmed it.
    #[doc(hidden)]
    pub fn confirmed_exists(self) -> Self {
        Self { confirmed_exists: true, ..self }
    }

    /// Sets the reason why the result cannot be used, for the facade.
    #[doc(hidden)]
    pub fn unusable(self, reason: Option<Error>) -> Self {
        Self { unusable: reason, ..self }
    }

    /// Fails before the wait if the result cannot be used.
    ///
    /// # Errors
    /// The reason set by [`unusable`](Self::unusable).
    #[doc(hidden)]
    pub fn require_usable(&self) -> Result<()> {
        self.unusable.clone().map_or(Ok(()), Err)
    }

    /// Returns a poller whose result is what `convert` makes of this one's.
    pub fn and_then<U>(self, convert: impl FnOnce(T) -> Result<U> + Clone + Send + 'static) -> Poller<U>
    where
        T: 'static,
    {
        let Self { id, description, interval, confirmed_exists, unusable, transport, mut poll } = self;
        let poll = move || {
            let (polled, convert) = (poll(), convert.clone());
            let converted = async {
                Ok(match polled.await? {
                    PollResult::Ready(done) => PollResult::Ready(convert(done)?),
                    PollResult::Pending { status, retry_after } => PollResult::Pending { status, retry_after },
                })
            };
            converted.boxed()
        };
        Poller { id, description, interval, confirmed_exists, unusable, transport, poll: Box::new(poll) }
    }

    /// Polls once.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`] if the vendor reports that the report has failed; otherwise the errors of the call.
    pub async fn poll(&mut self) -> Result<PollResult<T>> {
        let outcome = (self.poll)().await;
        self.confirmed_exists |= outcome.is_ok();
        outcome.map_err(|error| self.masked(error))
    }

    fn masked(&self, error: Error) -> Error {
        match &self.transport {
            Some(transport) => transport.masked(error),
            None => error,
        }
    }

    /// Polls until the report has finished, at most for `timeout`. `Duration::MAX` sets no limit. A timeout of 0 sends nothing; use
    /// [`poll`](Self::poll) for a single request.
    ///
    /// The vendor continues its work while polls fail. A lost connection, a 429 or a 5xx that outlasts the retries of the call does not end the
    /// wait once a response has confirmed that the report exists.
    ///
    /// # Errors
    /// [`ErrorKind::WaitTimeout`], with the id and the last such failure: the report may still finish and can be waited for again. Otherwise as
    /// [`poll`](Self::poll).
    pub async fn wait(&mut self, timeout: Duration) -> Result<T> {
        self.wait_within(TimeLimit::new(timeout)).await
    }

    /// Waits as [`wait`](Self::wait), for the rest of a limit.
    #[doc(hidden)]
    pub async fn wait_within(&mut self, limit: TimeLimit) -> Result<T> {
        let mut polls = 0u32;
        // The status that the last poll returned, or its error.
        let mut last = None;
        let waited = limit.run(async {
            loop {
                let retry_after = match self.poll().await {
                    Ok(PollResult::Ready(done)) => return Ok(done),
                    Ok(PollResult::Pending { status, retry_after }) => {
                        last = Some(Ok(status.filter(|status| !status.is_empty())));
                        retry_after
                    }
                    Err(error) if self.confirmed_exists && is_transient(&error) => {
                        let retry_after = error.retry_after();
                        last = Some(Err(error));
                        retry_after
                    }
                    Err(error) => return Err(error),
                };
                let retry_after = retry_after.map(|delay| delay.max(SHORTEST_DELAY));
                tokio::time::sleep(retry_after.or(self.interval).unwrap_or_else(|| delay(polls))).await;
                polls = polls.saturating_add(1);
            }
        });
        waited.await.unwrap_or_else(|| {
            let state = match &last {
                None => String::new(),
                Some(Ok(Some(status))) => format!(" (last status: {})", printable(status)),
                Some(Ok(None)) => " (the vendor reports no status)".to_owned(),
                // The limit of a single call is not the one to raise.
                Some(Err(failure)) => format!(" (the last poll failed: {})", failure.clone().with_setting(None)),
            };
            let space = if self.id.is_empty() { "" } else { " " };
            let message = format!(
                "{}{space}{} is not done after {} s{state}; it may still finish: wait for it again later",
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

/// Returns whether a later poll may succeed: the connection or the vendor's servers failed, not the request.
fn is_transient(error: &Error) -> bool {
    let is_theirs = |status: u16| matches!(status, 408 | 429 | 500 | 502..=504);
    let is_lost = error.kind() == ErrorKind::Connection && !error.is_permanent();
    is_lost || error.status().is_some_and(|status| is_theirs(status.as_u16()))
}

impl<T> PollResult<T> {
    /// Creates a pending result from a response: its status, and its `Retry-After`.
    pub fn pending<A>(response: &ResponseValue<A>, status: Option<impl fmt::Display>) -> Self {
        Self::Pending { status: status.map(|status| status.to_string()), retry_after: response.retry_after() }
    }
}

fn delay(polls: u32) -> Duration {
    FIRST_DELAY.saturating_mul(1 << polls.min(10)).min(LONGEST_DELAY)
}

impl<T> fmt::Debug for Poller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("description", &self.description).field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
