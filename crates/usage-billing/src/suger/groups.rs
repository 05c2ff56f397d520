//! Lists of usage record groups and reports.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use usage_billing_core::{Error, ErrorKind, Result, printable};

use super::list_end::{ListEnd, PAGE};
use super::{Client, builder, types};
use crate::Pager;

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
        filter: impl for<'a> Fn(builder::ListUsageRecordGroups<'a>) -> builder::ListUsageRecordGroups<'a>
        + Send
        + Sync
        + Clone
        + 'static,
    ) -> Pager<types::MeteringUsageRecordGroup> {
        let (client, end) = (self.clone(), Arc::new(ListEnd::default()));
        Pager::new(0, move |offset| {
            let (client, filter, end) = (client.clone(), filter.clone(), end.clone());
            async move {
                let request = filter(client.api.list_usage_record_groups().org_id(&client.org_id));
                let page = request.limit(PAGE).offset(offset).send().await?.into_inner();
                end.page(offset, page.usage_record_groups, page.next_offset)
            }
        })
        .with_offset_step(PAGE)
        .masking(&self.api)
    }

    /// Lists the usage record reports that `filter` selects, which the hourly runs sent to the marketplaces. Without
    /// dates the vendor lists the last 30 days.
    pub fn usage_record_reports(
        &self,
        filter: impl for<'a> Fn(builder::ListUsageRecordReports<'a>) -> builder::ListUsageRecordReports<'a>
        + Send
        + Sync
        + Clone
        + 'static,
    ) -> Pager<types::MeteringUsageRecordReport> {
        let (client, end) = (self.clone(), Arc::new(ListEnd::default()));
        Pager::new(0, move |offset| {
            let (client, filter, end) = (client.clone(), filter.clone(), end.clone());
            async move {
                let request = filter(client.api.list_usage_record_reports().org_id(&client.org_id));
                let page = request.limit(PAGE).offset(offset).send().await?.into_inner();
                end.page(offset, page.usage_record_reports, page.next_offset)
            }
        })
        .with_offset_step(PAGE)
        .masking(&self.api)
    }
}

/// Returns the time of the usage, or the creation time if the group does not state it.
pub(super) fn used_at(group: &types::MeteringUsageRecordGroup) -> Result<DateTime<Utc>> {
    let used = group.meta_info.as_ref().and_then(|info| info.timestamp);
    used.filter(is_set).or(group.creation_time.filter(is_set)).ok_or_else(|| {
        Error::new(ErrorKind::Decode, format!("{} has neither a timestamp nor a creation time", name_of(group)))
    })
}

/// Returns the events of billable metrics. A group has either these or `records`.
pub(super) fn events(group: &types::MeteringUsageRecordGroup) -> impl Iterator<Item = &types::MeteringUsageRecord> {
    let info = group.meta_info.iter().filter(|_| group.records.is_empty());
    info.flat_map(|info| &info.billable_records)
}

/// Returns an id that is set. Go serializes a missing id as an empty string, so two empty ids are not the same id.
pub(super) fn id_in(id: &Option<String>) -> Option<&str> {
    id.as_deref().filter(|id| !id.is_empty())
}

/// Returns whether a time is set. Go serializes a missing time as its zero time.
pub(super) fn is_set(time: &DateTime<Utc>) -> bool {
    time.timestamp() > 0
}

pub(super) fn name_of(group: &types::MeteringUsageRecordGroup) -> String {
    format!("usage record group {}", printable(group.id.as_deref().unwrap_or("without id")))
}

pub(super) fn too_long(last: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("with {} the sum has more than 28 digits", printable(last)))
}
