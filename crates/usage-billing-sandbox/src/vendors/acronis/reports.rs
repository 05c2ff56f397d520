//! Creates, returns, changes and deletes reports.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use chrono::NaiveDate;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;
use usage_billing_acronis::types;
use usage_billing_acronis::types::{ReportFormat, ReportKind, ReportLevel, ReportResultAction, ReportScheduleType};
use uuid::Uuid;

use super::error::Failure;
use super::query::reject_unlisted;
use super::schedule::ScheduledReport;
use super::{Acronis, HandlerResult, Shared};
use crate::bounded_map::BoundedMap;
use crate::dataset::{days_before, month_of};
use crate::http_util::request::{Params, RequestBody, first_unlisted};
use crate::http_util::response::ok;

/// Days of the longest report: three years. The vendor documents no limit.
const MAX_PERIOD_DAYS: i64 = 3 * 366;

/// Fields of the bodies by the pointer of their object: the vendor rejects all others.
type Fields = [(&'static str, &'static [&'static str])];
const FIELDS_TO_CREATE: &Fields = &[
    ("", &["parameters", "schedule", "result_action", "recipients", "generation_date"]),
    ("/parameters", &["tenant_id", "level", "kind", "formats", "period", "hide_zero_usage", "show_skus"]),
    ("/parameters/period", &["start", "end"]),
    ("/schedule", &["type", "enabled"]),
];
const FIELDS_TO_UPDATE: &Fields = &[
    ("", &["parameters", "schedule", "recipients"]),
    ("/parameters", &["tenant_id", "level", "kind", "hide_zero_usage", "show_skus"]),
    ("/schedule", &["enabled"]),
];

pub(super) struct Reports {
    created: u64,
    pub(super) kept: BoundedMap<Uuid, ScheduledReport>,
}

impl Reports {
    pub(super) fn new(most: usize) -> Self {
        Self { created: 0, kept: BoundedMap::new(most) }
    }
}

pub(super) async fn create(State(acronis): Shared, body: RequestBody) -> HandlerResult {
    let order: types::ReportCreate = decode(body, FIELDS_TO_CREATE)?;
    let today = acronis.dataset.today();
    let tenant = order.parameters.tenant_id;
    if acronis.dataset.acronis.find(tenant).is_none() {
        return Err(Failure::access_denied(&tenant.to_string()));
    }
    let unlisted = first_unlisted!(ReportResultAction, [&order.result_action])
        .or(first_unlisted!(ReportScheduleType, [&order.schedule.type_]))
        .or(first_unlisted!(ReportLevel, [&order.parameters.level]))
        .or(first_unlisted!(ReportKind, [&order.parameters.kind]))
        .or(first_unlisted!(ReportFormat, &order.parameters.formats));
    reject_unlisted(unlisted)?;
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
    let response = ok(&report);
    reports.kept.insert(report.id, ScheduledReport::new(report, acronis.clock.now()));
    Ok(response)
}

/// Updates a report. "Unlike for tenants, the request carries no version": the last writer wins.
pub(super) async fn update(State(acronis): Shared, Path(report_id): Path<String>, body: RequestBody) -> HandlerResult {
    let change: types::ReportUpdate = decode(body, FIELDS_TO_UPDATE)?;
    let parameters = change.parameters.unwrap_or_default();
    reject_unlisted(first_unlisted!(ReportLevel, &parameters.level).or(first_unlisted!(ReportKind, &parameters.kind)))?;
    if let Some(tenant) = parameters.tenant_id.filter(|tenant| acronis.dataset.acronis.find(*tenant).is_none()) {
        return Err(Failure::access_denied(&tenant.to_string()));
    }
    let reports = &mut *acronis.reports();
    let stored = parse_id(&report_id).and_then(|id| reports.kept.get_mut(&id));
    let stored = stored.ok_or_else(|| no_such_report(&report_id))?;
    // The runs up to now follow the old schedule.
    stored.advance(acronis.clock.now());
    let report = &mut stored.report;
    let Some(schedule) = report.schedule.as_mut().filter(|schedule| schedule.type_ != ReportScheduleType::Once) else {
        return Err(Failure::broken_rule("A report with the schedule once cannot be changed.").about(&report_id));
    };
    schedule.enabled = change.schedule.map_or(schedule.enabled, |schedule| schedule.enabled);
    let kept = &mut report.parameters;
    kept.tenant_id = parameters.tenant_id.unwrap_or(kept.tenant_id);
    if let Some(level) = parameters.level {
        kept.level = level;
    }
    if let Some(kind) = parameters.kind {
        kept.kind = kind;
    }
    kept.hide_zero_usage = parameters.hide_zero_usage.or(kept.hide_zero_usage);
    kept.show_skus = parameters.show_skus.or(kept.show_skus);
    if let Some(recipients) = change.recipients {
        report.recipients = recipients;
    }
    report.version += 1;
    Ok(ok(&*report))
}

/// Deletes a report with its files.
pub(super) async fn delete(State(acronis): Shared, Path(report_id): Path<String>, query: Params) -> HandlerResult {
    let version = query.get("version").and_then(|version| version.parse::<i64>().ok());
    let version = version.ok_or_else(|| Failure::bad_request("version: needed, a number."))?;
    let reports = &mut *acronis.reports();
    let stored = parse_id(&report_id).and_then(|id| reports.kept.get(&id));
    let report = &stored.ok_or_else(|| no_such_report(&report_id))?.report;
    if report.version != version {
        return Err(Failure::stale_version().about(&report_id));
    }
    let id = report.id;
    reports.kept.remove(&id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn decode<T: DeserializeOwned>(body: RequestBody, fields: &Fields) -> Result<T, Failure> {
    let mut given: Value = body.declared_json()?;
    for at in FLAGS {
        given.pointer_mut(at).map(read_flag);
    }
    if let Some(field) = unknown_field(&given, fields) {
        return Err(Failure::bad_request(format!("There is no such field: {field}")));
    }
    serde_json::from_value(given).map_err(|error| Failure::bad_request(error.to_string()))
}

/// The vendor's own samples send strings for these booleans.
const FLAGS: [&str; 2] = ["/parameters/hide_zero_usage", "/parameters/show_skus"];

fn read_flag(flag: &mut Value) {
    if let Some(value) = flag.as_str().and_then(|text| text.parse::<bool>().ok()) {
        *flag = value.into();
    }
}

/// Returns a field that the vendor rejects.
fn unknown_field(body: &Value, fields: &Fields) -> Option<String> {
    fields.iter().find_map(|(at, known)| {
        let members = body.pointer(at)?.as_object()?;
        let unknown = members.keys().find(|member| !known.contains(&member.as_str()))?;
        Some(format!("{at}/{unknown}"))
    })
}

/// Returns the days of a report, or the reason why it is rejected.
fn period(requested: &types::ReportParametersCreate, today: NaiveDate) -> Result<types::ReportPeriod, String> {
    let yesterday = days_before(today, 1);
    let period = match &requested.period {
        Some(period) => period.clone(),
        None if requested.kind == ReportKind::UsageCurrent => {
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
    if period.end.signed_duration_since(period.start).num_days() > MAX_PERIOD_DAYS {
        return Err("parameters.period: longer than three years.".to_owned());
    }
    Ok(period)
}

/// Returns each format once; `csv_v2_0`, which the vendor's billing module expects, if there is none.
fn formats(requested: Vec<ReportFormat>) -> Vec<ReportFormat> {
    let mut formats = Vec::new();
    for format in requested {
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    if formats.is_empty() {
        formats.push(ReportFormat::CsvV20);
    }
    formats
}

pub(super) async fn read(State(acronis): Shared, Path(report_id): Path<String>) -> HandlerResult {
    acronis.with_report(&report_id, |scheduled| ok(&scheduled.report))
}

pub(super) async fn list_of_tenant(State(acronis): Shared, Path(tenant_id): Path<String>) -> HandlerResult {
    let index = acronis.tenant(&tenant_id)?;
    let id = acronis.dataset.acronis.get(index).map(|tenant| tenant.id);
    let reports = acronis.reports();
    let of_tenant = reports.kept.iter().filter(|(_, stored)| Some(stored.report.parameters.tenant_id) == id);
    Ok(ok(&types::UuidList { items: of_tenant.map(|(id, _)| *id).collect() }))
}

impl Acronis {
    /// Calls a function with a report.
    pub(super) fn with_report<T>(&self, id: &str, call: impl FnOnce(&mut ScheduledReport) -> T) -> Result<T, Failure> {
        let reports = &mut *self.reports();
        let scheduled = parse_id(id).and_then(|id| reports.kept.get_mut(&id));
        Ok(call(scheduled.ok_or_else(|| no_such_report(id))?))
    }
}

pub(super) fn parse_id(id: &str) -> Option<Uuid> {
    Uuid::parse_str(id).ok()
}

fn no_such_report(id: &str) -> Failure {
    Failure::no_such_thing("No such report.").about(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::day;

    fn requested(kind: ReportKind, days: Option<(&str, &str)>) -> types::ReportParametersCreate {
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
    fn period_ends_today_at_the_latest() {
        let today = day("2026-11-01");
        let summary = |start, end| period(&requested(ReportKind::UsageSummary, Some((start, end))), today);
        assert!(summary("2026-10-01", "2026-10-31").is_ok());
        assert!(summary("2026-10-01", "2026-11-01").is_ok());
        assert!(summary("2026-10-01", "2026-11-02").unwrap_err().contains("future"));
        assert!(summary("2026-10-02", "2026-10-01").unwrap_err().contains("ends before"));
        assert!(summary("-262143-01-01", "2026-10-01").unwrap_err().contains("three years"));
    }

    #[test]
    fn current_report_defaults_to_month_until_yesterday() {
        let current =
            |today| period(&requested(ReportKind::UsageCurrent, None), day(today)).map(|it| (it.start, it.end));
        assert_eq!(current("2026-11-21"), Ok((day("2026-11-01"), day("2026-11-20"))));
        assert_eq!(current("2026-11-01"), Ok((day("2026-10-01"), day("2026-10-31"))));
        assert!(period(&requested(ReportKind::UsageSummary, None), day("2026-11-01")).is_err());
    }

    #[test]
    fn unknown_field_is_named() {
        let order = serde_json::json!({"parameters": {"period": {"start": 1, "until": 2}}, "schedule": []});
        assert_eq!(unknown_field(&order, FIELDS_TO_CREATE).as_deref(), Some("/parameters/period/until"));
        assert_eq!(unknown_field(&order, FIELDS_TO_UPDATE).as_deref(), Some("/parameters/period"));
        assert_eq!(unknown_field(&serde_json::json!({"parameters": {}}), FIELDS_TO_CREATE), None);
        assert_eq!(unknown_field(&serde_json::json!([]), FIELDS_TO_CREATE), None);
    }
}
