//! The files of a report.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::acronis::types;

/// The files of a report that is done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReportFiles {
    /// Those that were saved, in the order of the report's formats. At least one.
    pub saved: Vec<StoredFile>,
    /// Formats that Acronis could not build.
    pub failed: Vec<types::ReportFormat>,
}

impl From<Vec<StoredFile>> for ReportFiles {
    fn from(saved: Vec<StoredFile>) -> Self {
        Self { saved, failed: Vec::new() }
    }
}

/// A file of a report, ready for download, and what it is about. Keep it as JSON beside a file that was saved, so that
/// [`saved_usage`](crate::acronis::saved_usage) makes rows of it later.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredFile {
    /// The report that it belongs to.
    pub report_id: Uuid,
    /// Its own id.
    pub id: Uuid,
    /// Its format.
    pub format: types::ReportFormat,
    /// Compressed size in bytes, if the vendor says.
    pub size: Option<u64>,
    /// When it was made, if the vendor says. Rows of a file without it are never final, and none is known to be billable.
    pub created_at: Option<DateTime<Utc>>,
    /// What was asked for, as the vendor understood it.
    pub report: types::ReportParameters,
}

impl StoredFile {
    /// A file that is known from elsewhere; its size and when it was made are fields.
    ///
    /// ```
    /// # use usage_billing::acronis::{StoredFile, types::{ReportFormat, ReportKind, ReportLevel, ReportParameters, ReportPeriod}};
    /// let report = ReportParameters {
    ///     kind: ReportKind::UsageSummary,
    ///     tenant_id: "5b1d9f0e-7a43-4c1c-9c53-1f2a6c0d8e11".parse()?,
    ///     level: ReportLevel::DirectPartners,
    ///     period: ReportPeriod { start: "2026-10-01".parse()?, end: "2026-10-31".parse()? },
    ///     formats: vec![ReportFormat::CsvV20],
    ///     show_skus: Some(true),
    ///     hide_zero_usage: Some(true),
    /// };
    /// let (report_id, file_id) = ("41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73".parse()?, "8c0de6a1-35f2-4b90-8f0e-b6c1d2a94e31".parse()?);
    /// let mut file = StoredFile::new(report_id, file_id, ReportFormat::CsvV20, report);
    /// file.created_at = Some("2026-11-02T00:00:00Z".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(report_id: Uuid, id: Uuid, format: types::ReportFormat, report: types::ReportParameters) -> Self {
        Self { report_id, id, format, size: None, created_at: None, report }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_reads_back_from_its_json() {
        let report = json!({
            "kind": "usage_summary", "tenant_id": Uuid::max(), "level": "direct_partners",
            "period": {"start": "2026-10-01", "end": "2026-10-31"}, "formats": ["csv_v2_0", "a_new_format"],
        });
        let mut file = StoredFile::new(
            Uuid::nil(),
            Uuid::max(),
            types::ReportFormat::CsvV20,
            serde_json::from_value(report).unwrap(),
        );
        file.created_at = Some("2026-11-02T00:00:00Z".parse().unwrap());
        let text = serde_json::to_string(&file).unwrap();
        let read: StoredFile = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert_eq!((read.created_at, &read.report.formats), (file.created_at, &file.report.formats));
    }
}
