//! Creation, lookup by id and deletion of reports.

use std::time::Duration;

use chrono::NaiveDate;
use usage_billing_core::{Error, ErrorKind, ResponseValue, Result, printable};
use uuid::Uuid;

use crate::acronis::error_hints::{creation_error, has_request_ended, hinted, may_have_been_created};
use crate::acronis::report_file::rows;
use crate::acronis::reports::stored_file::{ReportFiles, StoredFile};
use crate::acronis::{Client, ReportRequest, types};
use crate::{PollResult, Poller};
use usage_billing_acronis::Client as Api;

/// Attempts to create a report.
const MAX_CREATIONS: u32 = 3;
/// The time that a created report may take until it is listed, and the delay before it is created again.
const SETTLING: Duration = Duration::from_secs(2);

impl Client {
    /// Creates a report. Keep its id: [`report`](Self::report) resumes it.
    ///
    /// For a period that has not ended, the days up to today are requested, because Acronis rejects an end in the future.
    ///
    /// The request is not retried after a lost response, because that could create a second report. [`find_report`](Self::find_report) looks
    /// for the first one.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period in the future; [`ErrorKind::NotReady`], with the delay until the next attempt, if the
    /// history of the period is not ready (mostly at night); otherwise the errors of the call.
    pub async fn create_report(&self, request: &ReportRequest) -> Result<Poller<ReportFiles>> {
        let body = request.body(self.clock.now())?;
        let formats = body.parameters.formats.clone();
        let sent = self.api.create_report().body(body).send().await;
        let mut report = sent.map_err(|error| creation_error(error, request.period(), self.clock.now()))?.into_inner();
        // The response may lack some: the vendor's document has no json_v2_0 there (seen 2026-10-04).
        report.parameters.formats = formats;
        Ok(self.poller(report))
    }

    /// Creates a report as [`create_report`](Self::create_report), and resolves failures after which the report may exist.
    ///
    /// After such a failure, [`find_report`](Self::find_report) looks for a report that was created today (UTC). The report is created again if
    /// it is not listed, now and 2 s later, and the vendor has ended its work on the request: a status of 408, 502 or 503, or a lost connection.
    /// There are at most 3 attempts.
    ///
    /// # Errors
    /// As [`create_report`](Self::create_report); also after a timeout if no report is found, because the vendor may still be creating it.
    pub async fn get_or_create_report(&self, request: &ReportRequest) -> Result<Poller<ReportFiles>> {
        Ok(match self.create_confirmed(request).await? {
            ObtainedReport::Created(report) | ObtainedReport::Existing(report) => report,
        })
    }

    /// Creates a report as [`get_or_create_report`](Self::get_or_create_report), and returns whether this call created it for certain: another
    /// program may have created an equal one in the meantime.
    pub(crate) async fn create_confirmed(&self, request: &ReportRequest) -> Result<ObtainedReport> {
        // Before the creation: the day may end in the meantime.
        let today = self.clock.now().date_naive();
        let mut creations = 1;
        loop {
            let failure = match self.create_report(request).await {
                Err(failure) if may_have_been_created(&failure) => failure,
                settled => return settled.map(ObtainedReport::Created),
            };
            if let Some(report) = self.find_after_failure(request, today, &failure).await? {
                return Ok(ObtainedReport::Existing(report));
            }
            if creations == MAX_CREATIONS || !has_request_ended(&failure) {
                return Err(failure);
            }
            tokio::time::sleep(SETTLING).await;
            if let Some(report) = self.find_after_failure(request, today, &failure).await? {
                return Ok(ObtainedReport::Existing(report));
            }
            creations += 1;
        }
    }

    /// Looks for a report that may exist although its creation failed.
    ///
    /// # Errors
    /// The failure of the creation, if it is unknown whether the report exists.
    async fn find_after_failure(
        &self,
        request: &ReportRequest,
        since: NaiveDate,
        failure: &Error,
    ) -> Result<Option<Poller<ReportFiles>>> {
        self.find_report(request, since).await.map_err(|_| failure.clone())
    }

    /// Resumes a report by its id, which this process or another created.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a report that is sent by mail, as none of its files is stored; otherwise the errors of the call.
    pub async fn report(&self, id: Uuid) -> Result<Poller<ReportFiles>> {
        let report = self.api.get_report().report_id(id).send().await.map_err(hinted)?.into_inner();
        if report.result_action == types::ReportResultAction::Send {
            let message = format!("report {id} is sent by mail and not stored: there is no file to wait for");
            let error = Error::new(ErrorKind::Request, message);
            return Err(error.with_hint("create a report: those that are created here are stored"));
        }
        Ok(self.poller(report))
    }

    /// Deletes a report at Acronis. A report that was already deleted is not an error.
    ///
    /// # Errors
    /// The errors of the calls.
    pub async fn delete_report(&self, id: Uuid) -> Result<()> {
        let version = match self.api.get_report().report_id(id).send().await {
            Err(error) if is_not_found(&error) => return Ok(()),
            read => read.map_err(hinted)?.version,
        };
        match self.api.delete_report().report_id(id).version(version).send().await {
            Err(error) if !is_not_found(&error) => Err(hinted(error)),
            _ => Ok(()),
        }
    }

    pub(crate) fn poller(&self, mut report: types::Report) -> Poller<ReportFiles> {
        let formats = &mut report.parameters.formats;
        if formats.is_empty() {
            // The vendor's billing module expects this format if it requests none (acronis-cyber-cloud-whmcs, seen 2026-11-21).
            formats.push(types::ReportFormat::CsvV20);
        }
        let (api, id) = (self.api.clone(), report.id.to_string());
        let without_rows = rows::no_rows_error(formats);
        Poller::new("Acronis report", id, move || poll(api.clone(), report.clone()))
            .confirmed_exists()
            .unusable(without_rows)
            .masking(&self.api)
    }
}

/// A report that satisfies a request.
#[derive(Debug)]
pub enum ObtainedReport {
    /// The report existed before, or another program may have created it: do not delete it.
    Existing(Poller<ReportFiles>),
    /// This call created the report.
    Created(Poller<ReportFiles>),
}

pub(crate) fn is_not_found(error: &Error) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 404)
}

async fn poll(api: Api, report: types::Report) -> Result<PollResult<ReportFiles>> {
    poll_result(&report, &api.list_stored_reports().report_id(report.id).send().await.map_err(hinted)?)
}

/// Returns the files once the newest file of every requested format is saved or has failed. A failed format does not hide saved ones.
fn poll_result(
    report: &types::Report,
    stored: &ResponseValue<types::StoredReportList>,
) -> Result<PollResult<ReportFiles>> {
    let (mut saved, mut failed, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for format in &report.parameters.formats {
        // A scheduled report accumulates files of the same format.
        let newest =
            stored.items.iter().filter(|file| file.report_format == *format).max_by_key(|file| file.created_at);
        match newest.map(|file| (&file.status, file.id, file)) {
            Some((types::StoredReportStatus::Saved, Some(id), file)) => saved.push(StoredFile {
                size: file.size.and_then(|bytes| u64::try_from(bytes).ok()),
                created_at: file.created_at.map(Into::into),
                ..StoredFile::new(report.id, id, format.clone(), report.parameters.clone())
            }),
            Some((types::StoredReportStatus::Failed, ..)) => failed.push(format.clone()),
            // In progress, saved but without its id yet, or in a state that is not known.
            Some((state, ..)) => states.push(format!("{} {}", printable(format.as_str()), printable(state.as_str()))),
            None => states.push(format!("{} not started", printable(format.as_str()))),
        }
    }
    if !states.is_empty() {
        return Ok(PollResult::pending(stored, Some(states.join(", "))));
    }
    match failed.first() {
        Some(format) if saved.is_empty() => Err(build_failure(format, report.id)),
        _ => Ok(PollResult::Ready(ReportFiles { saved, failed })),
    }
}

pub(crate) fn build_failure(format: &types::ReportFormat, report_id: Uuid) -> Error {
    let message = format!(
        "Acronis could not build the {} file of report {report_id}; create a new report, or one without this format",
        printable(format.as_str())
    );
    Error::new(ErrorKind::Failed, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::ReportFormat::{CsvV20, JsonV20};

    fn seen(items: serde_json::Value) -> Result<PollResult<ReportFiles>> {
        let report = serde_json::json!({
            "id": Uuid::nil(), "version": 1, "generation_date": "2026-11-01", "result_action": "save",
            "parameters": {
                "kind": "usage_summary", "tenant_id": Uuid::nil(), "level": "direct_partners",
                "period": {"start": "2026-10-01", "end": "2026-10-31"}, "formats": ["csv_v2_0", "json_v2_0"],
            },
        });
        let stored = serde_json::from_value(serde_json::json!({"items": items})).unwrap();
        let response = ResponseValue::new(stored, Default::default(), Default::default());
        poll_result(&serde_json::from_value(report).unwrap(), &response)
    }

    const ID: &str = "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";
    const NEWER: &str = "51b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";

    #[test]
    fn report_is_ready_when_every_requested_format_is_saved() {
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
            assert!(matches!(seen(pending.clone()).unwrap(), PollResult::Pending { .. }), "{pending}");
        }
        let PollResult::Ready(files) = seen(serde_json::json!([json("saved"), csv])).unwrap() else { panic!("done") };
        assert_eq!(files.saved.iter().map(|file| file.format.clone()).collect::<Vec<_>>(), [CsvV20, JsonV20]);
    }

    #[test]
    fn failed_format_fails_report_only_without_saved_ones() {
        let file = |format: &str, status: &str| serde_json::json!({"id": ID, "report_format": format, "status": status, "created_at": "2026-11-01T00:00:00Z"});
        let (csv, json) = (|status| file("csv_v2_0", status), |status| file("json_v2_0", status));
        let error = seen(serde_json::json!([csv("failed"), json("failed")])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.message().starts_with("Acronis could not build the csv_v2_0 file"), "{error}");
        for pending in [serde_json::json!([csv("failed")]), serde_json::json!([csv("failed"), json("in_progress")])] {
            let PollResult::Pending { status, .. } = seen(pending).unwrap() else { panic!("not done") };
            assert!(status.unwrap().starts_with("json_v2_0 "));
        }
        for (items, is_saved, is_failed) in
            [([csv("saved"), json("failed")], CsvV20, JsonV20), ([csv("failed"), json("saved")], JsonV20, CsvV20)]
        {
            let PollResult::Ready(files) = seen(serde_json::json!(items)).unwrap() else { panic!("done") };
            assert_eq!(files.saved.iter().map(|file| &file.format).collect::<Vec<_>>(), [&is_saved]);
            assert_eq!(files.failed, [is_failed]);
        }
    }

    #[test]
    fn newest_file_of_a_format_is_returned() {
        let file = |format: &str, id: &str, day: &str| serde_json::json!({"id": id, "report_format": format, "status": "saved", "created_at": day});
        let items = serde_json::json!([
            file("csv_v2_0", NEWER, "2026-11-02T00:00:00"),
            file("csv_v2_0", ID, "2026-11-01T00:00:00+00:00"),
            file("json_v2_0", ID, "2026-11-01T00:00:00Z"),
        ]);
        let PollResult::Ready(files) = seen(items).unwrap() else { panic!("done") };
        assert_eq!(files.saved[0].id.to_string(), NEWER);
        assert_eq!(files.saved[0].created_at, Some("2026-11-02T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn pending_report_states_status_of_each_format() {
        let csv = serde_json::json!([{"report_format": "csv_v2_0", "status": "in_progress", "created_at": "2026-11-01T00:00:00Z"}]);
        let PollResult::Pending { status, .. } = seen(csv).unwrap() else { panic!("not done") };
        assert_eq!(status.as_deref(), Some("csv_v2_0 in_progress, json_v2_0 not started"));
    }
}
