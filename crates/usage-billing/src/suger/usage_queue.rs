//! Many reports: queued, sent several at a time, each to an end that is told.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::{Either, select};
use tokio::time::Instant;
use usage_billing_core::{Error, ErrorKind, Result, printable};
use uuid::Uuid;

use super::doubt::WORKED_ON;
use super::evidence::MISSING;
use super::late_usage::MarketplaceWindows;
use super::types::Partner;
use super::{Client, Receipt, UndeliveredEvent, UsageEvent, trace};
use crate::time_limit::TimeLimit;

/// Requests at a time unless set otherwise. Suger publishes no limit.
const CONCURRENCY: usize = 8;

/// Longest time of a flush unless set otherwise: usage is reported by the hour, so the next flush is due.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3600);

/// Entitlements of which a queue that forgets reports remembers anything.
const REMEMBERED_ENTITLEMENTS: usize = 10_000;

/// Where a report stands in the queue: oldest window first.
pub(super) type Place = (DateTime<Utc>, Uuid);

/// Sends many reports, several at a time, within the client's rate limit.
///
/// A report counts as delivered only if that is proved. The response has to return the group that was sent; where it does not (another
/// body, 409, a rejection), the groups of the entitlement are listed, once in a flush, and the list decides. So a rejected report is one that
/// Suger does not list, or not as it was sent, and of which no attempt of this client and its clones can arrive any more. What the list cannot
/// decide stays queued, and so does a rejected report whose earlier attempt, less than five minutes ago, may still arrive. Attempts of other
/// processes are not known here: see [`after_restart`](Self::after_restart).
///
/// One report's failure is told in the [`Receipt`] and stops no other one. But an entitlement is left alone for the rest of a flush after three
/// reports in a row without a response of Suger's, or ten without one that settles anything; all of them after as many entitlements in a row that
/// fail so, or once the key is refused or Suger says "too many requests" beyond the retries. What is left stays queued, and is sent by the next
/// flush before what has failed. The same rules end the look-ups of a flush.
///
/// It keeps nothing on disk and sends nothing when it is dropped. After a crash, push the same reports again: their ids are the same, so
/// that what arrived before comes back as already delivered. It remembers the id of every report that it was given, some 70 bytes each, for as
/// long as it lives.
///
/// ```no_run
/// # use usage_billing::suger::{Client, MarketplaceWindows, UsageEvent};
/// # async fn hourly(client: Client, metered: Vec<UsageEvent>) -> usage_billing::Result<()> {
/// let mut queue = client.usage_queue().concurrency(4).reject_late_usage().marketplace_windows(MarketplaceWindows::default());
/// for report in metered {
///     queue.push(report)?;
/// }
/// let receipt = queue.flush().await;
/// for rejected in &receipt.rejected {
///     eprintln!("not billed: {} {}", rejected.report.entitlement_id(), rejected.error);
/// }
/// // Still queued: the next flush sends them again, under the same ids.
/// println!("{} to be sent again", queue.pending());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent until `flush`"]
pub struct UsageQueue {
    pub(super) client: Client,
    pub(super) concurrency: usize,
    flush_timeout: Option<Duration>,
    pub(super) validates: bool,
    pub(super) trusts_duplicates: bool,
    /// Until then, another process's attempt to send any of the reports may still arrive.
    pub(super) others_arrive_until: Option<Instant>,
    pub(super) windows: MarketplaceWindows,
    pub(super) rejects_late_usage: bool,
    pub(super) queue: BTreeMap<Place, UsageEvent>,
    pub(super) known: HashMap<Uuid, Known>,
    /// Where entitlements are billed, of those that were asked for.
    pub(super) marketplaces: HashMap<String, Option<Partner>>,
    /// How many flushes have begun.
    pub(super) flushes: u64,
    /// The last flush in which an entitlement's reports were sent or looked up, and none of them was settled.
    pub(super) failed_in: HashMap<String, u64>,
    /// What is settled, until a flush comes to its end and hands it out.
    pub(super) settled: Receipt,
}

/// What is remembered of a report.
#[derive(Debug)]
pub(super) struct Known {
    fingerprint: Uuid,
    pub(super) state: State,
    /// The last flush in which it was sent and not settled; 0 if there is none.
    pub(super) failed_in: u64,
    /// Whether the trace states that its usage is late.
    pub(super) is_warned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was not sent.
    New,
    Sent,
    /// It was delivered, or is taken for delivered.
    Delivered,
    /// Suger has the id, but not as a delivery of the report: as `INVALID`, deleted, or with other quantities.
    IdConsumed,
}

impl Client {
    /// A queue of reports to send.
    pub fn usage_queue(&self) -> UsageQueue {
        UsageQueue {
            client: self.clone(),
            concurrency: CONCURRENCY,
            flush_timeout: Some(FLUSH_TIMEOUT),
            validates: false,
            trusts_duplicates: false,
            others_arrive_until: None,
            windows: MarketplaceWindows::default(),
            rejects_late_usage: false,
            queue: BTreeMap::new(),
            known: HashMap::new(),
            marketplaces: HashMap::new(),
            flushes: 0,
            failed_in: HashMap::new(),
            settled: Receipt::default(),
        }
    }
}

impl UsageQueue {
    /// So many requests at a time, in place of 8; 0 is taken as 1.
    pub fn concurrency(self, requests: usize) -> Self {
        Self { concurrency: requests.max(1), ..self }
    }

    /// Sets the longest time of a flush, in place of an hour; `None` for no limit. What is not confirmed by then stays queued.
    pub fn flush_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { flush_timeout: limit.into(), ..self }
    }

    /// Asks Suger to check all reports before any is sent: one with an unknown dimension or an inactive entitlement is then rejected, where
    /// otherwise it would be stored as `INVALID` and use up its id. Reports that could not be checked are not sent.
    pub fn validate_first(self) -> Self {
        Self { validates: true, ..self }
    }

    /// Takes Suger at its word when it says that it has an id already (409): such a report is [unverified](Receipt::unverified) instead of
    /// looked up, and the receipt is not complete. It may be there as `INVALID`, deleted or with other quantities. Saves a list of the
    /// entitlement's groups for each entitlement with such a report. Reports of which this queue lost a response are looked up nevertheless.
    pub fn trust_duplicates_unverified(self) -> Self {
        Self { trusts_duplicates: true, ..self }
    }

    /// Assumes that another process has sent the reports until now, such as one that crashed: for five minutes, one that Suger rejects and does not
    /// list stays queued, since that process's attempt may still arrive. For a service whose next flushes settle it; a program that flushes
    /// once would never see a rejection.
    pub fn after_restart(self) -> Self {
        Self { others_arrive_until: Instant::now().checked_add(WORKED_ON), ..self }
    }

    /// Sets how old usage may be, by marketplace, in place of the [defaults](MarketplaceWindows). Older usage is sent, and is
    /// [late](Receipt::late) in the receipt.
    pub fn marketplace_windows(self, windows: MarketplaceWindows) -> Self {
        Self { windows, ..self }
    }

    /// Rejects usage that is older than its marketplace accepts, before it is sent, unless Suger lists it already. Asks Suger once for each
    /// entitlement with old usage where it is billed; where Suger does not say, or does not know the entitlement, the shortest limit counts. If that
    /// call fails, the report stays unsent.
    pub fn reject_late_usage(self) -> Self {
        Self { rejects_late_usage: true, ..self }
    }

    /// Queues a report, and returns its id. Two reports are the same, and one usage, if they have the same id and quantities: usage of one
    /// entitlement, second and set of dimensions has to be added up, or numbered by [`sequence`](UsageEvent::sequence). A report that is queued
    /// already stays queued once; one that this queue delivered before is sent again, and is then already delivered. Both are counted
    /// as [merged](Receipt::merged) in the receipt.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for what Suger is known to refuse ([`UsageEvent::check`]), and for an id that this queue has sent or queued with
    /// other quantities, or that is used up at Suger: the first report stands, and this one would be ignored.
    pub fn push(&mut self, report: UsageEvent) -> Result<Uuid> {
        report.check()?;
        let id = report.id(&self.client.org_id);
        let fingerprint = report.fingerprint(id);
        let new = Known { fingerprint, state: State::New, failed_in: 0, is_warned: false };
        let known = self.known.entry(id).or_insert(new);
        let reason = match known {
            Known { state: State::IdConsumed, .. } => "the report's id is used up at Suger",
            known if known.fingerprint != fingerprint => "a report with this id has other quantities",
            known => {
                let is_delivered = known.state == State::Delivered;
                if self.queue.insert((report.window(), id), report).is_some() || is_delivered {
                    let merged = self.settled.merged.entry(id).or_default();
                    *merged = merged.saturating_add(1);
                }
                return Ok(id);
            }
        };
        Err(taken(reason, &report, id))
    }

    /// Takes a report out of the queue. If it was not sent, its id is free for other quantities.
    pub fn remove(&mut self, id: Uuid) -> Option<UsageEvent> {
        let place = *self.queue.keys().find(|(_, queued)| *queued == id)?;
        if self.known.get(&id).is_some_and(|known| known.state == State::New) {
            self.known.remove(&id);
        }
        self.settled.merged.remove(&id);
        self.queue.remove(&place)
    }

    /// How many reports are queued.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Sends what is queued, oldest window first, and says what became of each. What failed in earlier flushes comes last, so that it holds up
    /// nothing else.
    ///
    /// Reports whose response got lost are sent again with the same id and the same bytes: by the client's retries, and by the next flush. A future
    /// that is dropped before its end leaves everything that is not settled in the queue; what it had settled is in the receipt of
    /// the next flush. At the end of [`flush_timeout`](Self::flush_timeout) the receipt lists what is not settled as unsent: it stays queued,
    /// and the next flush finds out what arrived.
    pub async fn flush(&mut self) -> Receipt {
        self.flush_until(std::future::pending()).await
    }

    /// Flushes as [`flush`](Self::flush), until `interruption` resolves to the reason for what is not settled by then.
    pub(super) async fn flush_until(&mut self, interruption: impl Future<Output = Error>) -> Receipt {
        self.forget_what_was_pushed_again();
        self.flushes += 1;
        let started = Instant::now();
        let mut reasons = HashMap::new();
        let limit = TimeLimit::new(self.flush_timeout.unwrap_or(Duration::MAX));
        // The interruption first: one that is due already begins nothing.
        let ended_by = match select(pin!(interruption), pin!(limit.run(self.settle(&mut reasons)))).await {
            Either::Left((reason, _)) => Some(reason),
            Either::Right((Some(()), _)) => None,
            Either::Right((None, _)) => {
                Some(limit.exceeded("not confirmed").with_hint("it is still queued: flush again later"))
            }
        };
        if let Some(error) = ended_by {
            for (_, id) in self.queue.keys() {
                reasons.entry(*id).or_insert_with(|| error.clone());
            }
        }
        let receipt = self.receipt(reasons);
        trace::flushed(&receipt, started.elapsed());
        receipt
    }

    /// Hands out what is settled; reports that are queued and have a reason are unsent.
    pub(super) fn receipt(&mut self, mut reasons: HashMap<Uuid, Error>) -> Receipt {
        let mut receipt = std::mem::take(&mut self.settled);
        let now = self.client.clock.now();
        for ((_, id), report) in &self.queue {
            let Some(error) = reasons.remove(id) else { continue };
            trace::unsent(&self.client, report, *id, &error);
            let marketplace = self.marketplaces.get(report.entitlement_id()).and_then(Option::as_ref);
            if let Some(late) = self.windows.check(marketplace, report, *id, now) {
                let known = self.known.get_mut(id);
                if known.is_none_or(|known| !std::mem::replace(&mut known.is_warned, true)) {
                    trace::late(&self.client, &late);
                }
                receipt.late.push(late);
            }
            receipt.unsent.push(UndeliveredEvent { id: *id, report: report.clone(), error });
        }
        receipt
    }

    /// Forgets a report that is not queued: another one with its id is left to Suger to reject.
    pub(super) fn forget(&mut self, id: Uuid) {
        self.known.remove(&id);
        // Entitlements come and go, in a process that runs for months.
        if self.marketplaces.len() > REMEMBERED_ENTITLEMENTS {
            self.marketplaces.clear();
        }
        if self.failed_in.len() > REMEMBERED_ENTITLEMENTS {
            self.failed_in.clear();
        }
    }
}

/// The error of a report whose id cannot be used for it.
pub(super) fn taken(reason: &str, report: &UsageEvent, id: Uuid) -> Error {
    let (entitlement, window) = (printable(report.entitlement_id()), report.window());
    Error::new(ErrorKind::Request, format!("{reason} ({entitlement}, {window}, {id})")).with_hint(MISSING)
}
