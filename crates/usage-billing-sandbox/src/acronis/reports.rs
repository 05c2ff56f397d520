//! Reports: order, poll, download.

use std::io::Write;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use usage_billing_acronis::types;
use usage_billing_acronis::types::{
    ReportFormat, ReportKind, ReportLevel, ReportResultAction, ReportScheduleType, StoredReportStatus,
};
use usage_billing_core::LenientDateTime;
use uuid::Uuid;

use super::error::Failure;
use super::{Acronis, files};
use crate::answer::{Sent, first_unlisted, json, with_body};
use crate::bounded::Bounded;
use crate::world::{days_before, month_of};

/// Days of the longest report: three years. The vendor documents no limit.
const LONGEST_PERIOD: i64 = 3 * 366;

pub(super) struct Reports {
    created: u64,
    kept: Bounded<Uuid, Stored>,
}

impl Reports {
    pub(super) fn new(most: usize) -> Self {
        Self { created: 0, kept: Bounded::new(most) }
    }
}

/// A report, and how often its files were asked for.
struct Stored {
    report: types::Report,
    built: DateTime<Utc>,
    polls: u32,
}

pub(super) async fn create(State(acronis): State<Arc<Acronis>>, sent: Sent) -> Result<Response, Failure> {
    let given: Value = sent.declared_json()?;
    if let Some(field) = unknown_field(&given) {
        return Err(Failure::bad_request(format!("There is no such field: {field}")));
    }
    let order: types::ReportCreate =
        serde_json::from_value(given).map_err(|error| Failure::bad_request(error.to_string()))?;
    let today = acronis.world.today;
    let tenant = order.parameters.tenant_id;
    if acronis.world.acronis.find(tenant).is_none() {
        return Err(Failure::access_denied(&tenant.to_string()));
    }
    let unlisted = first_unlisted!(ReportResultAction, [&order.result_action])
        .or(first_unlisted!(ReportScheduleType, [&order.schedule.type_]))
        .or(first_unlisted!(ReportLevel, [&order.parameters.level]))
        .or(first_unlisted!(ReportKind, [&order.parameters.kind]))
        .or(first_unlisted!(ReportFormat, &order.parameters.formats));
    if let Some(value) = unlisted {
        return Err(Failure::bad_request(format!("There is no such value: {value}")));
    }
    if order.result_action == ReportResultAction::Send && order.recipients.is_empty() {
        return Err(Failure::bad_request("recipients: needed with the action send."));
    }
    let period = period(&order.parameters, today).map_err(Failure::bad_request)?;
    let mut report = types::Report {
        id: Uuid::nil(),
        version: 1,
        generation_date: order.generation_date.unwrap_or(today),
        parameters: types::ReportParameters {
            formats: formats(order.parameters.formats),
            hide_zero_usage: order.parameters.hide_zero_usage,
            kind: order.parameters.kind,
            level: order.parameters.level,
            period,
            show_skus: order.parameters.show_skus,
            tenant_id: tenant,
        },
        recipients: order.recipients,
        result_action: order.result_action,
        schedule: Some(types::ReportSchedule {
            enabled: order.schedule.enabled.unwrap_or(true),
            type_: order.schedule.type_,
        }),
    };
    let reports = &mut *acronis.reports();
    reports.created += 1;
    report.id = Uuid::new_v5(&acronis.realm, format!("report/{}", reports.created).as_bytes());
    let answer = json(StatusCode::OK, &report);
    reports.kept.insert(report.id, Stored { report, built: acronis.clock.now(), polls: 0 });
    Ok(answer)
}

/// A field that the vendor would refuse.
fn unknown_field(order: &Value) -> Option<String> {
    const FIELDS: [(&str, &[&str]); 4] = [
        ("", &["parameters", "schedule", "result_action", "recipients", "generation_date"]),
        ("/parameters", &["tenant_id", "level", "kind", "formats", "period", "hide_zero_usage", "show_skus"]),
        ("/parameters/period", &["start", "end"]),
        ("/schedule", &["type", "enabled"]),
    ];
    FIELDS.into_iter().find_map(|(at, known)| {
        let fields = order.pointer(at)?.as_object()?;
        let unknown = fields.keys().find(|field| !known.contains(&field.as_str()))?;
        Some(format!("{at}/{unknown}"))
    })
}

/// The days of a report, or why there can be none.
fn period(asked: &types::ReportParametersCreate, today: NaiveDate) -> Result<types::ReportPeriod, String> {
    let yesterday = days_before(today, 1);
    let period = match &asked.period {
        Some(period) => period.clone(),
        None if asked.kind == ReportKind::UsageCurrent => {
            types::ReportPeriod { start: month_of(yesterday), end: yesterday }
        }
        None => return Err("parameters.period: needed for this kind.".to_owned()),
    };
    if period.end < period.start {
        return Err("parameters.period: ends before it starts.".to_owned());
    }
    if period.end > today {
        return Err("parameters.period: reaches into the future.".to_owned());
    }
    if period.end.signed_duration_since(period.start).num_days() > LONGEST_PERIOD {
        return Err("parameters.period: longer than three years.".to_owned());
    }
    Ok(period)
}

/// Each format once; what the vendor's billing module finds if none was asked for.
fn formats(asked: Vec<ReportFormat>) -> Vec<ReportFormat> {
    let mut formats = Vec::new();
    for format in asked {
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    if formats.is_empty() {
        formats.push(ReportFormat::CsvV20);
    }
    formats
}

pub(super) async fn read(
    State(acronis): State<Arc<Acronis>>,
    Path(report_id): Path<String>,
) -> Result<Response, Failure> {
    let reports = acronis.reports();
    let stored = known(&report_id).and_then(|id| reports.kept.get(&id)).ok_or_else(|| no_such_report(&report_id))?;
    Ok(json(StatusCode::OK, &stored.report))
}

pub(super) async fn list_of_tenant(
    State(acronis): State<Arc<Acronis>>,
    Path(tenant_id): Path<String>,
) -> Result<Response, Failure> {
    let place = acronis.tenant(&tenant_id)?;
    let id = acronis.world.acronis.tenants().get(place).map(|tenant| tenant.id);
    let reports = acronis.reports();
    let of_tenant = reports.kept.iter().filter(|(_, stored)| Some(stored.report.parameters.tenant_id) == id);
    Ok(json(StatusCode::OK, &types::UuidList { items: of_tenant.map(|(id, _)| *id).collect() }))
}

/// This is the poll.
pub(super) async fn list_stored(
    State(acronis): State<Arc<Acronis>>,
    Path(report_id): Path<String>,
) -> Result<Response, Failure> {
    let (report, built, polls) = {
        let mut reports = acronis.reports();
        let stored = known(&report_id).and_then(|id| reports.kept.get_mut(&id));
        let stored = stored.ok_or_else(|| no_such_report(&report_id))?;
        stored.polls = stored.polls.saturating_add(1);
        (stored.report.clone(), stored.built, stored.polls)
    };
    // Nothing is built before its day, and a schedule has no day here.
    let once = report.schedule.as_ref().is_none_or(|schedule| schedule.type_ == ReportScheduleType::Once);
    let due = once && report.generation_date <= acronis.world.today;
    let items = report.parameters.formats.iter().zip(0..).filter(|_| due).map(|(format, place)| {
        let status = status(format, place, polls, acronis.polls_before_ready);
        let saved = status == StoredReportStatus::Saved;
        let size =
            || files::file(&acronis.world.acronis, &report.parameters, built, format).map(|file| gzip(&file).len());
        types::StoredReport {
            id: saved.then(|| file_id(&report, format)),
            report_format: format.clone(),
            created_at: Some(LenientDateTime(built)),
            size: saved.then(size).flatten().and_then(|size| i64::try_from(size).ok()),
            status,
        }
    });
    Ok(json(StatusCode::OK, &types::StoredReportList { items: items.collect() }))
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

pub(super) async fn download(
    State(acronis): State<Arc<Acronis>>,
    Path((report_id, stored_report_id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (report, built, polls) = {
        let reports = acronis.reports();
        let stored =
            known(&report_id).and_then(|id| reports.kept.get(&id)).ok_or_else(|| no_such_report(&report_id))?;
        (stored.report.clone(), stored.built, stored.polls)
    };
    let wanted = known(&stored_report_id);
    let saved = report.parameters.formats.iter().zip(0..).find(|(format, place)| {
        Some(file_id(&report, format)) == wanted
            && status(format, *place, polls, acronis.polls_before_ready) == StoredReportStatus::Saved
    });
    let file = saved.and_then(|(format, _)| files::file(&acronis.world.acronis, &report.parameters, built, format));
    let file = file.ok_or_else(|| Failure::no_such_thing("No such stored report.").about(&stored_report_id))?;
    let mut response = with_body(StatusCode::OK, "application/octet-stream", gzip(&file));
    if acronis.gzip_header {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

fn file_id(report: &types::Report, format: &ReportFormat) -> Uuid {
    Uuid::new_v5(&report.id, format.as_str().as_bytes())
}

fn known(id: &str) -> Option<Uuid> {
    Uuid::parse_str(id).ok()
}

fn no_such_report(id: &str) -> Failure {
    Failure::no_such_thing("No such report.").about(id)
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

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn asked(kind: ReportKind, days: Option<(&str, &str)>) -> types::ReportParametersCreate {
        types::ReportParametersCreate {
            formats: Vec::new(),
            hide_zero_usage: None,
            kind,
            level: ReportLevel::DirectPartners,
            period: days.map(|(start, end)| types::ReportPeriod { start: day(start), end: day(end) }),
            show_skus: None,
            tenant_id: Uuid::nil(),
        }
    }

    #[test]
    fn a_period_may_reach_to_today_and_no_further() {
        let today = day("2026-11-01");
        let summary = |start, end| period(&asked(ReportKind::UsageSummary, Some((start, end))), today);
        assert!(summary("2026-10-01", "2026-10-31").is_ok());
        assert!(summary("2026-10-01", "2026-11-01").is_ok());
        assert!(summary("2026-10-01", "2026-11-02").unwrap_err().contains("future"));
        assert!(summary("2026-10-02", "2026-10-01").unwrap_err().contains("ends before"));
        assert!(summary("-262143-01-01", "2026-10-01").unwrap_err().contains("three years"));
    }

    #[test]
    fn a_current_report_without_period_runs_from_the_first_to_yesterday() {
        let current = |today| period(&asked(ReportKind::UsageCurrent, None), day(today)).map(|it| (it.start, it.end));
        assert_eq!(current("2026-11-21"), Ok((day("2026-11-01"), day("2026-11-20"))));
        assert_eq!(current("2026-11-01"), Ok((day("2026-10-01"), day("2026-10-31"))));
        assert!(period(&asked(ReportKind::UsageSummary, None), day("2026-11-01")).is_err());
    }

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

    #[test]
    fn a_field_that_the_vendor_does_not_know_is_named() {
        let order = serde_json::json!({"parameters": {"period": {"start": 1, "until": 2}}, "schedule": []});
        assert_eq!(unknown_field(&order).as_deref(), Some("/parameters/period/until"));
        assert_eq!(unknown_field(&serde_json::json!({"parameters": {}})), None);
        assert_eq!(unknown_field(&serde_json::json!([])), None);
    }
}
