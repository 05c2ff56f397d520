//! What a flush does with the queue: sends it, and settles what the responses leave open by the entitlements' lists.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};
use tokio::time::Instant;
use usage_billing_core::{ClientInfo as _, Error, Result};
use uuid::Uuid;

use super::circuit_breaker::CircuitBreaker;
use super::delivery::listed;
use super::late_usage::age;
use super::proof::{self, Verdict};
use super::response::{Response, is_of_suger};
use super::types::MeteringUsageRecordGroup as Group;
use super::usage_queue::{Place, State, UsageQueue};
use super::validation::{self, Check};
use super::{UndeliveredEvent, UsageEvent, listed_days, trace};

/// A report whose response did not settle it: the list decides.
type Unconfirmed = (Place, Response);

impl UsageQueue {
    /// Settles what can be settled; what stays queued has a reason afterwards.
    pub(super) async fn settle(&mut self, reasons: &mut HashMap<Uuid, Error>) {
        let mut unconfirmed = Vec::new();
        if self.rejects_late_usage {
            self.withhold_late_usage(&mut unconfirmed, reasons).await;
        }
        if self.validates {
            self.validate(&mut unconfirmed, reasons).await;
        }
        let breaker = self.send(&mut unconfirmed, reasons).await;
        self.confirm(unconfirmed, breaker.of_next_step(), reasons).await;
    }

    /// A report that a flush settled before it was dropped, and that was pushed again, is told by what becomes of it now, and not twice.
    pub(super) fn forget_what_was_pushed_again(&mut self) {
        if self.settled.total() == 0 {
            return;
        }
        let queued: HashSet<Uuid> = self.queue.keys().map(|(_, id)| *id).collect();
        self.settled.retain(|id| !queued.contains(id));
    }

    /// Finds usage that is too old for its marketplace. It is not sent; the list tells whether it arrived before.
    async fn withhold_late_usage(&mut self, unconfirmed: &mut Vec<Unconfirmed>, reasons: &mut HashMap<Uuid, Error>) {
        let Some(shortest) = self.windows.shortest() else { return };
        let now = self.client.clock.now();
        let old: Vec<_> = self.queue.iter().filter(|(_, report)| age(report, now) >= shortest).collect();
        let entitlements: BTreeSet<_> = old.iter().map(|(_, report)| report.entitlement_id()).collect();
        let unknown: Vec<_> = entitlements
            .into_iter()
            .filter(|id| !self.marketplaces.contains_key(*id))
            .map(|id| (self.client.clone(), id.to_owned()))
            .collect();
        let asked = stream::iter(unknown).map(|(client, id)| async move { (client.marketplace_of(&id).await, id) });
        let answers: Vec<_> = asked.buffer_unordered(self.concurrency).collect().await;
        let mut failures = HashMap::new();
        for (outcome, entitlement_id) in answers {
            match outcome {
                Ok(marketplace) => _ = self.marketplaces.insert(entitlement_id, marketplace),
                Err(error) => _ = failures.insert(entitlement_id, error),
            }
        }
        for (place, report) in old {
            if let Some(error) = failures.get(report.entitlement_id()) {
                let message = format!("not sent, because its marketplace could not be found out: {error}");
                reasons.insert(place.1, Error::new(error.kind(), message).with_source(error.clone()));
            } else if let Some(marketplace) = self.marketplaces.get(report.entitlement_id())
                && let Some(late) = self.windows.check(marketplace.as_ref(), report, place.1, now)
            {
                reasons.insert(place.1, late.error());
                unconfirmed.push((*place, Response::Withheld(late.error())));
            }
        }
    }

    /// Finds what Suger calls invalid; what has a reason afterwards is not to be sent. It may have arrived while it was valid.
    async fn validate(&mut self, unconfirmed: &mut Vec<Unconfirmed>, reasons: &mut HashMap<Uuid, Error>) {
        let reports = self.queue.iter().filter(|((_, id), _)| !reasons.contains_key(id));
        for (place, check) in validation::check_all(&self.client, self.concurrency, reports).await {
            match check {
                Check::Valid => {}
                Check::Invalid(error) => {
                    reasons.insert(place.1, error.clone());
                    unconfirmed.push((place, Response::Withheld(error)));
                }
                Check::Unknown(error) => _ = reasons.insert(place.1, error),
            }
        }
    }

    /// Returns the queue in the order in which it is sent: oldest window first, but after all others what failed in earlier flushes, entitlement by
    /// entitlement and report by report. Where the same ones fail again and again, the others have their turn before the flush is ended.
    fn sending_order(&self) -> Vec<Place> {
        let in_turn = |(place, report): (&Place, &UsageEvent)| {
            let of_entitlement = self.failed_in.get(report.entitlement_id()).copied().unwrap_or_default();
            let of_report = self.known.get(&place.1).map_or(0, |known| known.failed_in);
            (of_entitlement, of_report, *place)
        };
        let mut order: Vec<_> = self.queue.iter().map(in_turn).collect();
        order.sort_unstable();
        order.into_iter().map(|(.., place)| place).collect()
    }

    /// Sends all that has no reason against it.
    async fn send(&mut self, unconfirmed: &mut Vec<Unconfirmed>, reasons: &mut HashMap<Uuid, Error>) -> CircuitBreaker {
        let mut breaker = CircuitBreaker::default();
        let mut calls = FuturesUnordered::new();
        let mut order = self.sending_order().into_iter();
        loop {
            while calls.len() < self.concurrency
                && let Some(place) = order.next()
            {
                let Some(report) = self.queue.get(&place).filter(|_| !reasons.contains_key(&place.1)) else { continue };
                if let Some(reason) = breaker.ends(report.entitlement_id(), "not sent") {
                    reasons.insert(place.1, reason);
                    continue;
                }
                let known = self.known.get_mut(&place.1);
                let before = known.map_or(State::New, |known| std::mem::replace(&mut known.state, State::Sent));
                let (client, report) = (self.client.clone(), report.clone());
                calls.push(async move {
                    let response = client.send(&report, place.1).await;
                    (place, report, before, response)
                });
            }
            let Some((place, report, before, response)) = calls.next().await else { return breaker };
            let verdict = proof::by_response(&report, place.1, &response);
            // Whether Suger itself said something, and why that does not settle the report.
            let failure = match (&verdict, &response) {
                (_, Response::Nothing { error, from_suger }) => Some((error.clone(), *from_suger)),
                (_, Response::Unreadable(error)) => Some((error.clone(), false)),
                (None, Response::Group(group)) => {
                    Some((self.client.api.inner().masked(proof::unproved(&report, place.1, group)), true))
                }
                (
                    _,
                    Response::Conflict { error, from_suger: false } | Response::Rejection { error, from_suger: false },
                ) => Some((error.clone(), false)),
                _ => None,
            };
            match failure {
                Some((error, answered)) => {
                    breaker.failed(report.entitlement_id(), &error, answered);
                    self.failed_in.insert(report.entitlement_id().to_owned(), self.flushes);
                    if let Some(known) = self.known.get_mut(&place.1) {
                        known.failed_in = self.flushes;
                    }
                }
                None => breaker.settled(report.entitlement_id()),
            }
            match (verdict, response) {
                (Some(verdict), Response::Group(group)) => self.settle_as(place, verdict, Some(&group), reasons),
                (Some(verdict), _) => self.settle_as(place, verdict, None, reasons),
                (None, Response::Conflict { error, from_suger: true })
                    if self.trusts_duplicates && before == State::New && !error.may_have_arrived() =>
                {
                    trace::unverified(&self.client, &report, place.1);
                    self.note_late_usage(place, None);
                    self.settle_as_delivered(place);
                    self.settled.unverified.push(place.1);
                }
                (None, response) => unconfirmed.push((place, response)),
            }
        }
    }

    /// Settles by the entitlements' lists what the responses left open: several lists at a time, those last that settled nothing before.
    async fn confirm(
        &mut self,
        unconfirmed: Vec<Unconfirmed>,
        mut breaker: CircuitBreaker,
        reasons: &mut HashMap<Uuid, Error>,
    ) {
        let mut by_entitlement: BTreeMap<String, Vec<Unconfirmed>> = BTreeMap::new();
        for (place, response) in unconfirmed {
            if let Some(report) = self.queue.get(&place) {
                by_entitlement.entry(report.entitlement_id().to_owned()).or_default().push((place, response));
            }
        }
        let mut by_entitlement: Vec<_> = by_entitlement.into_iter().collect();
        by_entitlement.sort_by_key(|(id, _)| self.failed_in.get(id).copied().unwrap_or_default());
        let (mut waiting, mut lists) = (by_entitlement.into_iter(), FuturesUnordered::new());
        loop {
            while lists.len() < self.concurrency
                && let Some((entitlement_id, reports)) = waiting.next()
            {
                if let Some(reason) = breaker.ends(&entitlement_id, "not looked up") {
                    self.settle_by_list(reports, &Err(reason), reasons);
                    continue;
                }
                let now = self.client.clock.now();
                let days = reports.iter().map(|((window, _), _)| listed_days::of_report(*window, now));
                let Some(days) = days.reduce(|(first, last), (one, other)| (first.min(one), last.max(other))) else {
                    continue;
                };
                // Before the list, which may take the rest of the flush.
                self.failed_in.insert(entitlement_id.clone(), self.flushes);
                let wanted = reports.iter().map(|((_, id), _)| id.to_string()).collect();
                let client = self.client.clone();
                lists.push(async move {
                    let found = client.read_back(&entitlement_id, days, wanted).await;
                    (found, entitlement_id, reports)
                });
            }
            let Some((found, entitlement_id, reports)) = lists.next().await else { return };
            match &found {
                Ok(_) => breaker.settled(&entitlement_id),
                Err(error) => breaker.failed(&entitlement_id, error, is_of_suger(error)),
            }
            self.settle_by_list(reports, &found, reasons);
        }
    }

    fn settle_by_list(
        &mut self,
        reports: Vec<Unconfirmed>,
        found: &Result<HashMap<String, Group>>,
        reasons: &mut HashMap<Uuid, Error>,
    ) {
        let others_may_arrive = self.others_arrive_until.is_some_and(|end| Instant::now() < end);
        for (place, response) in reports {
            let Some(report) = self.queue.get(&place) else { continue };
            let may_arrive = others_may_arrive || self.client.doubts.hold(place.1);
            let verdict = proof::by_list(report, place.1, &response, listed(found, place.1), may_arrive);
            let group = found.as_ref().ok().and_then(|found| found.get(&place.1.to_string()));
            self.settle_as(place, verdict, group, reasons);
        }
    }

    fn settle_as(&mut self, place: Place, verdict: Verdict, group: Option<&Group>, reasons: &mut HashMap<Uuid, Error>) {
        // What stays queued is traced with its last reason, at the end of the flush.
        if let Some(report) = self.queue.get(&place).filter(|_| !matches!(verdict, Verdict::Open(_))) {
            trace::verdict(&self.client, report, place.1, &verdict);
        }
        match verdict {
            Verdict::Delivered => {
                self.note_late_usage(place, group);
                self.settle_as_delivered(place);
                self.settled.delivered.push(place.1);
            }
            Verdict::DeliveredBefore => {
                self.note_late_usage(place, group);
                self.settle_as_delivered(place);
                self.settled.already_delivered.push(place.1);
            }
            // Its id is free for other quantities.
            Verdict::Rejected(error) => {
                self.known.remove(&place.1);
                self.settle_as_rejected(place, self.client.api.inner().masked(error));
            }
            Verdict::IdUsedUp(error) => {
                if let Some(known) = self.known.get_mut(&place.1) {
                    known.state = State::IdConsumed;
                }
                self.settle_as_rejected(place, self.client.api.inner().masked(error));
            }
            Verdict::Open(error) => _ = reasons.insert(place.1, self.client.api.inner().masked(error)),
        }
    }

    fn settle_as_delivered(&mut self, place: Place) {
        self.take_out(place);
        if let Some(known) = self.known.get_mut(&place.1) {
            known.state = State::Delivered;
        }
    }

    /// Takes a report out of the queue that is settled: its entitlement is not one that fails.
    fn take_out(&mut self, place: Place) -> Option<UsageEvent> {
        let report = self.queue.remove(&place)?;
        self.failed_in.remove(report.entitlement_id());
        Some(report)
    }

    fn settle_as_rejected(&mut self, place: Place, error: Error) {
        let report = self.take_out(place);
        self.settled.rejected.extend(report.map(|report| UndeliveredEvent { id: place.1, report, error }));
    }

    /// Notes a report whose usage came too late for its marketplace: by its group, or now if there is none to look at.
    fn note_late_usage(&mut self, place: Place, group: Option<&Group>) {
        let Some(report) = self.queue.get(&place) else { return };
        let marketplace = self.marketplaces.get(report.entitlement_id()).and_then(Option::as_ref);
        let now = self.client.clock.now();
        let late = match group {
            Some(group) => self.windows.check_group(report, place.1, group, marketplace, now),
            None => self.windows.check(marketplace, report, place.1, now),
        };
        if let Some(late) = late {
            trace::late(&self.client, &late);
            self.settled.late.push(late);
        }
    }
}
