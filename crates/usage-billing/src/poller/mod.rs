//! Things that a vendor makes in its own time.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use usage_billing_core::{ClientInfo, Error, ErrorKind, ResponseValue, Result, Transport, printable};

use crate::time_limit::TimeLimit;

/// Pauses between two polls grow from the first to the last of these.
const FIRST_DELAY: Duration = Duration::from_secs(2);
const LONGEST_DELAY: Duration = Duration::from_secs(15);
/// A vendor that asks for no pause at all does not mean to be asked without end.
const SHORTEST_DELAY: Duration = Duration::from_secs(1);

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
    interval: Option<Duration>,
    /// Whether the vendor has ever answered for it. What was never answered may be a wrong address or no network, which no waiting mends.
    confirmed_exists: bool,
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
            interval: None,
            confirmed_exists: false,
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
    pub fn poll_every(self, interval: Duration) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// Masks the secrets of a client in errors that are made of what its calls answered, the vendor's word for the state among them. Of the
    /// calls' own errors they are masked already.
    pub fn masking(self, client: &impl ClientInfo<Transport>) -> Self {
        Self { transport: Some(client.inner().clone()), ..self }
    }

    /// A report that the vendor has answered for, when it was created or looked up.
    #[cfg(any(feature = "acronis", feature = "genesys"))]
    pub(crate) fn confirmed_exists(self) -> Self {
        Self { confirmed_exists: true, ..self }
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
        self.confirmed_exists |= outcome.is_ok();
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
fn is_transient(error: &Error) -> bool {
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
