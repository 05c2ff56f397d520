//! Requests for reports.

use chrono::{DateTime, NaiveDate, Utc};
use usage_billing_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::Period;
use crate::acronis::report_file::rows;
use crate::acronis::types;

/// A request for a report that is created once and stored for download. By default it covers the direct children of a tenant, in the
/// machine-readable format `csv_v2_0`, with SKUs (if the partner is entitled to them) and without rows of zero usage.
///
/// Periods consist of whole days (UTC). For a period that has not ended, the days up to today are requested.
///
/// ```no_run
/// # use std::time::Duration;
/// # use usage_billing::{Result, acronis::{Client, ReportRequest, types::{ReportFormat, ReportLevel}}};
/// # async fn create(client: Client) -> Result<()> {
/// let tenant = client.own_tenant().await?;
/// let request = ReportRequest::usage_daily(tenant, "2026-10".parse()?)
///     .level(ReportLevel::Accounts)
///     .formats([ReportFormat::JsonV20])
///     .hide_zero_usage(false);
/// let mut report = client.create_report(&request).await?;
/// let files = report.wait(Duration::from_secs(600)).await?;
/// # let _ = files;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReportRequest {
    kind: types::ReportKind,
    tenant: Uuid,
    /// `None` for `usage_current`, whose period the vendor sets.
    period: Option<Period>,
    level: types::ReportLevel,
    formats: Vec<types::ReportFormat>,
    show_skus: bool,
    hide_zero_usage: bool,
}

impl ReportRequest {
    /// Requests usage at the end of a period, and its change between the period's first and last day. This is the billed report.
    pub fn usage_summary(tenant: Uuid, period: Period) -> Self {
        Self::new(types::ReportKind::UsageSummary, tenant, Some(period))
    }

    /// Requests usage as of yesterday, in each child's own billing period. A parent may differ from the sum of its children. It is not for billing.
    pub fn usage_current(tenant: Uuid) -> Self {
        Self::new(types::ReportKind::UsageCurrent, tenant, None)
    }

    /// Requests usage at the end of each day of a period.
    pub fn usage_daily(tenant: Uuid, period: Period) -> Self {
        Self::new(types::ReportKind::UsageDaily, tenant, Some(period))
    }

    /// Requests usage at the end of each day of a period, and its change on that day.
    pub fn usage_breakdown(tenant: Uuid, period: Period) -> Self {
        Self::new(types::ReportKind::UsageBreakdown, tenant, Some(period))
    }

    fn new(kind: types::ReportKind, tenant: Uuid, period: Option<Period>) -> Self {
        Self {
            kind,
            tenant,
            period,
            level: types::ReportLevel::DirectPartners,
            formats: vec![types::ReportFormat::CsvV20],
            show_skus: true,
            hide_zero_usage: true,
        }
    }

    /// Sets how far below the tenant the report goes. Levels that list a partner *and* its customers contain their usage twice;
    /// [`usage_rows`](crate::acronis::usage_rows) counts it once.
    pub fn level(self, level: types::ReportLevel) -> Self {
        Self { level, ..self }
    }

    /// Sets the formats to build; the report is finished when all of them are. Each file contains the same usage: read one.
    pub fn formats(self, formats: impl IntoIterator<Item = types::ReportFormat>) -> Self {
        Self { formats: formats.into_iter().collect(), ..self }
    }

    /// Sets whether rows have SKUs.
    pub fn show_skus(self, show: bool) -> Self {
        Self { show_skus: show, ..self }
    }

    /// Sets whether rows without usage are omitted.
    pub fn hide_zero_usage(self, hide: bool) -> Self {
        Self { hide_zero_usage: hide, ..self }
    }

    pub(crate) fn tenant(&self) -> Uuid {
        self.tenant
    }

    pub(crate) fn period(&self) -> Option<Period> {
        self.period
    }

    pub(crate) fn body(&self, now: DateTime<Utc>) -> Result<types::ReportCreate> {
        if self.formats.is_empty() {
            return Err(Error::new(ErrorKind::Request, "the report has no format: set at least one"));
        }
        Ok(types::ReportCreate {
            generation_date: None,
            parameters: types::ReportParametersCreate {
                formats: self.formats.clone(),
                hide_zero_usage: Some(self.hide_zero_usage),
                kind: self.kind.clone(),
                level: self.level.clone(),
                period: self.days(now)?,
                show_skus: Some(self.show_skus),
                tenant_id: self.tenant,
            },
            recipients: Vec::new(),
            result_action: types::ReportResultAction::Save,
            schedule: types::ReportScheduleCreate { enabled: None, type_: types::ReportScheduleType::Once },
        })
    }

    /// Returns the requested days; the vendor's end is inclusive and not after today.
    fn days(&self, now: DateTime<Utc>) -> Result<Option<types::ReportPeriod>> {
        let Some(period) = self.period else { return Ok(None) };
        period.require_started(now)?;
        let (start, last) = period.days()?;
        Ok(Some(types::ReportPeriod { start, end: last.min(now.date_naive()) }))
    }

    /// Returns whether an existing report, created on the day `since` or later, has the parameters of this request at `now`.
    pub(crate) fn is_matched_by(&self, report: &types::Report, since: NaiveDate, now: DateTime<Utc>) -> Result<bool> {
        let parameters = &report.parameters;
        // Parameters that the vendor does not repeat (the guide's sample lacks both booleans) are not compared.
        let agrees = |requested: bool, stated: Option<bool>| stated.is_none_or(|stated| stated == requested);
        Ok(report.generation_date >= since
            && self.has_parameters_of(report, now)?
            && self.formats.iter().all(|format| parameters.formats.contains(format))
            && agrees(self.show_skus, parameters.show_skus)
            && agrees(self.hide_zero_usage, parameters.hide_zero_usage))
    }

    /// Returns whether an existing report contains all rows of this request in any format. It was created after the end of the period, or today
    /// if the period has not ended. It may have additional rows without usage.
    ///
    /// A report that does not state whether it has SKUs may have none: only its file shows it.
    pub(crate) fn is_covered_by(&self, report: &types::Report, now: DateTime<Utc>) -> Result<bool> {
        let parameters = &report.parameters;
        let Some(period) = self.period else { return Ok(false) };
        let since = if period.has_ended(now) { period.end() } else { now };
        Ok(report.generation_date >= since.date_naive()
            && self.has_parameters_of(report, now)?
            && parameters.formats.iter().any(rows::has_rows)
            && parameters.show_skus.unwrap_or(true) == self.show_skus
            && (self.hide_zero_usage || parameters.hide_zero_usage == Some(false)))
    }

    /// Returns whether a report is stored, created once, and has the same kind, tenant, level and days.
    fn has_parameters_of(&self, report: &types::Report, now: DateTime<Utc>) -> Result<bool> {
        let parameters = &report.parameters;
        let is_once = |schedule: &types::ReportSchedule| schedule.type_ == types::ReportScheduleType::Once;
        let is_same =
            |days: types::ReportPeriod| (days.start, days.end) == (parameters.period.start, parameters.period.end);
        Ok(report.result_action == types::ReportResultAction::Save
            && report.schedule.as_ref().is_none_or(is_once)
            && parameters.kind == self.kind
            && parameters.tenant_id == self.tenant
            && parameters.level == self.level
            && self.days(now)?.is_none_or(is_same))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use types::ReportFormat::{CsvV20, JsonV20};

    fn now() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn october() -> ReportRequest {
        ReportRequest::usage_summary(Uuid::nil(), "2026-10".parse().unwrap())
    }

    #[test]
    fn period_is_sent_with_inclusive_end_unless_absent() {
        let sent =
            |request: ReportRequest| serde_json::to_value(request.body(now()).unwrap()).unwrap()["parameters"].take();
        let days = json!({"start": "2026-10-01", "end": "2026-10-31"});
        let period = "2026-10".parse().unwrap();
        for (kind, request, expected) in [
            ("usage_summary", october(), Some(&days)),
            ("usage_daily", ReportRequest::usage_daily(Uuid::nil(), period), Some(&days)),
            ("usage_breakdown", ReportRequest::usage_breakdown(Uuid::nil(), period), Some(&days)),
            ("usage_current", ReportRequest::usage_current(Uuid::nil()), None),
        ] {
            let parameters = sent(request);
            assert_eq!((&parameters["kind"], parameters.get("period")), (&json!(kind), expected));
        }
        assert!(october().formats([]).body(now()).is_err());
        let noon = "2026-10-01T12:00:00Z/2026-11-01".parse().unwrap();
        assert!(ReportRequest::usage_summary(Uuid::nil(), noon).body(now()).is_err());
    }

    #[test]
    fn open_period_is_requested_up_to_today_and_future_rejected() {
        let sent = |period: &str| {
            let body = ReportRequest::usage_summary(Uuid::nil(), period.parse().unwrap()).body(now())?;
            Ok::<_, Error>(body.parameters.period.map(|days| (days.start.to_string(), days.end.to_string())).unwrap())
        };
        for (period, start, end) in [
            ("2026-11", "2026-11-01", "2026-11-21"),
            ("2026-11-01/2026-11-22", "2026-11-01", "2026-11-21"),
            ("2026-11-01/2026-11-21", "2026-11-01", "2026-11-20"),
            ("2026-11-10/2027-11-01", "2026-11-10", "2026-11-21"),
            ("2026-11-21/2026-11-22", "2026-11-21", "2026-11-21"),
            ("2026-10", "2026-10-01", "2026-10-31"),
        ] {
            assert_eq!(sent(period).unwrap(), (start.to_owned(), end.to_owned()), "{period}");
        }
        for period in ["2026-12", "2026-11-22/2026-11-23"] {
            assert!(sent(period).unwrap_err().message().contains("is in the future"), "{period}");
        }
    }

    fn report(change: fn(&mut Value)) -> types::Report {
        let mut report = json!({
            "id": Uuid::nil(), "version": 1, "generation_date": "2026-11-01", "result_action": "save", "recipients": [],
            "parameters": {
                "kind": "usage_summary", "tenant_id": Uuid::nil(), "level": "direct_partners",
                "period": {"start": "2026-10-01", "end": "2026-10-31"}, "formats": ["csv_v2_0", "json_v2_0"],
                "show_skus": true, "hide_zero_usage": true,
            },
            "schedule": {"type": "once", "enabled": true},
        });
        change(&mut report);
        serde_json::from_value(report).unwrap()
    }

    #[test]
    fn report_matches_only_with_all_requested_parameters() {
        let since = "2026-11-01".parse().unwrap();
        let known = |request: &ReportRequest, change| request.is_matched_by(&report(change), since, now()).unwrap();
        assert!(known(&october(), |_| {}));
        assert!(known(&october().formats([JsonV20, CsvV20]), |_| {}));
        assert!(known(&october(), |report| report["parameters"]["show_skus"] = Value::Null));
        assert!(known(&october(), |report| report["schedule"] = Value::Null));
        assert!(!known(&october().formats([types::ReportFormat::Html]), |_| {}));
        assert!(!known(&october().show_skus(false), |_| {}));
        assert!(!known(&october().level(types::ReportLevel::Itself), |_| {}));
        assert!(!known(&october(), |report| report["parameters"]["period"]["end"] = json!("2026-10-30")));
        assert!(!known(&october(), |report| report["parameters"]["kind"] = json!("usage_daily")));
        assert!(!known(&october(), |report| report["parameters"]["tenant_id"] = json!(Uuid::max())));
        assert!(!known(&october(), |report| report["generation_date"] = json!("2026-10-31")));
        assert!(!known(&october(), |report| report["schedule"]["type"] = json!("monthly")));
        assert!(!known(&october(), |report| report["result_action"] = json!("send")));
    }

    #[test]
    fn report_is_reused_only_with_every_row_of_the_period() {
        let contained = |request: &ReportRequest, change| request.is_covered_by(&report(change), now()).unwrap();
        assert!(contained(&october(), |_| {}));
        assert!(contained(&october(), |report| report["parameters"]["formats"] = json!(["html", "json_v2_0"])));
        assert!(contained(&october(), |report| report["generation_date"] = json!("2026-11-20")));
        assert!(!contained(&october(), |report| report["generation_date"] = json!("2026-10-31")), "before its end");
        assert!(!contained(&october(), |report| report["parameters"]["formats"] = json!(["html", "csv"])));
        assert!(!contained(&october(), |report| report["parameters"]["level"] = json!("accounts")));
        assert!(!contained(&october(), |report| report["parameters"]["period"]["start"] = json!("2026-10-02")));
        assert!(!contained(&october(), |report| report["result_action"] = json!("send")));
        assert!(!contained(&ReportRequest::usage_current(Uuid::nil()), |_| {}));
    }

    #[test]
    fn absent_booleans_allow_reuse_only_if_no_row_is_lost() {
        let contained = |skus: bool, hides_zero: bool, stated_skus: Option<bool>, stated_hides_zero: Option<bool>| {
            let mut report = report(|_| {});
            (report.parameters.show_skus, report.parameters.hide_zero_usage) = (stated_skus, stated_hides_zero);
            let request = october().show_skus(skus).hide_zero_usage(hides_zero);
            request.is_covered_by(&report, now()).unwrap()
        };
        for (skus, stated, expected) in [
            (true, Some(true), true),
            (true, None, true),
            (true, Some(false), false),
            (false, Some(false), true),
            (false, None, false),
            (false, Some(true), false),
        ] {
            assert_eq!(contained(skus, true, stated, Some(true)), expected, "{skus} {stated:?}");
        }
        for (hides_zero, stated, expected) in [
            (true, Some(true), true),
            (true, Some(false), true),
            (true, None, true),
            (false, Some(false), true),
            (false, Some(true), false),
            (false, None, false),
        ] {
            assert_eq!(contained(true, hides_zero, Some(true), stated), expected, "{hides_zero} {stated:?}");
        }
    }

    #[test]
    fn report_of_open_month_is_reused_only_today() {
        let november = ReportRequest::usage_summary(Uuid::nil(), "2026-11".parse().unwrap());
        for (end, generated, expected) in [
            ("2026-11-21", "2026-11-21", true),
            ("2026-11-21", "2026-11-20", false),
            ("2026-11-20", "2026-11-21", false),
            ("2026-11-30", "2026-12-02", false),
        ] {
            let mut report = report(|_| {});
            let date = |text: &str| text.parse::<NaiveDate>().unwrap();
            report.parameters.period = types::ReportPeriod { start: date("2026-11-01"), end: date(end) };
            report.generation_date = date(generated);
            assert_eq!(november.is_covered_by(&report, now()).unwrap(), expected, "{end} {generated}");
        }
    }
}
