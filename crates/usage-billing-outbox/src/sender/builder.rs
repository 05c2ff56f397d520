//! Configuration of a sender.

use std::time::Duration;

use chrono::TimeDelta;
use usage_billing::Result;
use usage_billing::suger::Client;
use usage_billing::{Error, ErrorKind};

use super::Sender;
use super::marketplaces::Marketplaces;
use crate::store::Heartbeat;
use crate::{HourlyReports, Outbox, Store};

/// Configuration of a [`Sender`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until `start`"]
pub struct SenderBuilder<S> {
    outbox: Outbox<S>,
    client: Client,
    options: Options,
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) batch: usize,
    pub(super) concurrency: usize,
    pub(super) flush_timeout: Duration,
    pub(super) interval: Duration,
    pub(super) probes: usize,
    pub(super) validates: bool,
    pub(super) hourly_reports: Option<HourlyReports>,
}

impl Options {
    /// Returns the interval of a timer beside a batch. Without a time limit there is none: a paused clock would advance to it while a
    /// response is on its way.
    pub(super) fn timer(&self, interval: TimeDelta) -> Duration {
        match self.flush_timeout {
            Duration::MAX => Duration::MAX,
            _ => interval.to_std().unwrap_or_default(),
        }
    }
}

impl<S: Store> Outbox<S> {
    /// Returns a builder of a sender that delivers through `client`.
    pub fn sender(&self, client: Client) -> SenderBuilder<S> {
        let options = Options {
            batch: 256,
            concurrency: 8,
            flush_timeout: Duration::from_secs(120),
            interval: Duration::from_secs(1),
            // As many as the circuit breaker of a queue needs.
            probes: 3,
            validates: false,
            hourly_reports: None,
        };
        SenderBuilder { outbox: self.clone(), client, options }
    }
}

impl<S: Store> SenderBuilder<S> {
    /// Sets the number of events that are leased, sent and settled together. The default is 256; 0 is treated as 1.
    pub fn batch(mut self, events: usize) -> Self {
        self.options.batch = events.max(1);
        self
    }

    /// Sets the number of concurrent requests. The default is 8; 0 is treated as 1.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests;
        self
    }

    /// Sets the time limit of a batch. The default is two minutes. Events that are not confirmed by then are sent again later. The lease of
    /// the batch ends a minute later. With [`Duration::MAX`], no timer runs beside a batch: for tests with a paused clock.
    pub fn flush_timeout(mut self, limit: Duration) -> Self {
        self.options.flush_timeout = limit;
        self
    }

    /// Sets how often the store is read while no event is due. The default is a second.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.options.interval = interval;
        self
    }

    /// Validates events at Suger before they are sent ([`UsageQueue::validate_first`](usage_billing::suger::UsageQueue::validate_first)).
    pub fn validate_first(mut self) -> Self {
        self.options.validates = true;
        self
    }

    /// Reports metered usage of ended hours, every minute ([`Outbox::roll_up`]).
    pub fn hourly_reports(mut self, rule: HourlyReports) -> Self {
        self.options.hourly_reports = Some(rule);
        self
    }

    /// Claims the right to send.
    ///
    /// # Errors
    /// - [`ErrorKind::Config`] if another sender has the right, or the client is of another organization than the store.
    /// - [`ErrorKind::File`] if the store fails.
    pub async fn start(self) -> Result<Sender<S>> {
        let Self { outbox, client, options } = self;
        if client.org_id() != outbox.store.org_id() {
            let message = "the client is of another organization than the outbox";
            return Err(Error::new(ErrorKind::Config, message).with_hint("use an outbox for each organization"));
        }
        let now = outbox.clock.now();
        let guard = outbox.store.start_sender(now).await?;
        let heartbeat = Heartbeat { started_at: Some(now), ..Heartbeat::default() };
        let marketplaces = Marketplaces::default();
        Ok(Sender { outbox, client, options, marketplaces, heartbeat, rolled_up_at: None, failures: 0, _guard: guard })
    }
}
