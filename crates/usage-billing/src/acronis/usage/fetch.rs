//! Usage from reports.

use std::time::Duration;

use usage_billing_core::{Error, ErrorKind, Result, printable};
use uuid::Uuid;

use crate::acronis::account::facts::AccountFacts;
use crate::acronis::error_hints::PERHAPS_CREATED;
use crate::acronis::report_file::rows;
use crate::acronis::reports::create::{ObtainedReport, build_failure};
use crate::acronis::reports::download::{ReportBody, with_file_hint};
use crate::acronis::reports::stored_file::{ReportFiles, StoredFile};
use crate::acronis::usage::aggregator::UsageAggregator;
use crate::acronis::usage::options::{ReportEvent, UsageOptions};
use crate::acronis::{Client, ReportRequest, ReportRow};
use crate::failed_month::in_month;
use crate::{Period, Poller, UsageRow};
use usage_billing_core::__private::TimeLimit;

impl Client {
    /// Returns the usage of the direct children of the API client's tenant, from one `usage_summary` for each calendar month of the period, all
    /// within `timeout`. One report over several months would have the levels of one month.
    ///
    /// An existing report is reused if it contains everything, as in [`obtain_report`](Self::obtain_report). A new report is kept at the vendor;
    /// [`usage_with`](Self::usage_with) has other options. Rows and errors name the report, so that [`report`](Self::report) can resume it and
    /// [`delete_report`](Self::delete_report) can delete it.
    ///
    /// The rows of all months share the memory limit of [`with_max_usage_bytes`](Self::with_max_usage_bytes).
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period in the future; otherwise as [`obtain_report`](Self::obtain_report) and
    /// [`usage_from_report`](Self::usage_from_report). [`ErrorKind::WaitTimeout`] has no id of a report if none was created in time. The error of
    /// one month of several has a hint that names the month and the periods to request instead. No rows are returned with it, but the reports
    /// of the months before it can be reused.
    pub async fn usage(&self, period: Period, timeout: Duration) -> Result<Vec<UsageRow>> {
        self.usage_with(period, timeout, UsageOptions::new()).await
    }

    /// Returns usage as [`usage`](Self::usage), with options for its reports.
    ///
    /// # Errors
    /// As [`usage`](Self::usage). A failed deletion of a report is an event and a warning in the trace, not an error, because the rows are
    /// correct.
    pub async fn usage_with(&self, period: Period, timeout: Duration, options: UsageOptions) -> Result<Vec<UsageRow>> {
        let now = self.clock.now();
        period.require_started(now)?;
        let limit = TimeLimit::new(timeout);
        let tenant = limit.run(self.own_tenant()).await;
        let tenant = tenant.unwrap_or_else(|| Err(limit.exceeded("the tenant of the API client was not looked up")))?;
        let (mut rows, mut kept) = (Vec::new(), 0);
        for month in period.months().take_while(|month| month.start() <= now) {
            let of_month = self.usage_of_month(limit, tenant, month, &options, kept).await;
            let (of_month, bytes) = in_month(of_month, month, period)?;
            rows.extend(of_month);
            kept += bytes;
        }
        Ok(rows)
    }

    /// Returns the rows of a month and their size in bytes.
    async fn usage_of_month(
        &self,
        limit: TimeLimit,
        tenant: Uuid,
        month: Period,
        options: &UsageOptions,
        kept: usize,
    ) -> Result<(Vec<UsageRow>, usize)> {
        let request = ReportRequest::usage_summary(tenant, month);
        let existing = match options.reuses_reports {
            true => limit.run(self.reusable_report(&request)).await,
            false => Some(Ok(None)),
        };
        let existing = existing.unwrap_or_else(|| Err(limit.exceeded("the tenant's reports were not searched")));
        let obtained = match existing? {
            Some(report) => ObtainedReport::Existing(report),
            None => limit.run(self.create_confirmed(&request)).await.unwrap_or_else(|| {
                Err(limit.exceeded("the creation of the report was not confirmed").with_hint(PERHAPS_CREATED))
            })?,
        };
        let (mut report, is_own) = match obtained {
            ObtainedReport::Created(report) => (report, true),
            ObtainedReport::Existing(report) => (report, false),
        };
        let id = report.id();
        options.notify(match is_own {
            true => ReportEvent::Created { id, month },
            false => ReportEvent::Reused { id, month },
        });
        let (of_month, bytes) = self.usage_from_report_within(limit, &mut report, kept).await?;
        if is_own && options.deletes_created_reports {
            self.delete_created(limit, report.id(), options).await;
        }
        Ok((of_month, bytes))
    }

    /// Deletes a report after all its rows have been read.
    async fn delete_created(&self, limit: TimeLimit, id: &str, options: &UsageOptions) {
        let Ok(report) = id.parse::<Uuid>() else { return };
        let deleted = limit.run(self.delete_report(report)).await;
        if let Err(error) =
            deleted.unwrap_or_else(|| Err(limit.exceeded(format_args!("report {report} was not deleted"))))
        {
            tracing::warn!("Acronis report {} was not deleted: {error}", printable(id));
            options.notify(ReportEvent::NotDeleted { id, error: &error });
        }
    }

    /// Returns the usage of a report that was [created](Self::create_report) or [resumed](Self::report). It waits for the report and reads the
    /// first file that has rows, all within `timeout`. A human-readable file that Acronis could not build does not hide the rows.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] at once for a report that has only human-readable files; as [`Poller::wait`](crate::Poller::wait) and
    /// [`usage_from_file`](Self::usage_from_file), always naming the report's id.
    pub async fn usage_from_report(
        &self,
        report: &mut Poller<ReportFiles>,
        timeout: Duration,
    ) -> Result<Vec<UsageRow>> {
        self.usage_from_report_within(TimeLimit::new(timeout), report, 0).await.map(|(rows, _)| rows)
    }

    /// Returns the rows and their size in bytes; `kept` bytes of earlier rows count towards the limit.
    async fn usage_from_report_within(
        &self,
        limit: TimeLimit,
        report: &mut Poller<ReportFiles>,
        kept: usize,
    ) -> Result<(Vec<UsageRow>, usize)> {
        let usage = async {
            report.require_usable()?;
            let files = report.wait_within(limit).await?;
            self.usage_from_file_within(limit, file_with_rows(&files)?, kept).await
        };
        usage.await.map_err(|error| with_report_id(report.id(), error))
    }

    /// Downloads a file of a report and aggregates its rows, as [`usage_rows`] does. Only the sums are kept in memory. A truncated download is
    /// restarted at most twice.
    ///
    /// Then it reads further data of the account, for a minute at most: its name, the owners of storage, the kinds of tenants (if the report does
    /// not state them), the licensing mode and the prices. Missing permissions for these are not errors: rows stay unknown or have no prices.
    ///
    /// # Errors
    /// As [`rows`](Self::rows) and [`usage_rows`]; [`ErrorKind::Limit`] if the usage takes more memory than
    /// [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows.
    pub async fn usage_from_file(&self, file: &StoredFile) -> Result<Vec<UsageRow>> {
        self.usage_from_file_within(TimeLimit::new(Duration::MAX), file, 0).await.map(|(rows, _)| rows)
    }

    async fn usage_from_file_within(
        &self,
        limit: TimeLimit,
        file: &StoredFile,
        kept: usize,
    ) -> Result<(Vec<UsageRow>, usize)> {
        let max_bytes = self.max_usage_bytes.saturating_sub(kept);
        let read = limit.run(self.read_with_restart(file, |body| aggregate(file, body, max_bytes))).await;
        let aggregator =
            read.unwrap_or_else(|| Err(limit.exceeded("the file of the report was not read to its end")))?;
        let facts = limit.run(self.account_facts(&aggregator)).await.unwrap_or_default();
        aggregator.rows(&facts).map_err(|error| with_file_hint(file, error))
    }
}

/// Returns the file to read. If its format has no rows, the reader returns the error.
fn file_with_rows(files: &ReportFiles) -> Result<&StoredFile> {
    if let Some(file) = files.saved.iter().find(|file| rows::has_rows(&file.format)) {
        return Ok(file);
    }
    let first =
        files.saved.first().ok_or_else(|| Error::new(ErrorKind::Decode, "the report finished without a file"))?;
    let failed = files.failed.iter().find(|format| rows::has_rows(format));
    failed.map_or(Ok(first), |format| Err(build_failure(format, first.report_id)))
}

/// Adds a hint that names the report. If only a call failed, the report can be read later.
fn with_report_id(id: &str, error: Error) -> Error {
    if error.message().contains(id) || error.hint().is_some_and(|hint| hint.contains(id)) {
        return error;
    }
    use ErrorKind::{Api, Auth, Connection, Permission, WaitTimeout};
    let advice = match error.kind() {
        Connection | Api | Auth | Permission | WaitTimeout => {
            format!("report {id} is stored at Acronis: resume it by its id")
        }
        _ => format!("this is report {id}"),
    };
    let hint = error.hint().map_or_else(String::new, |hint| format!("{hint}; "));
    error.with_hint(format!("{hint}{advice}"))
}

pub(crate) async fn aggregate(file: &StoredFile, body: ReportBody, max_bytes: usize) -> Result<UsageAggregator<'_>> {
    let mut aggregator = UsageAggregator::new(file, max_bytes)?;
    let mut rows = rows::read(&file.format, body)?;
    let mut row = ReportRow::default();
    while rows.next_into(&mut row).await? {
        aggregator.add(&mut row)?;
    }
    Ok(aggregator)
}

/// Aggregates the rows of a file to usage: one row for each tenant, service, item, backend, host, edition, SKU and mode (production or trial),
/// and for each day in reports by the day. The components of a host are added up. The charged number is documented
/// [here](crate::acronis#which-number-is-charged).
///
/// - No usage is counted twice. In the levels `all_customers` and `accounts`, only rows of customers count: rows of partners contain the usage of
///   their customers, and rows of units a part of it. If no row states the kind of a tenant, its rows are not known to be billable.
/// - Items in other clouds than Acronis' own are separate items: `pw_base_storage_google`.
/// - Only rows of a `usage_summary` of one whole calendar month are billable. They are final if the file was built after the end of the period;
///   rows of `usage_current` and of a part of a month never are. A report of the month so far has rows of the whole month, with the same keys
///   every day.
///
/// Without a client, data of other operations is missing: hosts and kinds that the file does not state, the licensing mode and prices.
/// [`usage_from_file`](Client::usage_from_file) reads them. Memory is not limited, because the caller holds the rows.
///
/// # Errors
/// [`ErrorKind::Request`] for the level `all_partners`, where partners below partners would count twice, and for a level of customers without
/// customers. [`ErrorKind::Decode`] for a duplicate row, a row of another period, or a sum of more than 28 digits.
pub fn usage_rows(file: &StoredFile, rows: impl IntoIterator<Item = ReportRow>) -> Result<Vec<UsageRow>> {
    let mut aggregator = UsageAggregator::new(file, usize::MAX)?;
    rows.into_iter().try_for_each(|mut row| aggregator.add(&mut row))?;
    aggregator.rows(&AccountFacts::default()).map(|(rows, _)| rows)
}
