//! Reuse of existing reports.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};
use usage_billing_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::acronis::error_hints::hinted;
use crate::acronis::report_file::rows;
use crate::acronis::reports::create::{ObtainedReport, is_not_found};
use crate::acronis::reports::stored_file::{ReportFiles, StoredFile};
use crate::acronis::{Client, ReportRequest, types};
use crate::{Period, PollResult, Poller};

/// Reports that are read concurrently.
const CONCURRENT: usize = 4;
/// The maximum number of reports that are read to avoid the creation of another one.
const MAX_REPORTS_READ: usize = 200;
/// Rows of a file that are searched for a SKU.
const SKU_ROWS: usize = 1_000;
/// The maximum age of a file whose period has not ended. The vendor aggregates usage once a day.
const FRESH: TimeDelta = TimeDelta::hours(1);

impl Client {
    /// Looks for a report with the parameters of `request`, created on the day `since` (UTC) or later. It serves after a lost response to
    /// [`create_report`](Self::create_report); to reuse a finished report, call [`obtain_report`](Self::obtain_report).
    ///
    /// The tenant's reports are read one by one, because Acronis lists only ids.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for an invalid request; otherwise the errors of the calls. A report that cannot be read does not hide others. Its
    /// error is returned if no report matches, because it may be the one.
    pub async fn find_report(&self, request: &ReportRequest, since: NaiveDate) -> Result<Option<Poller<ReportFiles>>> {
        let now = self.clock.now();
        let mut unread = None;
        let mut reports = self.reports(self.report_ids(request.tenant()).await?);
        while let Some(read) = reports.next().await {
            match read {
                Ok(Some(report)) if request.is_matched_by(&report, since, now)? => {
                    return Ok(Some(self.poller(report)));
                }
                Ok(_) => {}
                Err(error) if concerns_one_report(&error) => unread = unread.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        unread.map_or(Ok(None), Err)
    }

    /// Returns a report that satisfies `request`: an existing one that contains everything that a new one would, or else a new one, as
    /// [`get_or_create_report`](Self::get_or_create_report) returns it.
    ///
    /// - A report is reused if it has the same kind, tenant, level, whole period and SKUs, and a file with rows.
    /// - The file was built after the end of the period. If the period has not ended, it was built within the last hour of today: usage is
    ///   aggregated once a day, and rows state in `as_of` when the file was built.
    /// - The file may have additional rows without usage.
    /// - If the report does not state whether it has SKUs, the first rows of the file decide.
    /// - A report that was created today and is pending is waited for.
    /// - At most 200 of the tenant's reports are read, from both ends of the list. Reports that cannot be read are skipped.
    ///
    /// # Errors
    /// As [`get_or_create_report`](Self::get_or_create_report).
    pub async fn obtain_report(&self, request: &ReportRequest) -> Result<ObtainedReport> {
        match self.reusable_report(request).await? {
            Some(report) => Ok(ObtainedReport::Existing(report)),
            None => self.create_confirmed(request).await,
        }
    }

    /// Returns an existing report that satisfies `request`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for an invalid request. Other errors are ignored: a report that is not found can be created.
    pub(crate) async fn reusable_report(&self, request: &ReportRequest) -> Result<Option<Poller<ReportFiles>>> {
        let now = self.clock.now();
        request.body(now)?;
        let Some(period) = request.period() else { return Ok(None) };
        let Ok(mut ids) = self.report_ids(request.tenant()).await else { return Ok(None) };
        // The order is not documented: the newest may be first or last.
        if ids.len() > MAX_REPORTS_READ {
            ids.drain(MAX_REPORTS_READ / 2..ids.len() - MAX_REPORTS_READ / 2);
        }
        let mut in_progress = None;
        let mut reports = self.reports(ids);
        while let Some(read) = reports.next().await {
            let Ok(Some(report)) = read else { continue };
            if !request.is_covered_by(&report, now)? {
                continue;
            }
            let is_of_today = report.generation_date == now.date_naive();
            let states_skus = report.parameters.show_skus.is_some();
            let mut report = self.poller(report);
            match report.poll().await {
                Ok(PollResult::Ready(files)) => {
                    let file = files.saved.iter().find(|file| rows::has_rows(&file.format));
                    let file = file.filter(|file| is_complete_for(file, period, now));
                    if let Some(file) = file
                        && (states_skus || self.has_skus(file).await)
                    {
                        return Ok(Some(report));
                    }
                }
                Ok(PollResult::Pending { .. }) if is_of_today && states_skus => {
                    in_progress = in_progress.or(Some(report));
                }
                _ => {}
            }
        }
        Ok(in_progress)
    }

    /// Returns whether one of the first rows of a file has a SKU.
    async fn has_skus(&self, file: &StoredFile) -> bool {
        let Ok(mut rows) = self.rows(file).await else { return false };
        for _ in 0..SKU_ROWS {
            match rows.next().await {
                Some(Ok(row)) if row.sku.is_some() => return true,
                Some(Ok(_)) => {}
                _ => return false,
            }
        }
        false
    }

    async fn report_ids(&self, tenant: Uuid) -> Result<Vec<Uuid>> {
        Ok(self.api.list_tenant_reports().tenant_id(tenant).send().await.map_err(hinted)?.into_inner().items)
    }

    /// Reads reports concurrently and returns them in order; `None` for one that was deleted in the meantime.
    fn reports(&self, ids: Vec<Uuid>) -> BoxStream<'static, Result<Option<types::Report>>> {
        let api = self.api.clone();
        let read = move |id| {
            let api = api.clone();
            async move {
                match api.get_report().report_id(id).send().await {
                    Err(error) if is_not_found(&error) => Ok(None),
                    read => Ok(Some(read.map_err(hinted)?.into_inner())),
                }
            }
        };
        stream::iter(ids).map(read).buffered(CONCURRENT).boxed()
    }
}

/// Returns whether the error concerns one report, so that others may be readable.
fn concerns_one_report(error: &Error) -> bool {
    use ErrorKind::{Api, Decode, Limit, Permission};
    matches!(error.kind(), Api | Decode | Limit | Permission)
}

/// Returns whether a file has all rows of a period: it was built after the end of the period, or just now.
fn is_complete_for(file: &StoredFile, period: Period, now: DateTime<Utc>) -> bool {
    let is_fresh = |made: DateTime<Utc>| made <= now && now - made <= FRESH && made.date_naive() == now.date_naive();
    file.created_at.is_some_and(|made| period.has_ended(made) || is_fresh(made))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acronis::usage::aggregator::tests::summary;

    #[test]
    fn file_is_complete_after_period_end_or_within_last_hour() {
        let period = "2026-11".parse().unwrap();
        for (made, now, expected) in [
            (Some("2026-12-01T00:00:00Z"), "2026-12-05T00:00:00Z", true),
            (Some("2026-11-30T23:59:59Z"), "2026-12-05T00:00:00Z", false),
            (Some("2026-11-30T23:59:59Z"), "2026-12-01T00:00:00Z", false),
            (None, "2026-12-05T00:00:00Z", false),
            (Some("2026-11-21T12:00:00Z"), "2026-11-21T12:00:00Z", true),
            (Some("2026-11-21T11:00:00Z"), "2026-11-21T12:00:00Z", true),
            (Some("2026-11-21T10:59:59Z"), "2026-11-21T12:00:00Z", false),
            (Some("2026-11-21T12:00:01Z"), "2026-11-21T12:00:00Z", false),
            (Some("2026-11-20T23:59:59Z"), "2026-11-21T00:00:00Z", false),
        ] {
            let file = StoredFile { created_at: made.map(|made| made.parse().unwrap()), ..summary() };
            assert_eq!(is_complete_for(&file, period, now.parse().unwrap()), expected, "{made:?} {now}");
        }
    }
}
