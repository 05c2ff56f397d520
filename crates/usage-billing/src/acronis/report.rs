//! Creating a report and waiting for its files.

use usage_billing_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::{Api, Client, types};
use crate::{Period, Progress, Report};

/// What to report: usage at the end of a period and its change over the period (`usage_summary`), for machines (`csv_v2_0`).
#[derive(Clone, Debug)]
pub struct ReportRequest {
    tenant: Uuid,
    period: Period,
    level: types::ReportLevel,
    formats: Vec<types::ReportFormat>,
    show_skus: bool,
    hide_zero_usage: bool,
}

impl ReportRequest {
    /// The direct children of `tenant`, with SKUs (if the partner is entitled to them), without rows of zero usage.
    ///
    /// The period is of whole days (UTC); Acronis refuses one that reaches into the future.
    pub fn usage_summary(tenant: Uuid, period: Period) -> Self {
        Self {
            tenant,
            period,
            level: types::ReportLevel::DirectPartners,
            formats: vec![types::ReportFormat::CsvV20],
            show_skus: true,
            hide_zero_usage: true,
        }
    }

    /// How far below the tenant the report goes. Levels that list a partner *and* its customers count their usage twice if added up.
    pub fn level(self, level: types::ReportLevel) -> Self {
        Self { level, ..self }
    }

    /// Which files to make; the report is done when all of them are.
    pub fn formats(self, formats: impl IntoIterator<Item = types::ReportFormat>) -> Self {
        Self { formats: formats.into_iter().collect(), ..self }
    }

    /// Whether to ask for SKUs.
    pub fn show_skus(self, show: bool) -> Self {
        Self { show_skus: show, ..self }
    }

    /// Whether to leave out rows without usage.
    pub fn hide_zero_usage(self, hide: bool) -> Self {
        Self { hide_zero_usage: hide, ..self }
    }

    fn body(&self) -> Result<types::ReportCreate> {
        if self.formats.is_empty() {
            return Err(Error::new(ErrorKind::Request, "the report has no format: there would be nothing to wait for"));
        }
        Ok(types::ReportCreate {
            generation_date: None,
            parameters: types::ReportParametersCreate {
                formats: self.formats.clone(),
                hide_zero_usage: Some(self.hide_zero_usage),
                kind: types::ReportKind::UsageSummary,
                level: self.level.clone(),
                period: Some(types::ReportPeriod { start: self.period.first_day()?, end: self.period.last_day()? }),
                show_skus: Some(self.show_skus),
                tenant_id: self.tenant,
            },
            recipients: Vec::new(),
            result_action: types::ReportResultAction::Save,
            schedule: types::ReportScheduleCreate { enabled: None, type_: types::ReportScheduleType::Once },
        })
    }
}

/// A file of a report, ready for download.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFile {
    pub(super) report_id: Uuid,
    pub(super) id: Uuid,
    /// Its format.
    pub format: types::ReportFormat,
    /// Compressed size in bytes, if the vendor says.
    pub size: Option<u64>,
}

impl Client {
    /// Starts a report. Never repeated on its own after a lost answer, which would make a second report: then look for the first with
    /// `api().list_tenant_reports()`.
    ///
    /// # Errors
    /// Those of the call. At night, 400 and 500 can mean that the period's history is not ready: try again in the morning.
    pub async fn create_report(&self, request: &ReportRequest) -> Result<Report<Vec<StoredFile>>> {
        let created = self.api.create_report().body(request.body()?).send().await?;
        Ok(self.report(created.id, request.formats.clone()))
    }

    /// Takes up a report by its id, waiting for files of `formats`.
    pub fn report(&self, id: Uuid, formats: Vec<types::ReportFormat>) -> Report<Vec<StoredFile>> {
        let api = self.api.clone();
        Report::new("Acronis report", id.to_string(), move || poll(api.clone(), id, formats.clone()))
    }
}

async fn poll(api: Api, id: Uuid, formats: Vec<types::ReportFormat>) -> Result<Progress<Vec<StoredFile>>> {
    let stored = api.list_stored_reports().report_id(id).send().await?;
    progress(id, &formats, &stored.items)
}

/// Done when the newest file of every wanted format is saved.
fn progress(
    report_id: Uuid,
    formats: &[types::ReportFormat],
    stored: &[types::StoredReport],
) -> Result<Progress<Vec<StoredFile>>> {
    let mut files = Vec::new();
    for format in formats {
        // A scheduled report gathers files of the same format over time.
        let newest = stored.iter().filter(|file| file.report_format == *format).max_by_key(|file| file.created_at);
        match newest.map(|file| (&file.status, file.id, file.size)) {
            Some((types::StoredReportStatus::Saved, Some(id), size)) => {
                let size = size.and_then(|bytes| u64::try_from(bytes).ok());
                files.push(StoredFile { report_id, id, format: format.clone(), size });
            }
            Some((types::StoredReportStatus::Failed, ..)) => {
                let message =
                    format!("Acronis could not build the {format} file of report {report_id}; create a new report");
                return Err(Error::new(ErrorKind::Failed, message));
            }
            // Not listed yet, in progress, saved but without its id yet, or in a state that is not known.
            _ => {}
        }
    }
    let pending = Progress::Pending { status: None, retry_after: None };
    Ok(if files.len() == formats.len() { Progress::Ready(files) } else { pending })
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::ReportFormat::{CsvV20, JsonV20};

    fn stored(json: serde_json::Value) -> Vec<types::StoredReport> {
        serde_json::from_value(json).unwrap()
    }

    fn seen(json: serde_json::Value) -> Result<Progress<Vec<StoredFile>>> {
        progress(Uuid::nil(), &[CsvV20, JsonV20], &stored(json))
    }

    const ID: &str = "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";
    const NEWER: &str = "51b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";

    #[test]
    fn a_report_is_done_when_every_wanted_format_is_saved() {
        let csv = serde_json::json!({"id": ID, "report_format": "csv_v2_0", "status": "saved", "created_at": "2026-11-01T00:00:00"});
        let json = |status: &str| serde_json::json!({"id": ID, "report_format": "json_v2_0", "status": status, "created_at": "2026-11-01T00:00:00Z"});
        let unnamed =
            serde_json::json!({"report_format": "json_v2_0", "status": "saved", "created_at": "2026-11-01T00:00:00Z"});
        for pending in [
            serde_json::json!([]),
            serde_json::json!([csv]),
            serde_json::json!([csv, json("in_progress")]),
            serde_json::json!([csv, json("a_new_state")]),
            serde_json::json!([csv, unnamed]),
        ] {
            assert!(matches!(seen(pending.clone()).unwrap(), Progress::Pending { .. }), "{pending}");
        }
        let Progress::Ready(files) = seen(serde_json::json!([json("saved"), csv])).unwrap() else { panic!("done") };
        assert_eq!(files.iter().map(|file| file.format.clone()).collect::<Vec<_>>(), [CsvV20, JsonV20]);
    }

    #[test]
    fn one_failed_format_fails_the_report() {
        let failed = serde_json::json!([{"report_format": "csv_v2_0", "status": "failed", "created_at": "2026-11-01T00:00:00Z"}]);
        let error = seen(failed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.message().starts_with("Acronis could not build the csv_v2_0 file"), "{error}");
    }

    #[test]
    fn of_several_files_of_a_format_the_newest_counts() {
        let file = |id: &str, day: &str| serde_json::json!({"id": id, "report_format": "csv_v2_0", "status": "saved", "created_at": day});
        let items =
            stored(serde_json::json!([file(NEWER, "2026-11-02T00:00:00"), file(ID, "2026-11-01T00:00:00+00:00")]));
        let Progress::Ready(files) = progress(Uuid::nil(), &[CsvV20], &items).unwrap() else { panic!("done") };
        assert_eq!(files[0].id.to_string(), NEWER);
    }

    #[test]
    fn the_period_goes_out_with_its_inclusive_end() {
        let request = ReportRequest::usage_summary(Uuid::nil(), "2026-10".parse().unwrap());
        let body = serde_json::to_value(request.body().unwrap()).unwrap();
        assert_eq!(body["parameters"]["period"], serde_json::json!({"start": "2026-10-01", "end": "2026-10-31"}));
        assert!(request.formats([]).body().is_err());
    }
}
