//! A report is delivered once: sent with its id, recognised when it comes again, read back where that is asked for.

use std::collections::{BTreeSet, HashMap};

use chrono::{Days, NaiveDate};
use usage_billing_core::{ClientInfo as _, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use super::groups::name_of;
use super::reconciliation::{differences, quantities_of};
use super::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus};
use super::{Client, UsageReport};

/// What became of a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// Suger took it now. It is not yet at the marketplace: that is the group's status `REPORTED`, an hour or so later.
    Delivered(Box<Group>),
    /// Suger had this id already (409), from an earlier copy. Whether with these quantities, and not as `INVALID`, it does not say:
    /// [`Client::confirm`] looks.
    AlreadyDelivered(Uuid),
}

impl Client {
    /// Reports usage once, however often it is called: the report carries its [`id`](UsageReport::id), so that a lost answer is asked for
    /// again safely and a repeat is told apart.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] for what Suger is known to refuse ([`UsageReport::check`]); nothing was sent.
    /// - [`ErrorKind::Failed`] if Suger stored the report as `INVALID` (an unknown dimension, an entitlement that is not active): it will
    ///   never be billed, and its id is used up.
    /// - [`ErrorKind::Api`] with Suger's words, such as 404 for an unknown entitlement.
    /// - Others: whether the report arrived is not known. Call again with the same report.
    pub async fn report(&self, report: &UsageReport) -> Result<Delivery> {
        match self.send(report).await {
            Ok(group) => Ok(Delivery::Delivered(group)),
            Err(error) if is_there_already(&error) => Ok(Delivery::AlreadyDelivered(report.id(&self.org_id))),
            Err(error) => Err(error),
        }
    }

    /// As [`report`](Self::report), with the error that says that it was there already.
    pub(super) async fn send(&self, report: &UsageReport) -> Result<Box<Group>> {
        report.check()?;
        let request = self.api.report_usage_record_group().org_id(&self.org_id).entitlement_id(report.entitlement_id());
        match request.body(report.body(&self.org_id)).send().await {
            Ok(group) if group.status == Some(UsageRecordGroupStatus::Invalid) => {
                Err(self.api.inner().masked(invalid(&group)))
            }
            Ok(group) => Ok(Box::new(group.into_inner())),
            Err(error) if error.status().is_some_and(|status| status == 404) => Err(error.with_hint(format!(
                "check that entitlement {} is of organization {}",
                printable(report.entitlement_id()),
                printable(&self.org_id)
            ))),
            Err(error) => Err(error),
        }
    }

    /// Reads a report's group back and holds it against the report. There is no call that reads one group: the entitlement's groups since
    /// the day before the window are listed until it is found.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`] if Suger lists no such group, holds it as `INVALID` or `DELETED`, or has other quantities: the error names
    /// them. Else those of the calls.
    pub async fn confirm(&self, report: &UsageReport) -> Result<Group> {
        let id = report.id(&self.org_id).to_string();
        let mut found = self.read_back(report.entitlement_id(), since(report), BTreeSet::from([id.clone()])).await?;
        let group = found.remove(&id).ok_or_else(|| unlisted(&id))?;
        match objection(report, &group) {
            Some(error) => Err(self.api.inner().masked(error)),
            None => Ok(group),
        }
    }

    /// Groups of an entitlement by id, those of `wanted` that are listed since a day.
    pub(super) async fn read_back(
        &self,
        entitlement_id: &str,
        since: NaiveDate,
        mut wanted: BTreeSet<String>,
    ) -> Result<HashMap<String, Group>> {
        let entitlement_id = entitlement_id.to_owned();
        let mut groups =
            self.usage_record_groups(move |request| request.entitlement_id(entitlement_id.clone()).start_date(since));
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

/// The first day on which the group of a report can have been made, by whatever time of a group the vendor's filter goes.
pub(super) fn since(report: &UsageReport) -> NaiveDate {
    let day = report.window().date_naive();
    day.checked_sub_days(Days::new(1)).unwrap_or(day)
}

/// Why a group is not the delivery of a report, although it has the report's id.
pub(super) fn objection(report: &UsageReport, group: &Group) -> Option<Error> {
    use UsageRecordGroupStatus::{Deleted, Invalid};
    match group.status {
        Some(Invalid) => return Some(invalid(group)),
        Some(Deleted) => {
            let message = format!("{} was deleted at Suger: it is not billed, and its id is used up", name_of(group));
            return Some(Error::new(ErrorKind::Failed, message).with_hint(ANOTHER));
        }
        _ => {}
    }
    let there = match quantities_of(group) {
        Ok(there) => there,
        Err(error) => return Some(error),
    };
    let (dimension, sent, has) = differences(report.quantities(), &there).next()?;
    let message = format!(
        "Suger has {} with other quantities: {} is {has} there, not {sent}",
        name_of(group),
        printable(dimension)
    );
    Some(Error::new(ErrorKind::Failed, message).with_hint(MISSING))
}

pub(super) fn is_there_already(error: &Error) -> bool {
    error.status().is_some_and(|status| status == 409)
}

/// Whether another copy of a report would be refused as well.
pub(super) fn is_refusal(error: &Error) -> bool {
    match error.status().map(|status| status.as_u16()) {
        // Of the caller, of the moment, or no refusal at all.
        Some(401 | 403 | 407 | 408 | 409 | 425 | 429) => false,
        Some(status) => (400..500).contains(&status),
        None => matches!(error.kind(), ErrorKind::Request | ErrorKind::Failed),
    }
}

const ANOTHER: &str = "if the usage is to be billed, report it again under another sequence";
/// The first copy stands: a correction is a report of its own.
pub(super) const MISSING: &str = "report what is missing under another sequence";

fn invalid(group: &Group) -> Error {
    let message = format!("Suger stored {} as INVALID: it will not be billed, and its id is used up", name_of(group));
    Error::new(ErrorKind::Failed, message).with_hint(format!(
        "check that the entitlement is active and has these dimensions, and delete the group; {ANOTHER}"
    ))
}

pub(super) fn unlisted(id: &str) -> Error {
    let message = format!("usage record group {id} is not among those that Suger lists for the entitlement");
    Error::new(ErrorKind::Failed, message).with_hint("look for it in the console before the usage is reported again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_the_delivery_of_a_report_only_if_it_will_be_billed_with_the_same_quantities() {
        let report =
            UsageReport::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 5).quantity("calls", 0);
        let cases = [
            (r#"{"status": "CREATED", "records": {"gb": 5, "calls": 0}}"#, ""),
            (r#"{"status": "REPORTED", "records": {"mapped": 1}, "metaInfo": {"originRecords": {"gb": 5.0}}}"#, ""),
            (r#"{"status": "INVALID", "records": {"gb": 5}}"#, "Suger stored usage record group g-1 as INVALID"),
            (r#"{"status": "DELETED", "records": {"gb": 5}}"#, "usage record group g-1 was deleted at Suger"),
            (
                r#"{"records": {"gb": 4}}"#,
                "Suger has usage record group g-1 with other quantities: gb is 4 there, not 5",
            ),
            (r#"{"records": {"gb": 5, "calls": 1}}"#, "with other quantities: calls is 1 there, not 0"),
            (r#"{"records": {"gb": 5, "seats": 1}}"#, "with other quantities: seats is 1 there, not 0"),
            (r#"{"records": null}"#, "with other quantities: gb is 0 there, not 5"),
        ];
        for (json, expected) in cases {
            let group = Group { id: Some("g-1".to_owned()), ..serde_json::from_str(json).unwrap() };
            let told = objection(&report, &group).map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{json}: {told}");
        }
    }
}
