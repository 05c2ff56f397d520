//! The lookups of a flush: events whose responses did not resolve them are resolved by the lists of their entitlements.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use usage_billing_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::circuit_breaker::CircuitBreaker;
use super::delivery::listed;
use super::dimension_mapping::MappingSettings;
use super::flush::Unconfirmed;
use super::proof::{self, Verdict};
use super::usage_queue::{QueueKey, UsageQueue};
use crate::suger::response::{Response, is_of_suger};
use crate::suger::types::MeteringUsageRecordGroup as Group;
use crate::suger::usage::listed_days;

/// Ids of events that an attempt may still have reached when their list was requested. An attempt that ended while the
/// list was read may belong to a page that was read before.
type IdsInFlight = HashSet<Uuid>;

/// Age from which events are looked up in a list of their own.
const OWN_LIST_AGE: TimeDelta = TimeDelta::days(2);

impl UsageQueue {
    /// Resolves the remaining events by the lists of their entitlements. Lists are read concurrently, and those that
    /// resolved nothing before come last.
    pub(super) async fn confirm(
        &mut self,
        unconfirmed: Vec<Unconfirmed>,
        mut breaker: CircuitBreaker,
        settings: &MappingSettings,
        reasons: &mut HashMap<Uuid, Error>,
    ) {
        // An old event, whose list is long, does not delay the others of its entitlement.
        let old = self.client.clock.now() - OWN_LIST_AGE;
        let mut by_entitlement: BTreeMap<(bool, String), Vec<Unconfirmed>> = BTreeMap::new();
        for (key, response) in unconfirmed {
            if let Some(event) = self.queue.get(&key) {
                let list = (event.timestamp() < old, event.entitlement_id().to_owned());
                by_entitlement.entry(list).or_default().push((key, response));
            }
        }
        let mut by_entitlement: Vec<_> = by_entitlement.into_iter().collect();
        by_entitlement.sort_by_key(|((is_old, id), _)| (*is_old, self.failed_in.get(id).copied().unwrap_or_default()));
        let (mut waiting, mut lists) = (by_entitlement.into_iter(), FuturesUnordered::new());
        loop {
            while lists.len() < self.concurrency
                && let Some(((_, entitlement_id), events)) = waiting.next()
            {
                if let Some(reason) = breaker.rejection_for(&entitlement_id, "not looked up") {
                    self.resolve_by_list(events, &Err(reason), None, reasons);
                    continue;
                }
                let now = self.client.clock.now();
                let days = events.iter().map(|((timestamp, _), _)| listed_days::of_event(*timestamp, now));
                let Some(days) = days.reduce(|(first, last), (one, other)| (first.min(one), last.max(other))) else {
                    continue;
                };
                // This is recorded before the list, which may take the rest of the flush.
                self.failed_in.insert(entitlement_id.clone(), self.flushes);
                let quantities = |key: &QueueKey| self.queue.get(key).map(|event| event.quantities().clone());
                let sent = events.iter().filter_map(|(key, _)| Some((key.1.to_string(), quantities(key)?))).collect();
                let ids = events.iter().map(|((_, id), _)| *id);
                let might_arrive: IdsInFlight = ids.filter(|id| self.may_arrive(*id)).collect();
                let client = self.client.clone();
                lists.push(async move {
                    let found = client.find_groups_of(&entitlement_id, days, &sent, settings).await;
                    (found, entitlement_id, events, might_arrive)
                });
            }
            let Some((found, entitlement_id, events, might_arrive)) = lists.next().await else { return };
            match &found {
                Ok(_) => breaker.record_success(&entitlement_id),
                Err(error) => breaker.record_failure(&entitlement_id, error, is_of_suger(error)),
            }
            self.resolve_by_list(events, &found, Some(&might_arrive), reasons);
        }
    }

    /// Resolves events by a list, or by the reason why it was not requested, without `might_arrive`.
    fn resolve_by_list(
        &mut self,
        events: Vec<Unconfirmed>,
        found: &Result<HashMap<String, Group>>,
        might_arrive: Option<&IdsInFlight>,
        reasons: &mut HashMap<Uuid, Error>,
    ) {
        // Without the list the vendor may be unavailable, unless it has only taken too long.
        let is_looked_up = match found {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::WaitTimeout && might_arrive.is_some(),
        };
        for (key, response) in events {
            let Some(event) = self.queue.get(&key) else { continue };
            let may_arrive = might_arrive.is_some_and(|ids| ids.contains(&key.1)) || self.may_arrive(key.1);
            let listed = listed(found, key.1);
            let verdict = proof::by_list(event, key.1, &response, listed, may_arrive);
            // An event that was skipped was not sent either.
            if let Verdict::Open(error) = &verdict
                && is_looked_up
                && !matches!(response, Response::Inconclusive { .. })
            {
                let is_there =
                    listed.group().is_some() || matches!(response, Response::Conflict { from_suger: true, .. });
                self.delays.record_open(key.1, is_there, error, Instant::now());
            }
            self.resolve_as(key, verdict, listed.group(), reasons);
        }
    }
}
