//! The queue of events: events are sent concurrently, and the receipt reports the outcome of each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::{Either, select};
use tokio::time::Instant;
use usage_billing_core::{ClientInfo as _, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use super::attempts::MAX_PROCESSING_TIME;
use super::delays::{Delays, FlushScope};
use super::evidence::MISSING;
use super::late_usage::MarketplaceWindows;
use super::proof::undecided;
use super::trace;
use super::tracked_event::{EventState, TrackedEvent};
use crate::suger::types::{NewUsageRecordGroup, Partner};
use crate::suger::{Client, Receipt, UndeliveredEvent, UsageEvent};
use usage_billing_core::__private::TimeLimit;

/// Default number of concurrent requests. Suger publishes no limit.
const CONCURRENCY: usize = 8;

/// Default time limit of a flush. Usage is sent by the hour, so the next flush is due by then.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3600);

/// Maximum number of entitlements that a background sender remembers anything about.
const REMEMBERED_ENTITLEMENTS: usize = 10_000;

/// Position of an event in the queue: the oldest timestamp is first.
pub(super) type QueueKey = (DateTime<Utc>, Uuid);

/// Sends many events concurrently, within the rate limit of the client.
///
/// An event counts as delivered only with proof. The response must return the group that was sent. After any other
/// response (another body, 409, a rejection) the groups of the entitlement are listed, once for all such events, and the
/// list decides. A rejected event is therefore one that Suger does not list, or lists differently, and of which no attempt
/// of this client and its clones can still arrive. An event that the list cannot decide stays queued. So does a
/// rejected event with an attempt that ended less than five minutes ago and may still arrive. Attempts of other
/// processes are not known: see [`after_restart`](Self::after_restart).
///
/// The [`Receipt`] reports the failure of an event, which does not stop the others. A circuit breaker skips an
/// entitlement for the rest of a flush after three consecutive events without a response from Suger, or ten without a
/// response that resolves anything. It skips all entitlements after as many consecutive entitlements that fail in this
/// way. It also does so once the key is rejected, or Suger still responds "too many requests" after all retries.
/// Skipped events stay queued. If lists resolve failures, the same flush sends them for five more minutes, and
/// tolerates twice as many failures each time. Otherwise the next flush sends them before those that failed. The same
/// rules apply to the lookups of a flush.
///
/// Nothing is stored on disk, and nothing is sent on drop. After a crash, push the same events again: their ids are
/// the same, so events that arrived before are already delivered. The queue remembers the id of every event that was
/// pushed, about 80 bytes each, for its whole lifetime.
///
/// ```no_run
/// # use usage_billing::suger::{Client, MarketplaceWindows, UsageEvent};
/// # async fn hourly(client: Client, metered: Vec<UsageEvent>) -> usage_billing::Result<()> {
/// let mut queue = client.usage_queue().concurrency(4).reject_late_usage().marketplace_windows(MarketplaceWindows::default());
/// for event in metered {
///     queue.push(event)?;
/// }
/// let receipt = queue.flush().await;
/// for rejected in &receipt.rejected {
///     eprintln!("not billed: {} {}", rejected.event.entitlement_id(), rejected.error);
/// }
/// // The next flush sends the events that are still queued, with the same ids.
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
    /// Until this time, an attempt of another process to send any of the events may still arrive.
    pub(super) others_arrive_until: Option<Instant>,
    pub(super) windows: MarketplaceWindows,
    pub(super) rejects_late_usage: bool,
    pub(super) queue: BTreeMap<QueueKey, UsageEvent>,
    pub(super) known: HashMap<Uuid, TrackedEvent>,
    /// The last event that passed the validation.
    pub(super) known_valid: Option<NewUsageRecordGroup>,
    /// Marketplaces of the entitlements that were looked up, as far as Suger states them.
    pub(super) marketplaces: HashMap<String, Partner>,
    /// Number of flushes that have started.
    pub(super) flushes: u64,
    /// Number of the last flush in which events of an entitlement were sent or looked up, and none was resolved.
    pub(super) failed_in: HashMap<String, u64>,
    /// Delays of events whose outcome stays open.
    pub(super) delays: Delays,
    /// Events that the current flush does not send because they are too old.
    pub(super) withheld: HashSet<Uuid>,
    /// Outcomes that the next receipt returns.
    pub(super) resolved: Receipt,
}

impl Client {
    /// Returns an empty queue of events.
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
            known_valid: None,
            marketplaces: HashMap::new(),
            flushes: 0,
            failed_in: HashMap::new(),
            delays: Delays::default(),
            withheld: HashSet::new(),
            resolved: Receipt::default(),
        }
    }
}

impl UsageQueue {
    /// Sets the number of concurrent requests. The default is 8; 0 is treated as 1.
    pub fn concurrency(self, requests: usize) -> Self {
        Self { concurrency: requests.max(1), ..self }
    }

    /// Sets the time limit of a flush. The default is an hour; `None` removes the limit. Events that are not confirmed
    /// by then stay queued.
    pub fn flush_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { flush_timeout: limit.into(), ..self }
    }

    /// Validates all events at Suger before any is sent. An event with an unknown dimension or an inactive entitlement
    /// is then rejected; otherwise Suger would store it as `INVALID`, which consumes its id. Events that could not be
    /// validated are not sent.
    pub fn validate_first(self) -> Self {
        Self { validates: true, ..self }
    }

    /// Accepts the response 409 (duplicate id) without a lookup. Such an event is [unverified](Receipt::unverified),
    /// and the receipt is not complete: the group may be `INVALID`, deleted or have other quantities. This saves one
    /// list per entitlement with such an event. Events of which this queue lost a response are still looked up.
    pub fn trust_duplicates_unverified(self) -> Self {
        Self { trusts_duplicates: true, ..self }
    }

    /// Assumes that another process, such as one that crashed, has sent the events until now. For five minutes, an
    /// event that Suger rejects and does not list stays queued, because an attempt of that process may still arrive.
    /// This is for a service, whose later flushes resolve the event; a program that flushes once would never see a
    /// rejection.
    pub fn after_restart(self) -> Self {
        Self { others_arrive_until: Instant::now().checked_add(MAX_PROCESSING_TIME), ..self }
    }

    /// Sets the maximum age of usage by marketplace, in place of the [defaults](MarketplaceWindows). Older usage is
    /// sent, and is [late](Receipt::late) in the receipt.
    pub fn marketplace_windows(self, windows: MarketplaceWindows) -> Self {
        Self { windows, ..self }
    }

    /// Rejects usage that is older than its marketplace accepts, before it is sent, unless Suger already lists it. The
    /// marketplace of each entitlement with old usage is looked up once. Usage is sent if Suger does not state the
    /// marketplace or does not know the entitlement, and usage of Google Cloud, which accepts it later as well, unless
    /// [a limit is set](MarketplaceWindows::with). If the lookup fails, the event stays unsent.
    pub fn reject_late_usage(self) -> Self {
        Self { rejects_late_usage: true, ..self }
    }

    /// Queues an event and returns its id. Events with the same id and quantities are duplicates, and count as one
    /// usage: add up the usage of one entitlement, second and set of dimensions, or number it by
    /// [`sequence`](UsageEvent::sequence).
    ///
    /// A duplicate of a queued event is not queued again. A duplicate of an event that this queue delivered is sent
    /// again, and is then already delivered. The receipt counts both as [merged](Receipt::merged).
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for an event that Suger is known to reject ([`UsageEvent::check`]), and for an id that
    /// this queue has sent or queued with other quantities, or that is used up at Suger. The first event stays; Suger
    /// would ignore this one.
    pub fn push(&mut self, event: UsageEvent) -> Result<Uuid> {
        Ok(self.try_push(event)?)
    }

    /// Queues an event, or returns it with the reason.
    pub(super) fn try_push(&mut self, event: UsageEvent) -> Result<Uuid, UndeliveredEvent> {
        let id = event.id(&self.client.org_id);
        if let Err(error) = event.check() {
            return Err(UndeliveredEvent { id, event, error });
        }
        let fingerprint = event.fingerprint(id);
        let new = TrackedEvent { fingerprint, state: EventState::New, departure: None, failed_in: 0, is_warned: false };
        let known = self.known.entry(id).or_insert(new);
        let reason = match known {
            TrackedEvent { state: EventState::IdConsumed, .. } => "the event's id is used up at Suger",
            known if known.fingerprint != fingerprint => "an event with this id has other quantities",
            known => {
                let is_delivered = known.state == EventState::Delivered;
                if self.queue.insert((event.timestamp(), id), event).is_some() || is_delivered {
                    let merged = self.resolved.merged.entry(id).or_default();
                    *merged = merged.saturating_add(1);
                }
                return Ok(id);
            }
        };
        let error = id_unavailable(reason, &event, id);
        Err(UndeliveredEvent { id, event, error })
    }

    /// Removes an event from the queue and returns it. If neither this queue has sent it, nor an attempt of the client
    /// may still arrive, its id is free for other quantities.
    pub fn remove(&mut self, id: Uuid) -> Option<UsageEvent> {
        let key = *self.queue.keys().find(|(_, queued)| *queued == id)?;
        if self.is_id_free(id) {
            self.known.remove(&id);
        }
        self.resolved.merged.remove(&id);
        self.delays.forget(id);
        self.queue.remove(&key)
    }

    /// Returns whether no attempt of this client to send a queued event is known that may have arrived.
    pub fn is_id_free(&self, id: Uuid) -> bool {
        self.known.get(&id).is_some_and(|known| known.state() == EventState::New) && !self.may_arrive(id)
    }

    /// Returns the number of queued events.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Sends the queued events, oldest timestamp first, and returns the outcome of each. Events that failed in earlier
    /// flushes are sent last, so that they do not delay the others.
    ///
    /// Events whose response was lost are sent again with the same id and the same bytes, by the retries of the client
    /// and by the next flush.
    ///
    /// If the future is dropped, unresolved events stay queued, and the receipt of the next flush contains the
    /// outcomes so far. After [`flush_timeout`](Self::flush_timeout) the receipt lists unresolved events as unsent:
    /// they stay queued, and the next flush determines whether they arrived.
    pub async fn flush(&mut self) -> Receipt {
        self.flush_until(FlushScope::All, std::future::pending()).await
    }

    /// Flushes until `interruption` resolves to the reason for the events that are unresolved by then.
    pub(super) async fn flush_until(
        &mut self,
        scope: FlushScope,
        interruption: impl Future<Output = Error>,
    ) -> Receipt {
        self.forget_requeued();
        self.flushes += 1;
        let started = Instant::now();
        let mut reasons = HashMap::new();
        let limit = TimeLimit::new(self.flush_timeout.unwrap_or(Duration::MAX));
        // The interruption is polled first: if it is due already, no request is sent.
        let ended_by = match select(pin!(interruption), pin!(limit.run(self.resolve(scope, &mut reasons)))).await {
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

    /// Returns the resolved outcomes; queued events with a reason are unsent.
    pub(super) fn receipt(&mut self, mut reasons: HashMap<Uuid, Error>) -> Receipt {
        let mut receipt = std::mem::take(&mut self.resolved);
        let (now, mask) = (self.client.clock.now(), self.client.api.inner().mask());
        for ((_, id), event) in &self.queue {
            // A reason may quote a string of the caller or of Suger.
            let Some(error) = reasons.remove(id).map(|error| undecided(mask(error))) else {
                continue;
            };
            trace::unsent(&self.client, event, *id, &error);
            let marketplace = self.marketplaces.get(event.entitlement_id());
            if let Some(late) = self.windows.check(marketplace, event, *id, now) {
                let known = self.known.get_mut(id);
                if known.is_none_or(|known| !std::mem::replace(&mut known.is_warned, true)) {
                    trace::late(&self.client, &late);
                }
                receipt.late.push(late);
            }
            receipt.unsent.push(UndeliveredEvent { id: *id, event: event.clone(), error });
        }
        receipt
    }

    /// Removes the record of an event that is not queued. Suger then has to reject another event with its id.
    pub(super) fn forget(&mut self, id: Uuid) {
        self.known.remove(&id);
        // The set of entitlements changes in a process that runs for months.
        if self.marketplaces.len() > REMEMBERED_ENTITLEMENTS {
            self.marketplaces.clear();
        }
        if self.failed_in.len() > REMEMBERED_ENTITLEMENTS {
            self.failed_in.clear();
        }
    }
}

/// Returns the error of an event whose id cannot be used.
pub(super) fn id_unavailable(reason: &str, event: &UsageEvent, id: Uuid) -> Error {
    let (entitlement, timestamp) = (printable(event.entitlement_id()), event.timestamp());
    Error::new(ErrorKind::Request, format!("{reason} ({entitlement}, {timestamp}, {id})")).with_hint(MISSING)
}

#[cfg(test)]
mod tests {
    use chrono::SubsecRound;

    use super::*;

    #[test]
    fn entitlements_beyond_the_limit_are_forgotten() {
        let client = Client::builder("acme", "hush").base_url("http://127.0.0.1:1").build().unwrap();
        for (count, left) in [(REMEMBERED_ENTITLEMENTS, REMEMBERED_ENTITLEMENTS), (REMEMBERED_ENTITLEMENTS + 1, 0)] {
            let mut queue = client.usage_queue();
            queue.marketplaces = (0..count).map(|number| (number.to_string(), Partner::Aws)).collect();
            queue.failed_in = (0..count).map(|number| (number.to_string(), 1)).collect();
            queue.forget(Uuid::nil());
            assert_eq!((queue.marketplaces.len(), queue.failed_in.len()), (left, left), "{count}");
        }
    }

    #[test]
    fn reason_that_names_the_key_is_masked() {
        let client = Client::builder("acme", "hush-key-123").base_url("http://127.0.0.1:1").build().unwrap();
        let mut queue = client.usage_queue();
        let id = queue.push(UsageEvent::new("hush-key-123", Utc::now().trunc_subsecs(0)).quantity("gb", 1)).unwrap();
        let reason = Error::new(ErrorKind::Connection, "not sent, after 3 others of hush-key-123 failed");
        let receipt = queue.receipt([(id, reason)].into());
        assert_eq!(receipt.unsent[0].error.to_string(), "not sent, after 3 others of *** failed");
    }
}
