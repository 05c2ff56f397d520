//! The steps of a flush: it sends the queue, and resolves the remaining events by the lists of their entitlements.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use usage_billing_core::__private::Departure;
use usage_billing_core::{ClientInfo as _, Error};
use uuid::Uuid;

use super::circuit_breaker::{CircuitBreaker, Tolerance};
use super::delays::FlushScope;
use super::dimension_mapping::MappingSettings;
use super::late_usage::age;
use super::proof;
use super::trace;
use super::tracked_event::EventState;
use super::usage_queue::{QueueKey, UsageQueue};
use super::validation::{self, Check};
use crate::suger::UsageEvent;
use crate::suger::response::{Response, is_of_suger};

/// An event whose response did not resolve it, so that the list decides.
pub(super) type Unconfirmed = (QueueKey, Response);

/// How long a flush sends events that it has skipped, once lists resolve the failures before them. The others are sent by
/// the next flush, and do not delay new ones.
const REPEAT_TIME: Duration = Duration::from_secs(300);

/// The events of a flush by their treatment by the circuit breaker.
struct SendOutcome {
    breaker: CircuitBreaker,
    /// Events that count as failures.
    failed: Vec<QueueKey>,
    skipped: Vec<QueueKey>,
}

impl UsageQueue {
    /// Resolves the events in scope. Those that stay queued then have a reason.
    pub(super) async fn resolve(&mut self, scope: FlushScope, reasons: &mut HashMap<Uuid, Error>) {
        if scope == FlushScope::Delayed {
            reasons.extend(self.delays.reasons(Instant::now()));
        }
        let mut unconfirmed = Vec::new();
        if self.rejects_late_usage {
            self.withhold_late_usage(&mut unconfirmed, reasons).await;
        }
        if self.validates {
            self.validate(&mut unconfirmed, reasons).await;
        }
        let settings = MappingSettings::default();
        let mut to_send: Vec<_> = self.queue.keys().filter(|(_, id)| !reasons.contains_key(id)).copied().collect();
        let (mut tolerance, mut until) = (Tolerance::default(), None);
        loop {
            self.sort_for_sending(&mut to_send);
            let SendOutcome { breaker, failed, skipped } =
                self.send(to_send, CircuitBreaker::new(tolerance), until, &mut unconfirmed, reasons).await;
            self.look_up_skipped(&skipped, &mut unconfirmed, reasons);
            self.confirm(std::mem::take(&mut unconfirmed), breaker.for_lookups(), &settings, reasons).await;
            // If lists resolved failures, the vendor is available, and the skipped events are sent.
            let has_resolved = failed.iter().any(|key| !self.queue.contains_key(key));
            if skipped.is_empty() || !has_resolved || until.is_some_and(|until| until <= Instant::now()) {
                return;
            }
            tolerance = tolerance.doubled();
            until = until.or_else(|| Instant::now().checked_add(REPEAT_TIME));
            to_send = skipped;
        }
    }

    /// Adds the skipped events of entitlements whose lists are read anyway.
    fn look_up_skipped(
        &self,
        skipped: &[QueueKey],
        unconfirmed: &mut Vec<Unconfirmed>,
        reasons: &HashMap<Uuid, Error>,
    ) {
        let entitlement = |key: &QueueKey| self.queue.get(key).map(UsageEvent::entitlement_id);
        let listed: HashSet<_> = unconfirmed.iter().filter_map(|(key, _)| entitlement(key)).collect();
        let are_listed = skipped.iter().filter(|key| entitlement(key).is_some_and(|id| listed.contains(id)));
        let looked_up: Vec<_> = are_listed.filter_map(|key| Some((*key, reasons.get(&key.1)?.clone()))).collect();
        let response = |error| Response::Inconclusive { error, from_suger: false };
        unconfirmed.extend(looked_up.into_iter().map(|(key, error)| (key, response(error))));
    }

    /// Removes earlier outcomes of events that were pushed again after a dropped flush: the next receipt contains only
    /// their new outcome. A rejection stays if the event was pushed again with other quantities.
    pub(super) fn forget_requeued(&mut self) {
        if self.resolved.total() == 0 {
            return;
        }
        let queued: HashMap<Uuid, &UsageEvent> = self.queue.iter().map(|((_, id), event)| (*id, event)).collect();
        self.resolved.remove_replaced(|id, event| {
            queued.get(&id).is_some_and(|queued| event.is_none_or(|event| event == *queued))
        });
    }

    /// Withholds usage that is too old for its marketplace. The list decides whether it arrived before.
    async fn withhold_late_usage(&mut self, unconfirmed: &mut Vec<Unconfirmed>, reasons: &mut HashMap<Uuid, Error>) {
        let Some(shortest) = self.windows.shortest_strict() else { return };
        let now = self.client.clock.now();
        let is_old =
            |(key, event): &(&QueueKey, &UsageEvent)| age(event, now) >= shortest && !reasons.contains_key(&key.1);
        let old: Vec<_> = self.queue.iter().filter(is_old).collect();
        let entitlements: BTreeSet<_> = old.iter().map(|(_, event)| event.entitlement_id()).collect();
        let mut unknown = entitlements.into_iter().filter(|id| !self.marketplaces.contains_key(*id));
        let client = &self.client;
        let (mut breaker, mut lookups) = (CircuitBreaker::default(), FuturesUnordered::new());
        let (mut found, mut failures) = (Vec::new(), HashMap::new());
        loop {
            while lookups.len() < self.concurrency
                && let Some(id) = unknown.next()
            {
                match breaker.rejection_for(id, "not looked up") {
                    Some(reason) => _ = failures.insert(id, reason),
                    None => lookups.push(async move { (client.marketplace_of(id).await, id) }),
                }
            }
            let Some((outcome, id)) = lookups.next().await else { break };
            match outcome {
                Ok(marketplace) => {
                    breaker.record_success(id);
                    // An entitlement that Suger does not know yet is looked up again by the next flush.
                    found.extend(marketplace.map(|marketplace| (id.to_owned(), marketplace)));
                }
                Err(error) => {
                    breaker.record_failure(id, &error, is_of_suger(&error));
                    failures.insert(id, error);
                }
            }
        }
        drop(lookups);
        self.marketplaces.extend(found);
        self.withheld.clear();
        for (key, event) in old {
            if let Some(error) = failures.get(event.entitlement_id()) {
                let message = format!("not sent, because its marketplace could not be looked up: {error}");
                reasons.insert(key.1, Error::new(error.kind(), message).with_source(error.clone()));
                continue;
            }
            let marketplace = self.marketplaces.get(event.entitlement_id());
            if self.windows.is_strict(marketplace)
                && let Some(late) = self.windows.check(marketplace, event, key.1, now)
            {
                reasons.insert(key.1, late.error());
                self.withheld.insert(key.1);
                unconfirmed.push((*key, Response::Withheld(late.error())));
            }
        }
    }

    /// Validates the queue at Suger. Events with a reason afterwards are not sent; an invalid one may have arrived
    /// while it was valid.
    async fn validate(&mut self, unconfirmed: &mut Vec<Unconfirmed>, reasons: &mut HashMap<Uuid, Error>) {
        let events = self.queue.iter().filter(|((_, id), _)| !reasons.contains_key(id));
        for (key, check) in validation::check_all(&self.client, self.concurrency, events, &mut self.known_valid).await {
            match check {
                Check::Valid => {}
                Check::Invalid(error) => {
                    reasons.insert(key.1, error.clone());
                    unconfirmed.push((key, Response::Withheld(error)));
                }
                Check::Unknown(error) => _ = reasons.insert(key.1, error),
            }
        }
    }

    /// Sorts events by their timestamps, and those that failed in earlier flushes, or whose entitlement did, last. If the
    /// same ones fail repeatedly, the others are sent before the breaker opens.
    fn sort_for_sending(&self, keys: &mut [QueueKey]) {
        keys.sort_by_cached_key(|key| {
            let entitlement = self.queue.get(key).map(UsageEvent::entitlement_id);
            let of_entitlement = entitlement.and_then(|id| self.failed_in.get(id)).copied().unwrap_or_default();
            let of_event = self.known.get(&key.1).map_or(0, |known| known.failed_in);
            (of_entitlement, of_event, *key)
        });
    }

    /// Sends events, and starts with none after `until`. Those that the circuit breaker skips keep the reason, and so do
    /// those that were skipped before and are not reached.
    async fn send(
        &mut self,
        keys: Vec<QueueKey>,
        mut breaker: CircuitBreaker,
        until: Option<Instant>,
        unconfirmed: &mut Vec<Unconfirmed>,
        reasons: &mut HashMap<Uuid, Error>,
    ) -> SendOutcome {
        let (mut failed, mut skipped) = (Vec::new(), Vec::new());
        let mut calls = FuturesUnordered::new();
        let mut keys = keys.into_iter();
        loop {
            while calls.len() < self.concurrency
                && until.is_none_or(|until| Instant::now() < until)
                && let Some(key) = keys.next()
            {
                let Some(event) = self.queue.get(&key) else { continue };
                if let Some(reason) = breaker.rejection_for(event.entitlement_id(), "not sent") {
                    reasons.insert(key.1, reason);
                    skipped.push(key);
                    continue;
                }
                reasons.remove(&key.1);
                let departure = Departure::default();
                let mut before = EventState::New;
                if let Some(known) = self.known.get_mut(&key.1) {
                    known.state = known.state();
                    known.departure = Some(departure.clone());
                    before = known.state;
                }
                let (client, event) = (self.client.clone(), event.clone());
                calls.push(async move {
                    let response = client.send(&event, key.1, departure).await;
                    (key, event, before, response)
                });
            }
            let Some((key, event, before, response)) = calls.next().await else {
                return SendOutcome { breaker, failed, skipped };
            };
            if let Some(known) = self.known.get_mut(&key.1) {
                known.departure = None;
                known.state = if response.was_sent() { EventState::Sent } else { before };
            }
            let verdict = proof::by_response(&event, key.1, &response);
            // The error that leaves the event unresolved, and whether Suger itself responded.
            let failure = match (&verdict, &response) {
                (_, Response::Inconclusive { error, from_suger }) => Some((error.clone(), *from_suger)),
                (_, Response::Unreadable(error)) => Some((error.clone(), false)),
                (None, Response::Group(group)) => {
                    Some((self.client.api.inner().masked(proof::unproved(&event, key.1, group)), true))
                }
                // A conflict in any format does not count as a failure: the list decides about its event.
                (_, Response::Rejection { error, from_suger: false }) => Some((error.clone(), false)),
                _ => None,
            };
            match failure {
                Some((error, has_response)) => {
                    breaker.record_failure(event.entitlement_id(), &error, has_response);
                    failed.push(key);
                    self.failed_in.insert(event.entitlement_id().to_owned(), self.flushes);
                    if let Some(known) = self.known.get_mut(&key.1) {
                        known.failed_in = self.flushes;
                    }
                }
                None => breaker.record_success(event.entitlement_id()),
            }
            match (verdict, response) {
                (Some(verdict), Response::Group(group)) => self.resolve_as(key, verdict, Some(&group), reasons),
                (Some(verdict), _) => self.resolve_as(key, verdict, None, reasons),
                (None, Response::Conflict { error, from_suger: true })
                    if self.trusts_duplicates && before == EventState::New && !error.may_have_arrived() =>
                {
                    trace::unverified(&self.client, &event, key.1);
                    self.note_late_usage(key, None);
                    self.resolve_as_delivered(key);
                    self.resolved.unverified.push(key.1);
                }
                (None, response) => unconfirmed.push((key, response)),
            }
        }
    }

    /// Returns whether an attempt to send an event may still arrive.
    pub(super) fn may_arrive(&self, id: Uuid) -> bool {
        let others_may_arrive = self.others_arrive_until.is_some_and(|end| Instant::now() < end);
        others_may_arrive || self.client.attempts.may_arrive(id)
    }
}

#[cfg(test)]
mod tests {
    use usage_billing_core::ErrorKind;

    use super::*;
    use crate::suger::{Client, UndeliveredEvent};

    #[test]
    fn rejection_stays_if_other_quantities_are_pushed_with_its_id() {
        let client = Client::builder("acme", "hush").base_url("http://127.0.0.1:1").build().unwrap();
        let event = |gb: i64| UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", gb);
        for (pushed, left) in [(5, 0), (6, 1)] {
            let mut queue = client.usage_queue();
            let id = event(5).id("acme");
            let error = Error::new(ErrorKind::Api, "no");
            queue.resolved.rejected.push(UndeliveredEvent { id, event: event(5), error });
            assert_eq!(queue.push(event(pushed)).unwrap(), id);
            queue.forget_requeued();
            assert_eq!(queue.resolved.rejected.len(), left, "{pushed}");
        }
    }
}
