//! The sender: leases due events, delivers them through the queue of the facade, and stores the results.

mod batch;
mod builder;
mod heartbeat;
mod marketplaces;
mod outcome;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use tokio::sync::watch;
use usage_billing::suger::Client;
use usage_billing::{Error, ErrorKind, Result};

use self::builder::Options;
use self::heartbeat::{beat, beating};
use self::marketplaces::Marketplaces;
use crate::store::{Attempt, Heartbeat, LeaseRequest, RollUpOutcome};
use crate::windows::window;
use crate::{Outbox, Store, fail_points, retry};
pub use builder::SenderBuilder;

/// How often a sign of life is stored.
const HEARTBEAT_INTERVAL: TimeDelta = TimeDelta::seconds(10);
/// How often metered usage is reported.
const ROLL_UP_INTERVAL: TimeDelta = TimeDelta::minutes(1);
/// Time limit of the lookups before a batch.
const LOOKUP_TIMEOUT: TimeDelta = TimeDelta::seconds(10);
/// The delay after results were not stored.
const STORE_RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long after the end of a flush its lease ends: the time to store the results.
const LEASE_MARGIN: Duration = Duration::from_secs(60);
/// The shortest wait for events that are due and were not leased: another sender has locked them.
const MIN_IDLE_DELAY: Duration = Duration::from_millis(100);

/// Sends the events of an outbox. It has the right to do so until it is dropped.
#[derive(Debug)]
pub struct Sender<S: Store> {
    outbox: Outbox<S>,
    client: Client,
    options: Options,
    marketplaces: Marketplaces,
    heartbeat: Heartbeat,
    rolled_up_at: Option<DateTime<Utc>>,
    /// Number of consecutive batches that reached no vendor.
    failures: u32,
    _guard: S::SenderGuard,
}

/// The result of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// Number of events that were attempted.
    pub attempted: usize,
    /// Number of those whose state is final now.
    pub settled: usize,
    /// If none was attempted: when the next event is due. `None` if none is open.
    pub next_at: Option<DateTime<Utc>>,
    /// Whether there may be more metered usage to report now.
    pub has_more_reports: bool,
}

impl<S: Store> Sender<S> {
    /// Sends due events until none is due, and returns their number.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the store fails. What was sent without a stored result is sent again later,
    /// with the same key and bytes.
    pub async fn send_due(&mut self) -> Result<BatchOutcome> {
        let (_never, mut interrupted) = watch::channel(false);
        let mut all = BatchOutcome::default();
        loop {
            let sent = self.send_batch(&mut interrupted).await?;
            all =
                BatchOutcome { attempted: all.attempted + sent.attempted, settled: all.settled + sent.settled, ..sent };
            if sent.attempted == 0 && !sent.has_more_reports {
                return Ok(all);
            }
        }
    }

    /// Sends events as they become due, until `stop` resolves. A batch in flight then has `limit` to end; attempts that are not confirmed by then are
    /// stored as unknown, and are sent again by the next sender.
    ///
    /// A store that fails is tried again after up to a minute. Until it works, the sender leaves no sign of life, and the status of this
    /// process has [`StoreFails`](crate::Problem::StoreFails).
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the store fails after `stop` has resolved.
    pub async fn run(&mut self, stop: impl Future<Output = ()>, limit: Duration) -> Result<()> {
        self.run_until(|_| false, stop, limit).await.map(|_| ())
    }

    /// Sends events as [`run`](Self::run) does, and also ends after a batch for which `is_done` returns `true`, such as one that found nothing to
    /// send. Returns whether `stop` ended it.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_until(
        &mut self,
        mut is_done: impl FnMut(BatchOutcome) -> bool,
        stop: impl Future<Output = ()>,
        limit: Duration,
    ) -> Result<bool> {
        let (interrupt, mut interrupted) = watch::channel(false);
        let mut stop = pin!(stop);
        let (mut failed, mut failures): (Option<Error>, u32) = (None, 0);
        loop {
            failures = match failed.take() {
                None => 0,
                Some(error) if error.kind() == ErrorKind::File => {
                    self.outbox.note_store(Some(&error));
                    tracing::error!(target: "usage_billing::outbox", %error, "the store failed, and is tried again");
                    failures.saturating_add(1)
                }
                Some(error) => return Err(error),
            };
            let (is_ended, is_stopped) = {
                let cycle = pin!(async {
                    wait(retry::delay_after_failures(failures), &mut interrupted).await;
                    self.cycle(&mut is_done, &mut interrupted).await
                });
                match select(stop.as_mut(), cycle).await {
                    Either::Right((Ok(is_done), _)) => (is_done, false),
                    Either::Right((Err(error), _)) => {
                        failed = Some(error);
                        (false, false)
                    }
                    Either::Left(((), cycle)) => {
                        fail_points::reached("stop.begun");
                        match select(pin!(tokio::time::sleep(limit)), cycle).await {
                            Either::Right((cycle, _)) => _ = cycle?,
                            Either::Left(((), cycle)) => {
                                _ = interrupt.send(true);
                                cycle.await?;
                            }
                        }
                        (true, true)
                    }
                }
            };
            if is_ended {
                self.heartbeat.stopped_at = Some(self.outbox.clock.now());
                self.outbox.store.beat(self.heartbeat.clone()).await?;
                return Ok(is_stopped);
            }
        }
    }

    /// Sends a batch, or waits for one. The wait ends with an interruption. Returns whether the batch was the last one.
    async fn cycle(
        &mut self,
        is_done: &mut impl FnMut(BatchOutcome) -> bool,
        interrupted: &mut watch::Receiver<bool>,
    ) -> Result<bool> {
        let sent = self.send_batch(interrupted).await?;
        if is_done(sent) {
            return Ok(true);
        }
        let delay = match sent.attempted {
            0 => idle_delay(sent, self.outbox.clock.now(), self.options.interval),
            _ => retry::delay_after_failures(self.failures),
        };
        wait(delay, interrupted).await;
        Ok(false)
    }

    async fn send_batch(&mut self, interrupted: &mut watch::Receiver<bool>) -> Result<BatchOutcome> {
        self.beat().await?;
        let has_more_reports = self.roll_up().await;
        let Self { outbox, client, options, marketplaces, heartbeat, .. } = self;
        let look_up = async {
            // What is not found in time is looked up before a later batch.
            tokio::select! {
                biased;
                _ = interrupted.wait_for(|is_interrupted| *is_interrupted) => Ok(()),
                found = tokio::time::timeout(options.timer(LOOKUP_TIMEOUT), marketplaces.look_up(outbox, client)) => found.unwrap_or(Ok(())),
            }
        };
        beating(outbox, heartbeat, options.timer(HEARTBEAT_INTERVAL), look_up).await?;
        beating(outbox, heartbeat, options.timer(HEARTBEAT_INTERVAL), marketplaces.store(outbox, interrupted)).await;
        if *interrupted.borrow() {
            return Ok(BatchOutcome::default());
        }
        let now = self.outbox.clock.now();
        let lease_time =
            TimeDelta::from_std(self.options.flush_timeout.saturating_add(LEASE_MARGIN)).unwrap_or(TimeDelta::MAX);
        let request = LeaseRequest {
            now,
            until: now.checked_add_signed(lease_time).unwrap_or(DateTime::<Utc>::MAX_UTC),
            limit: self.options.batch,
            probes: self.options.probes,
        };
        let leased = self.outbox.store.lease(request).await?;
        self.outbox.note_store(None);
        if leased.events.is_empty() {
            return Ok(BatchOutcome { next_at: leased.next_at, has_more_reports, ..BatchOutcome::default() });
        }
        fail_points::reached("send.begun");
        let Self { outbox, client, options, heartbeat, .. } = self;
        let deliver = batch::deliver(outbox, client, options, &leased, now, interrupted);
        let attempts = beating(outbox, heartbeat, options.timer(HEARTBEAT_INTERVAL), deliver).await;
        fail_points::reached("send.ended");
        let now = self.outbox.clock.now();
        let settled = attempts.iter().filter(|attempt| outcome::is_final(attempt.result.outcome)).count();
        if attempts.iter().any(|attempt| outcome::is_contact(&attempt.result)) {
            self.heartbeat.contact_at = Some(now);
        }
        self.failures = if batch::is_failure(&attempts, &leased) { self.failures.saturating_add(1) } else { 0 };
        let sent = BatchOutcome { attempted: attempts.len(), settled, next_at: None, has_more_reports };
        let lost = self.settle(leased.token, attempts, request.until, interrupted).await?;
        if lost > 0 {
            tracing::warn!(target: "usage_billing::outbox", lost, "results were stored too late: the lease had ended, and the events are sent again");
        }
        Ok(sent)
    }

    /// Reports some of the metered usage, if all of it was reported long ago, and returns whether there may be more.
    async fn roll_up(&mut self) -> bool {
        let Self { outbox, options, heartbeat, rolled_up_at, .. } = self;
        let now = outbox.clock.now();
        let Some(rule) = options.hourly_reports else { return false };
        if rolled_up_at.is_some_and(|last| now - last < ROLL_UP_INTERVAL && last <= now) {
            return false;
        }
        let roll_up = outbox.store.roll_up(rule, window(&outbox.windows, None), now);
        match beating(outbox, heartbeat, options.timer(HEARTBEAT_INTERVAL), roll_up).await {
            Ok(RollUpOutcome { records: 1.., .. }) => return true,
            Ok(_) => {}
            // Stored events are sent also if a report fails. The status states hours that are not reported.
            Err(error) => {
                tracing::error!(target: "usage_billing::outbox", %error, "metered usage was not reported");
            }
        }
        *rolled_up_at = Some(now);
        false
    }

    /// Stores the results of a batch. While the store fails, this is tried again until the lease ends.
    async fn settle(
        &self,
        token: i64,
        attempts: Vec<Attempt>,
        until: DateTime<Utc>,
        interrupted: &mut watch::Receiver<bool>,
    ) -> Result<usize> {
        loop {
            let now = self.outbox.clock.now();
            match self.outbox.store.settle(token, attempts.clone(), now).await {
                Err(error) if error.kind() == ErrorKind::File && now < until && !*interrupted.borrow() => {
                    tracing::warn!(target: "usage_billing::outbox", %error, "results were not stored, and are stored again");
                    wait(STORE_RETRY_DELAY, interrupted).await;
                }
                settled => return settled,
            }
        }
    }

    /// Stores a sign of life, if the last one is old.
    async fn beat(&mut self) -> Result<()> {
        let now = self.outbox.clock.now();
        if self.heartbeat.beat_at.is_none_or(|last| now - last >= HEARTBEAT_INTERVAL || now < last) {
            beat(&self.outbox, &mut self.heartbeat).await?;
        }
        Ok(())
    }
}

/// Returns the delay after a cycle in which nothing was leased.
fn idle_delay(sent: BatchOutcome, now: DateTime<Utc>, interval: Duration) -> Duration {
    match sent.next_at {
        _ if sent.has_more_reports => Duration::ZERO,
        Some(next_at) => (next_at - now).to_std().unwrap_or_default().max(MIN_IDLE_DELAY).min(interval),
        None => interval,
    }
}

/// Waits until an interruption, or for some time.
async fn wait(time: Duration, interrupted: &mut watch::Receiver<bool>) {
    if !time.is_zero() {
        let _ = tokio::time::timeout(time, interrupted.wait_for(|is_interrupted| *is_interrupted)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_after_a_cycle_that_leased_nothing_is_never_empty() {
        let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        let interval = Duration::from_secs(5);
        for (next_in, expected) in
            [(Some(-9000), 100), (Some(0), 100), (Some(30), 100), (Some(2000), 2000), (Some(9000), 5000), (None, 5000)]
        {
            let next_at = next_in.map(|next_in| now + TimeDelta::milliseconds(next_in));
            let sent = BatchOutcome { next_at, ..BatchOutcome::default() };
            assert_eq!(idle_delay(sent, now, interval).as_millis(), expected, "{next_in:?}");
            assert!(idle_delay(BatchOutcome { has_more_reports: true, ..sent }, now, interval).is_zero());
        }
    }
}
