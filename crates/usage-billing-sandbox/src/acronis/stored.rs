//! The files of a report: when they are there, and their download.

use std::io::Write;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, StatusCode, header};
use usage_billing_acronis::types;
use usage_billing_acronis::types::{ReportFormat, ReportScheduleType, StoredReportStatus};
use usage_billing_core::LenientDateTime;
use uuid::Uuid;

use super::error::Failure;
use super::reports::{Stored, known, no_such_report};
use super::{Acronis, files};
use crate::answer::{json, with_body};

/// This is the poll.
pub(super) async fn list(
    State(acronis): State<Arc<Acronis>>,
    Path(report_id): Path<String>,
) -> Result<Response, Failure> {
    let stored = {
        let mut reports = acronis.reports();
        let stored = known(&report_id).and_then(|id| reports.kept.get_mut(&id));
        let stored = stored.ok_or_else(|| no_such_report(&report_id))?;
        stored.polls = stored.polls.saturating_add(u32::from(acronis.is_due(&stored.report)));
        stored.clone()
    };
    let Stored { report, built, .. } = &stored;
    let due = acronis.is_due(report);
    let items = report.parameters.formats.iter().zip(0..).filter(|_| due).map(|(format, place)| {
        let status = acronis.status(&stored, format, place);
        let saved = status == StoredReportStatus::Saved;
        let size =
            || files::file(&acronis.world.acronis, &report.parameters, *built, format).map(|file| gzip(&file).len());
        types::StoredReport {
            id: saved.then(|| file_id(report, format)),
            report_format: format.clone(),
            created_at: Some(LenientDateTime(*built)),
            size: saved.then(size).flatten().and_then(|size| i64::try_from(size).ok()),
            status,
        }
    });
    Ok(json(StatusCode::OK, &types::StoredReportList { items: items.collect() }))
}

pub(super) async fn download(
    State(acronis): State<Arc<Acronis>>,
    Path((report_id, stored_report_id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let stored = {
        let reports = acronis.reports();
        known(&report_id).and_then(|id| reports.kept.get(&id)).ok_or_else(|| no_such_report(&report_id))?.clone()
    };
    let Stored { report, built, .. } = &stored;
    let wanted = known(&stored_report_id);
    let saved = report.parameters.formats.iter().zip(0..).find(|(format, place)| {
        Some(file_id(report, format)) == wanted && acronis.status(&stored, format, *place) == StoredReportStatus::Saved
    });
    let file = saved.and_then(|(format, _)| files::file(&acronis.world.acronis, &report.parameters, *built, format));
    let file = file.ok_or_else(|| Failure::no_such_thing("No such stored report.").about(&stored_report_id))?;
    let mut response = with_body(StatusCode::OK, "application/octet-stream", gzip(&file));
    if acronis.gzip_header {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

impl Acronis {
    /// Nothing is built before its day, and a schedule has no day here.
    pub(super) fn is_due(&self, report: &types::Report) -> bool {
        let once = report.schedule.as_ref().is_none_or(|schedule| schedule.type_ == ReportScheduleType::Once);
        once && report.generation_date <= self.world.today()
    }

    pub(super) fn status(&self, stored: &Stored, format: &ReportFormat, place: u32) -> StoredReportStatus {
        // However seldom it is asked for, a report does not take for ever.
        let done = self.clock.is_job_done(stored.built);
        status(format, place, if done { u32::MAX } else { stored.polls }, self.polls_before_ready)
    }
}

/// Each format is a poll later than the one before, so that a client sees one saved and another in progress; not so when
/// everything is to be ready at once. Formats whose layout is not known fail.
fn status(format: &ReportFormat, place: u32, polls: u32, polls_before_ready: u32) -> StoredReportStatus {
    let pending = if polls_before_ready == 0 { 0 } else { polls_before_ready.saturating_add(place) };
    if polls <= pending {
        StoredReportStatus::InProgress
    } else if files::is_known(format) {
        StoredReportStatus::Saved
    } else {
        StoredReportStatus::Failed
    }
}

fn file_id(report: &types::Report, format: &ReportFormat) -> Uuid {
    Uuid::new_v5(&report.id, format.as_str().as_bytes())
}

fn gzip(file: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = encoder.write_all(file);
    encoder.finish().unwrap_or_default()
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
                .map(|(format, place)| status(&format, place, polls, before).to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(states(2, 2), ["in_progress", "in_progress", "in_progress"]);
        assert_eq!(states(3, 2), ["saved", "in_progress", "in_progress"]);
        assert_eq!(states(5, 2), ["saved", "saved", "failed"]);
        assert_eq!(states(1, 0), ["saved", "saved", "failed"]);
        assert_eq!(states(u32::MAX, u32::MAX), ["in_progress", "in_progress", "in_progress"]);
    }
}
