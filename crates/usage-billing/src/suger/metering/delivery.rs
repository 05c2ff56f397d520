//! Delivery of one event: sent with its id, recognized as a duplicate, and counted as delivered only with proof.

use std::collections::{BTreeMap, HashMap, HashSet};

use usage_billing_core::__private::Departure;
use usage_billing_core::{ClientInfo as _, Decimal, Error, ResponseValue, Result, printable};
use uuid::Uuid;

use super::dimension_mapping::MappingSettings;
use super::evidence::{Evidence, evidence};
use super::proof::{self, ListEntry, Verdict};
use super::trace;
use crate::rows::canonical_id::canonical_id;
use crate::suger::response::Response;
use crate::suger::types::MeteringUsageRecordGroup as Group;
use crate::suger::usage::listed_days;
use crate::suger::usage::listed_days::ListedDays;
use crate::suger::{Client, MarketplaceWindows, UsageEvent};

/// The outcome of a delivered event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// Suger stored the event and returned the group that was sent. It is at the marketplace once the status of the
    /// group is `REPORTED`, an hour or so later.
    Delivered(Box<Group>),
    /// Suger lists the event under this id, with the same quantities and a status on the way to the marketplace. It
    /// arrived before, or its response did not prove the delivery.
    AlreadyDelivered(Uuid),
}

impl Client {
    /// Sends an event. A repeated call does not bill the usage twice, also from another process, because Suger
    /// recognizes the [`id`](UsageEvent::id). The event counts as delivered only if the response returns the group
    /// that was sent, or Suger lists that group for the entitlement.
    ///
    /// Usage that is older than its marketplace accepts ([`MarketplaceWindows`]) is sent, with a warning in the trace.
    /// A [`UsageQueue`](crate::suger::UsageQueue) can have other limits, and reject such usage.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`](crate::ErrorKind::Request) for an event that Suger is known to reject
    ///   ([`UsageEvent::check`]). Nothing was sent.
    /// - [`ErrorKind::Failed`](crate::ErrorKind::Failed) if Suger has the id, but as `INVALID` (an unknown dimension,
    ///   an inactive entitlement), deleted or with other quantities. The event will never be billed as it was sent,
    ///   and its id is used up.
    /// - [`ErrorKind::Api`](crate::ErrorKind::Api) with the message of Suger and a 4xx status, such as 404 for an
    ///   unknown entitlement. Suger rejected the event and does not list it, and no attempt of this client can still
    ///   arrive.
    /// - [`ErrorKind::NotReady`](crate::ErrorKind::NotReady) and all other kinds: the outcome is unknown. Never send
    ///   the usage under another sequence then. Call again with the same event in some minutes. An event whose group
    ///   Suger could not report to the marketplace (`REPORT_FAILED`) is [requeued](Self::retry_group) first.
    pub async fn send_usage(&self, event: &UsageEvent) -> Result<Delivery> {
        event.check()?;
        let id = event.id(&self.org_id);
        let response = self.send(event, id, Departure::default()).await;
        let verdict = match proof::by_response(event, id, &response) {
            Some(verdict) => verdict,
            None => {
                // An attempt that ends while the list is read may belong to a page that was read before.
                let might_arrive = self.attempts.may_arrive(id);
                let found = self.find_sent(event, id).await;
                let may_arrive = might_arrive || self.attempts.may_arrive(id);
                let listed = listed(&found, id);
                let verdict = proof::by_list(event, id, &response, listed, may_arrive);
                if let (Verdict::DeliveredBefore, Some(group)) = (&verdict, listed.group()) {
                    self.warn_if_late(event, id, group);
                }
                verdict
            }
        };
        trace::verdict(self, event, id, &verdict);
        match (verdict, response) {
            (Verdict::Delivered, Response::Group(group)) => {
                self.warn_if_late(event, id, &group);
                Ok(Delivery::Delivered(group))
            }
            (Verdict::Delivered | Verdict::DeliveredBefore, _) => Ok(Delivery::AlreadyDelivered(id)),
            (Verdict::Rejected(error) | Verdict::IdConsumed(error) | Verdict::Open(error), _) => {
                Err(self.api.inner().masked(error))
            }
        }
    }

    fn warn_if_late(&self, event: &UsageEvent, id: Uuid, group: &Group) {
        let late = MarketplaceWindows::default().check_group(event, id, group, None, self.clock.now());
        late.iter().for_each(|late| trace::late(self, late));
    }

    /// Sends an event that was validated. `departure` states whether the request may have left this process, also if the
    /// future is dropped.
    pub(super) async fn send(&self, event: &UsageEvent, id: Uuid, departure: Departure) -> Response {
        let attempt = self.attempts.begin(id, departure.clone());
        let request = self.api.report_usage_record_group().org_id(&self.org_id).entitlement_id(event.entitlement_id());
        let outcome = departure.watch(request.body(event.body_with_id(&self.org_id, id)).send()).await;
        let outcome = outcome.map(ResponseValue::into_inner);
        let is_missing = |error: &Error| error.status().is_some_and(|status| status == 404);
        let response = Response::from(outcome.map_err(|error| match is_missing(&error) {
            // The message omits the organization's id: a caller may have passed the key in its place.
            true => error.with_hint(format!(
                "check that entitlement {} belongs to the organization of the client",
                printable(event.entitlement_id())
            )),
            false => error,
        }));
        attempt.end(&response);
        response
    }

    /// Looks up the group of an event and compares it with the event. Suger has no call for one group, so the groups
    /// of the entitlement are listed until it is found. The list begins a day before the timestamp, or 31 days before
    /// today if the timestamp is in the future. It ends a day after the later of the timestamp and today.
    ///
    /// # Errors
    /// - [`ErrorKind::Failed`](crate::ErrorKind::Failed) if Suger lists the group as `INVALID` or `DELETED`, or with
    ///   other quantities, which the error names.
    /// - [`ErrorKind::NotReady`](crate::ErrorKind::NotReady) if Suger lists no such group, lists it as
    ///   `REPORT_FAILED`, or as one that neither proves nor contradicts the event.
    /// - [`ErrorKind::WaitTimeout`](crate::ErrorKind::WaitTimeout) if the list is not read [in time](Self::with_list_timeout).
    /// - Other kinds as returned by the list call, but `NotReady` in place of `Api` and `Decode`: a list that cannot be read proves
    ///   nothing.
    pub async fn confirm(&self, event: &UsageEvent) -> Result<Group> {
        let id = event.id(&self.org_id);
        let found = self.find_sent(event, id).await;
        let group = found.map_err(proof::undecided)?.remove(&id.to_string()).ok_or_else(|| proof::unlisted(id))?;
        match evidence(event, id, &group) {
            Evidence::Delivered => Ok(group),
            Evidence::Contradicted(error) => Err(self.api.inner().masked(error)),
            Evidence::Unclear(error) => Err(self.api.inner().masked(proof::undecided(error))),
        }
    }

    async fn find_sent(&self, event: &UsageEvent, id: Uuid) -> Result<HashMap<String, Group>> {
        let days = listed_days::of_event(event.timestamp(), self.clock.now());
        let sent = [(id.to_string(), event.quantities().clone())].into();
        self.find_groups_of(event.entitlement_id(), days, &sent, &MappingSettings::default()).await
    }

    /// Returns the groups of events by id, as far as they are listed for an entitlement and some days, with their original
    /// quantities where those matter and are known. `sent` are the quantities of the events.
    pub(super) async fn find_groups_of(
        &self,
        entitlement_id: &str,
        days: ListedDays,
        sent: &HashMap<String, BTreeMap<String, Decimal>>,
        settings: &MappingSettings,
    ) -> Result<HashMap<String, Group>> {
        let mut found = self.find_groups(entitlement_id, days, sent.keys().cloned().collect()).await?;
        settings.state_original_records(self, &mut found, sent).await;
        Ok(found)
    }

    /// Returns the wanted groups by their ids in [canonical spelling](canonical_id), as far as they are listed for an
    /// entitlement and some days.
    pub(super) async fn find_groups(
        &self,
        entitlement_id: &str,
        (first, last): ListedDays,
        mut wanted: HashSet<String>,
    ) -> Result<HashMap<String, Group>> {
        let entitlement_id = entitlement_id.to_owned();
        let mut groups = self.usage_record_groups(move |request| {
            request.entitlement_id(entitlement_id.clone()).start_date(first).end_date(last)
        });
        let find = async {
            let mut found = HashMap::new();
            while !wanted.is_empty() {
                let Some(group) = groups.next().await.transpose()? else { break };
                let id = group.id.clone().map(canonical_id);
                found.extend(id.and_then(|id| wanted.take(&id)).map(|id| (id, group)));
            }
            Ok(found)
        };
        let limit = self.list_limit();
        let found = limit.run(find).await;
        found.unwrap_or_else(|| Err(limit.exceeded("the list of the entitlement's groups was not read to its end")))
    }
}

/// Returns the entry of one id in a list that was read for several.
pub(super) fn listed(found: &Result<HashMap<String, Group>>, id: Uuid) -> ListEntry<'_> {
    match found {
        Ok(found) => found.get(&id.to_string()).map_or(ListEntry::Absent, ListEntry::Group),
        Err(error) => ListEntry::Unavailable(error),
    }
}
