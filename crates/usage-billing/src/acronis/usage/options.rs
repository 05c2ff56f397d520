//! Options for the reports from which usage is read.

use std::fmt;
use std::sync::Arc;

use usage_billing_core::Error;

use crate::Period;

/// Options of [`Client::usage_with`](crate::acronis::Client::usage_with).
///
/// ```no_run
/// # use std::time::Duration;
/// # use usage_billing::{Period, Result, acronis::{Client, UsageOptions}};
/// # async fn fetch(client: Client, october: Period) -> Result<()> {
/// // A new report each time, which is deleted once it is read.
/// let options = UsageOptions::new().reuse_reports(false).delete_created_reports(true);
/// let rows = client.usage_with(october, Duration::from_secs(600), options).await?;
/// # let _ = rows;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct UsageOptions {
    pub(crate) reuses_reports: bool,
    pub(crate) deletes_created_reports: bool,
    on_report: Arc<dyn Fn(ReportEvent<'_>) + Send + Sync>,
}

/// An event of a report while usage is read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReportEvent<'a> {
    /// The report was created for this call, which now waits for it.
    Created {
        /// Id of the report, by which [`report`](crate::acronis::Client::report) resumes it.
        id: &'a str,
        /// Month of the report.
        month: Period,
    },
    /// The report existed before, or another program may have created it; it is read.
    Reused {
        /// Id of the report.
        id: &'a str,
        /// Month of the report.
        month: Period,
    },
    /// The rows were read, but the deletion of the report failed: it still exists at the vendor.
    NotDeleted {
        /// Id of the report, by which [`delete_report`](crate::acronis::Client::delete_report) deletes it.
        id: &'a str,
        /// Error of the deletion.
        error: &'a Error,
    },
}

impl UsageOptions {
    /// Creates options that reuse reports that contain everything, and keep created ones.
    pub fn new() -> Self {
        Self { reuses_reports: true, deletes_created_reports: false, on_report: Arc::new(|_| {}) }
    }

    /// Sets whether an existing report that contains everything is read in place of a new one.
    pub fn reuse_reports(self, reuse: bool) -> Self {
        Self { reuses_reports: reuse, ..self }
    }

    /// Sets whether a report is deleted once its rows have been read. Only a report that this call created for certain is deleted. A report that
    /// existed before, or was found after a lost response, is kept, because another program may have created it. A report whose rows could not be
    /// read is kept as well.
    pub fn delete_created_reports(self, delete: bool) -> Self {
        Self { deletes_created_reports: delete, ..self }
    }

    /// Sets a callback for events, which is called immediately and should return quickly. A program that prints the id of a report can resume the
    /// report after an interruption.
    ///
    /// ```
    /// # use usage_billing::acronis::{ReportEvent, UsageOptions};
    /// let options = UsageOptions::new().on_report(|event| match event {
    ///     ReportEvent::Created { id, month } => eprintln!("report {id} of {month} is being built"),
    ///     other => eprintln!("{other:?}"),
    /// });
    /// ```
    pub fn on_report(self, report: impl Fn(ReportEvent<'_>) + Send + Sync + 'static) -> Self {
        Self { on_report: Arc::new(report), ..self }
    }

    pub(crate) fn notify(&self, event: ReportEvent<'_>) {
        (self.on_report)(event);
    }
}

impl Default for UsageOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for UsageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageOptions")
            .field("reuses_reports", &self.reuses_reports)
            .field("deletes_created_reports", &self.deletes_created_reports)
            .finish_non_exhaustive()
    }
}
