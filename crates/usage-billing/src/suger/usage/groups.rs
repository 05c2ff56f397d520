//! Lists of usage record groups and reports.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use usage_billing_core::{Error, ErrorKind, Result, printable};

use super::listed_days;
use crate::memory_limit::{MemoryLimit, SLOT, text_bytes, value_bytes};
use crate::rows::canonical_id::canonical_id;
use crate::suger::{Client, builder, types};
use crate::{Pager, Period};

/// The maximum page size of the vendor.
const PAGE: i64 = 1000;

impl Client {
    /// Lists the usage record groups that `filter` selects, 1000 per page. Without dates the vendor lists the last 30
    /// days. It accepts at most one of partner, buyer and entitlement. If the end of the list cannot be determined, or
    /// a response has no list, the last item is an error of the kind [`ErrorKind::Decode`].
    ///
    /// ```no_run
    /// # use usage_billing::suger::{Client, types::UsageRecordGroupStatus};
    /// # async fn list(client: Client) -> usage_billing::Result<()> {
    /// let mut failed = client.usage_record_groups(|request| request.status(UsageRecordGroupStatus::ReportFailed));
    /// while let Some(group) = failed.next().await {
    ///     println!("{:?}", group?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn usage_record_groups(
        &self,
        filter: impl FnOnce(builder::ListUsageRecordGroups<'_>) -> builder::ListUsageRecordGroups<'_>,
    ) -> Pager<types::MeteringUsageRecordGroup> {
        let request = filter(self.api.list_usage_record_groups().org_id(&self.org_id));
        request.limit(PAGE).stream().with_offset_step(PAGE, |group| id_in(&group.id))
    }

    /// Lists the usage record reports that `filter` selects, which the hourly runs sent to the marketplaces. Without
    /// dates the vendor lists the last 30 days.
    pub fn usage_record_reports(
        &self,
        filter: impl FnOnce(builder::ListUsageRecordReports<'_>) -> builder::ListUsageRecordReports<'_>,
    ) -> Pager<types::MeteringUsageRecordReport> {
        let request = filter(self.api.list_usage_record_reports().org_id(&self.org_id));
        request.limit(PAGE).stream().with_offset_step(PAGE, |report| id_in(&report.id))
    }
}

impl Client {
    /// Returns the usage record groups whose usage is in a period, in the order of the list: of one entitlement or of all, in one status or in
    /// any. However late they arrived, they are listed.
    ///
    /// # Errors
    /// [`ErrorKind::WaitTimeout`] if the list is not read [in time](Self::with_list_timeout);
    /// [`ErrorKind::Limit`] if they take more memory than [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows;
    /// [`ErrorKind::Decode`] for a group without any time; otherwise the errors of the list calls.
    pub async fn usage_record_groups_of(
        &self,
        period: Period,
        entitlement_id: Option<String>,
        status: Option<types::UsageRecordGroupStatus>,
    ) -> Result<Vec<types::MeteringUsageRecordGroup>> {
        let (first, last) = listed_days::of_period(period, self.clock.now());
        let mut groups = self.usage_record_groups(move |request| {
            let request = request.start_date(first).end_date(last);
            let request = status.clone().into_iter().fold(request, |request, status| request.status(status));
            entitlement_id.clone().into_iter().fold(request, |request, id| request.entitlement_id(id))
        });
        let mut memory = MemoryLimit::new(self.max_usage_bytes);
        let (mut kept, mut seen) = (Vec::new(), HashSet::new());
        let read = async {
            while let Some(group) = groups.next().await.transpose()? {
                // New groups shift the pages while they are read, so a group may be listed again.
                let id_bytes = SLOT + text_bytes(id_in(&group.id).unwrap_or_default());
                let is_new = id_in(&group.id).is_none_or(|id| seen.insert(id.to_owned()));
                if is_new && period.contains(used_at(&group)?) {
                    memory.keep(value_bytes(&group), || "the list of usage record groups")?;
                    kept.push(group);
                }
                memory.keep(id_bytes, || "the list of usage record groups")?;
            }
            Ok(())
        };
        let limit = self.list_limit();
        let outcome = limit.run(read).await;
        outcome.unwrap_or_else(|| Err(limit.exceeded("the list of usage record groups was not read to its end")))?;
        Ok(kept)
    }
}

/// Returns the time of the usage, or the creation time if the group does not state it.
pub(in crate::suger) fn used_at(group: &types::MeteringUsageRecordGroup) -> Result<DateTime<Utc>> {
    let used = group.meta_info.as_ref().and_then(|info| info.timestamp);
    used.filter(is_set).or(group.creation_time.filter(is_set)).ok_or_else(|| {
        Error::new(ErrorKind::Decode, format!("{} has neither a timestamp nor a creation time", name_of(group)))
    })
}

/// Returns the events of billable metrics. A group has either these or `records`.
pub(in crate::suger) fn events(
    group: &types::MeteringUsageRecordGroup,
) -> impl Iterator<Item = &types::MeteringUsageRecord> {
    let info = group.meta_info.iter().filter(|_| group.records.is_empty());
    info.flat_map(|info| &info.billable_records)
}

/// Returns an id that is set. Go serializes a missing id as an empty string, so two empty ids are not the same id.
pub(in crate::suger) fn id_in(id: &Option<String>) -> Option<&str> {
    id.as_deref().filter(|id| !id.is_empty())
}

/// Returns an id that is set in its canonical spelling, as a key.
pub(in crate::suger) fn canonical_id_in(id: &Option<String>) -> Option<String> {
    id_in(id).map(|id| canonical_id(id.to_owned()))
}

/// Returns whether a time is set. Go serializes a missing time as its zero time.
pub(in crate::suger) fn is_set(time: &DateTime<Utc>) -> bool {
    time.timestamp() > 0
}

pub(in crate::suger) fn name_of(group: &types::MeteringUsageRecordGroup) -> String {
    format!("usage record group {}", printable(group.id.as_deref().unwrap_or("without id")))
}

pub(in crate::suger) fn too_long(last: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("with {} the sum has more than 28 digits", printable(last)))
}
