//! The files of a report.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::acronis::types;

/// The files of a finished report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReportFiles {
    /// Saved files, in the order of the report's formats; at least one.
    pub saved: Vec<StoredFile>,
    /// Formats that Acronis could not build.
    pub failed: Vec<types::ReportFormat>,
}

impl From<Vec<StoredFile>> for ReportFiles {
    fn from(saved: Vec<StoredFile>) -> Self {
        Self { saved, failed: Vec::new() }
    }
}

/// A file of a report that can be downloaded, and the parameters of the report. Keep it as JSON beside a saved file, so that
/// [`saved_usage`](crate::acronis::saved_usage) can create rows from it later.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredFile {
    /// Id of the report.
    pub report_id: Uuid,
    /// Id of the file.
    pub id: Uuid,
    /// Format of the file.
    pub format: types::ReportFormat,
    /// Compressed size in bytes, if the vendor states it.
    pub size: Option<u64>,
    /// When the file was built, if the vendor states it. Rows of a file without it are never final, and none is known to be billable.
    pub created_at: Option<DateTime<Utc>>,
    /// The parameters of the report, as the vendor returned them.
    pub report: types::ReportParameters,
}

impl StoredFile {
    /// Creates a file from known ids; set `size` and `created_at` as fields.
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
    fn stored_file_survives_json_round_trip() {
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
