//! The files of a report: their status, and their download.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use usage_billing_acronis::types;
use usage_billing_acronis::types::{ReportFormat, StoredReportStatus};
use usage_billing_core::LenientDateTime;
use uuid::Uuid;

use super::error::Failure;
use super::reports::parse_id;
use super::schedule::ScheduledReport;
use super::{Acronis, HandlerResult, Shared, report_files};
use crate::http_util::response::{blocking, ok, with_body};

/// Lists the files; each call is a poll.
pub(super) async fn list(State(acronis): Shared, Path(report_id): Path<String>) -> HandlerResult {
    let stored = acronis.with_report(&report_id, |stored| {
        stored.advance(acronis.clock.now());
        stored.polls = stored.polls.saturating_add(u32::from(!stored.runs.is_empty()));
        stored.clone()
    })?;
    Ok(blocking(move || {
        let items = stored.runs.iter().flat_map(|run| {
            let parameters = stored.parameters(*run);
            let formats = stored.report.parameters.formats.iter().zip(0..);
            let (acronis, stored) = (&acronis, &stored);
            formats.map(move |(format, index)| {
                let status = acronis.status(stored, *run, format, index);
                let saved = status == StoredReportStatus::Saved;
                let size =
                    || report_files::file(&acronis.dataset.acronis, &parameters, *run, format).map(|file| file.len());
                types::StoredReport {
                    id: saved.then(|| stored.file_id(*run, format)),
                    report_format: format.clone(),
                    created_at: Some(LenientDateTime(*run)),
                    size: saved.then(size).flatten().and_then(|size| i64::try_from(size).ok()),
                    status,
                }
            })
        });
        ok(&types::StoredReportList { items: items.collect() })
    })
    .await)
}

pub(super) async fn download(
    State(acronis): Shared,
    Path((report_id, stored_report_id)): Path<(String, String)>,
) -> HandlerResult {
    let stored = acronis.with_report(&report_id, |stored| {
        stored.advance(acronis.clock.now());
        stored.clone()
    })?;
    let requested = parse_id(&stored_report_id);
    Ok(blocking(move || {
        let Some(file) = acronis.saved(&stored, requested) else {
            return Failure::no_such_thing("No such stored report.").about(&stored_report_id).into_response();
        };
        let mut response = with_body(StatusCode::OK, "application/octet-stream", file);
        if acronis.gzip_header {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    })
    .await)
}

impl Acronis {
    /// Returns the file with an id, if it is saved.
    fn saved(&self, stored: &ScheduledReport, requested: Option<Uuid>) -> Option<Vec<u8>> {
        let formats = || stored.report.parameters.formats.iter().zip(0..);
        let mut all = stored.runs.iter().flat_map(|run| formats().map(move |(format, index)| (*run, format, index)));
        let (run, format, _) = all.find(|(run, format, index)| {
            Some(stored.file_id(*run, format)) == requested
                && self.status(stored, *run, format, *index) == StoredReportStatus::Saved
        })?;
        report_files::file(&self.dataset.acronis, &stored.parameters(run), run, format)
    }

    pub(super) fn status(
        &self,
        stored: &ScheduledReport,
        run: DateTime<Utc>,
        format: &ReportFormat,
        index: u32,
    ) -> StoredReportStatus {
        // A report ends even if it is not polled, and each run is done before the next.
        let done = self.clock.is_job_done(run) || stored.runs.last() != Some(&run);
        status(format, index, if done { u32::MAX } else { stored.polls }, self.polls_before_ready)
    }
}

/// Returns the status of a file.
///
/// Each format is a poll later than the one before, so that a client sees one saved and another in progress, unless everything is
/// ready at once. Formats whose layout is not documented fail.
fn status(format: &ReportFormat, index: u32, polls: u32, polls_before_ready: u32) -> StoredReportStatus {
    let pending = if polls_before_ready == 0 { 0 } else { polls_before_ready.saturating_add(index) };
    if polls <= pending {
        StoredReportStatus::InProgress
    } else if report_files::is_known(format) {
        StoredReportStatus::Saved
    } else {
        StoredReportStatus::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_saved_one_poll_after_another() {
        let states = |polls, before: u32| {
            [ReportFormat::CsvV20, ReportFormat::JsonV20, ReportFormat::Html]
                .into_iter()
                .zip(0..)
                .map(|(format, index)| status(&format, index, polls, before).to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(states(2, 2), ["in_progress", "in_progress", "in_progress"]);
        assert_eq!(states(3, 2), ["saved", "in_progress", "in_progress"]);
        assert_eq!(states(5, 2), ["saved", "saved", "failed"]);
        assert_eq!(states(1, 0), ["saved", "saved", "failed"]);
        assert_eq!(states(u32::MAX, u32::MAX), ["in_progress", "in_progress", "in_progress"]);
    }
}
