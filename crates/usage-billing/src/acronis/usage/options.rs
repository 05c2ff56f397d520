//! What happens with the reports that usage is read from.

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

/// Something that happened to a report while usage was read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReportEvent<'a> {
    /// It was created for the call, and is waited for from now on.
    Created {
        /// Its id, by which it can be [taken up again](crate::acronis::Client::report).
        id: &'a str,
        /// What it is about.
        month: Period,
    },
    /// It was there already, or may be that of another program, and is read.
    Reused {
        /// Its id.
        id: &'a str,
        /// What it is about.
        month: Period,
    },
    /// Its rows were read, and it was to be deleted, which failed: it stays with the vendor.
    NotDeleted {
        /// Its id, by which it can be [deleted](crate::acronis::Client::delete_report).
        id: &'a str,
        /// Why.
        error: &'a Error,
    },
}

impl UsageOptions {
    /// Reports that contain everything are reused, and created ones are kept.
    pub fn new() -> Self {
        Self { reuses_reports: true, deletes_created_reports: false, on_report: Arc::new(|_| {}) }
    }

    /// Whether a report that the tenant has already is read, if it contains everything, in place of a new one.
    pub fn reuse_reports(self, reuse: bool) -> Self {
        Self { reuses_reports: reuse, ..self }
    }

    /// Whether a report is deleted once its rows have been read. Only a report that this call created for certain: never one that was there
    /// before, nor one that was found after a lost response, because it may be that of another program. A report whose rows could not be
    /// read stays.
    pub fn delete_created_reports(self, delete: bool) -> Self {
        Self { deletes_created_reports: delete, ..self }
    }

    /// Sets what is called with each event, at once: a program that prints the id of a report as soon as it is known can take the report up
    /// again after it was interrupted. It should return quickly.
    ///
    /// ```
    /// # use usage_billing::acronis::{ReportEvent, UsageOptions};
    /// let options = UsageOptions::new().on_report(|event| match event {
    ///     ReportEvent::Created { id, month } => eprintln!("report {id} of {month} is being made"),
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
