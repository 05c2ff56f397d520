//! A report is delivered once: sent with its id, recognised when it comes again, and counted as delivered only if that is proved.

use std::collections::{BTreeSet, HashMap};

use usage_billing_core::{ClientInfo as _, Error, ResponseValue, Result, printable};
use uuid::Uuid;

use super::evidence::{Evidence, evidence};
use super::listed_days::ListedDays;
use super::proof::{self, Listed, Verdict};
use super::response::Response;
use super::types::MeteringUsageRecordGroup as Group;
use super::{Client, MarketplaceWindows, UsageEvent, listed_days, trace};

/// What became of a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// Suger stored it now, and returned the group that was sent. It is not yet at the marketplace: that is the group's status `REPORTED`,
    /// an hour or so later.
    Delivered(Box<Group>),
    /// Suger lists the report under this id, with the same quantities and a status on the way to the marketplace: it arrived before, or
    /// with a response that did not prove it.
    AlreadyDelivered(Uuid),
}

impl Client {
    /// Reports usage once, however often it is called: the report carries its [`id`](UsageEvent::id), so that a repeat is recognised, also
    /// by another process. It counts as delivered only if that is proved: the response returns the group that was sent, or, whatever
    /// else it says, the entitlement's list has it. Usage that is older than its marketplace accepts
    /// ([`MarketplaceWindows`]) is sent, with a warning in the trace; a [`UsageQueue`](super::UsageQueue) can have
    /// other limits, and reject it.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`](crate::ErrorKind::Request) for what Suger is known to refuse ([`UsageEvent::check`]); nothing was sent.
    /// - [`ErrorKind::Failed`](crate::ErrorKind::Failed) if Suger has the id, but as `INVALID` (an unknown dimension, an entitlement that is
    ///   not active), deleted or with other quantities: it will never be billed as sent, and its id is used up; or if it could not be
    ///   reported to the marketplace.
    /// - [`ErrorKind::Api`](crate::ErrorKind::Api) with Suger's words and a 4xx status, such as 404 for an unknown entitlement: the list
    ///   does not have the report, unless the message says that it could not be read.
    /// - Others, and any whose message says that an earlier attempt may still arrive: whether the report arrived is not known. Call again with
    ///   the same report, in some minutes.
    pub async fn send_usage(&self, event: &UsageEvent) -> Result<Delivery> {
        event.check()?;
        let id = event.id(&self.org_id);
        let response = self.send(event, id).await;
        let verdict = match proof::by_response(event, id, &response) {
            Some(verdict) => verdict,
            None => {
                let wanted = BTreeSet::from([id.to_string()]);
                let days = listed_days::of_report(event.window(), self.clock.now());
                let found = self.read_back(event.entitlement_id(), days, wanted).await;
                let verdict = proof::by_list(event, id, &response, listed(&found, id), self.doubts.hold(id));
                if let (Verdict::DeliveredBefore, Listed::Group(group)) = (&verdict, listed(&found, id)) {
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
            (Verdict::Rejected(error) | Verdict::IdUsedUp(error) | Verdict::Open(error), _) => {
                Err(self.api.inner().masked(error))
            }
        }
    }

    fn warn_if_late(&self, report: &UsageEvent, id: Uuid, group: &Group) {
        let late = MarketplaceWindows::default().check_group(report, id, group, None, self.clock.now());
        late.iter().for_each(|late| trace::late(self, late));
    }

    /// Sends a report that was checked.
    pub(super) async fn send(&self, report: &UsageEvent, id: Uuid) -> Response {
        let attempt = self.doubts.attempt(id);
        let request = self.api.report_usage_record_group().org_id(&self.org_id).entitlement_id(report.entitlement_id());
        let outcome = request.body(report.body(&self.org_id)).send().await.map(ResponseValue::into_inner);
        let is_missing = |error: &Error| error.status().is_some_and(|status| status == 404);
        let response = Response::from(outcome.map_err(|error| match is_missing(&error) {
            // Without the organization's id: a key may have been given in its place.
            true => error.with_hint(format!(
                "check that entitlement {} is of the client's organization",
                printable(report.entitlement_id())
            )),
            false => error,
        }));
        attempt.end(&response);
        response
    }

    /// Reads a report's group back and compares it with the report. There is no call that reads one group: the entitlement's groups are listed
    /// until it is found, from the day before the window (31 days back, if the window is still ahead) to the day after it and after today.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) if Suger lists no such group, has it as `INVALID`, `DELETED` or `REPORT_FAILED`, or has
    /// other quantities: the error names them. [`ErrorKind::Decode`](crate::ErrorKind::Decode) if what is listed neither proves nor
    /// contradicts the report. Otherwise those of the calls.
    pub async fn confirm(&self, report: &UsageEvent) -> Result<Group> {
        let id = report.id(&self.org_id);
        let wanted = BTreeSet::from([id.to_string()]);
        let days = listed_days::of_report(report.window(), self.clock.now());
        let mut found = self.read_back(report.entitlement_id(), days, wanted).await?;
        let group = found.remove(&id.to_string()).ok_or_else(|| proof::unlisted(id))?;
        match evidence(report, id, &group) {
            Evidence::Delivered => Ok(group),
            Evidence::Contradicted(error) | Evidence::Unclear(error) => Err(self.api.inner().masked(error)),
        }
    }

    /// Groups of an entitlement by id, those of `wanted` that are listed of some days.
    pub(super) async fn read_back(
        &self,
        entitlement_id: &str,
        (first, last): ListedDays,
        mut wanted: BTreeSet<String>,
    ) -> Result<HashMap<String, Group>> {
        let entitlement_id = entitlement_id.to_owned();
        let mut groups = self.usage_record_groups(move |request| {
            request.entitlement_id(entitlement_id.clone()).start_date(first).end_date(last)
        });
        let mut found = HashMap::new();
        while !wanted.is_empty() {
            let Some(group) = groups.next().await.transpose()? else { break };
            if let Some(id) = group.id.as_ref().and_then(|id| wanted.take(id)) {
                found.insert(id, group);
            }
        }
        Ok(found)
    }
}

/// What a list that was read for several ids says of one.
pub(super) fn listed(found: &Result<HashMap<String, Group>>, id: Uuid) -> Listed<'_> {
    match found {
        Ok(found) => found.get(&id.to_string()).map_or(Listed::Absent, Listed::Group),
        Err(error) => Listed::Unavailable(error),
    }
}
