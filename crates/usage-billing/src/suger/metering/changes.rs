//! Changes of stored groups that Suger allows: a failed group is requeued, a group that was not reported is deleted.

use futures_core::Stream;
use futures_util::{StreamExt, stream};
use usage_billing_core::{ClientInfo as _, Error, ErrorKind, ResponseValue, Result};

use crate::rows::canonical_id::canonical_id;
use crate::suger::Client;
use crate::suger::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};
use crate::suger::usage::groups::{is_set, name_of, used_at};
use crate::suger::usage::listed_days;

/// Number of concurrent requests.
const CONCURRENCY: usize = 8;

/// The outcomes of changes of groups. Each group is in one of the two lists.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "only this value reports groups that were not changed"]
pub struct GroupChanges {
    /// Changed groups, in their new state.
    pub changed: Vec<Group>,
    /// Groups in their old state, each with the reason why it was not changed, or is not known to be.
    pub failed: Vec<(Group, Error)>,
}

impl Client {
    /// Requeues failed groups (`REPORT_FAILED`) for the next hourly run, several concurrently. Fix the cause first: it
    /// is the `message` of the failed usage record report of the entitlement.
    ///
    /// ```no_run
    /// # use usage_billing::suger::{Client, types::UsageRecordGroupStatus};
    /// # async fn retry(client: Client) -> usage_billing::Result<()> {
    /// // Read the complete list first: requeued groups are removed from it, which would shift its pages.
    /// let failed = client.usage_record_groups(|request| request.status(UsageRecordGroupStatus::ReportFailed)).try_collect().await?;
    /// for (group, error) in client.retry_groups(failed).await.failed {
    ///     eprintln!("{:?}: {error}", group.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn retry_groups(&self, groups: Vec<Group>) -> GroupChanges {
        let outcomes = stream::iter(groups).map(|group| async { (self.retry_group(&group).await, group) });
        GroupChanges::collect(outcomes.buffer_unordered(CONCURRENCY)).await
    }

    /// Deletes groups that were not reported (`CREATED`, `INVALID`), several concurrently. Their usage will not be
    /// billed, and their ids stay used up.
    pub async fn delete_groups(&self, groups: Vec<Group>) -> GroupChanges {
        let outcomes = stream::iter(groups).map(|group| async { (self.delete_group(&group).await, group) });
        GroupChanges::collect(outcomes.buffer_unordered(CONCURRENCY)).await
    }

    /// Requeues one failed group for the next hourly run. The change is confirmed if the response shows the group as
    /// `CREATED`, `REPORT_PENDING` or `REPORTED`. After any other or a lost response, the list has to show it.
    ///
    /// # Errors
    /// - [`ErrorKind::Api`] (400) if the group is not `REPORT_FAILED`.
    /// - [`ErrorKind::Decode`] if neither the response nor the list shows the group as requeued.
    /// - Other kinds as returned by the call.
    pub async fn retry_group(&self, group: &Group) -> Result<Group> {
        let mut request =
            self.api.retry_usage_record_group().org_id(&self.org_id).usage_record_group_id(self.id_of(group)?);
        if let Some(made) = group.creation_time.filter(is_set) {
            request = request.creation_date(made.date_naive());
        }
        // The next hourly run may have reported the group already.
        let is_done = |status: &Status| matches!(status, Status::Created | Status::ReportPending | Status::Reported);
        self.confirm_change(group, request.send().await.map(ResponseValue::into_inner), is_done, None).await
    }

    /// Deletes one group that was not reported. After a lost response the group is looked up. It is deleted if it is
    /// listed as `DELETED`, or if a later attempt got 404 or 410 and the list does not contain it. In the latter case the
    /// given group is returned with the status `DELETED`.
    ///
    /// # Errors
    /// - [`ErrorKind::Api`] (400) if the group is neither `CREATED` nor `INVALID`.
    /// - Other kinds as returned by the call.
    pub async fn delete_group(&self, group: &Group) -> Result<Group> {
        let mut request =
            self.api.delete_usage_record_group().org_id(&self.org_id).usage_record_group_id(self.id_of(group)?);
        if let Some(made) = group.creation_time.filter(is_set) {
            request = request.creation_date(made.date_naive());
        }
        let is_done = |status: &Status| *status == Status::Deleted;
        let response = request.send().await.map(ResponseValue::into_inner);
        let status = response.as_ref().err().and_then(Error::status).map(|status| status.as_u16());
        let is_missing = matches!(status, Some(404 | 410));
        let deleted = is_missing.then(|| {
            let mut deleted = group.clone();
            deleted.status = Some(Status::Deleted);
            deleted
        });
        self.confirm_change(group, response, is_done, deleted).await
    }

    fn id_of<'a>(&self, group: &'a Group) -> Result<&'a str> {
        let unnamed = || Error::new(ErrorKind::Request, format!("{} cannot be addressed", name_of(group)));
        group.id.as_deref().ok_or_else(|| self.api.inner().masked(unnamed()))
    }

    /// Returns the changed group of the response or, if that is inconclusive, of the list. `unlisted` is returned if
    /// the group is not listed.
    async fn confirm_change(
        &self,
        group: &Group,
        response: Result<Group>,
        is_done: impl Fn(&Status) -> bool,
        unlisted: Option<Group>,
    ) -> Result<Group> {
        let is_changed = |now: &Group| is_same_group(now, group) && now.status.as_ref().is_some_and(&is_done);
        let error = match response {
            Ok(now) if is_changed(&now) => return Ok(now),
            Ok(_) => {
                let message = format!("the response does not show {} as changed", name_of(group));
                self.api.inner().masked(Error::new(ErrorKind::Decode, message))
            }
            // The call was rejected, and no earlier attempt can have changed anything.
            Err(error)
                if !error.may_have_arrived() && error.status().is_some_and(|status| status.is_client_error()) =>
            {
                return Err(error);
            }
            Err(error) => error,
        };
        let (Some(id), Some(entitlement), Some(made)) =
            (&group.id, &group.entitlement_id, group.creation_time.filter(is_set))
        else {
            return Err(error);
        };
        let days = listed_days::of_group(used_at(group).unwrap_or(made), made, self.clock.now());
        let id = canonical_id(id.clone());
        let found = self.find_groups(entitlement, days, [id.clone()].into()).await;
        match found.map(|mut found| found.remove(&id)) {
            Ok(Some(now)) if is_changed(&now) => Ok(now),
            Ok(None) => unlisted.ok_or(error),
            _ => Err(error),
        }
    }
}

/// Returns whether two groups have one id, in any spelling.
fn is_same_group(one: &Group, other: &Group) -> bool {
    one.id.clone().map(canonical_id) == other.id.clone().map(canonical_id)
}

impl GroupChanges {
    async fn collect(mut outcomes: impl Stream<Item = (Result<Group>, Group)> + Unpin) -> Self {
        let mut changes = Self::default();
        while let Some((outcome, group)) = outcomes.next().await {
            match outcome {
                Ok(now) => changes.changed.push(now),
                Err(error) => changes.failed.push((group, error)),
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_the_same_by_their_id_in_any_spelling() {
        let group = |id: Option<&str>| -> Group { serde_json::from_value(serde_json::json!({"id": id})).unwrap() };
        let lower = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";
        for (one, other, is_same) in [
            ("0D2F7C55-8A41-4B7E-9B0C-6A3F9E1D2C11", "{0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11}", true),
            ("0d2f7c558a414b7e9b0c6a3f9e1d2c11", lower, true),
            ("g-1", "G-1", false),
            (lower, "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c12", false),
        ] {
            assert_eq!(is_same_group(&group(Some(one)), &group(Some(other))), is_same, "{one} {other}");
        }
        assert!(!is_same_group(&group(None), &group(Some(lower))));
    }
}
