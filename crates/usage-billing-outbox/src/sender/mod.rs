//! The sender: leases due events, delivers them through the queue of the facade, and stores the results.

mod batch;
mod builder;
mod marketplaces;
mod outcome;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::time::Instant;
use usage_billing::Result;
use usage_billing::suger::Client;

use self::builder::Options;
use self::marketplaces::Marketplaces;
use crate::store::{Heartbeat, LeaseRequest};
use crate::{Outbox, Store, fail_points, retry};
pub use builder::SenderBuilder;

/// How often a sign of life is stored.
const BEAT: TimeDelta = TimeDelta::seconds(10);
/// How often metered usage is reported.
const ROLL_UP: TimeDelta = TimeDelta::minutes(1);
/// How long after the end of a flush its lease ends: the time to store the results.
const MARGIN: Duration = Duration::from_secs(60);

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
pub struct Sent {
    /// Number of events that were attempted.
    pub attempted: usize,
    /// Number of those whose state is final now.
    pub settled: usize,
    /// If none was attempted: when the next event is due. `None` if none is open.
    pub next_at: Option<DateTime<Utc>>,
}

impl<S: Store> Sender<S> {
    /// Sends due events until none is due, and returns their number.
    ///
    /// # Errors
    /// [`ErrorKind::File`](usage_billing::ErrorKind::File) if the store fails. What was sent without a stored result is sent again later,
    /// with the same key and bytes.
    pub async fn send_due(&mut self) -> Result<Sent> {
        let (_never, mut interrupted) = watch::channel(false);
        let mut all = Sent::default();
        loop {
            let sent = self.send_batch(&mut interrupted).await?;
            all = Sent {
                attempted: all.attempted + sent.attempted,
                settled: all.settled + sent.settled,
                next_at: sent.next_at,
            };
            if sent.attempted == 0 {
                return Ok(all);
            }
        }
    }

    /// Sends events as they become due, until `stop` resolves. A batch in flight then has `limit` to end; attempts that are not confirmed by then are
    /// stored as unknown, and are sent again by the next sender.
    ///
    /// # Errors
    /// [`ErrorKind::File`](usage_billing::ErrorKind::File) if the store fails: start the sender again when it is repaired.
    pub async fn run(&mut self, stop: impl Future<Output = ()>, limit: Duration) -> Result<()> {
        let (interrupt, mut interrupted) = watch::channel(false);
        let mut stop = pin!(stop);
        loop {
            let stopped = {
                let cycle = pin!(self.cycle(&mut interrupted));
                match select(stop.as_mut(), cycle).await {
                    Either::Right((cycle, _)) => {
                        cycle?;
                        false
                    }
                    Either::Left(((), cycle)) => {
                        fail_points::reached("stop.begun");
                        let end = Instant::now() + limit;
                        match select(pin!(tokio::time::sleep_until(end)), cycle).await {
                            Either::Right((cycle, _)) => cycle?,
                            Either::Left(((), cycle)) => {
                                _ = interrupt.send(true);
                                cycle.await?;
                            }
                        }
                        true
                    }
                }
            };
            if stopped {
                self.heartbeat.stopped_at = Some(self.outbox.clock.now());
                return self.outbox.store.beat(self.heartbeat.clone()).await;
            }
        }
    }

    /// Sends a batch, or waits for one. The wait ends with an interruption.
    async fn cycle(&mut self, interrupted: &mut watch::Receiver<bool>) -> Result<()> {
        let sent = self.send_batch(interrupted).await?;
        let wait = match (sent.attempted, sent.next_at) {
            (0, Some(next_at)) => {
                let wait = (next_at - self.outbox.clock.now()).to_std().unwrap_or_default();
                wait.min(self.options.interval)
            }
            (0, None) => self.options.interval,
            _ => retry::pause(self.failures),
        };
        if !wait.is_zero() {
            let _ = tokio::time::timeout(wait, interrupted.wait_for(|is_interrupted| *is_interrupted)).await;
        }
        Ok(())
    }

    async fn send_batch(&mut self, interrupted: &mut watch::Receiver<bool>) -> Result<Sent> {
        self.beat().await?;
        self.roll_up().await;
        self.marketplaces.look_up(&self.outbox, &self.client).await?;
        let now = self.outbox.clock.now();
        let lease_time =
            TimeDelta::from_std(self.options.flush_timeout.saturating_add(MARGIN)).unwrap_or(TimeDelta::MAX);
        let request = LeaseRequest {
            now,
            until: now.checked_add_signed(lease_time).unwrap_or(DateTime::<Utc>::MAX_UTC),
            limit: self.options.batch,
            probes: self.options.probes,
        };
        let leased = self.outbox.store.lease(request).await?;
        if leased.events.is_empty() {
            return Ok(Sent { next_at: leased.next_at, ..Sent::default() });
        }
        fail_points::reached("send.begun");
        let attempts = batch::deliver(&self.outbox, &self.client, &self.options, &leased, now, interrupted).await;
        fail_points::reached("send.ended");
        let now = self.outbox.clock.now();
        let settled = attempts.iter().filter(|attempt| outcome::is_final(attempt.result.outcome)).count();
        if attempts.iter().any(|attempt| outcome::is_contact(&attempt.result)) {
            self.heartbeat.contact_at = Some(now);
        }
        self.failures = if batch::is_failure(&attempts, &leased) { self.failures.saturating_add(1) } else { 0 };
        let sent = Sent { attempted: attempts.len(), settled, next_at: None };
        let lost = self.outbox.store.settle(leased.token, attempts, now).await?;
        if lost > 0 {
            tracing::warn!(target: "usage_billing::outbox", lost, "results were stored too late: the lease had ended, and the events are sent again");
        }
        Ok(sent)
    }

    /// Reports metered usage, if the last time is long ago.
    async fn roll_up(&mut self) {
        let now = self.outbox.clock.now();
        if let Some(rule) = self.options.hourly_reports
            && self.rolled_up_at.is_none_or(|last| now - last >= ROLL_UP || now < last)
        {
            self.rolled_up_at = Some(now);
            // Stored events are sent also if a report fails. The status states hours that are not reported.
            if let Err(error) = self.outbox.roll_up(rule).await {
                tracing::error!(target: "usage_billing::outbox", %error, "metered usage was not reported");
            }
        }
    }

    /// Stores a sign of life, if the last one is old.
    async fn beat(&mut self) -> Result<()> {
        let now = self.outbox.clock.now();
        if self.heartbeat.beat_at.is_none_or(|last| now - last >= BEAT || now < last) {
            self.heartbeat.beat_at = Some(now);
            self.outbox.store.beat(self.heartbeat.clone()).await?;
        }
        Ok(())
    }
}
