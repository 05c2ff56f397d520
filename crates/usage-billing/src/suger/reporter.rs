//! Many reports: queued, sent several at a time, each to an end that is told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use usage_billing_core::{ClientInfo as _, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use super::delivery::{MISSING, is_refusal, is_there_already, objection, since, unlisted};
use super::patience::Patience;
use super::validation::{self, Verdict};
use super::{Client, Receipt, Undelivered, UsageReport};
use crate::time_limit::TimeLimit;

/// Requests at a time unless set otherwise. Suger publishes no limit.
const CONCURRENCY: usize = 8;

/// Longest time of a flush unless set otherwise: usage is reported by the hour, so the next flush is due.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3600);

/// Where a report stands in the queue: oldest window first.
pub(super) type Place = (DateTime<Utc>, Uuid);

/// Sends many reports, several at a time, within the client's rate limit.
///
/// One report's failure is told in the [`Receipt`] and stops no other one. But an entitlement is left alone for the rest of a flush after three
/// reports in a row without an answer, or ten without one that settles anything; all of them after as many entitlements in a row that fail so,
/// or once the key is refused or Suger says "too many requests" beyond the retries. What is left stays queued.
///
/// It keeps nothing on disk and sends nothing when it is dropped. After a crash, push the same reports again: their ids are the same, so
/// that what arrived before comes back as already delivered. It remembers the id of every report that it was given, some 50 bytes each, for as
/// long as it lives.
#[derive(Debug)]
#[must_use = "nothing is sent until `flush`"]
pub struct Reporter {
    client: Client,
    concurrency: usize,
    flush_timeout: Option<Duration>,
    validates: bool,
    confirms: bool,
    queue: BTreeMap<Place, UsageReport>,
    known: HashMap<Uuid, Known>,
    /// What is settled, until a flush comes to its end and hands it out.
    settled: Receipt,
}

/// A report of which it is yet to be seen whether Suger has it.
type Claim = (Place, Doubt);

enum Doubt {
    /// Suger says that it has the id, from an earlier copy.
    Word,
    /// It says so after an answer of this reporter got lost, which may have been that the copy is `INVALID`.
    Lost,
    /// It refuses the report, but an earlier copy may have arrived.
    Refusal(Error),
}

/// What is remembered of a report.
#[derive(Debug)]
struct Known {
    fingerprint: Uuid,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No copy has gone out.
    New,
    Sent,
    /// Suger has the id, but not as a delivery of the report: as `INVALID`, deleted, or with other quantities.
    Spent,
}

impl Client {
    /// A queue of reports to send.
    pub fn reporter(&self) -> Reporter {
        Reporter {
            client: self.clone(),
            concurrency: CONCURRENCY,
            flush_timeout: Some(FLUSH_TIMEOUT),
            validates: false,
            confirms: false,
            queue: BTreeMap::new(),
            known: HashMap::new(),
            settled: Receipt::default(),
        }
    }
}

impl Reporter {
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

    /// Reads every report back that Suger says it has already: it counts as already delivered only if it is there, not deleted nor `INVALID`, and
    /// with the same quantities. Looks up as well whether a report that is no longer valid had arrived before. Costs a list of the
    /// entitlement's groups for each entitlement with such a report. Without it, only that is read back whose answer this reporter lost.
    pub fn confirm_duplicates(self) -> Self {
        Self { confirms: true, ..self }
    }

    /// Queues a report, and returns its id. A report that is queued already stays queued once; one that was delivered before is sent
    /// again, to be told as already delivered.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for what Suger is known to refuse ([`UsageReport::check`]), and for an id that this reporter has sent or queued with
    /// other quantities, or that is used up at Suger: the first copy stands, and this one would be ignored.
    pub fn push(&mut self, report: UsageReport) -> Result<Uuid> {
        report.check()?;
        let id = report.id(&self.client.org_id);
        let fingerprint = Uuid::new_v5(&id, format!("{:?}", report.quantities()).as_bytes());
        let known = self.known.entry(id).or_insert(Known { fingerprint, state: State::New });
        let taken = match known {
            Known { state: State::Spent, .. } => "the report's id is used up at Suger",
            known if known.fingerprint != fingerprint => "a report with this id has other quantities",
            _ => {
                self.queue.insert((report.window(), id), report);
                return Ok(id);
            }
        };
        let (entitlement, window) = (printable(report.entitlement_id()), report.window());
        Err(Error::new(ErrorKind::Request, format!("{taken} ({entitlement}, {window}, {id})")).with_hint(MISSING))
    }

    /// Takes a report out of the queue. If no copy of it was sent, its id is free for other quantities.
    pub fn remove(&mut self, id: Uuid) -> Option<UsageReport> {
        let place = *self.queue.keys().find(|(_, queued)| *queued == id)?;
        if self.known.get(&id).is_some_and(|known| known.state == State::New) {
            self.known.remove(&id);
        }
        self.queue.remove(&place)
    }

    /// How many reports are queued.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Sends what is queued, oldest window first, and says what became of each.
    ///
    /// Answers that got lost are asked for again with the same id and the same bytes: by the client's retries, and by the next flush. A future
    /// that is dropped before its end leaves everything that is not settled in the queue; what it had settled is in the receipt of
    /// the next flush. At the end of [`flush_timeout`](Self::flush_timeout) the receipt lists what is not settled as unsent: it stays queued,
    /// and the next flush finds out what arrived.
    pub async fn flush(&mut self) -> Receipt {
        self.forget_what_was_pushed_again();
        let mut reasons = HashMap::new();
        let limit = TimeLimit::new(self.flush_timeout.unwrap_or(Duration::MAX));
        if limit.run(self.settle(&mut reasons)).await.is_none() {
            let error = limit.exceeded("not confirmed").with_hint("it is still queued: flush again later");
            for (_, id) in self.queue.keys() {
                reasons.entry(*id).or_insert_with(|| error.clone());
            }
        }
        let mut receipt = std::mem::take(&mut self.settled);
        receipt.unsent = self
            .queue
            .iter()
            .filter_map(|((_, id), report)| {
                Some(Undelivered { id: *id, report: report.clone(), error: reasons.remove(id)? })
            })
            .collect();
        receipt
    }

    async fn settle(&mut self, reasons: &mut HashMap<Uuid, Error>) {
        let mut claimed = if self.validates { self.validate(reasons).await } else { Vec::new() };
        claimed.extend(self.send(reasons).await);
        self.confirm(claimed, reasons).await;
    }

    /// A report that a flush settled before it was dropped, and that was pushed again, is told by what becomes of it now, and not twice.
    fn forget_what_was_pushed_again(&mut self) {
        if self.settled.total() == 0 {
            return;
        }
        let queued: HashSet<Uuid> = self.queue.keys().map(|(_, id)| *id).collect();
        self.settled.delivered.retain(|id| !queued.contains(id));
        self.settled.already_delivered.retain(|id| !queued.contains(id));
        self.settled.rejected.retain(|it| !queued.contains(&it.id));
    }

    /// Rejects what Suger calls invalid; what has a reason afterwards is not to be sent. Returns what is yet to be looked at: an earlier copy
    /// may have arrived while it was valid.
    async fn validate(&mut self, reasons: &mut HashMap<Uuid, Error>) -> Vec<Claim> {
        let verdicts = validation::verdicts(&self.client, self.concurrency, &self.queue).await;
        let mut claimed = Vec::new();
        for (place, verdict) in verdicts {
            match verdict {
                Verdict::Valid => {}
                Verdict::Invalid(error) if self.confirms || self.was_sent(place) => {
                    reasons.insert(place.1, error.clone());
                    claimed.push((place, Doubt::Refusal(error)));
                }
                Verdict::Invalid(error) => self.reject(place, error),
                Verdict::Unknown(error) => _ = reasons.insert(place.1, error),
            }
        }
        claimed
    }

    fn was_sent(&self, place: Place) -> bool {
        self.known.get(&place.1).is_some_and(|known| known.state == State::Sent)
    }

    /// Sends all that has no reason against it. Returns what is yet to be looked at.
    async fn send(&mut self, reasons: &mut HashMap<Uuid, Error>) -> Vec<Claim> {
        let (mut patience, mut claimed) = (Patience::default(), Vec::new());
        let mut calls = FuturesUnordered::new();
        let mut last = Bound::Unbounded;
        loop {
            while calls.len() < self.concurrency
                && let Some((place, report)) = self.queue.range((last, Bound::Unbounded)).next()
            {
                let (place, report) = (*place, report.clone());
                last = Bound::Excluded(place);
                if reasons.contains_key(&place.1) {
                    continue;
                }
                if let Some(reason) = patience.ends(report.entitlement_id()) {
                    reasons.insert(place.1, reason);
                    continue;
                }
                let before = self.known.get_mut(&place.1).map(|known| std::mem::replace(&mut known.state, State::Sent));
                let client = self.client.clone();
                calls.push(async move {
                    let answer = client.send(&report).await;
                    (place, report, before == Some(State::Sent), answer)
                });
            }
            let Some((place, report, sent_before, answer)) = calls.next().await else { return claimed };
            let entitlement_id = report.entitlement_id();
            match answer {
                Ok(_) => {
                    self.queue.remove(&place);
                    self.settled.delivered.push(place.1);
                }
                Err(error) if is_there_already(&error) => {
                    let lost = sent_before || error.attempts() > 1;
                    claimed.push((place, if lost { Doubt::Lost } else { Doubt::Word }));
                }
                Err(error) if !is_refusal(&error) => {
                    patience.failed(entitlement_id, &error);
                    reasons.insert(place.1, error);
                    continue;
                }
                // Stored as INVALID.
                Err(error) if error.kind() == ErrorKind::Failed => self.reject_for_ever(place, error),
                // An earlier copy, whose answer got lost, may have arrived before something changed.
                Err(error) if sent_before || error.attempts() > 1 => claimed.push((place, Doubt::Refusal(error))),
                Err(error) => self.reject(place, error),
            }
            patience.settled(entitlement_id);
        }
    }

    /// Settles what Suger says that it had already, by its word or by reading it back; and what it refused although an earlier copy may have
    /// arrived.
    async fn confirm(&mut self, claimed: Vec<Claim>, reasons: &mut HashMap<Uuid, Error>) {
        let mut by_entitlement: BTreeMap<String, Vec<Claim>> = BTreeMap::new();
        for (place, doubt) in claimed {
            match self.queue.get(&place) {
                Some(report) if self.confirms || !matches!(doubt, Doubt::Word) => {
                    by_entitlement.entry(report.entitlement_id().to_owned()).or_default().push((place, doubt));
                }
                _ => self.settle_as_already_delivered(place),
            }
        }
        for (entitlement_id, claims) in by_entitlement {
            let reports = claims.iter().filter_map(|(place, _)| self.queue.get(place));
            let Some(first) = reports.map(since).min() else { continue };
            let wanted = claims.iter().map(|((_, id), _)| id.to_string()).collect();
            let found = self.client.read_back(&entitlement_id, first, wanted).await;
            for (place, doubt) in claims {
                let Some(report) = self.queue.get(&place) else { continue };
                let id = place.1.to_string();
                match (found.as_ref().map(|found| found.get(&id)), doubt) {
                    (Ok(Some(group)), _) => match objection(report, group) {
                        None => self.settle_as_already_delivered(place),
                        Some(error) => {
                            let error = self.client.api.inner().masked(error);
                            self.reject_for_ever(place, error);
                        }
                    },
                    (Ok(None), Doubt::Refusal(refusal)) => self.reject(place, refusal),
                    // An entitlement that Suger does not know has no groups.
                    (Err(error), Doubt::Refusal(refusal)) if error.status().is_some_and(|status| status == 404) => {
                        self.reject(place, refusal);
                    }
                    (Ok(None), _) => _ = reasons.insert(place.1, unlisted(&id)),
                    (Err(error), _) => _ = reasons.insert(place.1, error.clone()),
                }
            }
        }
    }

    fn settle_as_already_delivered(&mut self, place: Place) {
        self.queue.remove(&place);
        self.settled.already_delivered.push(place.1);
    }

    /// Nothing of the report is at Suger: its id is free for other quantities.
    fn reject(&mut self, place: Place, error: Error) {
        self.known.remove(&place.1);
        self.settle_as_rejected(place, error);
    }

    /// Suger has the id, but not as a delivery of the report.
    fn reject_for_ever(&mut self, place: Place, error: Error) {
        if let Some(known) = self.known.get_mut(&place.1) {
            known.state = State::Spent;
        }
        self.settle_as_rejected(place, error);
    }

    fn settle_as_rejected(&mut self, place: Place, error: Error) {
        let report = self.queue.remove(&place);
        self.settled.rejected.extend(report.map(|report| Undelivered { id: place.1, report, error }));
    }
}
